# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel still holds after a QEMU that was reset and killed under load:
the slabs' own account of who allocated what (slub_debug=U), before and after.
Runs inside the nested host, under l1_main.py.
"""
import collections
import errno
import glob
import os
import re
import subprocess

from guest_vm import wait_until
from l1 import guests, same, test, tests, users, vhost_threads
from l1_kvm import L2, begin_endless

tests.clear()   # those of l1_kvm

TRACES = "/sys/kernel/debug/slab/kmalloc-*/alloc_traces"
# Whatever these have is of a VM, or of a device.
MODULES = "vhost_pc", "vhost", "kvm", "kvm_amd", "irqbypass"
MODULE = "/opt/ringpace/vhost_pc.ko"
before = collections.Counter()


def blocks():
    """(objects, stack) of each place that allocates."""
    for path in glob.glob(TRACES):
        with open(path) as f:
            count, stack = 0, ""
            for line in f:
                head = re.match(r"\s*(\d+) \S+.* age=", line)
                if head:
                    yield count, stack
                    count, stack = int(head[1]), line
                else:
                    stack += line
            yield count, stack


def held_by():
    """Objects by (module whose functions hold them, who allocated them)."""
    held = collections.Counter()
    for count, stack in blocks():
        # What a page of a slab has of its own lives as long as any object in it does,
        # whosoever allocated the first.
        if "memcg_alloc_slab_cgroups" in stack:
            continue
        for name in MODULES:
            if f"[{name}]" in stack:
                # What is wasted is a sum, and would make fewer objects a place of their own.
                who = re.sub(r" (waste|age)=.*", "", stack, flags=re.M)
                held[name, re.sub(r"^\s*\d+ ", "", who).strip()] += count
    return held


def objects(held=None):
    """How many each module's functions hold, and vmalloc's areas."""
    total = dict.fromkeys(MODULES, 0)
    for (name, _), count in (held_by() if held is None else held).items():
        total[name] += count
    with open("/proc/vmallocinfo") as f:
        areas = f.read()
    total["vmalloc"] = len(re.findall(r"\[(?:vhost_pc|vhost|kvm|kvm_amd)\]", areas))
    return total


def nothing_more_than(base):
    """RCU and the slabs' own queues take their time."""
    def left():
        return {key: count - base[key] for key, count in held_by().items() if count > base[key]}

    try:
        wait_until(lambda: not left())
    except AssertionError as e:
        raise AssertionError("\n".join(f"{count} more of {name}: {who}"
                                       for (name, who), count in left().items())) from e
    print(f"# after the kill: {objects()}")


def unload():
    return subprocess.run(["rmmod", "vhost_pc"], capture_output=True, text=True)


@test
def a_device_under_load_is_counted():
    before.update(held_by())
    none = objects(before)
    print(f"# before: {none}")
    vm = L2(pairs=1)
    guests.append(vm)
    vm.up()
    begin_endless(vm)
    now = objects()
    print(f"# under load: {now}")
    for name in "vhost_pc", "vhost", "kvm":
        assert now[name] > none[name], f"the slabs do not show what {name} holds"


@test
def the_module_stays_while_a_vm_runs():
    vm = guests[-1]
    p = unload()
    assert p.returncode and "in use" in p.stderr, p
    vm.seen(0, vm.device.stats(0)["items"] + 100)


@test
def a_reset_under_load_adds_nothing():
    vm = guests[-1]
    held = objects()
    vm.reset()
    begin_endless(vm, "busy")
    now = objects()
    print(f"# after the reset: {now}")
    # KVM's shadow of the guest's memory is as large as the guest makes it.
    for name in "vhost_pc", "vhost":
        same(f"objects of {name}", now[name], held[name])


@test
def killed_under_load_it_leaves_nothing():
    vm = guests[-1]
    vm.process.kill()
    vm.process.wait()
    vm.forget_device()
    wait_until(lambda: users() == 0)
    same("threads", vhost_threads(vm.process.pid), [])
    nothing_more_than(before)
    vm.end()


@test
def then_the_module_goes():
    same("rmmod", unload().returncode, 0)
    assert not os.path.exists("/dev/vhost-pc")
    held = objects()
    same("objects", (held["vhost_pc"], held["vhost"]), (0, objects(before)["vhost"]))
    same("insmod", subprocess.run(["insmod", MODULE]).returncode, 0)
    try:
        os.close(os.open("/dev/vhost-pc", os.O_RDWR))
    except OSError as e:
        raise AssertionError(errno.errorcode[e.errno]) from e
