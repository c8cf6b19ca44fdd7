# SPDX-License-Identifier: GPL-2.0-or-later
"""Properties and rings, without guest code: the driver is qtest_guest.py."""
import ctypes
import os
import struct
import subprocess
import tempfile

import qtest_guest
from guest_vm import PATIENCE_S, QEMU, Qmp, wait_until
from l1 import migrate, same, test, users, vhost_threads
from qtest_guest import BUFFER_BYTES, BUFFERS, Driver, F_VERSION_1, SLOT
from vhost_pc import BROKEN, NODE, READY, STRATEGIES, Device

SYS_PIDFD_GETFD = 438
ISR = 3             # virtio_pci_cap.cfg_type


class Bench:
    """A QEMU with one device, driven by the test."""

    def __init__(self, properties="vhost=on", *args):
        self.properties = properties
        self.args = args

    def __enter__(self):
        self.dir = tempfile.TemporaryDirectory(prefix="rp-qemu.")
        self.qemu = qtest_guest.Qemu(
            QEMU, self.dir.name, "-device",
            f"virtio-pc-pci,id=pc0,addr={SLOT},{self.properties}", *self.args)
        return self

    def __exit__(self, *_):
        self.qemu.quit()
        self.dir.cleanup()

    def device(self):
        return Device(self.qemu.process.pid)


def send(driver, *numbers, item_bytes=BUFFER_BYTES):
    """Items as the device wants them; at most the ring's size."""
    driver.post(*numbers, kick=False)
    for i, number in enumerate(numbers):
        slot = (driver.posted - len(numbers) + i) % driver.size
        driver.qemu.write(BUFFERS + BUFFER_BYTES * slot, struct.pack(
            "<QQII", number, 0, number == 0, item_bytes))
    driver.kick()


def used(driver, count):
    wait_until(lambda: driver.used() == count)


def refused(properties, *messages, files=()):
    run = subprocess.run(
        [QEMU, "-M", "q35", "-accel", "qtest", "-S", "-nodefaults", "-display",
         "none", "-device", f"virtio-pc-pci,{properties}"],
        capture_output=True, text=True, timeout=PATIENCE_S, pass_fds=files)
    same("exit status", run.returncode, 1)
    for message in messages:
        assert message in run.stderr, f"{properties}: {run.stderr}"


@test
def what_does_not_fit_is_refused():
    refused("vhost=on,queue-pairs=9", "queue-pairs=9 is more than the 8 of "
            "/dev/vhost-pc: load vhost_pc with pairs=9")
    refused("vhost=on,vhost-threads=many", "'vhost-threads' is 'many', must be "
            "queue, pair or device")
    other = os.open("/dev/null", os.O_RDWR)
    refused(f"vhostfd={other}", f"'vhostfd' ({other})", "is no file of /dev/vhost-pc",
            files=[other])
    os.close(other)
    same("users of the module", users(), 0)


def stolen_file(pid):
    """A duplicate of the file that a QEMU has open."""
    links = f"/proc/{pid}/fd"
    theirs, = [int(n) for n in os.listdir(links)
               if os.readlink(f"{links}/{n}") == NODE]
    pidfd = os.pidfd_open(pid)
    fd = ctypes.CDLL(None).syscall(SYS_PIDFD_GETFD, pidfd, theirs, 0)
    os.close(pidfd)
    return fd


@test
def a_file_that_has_an_owner_is_refused():
    mine = os.open(NODE, os.O_RDWR)
    try:
        with Bench() as b:
            theirs = stolen_file(b.qemu.process.pid)
            refused(f"vhostfd={theirs}", "Device or resource busy",
                    files=[theirs])
            os.close(theirs)
        run = subprocess.Popen(
            [QEMU, "-M", "q35", "-accel", "qtest", "-nodefaults", "-display",
             "none", "-device", f"virtio-pc-pci,vhostfd={mine}",
             "-qmp", "unix:/tmp/vhostfd,server=on,wait=off"], pass_fds=[mine])
        try:
            qmp = Qmp("/tmp/vhostfd", run)
            info = qmp.call("x-query-virtio-pc")[0]
            assert info["connected"], info
        finally:
            run.terminate()
            run.wait(PATIENCE_S)
    finally:
        os.close(mine)
    wait_until(lambda: users() == 0)


