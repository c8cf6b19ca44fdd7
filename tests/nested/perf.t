#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`ringpace perf` in the nested lane: what KVM, the scheduler, vhost_pc's
tracepoints, ringpaced's probes and the guest count, against the device's own
counters; and on a live device, with top, ctl and the commands of docs/perf.md.
"""
import json
import os
import re
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
from nested import Host, SHARED, main, same, test, wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RP = "/opt/ringpace/ringpace"
# Both parties wait for each other after every second item: each kick and each
# call ends a block, so that no two of them are taken as one.
IN_TURN = "--strategy notify --queue-len 2 --kp 2 --kc 2 --wp-ns 5000000 --wc-ns 5000000".split()
LEAST = 20      # events, of a figure that is to be compared
KVM = {"kicks_sent": "kvm_mmio + kvm_fast_mmio", "calls": "kvm_msi_set_irq",
       "interrupts": "the guest's /proc/interrupts", "items": "driver items"}
KERNEL = {**KVM, "kicks_sent ": "vhost_pc_kick", "kicks_taken": "vhost_pc_wake",
          "calls ": "vhost_pc_call", "blocks": "vhost_pc_block",
          "wake_ups": "vhost_pc_wake + _sleep", "wake_ups ": "sched:sched_switch"}
USER = {**KVM, "kicks_taken": "ringpaced:kick", "calls ": "ringpaced:call",
        "blocks": "ringpaced:block", "wake_ups": "ringpaced:wake + :sleep",
        "wake_ups ": "sched:sched_switch"}
host = Host(SHARED or f"p{os.getpid()}")


def watched(backend, direction, sources):
    """One command, whose every source agrees with the counter."""
    host.up()
    r = json.loads(host.ringpace("perf", "--lane", "nested", "--backend", backend, "--dir",
                                 direction, *IN_TURN, "--duration-s", "6", "--json").stdout)
    for figure, source in sources.items():
        one = [f for f in r["figures"]
               if (f["figure"], f["source"]) == (figure.strip(), source)]
        same(f"findings of {figure}by {source}", len(one), 1)
        f = one[0]
        print(f"# {backend} {direction} {f['figure']}: {source} {f['count']}, "
              f"{f['counter']} {f['counter_least']}..{f['counter_most']}")
        # What no counter has (the clock exchange's kicks) may leave it open, and no more.
        open_ = f["slack"] > 0.02 * f["counter_most"]
        assert f["counter_least"] >= LEAST and f["slack"] <= 44, f
        same(f"verdict on {source}", f["agrees"], None if open_ else True)
    same("all agree", r["agrees"], True)
    # On AMD a write to a notification address is an npf; a kick is one at least.
    exits = {e["reason"]: e["count"] for e in r["exits"]["reasons"]}
    print(f"# {backend} {direction} exits: {exits}")
    kicks = next(f for f in r["figures"] if f["source"] == KVM["kicks_sent"])["count"]
    assert r["exits"]["lost_events"] or exits["npf"] >= kicks - 4, (exits, kicks)
    same("exits of all reasons", sum(exits.values()), r["exits"]["count"])
    same("clock", r["clock"]["agrees"], True)
    run = r["run"]
    same("run", [run[k] for k in ("lane", "accel", "backend", "dir")],
         ["nested", "kvm", backend, direction])
    same("lost, reordered", (run["lost"], run["reordered"]), (0, 0))
    return {n["source"]: n["why"] for n in r["not_available"]}


@test
def kernel_fwd():
    absent = watched("kernel", "fwd", KERNEL)
    same("not available", sorted(absent), ["items by perf", "ringpaced's probes"])
    assert "kernel" in absent["ringpaced's probes"], absent


@test
def kernel_rev():
    watched("kernel", "rev", KERNEL)


@test
def ringpaced_fwd():
    absent = watched("user", "fwd", USER)
    same("not available", sorted(absent), ["items by perf", "vhost_pc's tracepoints"])
    assert "ringpaced" in absent["vhost_pc's tracepoints"], absent


# ---- A device that is live ----

class Live:
    """A run that lasts, in L1, and ends with the block."""

    def __init__(self, *argv):
        self.argv = argv

    def __enter__(self):
        host.up()
        self.process = host.start("env", "RINGPACE_ACCEL=kvm", RP, "run", *self.argv,
                                  "--duration-s", "3000", stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE)
        return self

    def alive(self):
        assert self.process.poll() is None, self.process.stderr.read()
        return True

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
        wait_until(lambda: not host.sh("pgrep -x ringpace || true"))


def ctl(*argv):
    return json.loads(host.execute(RP, "ctl", *argv, "--vhost", "--json").stdout)


def running(live):
    """The device's number, once items flow. Waits in L1, which needs its CPUs itself."""
    host.sh("until grep -Eq '^items +[0-9]{2}' /sys/kernel/debug/vhost_pc/*/q0; do "
            "sleep 1; done", timeout=320)
    live.alive()
    return ctl("list")["devices"][0]["device"]


