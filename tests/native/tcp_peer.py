#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Linux's side of dataplane_tcp.t: connections to a server that echoes, one function for
# each case. Exit status 0: as it should be.
#
#	tcp_peer.py CASE ADDRESS [CONTROL-SOCKET MOVES | PID-OF-BAD-WIRE]
import errno
import hashlib
import os
import random
import selectors
import signal
import socket
import struct
import sys
import time

sys.dont_write_bytecode = True
from mover import Mover

LIMIT_S = 60
address = (sys.argv[2], 7)


def connect(**options):
    s = socket.socket()
    s.settimeout(LIMIT_S)
    if "rcvbuf" in options:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, options["rcvbuf"])
    s.connect(address)
    return s


def receive(s, n):
    data = b""
    while len(data) < n:
        part = s.recv(n - len(data))
        assert part, f"the connection ended after {len(data)} of {n} bytes"
        data += part
    return data


def echoes(s, data):
    s.sendall(data)
    assert receive(s, len(data)) == data, "other bytes came back"


def ends(s):
    """The peer's FIN, and nothing else."""
    assert s.recv(1) == b"", "bytes that nobody sent"


class Stream:
    """As many bytes there and back as the socket takes; sums of both ways."""

    def __init__(self, bytes_each, seed):
        self.s = connect()
        self.s.setblocking(False)
        self.random = random.Random(seed)
        self.left = self.due = bytes_each
        self.sent, self.got = hashlib.sha256(), hashlib.sha256()
        self.part = b""

    def send(self):
        if not self.part:
            self.part = self.random.randbytes(min(self.left, 20000))
        n = self.s.send(self.part)
        self.sent.update(self.part[:n])
        self.part = self.part[n:]
        self.left -= n
        if not self.left:
            self.s.shutdown(socket.SHUT_WR)

    def receive(self):
        data = self.s.recv(65536)
        self.got.update(data)
        self.due -= len(data)
        return bool(data)


def pump(streams, goes_on=lambda: False):
    """Until all streams have ended, each by the peer's FIN."""
    sel = selectors.DefaultSelector()
    for t in streams:
        sel.register(t.s, selectors.EVENT_READ | selectors.EVENT_WRITE, t)
    while sel.get_map():
        events = sel.select(LIMIT_S)
        assert events, "nothing moves any more"
        for key, mask in events:
            t = key.data
            if mask & selectors.EVENT_WRITE and t.left:
                if t.left < 200000 and goes_on():
                    t.left += 200000
                    t.due += 200000
                t.send()
            if not t.left:
                sel.modify(t.s, selectors.EVENT_READ, t)
            if mask & selectors.EVENT_READ and not t.receive():
                sel.unregister(t.s)
    for t in streams:
        assert t.due == 0, f"{t.due} bytes are missing"
        assert t.sent.digest() == t.got.digest(), "other bytes came back"
        t.s.close()


def small():
    s = connect()
    for n in 1, 2, 64, 1459, 1460, 1461, 20000:
        echoes(s, os.urandom(n))


def bulk():
    pump([Stream(4000000, 1)])


def many():
    pump([Stream(50000, i) for i in range(100)])


def half_close():
    s = connect()
    s.sendall(b"a" * 5000)
    s.shutdown(socket.SHUT_WR)
    assert receive(s, 5000) == b"a" * 5000
    ends(s)


def reset():
    """Resets, at a time when all is quiet and in the midst of data; others go on."""
    other = connect()
    for busy in False, True:
        s = connect()
        echoes(s, b"b" * 100)
        if busy:
            s.sendall(b"b" * 30000)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
        echoes(other, b"c" * 100)


def zero_window():
    """Nothing is read until both sides' buffers are full, then all of it."""
    s = connect(rcvbuf=4096)
    s.setblocking(False)
    data = random.Random(3).randbytes(1000000)
    sent, since = 0, time.monotonic()
    while time.monotonic() - since < 3 and sent < len(data):
        try:
            n = s.send(data[sent:sent + 10000])
            sent += n
            since = time.monotonic()
        except BlockingIOError:
            time.sleep(0.01)
    s.settimeout(LIMIT_S)
    assert receive(s, sent) == data[:sent]
    echoes(s, b"d" * 1000)


def since_last_ack_s(s):
    """struct tcp_info: tcpi_last_ack_recv is the 13th word behind 8 bytes."""
    info = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    return struct.unpack_from("I", info, 8 + 4 * 12)[0] / 1000


def keep_alive(idle_s, probes):
    s = connect()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", idle_s), ("TCP_KEEPINTVL", 1), ("TCP_KEEPCNT", probes)):
        s.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    echoes(s, b"e" * 100)
    return s


def keepalive():
    """Probes of a connection at rest are answered, three times."""
    s = keep_alive(1, 20)
    for _ in range(3):
        for at_rest in True, False:
            end = time.monotonic() + LIMIT_S
            while (since_last_ack_s(s) > 0.7) != at_rest:
                assert time.monotonic() < end, "no probe was answered"
                time.sleep(0.05)
    echoes(s, b"f" * 100)


def cut():
    """The wire is cut, by SIGUSR1 to the process that is named: TCP finds out."""
    s = keep_alive(1, 3)
    os.kill(int(sys.argv[3]), signal.SIGUSR1)
    try:
        assert not s.recv(1), "bytes that nobody sent"
        raise AssertionError("an end that nobody sent")
    except TimeoutError as e:
        assert e.errno == errno.ETIMEDOUT, "the connection lives, and nobody is there"
    finally:
        os.kill(int(sys.argv[3]), signal.SIGUSR1)
    echoes(connect(), b"g" * 100)


def refused():
    s = socket.socket()
    s.settimeout(LIMIT_S)
    try:
        s.connect((address[0], 8))
    except ConnectionRefusedError:
        return
    raise AssertionError("nobody listens there, and somebody answers")


def moving():
    """Streams that last until all moves are done."""
    mover = Mover(sys.argv[3], int(sys.argv[4]))
    mover.start()
    try:
        pump([Stream(300000, i) for i in range(32)], mover.is_alive)
    finally:
        mover.join()
    assert not mover.error, mover.error


def move():
    """Moves alone, for whoever has traffic of its own."""
    Mover(sys.argv[3], int(sys.argv[4])).move()


globals()[sys.argv[1]]()
