# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Tests in the debugging kernel (images/debug): its modules, what it is to look
# for, and what it found. Sourced, with $here set to this directory.

. "$here/lib.sh"

debug=$build/debug
vmlinuz=$build/debug-kernel/vmlinuz
for file in "$vmlinuz" "$debug"/{vhost_pc,virtio_pc,rp_faults}.ko; do
	[ -e "$file" ] || {
		echo "1..0 # SKIP no ${file#"$root/"}: make debug-modules builds the debugging kernel, in 10 minutes"
		exit 0
	}
done
# Warnings and worse go to the console. A host that is busy looks like a stalled
# CPU; a real stall fails the tests. slub_debug: who allocates is told.
debug_words='loglevel=5 kasan_multi_shot rcupdate.rcu_cpu_stall_suppress=1 slub_debug=U,kmalloc-*'

# What checks say when they find something: a name, and an expression for grep.
checks=(
	'KASAN' 'KASAN:'
	'UBSAN' 'UBSAN:'
	'lockdep' 'possible (circular|recursive) locking|inconsistent lock state|suspicious RCU|unlock balance|held lock freed|lock held when returning|Invalid wait context|^end: lockdep is off'
	'the check of sleeping' 'sleeping function called|scheduling while atomic|in preemptible'
	'the check of timers and work' 'ODEBUG:'
	'kmemleak' 'unreferenced object'
	'the count of slab objects' '^end: slab:'
	'the kernel' 'WARNING:|BUG:|Oops|general protection|Kernel panic|blocked for more than|segfault at|traps: .* trap |^end: cannot'
)

# add_scripts: what runs before and after the test in the VM.
add_scripts() {
	install -m 755 "$here/debug_begin" "$tmp/root/sbin/rp-begin"
	install -m 755 "$here/debug_end" "$tmp/root/sbin/rp-end"
}

count=0 failed=0

# ok RC TEXT: one TAP line.
ok() {
	count=$((count + 1))
	if [ "$1" -ne 0 ]; then
		failed=$((failed + 1))
		printf 'not '
	fi
	echo "ok $count - $2"
}

# tap_of FILE: passes a test's lines on, but for the plan, and counts them.
tap_of() {
	grep -v '^1\.\.' "$1" || :
	count=$(grep -cE '^(not )?ok ' "$1" || :)
	failed=$(grep -c '^not ok ' "$1" || :)
}

# first_splat EXPRESSION: its line's number on the console; none: empty.
first_splat() { { grep -aEn -m1 "$1" "$tmp/console" || :; } | cut -d: -f1; }

# check_console: a TAP line for each check; of a splat, 40 lines.
check_console() {
	local i at rc
	grep -aq '^end: done' "$tmp/console" && rc=0 || rc=$?
	ok $rc "the VM came to its end"
	[ $rc -eq 0 ] || tail -n 60 "$tmp/console" | sed 's/^/# console: /'
	for ((i = 0; i < ${#checks[@]}; i += 2)); do
		at=$(first_splat "${checks[i + 1]}")
		[ -z "$at" ] && rc=0 || rc=1
		ok $rc "${checks[i]} found nothing"
		[ $rc -eq 0 ] || sed -n "$at,$((at + 39))s/^/# /p" "$tmp/console"
	done
}

finish() {
	echo "1..$count"
	exit $((failed ? 1 : 0))
}
