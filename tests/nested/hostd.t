#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The host controller on a KVM host: domains of libvirt with vhost in the kernel, that are
placed, suspended, given another vCPU and a quota in place of a clock, and given back; and
classes of the disciplines that the machine below has not. The domains have nothing to
boot: what is done is done to them from outside. Each step waits for what the controller does,
however long that takes.
"""
import base64
import os
import sys

sys.dont_write_bytecode = True
from hostd import Controller, Domain, RUN, SIM, clear, enforced, host, reload, running, status, tenant
from nested import BUILD, main, same, test, wait_until

DOMAIN = """<domain type='kvm'>
  <name>{name}</name>
  <memory unit='MiB'>64</memory>
  <vcpu current='{vcpus}'>2</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/><apic/></features>
  <cpu mode='host-passthrough'/>
  <devices>
    <emulator>/opt/ringpace/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/>
    <interface type='ethernet'>
      <target dev='{name}0'/><model type='virtio'/><driver name='vhost'/>
      <rom enabled='no'/>
    </interface>
    <memballoon model='none'/>
  </devices>
</domain>"""
WEB = ("name: web, class: latency, domain: rpweb, ports: [%s], bound-ns: 1000000, "
       "threads-per-core: 1, emulator: yes")
IDLE, UNKNOWN = WEB % "web", WEB % "not-there"
JOB = "name: job, class: batch, domain: rpjob"
JOB_TOO = ("name: job, class: latency, domain: rpjob, ports: [not-there], bound-ns: 1000000, "
           "threads-per-core: 1, vcpus: hotplug")


@test
def domains_are_placed_and_given_back():
    host.up()
    clear()
    host.sh("modprobe -a vhost_net tun")
    for name, vcpus in ("rpweb", 2), ("rpjob", 1):
        host.sh("virsh create /dev/stdin", text_in=DOMAIN.format(name=name, vcpus=vcpus))
    before = Domain("rpweb")
    same("before", before.all, (["0,1"] * 2, ["0,1"], {"0,1"}, "max 100000"))
    with Controller(UNKNOWN, JOB) as controller:
        # Nothing is known of its load: it has all, and the other one stands.
        wait_until(lambda: not running("job"), 120)
        same("the other", host.sh("virsh domstate rpjob").strip(), "paused")
        reload(f"{UNKNOWN}, max-cores: 1", JOB)
        wait_until(lambda: running("job") and enforced("web", place="enforced", clock="emulated"), 120)
        web, job = Domain("rpweb"), Domain("rpjob")
        same("one CPU", web.all, (["0"] * 2, ["0"], {"0"}, "max 100000"))
        same("the other's vCPU", job.vcpus, ["1"])
        # Killed, it leaves all, and the next one goes on.
        host.sh("pkill -KILL -x ringpace-hostd; while pgrep -x ringpace-hostd; do sleep 0.1; done; "
                f"rm {RUN}/run/control")
        same("after a kill", Domain("rpweb").all, web.all)
        controller.start()
        # A quota for a clock, where nothing comes.
        reload(IDLE, f"{JOB_TOO}, max-cores: 1")
        wait_until(lambda: enforced("web", place="enforced", clock="emulated"), 120)
        same("half a clock", Domain("rpweb").all, (["0"] * 2, ["0"], {"0"}, "5000 10000"))
        # One leaves, and the other one has another vCPU.
        reload(JOB_TOO)
        wait_until(lambda: enforced("job", place="enforced") and
                   Domain("rpweb").all == before.all, 120)
        same("vCPUs", Domain("rpjob").vcpus, ["0,1"] * 2)
        # It cannot give that back: nothing in it lets it go. That is told, and it is pinned.
        reload(f"{JOB_TOO}, max-cores: 1")
        wait_until(lambda: tenant("job")["vcpus"]["state"] == "failed", 120)
        assert "unplug" in tenant("job")["vcpus"]["why"], tenant("job")["vcpus"]
        same("pins", Domain("rpjob").vcpus, ["0"] * 2)
        assert enforced("job", place="enforced")
        host.sh("virsh destroy rpjob")
        wait_until(lambda: not running("job"))
        controller.end()


# ---- Classes ----

def quanta(device):
    out = host.sh(f"tc -d class show dev {device}")
    return sorted(line.split("quantum ")[1].split()[0] for line in out.splitlines()
                  if "quantum" in line)


@test
def classes_of_drr_and_ets_are_weighed():
    host.up()
    clear()
    host.sh("ip link add rpdrr type dummy && ip link add rpets type dummy && "
            "tc qdisc add dev rpdrr root handle 1: drr && for c in 10 20 30; do "
            "tc class add dev rpdrr parent 1: classid 1:$c drr quantum 2000; done && "
            "tc qdisc add dev rpets root handle 1: ets bands 3 quanta 3000 3000 3000")
    share = "name: %s, class: batch, domain: none-%s, nic: %s, nic-queues: ['%s'], nic-share: %d"
    with Controller(*(share % (who, who, *rest) for who, *rest in (
            ("a", "rpdrr", "1:10", 3), ("b", "rpdrr", "1:20", 1),
            ("c", "rpets", "1:1", 3), ("d", "rpets", "1:2", 1)))) as controller:
        wait_until(lambda: [n["state"] for n in status()["nics"]] == ["enforced"] * 2, 120)
        for nic in status()["nics"]:
            same(f"{nic['nic']}: asked and has", [(q["asked"], q["has"]) for q in nic["queues"]],
                 [(4542, 4542), (1514, 1514)])
        same("drr", quanta("rpdrr"), ["1514b", "2000b", "4542b"])
        same("ets", quanta("rpets"), ["1514", "3000", "4542"])
        controller.end()
        same("drr is given back", quanta("rpdrr"), ["2000b"] * 3)
        same("ets is given back", quanta("rpets"), ["3000"] * 3)


# ---- Virtual functions ----

BUS = f"{SIM}/devices/netdevsim10"


def guarantees():
    """Of the three, in Mbit/s, as the device has them."""
    return host.sh("cat /sys/kernel/debug/netdevsim/netdevsim10/ports/1*/tx_share").split()


def make_functions():
    with open(os.path.join(BUILD, "netdevsim.ko"), "rb") as f:
        host.sh("base64 -d >/run/netdevsim.ko", text_in=base64.b64encode(f.read()).decode())
    host.sh(f"modprobe psample; insmod /run/netdevsim.ko && rm /run/netdevsim.ko && "
            f"echo '10 1' >{SIM}/new_device")
    nic = host.sh(f"ls {BUS}/net").strip()
    host.sh(f"echo 3 >{BUS}/sriov_numvfs && "
            "devlink dev eswitch set netdevsim/netdevsim10 mode switchdev && "
            "devlink port function rate set netdevsim/netdevsim10/129 tx_share 50mbit")
    return nic


@test
def virtual_functions_are_weighed_by_devlink():
    host.up()
    clear()
    nic = make_functions()
    same("before", guarantees(), ["0", "50", "0"])
    share = f"name: %s, class: batch, domain: none-%s, nic: {nic}, nic-queues: [%d], nic-share: %d"
    tenants = [share % (who, who, *rest) for who, *rest in (("a", 0, 3), ("b", 1, 1))]
    with Controller(*tenants) as controller:
        wait_until(lambda: [n["state"] for n in status()["nics"]] == ["enforced"], 120)
        same("by", [n["by"] for n in status()["nics"]], ["devlink tx_share"])
        same("set", guarantees(), ["300", "100", "0"])
        host.sh("devlink port function rate set netdevsim/netdevsim10/128 tx_share 7mbit")
        wait_until(lambda: guarantees() == ["300", "100", "0"], 120)
        host.sh(f"pkill -KILL -x ringpace-hostd; while pgrep -x ringpace-hostd; do sleep 0.1; done; "
                f"rm {RUN}/run/control")
        controller.start()
        reload(tenants[0], share % ("b", "b", 1, 3))
        wait_until(lambda: guarantees() == ["300", "300", "0"], 120)
        controller.end()
        same("given back", guarantees(), ["0", "50", "0"])
        controller.start()
        wait_until(lambda: guarantees() == ["300", "300", "0"], 120)
        host.sh(f"echo 0 >{BUS}/sriov_numvfs")
        wait_until(lambda: "no such virtual function has one" in str(status()["nics"][0]["why"]), 120)
        controller.end()


if __name__ == "__main__":
    sys.exit(main(host))
