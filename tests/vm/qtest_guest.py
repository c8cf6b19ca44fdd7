# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU under qtest, and a virtio-pc driver that runs in the test itself.

No guest code runs: the driver reads and writes ports and memory through
QEMU's qtest socket. MSI-X vectors are pointed at RAM, where an interrupt
leaves its mark.
"""
import json
import os
import select
import socket
import struct
import subprocess
import threading
import time

# Guest memory: one queue (256 slots at most), buffers, interrupt marks.
DESC, AVAIL, USED, BUFFERS, MARKS = 0x100000, 0x102000, 0x103000, 0x110000, 0x180000
BAR_MSIX, BAR_MODERN = 0xe1000000, 0xe0000000
SLOT = 4
CAP_VENDOR, CAP_MSIX = 0x09, 0x11
COMMON, NOTIFY, DEVICE = 1, 2, 4        # virtio_pci_cap.cfg_type
ACK, DRIVER, DRIVER_OK, FEATURES_OK = 1, 2, 4, 8
F_EVENT_IDX, F_VERSION_1 = 1 << 29, 1 << 32
BUFFER_BYTES = 64
# On a busy host; nothing here waits for a fixed time.
PATIENCE_S = 60
stopping = threading.Event()


def wait_for(what, condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if stopping.is_set() or time.monotonic() > end:
            raise AssertionError(f"waited {PATIENCE_S} s in vain, or was "
                                 f"stopped, for: {what}")
        time.sleep(0.02)


class Lines:
    """A socket that QEMU connects to, line by line."""

    def __init__(self, path):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)

    def accept(self, process):
        wait_for("QEMU's connection", lambda: process.poll() is not None or
                 select.select([self.listener], [], [], 0)[0])
        assert process.poll() is None, f"QEMU ended: {process.returncode}"
        self.sock, _ = self.listener.accept()
        self.sock.settimeout(PATIENCE_S)
        self.file = self.sock.makefile("rw")
        self.listener.close()

    def ask(self, line):
        self.file.write(line + "\n")
        self.file.flush()
        return self.file.readline()


class Qemu:
    all = []

    @classmethod
    def stop_all(cls):
        """Ends every QEMU, and so whoever waits for one."""
        stopping.set()
        for qemu in list(cls.all):
            qemu.process.terminate()

    def __init__(self, binary, scratch, *args):
        self.log = os.path.join(scratch, "qemu.log")
        qtest, qmp = (Lines(os.path.join(scratch, n)) for n in ("qtest", "qmp"))
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [binary, "-M", "pc,memory-backend=ram", "-m", "64",
                 "-object", "memory-backend-memfd,id=ram,size=64M,share=on",
                 "-nodefaults", "-display", "none", "-accel", "qtest",
                 "-qtest", f"unix:{scratch}/qtest",
                 "-qtest-log", "/dev/null", "-qmp", f"unix:{scratch}/qmp",
                 *args], stderr=log, stdout=log)
        self.all.append(self)
        self.qtest, self.monitor = qtest, qmp
        try:
            for lines in (qtest, qmp):
                lines.accept(self.process)
            self.monitor.file.readline()
            self.qmp("qmp_capabilities")
        except BaseException:
            self.quit()
            raise

    def text(self):
        with open(self.log) as log:
            return log.read()

    def alive(self):
        return self.process.poll() is None

    def quit(self):
        if self.alive():
            self.process.terminate()
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def qmp(self, command, **arguments):
        reply = json.loads(self.monitor.ask(
            json.dumps({"execute": command, "arguments": arguments})))
        while "event" in reply:
            reply = json.loads(self.monitor.file.readline())
        if "error" in reply:
            raise AssertionError(f"{command}: {reply['error']['desc']}")
        return reply["return"]

    def try_qmp(self, command, **arguments):
        try:
            self.qmp(command, **arguments)
        except AssertionError:
            return False
        return True

    def hmp(self, line):
        return self.qmp("human-monitor-command", **{"command-line": line})

    def pc(self):
        """The one virtio-pc device, as the monitor shows it."""
        return self.qmp("x-query-virtio-pc")[0]

    # ---- qtest: ports and memory ----

    def command(self, line):
        answer = self.qtest.ask(line).split()
        while answer and answer[0] == "IRQ":
            answer = self.qtest.file.readline().split()
        if not answer or answer[0] != "OK":
            raise AssertionError(f"qtest: {line}: {answer}")
        return int(answer[1], 16) if len(answer) > 1 else 0

    def write(self, addr, data):
        self.command(f"write {addr:#x} {len(data):#x} 0x{data.hex()}")

    def read(self, addr, length):
        return bytes.fromhex(f"{self.command(f'read {addr:#x} {length:#x}'):0{2 * length}x}")

    def read16(self, addr):
        return struct.unpack("<H", self.read(addr, 2))[0]

    def config(self, offset, value=None, width="l"):
        self.command(f"outl 0xcf8 {0x80000000 | SLOT << 11 | offset & 0xfc:#x}")
        port = 0xcfc + (offset & 3)
        if value is None:
            return self.command(f"in{width} {port:#x}")
        return self.command(f"out{width} {port:#x} {value:#x}")


class Driver:
    """Drives one queue of the virtio-pc device in PCI slot SLOT."""

    def __init__(self, qemu):
        self.qemu, self.where, self.posted = qemu, {}, 0
        q = qemu
        q.config(0x14, BAR_MSIX)
        q.config(0x20, BAR_MODERN)
        q.config(0x24, 0)
        q.config(0x04, 0x6, "w")        # memory, bus master
        cap = q.config(0x34, width="b")
        while cap:
            kind = q.config(cap, width="b")
            if kind == CAP_VENDOR:
                self.where[q.config(cap + 3, width="b")] = \
                    BAR_MODERN + q.config(cap + 8)
            elif kind == CAP_MSIX:
                q.config(cap + 2, 0x8000, "w")
                self.pba = BAR_MSIX + (q.config(cap + 8) & ~7)
            cap = q.config(cap + 1, width="b")

    def common(self, offset, value=None, width="l"):
        addr = self.where[COMMON] + offset
        if value is None:
            return self.qemu.command(f"read{width} {addr:#x}")
        return self.qemu.command(f"write{width} {addr:#x} {value:#x}")

    def device_config(self):
        return struct.unpack("<HHIII", self.qemu.read(self.where[DEVICE], 16))

    def features(self):
        words = []
        for i in range(2):
            self.common(0, i)
            words.append(self.common(4))
        return words[0] | words[1] << 32

    def vector(self, n):
        """Vector n writes n + 1 to its mark."""
        self.qemu.write(BAR_MSIX + 16 * n,
                        struct.pack("<QII", MARKS + 4 * n, n + 1, 0))

    def call_after(self, used):
        """The device is to call with the used element after so many."""
        self.qemu.write(AVAIL + 4 + 2 * self.size, struct.pack("<H", used))

    def mask(self, on, n=0):
        self.qemu.write(BAR_MSIX + 16 * n + 12, struct.pack("<I", on))

    def pending(self, n=0):
        """Does the interrupt of a masked vector wait?"""
        return self.qemu.command(f"readl {self.pba + n // 32 * 4:#x}") >> n % 32 & 1

    def interrupted(self, n=0):
        return self.qemu.read(MARKS + 4 * n, 4) != b"\0\0\0\0"

    def clear_mark(self, n=0):
        self.qemu.write(MARKS + 4 * n, b"\0\0\0\0")

    def reset(self):
        self.common(20, 0, "b")

    def start(self, size=16, queue=0):
        self.reset()
        self.size, self.queue, self.posted = size, queue, 0
        self.common(20, ACK | DRIVER, "b")
        want = self.features() & (F_EVENT_IDX | F_VERSION_1 | 3)
        for i in range(2):
            self.common(8, i)
            self.common(12, want >> 32 * i & 0xffffffff)
        self.common(20, ACK | DRIVER | FEATURES_OK, "b")
        self.qemu.command(f"memset {DESC:#x} 0x4000 0x0")
        self.clear_mark()
        self.vector(0)
        self.common(22, queue, "w")     # queue_select
        self.common(24, size, "w")
        self.common(26, 0, "w")         # queue_msix_vector
        for offset, addr in ((32, DESC), (40, AVAIL), (48, USED)):
            self.common(offset, addr)
            self.common(offset + 4, 0)
        self.common(28, 1, "w")         # queue_enable
        self.common(20, ACK | DRIVER | FEATURES_OK | DRIVER_OK, "b")

    def post(self, *numbers, kick=True):
        """Publishes one item for each number; at most the ring's size."""
        for number in numbers:
            slot = self.posted % self.size
            addr = BUFFERS + BUFFER_BYTES * slot
            self.qemu.write(addr, struct.pack("<Q", number))
            self.qemu.write(DESC + 16 * slot,
                            struct.pack("<QIHH", addr, BUFFER_BYTES, 0, 0))
            self.qemu.write(AVAIL + 4 + 2 * slot, struct.pack("<H", slot))
            self.posted = (self.posted + 1) & 0xffff
        self.qemu.write(AVAIL + 2, struct.pack("<H", self.posted))
        if kick:
            self.kick()

    def kick(self):
        # QEMU's notify_off_multiplier is 4.
        addr = self.where[NOTIFY] + 4 * self.queue
        self.qemu.command(f"writew {addr:#x} {self.queue:#x}")

    def used(self):
        return self.qemu.read16(USED + 2)
