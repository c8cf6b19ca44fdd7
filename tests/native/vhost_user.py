# SPDX-License-Identifier: GPL-2.0-or-later
"""A vhost-user frontend that can also misbehave, a client of the control
socket, and a ringpaced to try them on. For the tests of this directory."""
import atexit
import json
import mmap
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
WAIT_S = 20

(GET_FEATURES, SET_FEATURES, SET_OWNER, RESET_OWNER, SET_MEM_TABLE, SET_LOG_BASE,
 SET_LOG_FD, SET_VRING_NUM, SET_VRING_ADDR, SET_VRING_BASE, GET_VRING_BASE,
 SET_VRING_KICK, SET_VRING_CALL, SET_VRING_ERR, GET_PROTOCOL_FEATURES,
 SET_PROTOCOL_FEATURES, GET_QUEUE_NUM, SET_VRING_ENABLE) = range(1, 19)
GET_CONFIG, SET_CONFIG, GET_INFLIGHT_FD, SET_INFLIGHT_FD = 24, 25, 31, 32
GET_MAX_MEM_SLOTS, ADD_MEM_REG, REM_MEM_REG = 36, 37, 38

F_EVENT_IDX, F_VERSION_1, F_PROTOCOL = 1 << 29, 1 << 32, 1 << 30
ITEM_FIRST = 1

SLOTS = 16
GPA, QVA = 0x40000000, 0x7f0000000000
MEM_BYTES = 4 << 20
# Of queue i, from i * RING_STRIDE on.
DESC, AVAIL, USED, RING_STRIDE = 0, 0x400, 0x800, 0x1000
DATA = 0x200000


class Closed(Exception):
    """The daemon has closed the connection."""


