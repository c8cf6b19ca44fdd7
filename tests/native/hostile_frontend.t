#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# A vhost-user frontend that breaks the protocol, or its guest the ring, loses
# its own connection or queue and nothing else.
import os
import random
import select
import struct
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from vhost_user import *


def u32s(*v):
    return struct.pack(f"<{len(v)}I", *v)


def u64(v):
    return struct.pack("<Q", v)


def mem(f, *regions, fds=None):
    return SET_MEM_TABLE, mem_table(regions), [f.memfd] * len(regions) if fds is None else fds


GOOD = (GPA, MEM_BYTES, QVA, 0)
CONFIG_300 = u32s(0, 300, 0) + bytes(200)

# What a client may send after a good start; each must cost it the connection.
BAD = {
    "request 0": lambda f: (0,),
    "an unknown request": lambda f: (99,),
    "a negative request": lambda f: (-1,),
    "a payload that is too short": lambda f: (SET_FEATURES, u32s(1)),
    "a payload that is too long": lambda f: (GET_QUEUE_NUM, bytes(16)),
    "features that were not offered": lambda f: (SET_FEATURES, u64(1 << 26 | 1 << 32)),
    "protocol features not offered": lambda f: (SET_PROTOCOL_FEATURES, u64(1 << 12)),
    "a legacy driver": lambda f: (SET_FEATURES, u64(F_PROTOCOL)),
    "NUM of a queue that is not there": lambda f: (SET_VRING_NUM, u32s(200, 16)),
    "NUM 0": lambda f: (SET_VRING_NUM, u32s(0, 0)),
    "NUM that is no power of two": lambda f: (SET_VRING_NUM, u32s(0, 24)),
    "NUM 65536": lambda f: (SET_VRING_NUM, u32s(0, 65536)),
    "BASE of a queue that is not there": lambda f: (SET_VRING_BASE, u32s(4, 0)),
    "BASE over 16 bits": lambda f: (SET_VRING_BASE, u32s(0, 65536)),
    "GET_BASE of queue 2^31": lambda f: (GET_VRING_BASE, u32s(1 << 31, 0)),
    "ENABLE of a queue that is not there": lambda f: (SET_VRING_ENABLE, u32s(4, 1)),
    "ADDR of a queue that is not there": lambda f: (SET_VRING_ADDR, vring_addr(9, 0)),
    "ADDR before NUM": lambda f: (SET_VRING_ADDR, vring_addr(1, 0)),
    "ADDR outside memory": lambda f: (SET_VRING_ADDR, vring_addr(0, MEM_BYTES)),
    "ADDR across memory's end": lambda f: (SET_VRING_ADDR, vring_addr(0, MEM_BYTES - 0x808)),
    "ADDR that is not aligned": lambda f: (SET_VRING_ADDR, vring_addr(0, 2)),
    "ADDR null": lambda f: (SET_VRING_ADDR, vring_addr(0, 0, desc=0)),
    "KICK without its descriptor": lambda f: (SET_VRING_KICK, u64(0)),
    "KICK on a memory file": lambda f: (SET_VRING_KICK, u64(0), [f.memfd]),
    "CALL on a memory file": lambda f: (SET_VRING_CALL, u64(0), [f.memfd]),
    "KICK of a queue that is not there": lambda f: (SET_VRING_KICK, u64(255), [f.eventfd()]),
    "a descriptor where none belongs": lambda f: (GET_FEATURES, b"", [f.memfd]),
    "more than 8 descriptors": lambda f: (GET_FEATURES, b"", [f.memfd] * 9),
    "nine regions": lambda f: (SET_MEM_TABLE, u32s(9, 0) + bytes(256), [f.memfd] * 8),
    "2^32 - 1 regions": lambda f: (SET_MEM_TABLE, u32s(0xffffffff, 0) + bytes(32), [f.memfd]),
    "fewer descriptors than regions": lambda f: mem(f, GOOD, GOOD, fds=[f.memfd]),
    "a region beyond its file": lambda f: mem(f, (GPA, 2 * MEM_BYTES, QVA, 0)),
    "a region at an offset beyond it": lambda f: mem(f, (GPA, MEM_BYTES, QVA, 4096)),
    "a region whose end overflows": lambda f: mem(f, (GPA, 4096, QVA, (1 << 64) - 4096)),
    "a region of no bytes": lambda f: mem(f, (GPA, 0, QVA, 0)),
    "a region that wraps round": lambda f: mem(f, ((1 << 64) - 4096, 8192, QVA, 0)),
    "a region of an eventfd": lambda f: mem(f, GOOD, fds=[f.kick]),
    "a table without the running ring": lambda f: mem(f, (GPA, MEM_BYTES, QVA + (1 << 40), 0)),
    "ADD_MEM_REG without descriptor": lambda f: (ADD_MEM_REG, u64(0) + struct.pack("<4Q", *GOOD)),
    "REM_MEM_REG of another region": lambda f: (REM_MEM_REG, u64(0) + struct.pack("<4Q", 1, 2, 3, 4)),
    "configuration of 300 bytes": lambda f: (GET_CONFIG, CONFIG_300),
    "configuration beyond the message": lambda f: (GET_CONFIG, u32s(0, 256, 0)),
    "configuration at an offset": lambda f: (GET_CONFIG, u32s(4, 4, 0) + bytes(4)),
    "logging": lambda f: (SET_LOG_BASE, bytes(16), [f.memfd]),
    "inflight buffers": lambda f: (SET_INFLIGHT_FD, bytes(20), [f.memfd]),
    "postcopy": lambda f: (28,),
}


