# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# What the images' scripts share: initramfs archives with kernel modules.
# Sourced, with die() defined and $moddir set to the modules of the kernel.

busybox=/bin/busybox

# Prints the paths of a module and what it needs, needed ones first. The list
# is what modinfo tells: an unpacked kernel package has no modules.dep.
with_dependencies() {
	for need in $(modinfo -F depends "$(find_module "$1")" | tr , ' '); do
		with_dependencies "$need"
	done
	find_module "$1"
}
find_module() {
	found=$(find "$moddir/kernel" -name "$1.ko*" | head -n 1)
	[ -n "$found" ] || die "$moddir has no module $1"
	echo "$found"
}

# initrd_modules ROOT MODULE...: puts the modules and what they need into
# ROOT/lib/modules, uncompressed, and their names, in order, into "order" there.
initrd_modules() {
	into=$1/lib/modules
	shift
	for module; do with_dependencies "$module"; done |
		awk '!seen[$0]++' |
		while read -r path; do
			file=${path##*/}
			case $file in
			*.xz) file=${file%.xz}; xz -dc "$path" > "$into/$file" ;;
			*.zst) file=${file%.zst}; zstd -qdc "$path" > "$into/$file" ;;
			*) cp "$path" "$into/$file" ;;
			esac
			echo "$file" >> "$into/order"
		done
}

# initrd_root ROOT INIT: the tree of an initramfs with busybox and INIT.
initrd_root() {
	mkdir -p "$1/bin" "$1/sbin" "$1/dev" "$1/proc" "$1/sys" "$1/tmp" "$1/lib/modules"
	cp "$2" "$1/init"
	cp $busybox "$1/bin/busybox"
	$busybox --list | while read -r applet; do
		[ "$applet" = busybox ] || ln -s busybox "$1/bin/$applet"
	done
}

# initrd_program ROOT PROGRAM: into ROOT/sbin, with its loader and libraries where it
# looks for them.
initrd_program() {
	cp "$2" "$1/sbin"
	initrd_libraries "$1" "$2"
}

# initrd_libraries ROOT FILE: those alone.
initrd_libraries() {
	ldd "$2" | sed -n 's,.*[[:space:]]\(/[^ ]*\) (.*,\1,p' | while read -r lib; do
		mkdir -p "$1${lib%/*}"
		cp -L "$lib" "$1$lib"
	done
}

# initrd_archive ROOT FILE: owner, times, order and inode numbers are the
# archive's, not this machine's.
initrd_archive() {
	find "$1" -type d -exec chmod 755 {} +
	find "$1" -type f -exec chmod 644 {} +
	chmod 755 "$1/init" "$1/bin/busybox"
	find "$1/sbin" -type f -exec chmod 755 {} +
	[ ! -d "$1/lib64" ] || chmod 755 "$1"/lib64/*
	find "$1" -exec touch -h -d @0 {} +
	( cd "$1" && find . | LC_ALL=C sort |
		cpio --quiet --create --format=newc --owner=0:0 --reproducible ) |
		gzip -9n > "$2"
}
