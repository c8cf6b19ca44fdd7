#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the tests of the module that the argument names, and prints TAP. Inside
the VM that l1.sh boots.
"""
import importlib
import os
import re
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, "../vm"))

import guest_vm         # noqa: E402

# Before it is imported from there: a guest in a guest, both emulated.
guest_vm.PATIENCE_S = 200

from l1 import guests, hold_kvm, same, test, tests, users     # noqa: E402


def nothing_is_left():
    for vm in guests:
        vm.end()
    same("users of the module", users(), 0)
    with open("/dev/kmsg") as log:
        os.set_blocking(log.fileno(), False)
        bad = []
        try:
            for line in log:
                # A lockup that the watchdog sees may be the host's.
                if re.search(r"BUG: (?!soft)|WARNING:|Oops:|general prot", line):
                    bad.append(line)
        except BlockingIOError:
            pass
    same("the kernel's complaints", bad, [])


def main():
    hold_kvm()
    importlib.import_module(sys.argv[1])
    test(nothing_is_left)
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    for number, function in enumerate(tests, 1):
        begin = time.monotonic()
        error = ""
        try:
            function()
        except Exception:
            error = traceback.format_exc()
            error += "".join(line for vm in guests for line in vm.logs())
        for line in error.splitlines():
            print(f"# {line}")
        failed += bool(error)
        print(f"{'not ' if error else ''}ok {number} - "
              f"{function.__name__.replace('_', ' ')}")
        print(f"# {time.monotonic() - begin:.1f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
