#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The nested lane: the true path of the kernel's vhost, under KVM in an emulated
host. Counts and ratios only; nothing of its speed is asserted.
"""
import json
import os
import sys
import tempfile

sys.dont_write_bytecode = True
from nested import Host, SHARED, main, same, test

# Times that a wake-up in an emulated host fits into: else C never sleeps, and
# notify has no kicks that sleep could save.
SCALE = "10000"
ATTEMPTS = 3    # a machine that stands still for long shifts a count
# What each side counts by a schedule that leaves one answer, and that answer.
# Kicks: an item every 100 ms; C has blocked again by then, and each needs its kick.
# Calls: C sleeps 100 ms, in which P fills the ring, and blocks; then takes all, which
# is what P is called for.
SCHEDULES = {
    "kicks": ("--strategy notify --wp-ns 100000000 --wc-ns 20000", 1,
              (("kicks of P", "stats_p", "sent"), ("wake-ups of C", "stats_c", "received"))),
    "calls": ("--strategy notify --strategy-c sleep --yc-ns 100000000 --queue-len 8 --kc 8 "
              "--wp-ns 20000 --wc-ns 20000", 1 / 8,
              (("calls of C", "stats_c", "sent"), ("wake-ups of P", "stats_p", "received"))),
}
host = Host(SHARED or f"r{os.getpid()}")


def result(*argv):
    host.up()
    return json.loads(host.ringpace(*argv, "--lane", "nested", "--backend", "kernel",
                                    "--json").stdout)


def describe(r):
    keys = "case strategy dir items items_per_s kicks_per_s calls_per_s batch lost".split()
    return " ".join(f"{k}={r.get(k)}" for k in keys)


@test
def the_case_studies_lose_nothing_and_sleep_saves_kicks():
    """2 studies x 3 strategies x 2 directions, in one L2."""
    runs = result("casestudy", "--dir", "both", "--scale", SCALE, "--duration-s", "2")["nested"]
    same("runs", len(runs), 12)
    for r in runs:
        print(f"# {describe(r)}")
        same("where", (r["accel"], r["backend"]), ("kvm", "kernel"))
        assert r["items"] > 0
        same("lost, reordered", (r["lost"], r["reordered"]), (0, 0))
        # KVM's own record of the counters' offset is within the exchange's bound.
        same(f"clock {r['clock']}", r["clock"]["agrees"], True)
        same("bound", r["clock"]["error_ns"], r["clock_error_ns"])
    kicks = {r["strategy"]: r["kicks_per_s"] / r["items_per_s"] for r in runs
             if r["dir"] == "fwd" and r["case"] == "fast-consumer"}
    print(f"# kicks per item, fast consumer: {kicks}")
    assert kicks["notify"] > 0.01 and kicks["notify"] >= 100 * kicks["sleep"], kicks


def counts(schedule):
    """Of each figure, what the kernel and the daemon count for an item."""
    options, _, figures = SCHEDULES[schedule]
    requests = [{"v": 1, "id": n, "cmd": "run",
                 "args": f"--lane vm {options} --duration-s 12 --backend {backend}".split()}
                for n, backend in enumerate(("kernel", "user"))]
    p = host.execute("env", "RINGPACE_ACCEL=kvm", "/opt/ringpace/ringpace", "serve",
                     timeout=300,
                     text_in="".join(json.dumps(r) + "\n" for r in requests))
    runs = [json.loads(line) for line in p.stdout.splitlines()]
    assert len(runs) == 2 and all("result" in r for r in runs), p.stderr + p.stdout
    return {name: [r["result"][side][key] / r["result"][side]["items"] for r in runs]
            for name, side, key in figures}


def backends_agree(schedule):
    host.up()
    answer = SCHEDULES[schedule][1]
    for _ in range(ATTEMPTS):
        both = counts(schedule)
        print(f"# per item, kernel and daemon: {both}", flush=True)
        if all(abs(kernel - daemon) <= 0.02 * daemon and abs(daemon - answer) <= 0.1 * answer
               for kernel, daemon in both.values()):
            return
    raise AssertionError(f"more than 2 % apart, or far from {answer}: {both}")


@test
def both_backends_count_the_same_kicks():
    backends_agree("kicks")


@test
def both_backends_count_the_same_calls():
    backends_agree("calls")


@test
def the_traces_of_both_sides_come_back():
    with tempfile.NamedTemporaryFile(prefix="ringpace-trace.") as trace:
        r = result("run", "--strategy", "notify", "--wp-ns", "1000000", "--wc-ns", "20000",
                   "--keep-trace", trace.name)
        both = json.load(trace)
    assert len(both["p"]["events"]) > 10 and len(both["c"]["events"]) > 10
    assert both["c"]["clock_offset_tsc"] is not None
    assert r["params"]["sc_ns"] is not None, describe(r)


@test
def no_device_is_left_in_the_kernel():
    """ringpace ctl finds none when no VM has one, and says so in JSON."""
    p = host.execute("/opt/ringpace/ringpace", "ctl", "list", "--vhost", "--json")
    same("devices", json.loads(p.stdout), {"devices": []})


if __name__ == "__main__":
    sys.exit(main(host))
