#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The VM lane from the outside: `ringpace casestudy`, `ringpace run --lane vm` and
`ringpace vm`, with libvirt and the real guest. What a run leaves behind is
looked for by the mark that its QEMU carries, so that other VMs on this host
do not matter.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from guest_vm import BUILD, Control, PATIENCE_S, wait_until   # noqa: E402

RINGPACE = os.path.abspath(os.path.join(BUILD, "ringpace"))
RINGPACED = os.path.abspath(os.path.join(BUILD, "ringpaced"))
KEYS = ("lane strategy dir accel backend queue_len items items_per_s t_ns e_ns cpu_p cpu_c "
        "kicks_per_s spurious_kicks_per_s calls_per_s sleeps_p_per_s sleeps_c_per_s "
        "batch latency_ns clock_error_ns params lost reordered "
        "dmax_ns dmax_met late unmet regime predicted_t_ns strategy_time clock").split()
MS = 1000000
tests = []


def test(function):
    tests.append(function)
    return function


def same(what, got, want):
    assert got == want, f"{what}: {got}, not {want}"


class Place:
    """Directories of this test's own: nothing is shared with the user's VMs."""

    def __init__(self, path):
        self.logs = os.path.join(path, "logs")
        self.tmp = os.path.join(path, "r")
        self.cache = os.path.join(path, "c")
        for d in self.logs, self.tmp, self.cache:
            os.mkdir(d, 0o700)
        self.env = {**os.environ, "XDG_RUNTIME_DIR": self.tmp,
                    "XDG_CACHE_HOME": self.cache, "RINGPACE_LOG_DIR": self.logs}
        self.processes = []

    def start(self, *argv, program=RINGPACE):
        log = open(os.path.join(self.logs, os.path.basename(program) + ".out"), "ab")
        p = subprocess.Popen([program, *argv], env=self.env, stdout=log, stderr=log,
                             stdin=subprocess.DEVNULL, start_new_session=True)
        self.processes.append(p)
        return p

    def ringpace(self, *argv, rc=0):
        p = subprocess.run([RINGPACE, *argv], env=self.env, capture_output=True,
                           stdin=subprocess.DEVNULL, timeout=4 * PATIENCE_S, text=True)
        assert p.returncode == rc, \
            f"ringpace {' '.join(argv)}: exit {p.returncode}\n{p.stdout}{p.stderr}"
        return p.stdout if rc == 0 else p.stderr

    def clean(self):
        for p in self.processes:
            if p.poll() is None:
                p.kill()
                p.wait()
        try:
            subprocess.run([RINGPACE, "vm", "destroy", "t"], env=self.env, capture_output=True,
                           stdin=subprocess.DEVNULL, timeout=5)
        except subprocess.TimeoutExpired:
            pass    # its QEMU is among those below
        for pid in children_of_place(self):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def tell(self):
        """Why a test failed may stand in the logs only."""
        for d, _, names in os.walk(os.path.dirname(self.logs)):
            for name in names:
                if not name.endswith((".log", ".out")):
                    continue
                with open(os.path.join(d, name), errors="replace") as f:
                    for line in f.read().splitlines()[-25:]:
                        print(f"# {name}: {line}", file=sys.stderr)


def processes():
    for name in os.listdir("/proc"):
        if name.isdigit():
            yield int(name)


def proc_file(pid, name):
    try:
        with open(f"/proc/{pid}/{name}", "rb") as f:
            return f.read()
    except OSError:
        return b""


def children_of_place(place):
    """QEMU processes and daemons with a path of this test in their arguments."""
    mark = os.path.dirname(place.tmp).encode()
    return [pid for pid in processes() if pid != os.getpid() and
            proc_file(pid, "comm").startswith((b"qemu-system", b"ringpaced")) and
            mark in proc_file(pid, "cmdline")]


def qemu_of(pid):
    mark = f"RINGPACE_OWNER={pid}:".encode()
    return [p for p in processes() if
            any(v.startswith(mark) for v in proc_file(p, "environ").split(b"\0"))
            and proc_file(p, "comm").startswith(b"qemu-system")]


def run_dirs(place):
    return [os.path.join(place.tmp, n) for n in os.listdir(place.tmp)]


def serial_has_text(place):
    return any(os.path.exists(f"{d}/serial.log") and os.path.getsize(f"{d}/serial.log")
               for d in run_dirs(place))


def nothing_left(place, pid):
    wait_until(lambda: not qemu_of(pid))
    same("processes left", children_of_place(place), [])
    same("files left", run_dirs(place), [])