def bad_message(make):
    def test(d):
        f = d.frontend()
        f.start()
        before = d.log().count("connection closed")
        f.send(*make(f))
        assert f.wait_closed()
        f.close()
        wait_for(lambda: d.log().count("connection closed") == before + 1, "the log line")
    return test


def raw(data):
    """Cut short by the client's end; the daemon must not wait for more."""
    def test(d):
        f = d.frontend()
        f.send_raw(data)
        d.ask("hello")          # while the message is incomplete
        f.close()
    return test


def wrong_flags(d):
    for flags in (0, 2, 1 | 4):
        f = d.frontend()
        f.send(GET_FEATURES, flags=flags)
        assert f.wait_closed()
        f.close()


def too_large(d):
    f = d.frontend()
    f.send(SET_FEATURES, size=0xffffffff)
    assert f.wait_closed()
    f.close()


def second_client(d):
    f = d.frontend()
    f.start()
    g = Frontend(d.path)
    assert g.wait_closed()
    f.send_item(flags=ITEM_FIRST)
    wait_for(lambda: f.used_idx() == 1, "the first client's item")
    f.close()


def unread_replies(d):
    f = d.frontend()
    try:
        for _ in range(100000):
            f.send(GET_FEATURES)
    except Closed:
        f.close()
        return True
    return False


def truncated_memory(d):
    f = d.frontend()
    f.start()
    f.mem.close()
    os.ftruncate(f.memfd, 0)
    os.eventfd_write(f.kick, 1)
    assert f.wait_closed()
    f.close()


def mappings(d, name):
    with open(f"/proc/{d.proc.pid}/maps") as f:
        return f.read().count(f"/memfd:{name} ")


def no_whole_huge_pages(d):
    """What is refused is not kept: it would pin pages, and use mappings up."""
    try:
        fd = os.memfd_create("huge", os.MFD_HUGETLB)
    except OSError:
        return      # not in this kernel
    os.ftruncate(fd, 2 << 20)
    for _ in range(4):
        f = d.frontend()
        f.start()
        f.send(*mem(f, (GPA, 4096, QVA, 0), fds=[fd]))
        assert f.wait_closed()
        f.close()
    os.close(fd)
    wait_for(lambda: not d.connected(), "the device to be free")
    assert "no whole huge pages" in d.log()
    assert mappings(d, "huge") == 0, f"{mappings(d, 'huge')} mappings stay"


def full_eventfd(d):
    """The queue's thread waits in a write to it; yet it can be stopped."""
    f = d.frontend()
    f.negotiate()
    f.share_memory()
    f.start_queue(call=f.eventfd((1 << 64) - 2, 0))
    d.ask("set", device="pc0", queue=0, burst=2)
    base = struct.unpack("<II", f.ask(GET_VRING_BASE, u32s(0, 0)))
    assert base == (0, 0), base
    f.close()