@test
def items_are_served_and_shown():
    with Bench("vhost=on,queue-pairs=2") as b:
        info = b.qemu.pc()
        same("backend", info["backend"], "vhost-kernel")
        assert info["connected"] and not info["started"]
        assert "vhost-kernel backend connected" in b.qemu.hmp("info virtio-pc")
        driver = Driver(b.qemu)
        driver.start()
        send(driver, 0, 1, 2)
        used(driver, 3)
        wait_until(driver.interrupted)
        wait_until(lambda: b.qemu.pc()["queues"][0]["ring"]["kick"]["armed"])
        info = b.qemu.pc()
        ring = info["queues"][0]["ring"]
        same("kick", ring["kick"], {"armed": True, "event": 3, "after": 1})
        assert info["started"] and "broken" not in info["queues"][0]
        device = b.device()
        stats = device.stats(0)
        device.close()
        same("items", (stats["items"], stats["lost"]), (3, 0))


@test
def what_is_called_for_under_a_mask_comes_after_it():
    with Bench() as b:
        driver = Driver(b.qemu)
        driver.start()
        for number in range(3):
            driver.mask(True)
            driver.clear_mark()
            driver.call_after(number)
            send(driver, number)
            used(driver, number + 1)
            wait_until(driver.pending)
            assert not driver.interrupted(), "an interrupt through a masked vector"
            driver.mask(False)
            wait_until(driver.interrupted)
            assert not driver.pending()


@test
def a_device_without_msix_interrupts():
    with Bench("vhost=on,vectors=0") as b:
        driver = Driver(b.qemu)
        driver.start()
        send(driver, 0)
        used(driver, 1)
        isr = driver.where[ISR]
        # Reading it acknowledges.
        wait_until(lambda: b.qemu.command(f"readb {isr:#x}") & 1)


@test
def threads_are_those_asked_for():
    # Queue 0 alone is set up.
    for number, threads in enumerate(("queue", "pair", "device")):
        with Bench(f"vhost=on,queue-pairs=2,vhost-threads={threads}") as b:
            driver = Driver(b.qemu)
            driver.start()
            pid = b.qemu.process.pid
            same(threads, len(vhost_threads(pid)), 1)
            device = b.device()
            same("threads", device.info()["threads"], number)
            device.close()
            driver.reset()
            same("after a reset", vhost_threads(pid), [])


@test
def stop_reset_and_a_second_driver():
    with Bench() as b:
        driver = Driver(b.qemu)
        driver.start()
        send(driver, 0)
        used(driver, 1)
        b.qemu.qmp("stop")
        assert not b.qemu.pc()["started"]
        send(driver, 1, 2)
        b.qemu.qmp("cont")
        used(driver, 3)
        driver.start(size=8)
        send(driver, 0, 1)
        used(driver, 2)
        b.qemu.qmp("system_reset")
        wait_until(lambda: not b.qemu.pc()["driver-ok"])
        driver = Driver(b.qemu)
        driver.start()
        send(driver, 0)
        used(driver, 1)
        device = b.device()
        same("lost", device.stats(0)["lost"], 0)
        device.close()


@test
def a_driver_without_queues_does_no_harm():
    with Bench() as b:
        driver = Driver(b.qemu)
        driver.start()
        driver.reset()
        driver.common(20, 3, "b")
        for i in range(2):
            driver.common(8, i)
            driver.common(12, F_VERSION_1 >> 32 * i & 0xffffffff)
        driver.common(20, 11, "b")
        driver.common(20, 15, "b")
        same("threads", vhost_threads(b.qemu.process.pid), [])
        same("log", b.qemu.text(), "")
        driver.start()
        send(driver, 0)
        used(driver, 1)


@test
def a_ring_of_an_earlier_driver_is_forgotten():
    with Bench("vhost=on,queue-pairs=2") as b:
        driver = Driver(b.qemu)
        driver.start()
        send(driver, 0, 1)
        used(driver, 2)
        # Its memory is another queue's now: nonsense as queue 0's ring.
        driver.start(queue=2)
        send(driver, 0)
        used(driver, 1)
        queues = b.qemu.pc()["queues"]
        assert "broken" not in queues[0] and "ring" not in queues[0], queues
        device = b.device()
        same("queue 0 ready", device.stats(0)["flags"] & READY, 0)
        same("queue 2 ready", device.stats(2)["flags"] & READY, READY)
        device.close()
        same("log", b.qemu.text(), "")


