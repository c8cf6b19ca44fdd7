# SPDX-License-Identifier: GPL-2.0-or-later
"""The host controller in L1, and what the kernel there knows of domains."""
import json
import os
import re

from nested import Host, SHARED

RP = "/opt/ringpace/ringpace"
RUN = "/run/hostd-test"
SIM = "/sys/bus/netdevsim"
HEAD = f"""run-dir: {RUN}/run
clocks: quota
cpus: 0-1
ringpaced: {RUN}/ringpaced
rapl: no
# An emulated machine is slow, and no reason to do anything; and it has other things to do.
fast-ns: 100000000
metric-ns: 100000000
decide-ns: 200000000
libvirt-ns: 1000000000
stale-ns: 20000000000
blind-ns: 60000000000
timeout-ns: 60000000000
tenants:
"""
host = Host(SHARED or f"h{os.getpid()}")


def configure(*tenants):
    host.sh(f"cat >{RUN}/hostd.yaml", text_in=HEAD + "".join(f"  - {{{t}}}\n" for t in tenants))


def status():
    return json.loads(host.execute(RP, "host", "status", "--socket", f"{RUN}/run/control",
                                   "--json").stdout)


def reload(*tenants):
    configure(*tenants)
    host.execute(RP, "host", "reload", "--socket", f"{RUN}/run/control")


class Controller:
    """In L1, with a ringpaced whose ports nobody sends by, until the block's end."""

    def __init__(self, *tenants):
        self.tenants = tenants

    def __enter__(self):
        host.sh(f"mkdir -p {RUN}")
        configure(*self.tenants)
        host.sh(f"/opt/ringpace/ringpaced --control {RUN}/ringpaced --port web,socket={RUN}/web "
                f"--port job,socket={RUN}/job </dev/null >{RUN}/ringpaced.log 2>&1 & "
                f"until [ -S {RUN}/ringpaced ]; do sleep 0.1; done", timeout=60)
        self.start()
        return self

    def start(self):
        host.sh(f"/opt/ringpace/ringpace-hostd --config {RUN}/hostd.yaml </dev/null "
                f">>{RUN}/hostd.log 2>&1 & until [ -S {RUN}/run/control ]; do sleep 0.1; done",
                timeout=60)

    def end(self):
        """A clean one, which has given all back: nothing is left to be given."""
        host.sh("pkill -x ringpace-hostd; while pgrep -x ringpace-hostd; do sleep 0.1; done; "
                f"test ! -e {RUN}/run/state", timeout=60)

    def __exit__(self, kind, *_):
        if kind:
            for line in host.sh(f"tail -n 40 {RUN}/hostd.log", rc=None).splitlines():
                print(f"# {line}")
        clear()


def clear():
    """Only what the tests of the controller start there has these names."""
    host.sh("pkill -x ringpace-hostd; pkill -f 'ringpaced --control /run/hostd-tes[t]'; "
            "for d in rpweb rpjob; do test ! -e /run/libvirt/qemu/$d.pid || virsh destroy $d; done; "
            "ip link del rpdrr; ip link del rpets; "
            f"test ! -e {SIM} || {{ echo 10 >{SIM}/del_device; rmmod netdevsim; }}; "
            f"while pgrep -x ringpace-hostd; do sleep 0.1; done; rm -rf {RUN}; true", rc=None)


# ---- Domains ----

# Few processes, as each is dear there.
LOOK = """pid=$(cat /run/libvirt/qemu/$1.pid) || exit 0
grep -H . /proc/$pid/task/*/comm
taskset -apc $pid
for t in $(pgrep -x vhost-$pid); do echo "task/$t/comm:vhost"; taskset -pc $t; done
echo "limit: $(cat /sys/fs/cgroup/machine.slice/machine-qemu*$1.scope/libvirt/cpu.max)" """


class Domain:
    """What the kernel knows of one: CPUs of its vCPUs, of vhost's threads and of all others."""

    def __init__(self, name):
        out = host.execute("sh", "-c", LOOK, "sh", name).stdout
        names = dict(re.findall(r"task/(\d+)/comm:(.*)", out))
        cpus = {tid: list_.replace("-", ",") for tid, list_ in
                re.findall(r"pid (\d+)'s current affinity list: (.*)", out)}
        threads = [(names[tid], cpus[tid]) for tid in cpus if tid in names]
        limit = re.findall(r"limit: (.*)", out)
        self.vcpus = [c for n, c in threads if n.endswith("/KVM")]
        self.vhost = [c for n, c in threads if n.startswith("vhost")]
        self.others = {c for n, c in threads if not n.endswith("/KVM") and not n.startswith("vhost")}
        self.all = (self.vcpus, self.vhost, self.others, *limit)


def tenant(name):
    return next(t for t in status()["tenants"] if t["tenant"] == name)


def enforced(name, **actions):
    t = tenant(name)
    return all(t["actions"][a] == state for a, state in actions.items()) and not t["pending"]


def running(name):
    return tenant(name)["running"]