def stats(number):
    return ctl("stats", "--device", number, "--queue", "0")["stats"]


def agrees_live(domain, source):
    """Events of SOURCE come, and as many as the device counts."""
    r = json.loads(host.execute(RP, "perf", "--attach", domain, "--duration-s", "4",
                                "--json").stdout)
    one = next(f for f in r["figures"] if f["source"] == source)
    print(f"# live: {one}")
    assert one["count"] > 0 and one["difference"] == 0 and r["agrees"] is not False, r


def by_hand(values):
    """The commands of docs/perf.md, with VALUES for its placeholders."""
    with open(os.path.join(ROOT, "docs/perf.md")) as f:
        text = f.read().split("## By hand")[1].split("## The clock")[0]
    blocks = re.findall(r"\n\n((?:    \S.*\n(?:     +\S.*\n)*)+)", text)
    for name, value in values.items():
        blocks = [re.sub(rf"\b{name}\b", value, b) for b in blocks]
    return [re.sub(r"\\\n\s*", "", b).strip() for b in blocks]


def counts(output):
    return {name: int(n.replace(",", "")) for n, name in
            re.findall(r"^ +([\d,]+) +(\w+:\w+)", output, re.M)}


@test
def a_live_device_is_seen_by_all_tools():
    with Live("--lane", "nested", "--backend", "kernel", *IN_TURN) as live:
        number = running(live)
        queue = json.loads(host.execute(RP, "top", "--once", "--json").stdout)["queues"]
        same("top's queue", [(q["backend"], q["device"], q["queue"], q["strategy"])
                             for q in queue][:1], [("vhost_pc", number, 0, "notify")])
        assert queue[0]["items_per_s"] > 0, queue
        domain = host.sh("cat /proc/[0-9]*/cmdline | tr '\\0' '\\n' | "
                         "sed -n 's/^guest=\\(ringpace-[^,]*\\),.*/\\1/p' | head -1").strip()
        agrees_live(domain, "vhost_pc_call")
        the_documents_commands(number)
        same("set", ctl("set", "--device", number, "--queue", "0", "--strategy", "sleep",
                        "--y-ns", "3000000")["strategy"], "sleep")
        wait_until(lambda: stats(number)["sleeps"] > 0)
        agrees_live(domain, "vhost_pc_sleep")
        live.alive()
    same("devices that are left", ctl("list"), {"devices": []})


def notification_page(vm):
    """Where most writes go that leave the guest, below the interrupt controllers."""
    out = host.sh("cd /tmp && perf record -q -o kicks.data -e kvm:kvm_mmio "
                  f"--filter 'type==2 && gpa<0xfec00000' -p {vm} sleep 2 && "
                  "perf script -i kicks.data -F trace:trace")
    pages = [int(gpa, 16) & ~0xfff for gpa in re.findall(r"gpa (0x[0-9a-f]+)", out)]
    assert pages, out
    return max(set(pages), key=pages.count)


def the_documents_commands(number):
    vm = host.sh("pgrep -x qemu-system-x86 | head -1").strip()
    thread = host.sh(f"sed -n 's/^thread //p' /sys/kernel/debug/vhost_pc/{number}/state "
                     "| head -1").split()[0]
    page = notification_page(vm)
    seen = {}
    for command in by_hand({"PID_OF_QEMU": vm, "TID": thread, "device==N": f"device=={number}",
                            "0xfe803000": hex(page), "0xfe804000": hex(page + 0x1000),
                            "sleep 5": "sleep 2"}):
        if "ringpaced" in command or "interrupts" in command:
            continue
        p = host.sh(f"cd /tmp && {{ {command}; }} 2>&1")
        print("".join(f"# {line}\n" for line in (command + "\n" + p).splitlines()), end="")
        seen.update(counts(p))
        assert "perf kvm" not in command or re.search(r"\bnpf\b", p), p
    for name in "sched:sched_switch", "vhost_pc:vhost_pc_call", "kvm:kvm_mmio", \
            "kvm:kvm_msi_set_irq":
        assert seen.get(name, 0) > 0, (name, seen)


@test
def the_document_counts_ringpaced_too():
    with Live("--lane", "native", "--strategy", "notify", "--wp-ns", "20000000") as live:
        wait_until(lambda: live.alive() and host.sh("pgrep -x ringpaced || true"))
        daemon = host.sh("pgrep -x ringpaced").strip()
        output = ""
        for command in by_hand({"PID": daemon, "sleep 5": "sleep 2",
                                "build/ringpaced": "/opt/ringpace/ringpaced"}):
            if "sdt_" in command:
                output += host.sh(f"{{ {command}; }} 2>&1")
        print("".join(f"# {line}\n" for line in output.splitlines()), end="")
        assert counts(output).get("sdt_ringpaced:kick", 0) > 0
        same("events that are left",
             host.sh("grep -c ringpaced /sys/kernel/tracing/uprobe_events || true").strip(), "0")


if __name__ == "__main__":
    sys.exit(main(host))