@test
def a_ring_that_the_driver_breaks_is_told_once_and_mended():
    with Bench() as b:
        driver = Driver(b.qemu)
        for _ in range(3):
            driver.start()
            send(driver, 0, item_bytes=BUFFER_BYTES + 1)
            wait_until(lambda: "broken" in b.qemu.pc()["queues"][0])
            why = "an item whose size is not its buffer's"
            same("broken", b.qemu.pc()["queues"][0]["broken"], why)
            assert f", broken: {why}" in b.qemu.hmp("info virtio-pc")
            device = b.device()
            assert device.stats(0)["flags"] & BROKEN
            device.close()
        wait_until(lambda: "broke the ring of queue 0 (fwd 0)" in b.qemu.text())
        driver.start()
        send(driver, 0)
        used(driver, 1)
        assert "broken" not in b.qemu.pc()["queues"][0]
        same("warnings", b.qemu.text().count("broke the ring"), 1)


@test
def rings_migrate_with_what_waits_in_them():
    with Bench() as a, Bench("vhost=on", "-incoming", "defer") as b:
        driver = Driver(a.qemu)
        driver.start()
        send(driver, 0, 1, 2)
        used(driver, 3)
        a.qemu.qmp("stop")
        send(driver, 3, 4)
        same("migration", migrate(a.qemu.qmp, b.qemu.qmp), "completed")
        driver.qemu = b.qemu
        b.qemu.qmp("cont")
        used(driver, 5)
        send(driver, 5)
        used(driver, 6)
        device = b.device()
        stats = device.stats(0)
        device.close()
        same("items, lost", (stats["items"], stats["lost"]), (3, 0))
        same("first item", stats["first_seq"], 3)


@test
def what_was_learned_migrates():
    """Of one queue, opaque to all on its way; and without any there is none."""
    args = "vhost=on,queue-pairs=2"
    known = STRATEGIES["adaptive"], b"what a strategy knows"
    with Bench(args) as a, Bench(args, "-incoming", "defer") as b:
        device = a.device()
        device.teach(3, *known)
        device.close()
        driver = Driver(a.qemu)
        driver.start()
        send(driver, 0, 1)
        used(driver, 2)
        same("migration", migrate(a.qemu.qmp, b.qemu.qmp), "completed")
        b.qemu.qmp("cont")
        driver.qemu = b.qemu
        send(driver, 2)
        used(driver, 3)
        device = b.device()
        same("learned", device.learned(3), known)
        same("of a queue that nothing is known of", device.learned(0)[1], b"")
        device.close()
        assert "does not take" not in b.qemu.text(), b.qemu.text()


def blockdev_create(qemu, **options):
    qemu.qmp("blockdev-create", **{"job-id": "create", "options": options})
    wait_until(lambda: qemu.qmp("query-jobs")[0]["status"] == "concluded")
    assert "error" not in qemu.qmp("query-jobs")[0]
    qemu.qmp("job-dismiss", id="create")


@test
def a_snapshot_takes_the_rings_back():
    with Bench() as b:
        path = os.path.join(b.dir.name, "disk")
        blockdev_create(b.qemu, driver="file", filename=path, size=0)
        b.qemu.qmp("blockdev-add", **{
            "driver": "file", "node-name": "file", "filename": path})
        blockdev_create(b.qemu, driver="qcow2", file="file", size=1 << 20)
        b.qemu.qmp("blockdev-add", **{
            "driver": "qcow2", "node-name": "disk", "file": "file"})
        driver = Driver(b.qemu)
        driver.start()
        send(driver, 0, 1)
        used(driver, 2)
        same("savevm", b.qemu.hmp("savevm s"), "")
        send(driver, 2, 3)
        used(driver, 4)
        same("loadvm", b.qemu.hmp("loadvm s"), "")
        same("used index", driver.used(), 2)
        driver.posted = 2
        send(driver, 2)
        used(driver, 3)
        device = b.device()
        stats = device.stats(0)
        device.close()
        same("items, reordered", (stats["items"], stats["reordered"]), (5, 1))


@test
def devices_that_differ_do_not_migrate():
    with Bench() as a, Bench("vhost=on,queue-pairs=2", "-incoming", "defer") as b:
        migrate(a.qemu.qmp, b.qemu.qmp)
        b.qemu.process.wait(PATIENCE_S)
        assert "both sides the same properties" in b.qemu.text(), b.qemu.text()
