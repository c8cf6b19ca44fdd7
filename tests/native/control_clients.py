#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""control_clients.py SOCKET CLIENTS

Clients of a daemon's control socket who mean no good, where it has room for so many. What is no
order is refused in the envelope, as is a line that is too long; who does not read holds up nobody
else, and has its replies later. Exits with 1 and says what is not so.
"""
import json
import socket
import sys
import time

MAX = 65536  # of a line
CLIENTS = int(sys.argv[2])
REFUSED = [
    b"", b"nonsense", b"[]", b"7", b"null", b"{}", b"\xff\xfe", b"\0", b'{"v":1}',
    b'{"v":1,"id":1,"id":2,"cmd":"hello"}', b'{"v":2,"id":1,"cmd":"hello"}',
    b'{"v":1,"id":[{}],"cmd":"nothing"}', b'{"v":1,"id":1,"cmd":["hello"]}',
    b'{"v":1,"id":1,"cmd":"hello","more":1}', b'{"v":1,"id":1,"cmd":"explain","tenant":7}',
    b'{"v":1,"id":1,"cmd":"explain","tenant":"nobody"}', b'{"v":1,"id":1,"cmd":"apply"}',
    b'{"v":1,"id":1,"cmd":"apply","on":"yes"}', b"[" * MAX, b'{"a":' * 700,
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


def served():
    """A connection for which there is room: that others have gone may not have been seen yet."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        s = connect()
        try:
            s.sendall(GOOD)
            if lines(s, 1)[0]["ok"]:
                return s
        except ConnectionError:
            pass
        s.close()
    sys.exit("there is never room for one more")


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
s.sendall(b"x" * (MAX + 1))
check(lines(s, 1)[0]["error"]["code"] == "bad-json", "a line without an end")
s.sendall(b"x" * 9 * MAX + b"\n" + GOOD)
check(lines(s, 1)[0]["id"] == "x", "the order behind it")
s.close()


# Those who are there already are served, one more than there is room for is told so.
crowd = [served() for _ in range(CLIENTS)]
s = connect()
check(lines(s, 1)[0]["error"]["code"] == "busy" and ends(s), "one too many")
for s in crowd:
    s.close()

# Who goes amid a line, without taking answers, or takes none for as long as it sends.
for text in (GOOD[:9], b'{"v":1,"id":1,"cmd":"status"}\n' * 20):
    for _ in range(20):
        s = connect()
        try:
            s.sendall(text)
        except ConnectionError:
            pass
        s.close()
s = served()
s.setblocking(False)
sent = 0
try:
    while s.send(b'{"v":1,"id":1,"cmd":"status"}\n'):
        sent += 1
except BlockingIOError:
    s.settimeout(60)
for _ in range(9):
    served().close()
check(len(lines(s, sent) or []) == sent, "all replies, later")
