#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""hostd_clients.py SOCKET

Clients of ringpace-hostd's control socket who mean no good. Each in turn; what is no order is
refused in the envelope, what never becomes a line ends the connection. Nothing else is the case:
exits with 1 and says so, if it is.
"""
import json
import socket
import sys
import time

MAX = 4096  # of a line
REFUSED = [
    b"", b"nonsense", b"[]", b"7", b"null", b"{}", b"\xff\xfe", b"\0", b'{"v":1}',
    b'{"v":1,"id":1,"id":2,"cmd":"hello"}', b'{"v":2,"id":1,"cmd":"hello"}',
    b'{"v":1,"id":[{}],"cmd":"nothing"}', b'{"v":1,"id":1,"cmd":["hello"]}',
    b'{"v":1,"id":1,"cmd":"hello","more":1}', b'{"v":1,"id":1,"cmd":"explain","tenant":7}',
    b'{"v":1,"id":1,"cmd":"explain","tenant":"nobody"}', b'{"v":1,"id":1,"cmd":"apply"}',
    b'{"v":1,"id":1,"cmd":"apply","on":"yes"}', b"[" * (MAX - 2), b'{"a":' * 700,
]
GOOD = b'{"v":1,"id":"x","cmd":"hello"}\n'


def connect():
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    s.settimeout(60)
    return s


def lines(s, n):
    data = b""
    while data.count(b"\n") < n:
        more = s.recv(65536)
        if not more:
            return None
        data += more
    return [json.loads(line) for line in data.splitlines()]


def ends(s):
    """Whatever it still tells."""
    try:
        while s.recv(65536):
            pass
    except ConnectionError:
        pass
    return True


def check(good, what):
    if not good:
        sys.exit(f"{what}: not so")


s = connect()
for order in REFUSED:
    s.sendall(order + b"\n")
    answer = lines(s, 1)
    check(answer and answer[0]["ok"] is False and answer[0]["error"]["code"], order[:60])
s.sendall(GOOD * 100)
check(len(lines(s, 100) or []) == 100, "a hundred orders at once")
for i in range(len(GOOD)):
    s.sendall(GOOD[i : i + 1])
check(lines(s, 1)[0]["id"] == "x", "an order by bytes")
s.close()

s = connect()
s.sendall(b"x" * MAX)
check(ends(s), "a line without an end")

# Those who are there already are served, one more than there is room for is not.
crowd = [connect() for _ in range(17)]
for s in crowd[:16]:
    s.sendall(GOOD)
    check(lines(s, 1), "one of sixteen")
check(ends(crowd[16]), "the seventeenth")
for s in crowd:
    s.close()

# Who goes amid a line, without taking answers, or takes none at all.
for text in (GOOD[:9], b'{"v":1,"id":1,"cmd":"status"}\n' * 20):
    for _ in range(20):
        s = connect()
        try:
            s.sendall(text)
        except ConnectionError:
            pass
        s.close()
s = connect()
try:
    while True:
        s.sendall(b'{"v":1,"id":1,"cmd":"explain"}\n')
except ConnectionError:
    pass
s.close()

# It may not have seen yet that they have gone.
end = time.monotonic() + 60
served = None
while not served and time.monotonic() < end:
    s = connect()
    try:
        s.sendall(GOOD)
        served = lines(s, 1)
    except ConnectionError:
        pass
check(served and served[0]["ok"], "after all of that an order")
