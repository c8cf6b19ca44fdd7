#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# A vhost-user frontend at a virtio-net port: dirty logging, device status and
# reset, and what is no good of them costs its connection and nothing else.
import mmap
import os
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from vhost_user import *

RESET_DEVICE, SET_STATUS, GET_STATUS, SEND_RARP = 34, 39, 40, 19
F_LOG_ALL, LOG_SHMFD, P_RESET_DEVICE, P_STATUS = 1 << 26, 1 << 1, 1 << 13, 1 << 16
FEATURES = F_EVENT_IDX | F_VERSION_1 | F_PROTOCOL
PAGE = 4096
LOG_BYTES = (GPA + MEM_BYTES) // PAGE // 8
# Where the log has the used ring, behind all memory.
USED_LOG = GPA + MEM_BYTES
RX, TX = 0, 1
NEED_REPLY = 8
VRING_NEXT, VRING_WRITE, VRING_INDIRECT, VRING_LOG = 1, 2, 4, 1
F_INDIRECT = 1 << 28


def u64(*v):
    return struct.pack(f"<{len(v)}Q", *v)


class Ports(Daemon):
    """A ringpaced with linked ports a and b; .frontend() is at b."""

    def serve(self, pairs):
        return ["--port", f"b,socket={self.path}", "--port", f"a,socket={self.other_path}",
                "--link", "a,b"]

    def connected(self):
        return self.ask("list")["ports"][0]["connected"]


class Switched(Ports):
    def serve(self, pairs):
        return super().serve(pairs)[:4] + ["--switch", "s,ports=a+b"]


class Guest(Frontend):
    """One pair of queues, at most SLOTS frames."""

    def begin(self, log=False):
        self.negotiate(FEATURES | (F_LOG_ALL if log else 0))
        self.share_memory()

    def post(self, bytes=2048, gpa=None):
        n = self.sent[RX]
        at = DATA + n % SLOTS * PAGE
        self.put("<QIHH", DESC + 16 * (n % SLOTS), GPA + at if gpa is None else gpa, bytes,
                 VRING_WRITE, 0)
        self.put("<H", AVAIL + 4 + 2 * (n % SLOTS), n % SLOTS)
        self.sent[RX] = n + 1
        self.set_avail(n + 1, RX)
        return at

    def transmit(self, frame, gpa=None):
        """The frame, out of memory of its own; with @gpa it is there already."""
        n = self.sent[TX]
        at = DATA + n % SLOTS * PAGE
        if gpa is None:
            self.mem[at:at + 12 + len(frame)] = bytes(12) + frame
        self.put("<QIHH", TX * RING_STRIDE + DESC + 16 * (n % SLOTS),
                 GPA + at if gpa is None else gpa, 12 + len(frame), 0, 0)
        self.put("<H", TX * RING_STRIDE + AVAIL + 4 + 2 * (n % SLOTS), n % SLOTS)
        self.sent[TX] = n + 1
        self.set_avail(n + 1, TX)

    # ---- Memory that comes and goes ----

    def add_memory(self, slot):
        """As for a memory device that is plugged in: where it is, and its file."""
        gpa, fd = GPA + (slot + 1 << 30), os.memfd_create("dimm")
        os.ftruncate(fd, MEM_BYTES)
        self.fds.append(fd)
        self.send(ADD_MEM_REG, u64(0, gpa, MEM_BYTES, QVA + (slot + 1 << 30), 0), [fd])
        self.settled()
        return gpa, fd

    def remove_memory(self, slot):
        self.send(REM_MEM_REG, u64(0, GPA + (slot + 1 << 30), MEM_BYTES, QVA + (slot + 1 << 30), 0))
        self.settled()

    # ---- Its log ----

    def share_log(self, size=LOG_BYTES + 8, flags=1):
        self.logfd = os.memfd_create("log")
        self.fds.append(self.logfd)
        os.ftruncate(self.logfd, size)
        self.log = mmap.mmap(self.logfd, size)
        assert len(self.ask(SET_LOG_BASE, u64(size, 0), [self.logfd], flags)) == 8

    def marked(self):
        return {8 * i + b for i, byte in enumerate(self.log[:]) for b in range(8) if byte >> b & 1}

    def log_addr(self, index, log):
        at = index * RING_STRIDE
        self.send(SET_VRING_ADDR, struct.pack("<IIQQQQ", index, VRING_LOG if log else 0,
                                              QVA + at + DESC, QVA + at + USED, QVA + at + AVAIL,
                                              USED_LOG))

    def settled(self):
        self.ask_u64(GET_QUEUE_NUM)


