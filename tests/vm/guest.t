#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest driver and the agent, in a VM with ringpaced behind the device:
the driver's own tests, every strategy in both directions, runs that are
stopped or lose their device. One VM for all tests, the unplugging ones last.
"""
import os
import re
import signal
import struct
import sys
import time
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from guest_vm import BUILD, CONSOLE, Failed, Guest, PATIENCE_S, wait_until   # noqa: E402
from vhost_user_peer import FEATURES, F_INDIRECT, Peer   # noqa: E402

MS = 1000000
tests = []


def test(function):
    tests.append(function)
    return function


def same(what, got, want):
    assert got == want, f"{what}: {got}, not {want}"


def fails(code, function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except Failed as e:
        same("error code", e.code, code)
    else:
        raise AssertionError(f"no error, {code} expected")


@test
def the_image_is_small(_):
    size = sum(os.path.getsize(os.path.join(BUILD, "guest", name))
               for name in ("vmlinuz", "initrd"))
    assert size < 20e6, f"kernel and initrd: {size} bytes"


@test
def the_agent_announces_itself(vm):
    hello = vm.agent.receive()
    same("id", hello["id"], None)
    same("program", hello["result"]["program"], "rp-agent")


@test
def info_is_the_devices_configuration(vm):
    info = vm.agent.call("info")
    same("queue_pairs", info["queue_pairs"], vm.pairs)
    same("queue_len", info["queue_len"], vm.queue_size)


@test
def the_kernels_view_of_the_device(vm):
    interrupts = vm.agent.call("interrupts")
    same("a vector a queue", len(interrupts["lines"]), 2 * vm.pairs)
    for line in interrupts["lines"]:
        assert line.endswith(interrupts["virtio"] + "-pc"), line
    pci = vm.agent.call("pci")
    config = bytes.fromhex(pci["config"])
    same("PCI IDs", config[:4], bytes((0xf4, 0x1a, 0x7f, 0x10)))
    assert pci["resource"].count("\n") >= 6, pci
    fails("no-device", vm.agent.call, "interrupts", device=7)
    fails("no-device", vm.agent.call, "pci", device=7)


@test
def the_agent_survives_bad_requests(vm):
    run = {"dir": "fwd", "strategy": "busy", "duration_ns": MS}
    fails("unknown-command", vm.agent.call, "no such")
    fails("unknown-key", vm.agent.call, "info", colour="red")
    fails("no-device", vm.agent.call, "info", device=7)
    fails("bad-value", vm.agent.call, "info", device=-1)
    fails("bad-value", vm.agent.call, "run", **{**run, "strategy": "hope"})
    fails("bad-value", vm.agent.call, "run", **{**run, "duration_ns": 0})
    fails("bad-value", vm.agent.call, "run", **{**run, "pair": vm.pairs})
    fails("bad-value", vm.agent.call, "run", **{**run, "k": vm.queue_size + 1})
    fails("bad-value", vm.agent.call, "run", **{**run, "w_ns": "1"})
    vm.agent.file.write(b'{"v":1,\n[]\n' + b"x" * 100000 + b"\n")
    for _ in range(3):
        same("code", vm.agent.receive()["error"]["code"], "bad-json")
    same("program", vm.agent.call("hello")["program"], "rp-agent")


@test
def the_drivers_own_tests(vm):
    result = vm.agent.call("test")
    for line in result["output"].splitlines():
        if line.startswith("not ok"):
            print("# guest:", line)
    assert result["output"].rstrip().splitlines()[-1].startswith("1.."), \
        "no plan at the end: " + result["output"]
    same("exit", result["exit"], 0)


def all_seen(vm, items):
    """The host's statistics, once it has seen that many items."""
    def stats():
        return vm.daemon.call("stats", device="pc0", queue=0)["stats"]
    wait_until(lambda: stats()["items"] >= items)
    return stats()


def fwd(vm, strategy):
    vm.daemon.call("set", device="pc0", queue=0, strategy=strategy, y_ns=200000)
    vm.daemon.call("reset", device="pc0", queue=0)
    guest = vm.agent.call("run", dir="fwd", strategy=strategy, y_ns=200000,
                          duration_ns=700 * MS, burst=8)["stats"]
    host = all_seen(vm, guest["items"])
    print(f"# fwd {strategy}: {guest['items']} items, w {guest['w_ns']} ns, "
          f"sent {guest['sent']}, received {guest['received']}, "
          f"sleeps {guest['sleeps']}, host p50 {host['lat_p50_ns']} ns, "
          f"clock error {guest['clock_error_ns']} ns")
    assert guest["items"] > 0, "nothing was produced"
    same("items that the host saw", host["items"], guest["items"])
    assert host["lat_count"] == host["items"], "latencies were not measured"
    return guest, host


