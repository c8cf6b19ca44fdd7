#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a VM that is reset and killed under load leaves in the kernel of the
nested host, and the module's end: l1_leaks.py, run there.
"""
import base64
import io
import os
import sys
import tarfile

sys.dont_write_bytecode = True
from nested import Host, SHARED, main, test

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
# Laid out there as the tests of the kernel's vhost are in their VM.
FILES = {
    "vhost": ("tests/vhost/l1.py", "tests/vhost/l1_kvm.py", "tests/vhost/l1_main.py",
              "tests/vhost/vhost_pc.py", "tests/nested/l1_leaks.py",
              "vhost/kernel/uapi/vhost_pc.h", "guest-driver/module/uapi/virtio_pc.h"),
    "vm": ("tests/vm/guest_vm.py",),
}
host = Host(SHARED or f"l{os.getpid()}")


def bundle():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for folder, paths in FILES.items():
            for path in paths:
                tar.add(os.path.join(ROOT, path), f"test/{folder}/{os.path.basename(path)}")
    return base64.b64encode(out.getvalue()).decode()


@test
def nothing_is_left_of_a_vm_that_was_killed():
    host.up()
    host.execute("sh", "-c", "rm -rf /run/leaks && mkdir /run/leaks && cd /run/leaks && "
                 "ln -s /opt/ringpace build && base64 -d | tar x",
                 text_in=bundle())
    p = host.execute("python3", "-B", "/run/leaks/test/vhost/l1_main.py", "l1_leaks",
                     timeout=380, rc=None)
    for line in p.stdout.splitlines():
        print(line if line.startswith("#") else f"# {line}")
    assert p.returncode == 0 and "ok 1" in p.stdout, p.stderr


if __name__ == "__main__":
    sys.exit(main(host))