# What a guest may do to a ring; the reason must tell.
BROKEN = {
    "an available index that jumps": ("index", lambda f: f.set_avail(1000)),
    "a buffer outside memory":
        ("outside", lambda f: f.send_item(desc=(GPA + MEM_BYTES, 64, 0, 0))),
    "a descriptor that points at itself":
        ("loops", lambda f: f.send_item(desc=(GPA + DATA, 64, 1, 0))),
    "an item shorter than its head":
        ("head", lambda f: f.send_item(desc=(GPA + DATA, 8, 0, 0))),
    "an item that claims to be longer": ("size", lambda f: f.send_item(item_bytes=65)),
    "unknown flags": ("flags", lambda f: f.send_item(flags=1 << 31)),
}


def broken_ring(word, misdeed):
    def test(d):
        f = d.frontend()
        f.start(queues=(2, 0))
        misdeed(f)
        wait_for(lambda: d.queue(0)["broken"], "the ring to be given up")
        assert word in d.queue(0)["broken"], d.queue(0)
        # The same client's other queue lives on, and so does the connection.
        assert d.queue(2)["broken"] is None and d.queue(2)["ready"]
        # Stopped and started again, the queue is as good as new.
        f.ask(GET_VRING_BASE, u32s(0, 0))
        f.put("<H", AVAIL + 2, 0)
        f.put("<H", USED + 2, 0)
        f.start_queue(0)
        f.send_item(flags=ITEM_FIRST)
        wait_for(lambda: f.used_idx() == 1, "an item after the restart")
        assert d.queue(0)["broken"] is None
        f.close()
    return test


def mutate(rng, data):
    data = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        data[rng.randrange(len(data))] = rng.choice((0, 1, 0xff, 0x7f, rng.randrange(256)))
    return bytes(data)


def mutations(d):
    """Good set-ups with one message out of each changed, 300 times."""
    rng = random.Random(20261125)
    for _ in range(300):
        f = d.frontend()
        victim, count = rng.randrange(16), [0]
        plain = f.send_raw

        def send_raw(data, fds=(), f=f, plain=plain, count=count, victim=victim):
            count[0] += 1
            plain(mutate(rng, data) if count[0] == victim else data, fds)
            if count[0] >= victim:
                f.sock.settimeout(0.02)     # a reply may never come now

        f.send_raw = send_raw
        try:
            f.start()
            f.send_item(flags=ITEM_FIRST)
        except (Closed, TimeoutError, AssertionError, struct.error):
            pass
        f.close()


TABLE, REPLY = DATA + 0x10000, DATA + 0x20000
NEXT, WRITE, INDIRECT = 1, 2, 4


def desc(at, size, flags=0, following=0):
    return struct.pack("<QIHH", GPA + at, size, flags, following)


# Good items: head and payload, descriptors of the ring, an indirect table.
HEAD = struct.pack("<QQII", 7, 0, ITEM_FIRST, 64) + bytes(24)
CLOCK = struct.pack("<QQII", 7, 0, 2, 48) + struct.pack("<QQQ", 5, 9, 2000000000)
PIECES = desc(DATA, 24, NEXT, 1) + desc(DATA + 24, 20, NEXT, 2) + desc(DATA + 44, 20)
EXCHANGE = desc(DATA, 48, NEXT, 1) + desc(REPLY, 24, WRITE)
SHAPES = {
    "head": (0, HEAD, desc(DATA, 64), b""),
    "pieces": (0, HEAD, PIECES, b""),
    "clock": (0, CLOCK, EXCHANGE, b""),
    "table": (0, HEAD, desc(TABLE, 48, INDIRECT), PIECES),
    "clock table": (0, CLOCK, desc(TABLE, 32, INDIRECT), EXCHANGE),
    "rev": (1, b"", desc(REPLY, 20, WRITE | NEXT, 1) + desc(REPLY + 20, 44, WRITE), b""),
}
MUTATIONS = 2400