def check_result(r):
    same("keys", [k for k in KEYS if k not in r], [])
    assert r["items"] > 0 and r["t_ns"] > 0, f"nothing moved: {r}"
    assert r["e_ns"] is not None and r["cpu_p"] > 0 and r["cpu_c"] > 0, f"no CPU time: {r}"
    same("lost, reordered", (r["lost"], r["reordered"]), (0, 0))
    assert r["params"]["wp_ns"] > 0 and r["params"]["wc_ns"] > 0, f"W not measured: {r}"
    assert None not in r["latency_ns"].values(), \
        f"no latency: the clocks were not aligned, the exchange had no answer: {r}"
    assert 0 <= r["clock_error_ns"] < 100 * MS, f"the alignment has no bound: {r}"
    assert r["latency_ns"]["p50"] <= r["latency_ns"]["p98"] <= r["latency_ns"]["max"], \
        f"latency: {r}"


@test
def every_strategy_both_ways(place):
    out = json.loads(place.ringpace("casestudy", "--lane", "vm", "--dir", "both",
                                    "--duration-s", "0.5", "--json"))["vm"]
    same("runs", [(r["dir"], r["case"], r["strategy"]) for r in out],
         [(d, c, s) for d in ("fwd", "rev") for c in ("fast-consumer", "fast-producer")
          for s in ("notify", "sleep", "busy")])
    for r in out:
        print(f"# {r['dir']} {r['case']} {r['strategy']}: T {r['t_ns']} ns, "
              f"p98 {r['latency_ns']['p98']} ns, regime {r['regime']}")
        check_result(r)
        same("lane", r["lane"], "vm")
        assert r["accel"] in ("kvm", "tcg"), r["accel"]
        sleeps = r["sleeps_p_per_s"] + r["sleeps_c_per_s"]
        assert (sleeps > 0) == (r["strategy"] == "sleep"), f"{sleeps} sleeps/s: {r}"
        # What did not happen has no cost: null, not 0.
        for key in "yp_ns", "yc_ns":
            if r["strategy"] != "sleep":
                same(key, r["params"][key], None)
    for name in "vm-serial.log", "ringpaced.log":
        assert os.path.getsize(os.path.join(place.logs, name)), f"{name} is empty"


@test
def one_run_as_json(place):
    r = json.loads(place.ringpace(
        "run", "--lane", "vm", "--strategy-p", "busy", "--strategy-c", "notify",
        "--wp-ns", "200000", "--wc-ns", "50000", "--queue-len", "64", "--item-bytes", "1500",
        "--duration-s", "1", "--json"))
    check_result(r)
    same("keys", list(r), KEYS)
    same("queue_len", r["queue_len"], 64)
    assert r["kicks_per_s"] > 0, f"no kicks: {r}"
    assert r["t_ns"] >= 200000 * 0.99, f"T is below W_P: {r}"
    same("files left", run_dirs(place), [])


@test
def thresholds_above_one(place):
    r = json.loads(place.ringpace(
        "run", "--lane", "vm", "--strategy", "notify", "--kp", "8", "--kc", "16",
        "--wp-ns", "50000", "--wc-ns", "20000", "--queue-len", "64", "--duration-s", "1",
        "--json"))
    check_result(r)
    assert r["kicks_per_s"] * 4 < r["items_per_s"], f"a kick for less than 8 items: {r}"


@test
def queues_that_qemu_cannot_have_are_wrong_use(place):
    for argv in (("run", "--lane", "vm"), ("vm", "define", "t")):
        err = place.ringpace(*argv, "--queue-len", "2048", rc=2)
        assert "--queue-len: the vm lane takes at most 1024 slots" in err, err
    same("files left", run_dirs(place), [])


@test
def ctrl_c_leaves_nothing(place):
    run = place.start("run", "--lane", "vm", "--duration-s", "600", "--wp-ns", "100000")
    wait_until(lambda: qemu_of(run.pid) and serial_has_text(place))
    os.kill(run.pid, signal.SIGINT)
    same("exit status", run.wait(PATIENCE_S), 130)
    nothing_left(place, run.pid)


@test
def the_next_run_ends_what_a_killed_one_left(place):
    run = place.start("run", "--lane", "vm", "--duration-s", "600", "--wp-ns", "100000")
    wait_until(lambda: qemu_of(run.pid) and serial_has_text(place))
    run.kill()
    run.wait()
    assert qemu_of(run.pid), "QEMU ended with its owner: this test tests nothing"
    place.ringpace("run", "--lane", "vm", "--duration-s", "0.2", "--wp-ns", "100000")
    nothing_left(place, run.pid)


