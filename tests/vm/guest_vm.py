# SPDX-License-Identifier: GPL-2.0-or-later
"""A test guest with a virtio-pc device, without libvirt: the patched QEMU,
ringpaced, and clients for the three sockets that take JSON lines (QMP, the
daemon's control socket, the guest's agent).
"""
import json
import os
import socket
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(HERE, "../../build")
QEMU = os.environ.get("RP_QEMU", os.path.join(BUILD, "qemu-system-x86_64"))
# Another kernel and initramfs, memory, words for the kernel, and a place for
# its messages.
GUEST = os.environ.get("RP_GUEST", os.path.join(BUILD, "guest"))
GUEST_MB = os.environ.get("RP_GUEST_MB", "256")
GUEST_WORDS = os.environ.get("RP_GUEST_WORDS", "")
CONSOLE = os.environ.get("RP_GUEST_CONSOLE", "console.log")
# Under TCG beside a busy host; nothing here waits for a fixed time.
PATIENCE_S = int(os.environ.get("RP_GUEST_PATIENCE_S", "180"))


class Failed(Exception):
    """An error object, as an exception."""

    def __init__(self, error):
        super().__init__(json.dumps(error))
        self.code = error.get("code") or error.get("class")


def wait_until(condition):
    """Polls; a test that waits in vain fails."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, f"waited {PATIENCE_S} s in vain"
        time.sleep(0.05)


class Lines:
    """A Unix socket that carries one JSON object a line."""

    def __init__(self, path, process):
        end = time.monotonic() + PATIENCE_S
        while True:
            self.socket = socket.socket(socket.AF_UNIX)
            try:
                self.socket.connect(path)
                break
            except OSError:
                self.socket.close()
                if process.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.05)
        self.socket.settimeout(PATIENCE_S)
        self.file = self.socket.makefile("rwb", buffering=0)

    def send(self, message):
        self.file.write(json.dumps(message).encode() + b"\n")

    def receive(self):
        line = self.file.readline()
        if not line:
            raise EOFError("the connection was closed")
        return json.loads(line)

    def close(self):
        self.file.close()
        self.socket.close()


class Control(Lines):
    """The envelope of docs/control.md; answers may come in any order."""

    def __init__(self, path, process):
        super().__init__(path, process)
        self.last_id = 0
        self.answers = {}

    def begin(self, cmd, **args):
        self.last_id += 1
        self.send({"v": 1, "id": self.last_id, "cmd": cmd, **args})
        return self.last_id

    def end(self, number):
        while number not in self.answers:
            answer = self.receive()
            self.answers[answer["id"]] = answer
        answer = self.answers.pop(number)
        if not answer["ok"]:
            raise Failed(answer["error"])
        return answer["result"]

    def call(self, cmd, **args):
        return self.end(self.begin(cmd, **args))


class Qmp(Lines):
    def __init__(self, path, process):
        super().__init__(path, process)
        self.receive()
        self.call("qmp_capabilities")

    def call(self, command, **arguments):
        self.send({"execute": command, "arguments": arguments})
        while True:
            answer = self.receive()
            if "error" in answer:
                raise Failed(answer["error"])
            if "return" in answer:
                return answer["return"]

    def unplug(self, device):
        """Asks the guest to let go of it, and waits until it has."""
        self.call("device_del", id=device)
        while True:
            message = self.receive()
            if message.get("event") == "DEVICE_DELETED" and \
                    message["data"].get("device") == device:
                return


class Guest:
    """One VM with device pc0, two queue pairs; a context manager."""

    def __init__(self, queue_size=256, pairs=2):
        self.dir = tempfile.TemporaryDirectory(prefix="rp-guest.")
        self.queue_size = queue_size
        self.pairs = pairs
        self.daemon_process = self.qemu = None

    def path(self, name):
        return os.path.join(self.dir.name, name)

    def start(self, name, *argv):
        with open(self.path(name + ".log"), "ab") as log:
            return subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                                    stdout=log, stderr=log)

    def start_daemon(self):
        self.daemon_process = self.start(
            "ringpaced", os.path.join(BUILD, "ringpaced"),
            "--device", f"pc0,socket={self.path('pc0')},pairs={self.pairs}",
            "--control", self.path("control"))
        self.daemon = Control(self.path("control"), self.daemon_process)

    def device_args(self, number=0):
        return {"driver": "virtio-pc-pci", "id": f"pc{number}",
                "bus": f"port{number}", "chardev": f"pc{number}",
                "queue-size": self.queue_size, "queue-pairs": self.pairs}

    def plug_second(self, path):
        """Device pc1, whose backend listens on path."""
        address = {"type": "unix", "data": {"path": path}}
        self.qmp.call("chardev-add", id="pc1", backend={
            "type": "socket", "data": {"addr": address, "server": False}})
        self.qmp.call("device_add", **self.device_args(1), indirect_desc=False)

    def unplug_second(self):
        self.qmp.unplug("pc1")
        self.qmp.call("chardev-remove", id="pc1")

    def start_qemu(self):
        device = ",".join(f"{k}={v}" if k != "driver" else v
                          for k, v in self.device_args().items())
        self.qemu = self.start(
            "qemu", QEMU, "-accel", "tcg,thread=multi", "-cpu", "max",
            "-machine", "q35,memory-backend=ram", "-smp", "2", "-m", GUEST_MB,
            "-object", f"memory-backend-memfd,id=ram,size={GUEST_MB}M,share=on",
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-kernel", os.path.join(GUEST, "vmlinuz"),
            "-initrd", os.path.join(GUEST, "initrd"),
            "-append", "console=ttyS0 quiet tsc=reliable panic=-1 oops=panic " + GUEST_WORDS,
            "-serial", "file:" + self.path(CONSOLE),
            "-qmp", f"unix:{self.path('qmp')},server=on,wait=off",
            "-device", "pcie-root-port,id=port0,chassis=1",
            "-device", "pcie-root-port,id=port1,chassis=2",
            "-chardev", f"socket,id=pc0,path={self.path('pc0')},reconnect=1",
            "-device", device,
            "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=agent,path={self.path('agent')},server=on,wait=off",
            "-device", "virtserialport,chardev=agent,name=org.ringpace.agent.0")
        self.qmp = Qmp(self.path("qmp"), self.qemu)
        self.agent = Control(self.path("agent"), self.qemu)

    def __enter__(self):
        try:
            self.start_daemon()
            self.start_qemu()
        except BaseException:
            self.__exit__()
            raise
        return self

    def logs(self):
        for name in CONSOLE, "qemu.log", "ringpaced.log":
            try:
                with open(self.path(name), errors="replace") as f:
                    yield name, f.read()
            except OSError:
                pass

    def __exit__(self, *_):
        for process in self.qemu, self.daemon_process:
            if process and process.poll() is None:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self.dir.cleanup()
