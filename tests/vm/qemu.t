#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The patched QEMU: properties, and a virtio-pc device whose backend comes,
goes, dies and does not fit. The driver is qtest_guest.py, the backend is
vhost_user_peer.py; no guest is booted.
"""
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import traceback
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)

from qtest_guest import (   # noqa: E402
    Driver, PATIENCE_S, Qemu, SLOT, stopping, wait_for)
from vhost_user_peer import F_EVENT_IDX, FEATURES, Peer  # noqa: E402

QEMU = os.environ.get(
    "RP_QEMU", os.path.join(HERE, "../../build/qemu-system-x86_64"))
tests = []


def test(function):
    tests.append(function)
    return function


class Bench:
    """QEMU with one device on a socket in a directory of its own."""

    def __init__(self, properties="", chardev="reconnect=1"):
        self.dir = tempfile.TemporaryDirectory(prefix="rp-qemu.")
        self.path = os.path.join(self.dir.name, "peer")
        self.peers = []
        self.args = [
            "-chardev", f"socket,id=c,path={self.path},{chardev}",
            "-device", f"virtio-pc-pci,id=pc0,chardev=c,addr={SLOT}{properties}"]
        self.qemu = None

    def __enter__(self):
        self.qemu = Qemu(QEMU, self.dir.name, *self.args)
        return self

    def __exit__(self, *_):
        try:
            for peer in self.peers:
                if peer.is_alive():
                    peer.stop()
        finally:
            self.qemu.quit()
            self.dir.cleanup()

    def peer(self, connected=True, **kwargs):
        peer = Peer(self.path, **kwargs)
        self.peers.append(peer)
        peer.start()
        if connected:
            wait_for("the backend's connection",
                     lambda: self.qemu.pc()["connected"])
        return peer

    def lose(self, peer):
        peer.stop()
        wait_for("QEMU to see the loss",
                 lambda: not self.qemu.pc()["connected"])


def served(driver, peer, numbers):
    wait_for(f"items {numbers}", lambda: peer.items == numbers)
    wait_for("their completion", lambda: driver.used() == driver.posted)


@test
def bad_properties_are_refused_with_their_range():
    bad = [("queue-pairs=0", "'queue-pairs' is 0, must be 1 to 64"),
           ("queue-pairs=65", "'queue-pairs' is 65, must be 1 to 64"),
           ("queue-size=1", "'queue-size' is 1, must be 2 to 1024"),
           ("queue-size=100", "'queue-size' is 100, must be a power of two"),
           ("queue-size=2048", "'queue-size' is 2048, must be 2 to 1024"),
           ("item-size=31", "'item-size' is 31, must be 32 to 65536"),
           ("item-size=65537", "'item-size' is 65537, must be 32 to 65536"),
           ("packed=on", "'packed' must be off")]
    for properties, message in bad:
        run = subprocess.run(
            [QEMU, "-M", "q35", "-accel", "tcg", "-S", "-nodefaults",
             "-display", "none", "-chardev", "null,id=c",
             "-device", f"virtio-pc-pci,chardev=c,{properties}"],
            capture_output=True, text=True, timeout=PATIENCE_S)
        assert run.returncode == 1, f"{properties}: exit {run.returncode}"
        assert message in run.stderr, f"{properties}: {run.stderr}"
    run = subprocess.run([QEMU, "-nodefaults", "-display", "none",
                          "-device", "virtio-pc-pci"],
                         capture_output=True, text=True, timeout=PATIENCE_S)
    assert run.returncode == 1 and "'chardev' is not set" in run.stderr


def refused(properties, *args, files=()):
    """What QEMU says to a device that it cannot make."""
    run = subprocess.run(
        [QEMU, "-M", "q35", "-accel", "tcg", "-S", "-nodefaults", "-display",
         "none", *args, "-device", f"virtio-pc-pci,{properties}"],
        capture_output=True, text=True, timeout=PATIENCE_S, pass_fds=files)
    assert run.returncode == 1, f"{properties}: exit {run.returncode}"
    return run.stderr


@test
def vhost_in_the_kernel_says_what_it_needs():
    other = os.open("/dev/null", os.O_RDWR)
    cases = [
        ("vhost=on,chardev=c", ("-chardev", "null,id=c"),
         "properties 'chardev' and 'vhost' exclude each other"),
        (f"vhostfd={other},chardev=c", ("-chardev", "null,id=c"),
         "properties 'chardev' and 'vhostfd' exclude each other"),
        (f"vhostfd={other},vhost=off", (), "'vhostfd' needs vhost=on"),
        ("vhost-threads=pair", (), "'vhost-threads' needs vhost=on"),
        ("vhost=on,iommu_platform=on", (), "'iommu_platform' must be off"),
        (f"vhostfd={other}", (), "is no file of /dev/vhost-pc"),
        ("vhostfd=1000000", (), "Bad file descriptor"),
        ("vhostfd=none", (), "'vhostfd': Invalid file descriptor number 'none'")]
    if not os.path.exists("/dev/vhost-pc"):
        cases.append(("vhost=on", (), "vhost=on cannot open /dev/vhost-pc: No "
                      "such file or directory; load the module vhost_pc"))
    for properties, args, message in cases:
        said = refused(properties, *args, files=[other])
        assert message in said, f"{properties}: {said}"
    os.close(other)


@test
def vhostfd_may_be_a_name_known_to_the_monitor():
    with Bench() as b, open("/dev/null", "r+b") as other:
        for name in "fd1", "fd1":
            # A file that was refused is gone, its name free again.
            socket.send_fds(b.qemu.monitor.sock, [json.dumps(
                {"execute": "getfd", "arguments": {"fdname": name}}).encode()],
                [other.fileno()])
            assert "return" in json.loads(b.qemu.monitor.file.readline())
            try:
                b.qemu.qmp("device_add", driver="virtio-pc-pci", vhostfd=name)
            except AssertionError as e:
                assert "is no file of /dev/vhost-pc" in str(e), e
            else:
                raise AssertionError("/dev/null was taken")


@test
def vhost_user_blocks_migration_and_says_why():
    with Bench() as b:
        for connected in False, True:
            if connected:
                b.peer()
            assert not b.qemu.try_qmp("migrate", uri="exec:cat > /dev/null")
            # Of several reasons the command tells one; vhost has its own.
            reasons = b.qemu.qmp("query-migrate")["blocked-reasons"]
            assert any("chardev 'c' does not log" in r for r in reasons), reasons
            if not connected:
                assert "does not log" in b.qemu.hmp("savevm x")
    said = refused("chardev=c", "-only-migratable", "-chardev",
                   "socket,id=c,path=/nonexistent,reconnect=1")
    assert "does not log" in said, said


@test
def device_shows_without_a_backend():
    with Bench(",queue-pairs=2,queue-size=64,item-size=128") as b:
        assert b.qemu.config(0) == 0x107f1af4
        assert Driver(b.qemu).device_config() == (1, 2, 128, 65536, 0)
        info = b.qemu.pc()
        assert not info["connected"] and not info["started"]
        assert [q["direction"] for q in info["queues"]] == ["fwd", "rev"] * 2
        assert all(q["size"] == 64 and "ring" not in q for q in info["queues"])
        assert "backend absent" in b.qemu.hmp("info virtio-pc")
        assert "[virtio-pc]" in b.qemu.hmp("info virtio")
        status = b.qemu.qmp("x-query-virtio-status", path=info["path"])
        assert status["device-id"] == 63 and status["num-vqs"] == 4


@test
def backend_that_comes_late_serves_what_waits():
    with Bench() as b:
        driver = Driver(b.qemu)
        driver.start()
        driver.post(0, 1, 2)
        info = b.qemu.pc()
        assert info["driver-ok"] and not info["started"]
        assert info["queues"][0]["ring"]["pending"] == 3
        peer = b.peer()
        served(driver, peer, [0, 1, 2])
        wait_for("the interrupt", driver.interrupted)
        assert b.qemu.pc()["started"]


@test
def query_tells_indices_and_what_is_armed():
    with Bench() as b:
        driver = Driver(b.qemu)
        peer = b.peer()
        driver.start()
        driver.post(0, 1, 2, 3, 4)
        served(driver, peer, [0, 1, 2, 3, 4])
        wait_for("the kick to be armed", lambda:
                 b.qemu.pc()["queues"][0]["ring"]["kick"]["armed"])
        info = b.qemu.pc()
        assert info["event-idx"]
        ring = info["queues"][0]["ring"]
        assert (ring["avail-idx"], ring["used-idx"], ring["pending"]) == (5, 5, 0)
        assert ring["kick"] == {"armed": True, "event": 5, "after": 1}
        assert ring["call"] == {"armed": False, "event": 0}
        driver.qemu.write(0x102000 + 4 + 2 * 16, struct.pack("<H", 8))
        ring = b.qemu.pc()["queues"][0]["ring"]
        assert ring["call"] == {"armed": True, "event": 8, "after": 4}
        assert "call after 4" in b.qemu.hmp("info virtio-pc")


@test
def query_survives_rings_outside_of_memory():
    with Bench() as b:
        driver = Driver(b.qemu)
        driver.start()
        driver.common(20, 0, "b")
        driver.common(22, 0, "w")
        for offset in (32, 40, 48):
            driver.common(offset, 0xfee00000)
            driver.common(offset + 4, 0xffffffff)
        driver.common(28, 1, "w")
        assert "ring" not in b.qemu.pc()["queues"][0]
        driver.common(20, 15, "b")
        b.peer()
        assert b.qemu.alive()
        driver.start()
        driver.post(7)
        served(driver, b.peers[-1], [7])


@test
def dead_backend_is_waited_for_and_nothing_is_lost_or_repeated():
    with Bench() as b:
        driver = Driver(b.qemu)
        driver.start()
        first = b.peer()
        driver.post(0, 1)
        served(driver, first, [0, 1])
        b.lose(first)
        assert not b.qemu.pc()["started"]
        driver.post(2, 3, 4)
        driver.clear_mark()
        second = b.peer()
        served(driver, second, [2, 3, 4])
        assert second.bases[0] == 2
        wait_for("the interrupt", driver.interrupted)
        driver.post(5)
        served(driver, second, [2, 3, 4, 5])
        text = b.qemu.text()
        assert text.count("went away") == 1, text
        assert text.count("'c' is back") == 1, text
        assert "Failed to" not in text.replace("Failed to connect", ""), text
        assert "restore failed" not in text, text


@test
def backend_lost_before_the_driver_starts_is_waited_for():
    with Bench() as b:
        b.lose(b.peer())
        peer = b.peer()
        driver = Driver(b.qemu)
        driver.start()
        driver.post(0)
        served(driver, peer, [0])


@test
def backend_that_hangs_up_at_once_does_no_harm():
    with Bench() as b:
        driver = Driver(b.qemu)
        driver.start()
        driver.post(0)
        rude = b.peer(connected=False, hang_up=True)
        wait_for("two attempts", lambda: rude.connections >= 2)
        assert b.qemu.alive() and not b.qemu.pc()["connected"]
        rude.stop()
        served(driver, b.peer(), [0])


@test
def backend_that_does_not_fit_is_refused_once():
    for kwargs, message in (
            ({"queues": 2}, "queue-pairs=2 (4 queues): The maximum number of "
                            "queues supported by the backend is 2"),
            ({"features": FEATURES & ~F_EVENT_IDX}, "lacks features 0x20000000"),
            ({"config": struct.pack("<HHIII", 2, 64, 64, 65536, 0)},
             "backend has version 2 of the device, this QEMU 1"),
            ({"config": struct.pack("<HHIII", 1, 64, 64, 4096, 0)},
             "item-size=8192 is more than the vhost-user backend's limit of "
             "4096 bytes")):
        with Bench(",queue-pairs=2,item-size=8192") as b:
            unfit = b.peer(connected=False, **kwargs)
            wait_for("two attempts", lambda: unfit.connections >= 2)
            assert not b.qemu.pc()["connected"]
            unfit.stop()
            assert b.qemu.text().count(message) == 1, b.qemu.text()
            b.peer()


@test
def unfit_backend_of_a_chardev_that_does_not_reconnect_is_fatal():
    b = Bench(",queue-pairs=2", chardev="server=off")
    peer = Peer(b.path, queues=2)
    peer.start()
    run = subprocess.run([QEMU, "-M", "pc", "-nodefaults", "-display", "none",
                          "-S", *b.args],
                         capture_output=True, text=True, timeout=PATIENCE_S)
    peer.stop()
    b.dir.cleanup()
    assert run.returncode == 1, run.returncode
    assert "queue-pairs=2 (4 queues)" in run.stderr, run.stderr


@test
def stop_reset_and_a_second_driver():
    with Bench() as b:
        driver = Driver(b.qemu)
        peer = b.peer()
        driver.start()
        driver.post(0)
        served(driver, peer, [0])
        b.qemu.qmp("stop")
        assert not b.qemu.pc()["started"]
        b.qemu.qmp("cont")
        driver.post(1)
        served(driver, peer, [0, 1])
        driver.start(size=8)
        driver.post(2, 3)
        served(driver, peer, [0, 1, 2, 3])
        b.qemu.qmp("system_reset")
        wait_for("the reset", lambda: not b.qemu.pc()["driver-ok"])
        driver = Driver(b.qemu)
        driver.start()
        driver.post(4)
        served(driver, peer, [0, 1, 2, 3, 4])


@test
def backend_replaced_while_the_machine_is_stopped():
    with Bench() as b:
        driver = Driver(b.qemu)
        driver.start()
        first = b.peer()
        driver.post(0)
        served(driver, first, [0])
        b.qemu.qmp("stop")
        b.lose(first)
        second = b.peer()
        assert not b.qemu.pc()["started"]
        b.qemu.qmp("cont")
        driver.post(1)
        served(driver, second, [1])


@test
def device_is_unplugged_and_plugged_again():
    with Bench() as b:
        driver = Driver(b.qemu)
        peer = b.peer()
        driver.start()
        driver.post(0)
        served(driver, peer, [0])
        b.qemu.qmp("device_del", id="pc0")
        b.qemu.command(f"outl 0xae08 {1 << SLOT:#x}")   # the guest's ACPI eject
        assert b.qemu.qmp("x-query-virtio-pc") == []
        # The chardev is free once the last reader of the old device is gone.
        wait_for("the unplugged device's end", lambda: b.qemu.try_qmp(
            "device_add", driver="virtio-pc-pci", id="pc1", chardev="c",
            addr=f"{SLOT}"))
        wait_for("the backend's connection", lambda: b.qemu.pc()["connected"])
        driver = Driver(b.qemu)
        driver.start()
        driver.post(1)
        served(driver, peer, [0, 1])


@test
def msix_of_a_net_device_without_irqfd():
    """Without its fix QEMU dies when the driver starts the device."""
    with tempfile.TemporaryDirectory(prefix="rp-qemu.") as scratch:
        peer = Peer(os.path.join(scratch, "peer"), queues=2, config=b"")
        peer.start()
        qemu = Qemu(QEMU, scratch, "-chardev", f"socket,id=c,path={peer.path}",
                    "-netdev", "vhost-user,id=n,chardev=c", "-device",
                    f"virtio-net-pci,netdev=n,addr={SLOT},disable-legacy=on")
        try:
            driver = Driver(qemu)
            driver.start()
            wait_for("the queue's start", lambda: 0 in peer.bases)
            driver.reset()
            assert qemu.alive(), qemu.text()
        finally:
            qemu.quit()
            peer.stop()


def run(function):
    """What went wrong, or nothing."""
    if stopping.is_set():
        return "not begun: the tests were told to stop"
    try:
        function()
    except Exception:
        return traceback.format_exc()
    return ""


def stop(*_):
    """A harness that loses its patience must not leave a QEMU behind."""
    Qemu.stop_all()
    sys.exit(1)


def main():
    signal.signal(signal.SIGTERM, stop)
    if not os.access(QEMU, os.X_OK):
        print("1..1\nnot ok 1 - no patched QEMU: run make qemu")
        return 1
    # Most of the time they wait for QEMU's reconnect timer, one second.
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    with ThreadPoolExecutor(max_workers=5) as pool:
        for number, (function, error) in enumerate(
                zip(tests, pool.map(run, tests)), 1):
            for line in error.splitlines():
                print(f"# {line}")
            failed += bool(error)
            print(f"{'not ' if error else ''}ok {number} - "
                  f"{function.__name__.replace('_', ' ')}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
