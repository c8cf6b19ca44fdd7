# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What build, each and try share: the series, the work tree that it is applied
# to, and compiling it. Sourced, with $here set to the directory of the series.
#
# The work tree is kept warm: only files whose text differs from what the
# series makes of the pristine ones are written, so that a changed patch
# recompiles what it touches and no more.

cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/ringpace
# The interfaces of the device and of its backends, and where they go.
headers=("$here/../guest-driver/module/uapi/virtio_pc.h"
	"$here/../vhost/kernel/uapi/vhost_pc.h"
	"$here/../vhost/daemon/uapi/vhost_user_net_rss.h")
headers_in_tree=include/standard-headers/linux

say() { echo "qemu-patches/${0##*/}: $*" >&2; }
die() { say "$*"; exit 1; }

# KVM and TCG, vhost in the kernel and in a daemon; no user interface, network
# or storage backend beyond what is always built. Firmware comes from Debian's
# qemu-system-data, seabios and ipxe-qemu: the source package has none. The
# prefix is never installed to; QEMU finds its data relative to itself.
configure_options=(
	--target-list=x86_64-softmmu
	--without-default-features
	--enable-kvm --enable-tcg
	--enable-vhost-kernel --enable-vhost-net --enable-vhost-user
	--enable-fdt=system --enable-slirp
	--disable-docs --disable-tools --disable-werror --disable-debug-info
	--disable-install-blobs
	--with-git-submodules=ignore
	--with-pkgversion=Ringpace
	--prefix=/opt/ringpace-qemu
	--firmwarepath=/usr/share/qemu:/usr/share/seabios:/usr/lib/ipxe/qemu
)

# File names of the patches, in order.
series() {
	sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$here/series"
}

# Files that the named patches touch.
touched() {
	sed -n -e 's,^--- a/,,p' -e 's,^+++ b/,,p' "$@" | sort -u
}

# Another build may be at work on the same trees.
lock_work() {
	mkdir -p "$cache"
	exec 8> "$cache/qemu-work.lock"
	flock -n 8 || { say "waiting for another build"; flock 8; }
}

# update_file FROM TO: writes TO only when the text differs; no FROM, no TO.
update_file() {
	if [ ! -e "$1" ]; then
		rm -f "$2"
	elif ! cmp -s "$1" "$2"; then
		mkdir -p "$(dirname "$2")"
		cp "$1" "$2"
	fi
}

# sync_work PRISTINE WORK PATCH...: makes WORK/src the pristine tree with the
# headers and the patches, up from whatever it was.
sync_work() {
	local pristine=$1 work=$2 scratch file patch rc=0
	shift 2
	if [ ! -d "$work/src" ]; then
		say "copying the source"
		rm -rf "$work/src.tmp"
		mkdir -p "$work"
		cp -a --reflink=auto "$pristine" "$work/src.tmp"
		mv "$work/src.tmp" "$work/src"
	fi
	for file in "${headers[@]}"; do
		update_file "$file" "$work/src/$headers_in_tree/${file##*/}"
	done

	scratch=$(mktemp -d "$work/scratch.XXXXXX")
	touch "$work/touched"
	sort -u - "$work/touched" <<< "$([ $# -eq 0 ] || touched "$@")" |
		sed '/^$/d' > "$scratch.touched"
	while read -r file; do
		[ ! -e "$pristine/$file" ] ||
			install -D -m 644 "$pristine/$file" "$scratch/$file"
	done < "$scratch.touched"
	for patch; do
		if ! patch -d "$scratch" -p1 -s -f --fuzz=0 \
			--no-backup-if-mismatch < "$patch" >&2; then
			say "${patch##*/} does not apply to $pristine"
			rc=1
			break
		fi
	done
	if [ "$rc" -eq 0 ]; then
		cp "$scratch.touched" "$work/touched"
		while read -r file; do
			update_file "$scratch/$file" "$work/src/$file"
		done < "$scratch.touched"
	fi
	rm -rf "$scratch" "$scratch.touched"
	return "$rc"
}

# Of ninja's "[12/1475] ..." lines, one in twenty.
progress() {
	awk -v name="qemu-patches/${0##*/}" '
		match($0, /^\[[0-9]+\/[0-9]+\]/) {
			split(substr($0, 2, RLENGTH - 2), n, "/")
			step = int(20 * n[1] / n[2])
			if (step != last) {
				printf "%s: compiling, %d of %d\n", name, n[1], n[2]
				fflush()
				last = step
			}
		}' >&2
}

# compile_work WORK: configures when the options changed, then compiles.
compile_work() {
	local work=$1 log=$1/log
	if [ "$(cat "$work/options" 2>/dev/null)" != "${configure_options[*]}" ]; then
		rm -rf "$work/obj" "$work/options"
	fi
	mkdir -p "$work/obj"
	if [ ! -e "$work/options" ]; then
		say "configuring"
		(cd "$work/obj" && ../src/configure "${configure_options[@]}") \
			> "$log" 2>&1 || show_failure configure "$log"
		echo "${configure_options[*]}" > "$work/options"
	fi
	# ninja names the number of jobs; pipefail carries make's status.
	nice make -C "$work/obj" -j"$(nproc)" qemu-system-x86_64 2>&1 |
		tee "$log" | progress || show_failure make "$log"
}

show_failure() {
	tail -n 30 "$2" >&2
	die "$1 of QEMU failed; the whole log is $2"
}
