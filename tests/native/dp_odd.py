#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""dp_odd.py relay FROM TO | old PATH | bad PATH | torn PATH | wild PATH

What a host controller may find behind a dataplane's control socket. relay: a way through
which no descriptor passes, to a real one at TO. old: one from before `telemetry` took
arguments and there was a page. bad: a page that its sender could cut short. torn: a page
whose only thread stands amid a sample. wild: answers each order by the next of all the things
that are no answer, and says "all" when it is through.
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


OK = b'{"v":1,"id":%d,"ok":true,"result":'
WILD = [
    OK + b"[]}\n", OK + b"null}\n", b'{"v":1,"id":%d,"ok":true}\n', b'{"v":1,"id":%d,"ok":false}\n',
    b'{"v":1,"id":%d,"ok":false,"error":7}\n',
    b'{"v":1,"id":%d,"ok":false,"error":{"code":["busy"],"message":{}}}\n',
    OK + b'{"status":1,"active":-1,"threads":{"a":[[]]},"moves":[7]}}\n',
    OK + b'{"status":1,"active":1e9,"threads":[1,2,"]"],"moves":{"under_way":1e300}}}\n',
    OK + b'{"version":1,"now_ns":1e999,"all":{"batch":1e99,"items":-1,"taken_ns":"x","queue":null}}}\n',
    OK + b'{"version":1,"now_ns":9,"all":{"batch":1,"items":1e18,"taken_ns":8,"queue":1e30,"tau_ns":1e30}}}\n',
    OK + b"{" * 3000 + b"\n", OK + b"[" * 3000 + b"]" * 3000 + b"}\n",
    # What does not answer the order is followed by the end of the connection.
    b"{}\n", b'{"id":"%d","ok":1}\n', b'{"id":1e300}\n{"id":-1}\n{"id":15999999,"ok":true}\n' * 50,
    b"\n", b"nonsense\n", b"\0" * 9 + b"\n", b"{" * 2000000, b'{"v":1,"id":%d,"o', b"",
]
WILD_FILES = [lambda: os.open("/dev/null", os.O_RDWR), lambda: os.memfd_create("short"), lambda: page(0, 0)]


def wild_answer(c, order, line):
    told = line.replace(b"%d", b"%d" % order["id"])
    if order["cmd"] == "telemetry-page":
        fd = WILD_FILES[order["id"] % len(WILD_FILES)]()
        socket.send_fds(c, [told], [fd])
        os.close(fd)
    else:
        c.sendall(told)
    return b'"id":%d,"ok":' in line


def wild(path):
    s = listen(path)
    n = 0
    while True:
        c = s.accept()[0]
        try:
            for line in c.makefile("r"):
                order = json.loads(line)
                # Who asks for a page, which is done first, gets an answer, and may ask for more.
                n += order["cmd"] != "telemetry-page"
                if n == len(WILD):
                    print("all", flush=True)
                if not wild_answer(c, order, WILD[0] if order["cmd"] == "telemetry-page" else WILD[n % len(WILD)]):
                    break
        except (BrokenPipeError, ConnectionError):
            pass
        c.close()


try:
    if sys.argv[1] in ("relay", "wild"):
        globals()[sys.argv[1]](*sys.argv[2:])
    else:
        play(*sys.argv[1:3])
except (BrokenPipeError, ConnectionError):
    pass
