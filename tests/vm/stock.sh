# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What tests with stock guests share: Debian's kernel with an initramfs of busybox, VMs with
# a network card at a port of ringpaced, their consoles and monitors. To be sourced behind
# native/lib.sh; what is started is ended by that.
# shellcheck source=images/lib.sh
. "$top/images/lib.sh"
qemu=$top/build/qemu-system-x86_64
# Seconds; under TCG on a machine that has other things to do.
patience=240
# Of a VM, for stock_boot(): memory, pairs of queues and CPUs, properties of its card.
memory=192M
pairs=1
card=
# Of the kernel, for stock_initrd().
modules="virtio_pci virtio_net"
# Memory of a guest that migrates. Not whole pieces of 64 pages: of those QEMU before 9.0
# forgets, under TCG, that its CPUs may write again what was copied (its commit 03bfc2188f06),
# and guests that migrate are corrupted.
memory_migrates=196616K

die() { echo "Bail out! $*"; exit 1; }

release=$("$top/images/guest/kernel" --version)
tree=$("$top/images/guest/kernel")
# shellcheck disable=SC2034
moddir=${tree%/}/lib/modules/$release
declare -A vms consoles orders

# stock_initrd INIT [PROGRAM...]: what all VMs boot.
stock_initrd() {
	local program
	initrd_root "$scratch/root" "$1"
	# shellcheck disable=SC2086
	initrd_modules "$scratch/root" $modules
	shift
	# Of a static program ldd says that it has no libraries.
	for program; do initrd_program "$scratch/root" "$program" 2>/dev/null; done
	initrd_archive "$scratch/root" "$scratch/initrd"
}

# What they boot with. no_timer_check: on a busy machine interrupts come late, and the kernel
# would give up.
vmlinuz=${tree%/}/boot/vmlinuz-$release
kernel="console=ttyS0 quiet tsc=reliable no_timer_check panic=-1 oops=panic"

# stock_console NAME: the pipes of a VM's console; what it says is in NAME.log.
stock_console() {
	local fd
	mkfifo "$scratch/$1.in" "$scratch/$1.out"
	cat "$scratch/$1.out" >"$scratch/$1.log" &
	exec {fd}<>"$scratch/$1.in"
	consoles[$1]=$fd
	orders[$1]=0
}

# stock_boot NAME PORT STATION WORDS [OPTION...]: a VM in the background, with a card of that
# station's address at $scratch/PORT.sock. Its pid is in ${vms[NAME]}, its console in NAME.log.
stock_boot() {
	local name=$1 port=$2 station=$3 words=$4
	shift 4
	stock_console "$name"
	"$qemu" -accel tcg,thread=multi -cpu max -machine q35,memory-backend=ram -m "$memory" \
		-smp "$pairs" -object "memory-backend-memfd,id=ram,size=$memory,share=on" \
		-nodefaults -no-user-config -display none -no-reboot \
		-kernel "$vmlinuz" -initrd "$scratch/initrd" \
		-append "$kernel $words" \
		-chardev "pipe,id=con,path=$scratch/$name" -serial chardev:con \
		-qmp "unix:$scratch/$name.qmp,server=on,wait=off" \
		-chardev "socket,id=net,path=$scratch/$port.sock,reconnect=1" \
		-netdev "vhost-user,id=net0,chardev=net,queues=$pairs" \
		-device "virtio-net-pci,netdev=net0,mac=52:54:00:00:00:0$station$card" "$@" \
		>"$scratch/$name.qemu" 2>&1 &
	vms[$name]=$!
}

# stock_end NAME... [SIGNAL in $signal]: its QEMU has ended, and the pipes of its console.
stock_end() {
	local name fd
	for name; do
		kill "-${signal:-TERM}" "${vms[$name]}" 2>/dev/null
		wait "${vms[$name]}" 2>/dev/null
		fd=${consoles[$name]}
		exec {fd}>&-
		rm -f "$scratch/$name.in" "$scratch/$name.out" "$scratch/$name.qmp"
	done
}

# serve_host ADDRESS DIRECTORY: its files, by HTTP, as a process group of its own: there is
# a process for each connection, and that to a guest which was killed waits for it.
httpd=
serve_host() {
	setsid "$busybox" httpd -f -p "$1:80" -h "$2" >/dev/null 2>&1 &
	httpd=$!
}

stop_serving() {
	[ -n "$httpd" ] || return 0
	kill -- "-$httpd" 2>/dev/null
	wait "$httpd" 2>/dev/null
	httpd=
}
trap 'stop_serving; clean_up' EXIT

alive() { kill -0 "${vms[$1]}" 2>/dev/null; }

