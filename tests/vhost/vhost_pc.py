# SPDX-License-Identifier: GPL-2.0-or-later
"""A virtio-pc device in the kernel that another process holds, through the
control file. Structures are taken from the header beside this file.
"""
import fcntl
import os
import re
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
NODE, CONTROL = "/dev/vhost-pc", "/dev/vhost-pc-control"
STRATEGIES = {"notify": 0, "sleep": 1, "busy": 2, "adaptive": 3}
READY, BROKEN, SEQ = 1, 4, 8
WRITE, READ = 1, 2
FORMATS = {"__u32": "I", "__s32": "i", "__u64": "Q", "__s64": "q", "__u8": "B",
           "char": "s"}


def headers():
    text = ""
    for name in "virtio_pc.h", "vhost_pc.h":
        with open(os.path.join(HERE, name)) as f:
            text += f.read()
    return text


class Struct:
    """One of the header's, all integers; nested ones are flattened."""
    text = headers()

    def length(self, text):
        """Of an array: a number, or a name of one."""
        return int(text if text.isdigit() else
                   re.search(rf"^#define {text}\t(\d+)$", self.text, re.M)[1])

    def __init__(self, name):
        body = re.search(rf"^struct {name} {{(.*?)^}};", self.text, re.M | re.S)
        self.names, layout = [], "="
        for kind, field, length in re.findall(r"^\t([\w ]+?) (\w+)(?:\[(\w+)\])?;",
                                              body[1], re.M):
            if kind.startswith("struct "):
                nested = Struct(kind.split()[1])
                # Another structure's name may be taken.
                self.names += [field + "." + n if n in self.names else n
                               for n in nested.names]
                layout += nested.layout.format[1:]
            elif length:
                self.names.append(field)
                layout += f"{self.length(length) * struct.calcsize('=' + FORMATS[kind])}s"
            else:
                self.names.append(field)
                layout += FORMATS[kind]
        self.layout = struct.Struct(layout)
        self.zero = dict(zip(self.names, self.layout.unpack(bytes(self.layout.size))))

    def ioctl(self, fd, number, direction, values):
        values = {**self.zero, **values,
                  "size_bytes": self.layout.size}
        buffer = bytearray(self.layout.pack(*(values[n] for n in self.names)))
        fcntl.ioctl(fd, request(direction, number, len(buffer)), buffer)
        return dict(zip(self.names, self.layout.unpack(buffer)))


def request(direction, number, size):
    return direction << 30 | size << 16 | 0xb7 << 8 | number


INFO, PARAMS, START, STATS, DEVICE, LEARNED = (
    Struct("vhost_pc_" + n)
    for n in ("info", "params", "start", "stats", "device", "learned"))


class Device:
    """The device whose owner is process pid."""

    def __init__(self, pid):
        self.fd = os.open(CONTROL, os.O_RDWR | os.O_CLOEXEC)
        found = {"device": -1, "owner_pid": 0}
        while found["owner_pid"] != pid:
            # ENOENT after the last one.
            found = DEVICE.ioctl(self.fd, 0x2e, READ | WRITE,
                                 {"device": found["device"] + 1})
        self.order(0x2f, found["device"])

    def close(self):
        os.close(self.fd)

    def order(self, number, value):
        fcntl.ioctl(self.fd, request(WRITE, number, 4), struct.pack("=I", value))

    def info(self):
        return INFO.ioctl(self.fd, 0x22, READ, {})

    def set(self, queue, strategy, y_ns=200000, burst=8, **more):
        """Parameters of the host's party; its statistics begin anew."""
        params = PARAMS.ioctl(self.fd, 0x23, READ | WRITE, {"queue": queue})
        params.update(strategy=STRATEGIES[strategy], y_ns=y_ns, burst=burst, **more)
        PARAMS.ioctl(self.fd, 0x24, WRITE, params)
        self.order(0x28, queue)

    def start(self, queue, max_items):
        START.ioctl(self.fd, 0x25, WRITE, {"queue": queue, "max_items": max_items})

    def learned(self, queue):
        """What its strategies know: the strategy's number, data."""
        l = LEARNED.ioctl(self.fd, 0x30, READ | WRITE, {"queue": queue})
        return l["strategy"], l["data"][:l["bytes"]]

    def teach(self, queue, strategy, data):
        LEARNED.ioctl(self.fd, 0x31, WRITE, {
            "queue": queue, "strategy": strategy, "bytes": len(data), "data": data})

    def stats(self, queue):
        return STATS.ioctl(self.fd, 0x27, READ | WRITE, {"queue": queue})
