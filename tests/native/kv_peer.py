#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# A client of kv.t: talks to a server of memcached's protocols, one function for each case.
# Exit status 0: as it should be.
#
#	kv_peer.py CASE ADDRESS [CONTROL-SOCKET MOVES]
import errno
import random
import socket
import struct
import sys
import threading
import time

sys.dont_write_bytecode = True
from mover import Mover

LIMIT_S = 120
LARGE = 1 << 20
address = (sys.argv[2], 11211)


class Client:
    def __init__(self, **options):
        self.s = socket.socket()
        self.s.settimeout(LIMIT_S)
        if "rcvbuf" in options:
            self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, options["rcvbuf"])
        self.s.connect(address)
        self.lines = self.s.makefile("rb")

    def say(self, data):
        self.s.sendall(data)

    def line(self):
        got = self.lines.readline()
        assert got.endswith(b"\r\n"), f"the connection ended: {got!r}"
        return got[:-2]

    def hears(self, what):
        got = self.line()
        assert got == what, f"{got!r}, and not {what!r}"

    def set(self, key, value):
        self.say(b"set %s 0 0 %d\r\n%s\r\n" % (key, len(value), value))
        return self.line()

    def get_rest(self, key):
        """What follows a get of one key; None: it is not there."""
        head = self.line().split()
        if head == [b"END"]:
            return None
        assert head[:3] == [b"VALUE", key, b"0"], head
        value = self.lines.read(int(head[3]))
        self.hears(b"")
        self.hears(b"END")
        return value

    def get(self, key):
        self.say(b"get %s\r\n" % key)
        return self.get_rest(key)


def value_of(key, version, size):
    return random.Random(b"%s:%d" % (key, version)).randbytes(size)


def values():
    """All sizes about those of segments, and as large as it may be, byte by byte the same."""
    c = Client()
    for i, n in enumerate((0, 1, 2, 1023, 1024, 1440, 1459, 1460, 1461, 2920, 64240, 65536, LARGE)):
        key, value = b"size%d" % n, value_of(b"size", i, n)
        assert c.set(key, value) == b"STORED"
        assert c.get(key) == value, f"another value of {n} bytes"
    assert c.set(b"large", b"x" * (LARGE + 1)).startswith(b"SERVER_ERROR object too large")
    assert c.get(b"large") is None


def binary_values():
    """The same by the binary protocol, pipelined and quiet, with a noop at the end."""
    s = Client().s
    sizes = 0, 1, 1460, 100000, LARGE
    for i, n in enumerate(sizes):
        key, value = b"b%d" % i, value_of(b"b", i, n)
        s.sendall(struct.pack(">BBHBBHIIQII", 0x80, 0x11, len(key), 8, 0, 0, 8 + len(key) + n,
                              i, 0, i, 0) + key + value)
        s.sendall(struct.pack(">BBHBBHIIQ", 0x80, 0x09, len(key), 0, 0, 0, len(key), i, 0) + key)
    s.sendall(struct.pack(">BBHBBHIIQ", 0x80, 0x0a, 0, 0, 0, 0, 0, 99, 0))
    answers = s.makefile("rb")
    for i, n in enumerate(sizes):
        head = struct.unpack(">BBHBBHIIQI", answers.read(28))
        assert head[:3] == (0x81, 0x09, 0) and head[5:8] == (0, 4 + n, i) and head[9] == i, head
        assert answers.read(n) == value_of(b"b", i, n), f"another value of {n} bytes"
    head = struct.unpack(">BBHBBHIIQ", answers.read(24))
    assert (head[1], head[5], head[7]) == (0x0a, 0, 99), head


def pipelined():
    """10 000 requests before the first answer is read."""
    c = Client()
    assert c.set(b"p", b"some value") == b"STORED"
    ask = threading.Thread(target=c.say, args=(b"get p\r\n" * 10000,))
    ask.start()
    for _ in range(10000):
        assert c.get_rest(b"p") == b"some value"
    ask.join()


def connect_soon(s):
    """As soon as Linux has the last acknowledgement of the connection before."""
    end = time.monotonic() + LIMIT_S
    while (error := s.connect_ex(address)) == errno.EADDRNOTAVAIL:
        assert time.monotonic() < end, "the connection before does not end"
        time.sleep(0.001)
    assert not error, errno.errorcode[error]


