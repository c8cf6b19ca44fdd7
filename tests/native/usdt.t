#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# ringpaced's USDT probes fire as often as its statistics say. perf's events are
# the kernel's, so they have a name of our own and are deleted at the end; its
# build-id cache and, where there is none, tracefs are private to the test.
import atexit
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from vhost_user import *

TRACEFS = "/sys/kernel/tracing"
# Probes, and what the statistics call it.
COUNTED = {"kick": "received", "block": "blocks", "call": "sent"}
USED_EVENT = AVAIL + 4 + 2 * SLOTS


def skip(why):
    print(f"1..0 # SKIP {why}")
    sys.exit(0)


def own_tracefs():
    """Mounts tracefs where only this process and its children see it."""
    if os.access(f"{TRACEFS}/uprobe_events", os.W_OK):
        return
    if os.geteuid() != 0:
        skip("uprobes need root")
    if os.environ.get("RP_OWN_MOUNTS") != "1":
        os.environ["RP_OWN_MOUNTS"] = "1"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, *sys.argv])
    subprocess.run(["mount", "-t", "tracefs", "tracefs", TRACEFS], stderr=subprocess.DEVNULL)
    if not os.access(f"{TRACEFS}/uprobe_events", os.W_OK):
        skip("the kernel has no uprobes, or no tracefs can be mounted")


class Perf:
    """perf with a build-id cache and an event group that are only ours."""

    def __init__(self, program):
        self.group = f"rp_test_{os.getpid()}"
        self.dir = tempfile.mkdtemp(prefix="rp-test-perf-")
        atexit.register(self.remove)
        self.do("buildid-cache", "--add", program)
        for name in COUNTED:
            # "p:sdt_ringpaced/kick PROGRAM:OFFSET ARGUMENTS", under our name.
            line = self.do("probe", "-q", "-D", f"sdt_ringpaced:{name}").split()
            self.change(f"p:{self.group}/{name} {line[1]}")

    def do(self, *args):
        r = subprocess.run(["perf", "--buildid-dir", self.dir, *args], text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert r.returncode == 0, f"perf {args[0]}: {r.stderr}"
        return r.stdout

    @staticmethod
    def change(line):
        fd = os.open(f"{TRACEFS}/uprobe_events", os.O_WRONLY | os.O_APPEND)
        try:
            os.write(fd, line.encode() + b"\n")
        except OSError as e:
            raise AssertionError(f"uprobe_events: {line}: {e}") from None
        finally:
            os.close(fd)

    def start(self, pid):
        """Returns once it counts."""
        orders, answers = (os.path.join(self.dir, name) for name in ("orders", "answers"))
        os.mkfifo(orders)
        os.mkfifo(answers)
        self.out = os.path.join(self.dir, "counts")
        events = ",".join(f"{self.group}:{name}" for name in COUNTED)
        self.stat = subprocess.Popen(
            ["perf", "stat", "-x", ";", "-o", self.out, "-e", events, "-p", str(pid), "-D", "-1",
             "--control", f"fifo:{orders},{answers}"], stderr=subprocess.DEVNULL)
        # For reading, too, so that neither end waits for a perf that is gone.
        with open(os.open(orders, os.O_RDWR), "wb", buffering=0) as to, \
                open(os.open(answers, os.O_RDWR), "rb", buffering=0) as back:
            to.write(b"enable\n")
            assert select.select([back], [], [], WAIT_S)[0], "perf stat does not answer"
            assert back.read(64).startswith(b"ack")

    def counts(self):
        self.stat.send_signal(signal.SIGINT)
        self.stat.wait(WAIT_S)
        with open(self.out) as f:
            rows = [line.split(";") for line in f if self.group in line]
        return {row[2].split(":")[1]: int(row[0]) for row in rows}

    def remove(self):
        if hasattr(self, "stat") and self.stat.poll() is None:
            self.stat.kill()
            self.stat.wait()
        with open(f"{TRACEFS}/uprobe_events") as f:
            there = f.read()
        for name in [n for n in COUNTED if f"{self.group}/{n} " in there]:
            self.change(f"-:{self.group}/{name}")
        shutil.rmtree(self.dir, ignore_errors=True)


def fires(d, perf):
    f = d.frontend()
    f.start()

    def settled():
        s = d.stats()
        time.sleep(0.02)
        return s == {**d.stats(), "duration_ns": s["duration_ns"], "cpu_ns": s["cpu_ns"]}

    wait_for(settled, "the queue to block")
    perf.start(d.proc.pid)
    before = d.stats()
    for i in range(50):
        f.put("<H", USED_EVENT, i)
        f.send_item(flags=0 if i else ITEM_FIRST)
        wait_for(lambda: f.used_idx() == i + 1, "an item to be consumed")
    wait_for(settled, "the queue to block")
    after, counts = d.stats(), perf.counts()
    told = {name: after[stat] - before[stat] for name, stat in COUNTED.items()}
    print(f"# {counts}")
    assert counts == told, f"statistics say {told}"
    assert min(counts.values()) > 10, counts
    f.close()


def main():
    exit_on_sigterm()
    if not shutil.which("perf"):
        skip("perf is not installed")
    own_tracefs()
    program = os.path.realpath(programs()[0][1])
    tap = Tap()
    d = Daemon(program)
    perf = Perf(program)
    tap.run("probes fire as often as the statistics say", lambda d: fires(d, perf), d)
    perf.remove()
    with open(f"{TRACEFS}/uprobe_events") as f:
        tap.check(perf.group not in f.read(), "perf's events are deleted")
    tap.check(d.stop() == 0, "exit status 0", d.log()[-4000:])
    d.remove()
    return tap.end()


sys.exit(main())