class Victim:
    """A queue that is started anew each time its ring was given up."""

    def __init__(self, f, index):
        self.f, self.index, self.err, self.fresh = f, index, f.eventfd(), False

    def renew(self):
        f, at = self.f, self.index * RING_STRIDE
        f.ask(GET_VRING_BASE, u32s(self.index, 0))
        f.mem[at:at + RING_STRIDE] = bytes(RING_STRIDE)
        self.drain()
        f.send(SET_VRING_ERR, u64(self.index), [self.err])
        f.start_queue(self.index)
        self.kick, self.call, self.fresh = f.kick, f.call, True

    def retire(self):
        for fd in (self.kick, self.call):
            self.f.fds.remove(fd)
            os.close(fd)
        self.fresh = False

    def drain(self):
        try:
            os.eventfd_read(self.err)
        except BlockingIOError:
            pass

    def offer(self, data, ring, table):
        """Makes one chain available; "used", "broken" or, in time, neither."""
        f, at, n = self.f, self.index * RING_STRIDE, self.f.sent[self.index]
        f.mem[DATA:DATA + len(data)] = data
        f.mem[TABLE:TABLE + len(table)] = table
        f.mem[at + DESC:at + DESC + len(ring)] = ring
        f.put("<H", at + AVAIL + 4 + 2 * (n % SLOTS), 0)
        f.put("<H", at + AVAIL + 2, (n + 1) & 0xffff)
        f.sent[self.index] = n + 1
        os.eventfd_write(self.kick, 1)
        end = time.monotonic() + 0.2
        while time.monotonic() < end:
            if select.select([self.err], [], [], 0)[0]:
                return "broken"
            if f.used_idx(self.index) == (n + 1) & 0xffff:
                return "used"
            time.sleep(0.00005)
        return "neither"


def bystander(d):
    f = Frontend(d.other_path)
    f.start()
    f.send_item(flags=ITEM_FIRST)
    return f


def mutated_items(d):
    """Heads, clock exchanges, descriptors: each is used, or breaks its own ring."""
    rng = random.Random(20261126)
    other, f = bystander(d), d.frontend()
    f.negotiate(F_EVENT_IDX | F_VERSION_1 | F_PROTOCOL | 1 << 28)
    f.share_memory()
    victims = [Victim(f, 0), Victim(f, 1)]
    count = {"used": 0, "broken": 0, "neither": 0}
    for i in range(MUTATIONS):
        index, *parts = SHAPES[rng.choice(list(SHAPES))]
        part = rng.choice([n for n in range(3) if parts[n]])
        parts[part] = mutate(rng, parts[part])
        v = victims[index]
        if not v.fresh:
            v.renew()
        if index and not d.queue(1)["producing"]:
            d.ask("start", device="pc0", queue=1)
        result = v.offer(*parts)
        count[result] += 1
        if result != "used":
            v.retire()
        if i % 100 == 0:
            wait_for(lambda: other.used_idx() == other.sent[0], "the other device")
            other.send_item()
    wait_for(lambda: other.used_idx() == other.sent[0], "the other device")
    f.close()
    other.close()
    print(f"# {MUTATIONS} items: {count}")
    assert count["used"] > 300 and count["broken"] > 300 and count["neither"] < 50, count


def main():
    exit_on_sigterm()
    tap = Tap()
    for build, program in programs(tap):
        d = Daemon(program)
        tests = [(name, bad_message(make)) for name, make in BAD.items()]
        tests += [("half a header", raw(u32s(1))), ("half a payload", raw(u32s(2, 1, 8, 0))),
                  ("noise", raw(random.Random(1).randbytes(4096))),
                  ("wrong flags", wrong_flags), ("a length of 4 GiB", too_large),
                  ("a second client", second_client), ("replies never read", unread_replies),
                  ("guest memory truncated", truncated_memory),
                  ("guest memory of no whole huge pages", no_whole_huge_pages),
                  ("an eventfd that is full", full_eventfd)]
        tests += [(name, broken_ring(*v)) for name, v in BROKEN.items()]
        tests += [("mutated set-ups", mutations), ("mutated items", mutated_items)]
        for name, test in tests:
            tap.run(f"{build}: {name}", test, d)
        tap.run(f"{build}: and still it serves", Daemon.serves, d)
        tap.check(d.stop() == 0, f"{build}: exit status 0", d.log()[-4000:])
        d.remove()
    return tap.end()


sys.exit(main())