class KeptVm:
    """A VM of `ringpace vm`, and a daemon for its device."""

    def __init__(self, place):
        self.place = place
        out = place.ringpace("vm", "define", "t", "--queue-len", "256")
        self.socket = next(line.split()[1] for line in out.splitlines()
                           if line.startswith("device"))
        self.dir = os.path.dirname(self.socket)
        self.process = None

    def start_daemon(self):
        control = os.path.join(self.dir, "control")
        for path in control, self.socket:
            if os.path.exists(path):
                os.unlink(path)
        self.process = self.place.start(
            "--control", control, "--device", f"pc0,socket={self.socket}",
            program=RINGPACED)
        self.daemon = Control(control, self.process)

    def stats(self):
        return self.daemon.call("stats", device="pc0", queue=0)["stats"]

    def ready(self):
        queue = self.daemon.call("list")["devices"][0]["queues"]
        return bool(queue) and queue[0]["ready"]

    def attach(self):
        self.agent = Control(os.path.join(self.dir, "agent.sock"), self.process)


kept = None


@test
def the_backend_comes_after_the_boot(place):
    global kept
    kept = KeptVm(place)
    place.ringpace("vm", "start", "t", "--wait")
    assert "running" in place.ringpace("vm", "list"), "not running"
    kept.start_daemon()
    kept.attach()
    wait_until(kept.ready)
    guest = kept.agent.call("run", dir="fwd", strategy="notify", w_ns=50000, max_items=500,
                            duration_ns=60000 * MS)["stats"]
    same("items", guest["items"], 500)
    wait_until(lambda: kept.stats()["items"] == 500)


@test
def the_daemon_is_killed_under_traffic(place):
    """What the first daemon had returned is not seen again by the second, which
    goes on where the used ring ends, and nothing is left out after that."""
    run = kept.agent.begin("run", dir="fwd", strategy="notify", w_ns=50000,
                           duration_ns=600000 * MS)
    wait_until(lambda: (kept.stats()["next_seq"] or 0) > 1000)
    before = kept.stats()["next_seq"]
    kept.daemon.close()
    kept.process.kill()
    kept.process.wait()
    kept.start_daemon()
    wait_until(lambda: kept.stats()["items"] > 1000)
    kept.agent.call("stop")
    guest = kept.agent.end(run)["stats"]
    wait_until(lambda: kept.stats()["next_seq"] == guest["items"])
    host = kept.stats()
    print(f"# {guest['items']} items; at least {before} before the kill, "
          f"the second daemon began with {host['first_seq']}")
    assert host["first_seq"] >= before, "items came twice"
    same("items of the second daemon", host["items"], guest["items"] - host["first_seq"])
    same("lost", host["lost"], 0)
    same("reordered", host["reordered"], 0)


@test
def errors_of_vm_name_the_reason(place):
    assert "is running" in place.ringpace("vm", "start", "t", rc=1), "start twice"
    assert "is running" in place.ringpace("vm", "undefine", "t", rc=1), "undefine"
    assert "no VM" in place.ringpace("vm", "start", "nobody", rc=1), "start nobody"
    place.ringpace("vm", "explode", "t", rc=2)
    place.ringpace("vm", "define", "a/b", rc=2)


@test
def the_guest_powers_off(place):
    kept.agent.close()
    place.ringpace("vm", "stop", "t")
    vms = json.loads(place.ringpace("vm", "list", "--json"))
    same("state", [(v["name"], v["state"]) for v in vms], [("t", "off")])
    place.ringpace("vm", "undefine", "t")
    same("VMs", json.loads(place.ringpace("vm", "list", "--json")), [])


def run_all(place):
    failed = 0
    for number, function in enumerate(tests, 1):
        begin = time.monotonic()
        try:
            function(place)
            verdict = "ok"
        except Exception:   # noqa: BLE001: a test's failure is its result
            verdict, failed = "not ok", failed + 1
            for line in traceback.format_exc().splitlines():
                print("#", line, file=sys.stderr)
            place.tell()
        print(verdict, number, "-", function.__name__.replace("_", " "),
              f"# {time.monotonic() - begin:.1f} s", flush=True)
    return failed


def main():
    # The runner's timeout: nothing of ours hears it, being in sessions of their own.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print(f"1..{len(tests)}", flush=True)
    with tempfile.TemporaryDirectory(prefix="rpt.", dir="/tmp") as path:
        place = Place(path)
        try:
            return 1 if run_all(place) else 0
        finally:
            place.clean()


if __name__ == "__main__":
    sys.exit(main())