class Frontend:
    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(WAIT_S)
        self.sock.connect(path)
        self.fds = []
        self.sent = {}

    def close(self):
        self.sock.close()
        for fd in self.fds:
            os.close(fd)
        self.fds = []

    def send_raw(self, data, fds=()):
        try:
            socket.send_fds(self.sock, [data], fds)
        except (BrokenPipeError, ConnectionResetError):
            raise Closed from None

    def send(self, request, payload=b"", fds=(), flags=1, size=None):
        size = len(payload) if size is None else size
        self.send_raw(struct.pack("<III", request & 0xffffffff, flags, size) + payload, fds)

    def recv_exactly(self, n):
        data = b""
        while len(data) < n:
            try:
                part = self.sock.recv(n - len(data))
            except ConnectionResetError:
                part = b""
            if not part:
                raise Closed
            data += part
        return data

    def ask(self, request, payload=b"", fds=(), flags=1):
        self.send(request, payload, fds, flags)
        got, _, size = struct.unpack("<III", self.recv_exactly(12))
        assert got == request, f"a reply to {got}, not to {request}"
        return self.recv_exactly(size)

    def ask_u64(self, request, payload=b"", fds=(), flags=1):
        return struct.unpack("<Q", self.ask(request, payload, fds, flags))[0]

    def wait_closed(self):
        """True once the daemon has closed the connection."""
        try:
            while self.recv_exactly(1):
                pass
        except Closed:
            return True

    def eventfd(self, count=0, flags=os.EFD_NONBLOCK):
        fd = os.eventfd(0, flags)
        if count:
            os.eventfd_write(fd, count)
        self.fds.append(fd)
        return fd

    # ---- Setting up ----

    def negotiate(self, features=F_EVENT_IDX | F_VERSION_1 | F_PROTOCOL):
        self.send(SET_OWNER)
        self.offered = self.ask_u64(GET_FEATURES)
        self.protocol = self.ask_u64(GET_PROTOCOL_FEATURES)
        self.send(SET_PROTOCOL_FEATURES, struct.pack("<Q", self.protocol))
        self.send(SET_FEATURES, struct.pack("<Q", features))

    def share_memory(self):
        self.memfd = os.memfd_create("guest")
        self.fds.append(self.memfd)
        os.ftruncate(self.memfd, MEM_BYTES)
        self.mem = mmap.mmap(self.memfd, MEM_BYTES)
        self.send(SET_MEM_TABLE, mem_table([(GPA, MEM_BYTES, QVA, 0)]), [self.memfd])

    def start_queue(self, index=0, call=None, base=0):
        self.kick = self.eventfd()
        self.call = self.eventfd() if call is None else call
        at = index * RING_STRIDE
        self.send(SET_VRING_NUM, struct.pack("<II", index, SLOTS))
        self.send(SET_VRING_BASE, struct.pack("<II", index, base))
        self.send(SET_VRING_ADDR, vring_addr(index, at))
        self.send(SET_VRING_CALL, struct.pack("<Q", index), [self.call])
        self.send(SET_VRING_KICK, struct.pack("<Q", index), [self.kick])
        self.send(SET_VRING_ENABLE, struct.pack("<II", index, 1))
        self.sent[index] = base
        # An answer means that all of it has been taken in.
        self.ask_u64(GET_QUEUE_NUM)

    def start(self, queues=(0,)):
        self.negotiate()
        self.share_memory()
        for i in queues:
            self.start_queue(i)

    # ---- The ring ----

    def put(self, fmt, at, *values):
        struct.pack_into(fmt, self.mem, at, *values)

    def get(self, fmt, at):
        return struct.unpack_from(fmt, self.mem, at)[0]

    def used_idx(self, index=0):
        return self.get("<H", index * RING_STRIDE + USED + 2)

    def set_avail(self, idx, index=0):
        # Not by pack_into(), which makes it 0 first: the device may be looking.
        at = index * RING_STRIDE + AVAIL + 2
        self.mem[at:at + 2] = struct.pack("<H", idx & 0xffff)
        os.eventfd_write(self.kick, 1)

    def send_item(self, index=0, flags=0, seq=None, item_bytes=64, desc=None):
        n = self.sent[index]
        at, slot = index * RING_STRIDE, n % SLOTS
        data = DATA + (index * SLOTS + slot) * 64
        self.put("<QQII", data, n if seq is None else seq, 0, flags, item_bytes)
        self.put("<QIHH", at + DESC + 16 * slot, *(desc or (GPA + data, 64, 0, 0)))
        self.put("<H", at + AVAIL + 4 + 2 * slot, slot)
        self.sent[index] = n + 1
        self.set_avail(n + 1, index)


def mem_table(regions):
    return struct.pack("<II", len(regions), 0) + \
        b"".join(struct.pack("<QQQQ", *r) for r in regions)


def vring_addr(index, at, desc=None):
    return struct.pack("<IIQQQQ", index, 0, QVA + at + DESC if desc is None else desc,
                       QVA + at + USED, QVA + at + AVAIL, 0)


def wait_for(condition, what):
    end = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.01)


def answers(path):
    """The file is there a moment before anybody listens."""
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(path) == 0


