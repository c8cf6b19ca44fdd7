#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The nested host from the outside: `ringpace nested` with its own image, and what
runs in it: KVM, vhost_pc.ko, perf, a libvirt domain. An emulated machine that
dies is started once more, and the output says so.
"""
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios

sys.dont_write_bytecode = True
from nested import RINGPACE, Host, attempt, main, same, test, tests, wait_until

# Its own, for it begins and ends here.
host = Host(f"t{os.getpid()}")
execute, sh = host.execute, host.sh


def runs(pid):
    """A zombie, whom its parent has yet to reap, has no arguments."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return bool(f.read())
    except OSError:
        return False


@test
def up():
    n = json.loads(host.nested("up", "--json").stdout)
    print(f"# up after {n['boot_ms']} ms, from the snapshot: {n['restored']}")
    same("state", host.state()["state"], "up")
    assert runs(n["pid"]), "no such process"
    err = host.nested("up", rc=1).stderr
    assert "is up already" in err, err


@test
def exit_codes_and_streams():
    same("exit code", execute("sh", "-c", "exit 7", rc=7).returncode, 7)
    same("255 is the command's too", execute("sh", "-c", "exit 255", rc=255).stderr, "")
    p = execute("sh", "-c", "cat; echo bad >&2", text_in="in\n" * 1000)
    same("stdout", p.stdout, "in\n" * 1000)
    same("stderr", p.stderr, "bad\n")
    same("words", execute("printf", "%s|", "a b", "it's", "$HOME", "").stdout, "a b|it's|$HOME||")
    execute("sleep", "1000", timeout=2, rc=124)
    sh("! pgrep -x sleep")
    host.ringpace("nested", "exec", "--name", "nobody", "--", "true", rc=125)
    host.nested("exec", rc=2)
    host.ringpace("nested", "up", "--name", "../x", rc=2)


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
<initrd>/opt/ringpace/guest/initrd</initrd><cmdline>console=ttyS0 quiet tsc=reliable panic=-1 pci=noearly,lastbus=0</cmdline></os>
<features><acpi/><apic/></features><cpu mode='host-passthrough'/>
<devices><emulator>/opt/ringpace/qemu-system-x86_64</emulator><controller type='usb' model='none'/>
<serial type='file'><source path='/tmp/l2.serial'/></serial>
<channel type='file'><source path='/tmp/l2.agent'/><target type='virtio' name='org.ringpace.agent.0'/></channel>
<memballoon model='none'/></devices></domain>"""


@test
def a_guest_boots_in_kvm_and_perf_counts_its_exits():
    execute("sh", "-c", "cat > /tmp/l2.xml", text_in=DOMAIN)
    # The guest's agent says hello when everything in the guest has worked.
    out = sh("virsh -q create /tmp/l2.xml && "
             "perf stat -x, -e kvm:kvm_exit -a -- sh -c '"
             "for i in $(seq 2400); do grep -q rp-agent /tmp/l2.agent && exit; sleep 0.1; done; "
             "tail -5 /tmp/l2.serial; exit 1' 2>&1", timeout=400)
    count = next(line for line in out.splitlines() if "kvm:kvm_exit" in line).split(",")[0]
    print(f"# {count} exits until the guest's agent spoke")
    assert int(count) > 1000, out
    # Beside the one that `up` holds.
    same("VMs of KVM's", sh("cat /sys/kernel/debug/kvm/*/vcpu0/pid | wc -l").strip(), "2")
    sh("virsh -q destroy l2")


@test
def ctrl_c_ends_the_command_there_too():
    p = host.start("sleep", "997", stderr=subprocess.DEVNULL)
    wait_until(lambda: "997" in sh("pgrep -af 'sleep 99[7]' || true"))
    p.send_signal(signal.SIGINT)
    same("exit code", p.wait(60), 130)
    wait_until(lambda: "997" not in sh("pgrep -af 'sleep 99[7]' || true"))


class Shell:
    """`ringpace nested shell` on a terminal of its own, and what it wrote there."""

    def __init__(self, rows, columns):
        self.pid, self.terminal = pty.fork()
        if not self.pid:
            os.execv(RINGPACE, [RINGPACE, "nested", "shell", "--name", host.name])
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.text = b""

    def more(self):
        if select.select([self.terminal], [], [], 0.1)[0]:
            try:
                self.text += os.read(self.terminal, 4096)
            except OSError:     # its end
                pass
        return self.text

    def until(self, word):
        try:
            wait_until(lambda: word in self.more())
        except AssertionError as e:
            raise AssertionError(f"no {word!r} in {self.text!r}") from e

    def type(self, keys):
        self.text = b""
        os.write(self.terminal, keys)

    def end(self):
        """Its exit code; one that does not end is ended."""
        done = []
        try:
            wait_until(lambda: self.more() is not None and
                       done.append(os.waitpid(self.pid, os.WNOHANG)) is None and done[-1][0])
        except AssertionError:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            raise
        finally:
            os.close(self.terminal)
        return os.waitstatus_to_exitcode(done[-1][1])


@test
def a_shell_on_a_terminal():
    shell = Shell(33, 111)
    try:
        # Asked in two parts: what is typed comes back, too.
        shell.type(b"echo rea''dy; tty; stty size\n")
        shell.until(b"ready")
        shell.until(b"/dev/pts/")
        shell.until(b"33 111")
        shell.type(b"echo beg''un; sleep 996\n")
        shell.until(b"begun")
        wait_until(lambda: "996" in sh("pgrep -af 'sleep 99[6]' || true"))
        shell.type(b"\x03")
        wait_until(lambda: "996" not in sh("pgrep -af 'sleep 99[6]' || true"))
        shell.type(b"echo status=$?\n")
        shell.until(b"status=130")
        shell.type(b"exit 3\n")
    finally:
        code = shell.end()
    same("exit code", code, 3)


@test
def down_leaves_nothing():
    n = host.state()
    host.nested("down")
    assert not runs(n["pid"]), "QEMU is there"
    assert not os.path.exists(n["dir"]), "files are there"
    same("state", host.state(), None)
    # ssh's shared connection ends with the machine.
    wait_until(lambda: subprocess.run(["pgrep", "-f", n["dir"]],
                                      stdout=subprocess.DEVNULL).returncode)
    host.nested("down", rc=1)


@test
def a_start_that_is_interrupted_leaves_nothing():
    p = subprocess.Popen([RINGPACE, "nested", "up", "--cold", "--name", host.name],
                         stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: subprocess.run(["pgrep", "-f", f"ringpace-nested-{host.name} "],
                                      stdout=subprocess.DEVNULL).returncode == 0)
    p.send_signal(signal.SIGINT)
    same("exit code", p.wait(60), 130)
    same("process", subprocess.run(["pgrep", "-f", f"ringpace-nested-{host.name} "]).returncode, 1)
    same("state", host.state(), None)


def with_its_own_ends(function, _):
    """What begins and ends the machine is tried once."""
    if function in (tests[0], tests[-1], tests[-2]):
        function()
    else:
        attempt(function, host)


if __name__ == "__main__":
    sys.exit(main(host, with_its_own_ends))