# What is known when something has failed, for ok().
stock_tell() {
	local name
	for name in "${!vms[@]}"; do
		alive "$name" || echo "the QEMU of $name has ended"
	done
	tail -n 5 "$scratch"/*.qemu "$scratch"/*.log
	cat "$scratch/daemon"
} >"$scratch/err" 2>/dev/null

# told TEXT CONDITION...: a TAP line, when it holds or has failed for good.
told() {
	local text=$1 rc
	shift
	wait_for "$patience" "$@"
	rc=$?
	[ $rc -eq 0 ] || stock_tell
	ok $rc "$text"
}

# ---- A guest that does what it is told: orders_init ----

# The guest's order of that number has ended, or its VM has.
answered() { grep -q "^RESULT $2 " "$scratch/$1.log" || ! alive "$1"; }

is_up() { answered "$1" 0 && alive "$1"; }

# begin NAME COMMAND: for the guest's shell, made one line; its number is in ${orders[NAME]}.
begin() {
	orders[$1]=$((orders[$1] + 1))
	printf '%s\n' "${2//$'\n'/ }" >&"${consoles[$1]}"
}

# end NAME: of what was begun last; its exit status. A guest that is silent once is not asked again.
end() {
	local n=${orders[$1]} rc
	[ "$n" -ge 0 ] || return 125
	wait_for "$patience" answered "$1" "$n"
	rc=$(sed -n "s/^RESULT $n \([0-9]*\).*/\1/p" "$scratch/$1.log")
	[ -n "$rc" ] || orders[$1]=-1000000
	return "${rc:-125}"
}

order() { begin "$1" "$2"; end "$1"; }

# said NAME: what the order that ended last has printed.
said() {
	awk -v n="${orders[$1]}" '$1 == "RESULT" { on = $2 == n - 1; next } on' "$scratch/$1.log"
}

# keep_on NAME PEER: it pings and fetches for ever, and tells of each time.
keep_on() {
	order "$1" "while :; do fetch $2 && echo FETCHED || echo BROKEN; done &"
	order "$1" "while :; do ping -c 5 -i 0.1 -W 60 $2 >/tmp/ping; \
		grep -q ' 0% packet loss' /tmp/ping && echo PINGED || echo UNPINGED; done &"
}

# times NAME WORD: how often it has told that.
times() { grep -c "^$2" "$scratch/$1.log"; }
# goes_on NAME N: so many pings and fetches more than the last time that it was true.
declare -A pinged fetched
goes_on() {
	[ "$(times "$1" PINGED)" -ge $((${pinged[$1]:-0} + $2)) ] &&
		[ "$(times "$1" FETCHED)" -ge $((${fetched[$1]:-0} + $2)) ] || return 1
	pinged[$1]=$(times "$1" PINGED)
	fetched[$1]=$(times "$1" FETCHED)
}

# all_went NAME...: none of the pings was lost, no file was broken; what the guests said else.
all_went() {
	local name
	for name; do
		grep -Hv '^PINGED\|^FETCHED\|^RESULT' "$scratch/$name.log"
	done | tail -n 40 >"$scratch/err"
	for name; do
		[ "$(times "$name" UNPINGED) $(times "$name" BROKEN)" = "0 0" ] || return 1
	done
}

# host_fetches ADDRESS: as a guest's fetch does.
host_fetches() {
	$busybox wget -q -O "$scratch/fetched" "http://$1/file" &&
		[ "$(md5sum <"$scratch/fetched")" = "$($busybox wget -q -O - "http://$1/sum")" ]
}

# ---- The monitor ----

# qmp NAME COMMAND: its answer, greeting and capabilities before it.
qmp() {
	{ printf '%s\n' '{"execute":"qmp_capabilities"}' "$2"; sleep 1; } |
		timeout 20 socat -t 2 - "UNIX-CONNECT:$scratch/$1.qmp"
}

migrated() { qmp "$1" '{"execute":"query-migrate"}' | grep -q '"status": "completed"'; }

# stock_move FROM TO PORT STATION WORDS [OPTION...]: the guest of VM FROM goes to a new one, TO, at PORT.
stock_move() {
	local from=$1 to=$2
	shift
	stock_boot "$@" -incoming "unix:$scratch/$to.migration"
	# shellcheck disable=SC2034
	orders[$to]=${orders[$from]}
	wait_for 60 [ -S "$scratch/$to.migration" ]
	wait_for 60 [ -S "$scratch/$to.qmp" ]
	qmp "$from" '{"execute":"migrate","arguments":{"uri":"unix:'"$scratch/$to.migration"'"}}' \
		>>"$scratch/$from.qemu"
	told "$from to $to: the guest has moved" migrated "$from"
	stock_end "$from"
}

# ---- The daemon's counters ----

# count PORT QUEUE EXPRESSION: of the statistics.
count() {
	"$ringpace" ctl stats --socket "$scratch/ctl" --device "$1" --queue "$2" --json |
		jq ".stats | $3"
}

# dropped QUEUES PORT...: frames, by any of the first QUEUES queues, for any reason.
dropped() {
	local queues=$1 port queue
	shift
	for port; do
		for ((queue = 0; queue < queues; queue++)); do
			count "$port" "$queue" '.dropped // {} | add // 0'
		done
	done | awk '{ n += $1 } END { print n }'
}

# A ringpaced from port a to port b, at which rp-dataplane is to be with two threads.
start_wire() {
	"$top/build/ringpaced" --control "$scratch/ctl" --port "a,socket=$scratch/a.sock" \
		--port "b,socket=$scratch/b.sock,pairs=2,rss=128,full-ms=3600000" --link a,b 2>"$scratch/daemon" &
	daemon=$!
	wait_for 60 [ -S "$scratch/ctl" ]
}
