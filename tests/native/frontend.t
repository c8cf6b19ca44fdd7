#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# What ringpaced does for a well-behaved vhost-user frontend: features and
# configuration, stopping and resuming rings, both directions, idleness.
import os
import select
import struct
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from vhost_user import *

USED_EVENT = AVAIL + 4 + 2 * SLOTS


def state(index, num):
    return struct.pack("<II", index, num)


def base_of(f, index=0):
    return struct.unpack("<II", f.ask(GET_VRING_BASE, state(index, 0)))[1]


def consumed(f, n, index=0):
    wait_for(lambda: f.used_idx(index) == n, f"{n} items to be consumed")


def readable(fd, seconds):
    return bool(select.select([fd], [], [], seconds)[0])


def offers(d):
    f = d.frontend()
    f.negotiate()
    want = F_VERSION_1 | F_EVENT_IDX | F_PROTOCOL | 1 << 28 | 1 << 0 | 1 << 1
    assert f.offered == want, hex(f.offered)
    assert f.protocol == (1 << 0 | 1 << 3 | 1 << 9 | 1 << 13 | 1 << 15 | 1 << 16), hex(f.protocol)
    assert f.ask_u64(GET_QUEUE_NUM) == 4
    assert f.ask_u64(GET_MAX_MEM_SLOTS) == 32
    config = f.ask(GET_CONFIG, struct.pack("<III", 0, 16, 0) + bytes(16))[12:]
    assert struct.unpack("<HHIII", config) == (1, 2, 64, 65536, 0), config
    # A write is acknowledged and has no effect.
    f.send(SET_CONFIG, struct.pack("<III", 2, 2, 0) + b"\xff\xff")
    assert f.ask(GET_CONFIG, struct.pack("<III", 0, 16, 0) + bytes(16))[12:] == config
    f.close()


def acknowledges(d):
    f = d.frontend()
    f.negotiate()
    assert f.ask_u64(SET_OWNER, flags=1 | 8) == 0
    f.close()


def counts_items(d):
    d.ask("reset", device="pc0", queue=0)
    f = d.frontend()
    f.start()
    f.send_item(flags=ITEM_FIRST, seq=100)
    for seq in (101, 104, 103):
        f.send_item(seq=seq)
    consumed(f, 4)
    wait_for(lambda: d.stats()["items"] == 4, "the count")
    s = d.stats()
    assert (s["first_seq"], s["next_seq"]) == (100, 104), s
    assert (s["lost"], s["reordered"], s["lat_count"]) == (2, 1, 4), s
    assert s["clock_error_ns"] is None
    f.close()


def wild_numbers(d):
    """Whatever the guest numbers its items, what is told of them is no less than 0."""
    d.ask("reset", device="pc0", queue=0)
    f = d.frontend()
    f.start()
    f.send_item(flags=ITEM_FIRST, seq=0)
    f.send_item(seq=(1 << 64) - 2)
    consumed(f, 2)
    wait_for(lambda: d.stats()["items"] == 2, "the count")
    s = d.stats()
    assert (s["lost"], s["next_seq"]) == ((1 << 63) - 1,) * 2, s
    d.ask("reset", device="pc0", queue=0)
    f.close()


def calls_when_asked(d):
    f = d.frontend()
    f.start()
    assert readable(f.call, WAIT_S)     # the one that every start gives
    os.eventfd_read(f.call)
    f.put("<H", USED_EVENT, 2)
    f.send_item(flags=ITEM_FIRST)
    f.send_item()
    consumed(f, 2)
    d.stats()
    assert not readable(f.call, 0.2)
    f.send_item()
    assert readable(f.call, WAIT_S)
    f.close()


def stops_and_resumes(d):
    f = d.frontend()
    f.start()
    for i in range(5):
        f.send_item(flags=0 if i else ITEM_FIRST)
    consumed(f, 5)
    assert base_of(f) == 5
    assert not d.queue()["ready"]
    f.start_queue(base=5)
    f.send_item()
    consumed(f, 6)
    f.close()


def resumes_at_used(d):
    """A frontend whose base is old: what was used is not consumed again."""
    f = d.frontend()
    f.start()
    for i in range(3):
        f.send_item(flags=0 if i else ITEM_FIRST)
    consumed(f, 3)
    base_of(f)
    before = d.stats()["items"]
    f.start_queue(base=0)
    f.sent[0] = 3
    f.send_item()
    consumed(f, 4)
    wait_for(lambda: d.stats()["items"] == before + 1, "one item more")
    assert base_of(f) == 4
    f.close()


def disabled_is_still(d):
    f = d.frontend()
    f.start()
    f.send(SET_VRING_ENABLE, state(0, 0))
    f.ask_u64(GET_QUEUE_NUM)
    f.send_item(flags=ITEM_FIRST)
    time.sleep(0.2)
    assert f.used_idx() == 0
    f.send(SET_VRING_ENABLE, state(0, 1))
    consumed(f, 1)
    f.close()