def same_port():
    """Again and again from one port, though the server was the first to close, and remembers."""
    for _ in range(10):
        s = socket.socket()
        s.settimeout(LIMIT_S)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("", 20000))
        connect_soon(s)
        s.sendall(b"quit\r\n")
        assert s.recv(1) == b"", "bytes that nobody asked for"
        s.close()


def slow_reader():
    """Who does not read is held up, while others go on; then everything comes, and is right."""
    slow, other = Client(rcvbuf=4096), Client()
    value = value_of(b"slow", 0, LARGE)
    assert slow.set(b"slow", value) == b"STORED"
    slow.say(b"get slow\r\n" * 8)
    # The first answer is on its way.
    slow.hears(b"VALUE slow 0 %d" % LARGE)
    for i in range(100):
        assert other.set(b"o", b"%d" % i) == b"STORED"
        assert other.get(b"o") == b"%d" % i
    assert other.set(b"slow", b"new") == b"STORED"
    # That is of what there was; the last one cannot have been looked for yet.
    assert slow.lines.read(LARGE) == value
    slow.hears(b"")
    slow.hears(b"END")
    seen = [slow.get_rest(b"slow") for _ in range(7)]
    assert all(v in (value, b"new") for v in seen) and seen[-1] == b"new"


def many():
    """1000 connections, each with a value of its own."""
    clients = [Client() for _ in range(1000)]
    for i, c in enumerate(clients):
        c.say(b"set m%d 0 0 4\r\n%04d\r\nget m%d\r\n" % (i, i, i))
    for i, c in enumerate(clients):
        c.hears(b"STORED")
        assert c.get_rest(b"m%d" % i) == b"%04d" % i


def out_of_memory():
    """Values that never end take all memory; others hear of it, and nothing dies."""
    c = Client()
    held, tries = [], 0
    for i in range(64):
        h = Client()
        # With an answer behind it: the begun value was seen.
        h.say(b"version\r\nset held%d 0 0 %d\r\nx" % (i, LARGE - 4096))
        assert h.line().startswith(b"VERSION")
        held.append(h)
    while (answer := c.set(b"more%d" % tries, b"y" * LARGE)) == b"STORED":
        tries += 1
        assert tries < 100, "there is memory without end"
    assert answer == b"SERVER_ERROR out of memory storing object", answer
    for h in held:
        h.lines.close()
        h.s.close()
    end = time.monotonic() + LIMIT_S
    while c.set(b"again", b"z" * LARGE) != b"STORED":
        assert time.monotonic() < end, "memory does not come back"
        time.sleep(0.05)
    assert c.get(b"again") == b"z" * LARGE


def evicts():
    """Four times what there is room for: the last ones are there, and memory stays bounded."""
    c = Client()
    for i in range(640):
        assert c.set(b"e%d" % i, value_of(b"e", i, 100000)) == b"STORED"
    assert c.get(b"e639") == value_of(b"e", 639, 100000)
    c.say(b"stats\r\n")
    stats = {}
    while (line := c.line()) != b"END":
        _, name, v = line.split()
        stats[name] = v
    assert int(stats[b"evictions"]) > 400 and int(stats[b"bytes"]) <= int(stats[b"limit_maxbytes"])


def moving():
    """Connections whose values change while their flow groups move."""
    mover = Mover(sys.argv[3], int(sys.argv[4]))
    clients = [Client() for _ in range(32)]
    mover.start()
    version = 0
    try:
        while mover.is_alive() or not version:
            version += 1
            for i, c in enumerate(clients):
                key = b"move%d" % i
                value = value_of(key, version, 50000 if i % 8 == 0 else i)
                c.say(b"set %s 0 0 %d\r\n%s\r\nget %s\r\n" % (key, len(value), value, key))
            for i, c in enumerate(clients):
                key = b"move%d" % i
                c.hears(b"STORED")
                assert c.get_rest(key) == value_of(key, version, 50000 if i % 8 == 0 else i)
    finally:
        mover.join()
    assert not mover.error, mover.error


def only_moves():
    """For connections of somebody else."""
    Mover(sys.argv[3], int(sys.argv[4])).move()


globals()[sys.argv[1]]()
