#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The nested lane: the true path of the kernel's vhost, under KVM in an emulated
host. Counts and ratios only; nothing of its speed is asserted. A host that dies
is started once more, and the output says so.
"""
import json
import os
import signal
import subprocess
import sys

BUILD = os.path.abspath(os.environ.get("RP_BUILD", "build"))
RINGPACE = os.path.join(BUILD, "ringpace")
NAME = f"r{os.getpid()}"
UP_S = 500
LEAST_MIB = 5120
# Times that a wake-up in an emulated host fits into: else C never sleeps, and
# notify has no kicks that sleep could save.
SCALE = 10000
# An item every 20 ms: C has slept again by then, and each needs its kick.
PACED = ("--lane vm --strategy notify --wp-ns 20000000 --wc-ns 20000 --duration-s 8 "
         "--backend").split()
ATTEMPTS = 3    # a machine that stands still for long shifts a count
count = 0
failed = 0


def ok(good, text, why=""):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {text}", flush=True)
    if not good and why:
        print(f"# {why}", flush=True)


def ringpace(*argv, limit=UP_S, text_in=""):
    return subprocess.run([RINGPACE, *argv], capture_output=True, text=True, timeout=limit,
                          input=text_in, env={**os.environ, "RINGPACE_NESTED": NAME})


def lives():
    hosts = json.loads(ringpace("nested", "status", "--json").stdout)
    return any(n["name"] == NAME and n["state"] == "up" for n in hosts)


def host_up():
    p = ringpace("nested", "up", "--name", NAME)
    if p.returncode:
        print(f"Bail out! no nested host: {p.stderr.strip()}")
        sys.exit(1)


def result(*argv, limit=UP_S):
    """The JSON of a command; once more when the emulated host died in it."""
    for again in (True, False):
        p = ringpace(*argv, "--json", limit=limit)
        if not p.returncode:
            return json.loads(p.stdout)
        if lives() or not again:
            break
        print("# the nested host died: started once more", flush=True)
        host_up()
    print(f"# {' '.join(argv)}: exit {p.returncode}: {p.stderr.strip()}", flush=True)
    return None


def describe(r):
    keys = "case strategy dir items items_per_s kicks_per_s calls_per_s batch lost".split()
    return " ".join(f"{k}={r.get(k)}" for k in keys)


def case_studies():
    """Kernel backend, 2 studies x 3 strategies x 2 directions, in one L2."""
    all_lanes = result("casestudy", "--lane", "nested", "--backend", "kernel", "--dir", "both",
                       "--scale", str(SCALE), "--duration-s", "2")
    runs = (all_lanes or {}).get("nested", [])
    ok(len(runs) == 12, "the case studies run in the nested lane", f"{len(runs)} runs")
    for r in runs:
        # On rev null says that the end was not seen; a gap would be counted.
        ok((r["lost"] == 0 or (r["dir"] == "rev" and r["lost"] is None)) and
           r["reordered"] == 0 and r["items"] > 0 and r["accel"] == "kvm" and
           r["backend"] == "kernel",
           f"{r['case']}, {r['dir']}, {r['strategy']}: nothing lost", describe(r))
    kicks = {r["strategy"]: r["kicks_per_s"] / r["items_per_s"] for r in runs
             if r["dir"] == "fwd" and r["case"] == "fast-consumer"}
    print(f"# kicks per item, fast consumer: {kicks}")
    ok(kicks.get("notify", 0) > 0.01 and kicks["notify"] >= 100 * kicks["sleep"],
       "kicks per item fall by 100 and more from notify to sleep", str(kicks))


def rates(sides):
    p, c = sides["stats_p"], sides["stats_c"]
    return {"kicks/item of P": p["sent"] / p["items"],
            "wake-ups/item of C": c["received"] / c["items"]}


def both_backends():
    """The rates of a kernel's and of a daemon's run; None after a failure."""
    requests = [{"v": 1, "id": n, "cmd": "run", "args": [*PACED, backend]}
                for n, backend in enumerate(("kernel", "user"))]
    p = ringpace("nested", "exec", "--name", NAME, "--", "env", "RINGPACE_ACCEL=kvm",
                 "/opt/ringpace/ringpace", "serve",
                 text_in="".join(json.dumps(r) + "\n" for r in requests))
    sides = [json.loads(line).get("result") for line in p.stdout.splitlines()]
    if len(sides) == 2 and all(sides):
        return [rates(s) for s in sides]
    print(f"# {p.stderr.strip()}")
    return None


def backends_agree():
    """What each side counts, by both backends in turn."""
    for _ in range(ATTEMPTS):
        both = both_backends()
        print(f"# kernel, daemon: {both}", flush=True)
        good = both and all(abs(k - u) <= 0.02 * u and u > 0.5
                            for k, u in zip(*(b.values() for b in both)))
        if good:
            break
        if not lives():
            host_up()
    ok(good, "kernel and daemon count the same within 2 %", str(both))


def traces():
    path = f"/tmp/ringpace-trace.{os.getpid()}"
    try:
        r = result("run", "--lane", "nested", "--backend", "kernel", "--strategy", "notify",
                   "--wp-ns", "1000000", "--wc-ns", "20000", "--keep-trace", path)
        with open(path) as f:
            both = json.load(f)
        ok(len(both["p"]["events"]) > 10 and len(both["c"]["events"]) > 10 and
           both["c"]["clock_offset_tsc"] is not None, "both sides' traces come back")
        ok(r["params"]["sc_ns"] is not None, "S_C comes from them", describe(r))
    except (OSError, TypeError) as e:
        ok(False, "both sides' traces come back", str(e))
    finally:
        if os.path.exists(path):
            os.unlink(path)


def control():
    """ringpace ctl finds no device when no VM has one, and says so in JSON."""
    p = ringpace("nested", "exec", "--name", NAME, "--", "/opt/ringpace/ringpace", "ctl", "list",
                 "--vhost", "--json")
    ok(not p.returncode and json.loads(p.stdout) == {"devices": []},
       "no device is left in the kernel", p.stdout + p.stderr)


def memory_mib():
    with open("/proc/meminfo") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("MemAvailable")) // 1024


def main():
    if memory_mib() < LEAST_MIB:
        print(f"1..0 # SKIP {LEAST_MIB} MiB of memory are needed, {memory_mib()} are free")
        return 0
    try:
        host_up()
        for part in case_studies, backends_agree, traces, control:
            part()
    finally:
        ringpace("nested", "down", "--name", NAME)
    print(f"1..{count}")
    return bool(failed)


def ended(*_):
    raise SystemExit(1)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, ended)
    sys.exit(main())
