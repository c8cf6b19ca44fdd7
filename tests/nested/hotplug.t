#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vCPUs of a Linux guest under KVM that follow its CPUs, by hotplug: the controller gives it
one, takes it away, gives it again, is refused, and gives back what it had. What the guest
has on line is asked of the guest itself, by a shell on its console.
"""
import re
import sys

sys.dont_write_bytecode = True
from hostd import Controller, Domain, RUN, clear, enforced, host, reload, status, tenant
from nested import main, same, test, wait_until

# A guest that starts anew by itself, as one does in an emulated machine at times, ends.
DOMAIN = f"""<domain type='kvm'>
  <name>rpweb</name>
  <memory unit='MiB'>256</memory>
  <vcpu current='1'>2</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>/opt/ringpace/guest/vmlinuz</kernel>
    <initrd>/opt/ringpace/guest/initrd</initrd>
    <cmdline>console=ttyS0 loglevel=4 tsc=reliable panic=-1 oops=panic pci=noearly,lastbus=0 rp.shell</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <cpu mode='host-passthrough'/>
  <on_reboot>destroy</on_reboot>
  <devices>
    <emulator>/opt/ringpace/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/>
    <serial type='pipe'><source path='{RUN}-guest/console'/></serial>
    <memballoon model='none'/>
  </devices>
</domain>"""
CPUS = "/sys/devices/system/cpu"
# As udev does elsewhere: what is plugged is put on line.
UDEV = (f"while sleep 0.2; do for c in {CPUS}/cpu[1-9]*/online; do "
        "[ \"$(cat $c)\" = 1 ] || echo 1 >$c; done 2>/dev/null; done &")
ACPI = "/sys/firmware/acpi/hotplug/processor/enabled"
BOOT_S = 150
ANSWER_S = 60


class Guest:
    """At the prompt of its shell, until the block's end."""

    def __init__(self):
        self.orders = 0

    def __enter__(self):
        host.sh(f"rm -rf {RUN}-guest; mkdir {RUN}-guest && cd {RUN}-guest && "
                "mkfifo console.in console.out && "
                "{ cat console.out >log 2>&1 </dev/null & } && virsh create /dev/stdin",
                text_in=DOMAIN)
        self.wait(r"/ # ", BOOT_S, "the guest did not boot in time")
        self.order(UDEV)
        return self

    def __exit__(self, kind, *_):
        if kind:
            for line in self.log().splitlines()[-40:]:
                print(f"# console: {line}")
        host.sh("test ! -e /run/libvirt/qemu/rpweb.pid || virsh destroy rpweb; "
                f"rm -rf {RUN}-guest", rc=None)

    def log(self):
        return host.sh(f"cat {RUN}-guest/log", rc=None)

    def wait(self, pattern, limit, why):
        """What the console says."""
        found = []

        def said():
            found[:] = re.findall(pattern, self.log())
            assert found or host.sh("virsh list --name").split() == ["rpweb"], "the VM went off"
            return found
        try:
            wait_until(said, limit)
        except AssertionError as e:
            raise AssertionError(why if "in vain" in str(e) else str(e)) from None
        return found[-1]

    def order(self, line):
        host.sh(f"cat >{RUN}-guest/console.in", text_in=line + "\n")

    def ask(self, command):
        """What it prints. The console shows what is typed, too, which is not said yet."""
        self.orders += 1
        self.order(f"echo SA''ID {self.orders} $({command}) DO''NE")
        return self.wait(rf"SAID {self.orders} (.*?) ?DONE", ANSWER_S,
                         f"the guest does not answer: {command}")

    def has(self, cpus):
        return self.ask(f"cat {CPUS}/online") == cpus


WEB = ("name: web, class: latency, domain: rpweb, ports: [not-there], bound-ns: 1000000, "
       "threads-per-core: 1, vcpus: hotplug")
ONE = f"{WEB}, max-cores: 1"


def vcpus(state, online):
    v = tenant("web")["vcpus"]
    return (v["by"], v["state"], v["online"]) == ("hotplug", state, online) and \
        enforced("web", place="enforced")


@test
def vcpus_come_and_go():
    host.up()
    clear()
    with Guest() as guest:
        assert guest.has("0")
        with Controller(WEB) as controller:
            wait_until(lambda: vcpus("enforced", 2), 120)
            wait_until(lambda: guest.has("0-1"))
            same("both have both", Domain("rpweb").vcpus, ["0,1"] * 2)
            for _ in range(2):
                reload(ONE)
                wait_until(lambda: vcpus("enforced", 1), 120)
                assert guest.has("0")
                same("one thread of KVM's", Domain("rpweb").vcpus, ["0"])
                reload(WEB)
                wait_until(lambda: vcpus("enforced", 2), 120)
                wait_until(lambda: guest.has("0-1"))
                same("and two again", Domain("rpweb").vcpus, ["0,1"] * 2)
            guest.ask(f"echo 0 >{ACPI}")
            reload(ONE)
            wait_until(lambda: vcpus("failed", 2), 120)
            print(f"# refused: {tenant('web')['vcpus']['why']}")
            assert guest.has("0-1")
            same("both have one", Domain("rpweb").vcpus, ["0"] * 2)
            ticks = status()["loop"]["ticks"]
            guest.ask(f"echo 1 >{ACPI}")
            wait_until(lambda: vcpus("enforced", 1), 150)
            assert guest.has("0")
            assert status()["loop"]["ticks"] > ticks
            same("told once", host.sh(f"grep -c 'only pinned' {RUN}/hostd.log").strip(), "1")
            reload(WEB)
            wait_until(lambda: vcpus("enforced", 2), 120)
            controller.end()
            assert guest.has("0")
            same("as it was", Domain("rpweb").vcpus, ["0,1"])


if __name__ == "__main__":
    sys.exit(main(host))
