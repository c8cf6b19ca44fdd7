#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The nested host from the outside: `ringpace nested` with its own image, and what
runs in it: KVM, vhost_pc.ko, perf, a libvirt domain. An emulated machine that
dies is started once more, and the output says so.
"""
import json
import os
import signal
import subprocess
import sys
import time
import traceback

BUILD = os.path.abspath(os.environ.get("RP_BUILD", "build"))
RINGPACE = os.path.join(BUILD, "ringpace")
NAME = f"t{os.getpid()}"
UP_S = 500      # with the snapshot, on a busy machine
EXEC_S = 120
LEAST_MIB = 5120
tests = []


def test(function):
    tests.append(function)
    return function


def same(what, got, want):
    assert got == want, f"{what}: {got!r}, not {want!r}"


def nested(*argv, rc=0, limit=EXEC_S, **how):
    p = subprocess.run([RINGPACE, "nested", *argv], capture_output=True, text=True,
                       timeout=limit, **({"stdin": subprocess.DEVNULL, **how}
                                         if "input" not in how else how))
    if rc is not None:
        assert p.returncode == rc, \
            f"{' '.join(argv)}: exit {p.returncode}, not {rc}\n{p.stdout}{p.stderr}"
    return p


def execute(*argv, timeout=90, rc=0, **how):
    return nested("exec", "--name", NAME, "--timeout", str(timeout), "--", *argv, rc=rc,
                  limit=timeout + 60, **how)


def sh(line, **how):
    return execute("sh", "-c", line, **how).stdout


def state():
    return next((n for n in json.loads(nested("status", "--json").stdout)
                 if n["name"] == NAME), None)


def runs(pid):
    """A zombie, whom its parent has yet to reap, has no arguments."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return bool(f.read())
    except OSError:
        return False


def wait_until(condition, limit=60):
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


@test
def up():
    n = json.loads(nested("up", "--name", NAME, "--json", limit=UP_S).stdout)
    print(f"# up after {n['boot_ms']} ms, from the snapshot: {n['restored']}")
    same("state", state()["state"], "up")
    assert runs(n["pid"]), "no such process"
    err = nested("up", "--name", NAME, rc=1).stderr
    assert "is up already" in err, err


@test
def exit_codes_and_streams():
    same("exit code", execute("sh", "-c", "exit 7", rc=7).returncode, 7)
    same("255 is the command's too", execute("sh", "-c", "exit 255", rc=255).stderr, "")
    p = execute("sh", "-c", "cat; echo bad >&2", input="in\n" * 1000)
    same("stdout", p.stdout, "in\n" * 1000)
    same("stderr", p.stderr, "bad\n")
    same("words", execute("printf", "%s|", "a b", "it's", "$HOME", "").stdout, "a b|it's|$HOME||")
    execute("sleep", "1000", timeout=2, rc=124)
    sh("! pgrep -x sleep")
    nested("exec", "--name", "nobody", "--", "true", rc=125)
    nested("exec", "--name", NAME, rc=2)
    nested("up", "--name", "../x", rc=2)


@test
def kvm_vhost_and_libvirt_are_there():
    sh("test -w /dev/kvm && test -c /dev/vhost-pc && test -c /dev/vhost-net")
    modules = sh("cut -d' ' -f1 /proc/modules").split()
    for name in "kvm_amd", "vhost_pc", "vhost_net", "tun":
        assert name in modules, f"{name} is not loaded: {modules}"
    assert "virtio-pc-pci" in sh("qemu-system-x86_64 -device help"), "QEMU is not ours"
    same("libraries", sh("ldd /opt/ringpace/qemu-system-x86_64 /opt/ringpace/ringpace"
                         " | grep 'not found' || true"), "")
    sh("ringpace --help && ringpaced --help")
    same("kernel", sh("modinfo -F vermagic /opt/ringpace/vhost_pc.ko").split()[0],
         sh("uname -r").strip())


DOMAIN = """<domain type='kvm'><name>l2</name><memory unit='MiB'>128</memory><vcpu>1</vcpu>
<os><type machine='q35'>hvm</type><kernel>/opt/ringpace/guest/vmlinuz</kernel>
<initrd>/opt/ringpace/guest/initrd</initrd><cmdline>console=ttyS0 quiet tsc=reliable panic=-1</cmdline></os>
<features><acpi/><apic/></features><cpu mode='host-passthrough'/>
<devices><emulator>/opt/ringpace/qemu-system-x86_64</emulator><controller type='usb' model='none'/>
<serial type='file'><source path='/tmp/l2.serial'/></serial>
<channel type='file'><source path='/tmp/l2.agent'/><target type='virtio' name='org.ringpace.agent.0'/></channel>
<memballoon model='none'/></devices></domain>"""