def sender(d):
    g = Guest(d.other_path)
    g.begin()
    g.start_queue(RX)
    g.start_queue(TX)
    return g


def receiver(d, log=False):
    wait_for(lambda: not d.connected(), "the port to be free")
    g = Guest(d.path)
    g.begin(log)
    return g


FRAME = bytes.fromhex("52540000000252540000000188b5") + bytes(range(200))


def arrives(a, b):
    """A frame from a to b; where it is."""
    n, at = b.used_idx(RX), b.post()
    b.mem[at:at + 2048] = bytes(2048)
    a.transmit(FRAME)
    wait_for(lambda: b.used_idx(RX) == (n + 1) & 0xffff, "the frame")
    assert b.mem[at + 12:at + 12 + len(FRAME)] == FRAME, "the frame is not whole"
    return at


def logged(d):
    a, b = sender(d), receiver(d)
    b.start_queue(RX)
    arrives(a, b)
    # As QEMU does it, while frames come: the log, features, rings.
    b.share_log()
    assert not b.marked(), "marked although nobody asked"
    arrives(a, b)
    assert not b.marked(), "marked although nobody asked"
    b.send(SET_FEATURES, u64(FEATURES | F_LOG_ALL))
    b.log_addr(RX, True)
    b.settled()
    for _ in range(5):
        os.pwrite(b.logfd, bytes(len(b.log)), 0)
        at = arrives(a, b)
        wait_for(lambda: b.marked() == {(GPA + at) // PAGE, USED_LOG // PAGE},
                 "the pages of data and used ring")
    # The last marks come before the ring's base does.
    os.pwrite(b.logfd, bytes(len(b.log)), 0)
    at = arrives(a, b)
    b.ask(GET_VRING_BASE, struct.pack("<II", RX, 0))
    assert b.marked() == {(GPA + at) // PAGE, USED_LOG // PAGE}
    a.close()
    b.close()


def not_logged_any_more(d):
    a, b = sender(d), receiver(d, log=True)
    b.share_log()
    b.start_queue(RX)
    arrives(a, b)
    b.send(SET_FEATURES, u64(FEATURES))
    b.settled()
    os.pwrite(b.logfd, bytes(len(b.log)), 0)
    arrives(a, b)
    b.ask(GET_VRING_BASE, struct.pack("<II", RX, 0))
    assert not b.marked()
    a.close()
    b.close()


def data_only(d):
    """A ring without VHOST_VRING_F_LOG."""
    a, b = sender(d), receiver(d, log=True)
    b.share_log()
    b.start_queue(RX)
    at = arrives(a, b)
    b.ask(GET_VRING_BASE, struct.pack("<II", RX, 0))
    assert b.marked() == {(GPA + at) // PAGE}
    a.close()
    b.close()


def waits_for_its_log(d):
    """A queue whose writes could not be logged does not run; then it does."""
    a, b = sender(d), receiver(d, log=True)
    b.start_queue(RX)
    b.post()
    for size in None, 8, LOG_BYTES - 1, LOG_BYTES:
        if size:
            b.share_log(size)
            b.settled()
        ready = d.ask("list")["ports"][0]["queues"][RX]["ready"]
        assert ready == (size == LOG_BYTES), f"a log of {size} bytes: ready is {ready}"
    b.log_addr(RX, True)
    b.settled()
    assert not d.ask("list")["ports"][0]["queues"][RX]["ready"], "the used ring has no bits"
    b.share_log()
    b.settled()
    b.sent[RX] = 0
    arrives(a, b)
    a.close()
    b.close()


def truncated_log(d):
    a, b = sender(d), receiver(d, log=True)
    b.share_log(1 << 20)
    b.start_queue(RX)
    arrives(a, b)
    os.ftruncate(b.logfd, 0)
    b.post()
    a.transmit(FRAME)
    assert b.wait_closed()
    wait_for(lambda: "truncated its dirty log" in d.log(), "the reason in the log")
    b.close()
    b = receiver(d)
    b.start_queue(RX)
    arrives(a, b)
    a.close()
    b.close()


def huge_log(d):
    """Each mark would be a fault where no huge page is free: refused, and nobody else suffers."""
    try:
        fd = os.memfd_create("log", os.MFD_HUGETLB)
    except OSError:
        return      # not in this kernel
    a, b = sender(d), receiver(d, log=True)
    b.fds.append(fd)
    os.ftruncate(fd, 2 << 20)
    b.start_queue(RX)
    b.post()
    b.send(SET_LOG_BASE, u64(LOG_BYTES + 8, 0), [fd])
    a.transmit(FRAME)
    assert b.wait_closed()
    wait_for(lambda: "a dirty log in huge pages" in d.log(), "the reason in the log")
    b.close()
    b = receiver(d)
    b.start_queue(RX)
    arrives(a, b)
    a.close()
    b.close()


def many_logs(d):
    """The last one is mapped, and those before are not; without a client none is."""
    def mapped():
        with open(f"/proc/{d.proc.pid}/maps") as f:
            return f.read().count("/memfd:log ")
    b = receiver(d, log=True)
    for _ in range(20):
        b.share_log()
    assert mapped() == 1, f"{mapped()} logs are mapped"
    b.close()
    wait_for(lambda: not d.connected(), "the port to be free")
    assert mapped() == 0


def log_fd(d):
    b = receiver(d)
    b.send(SET_LOG_FD, b"", [b.eventfd()])
    b.send(SET_LOG_FD, b"", [b.eventfd()])
    b.settled()
    b.close()


BAD = {
    "a log without its descriptor": lambda g: (SET_LOG_BASE, u64(PAGE, 0)),
    "a log with two": lambda g: (SET_LOG_BASE, u64(PAGE, 0), [g.memfd] * 2),
    "a log of no bytes": lambda g: (SET_LOG_BASE, u64(0, 0), [g.memfd]),
    "a log beyond its file": lambda g: (SET_LOG_BASE, u64(MEM_BYTES + 1, 0), [g.memfd]),
    "a log at an offset beyond it": lambda g: (SET_LOG_BASE, u64(1, MEM_BYTES), [g.memfd]),
    "a log whose end overflows": lambda g: (SET_LOG_BASE, u64(2, (1 << 64) - 1), [g.memfd]),
    "a log of an eventfd": lambda g: (SET_LOG_BASE, u64(8, 0), [g.eventfd()]),
    "a log message that is too short": lambda g: (SET_LOG_BASE, u64(8), [g.memfd]),
    "SET_LOG_FD without descriptor": lambda g: (SET_LOG_FD, b""),
    "a status of more than a byte": lambda g: (SET_STATUS, u64(256)),
    "a status with a descriptor": lambda g: (SET_STATUS, u64(1), [g.memfd]),
    "a status that is too short": lambda g: (SET_STATUS, b"\x01\0\0\0"),
    "an announcement that is too short": lambda g: (SEND_RARP, MAC),
    "a reset that is too long": lambda g: (RESET_DEVICE, bytes(16)),
}


def bad_message(make):
    def test(d):
        b = receiver(d)
        b.start_queue(RX)
        before = d.log().count("connection closed")
        b.send(*make(b))
        assert b.wait_closed()
        b.close()
        wait_for(lambda: d.log().count("connection closed") == before + 1, "the log line")
    return test


def offered(d):
    b = receiver(d)
    wanted = LOG_SHMFD | 1 << 2 | P_RESET_DEVICE | P_STATUS
    assert b.protocol & wanted == wanted and b.offered & F_LOG_ALL
    b.close()


def status(d):
    a, b = sender(d), receiver(d)
    assert b.ask_u64(GET_STATUS) == 0
    b.start_queue(RX)
    arrives(a, b)           # a frontend need not set any
    b.send(SET_STATUS, u64(15))
    assert b.ask_u64(GET_STATUS) == 15
    arrives(a, b)
    # Reset: nothing runs, but the ring's index is still told.
    assert b.ask_u64(SET_STATUS, u64(0), flags=1 | NEED_REPLY) == 0
    b.post()
    a.transmit(FRAME)
    wait_for(lambda: a.used_idx(TX) == a.sent[TX], "the frame to be dropped")
    assert b.used_idx(RX) == 2
    assert struct.unpack("<II", b.ask(GET_VRING_BASE, struct.pack("<II", RX, 0))) == (RX, 2)
    b.send(SET_STATUS, u64(11))
    b.start_queue(RX, base=2)
    arrives(a, b)
    a.close()
    b.close()


def reset_device(d):
    a, b = sender(d), receiver(d)
    b.start_queue(RX)
    b.send(SET_STATUS, u64(15))
    for _ in range(3):
        arrives(a, b)
        b.send(RESET_DEVICE)
        assert b.ask_u64(GET_STATUS) == 0
        assert not d.ask("list")["ports"][0]["queues"][RX]["ready"]
        b.mem[0:RING_STRIDE] = bytes(RING_STRIDE)
        # No address, no size and no descriptor is left: enabling is not enough.
        b.send(SET_VRING_ENABLE, struct.pack("<II", RX, 1))
        b.settled()
        assert not d.ask("list")["ports"][0]["queues"][RX]["ready"]
        b.send(SET_FEATURES, u64(FEATURES))
        b.start_queue(RX)
    arrives(a, b)
    a.close()
    b.close()


class Limited(Ports):
    """1000 bytes a second for a; a burst of 60000."""

    def serve(self, pairs):
        args = super().serve(pairs)
        args[3] += ",rate-bps=8000,burst-bytes=60000"
        return args


def absurd_lengths(program):
    """64 descriptors of the same 12 MiB are one frame of 768 MB: dropped, and no credit."""
    def test(_):
        d = Limited(program)
        size, table = 12 << 20, DATA + 0x10000
        try:
            a = Guest(d.other_path)
            a.negotiate(FEATURES | F_INDIRECT)
            a.share_memory()
            a.memfd = os.memfd_create("large")
            a.fds.append(a.memfd)
            os.ftruncate(a.memfd, size)
            a.mem = mmap.mmap(a.memfd, size)
            a.send(SET_MEM_TABLE, mem_table([(GPA, size, QVA, 0)]), [a.memfd])
            a.start_queue(TX)
            for i in range(64):
                a.put("<QIHH", table + 16 * i, GPA, size, VRING_NEXT if i < 63 else 0, i + 1)
            a.put("<QIHH", TX * RING_STRIDE + DESC, GPA + table, 64 * 16, VRING_INDIRECT, 0)
            a.sent[TX] = 1
            a.set_avail(1, TX)
            wait_for(lambda: a.used_idx(TX) == 1, "the absurd frame to be dropped")
            for _ in range(3):
                a.transmit(FRAME)
            port = lambda: d.ask("list")["ports"][1]
            wait_for(lambda: port()["limit"]["waits"] > 0, "the sender to be held up")
            assert a.used_idx(TX) == 1, "frames went without credit"
            assert port()["queues"][TX]["broken"] is None
            a.close()
        finally:
            d.remove()
    return test


def numbered(n):
    return FRAME[:14] + struct.pack("<I", n) + FRAME[18:]


def memory_is_plugged(d):
    """While frames are on their way, each receiver's and sender's memory grows, and shrinks."""
    a, b = sender(d), receiver(d)
    b.start_queue(RX)
    assert a.ask_u64(GET_MAX_MEM_SLOTS) >= 32
    got, slots = [], 20

    def receive(where):
        """The next frame; it is to be where its buffer was."""
        n = len(got)
        wait_for(lambda: b.used_idx(RX) == n + 1, f"frame {n}")
        fd, at = where
        got.append(os.pread(fd, 12 + len(FRAME), at)[12:])

    for slot in range(slots):
        # One is waiting for a buffer while messages are dealt with.
        a.transmit(numbered(2 * slot))
        theirs, file = b.add_memory(slot)
        at = b.post()
        receive((b.memfd, at))
        ours, source = a.add_memory(slot)
        os.pwrite(source, bytes(12) + numbered(2 * slot + 1), PAGE)
        b.post(gpa=theirs + 3 * PAGE)
        a.transmit(FRAME, gpa=ours + PAGE)
        receive((file, 3 * PAGE))
    assert got == [numbered(i) for i in range(2 * slots)]
    for slot in range(slots):
        a.transmit(numbered(0))
        a.remove_memory(slot)
        b.remove_memory(slot)
        at = b.post()
        receive((b.memfd, at))
    assert got[2 * slots:] == [numbered(0)] * slots
    # What is not plugged any more is nobody's: that queue ends, with a reason.
    b.post(gpa=GPA + (1 << 30))
    a.transmit(FRAME)
    wait_for(lambda: d.ask("list")["ports"][0]["queues"][RX]["broken"], "the queue's end")
    assert not d.ask("list")["ports"][1]["queues"][TX]["broken"]
    a.close()
    b.close()


def rings_memory_goes_and_comes(d):
    """The region with the running rings in it is taken away, and brought back: on they go."""
    a, b = sender(d), receiver(d)
    b.start_queue(RX)
    base = u64(0, GPA, MEM_BYTES, QVA, 0)
    for n, guest in enumerate((b, a, b, a)):
        ready = lambda: d.ask("list")["ports"][guest is a]["queues"][guest is a]["ready"]
        assert ready()
        guest.send(REM_MEM_REG, base)
        guest.settled()
        assert not ready()
        guest.send(ADD_MEM_REG, base, [guest.memfd])
        guest.settled()
        assert ready()
        at = b.post()
        a.transmit(numbered(n))
        wait_for(lambda: b.used_idx(RX) == n + 1, f"frame {n}")
        assert os.pread(b.memfd, 12 + len(FRAME), at)[12:] == numbered(n)
    wait_for(lambda: a.used_idx(TX) == 4, "the sender's buffers")
    a.close()
    b.close()


MAC = bytes.fromhex("525400123456")


def rarp(d):
    """What a guest's frontend has announced reaches its peer, whoever it is."""
    a, b = sender(d), receiver(d)
    b.start_queue(RX)
    at = b.post()
    a.send(SEND_RARP, MAC + bytes(2))
    wait_for(lambda: b.used_idx(RX) == 1, "the announcement")
    frame = b.mem[at + 12:at + 12 + 60]
    assert frame == bytes.fromhex("ffffffffffff") + MAC + \
        bytes.fromhex("8035 0001 0800 06 04 0003") + MAC + bytes(4) + MAC + bytes(22), frame.hex()
    arrives(a, b)
    # Without a buffer it is lost, and nobody waits; without a peer as well.
    for _ in range(5):
        a.send(SEND_RARP, MAC + bytes(2))
    a.settled()
    assert b.used_idx(RX) == 2
    b.close()
    wait_for(lambda: not d.connected(), "the port to be free")
    a.send(SEND_RARP, MAC + bytes(2))
    a.settled()
    a.close()


def rarp_in_a_switch(program):
    """The switch learns where the address is now."""
    def test(_):
        d = Switched(program)
        try:
            g = Guest(d.path)
            g.begin()
            g.start_queue(RX)
            g.send(SEND_RARP, MAC + bytes(2))
            g.send(SEND_RARP, bytes(8))
            g.settled()
            macs = d.ask("macs", switch="s")["macs"]
            assert [(m["mac"], m["port"]) for m in macs] == [("52:54:00:12:34:56", "b")], macs
            g.close()
        finally:
            d.remove()
    return test


def main():
    exit_on_sigterm()
    tap = Tap()
    for name, program in programs(tap):
        d = Ports(program)
        tests = {"what is offered": offered, "pages are logged": logged,
                 "and are not any more": not_logged_any_more,
                 "a used ring that is not to be logged": data_only,
                 "a queue waits for its log": waits_for_its_log,
                 "a log that is truncated": truncated_log, "SET_LOG_FD": log_fd,
                 "a log in huge pages": huge_log, "many logs": many_logs,
                 "memory is plugged and unplugged": memory_is_plugged,
                 "the rings' memory goes and comes": rings_memory_goes_and_comes,
                 "status": status, "reset of the device": reset_device,
                 "an announcement": rarp, "one in a switch": rarp_in_a_switch(program),
                 "a limit and absurd lengths": absurd_lengths(program)}
        tests.update({what: bad_message(make) for what, make in BAD.items()})
        for what, test in tests.items():
            tap.run(f"{name}: {what}", test, d)
        tap.check(d.stop() == 0, f"{name}: the daemon ends well", d.log()[-2000:])
        d.remove()
    sys.exit(tap.end())


main()
