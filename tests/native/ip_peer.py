#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Linux's side of dataplane_ip.t: what a host sends that has more than one frame, or that
# nobody wants. Exit status 0: as it should be.
#
#	ip_peer.py CASE ADDRESS
import errno
import hashlib
import random
import socket
import sys

LIMIT_S = 60
IP_MTU_DISCOVER = 10
PMTUDISC_DONT = 0
address = (sys.argv[2], 7)


def udp(port=7):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(LIMIT_S)
    s.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_DONT)
    s.connect((sys.argv[2], port))
    return s


def echoes(s, size):
    data = random.Random(size).randbytes(size)
    s.send(data)
    got = s.recv(65536)
    assert got == data, f"{size} bytes were sent, {len(got)} came back, and not the same"


def datagrams():
    """Of one piece up to 45; many flows, so that they are of many groups."""
    sockets = [udp() for _ in range(32)]
    for size in (0, 1, 1472, 1473, 4000, 8191, 20000, 65507):
        for s in sockets:
            echoes(s, size)


def refused():
    """One that tells, whichever port it is: others go unanswered if they are too many."""
    s = udp(9999)
    s.send(b"is anybody there?")
    try:
        s.recv(100)
    except OSError as e:
        assert e.errno == errno.ECONNREFUSED, f"{e} where it should be refused"
        return
    raise AssertionError("an answer where nobody is")


def stream():
    """As many bytes there and back as fill all windows; what arrives is what was sent."""
    s = socket.socket()
    s.settimeout(LIMIT_S)
    s.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_DONT)
    s.connect(address)
    sent, got, due = hashlib.sha256(), hashlib.sha256(), 0
    for i in range(50):
        data = random.Random(i).randbytes(20000)
        sent.update(data)
        s.sendall(data)
        due += len(data)
        while due:
            part = s.recv(min(due, 65536))
            assert part, "the connection ended"
            got.update(part)
            due -= len(part)
    assert sent.digest() == got.digest(), "other bytes came back"


{f.__name__: f for f in (datagrams, refused, stream)}[sys.argv[1]]()
