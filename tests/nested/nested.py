# SPDX-License-Identifier: GPL-2.0-or-later
"""What the nested host's tests share. RP_NESTED_HOST names an L1 that all files
use and that whoever set it ends; else a file has one of its own. Each test has a
time limit, and one more try, on a machine started anew, when the machine or the
guest in it died or stood still: two levels of emulation do so now and then.
"""
import json
import os
import re
import signal
import subprocess
import sys
import time
import traceback

BUILD = os.path.abspath(os.environ.get("RP_BUILD", "build"))
RINGPACE = os.path.join(BUILD, "ringpace")
SHARED = os.environ.get("RP_NESTED_HOST")
UP_S = 500      # with the snapshot, on a busy machine
EXEC_S = 120
TEST_S = 400
LEAST_MIB = 5120


class TimeOver(Exception):
    pass


tests = []      # of the file, in this order


def test(function):
    tests.append(function)
    return function


def same(what, got, want):
    assert got == want, f"{what}: {got!r}, not {want!r}"


def wait_until(condition, limit=60):
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


# ---- A host ----

class Host:
    def __init__(self, name):
        self.name = name

    def ringpace(self, *argv, rc=0, limit=UP_S, text_in=""):
        """A command outside, which takes this host for the nested lane."""
        p = subprocess.run([RINGPACE, *argv], capture_output=True, text=True, timeout=limit,
                           input=text_in, env={**os.environ, "RINGPACE_NESTED": self.name})
        # Costs minutes, and fails nothing: who wonders where they went is told.
        for line in p.stderr.splitlines():
            if "started anew" in line:
                print(f"# {sys.argv[0]}: {' '.join(argv[:2])}: {line}", file=sys.stderr)
        if rc is not None:
            assert p.returncode == rc, \
                f"{' '.join(argv)}: exit {p.returncode}, not {rc}\n{p.stdout}{p.stderr}"
        return p

    def nested(self, action, *argv, **how):
        return self.ringpace("nested", action, "--name", self.name, *argv, **how)

    def execute(self, *argv, timeout=EXEC_S, **how):
        return self.nested("exec", "--timeout", str(timeout), "--", *argv, limit=timeout + 60,
                           **how)

    def sh(self, line, **how):
        return self.execute("sh", "-c", line, **how).stdout

    def start(self, *argv, **how):
        """A command inside that goes on; the caller ends it."""
        return subprocess.Popen([RINGPACE, "nested", "exec", "--name", self.name, "--", *argv],
                                text=True, **{"stdin": subprocess.DEVNULL, **how})

    def state(self):
        hosts = json.loads(self.ringpace("nested", "status", "--json").stdout)
        return next((n for n in hosts if n["name"] == self.name), None)

    def up(self):
        """Where there is none, or only what is left of one."""
        if (self.state() or {}).get("state") != "up":
            self.nested("up")

    def down(self):
        self.nested("down", rc=None)

    def crashed(self):
        """Did the emulated machine die, or its kernel?"""
        n = self.state()
        if n is None or n["state"] == "dead":
            return True
        with open(os.path.join(n["dir"], "serial.log"), errors="replace") as f:
            log = f.read()
        return "Oops" in log or "Kernel panic" in log or "segfault" in log

    def our_modules_fault(self):
        """Is a module of ours in a trace of the kernel's? That is no fault of the emulation."""
        n = self.state()
        if n is None:
            return False
        with open(os.path.join(n["dir"], "serial.log"), errors="replace") as f:
            return re.search(r"\+0x[0-9a-f]+/0x[0-9a-f]+ \[(vhost|vhost_pc|virtio_pc)\]", f.read())

    def tell_log(self):
        n = self.state() or {"dir": ""}
        for name in "serial.log", "ssh.log", "tools.log":
            try:
                with open(os.path.join(n["dir"], name), errors="replace") as f:
                    for line in f.read().splitlines()[-60:]:
                        print(f"# {name}: {line}", file=sys.stderr)
            except OSError:
                pass


# ---- Running tests ----

def limited(function):
    signal.alarm(TEST_S)
    try:
        function()
    finally:
        signal.alarm(0)


def not_its_fault(e, host):
    """Why a failure says nothing about what was tested, or None."""
    if host.our_modules_fault():
        return None
    if isinstance(e, (TimeOver, subprocess.TimeoutExpired)):
        return "its time was over"
    if any(s in str(e) for s in ("the guest did not boot in time", "the VM went off",
                                 "the VM ended in the run")):
        return "the guest in the emulated machine stood still, or died"
    return "the emulated machine died" if host.crashed() else None


def attempt(function, host):
    try:
        limited(function)
    except Exception as e:
        why = not_its_fault(e, host)
        if not why:
            raise
        traceback.print_exc()
        print(f"# {function.__name__}: {why}; once more, on a new one", flush=True)
        host.tell_log()
        host.down()
        host.up()
        limited(function)


def run_all(host, attempted):
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    for number, function in enumerate(tests, 1):
        begin = time.monotonic()
        good = False
        try:
            attempted(function, host)
            good = True
        except Exception:
            traceback.print_exc()
            host.tell_log()
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} - {function.__name__.replace('_', ' ')}")
        print(f"# {time.monotonic() - begin:.0f} s", flush=True)
    return failed


def memory_mib():
    with open("/proc/meminfo") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("MemAvailable")) // 1024


def on_signal(number, _):
    if number == signal.SIGALRM:
        raise TimeOver()
    raise SystemExit(1)


def main(host, attempted=attempt):
    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGALRM, on_signal)
    if memory_mib() < LEAST_MIB:
        print(f"1..0 # SKIP {LEAST_MIB} MiB of memory are needed, {memory_mib()} are free")
        return 0
    try:
        return bool(run_all(host, attempted))
    finally:
        if host.name != SHARED:
            host.down()