def rev(vm, strategy, item_bytes=64, host_item_bytes=64):
    count = 3000
    vm.daemon.call("set", device="pc0", queue=1, strategy=strategy, y_ns=200000,
                   item_bytes=host_item_bytes)
    vm.daemon.call("reset", device="pc0", queue=1)
    run = vm.agent.begin("run", dir="rev", strategy=strategy, y_ns=200000,
                         duration_ns=20000 * MS, max_items=count,
                         item_bytes=item_bytes)
    vm.daemon.call("start", device="pc0", queue=1, max_items=count)
    guest = vm.agent.end(run)["stats"]
    vm.daemon.call("stop", device="pc0", queue=1)
    host = vm.daemon.call("stats", device="pc0", queue=1)["stats"]
    print(f"# rev {strategy}: {guest['items']} items in "
          f"{guest['duration_ns'] // MS} ms, w {guest['w_ns']} ns, "
          f"received {guest['received']}, spurious {guest['spurious']}, "
          f"p50 {guest['lat_p50_ns']} ns")
    same("items that the guest saw", guest["items"], count)
    same("items that the host sent", host["items"], count)
    same("latencies", guest["lat_count"], count)
    same("lost", guest["lost"], 0)
    return host, guest


def both_ways(strategy):
    for direction in fwd, rev:
        def run(vm, direction=direction):
            producer, consumer = direction(vm, strategy)
            same("lost", consumer["lost"], 0)
            same("reordered", consumer["reordered"], 0)
            if strategy != "sleep":
                same("sleeps", (producer["sleeps"], consumer["sleeps"]), (0, 0))
            if strategy == "busy":
                same("blocks", (producer["blocks"], consumer["blocks"]), (0, 0))
        run.__name__ = f"{direction.__name__}_{strategy}"
        test(run)


for name in "notify", "sleep", "busy":
    both_ways(name)


@test
def items_may_change_their_size_between_runs(vm):
    """Buffers of the run before are still posted; items are the host's size
    or the buffer's, whichever is less."""
    for buffers, items in (64, 64), (4096, 4096), (32, 4096), (64, 32), (64, 64):
        rev(vm, "notify", buffers, items)


@test
def a_threshold_is_kept(vm):
    """Each time that the guest waits, at least k slots become free. (L slots
    are free at the begin.) A k that was not passed on gives more waits."""
    k, items = 200, 2000
    vm.daemon.call("set", device="pc0", queue=0, strategy="notify", w_ns=100000)
    guest = vm.agent.call("run", dir="fwd", strategy="notify", k=k,
                          duration_ns=60000 * MS, max_items=items)["stats"]
    vm.daemon.call("set", device="pc0", queue=0, w_ns=0)
    waits = guest["blocks"] + guest["double_checks"]
    print(f"# k {k}: {guest['blocks']} blocks, {guest['received']} received, "
          f"{guest['double_checks']} double checks, {guest['spurious']} spurious")
    assert 0 < waits * k <= items, f"{waits} waits"


@test
def a_host_that_waits_for_several_items_gets_the_last_ones(vm):
    """An exchange of clocks is a single item, and 1003 is no multiple of 8."""
    vm.daemon.call("set", device="pc0", queue=0, strategy="notify", k=8)
    vm.daemon.call("reset", device="pc0", queue=0)
    guest = vm.agent.call("run", dir="fwd", strategy="notify", w_ns=1000,
                          duration_ns=60000 * MS, max_items=1003)["stats"]
    assert guest["clock_error_ns"] is not None, "no clock"
    host = all_seen(vm, 1003)
    vm.daemon.call("set", device="pc0", queue=0, k=0)
    print(f"# {host['received']} notifications, {host['spurious']} spurious, "
          f"clock error {guest['clock_error_ns']} ns")
    same("lost", host["lost"], 0)
    same("latencies", host["lat_count"], 1003)


@test
def a_slow_backend_still_gets_a_clock(vm):
    """It takes no item for a second, from before the run begins."""
    vm.daemon.call("reset", device="pc0", queue=0)
    vm.daemon_process.send_signal(signal.SIGSTOP)
    try:
        run = vm.agent.begin("run", dir="fwd", strategy="notify",
                             duration_ns=60000 * MS, max_items=100)
        time.sleep(1)
    finally:
        vm.daemon_process.send_signal(signal.SIGCONT)
    guest = vm.agent.end(run)["stats"]
    assert guest["clock_error_ns"] is not None, "no clock"
    same("latencies", all_seen(vm, 100)["lat_count"], 100)


@test
def two_pairs_run_at_once(vm):
    runs = [vm.agent.begin("run", pair=pair, dir="fwd", strategy="sleep",
                           y_ns=100000, duration_ns=20000 * MS, max_items=2000)
            for pair in range(2)]
    for run in runs:
        same("items", vm.agent.end(run)["stats"]["items"], 2000)


@test
def a_pair_in_use_is_busy(vm):
    run = vm.agent.begin("run", dir="fwd", strategy="notify",
                         duration_ns=60000 * MS)
    second = vm.agent.begin("run", dir="fwd", strategy="notify",
                            duration_ns=60000 * MS)
    # Which of the two threads comes first is theirs to find out.
    answer = vm.agent.receive()
    same("code", answer["error"]["code"], "busy")
    vm.agent.call("stop")
    other = run if answer["id"] == second else second
    assert vm.agent.end(other)["stopped"], "the run was not stopped"


