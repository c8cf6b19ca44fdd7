#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `ringpace doctor` from the outside: JSON complete, every verdict with its
# reason, KVM not judged by its file, help and wrong use.
cd "$(dirname "$0")/../.." || exit 1
ringpace=build/ringpace
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0

report() {	# status, name
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/# /' "$dir/err" "$dir/json" >&2
	fi
}

holds() {	# jq filter, name
	jq -en "input | ($1)" "$dir/json" >/dev/null 2>&1
	report $? "$2"
}

echo 1..10
timeout 120 $ringpace doctor --json >"$dir/json" 2>"$dir/err"
report $? "doctor --json ends with 0"
holds '[.lanes[].name] == ["native", "vm", "nested"]' "three lanes"
holds '[.lanes[], .host[]] | all((.why | length > 0) and
	(.state == "ok" or .state == "limited" or .state == "missing") and
	.available == (.state != "missing"))' "each finding has a state and a reason"
holds '.lanes[] | select(.name == "native") | .state == "ok"' "the native lane is there"
holds '.lanes[] | select(.name == "vm") | .available' "the VM lane is there"
holds '.host[] | select(.name == "qemu") | .state == "ok" and (.why | test("virtio-pc"))' \
	"QEMU has virtio-pc"
holds '.host[] | select(.name == "libvirt") | .state == "ok"' "libvirt opens"

# A /dev/kvm that runs no guest must not be called usable: where it exists, the
# reason names the guest that was booted.
if [ -e /dev/kvm ]; then
	holds '.host[] | select(.name == "kvm") | .why | test("guest|open")' \
		"KVM is judged by a guest"
else
	holds '.host[] | select(.name == "kvm") | (.why | test("no /dev/kvm")) and
		(.todo | length > 0)' "without /dev/kvm: why, and what to do"
fi

$ringpace doctor --help 2>"$dir/err" | grep -q -e 'Example' &&
	timeout 120 $ringpace doctor 2>>"$dir/err" | grep -q '^native *ok '
report $? "help has an example, the table a line for the native lane"
$ringpace doctor extra >/dev/null 2>"$dir/err"
[ $? -eq 2 ] && grep -q extra "$dir/err"
report $? "wrong use exits with 2"
