#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Each check of the debugging kernel finds the fault that rp_faults.ko commits
# for it: without this, that the checks find nothing in our modules would say
# little.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
. "$here/debug.sh"

# Lockdep first: it switches itself off after any other report.
cp "$debug/rp_faults.ko" "$tmp/root/lib/modules"
cat > "$tmp/root/sbin/rp-test" <<'END'
#!/bin/sh
for fault in lock atomic shift object freed end leak; do
	insmod /lib/modules/rp_faults.ko fault=$fault 2> /dev/null
done
exit 0
END
chmod 755 "$tmp/root/sbin/rp-test"
add_scripts
run_vm 512 400 "$debug_words"
for ((i = 0; i < ${#checks[@]}; i += 2)); do
	[ -n "$(first_splat "${checks[i + 1]}")" ] && rc=0 || rc=1
	ok $rc "${checks[i]} finds its fault"
done
[ $failed -eq 0 ] || tail -n 100 "$tmp/console" | sed 's/^/# console: /'
finish