def new_descriptors(d):
    f = d.frontend()
    f.start()
    f.send_item(flags=ITEM_FIRST)
    consumed(f, 1)
    f.kick, f.call = f.eventfd(), f.eventfd()
    f.send(SET_VRING_KICK, struct.pack("<Q", 0), [f.kick])
    f.send(SET_VRING_CALL, struct.pack("<Q", 0), [f.call])
    f.ask_u64(GET_QUEUE_NUM)
    f.put("<H", USED_EVENT, 1)
    f.send_item()
    consumed(f, 2)
    assert readable(f.call, WAIT_S)
    # Without a call descriptor the driver polls.
    f.send(SET_VRING_CALL, struct.pack("<Q", 0 | 1 << 8))
    f.send_item()
    consumed(f, 3)
    f.close()


def memory_grows(d):
    f = d.frontend()
    f.start()
    f.send_item(flags=ITEM_FIRST)
    consumed(f, 1)
    extra = os.memfd_create("more")
    f.fds.append(extra)
    os.ftruncate(extra, 1 << 20)
    region = struct.pack("<4Q", GPA + (1 << 30), 1 << 20, QVA + (1 << 30), 0)
    f.send(ADD_MEM_REG, bytes(8) + region, [extra])
    f.ask_u64(GET_QUEUE_NUM)
    # An item in the new region; its head is all zero but for the size.
    os.pwrite(extra, struct.pack("<QQII", 1, 0, 0, 64), 4096)
    f.send_item(desc=(GPA + (1 << 30) + 4096, 64, 0, 0))
    consumed(f, 2)
    f.send(REM_MEM_REG, bytes(8) + region)
    f.ask_u64(GET_QUEUE_NUM)
    f.send_item()
    consumed(f, 3)
    f.close()


def rev_buffers(f, n, index=1):
    at = index * RING_STRIDE
    for i in range(n):
        data = DATA + (index * SLOTS + i) * 64
        f.put("<QIHH", at + DESC + 16 * i, GPA + data, 64, 2, 0)
        f.put("<H", at + AVAIL + 4 + 2 * i, i)
    f.set_avail(n, index)


def produces(d):
    d.ask("reset", device="pc0", queue=1)
    f = d.frontend()
    f.start(queues=(1,))
    rev_buffers(f, 8)
    time.sleep(0.05)
    assert f.used_idx(1) == 0           # not before it is told to
    d.ask("start", device="pc0", queue=1, max_items=5)
    consumed(f, 5, 1)
    wait_for(lambda: not d.queue(1)["producing"], "the end of the run")
    for i in range(5):
        data = DATA + (SLOTS + i) * 64
        seq, tsc, flags, size = struct.unpack_from("<QQII", f.mem, data)
        assert (seq, flags, size) == (i, 0 if i else ITEM_FIRST, 64) and tsc, i
        assert f.get("<I", RING_STRIDE + USED + 4 + 8 * i + 4) == 64
    s = d.stats(1)
    assert (s["items"], s["first_seq"], s["next_seq"]) == (5, 0, 5), s
    # The rest of the buffers, then it has to wait; and it can be stopped.
    d.ask("start", device="pc0", queue=1)
    consumed(f, 8, 1)
    assert d.queue(1)["producing"]
    d.ask("stop", device="pc0", queue=1)
    assert not d.queue(1)["producing"]
    f.close()


def small_buffers(d):
    """A buffer that has no room for an item breaks the ring, after the good ones."""
    f = d.frontend()
    f.start(queues=(1,))
    rev_buffers(f, 8)
    f.put("<I", RING_STRIDE + DESC + 16 * 3 + 8, 31)
    d.ask("start", device="pc0", queue=1)
    wait_for(lambda: d.queue(1)["broken"], "the ring to be given up")
    assert "too small" in d.queue(1)["broken"] and f.used_idx(1) == 3
    f.close()


def larger_items(d):
    """Buffers of a run with smaller items stay good; larger ones get the new size."""
    f = d.frontend()
    f.start(queues=(1,))
    rev_buffers(f, 8)
    d.ask("start", device="pc0", queue=1, max_items=2)
    consumed(f, 2, 1)
    wait_for(lambda: not d.queue(1)["producing"], "the end of the first run")
    f.put("<I", RING_STRIDE + DESC + 16 * 4 + 8, 32)
    for i in (6, 7):
        f.put("<QI", RING_STRIDE + DESC + 16 * i, GPA + DATA + 0x10000 * i, 512)
    for end, w_ns in ((8, 0), (16, 1)):     # in batches; one by one
        d.ask("set", device="pc0", queue=1, item_bytes=256, w_ns=w_ns)
        d.ask("start", device="pc0", queue=1)
        consumed(f, end, 1)
        d.ask("stop", device="pc0", queue=1)
        got = [f.get("<I", RING_STRIDE + USED + 4 + 8 * i + 4) for i in range(end - 6, end)]
        assert got == [64, 64, 32, 64, 256, 256], got
        assert struct.unpack_from("<I", f.mem, DATA + (SLOTS + 4) * 64 + 20) == (32,)
        for i in range(8):
            f.put("<H", RING_STRIDE + AVAIL + 4 + 2 * (8 + i), i)
        f.set_avail(16, 1)
    assert d.queue(1)["broken"] is None
    d.ask("set", device="pc0", queue=1, item_bytes=64, w_ns=0)
    f.close()


