#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# `ringpace top`: the queues that are there, in JSON, as tables, and on a
# terminal of its own; daemons that come, go and hang.
import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from vhost_user import *

LIMIT_S = 60
RINGPACE = os.environ.get("RINGPACE", os.path.join(ROOT, "build", "ringpace"))
KEYS = ["backend", "socket", "pid", "device", "queue", "dir", "strategy", "regime", "mode", "unmet",
        "broken", "y_ns", "k", "window", "queue_len", "items_per_s", "kicks_per_s", "calls_per_s",
        "sleeps_per_s", "batch", "p98_ns", "dmax_ns", "dmax_met", "late", "cpu_host", "cpu_driver",
        "t_ns", "predicted_t_ns", "burst", "occupancy"]


def until(condition, what):
    end = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.02)


class Feeder(threading.Thread):
    """A driver that sends items to queue 0 for as long as the test takes."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.front = daemon.frontend()
        self.front.start()
        self.ended = threading.Event()

    def run(self):
        first = ITEM_FIRST
        while not self.ended.is_set():
            if (self.front.sent[0] - self.front.used_idx()) & 0xffff < SLOTS:
                self.front.send_item(flags=first)
                first = 0
            else:
                time.sleep(0.001)

    def end(self):
        self.ended.set()
        self.join(LIMIT_S)
        self.front.close()


def top(*args):
    return subprocess.run([RINGPACE, "top", "--interval-ms", "100", *args], capture_output=True,
                          text=True, timeout=LIMIT_S, stdin=subprocess.DEVNULL)


class Stream:
    """`ringpace top --json`, line by line."""

    def __init__(self, *args):
        self.proc = subprocess.Popen([RINGPACE, "top", "--json", "--interval-ms", "100", *args],
                                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                     preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        atexit.register(self.proc.kill)

    def until(self, condition, what):
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end:
            v = json.loads(self.proc.stdout.readline())
            if condition(v):
                return v
        raise AssertionError(f"waited in vain for {what}")

    def stop(self, sig):
        self.proc.send_signal(sig)
        return self.proc.wait(LIMIT_S)


class Terminal:
    """`ringpace top` on a pseudo-terminal, and what it wrote there."""

    def __init__(self, columns, *args):
        self.master, slave = pty.openpty()
        self.resize(columns)
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.text = b""
        self.proc = subprocess.Popen(
            [RINGPACE, "top", "--interval-ms", "100", *args], stdin=slave, stdout=slave,
            stderr=subprocess.PIPE, env={**os.environ, "TERM": "xterm"}, start_new_session=True,
            preexec_fn=lambda: (fcntl.ioctl(0, termios.TIOCSCTTY, 0),
                                signal.signal(signal.SIGINT, signal.SIG_DFL)))
        atexit.register(self.proc.kill)

    def resize(self, columns, rows=24):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, limit_s=0.05):
        if select.select([self.master], [], [], limit_s)[0]:
            self.text += os.read(self.master, 65536)
        return self.text

    def until(self, word):
        until(lambda: word in self.read(), f"{word!r}; there is {self.text[-400:]!r}")

    def key(self, keys):
        self.text = b""
        os.write(self.master, keys)

    def wait(self):
        until(lambda: self.read() is not None and self.proc.poll() is not None, "its end")
        while select.select([self.master], [], [], 0)[0]:
            self.read()
        return self.proc.returncode

    def restored(self):
        """Out of the alternate screen, and the line discipline as it was."""
        return b"\x1b[?1049l" in self.text and termios.tcgetattr(self.slave) == self.before

    def close(self):
        os.close(self.slave)
        os.close(self.master)
        self.proc.stderr.close()


def of(v, path, queue=0):
    return [q for q in v["queues"] if q["socket"] == path and q["queue"] == queue]


def test_json(d):
    d.ask("set", device="pc0", queue=0, dmax_ns=1000000)
    r = top("--json", "--once", "--socket", d.control_path)
    assert r.returncode == 0 and r.stderr == "" and r.stdout.count("\n") == 1, r
    v = json.loads(r.stdout)
    assert v["interval_ns"] == 100000000 and [s["error"] for s in v["sources"]] == [None], v
    assert len(v["queues"]) == 1, v
    q = v["queues"][0]
    assert list(q) == KEYS, q
    assert (q["backend"], q["pid"], q["device"], q["dir"]) == ("ringpaced", d.proc.pid, "pc0", "fwd")
    assert (q["strategy"], q["mode"], q["k"], q["y_ns"]) == ("notify", "block", 1, None)
    assert q["items_per_s"] > 0 and q["kicks_per_s"] > 0 and q["batch"] > 0 and q["t_ns"] > 0
    assert q["cpu_host"] > 0 and q["cpu_driver"] is None and q["p98_ns"] > 0
    assert q["dmax_ns"] == 1000000 and q["late"] is not None and q["dmax_met"] is not None


def test_follows(d):
    s = Stream("--socket", d.control_path)
    s.until(lambda v: of(v, d.control_path), "a queue")
    d.ask("set", device="pc0", queue=0, strategy="sleep", y_ns=200000)
    q = s.until(lambda v: [q for q in of(v, d.control_path) if q["mode"] == "sleep" and
                           q["sleeps_per_s"]], "another mode")["queues"][0]
    assert q["y_ns"] == 200000 and q["k"] is None, q
    d.ask("set", device="pc0", queue=0, strategy="notify")
    # A reset must not make rates of it that are negative or wild.
    d.ask("reset", device="pc0", queue=0)
    for _ in range(3):
        v = s.until(lambda v: True, "a line")
        assert all((q["items_per_s"] or 0) >= 0 and (q["cpu_host"] or 0) < 2 for q in v["queues"]), v
    assert s.stop(signal.SIGINT) == 130


def test_finds(d):
    s = Stream()
    v = s.until(lambda v: of(v, d.control_path), "a daemon that was there before")
    other = Daemon(d.proc.args[0])
    s.until(lambda v: other.control_path in [x["socket"] for x in v["sources"]], "a new daemon")
    feeder = Feeder(other)
    feeder.start()
    s.until(lambda v: of(v, other.control_path) and of(v, other.control_path)[0]["items_per_s"],
            "its queue")
    feeder.end()
    s.until(lambda v: not of(v, other.control_path), "its driver to be gone")
    other.remove()
    s.until(lambda v: other.control_path not in [x["socket"] for x in v["sources"]],
            "it to be gone")
    v = s.until(lambda v: of(v, d.control_path), "the first one, still")
    assert s.stop(signal.SIGTERM) == 130


def test_hangs(d):
    other = Daemon(d.proc.args[0])
    s = Stream("--socket", other.control_path, "--socket", d.control_path)
    s.until(lambda v: v["sources"][0]["error"] is None and of(v, d.control_path), "both")
    other.proc.send_signal(signal.SIGSTOP)
    v = s.until(lambda v: v["sources"][0]["error"], "a hanging daemon to be noticed")
    assert "no answer" in v["sources"][0]["error"], v
    s.until(lambda v: of(v, d.control_path) and of(v, d.control_path)[0]["items_per_s"], "the other's queue")
    other.proc.send_signal(signal.SIGCONT)
    s.until(lambda v: v["sources"][0]["error"] is None, "it to be back")
    s.stop(signal.SIGTERM)
    other.remove()


def test_table(d):
    r = top("--once", "--socket", d.control_path)
    lines = r.stdout.splitlines()
    assert r.returncode == 0 and len(lines) == 2 and lines[1].startswith("pc0:0"), r
    assert "notify" in lines[1] and d.control_path in lines[1], r
    # Not a terminal: a table every interval.
    p = subprocess.Popen([RINGPACE, "top", "--interval-ms", "100", "--socket", d.control_path],
                         stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    atexit.register(p.kill)
    heads = 0
    while heads < 3:
        heads += p.stdout.readline().startswith("queue")
    p.stdout.close()
    p.terminate()
    p.wait(LIMIT_S)


def test_screen(d):
    t = Terminal(80, "--socket", d.control_path)
    t.until(b"pc0:0>")
    for word in (b"REG", b"MODE", b"Y|k", b"WIN", b"ITEMS", b"KICK", b"CALL", b"P98", b"DMAX",
                 b"CPU%", b"MODEL", b"block"):
        t.until(word)
    assert b"STRATEGY" not in t.text, "there is no room for it in 80 columns"
    t.key(b"p")
    t.until(b"PAUSED")
    t.key(b"p>")
    t.until(b"regime")
    t.key(b"r")
    t.until(b"reversed")
    t.text = b""
    t.resize(140)
    t.until(b"STRATEGY")
    t.until(b"SOCKET")
    t.key(b"q")
    assert t.wait() == 0
    assert t.restored(), t.text[-200:]
    assert t.proc.stderr.read() == b""
    t.close()


def test_interrupted(d):
    for columns in (80, 20):
        t = Terminal(columns, "--socket", d.control_path)
        t.until(b"pc0:0>")
        t.key(b"\x03")
        assert t.wait() == 130, "Ctrl-C"
        assert t.restored(), t.text[-200:]
        t.close()


def test_wrong_use(d):
    for args, word in ((["--interval-ms", "10"], "50 ms"), (["--sort", "luck"], "luck"),
                       (["surplus"], "surplus"), (["--interval-ms", "soon"], "soon")):
        r = top(*args)
        assert r.returncode == 2 and word in r.stderr and not r.stdout, (args, r)
    r = top("--once", "--socket", d.dir + "/nobody")
    assert r.returncode == 1 and "nobody" in r.stderr and r.stderr.count("\n") == 1, r
    r = top("--help")
    assert r.returncode == 0 and "Example" in r.stdout and " ms " in r.stdout, r


def main():
    exit_on_sigterm()
    tap = Tap()
    d = Daemon(programs()[0][1])
    feeder = Feeder(d)
    feeder.start()
    for name, test in (("one object, its keys, its figures", test_json),
                       ("it follows modes and resets; Ctrl-C ends it", test_follows),
                       ("daemons come and go", test_finds),
                       ("one that hangs holds nobody up", test_hangs),
                       ("tables without a terminal", test_table),
                       ("a screen of 80 columns, keys, a new size, the end", test_screen),
                       ("Ctrl-C gives the terminal back", test_interrupted),
                       ("wrong use", test_wrong_use)):
        tap.run(name, test, d)
    feeder.end()
    d.remove()
    return tap.end()


sys.exit(main())
