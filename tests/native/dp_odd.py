#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""dp_odd.py relay FROM TO | old PATH | bad PATH | torn PATH

What a host controller may find behind a dataplane's control socket. relay: a way through
which no descriptor passes, to a real one at TO. old: one from before `telemetry` took
arguments and there was a page. bad: a page that its sender could cut short. torn: a page
whose only thread stands amid a sample.
"""
import fcntl
import json
import os
import select
import socket
import struct
import sys
import time

SEALS = 2 | 4  # F_SEAL_SHRINK | F_SEAL_GROW
F_ADD_SEALS = 1033


def listen(path):
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.listen(4)
    print("ready", flush=True)
    return s


def relay(path, to):
    s = listen(path)
    while True:
        a = s.accept()[0]
        b = socket.socket(socket.AF_UNIX)
        b.connect(to)
        going = True
        while going:
            for one in select.select([a, b], [], [])[0]:
                data = one.recv(65536)
                going = going and bool(data)
                (b if one is a else a).sendall(data)
        a.close()
        b.close()


def page(seals, seq):
    fd = os.memfd_create("page", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, struct.pack("=QIIIIQ", 0x65676170007072, 1, 1, 32, 0, 0).ljust(64, b"\0"))
    os.write(fd, struct.pack("=II", seq, 0).ljust(192, b"\0"))
    if seals:
        fcntl.fcntl(fd, F_ADD_SEALS, seals)
    return fd


def answer(kind, order):
    """The result, or the code of a refusal; and what is passed with it."""
    cmd = order["cmd"]
    if cmd == "telemetry-page" and kind != "old":
        return {"page": 1, "bytes": 256}, page(0 if kind == "bad" else SEALS, kind == "torn")
    if cmd == "telemetry":
        if kind == "old" and "threads" in order:
            return "unknown-key", None
        now = time.monotonic_ns()
        return {"version": 1, "now_ns": now, "all": {"taken_ns": now, "batch": 32}}, None
    if cmd == "status":
        return {"status": 1, "active": 1, "threads": [{"thread": 0}], "moves": {"under_way": 0}}, None
    return "unknown-command", None


def play(kind, path):
    s = listen(path)
    while True:
        c = s.accept()[0]
        for line in c.makefile("r"):
            order = json.loads(line)
            result, fd = answer(kind, order)
            reply = {"v": 1, "id": order["id"], "ok": isinstance(result, dict)}
            if reply["ok"]:
                reply["result"] = result
            else:
                reply["error"] = {"code": result, "message": ""}
            text = (json.dumps(reply) + "\n").encode()
            # Two, where one is asked for.
            socket.send_fds(c, [text], [fd, fd]) if fd is not None else c.sendall(text)
            if fd is not None:
                os.close(fd)


try:
    relay(*sys.argv[2:4]) if sys.argv[1] == "relay" else play(*sys.argv[1:3])
except (BrokenPipeError, ConnectionError):
    pass