@test
def trace_of_the_last_run(vm):
    vm.agent.call("run", dir="fwd", strategy="notify", trace=True,
                  duration_ns=60000 * MS, max_items=50)
    events = vm.agent.call("trace")["events"]
    numbers = [arg for _, name, arg in events if name == "publish"]
    same("items in the trace", numbers, list(range(50)))
    tsc = [event[0] for event in events]
    assert tsc == sorted(tsc), "events out of order"
    same("newest events", vm.agent.call("trace", max=7)["events"], events[-7:])


@test
def a_run_survives_the_daemons_restart(vm):
    run = vm.agent.begin("run", dir="fwd", strategy="notify",
                         duration_ns=60000 * MS)
    vm.daemon.close()
    vm.daemon_process.kill()
    vm.daemon_process.wait()
    vm.start_daemon()
    vm.daemon.call("set", device="pc0", queue=0, strategy="notify")
    wait_until(lambda: vm.daemon.call("stats", device="pc0", queue=0)
               ["stats"]["items"])
    vm.agent.call("stop")
    guest = vm.agent.end(run)["stats"]
    host = vm.daemon.call("stats", device="pc0", queue=0)["stats"]
    same("the last item", host["next_seq"], guest["items"])
    same("lost", host["lost"], 0)
    same("reordered", host["reordered"], 0)


def has_device(vm, device=0):
    try:
        return vm.agent.call("info", device=device)
    except Failed as e:
        same("code", e.code, "no-device")
        return None


class Liar(Peer):
    """Returns a buffer that it never got."""

    def consume(self, queue):
        super().consume(queue)
        ring = self.ring(queue)
        slot = ring.next % ring.num
        self.at(ring.used + 4 + 8 * slot, 8)[:] = struct.pack("<II", 60000, 0)
        ring.next = (ring.next + 1) & 0xffff
        self.at(ring.used + 2, 2)[:] = struct.pack("<H", ring.next)


def second_device(vm, peer_class, function):
    peer = peer_class(vm.path("peer"), features=FEATURES & ~F_INDIRECT)
    peer.start()
    try:
        vm.plug_second(vm.path("peer"))
        wait_until(lambda: has_device(vm, 1))
        function()
        vm.unplug_second()
    finally:
        peer.stop()


@test
def a_backend_without_clocks_is_no_error(vm):
    def check():
        stats = vm.agent.call("run", device=1, dir="fwd", strategy="busy",
                              duration_ns=60000 * MS, max_items=100)["stats"]
        same("items", stats["items"], 100)
        same("clock error", stats["clock_error_ns"], None)
    second_device(vm, Peer, check)


@test
def a_device_that_breaks_a_ring_ends_the_run(vm):
    def check():
        for strategy in "busy", "notify":
            fails("failed", vm.agent.call, "run", device=1, dir="fwd",
                  strategy=strategy, duration_ns=60000 * MS)
    second_device(vm, Liar, check)


@test
def unplugging_ends_a_run(vm):
    run = vm.agent.begin("run", dir="fwd", strategy="sleep", y_ns=1000 * MS,
                         duration_ns=60000 * MS)
    vm.qmp.unplug("pc0")
    fails("no-device", vm.agent.end, run)
    fails("no-device", vm.agent.call, "info")


@test
def a_plugged_device_works_without_event_idx(vm):
    vm.qmp.call("device_add", **vm.device_args(), event_idx=False)
    wait_until(lambda: has_device(vm))
    for direction in fwd, rev:
        _, consumer = direction(vm, "notify")
        same("lost", consumer["lost"], 0)
        same("reordered", consumer["reordered"], 0)


@test
def the_kernel_complained_about_nothing(vm):
    console = dict(vm.logs())[CONSOLE]
    # Under TCG a host that was busy for 20 s looks like a CPU that hangs, and
    # is reported in several lines; a real hang fails the other tests.
    if re.search(r"rcu: INFO: .*detected .*stall", console):
        console = re.sub(r"rcu:.*", "", console)
    for word in "WARNING:", "BUG:", "Oops", "rcu:", "blocked for more than":
        assert word not in console, f"{word} on the guest's console"


@test
def poweroff(vm):
    vm.agent.call("poweroff")
    same("QEMU's exit status", vm.qemu.wait(PATIENCE_S), 0)


def run_all(vm):
    failed = 0
    for number, function in enumerate(tests, 1):
        try:
            function(vm)
            verdict = "ok"
        except Exception:   # noqa: BLE001: a test's failure is its result
            verdict, failed = "not ok", failed + 1
            for line in traceback.format_exc().splitlines():
                print("#", line)
        print(verdict, number, "-", function.__name__.replace("_", " "), flush=True)
        if failed and function is the_agent_announces_itself:
            print("Bail out! The guest did not come up.")
            break
    if failed:
        for name, text in vm.logs():
            for line in text.splitlines()[-40:]:
                print(f"# {name}: {line}")
    return failed


def main():
    # A harness that loses its patience must not leave a VM behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print(f"1..{len(tests)}", flush=True)
    with Guest() as vm:
        return 1 if run_all(vm) else 0


if __name__ == "__main__":
    sys.exit(main())
