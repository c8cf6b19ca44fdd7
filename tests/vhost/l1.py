# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of QEMU's device on vhost_pc.ko share: their list, and what
they look at in the kernel beneath. They run inside the VM that l1.sh boots.
"""
import fcntl
import os
import re

from guest_vm import wait_until

tests = []
guests = []     # L2s, to be ended


def test(function):
    tests.append(function)
    return function


def same(what, got, want):
    assert got == want, f"{what}: {got}, not {want}"


def vhost_threads(pid):
    """Names of the kernel threads that serve a QEMU."""
    names = []
    for task in os.listdir("/proc"):
        try:
            with open(f"/proc/{task}/comm") as f:
                name = f.read().strip()
        except OSError:
            continue
        if re.fullmatch(rf"vhost-{pid}-\d+", name):
            names.append(name)
    return sorted(names)


def users():
    with open("/sys/module/vhost_pc/refcnt") as f:
        return int(f.read())


def hold_kvm():
    """A VM that never runs, for as long as this process lives: docs/nested.md has the reason.
    Its vCPU's APIC is off, as KVM's branches then stay as they are, too.
    """
    create_vm, create_irqchip, create_vcpu = 0xae01, 0xae60, 0xae41
    vm = fcntl.ioctl(os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC), create_vm, 0)
    fcntl.ioctl(vm, create_irqchip, 0)
    fcntl.ioctl(vm, create_vcpu, 0)


def migrate(source, target):
    """Its outcome, by the source's word. Both take QMP commands by call()."""
    uri = "unix:/tmp/migration"
    target("migrate-incoming", uri=uri)
    source("migrate", uri=uri)

    def status():
        return source("query-migrate").get("status")
    wait_until(lambda: status() in ("completed", "failed"))
    return status()