@test
def a_guest_boots_in_kvm_and_perf_counts_its_exits():
    execute("sh", "-c", "cat > /tmp/l2.xml", input=DOMAIN)
    # The guest's agent says hello when everything in the guest has worked.
    out = sh("virsh -q create /tmp/l2.xml && "
             "perf stat -x, -e kvm:kvm_exit -a -- sh -c '"
             "for i in $(seq 2400); do grep -q rp-agent /tmp/l2.agent && exit; sleep 0.1; done; "
             "tail -5 /tmp/l2.serial; exit 1' 2>&1", timeout=400)
    count = next(line for line in out.splitlines() if "kvm:kvm_exit" in line).split(",")[0]
    print(f"# {count} exits until the guest's agent spoke")
    assert int(count) > 1000, out
    same("KVM is in use", sh("cat /sys/kernel/debug/kvm/*/vcpu0/pid | wc -l").strip(), "1")
    sh("virsh -q destroy l2")


@test
def ctrl_c_ends_the_command_there_too():
    p = subprocess.Popen([RINGPACE, "nested", "exec", "--name", NAME, "--", "sleep", "997"],
                         stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: "997" in sh("pgrep -af 'sleep 99[7]' || true"))
    p.send_signal(signal.SIGINT)
    same("exit code", p.wait(60), 130)
    wait_until(lambda: "997" not in sh("pgrep -af 'sleep 99[7]' || true"))


@test
def down_leaves_nothing():
    n = state()
    nested("down", "--name", NAME)
    assert not runs(n["pid"]), "QEMU is there"
    assert not os.path.exists(n["dir"]), "files are there"
    same("state", state(), None)
    # ssh's shared connection ends with the machine.
    wait_until(lambda: subprocess.run(["pgrep", "-f", n["dir"]],
                                      stdout=subprocess.DEVNULL).returncode)
    nested("down", "--name", NAME, rc=1)


@test
def a_start_that_is_interrupted_leaves_nothing():
    p = subprocess.Popen([RINGPACE, "nested", "up", "--cold", "--name", NAME],
                         stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: subprocess.run(["pgrep", "-f", f"ringpace-nested-{NAME} "],
                                      stdout=subprocess.DEVNULL).returncode == 0)
    p.send_signal(signal.SIGINT)
    same("exit code", p.wait(60), 130)
    same("process", subprocess.run(["pgrep", "-f", f"ringpace-nested-{NAME} "]).returncode, 1)
    same("state", state(), None)


def crashed():
    """Did the emulated machine die, or its kernel?"""
    n = state()
    if n is None or n["state"] == "dead":
        return True
    with open(os.path.join(n["dir"], "serial.log"), errors="replace") as f:
        log = f.read()
    return "Oops" in log or "Kernel panic" in log or "segfault" in log


def attempt(function):
    """With one more try, on a machine started anew, when the machine died."""
    try:
        function()
    except Exception:
        n = state()
        if function in (up, tests[-1], tests[-2]) or not crashed():
            raise
        traceback.print_exc()
        print(f"# {function.__name__}: the emulated machine died; once more, on a new one")
        if n:
            nested("down", "--name", NAME)
        nested("up", "--name", NAME, limit=UP_S)
        function()


def tell_log():
    n = state()
    if not n:
        return
    for name in "serial.log", "ssh.log", "tools.log":
        try:
            with open(os.path.join(n["dir"], name), errors="replace") as f:
                for line in f.read().splitlines()[-20:]:
                    print(f"# {name}: {line}", file=sys.stderr)
        except OSError:
            pass


def memory_mib():
    with open("/proc/meminfo") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("MemAvailable")) // 1024


def main():
    if memory_mib() < LEAST_MIB:
        print(f"1..0 # SKIP {LEAST_MIB} MiB of memory are needed, {memory_mib()} are free")
        return 0
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    try:
        for number, function in enumerate(tests, 1):
            start = time.monotonic()
            try:
                attempt(function)
                verdict = "ok"
            except Exception:
                traceback.print_exc()
                tell_log()
                verdict = "not ok"
                failed += 1
            print(f"{verdict} {number} - {function.__name__.replace('_', ' ')}")
            print(f"# {time.monotonic() - start:.0f} s", flush=True)
            if verdict == "not ok" and function is up:
                print("Bail out! no nested host")
                break
    finally:
        nested("down", "--name", NAME, rc=None)
    return bool(failed)


def ended(*_):
    raise SystemExit(1)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, ended)
    sys.exit(main())