def window(d):
    """queue_len bounds what is produced and not posted again."""
    f = d.frontend()
    f.start(queues=(1,))
    rev_buffers(f, SLOTS)
    d.ask("set", device="pc0", queue=1, queue_len=6)
    d.ask("start", device="pc0", queue=1)
    consumed(f, 6, 1)
    time.sleep(0.1)
    assert f.used_idx(1) == 6, f.used_idx(1)
    f.set_avail(SLOTS + 6, 1)           # the first six again
    consumed(f, 12, 1)
    d.ask("stop", device="pc0", queue=1)
    d.ask("set", device="pc0", queue=1, queue_len=0)
    f.close()


def run_ends(d):
    f = d.frontend()
    f.start(queues=(1,))
    for strategy in ("notify", "sleep", "busy"):
        d.ask("set", device="pc0", queue=1, strategy=strategy, y_ns=1000000000)
        d.ask("start", device="pc0", queue=1, duration_ns=20000000)
        wait_for(lambda: not d.queue(1)["producing"], f"the end of a run by {strategy}")
    d.ask("set", device="pc0", queue=1, strategy="notify", y_ns=0)
    f.close()


def stops_at_once(d):
    """Work and sleeps of a second do not hold orders up."""
    f = d.frontend()
    f.start()
    for order in ({"strategy": "sleep", "y_ns": 1000000000, "w_ns": 0},
                  {"strategy": "notify", "w_ns": 1000000000}):
        d.ask("set", device="pc0", queue=0, **order)
        f.send_item()
        f.send_item()
        begin = time.monotonic()
        for _ in range(20):
            d.ask("set", device="pc0", queue=0, burst=2)
        assert time.monotonic() - begin < 10, "20 orders took 10 s"
    d.ask("set", device="pc0", queue=0, strategy="notify", w_ns=0, y_ns=0)
    f.close()


def long_trace(d):
    """65536 events are told without more memory than the daemon may have."""
    f = d.frontend()
    f.start()
    d.ask("set", device="pc0", queue=0, strategy="sleep", y_ns=1, trace=True)
    before = d.stats()["sleeps"]
    wait_for(lambda: d.stats()["sleeps"] > before + 33000, "66000 events")
    d.ask("set", device="pc0", queue=0, strategy="notify", y_ns=0)
    d.forget_peak()

    def whole():
        reply = d.ask("trace", device="pc0", queue=0)
        return len(reply["events"]) >= 65535 and reply["tsc_hz"]

    # Until the worker has blocked, events are overwritten while they are copied.
    wait_for(whole, "a trace that nobody writes")
    kib = d.status_kib("VmHWM")
    print(f"# {kib} KiB at most")
    assert kib < 16 * 1024, f"{kib} KiB"
    before = d.anonymous_kib()
    d.ask("set", device="pc0", queue=0, trace=False)
    after = d.anonymous_kib()
    assert after <= before - 900, f"{before} KiB before, {after} KiB after"
    f.close()


def idle(d):
    """All queues of 64 pairs wait for kicks: nobody wakes up, little is used."""
    f = d.frontend()
    f.start(queues=range(128))
    assert all(q["ready"] for q in d.ask("list")["devices"][0]["queues"])
    status = [0, 0]

    def settled():
        status[1] = status[0]
        status[0] = d.task_status("voluntary_ctxt_switches")
        time.sleep(0.1)
        return status[0] == status[1] or d.task_status("voluntary_ctxt_switches") == status[0]

    wait_for(settled, "the threads to settle")
    before = d.task_status("voluntary_ctxt_switches")
    time.sleep(2)
    woke = d.task_status("voluntary_ctxt_switches") - before
    assert woke == 0, f"{woke} wake-ups in 2 s"
    kib = d.status_kib("RssAnon", "RssFile")
    print(f"# {kib} KiB resident without shared memory, 128 queues")
    assert kib < 16 * 1024, f"{kib} KiB"
    f.close()


TESTS = (offers, acknowledges, counts_items, wild_numbers, calls_when_asked, stops_and_resumes,
         resumes_at_used, disabled_is_still, new_descriptors, memory_grows, produces, small_buffers,
         larger_items, window, run_ends, stops_at_once)


def main():
    exit_on_sigterm()
    tap = Tap()
    for build, program in programs(tap):
        d = Daemon(program)
        for test in TESTS:
            tap.run(f"{build}: {test.__name__}", test, d)
        tap.check(d.stop() == 0, f"{build}: exit status 0", d.log()[-4000:])
        d.remove()
    d = Daemon(programs()[0][1], pairs=64)
    tap.run("idle", idle, d)
    tap.run("a long trace", long_trace, d)
    tap.check(d.stop() == 0, "idle: exit status 0", d.log()[-4000:])
    d.remove()
    return tap.end()


sys.exit(main())