class Daemon:
    """A ringpaced with its own directory: pc0 for the test, pc1 for a bystander.

    @more: further arguments, "{dir}" is that directory.
    """

    def __init__(self, program, pairs=2, more=()):
        self.dir = tempfile.mkdtemp(prefix="rp-test-")
        self.path = os.path.join(self.dir, "pc0.sock")
        self.other_path = os.path.join(self.dir, "pc1.sock")
        self.control_path = os.path.join(self.dir, "ctl")
        self.log_path = os.path.join(self.dir, "log")
        with open(self.log_path, "w") as log:
            self.proc = subprocess.Popen(
                [program, *self.serve(pairs), "--control", self.control_path,
                 "--log-rate", "0", *(arg.format(dir=self.dir) for arg in more)], stderr=log)
        atexit.register(self.discard)
        wait_for(lambda: answers(self.control_path) or self.proc.poll() is not None,
                 "the control socket")

    def serve(self, pairs):
        return ["--device", f"pc0,socket={self.path},pairs={pairs}",
                "--device", f"pc1,socket={self.other_path}"]

    def ask(self, cmd, **args):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(WAIT_S)
            s.connect(self.control_path)
            s.sendall(json.dumps({"v": 1, "cmd": cmd, **args}).encode() + b"\n")
            with s.makefile() as f:
                reply = json.loads(f.readline())
        assert reply["ok"], reply
        return reply["result"]

    def stats(self, queue=0):
        return self.ask("stats", device="pc0", queue=queue)["stats"]

    def queue(self, queue=0):
        return self.ask("list")["devices"][0]["queues"][queue]

    def connected(self):
        return self.ask("list")["devices"][0]["connected"]

    def log(self):
        with open(self.log_path) as f:
            return f.read()

    def frontend(self):
        """Connects once the client before has been given up."""
        wait_for(lambda: not self.connected(), "the device to be free")
        return Frontend(self.path)

    def serves(self):
        """A well-behaved client gets its items consumed."""
        f = self.frontend()
        f.start()
        before = self.stats()["items"]
        for i in range(3):
            f.send_item(flags=ITEM_FIRST if i == 0 else 0)
        wait_for(lambda: f.used_idx() == 3 and self.stats()["items"] == before + 3,
                 "three items to be consumed")
        f.close()
        return self.proc.poll() is None

    def task_status(self, key):
        total = 0
        for task in os.listdir(f"/proc/{self.proc.pid}/task"):
            with open(f"/proc/{self.proc.pid}/task/{task}/status") as f:
                total += sum(int(line.split()[1]) for line in f if line.startswith(key))
        return total

    def status_kib(self, *keys):
        with open(f"/proc/{self.proc.pid}/status") as f:
            return sum(int(line.split()[1]) for line in f if line.startswith(keys))

    def anonymous_kib(self):
        """Counted page by page: /proc/PID/status is off by some pages for every CPU of the machine."""
        with open(f"/proc/{self.proc.pid}/smaps_rollup") as f:
            return sum(int(line.split()[1]) for line in f if line.startswith("Anonymous:"))

    def forget_peak(self):
        with open(f"/proc/{self.proc.pid}/clear_refs", "w") as f:
            f.write("5")

    def stop(self):
        """Exit status after SIGTERM."""
        if self.proc.poll() is None:
            self.proc.send_signal(signal.SIGTERM)
        try:
            return self.proc.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            return self.proc.wait()

    def discard(self):
        """Of a test that was cut short: at once, whatever the daemon does."""
        if os.path.isdir(self.dir):
            self.proc.kill()
            self.remove()

    def remove(self):
        self.stop()
        for name in os.listdir(self.dir):
            os.unlink(os.path.join(self.dir, name))
        os.rmdir(self.dir)


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def check(self, ok, name, diagnosis=""):
        self.count += 1
        self.failed += not ok
        print(f"{'' if ok else 'not '}ok {self.count} - {name}", flush=True)
        if not ok and diagnosis:
            print("".join(f"# {line}\n" for line in str(diagnosis).splitlines()), end="")

    def run(self, name, test, daemon):
        """Passes unless @test raises, or returns something false."""
        try:
            ok, why = test(daemon) is not False, ""
        except (AssertionError, Closed, OSError, ValueError) as e:
            ok, why = False, repr(e)
        self.check(ok, name, why + "\n" + daemon.log()[-2000:])

    def end(self):
        print(f"1..{self.count}", flush=True)
        return 1 if self.failed or not self.count else 0


def exit_on_sigterm():
    """So that a test which takes too long ends its daemons, too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def programs(tap=None):
    """The daemon, and the one built under ASan and UBSan; @tap is told if it is missing."""
    plain = os.path.join(ROOT, "build", "ringpaced")
    asan = os.path.join(ROOT, "build", "asan", "ringpaced")
    if os.path.exists(asan):
        return [("plain", plain), ("asan", asan)]
    if tap:
        tap.check(True, "asan # SKIP build/asan/ringpaced is not built: make sanitizers")
    return [("plain", plain)]
