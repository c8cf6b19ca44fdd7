# SPDX-License-Identifier: GPL-2.0-or-later
"""An L2 guest under KVM, whose driver moves items. One guest for all tests, in
this order; the last but one goes on in another QEMU.
"""
import os
import subprocess
import tempfile

from guest_vm import BUILD, Control, Failed, PATIENCE_S, QEMU, Qmp, wait_until
from l1 import guests, migrate, same, test, users, vhost_threads
from vhost_pc import Device, SEQ

MS = 1000000
ITEMS = 2000


class L2:
    """A guest with device pc0, two queue pairs. end() is idempotent."""

    def __init__(self, *extra, pairs=2):
        self.dir = tempfile.TemporaryDirectory(prefix="rp-l2.")
        self.extra = extra
        self.pairs = pairs
        self.boots = int("-incoming" not in extra)      # that the test has made here
        self.device = None
        self.process = self.start()
        try:
            self.qmp = Qmp(self.path("qmp"), self.process)
            self.agent = Control(self.path("agent"), self.process)
            self.find_device()
        except BaseException:
            self.end()
            raise

    def path(self, name):
        return os.path.join(self.dir.name, name)

    def find_device(self):
        self.device = Device(self.process.pid)

    def forget_device(self):
        if self.device:
            self.device.close()
        self.device = None

    def device_args(self):
        return {"driver": "virtio-pc-pci", "id": "pc0", "bus": "port0",
                "vhost": True, "queue-size": 64, "queue-pairs": self.pairs}

    def start(self):
        pc = "virtio-pc-pci,id=pc0,bus=port0,vhost=on,queue-size=64," \
             f"queue-pairs={self.pairs}"
        with open(self.path("qemu.log"), "wb") as log:
            return subprocess.Popen(
                [QEMU, "-accel", "kvm", "-cpu", "host", "-machine", "q35",
                 "-smp", "1,maxcpus=2", "-m", "256", "-nodefaults", "-no-user-config",
                 "-display", "none",
                 "-kernel", os.path.join(BUILD, "guest/vmlinuz"),
                 "-initrd", os.path.join(BUILD, "guest/initrd"),
                 "-append", "console=ttyS0 quiet tsc=reliable panic=-1 oops=panic "
                            "pci=noearly,lastbus=0",
                 "-serial", "file:" + self.path("console.log"),
                 "-qmp", f"unix:{self.path('qmp')},server=on,wait=off",
                 "-device", "pcie-root-port,id=port0,chassis=1",
                 "-device", pc, "-device", "virtio-serial-pci",
                 "-chardev", f"socket,id=agent,path={self.path('agent')},"
                             "server=on,wait=off",
                 "-device", "virtserialport,chardev=agent,"
                            "name=org.ringpace.agent.0", *self.extra],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def up(self):
        """Waits for the agent, which announces itself."""
        same("program", self.agent.receive()["result"]["program"], "rp-agent")
        return self

    def end(self):
        self.forget_device()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.dir.cleanup()

    def logs(self):
        for name in "qemu.log", "console.log":
            try:
                with open(self.path(name), errors="replace") as f:
                    yield from (f"{name}: {line}" for line in f.readlines()[-20:])
            except OSError:
                pass

    def goes_on(self):
        """It has not started anew, by its console's word."""
        with open(self.path("console.log"), errors="replace") as f:
            assert f.read().count("init: up ") <= self.boots, \
                "the guest started anew by itself"
        return True

    def reset(self):
        self.boots += 1
        self.qmp.call("system_reset")
        self.up()

    def seen(self, queue, items):
        """The host's statistics, once it has seen that many items."""
        wait_until(lambda: self.goes_on() and self.device.stats(queue)["items"] >= items)
        return self.device.stats(queue)

    def fwd(self, strategy, pair=0):
        self.device.set(2 * pair, strategy)
        guest = self.agent.call("run", dir="fwd", strategy=strategy, pair=pair,
                                y_ns=200000, duration_ns=60000 * MS, burst=8,
                                max_items=ITEMS)["stats"]
        host = self.seen(2 * pair, guest["items"])
        print(f"# fwd {strategy}: {guest['items']} items in "
              f"{guest['duration_ns'] // MS} ms, sent {guest['sent']}, host "
              f"received {host['received']}, sent {host['sent']}, slept "
              f"{host['sleeps']}, p50 {host['lat_p50_ns']} ns")
        same("items", (guest["items"], host["items"]), (ITEMS, ITEMS))
        same("lost, reordered", (host["lost"], host["reordered"]), (0, 0))
        return guest, host

    def rev(self, strategy, pair=0):
        queue = 2 * pair + 1
        self.device.set(queue, strategy)
        run = self.agent.begin("run", dir="rev", strategy=strategy, pair=pair,
                               y_ns=200000, duration_ns=60000 * MS,
                               max_items=ITEMS)
        self.device.start(queue, ITEMS)
        guest = self.agent.end(run)["stats"]
        host = self.device.stats(queue)
        print(f"# rev {strategy}: {guest['items']} items in "
              f"{guest['duration_ns'] // MS} ms, received {guest['received']}, "
              f"host sent {host['sent']}, slept {host['sleeps']}, p50 "
              f"{guest['lat_p50_ns']} ns")
        same("items", (guest["items"], host["items"]), (ITEMS, ITEMS))
        same("lost, reordered", (guest["lost"], guest["reordered"]), (0, 0))
        return guest, host


def both_ways(vm, strategy):
    for direction in vm.fwd, vm.rev:
        guest, host = direction(strategy)
        if strategy == "notify":
            assert guest["received"] + host["received"] > 0, "no notification"
        elif strategy == "busy":
            # A run that ends with items under way asks for one call, of the last.
            assert guest["sent"] == 0 and host["sent"] <= 1, (guest["sent"], host["sent"])


def begin_endless(vm, strategy="notify"):
    """Traffic that lasts until it is stopped, under way."""
    bound = {"dmax_ns": 100 * MS} if strategy == "adaptive" else {}
    vm.device.set(0, strategy, **bound)
    run = vm.agent.begin("run", dir="fwd", strategy=strategy, y_ns=200000, **bound,
                         burst=4, duration_ns=600000 * MS)
    vm.seen(0, 100)
    return run


def begin_endless_rev(vm, pair):
    """The same from the host; the guest's run ends with the next `stop`."""
    queue = 2 * pair + 1
    vm.device.set(queue, "notify")
    run = vm.agent.begin("run", dir="rev", strategy="notify", pair=pair,
                         duration_ns=600000 * MS)
    vm.device.start(queue, 0)
    vm.seen(queue, 100)
    return run


@test
def every_strategy_both_ways():
    vm = L2()
    guests.append(vm)
    vm.up()
    info = vm.qmp.call("x-query-virtio-pc")[0]
    assert info["started"] and info["backend"] == "vhost-kernel"
    for strategy in "notify", "sleep", "busy":
        both_ways(vm, strategy)
    vm.fwd("notify", pair=1)
    vm.rev("notify", pair=1)


@test
def stop_and_cont_under_load():
    vm = guests[-1]
    run = begin_endless(vm)
    for _ in range(5):
        vm.qmp.call("stop")
        before = vm.device.stats(0)["items"]
        same("threads", vhost_threads(vm.process.pid), [])
        vm.qmp.call("cont")
        vm.seen(0, before + 100)
    vm.agent.call("stop")
    guest = vm.agent.end(run)["stats"]
    host = vm.seen(0, guest["items"])
    same("items, lost", (host["items"], host["lost"]), (guest["items"], 0))


@test
def unplugged_under_load_and_plugged_again():
    vm = guests[-1]
    run = begin_endless(vm)
    vm.forget_device()
    vm.qmp.unplug("pc0")
    try:
        vm.agent.end(run)
    except Failed as e:
        print(f"# the run that lost its device: {e}")
    wait_until(lambda: users() == 0)
    vm.qmp.call("device_add", **vm.device_args())
    vm.find_device()
    wait_until(lambda: vm.qmp.call("x-query-virtio-pc")[0]["started"])
    both_ways(vm, "notify")


@test
def reset_under_load():
    vm = guests[-1]
    begin_endless(vm, "busy")
    vm.reset()
    both_ways(vm, "notify")


def migrated_fwd(first, second, guest):
    print(f"# fwd: {first['items']} + {second['items']} items")
    assert second["flags"] & SEQ
    same("where the target went on", second["first_seq"], first["next_seq"])
    same("items", first["items"] + second["items"], guest["items"])
    for stats in first, second:
        same("lost, reordered", (stats["lost"], stats["reordered"]), (0, 0))


def migrated_rev(first, second, guest):
    """The target's producer has numbered anew; the guest has counted both's."""
    print(f"# rev: {first['items']} + {second['items']} items")
    same("the source's last number", first["next_seq"], first["items"])
    same("items, and left in the ring", guest["items"] + guest["left_items"],
         first["items"] + second["items"])
    same("lost, reordered", (guest["lost"], guest["reordered"]), (0, 0))


@test
def migration_under_load_both_ways():
    """Pair 0 fwd, pair 1 rev, at once: nothing is lost, and nothing comes twice."""
    source, target = guests[-1], L2("-incoming", "defer")
    guests.append(target)
    fwd, rev = begin_endless(source, "adaptive"), begin_endless_rev(source, 1)
    target.device.set(0, "adaptive", dmax_ns=100 * MS)
    target.device.set(3, "notify")
    wait_until(lambda: source.device.learned(0)[1])
    same("migration", migrate(source.qmp.call, target.qmp.call), "completed")
    print(f"# downtime {source.qmp.call('query-migrate').get('downtime')} ms")
    first = {queue: source.device.stats(queue) for queue in (0, 3)}
    target.seen(0, 100)
    assert target.device.learned(0)[1]
    with open(target.path("qemu.log"), encoding="utf-8", errors="replace") as log:
        assert "does not take" not in log.read()
    # What the host's party does is the target's affair: it has to be told to send.
    target.device.start(3, ITEMS)
    target.seen(3, ITEMS)
    # The answers come where the guest is now.
    target.agent.last_id = max(fwd, rev)
    target.agent.call("stop")
    sent, received = (target.agent.end(run)["stats"] for run in (fwd, rev))
    target.seen(0, sent["items"] - first[0]["items"])
    migrated_fwd(first[0], target.device.stats(0), sent)
    migrated_rev(first[3], target.device.stats(3), received)
    both_ways(target, "notify")
    source.end()


@test
def killed_under_load():
    vm = guests[-1]
    begin_endless(vm, "busy")
    vm.process.kill()
    vm.process.wait()
    vm.forget_device()
    wait_until(lambda: users() == 0)
    same("threads", vhost_threads(vm.process.pid), [])
    vm.end()
