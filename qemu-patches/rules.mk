# SPDX-License-Identifier: GPL-2.0-or-later
#
# QEMU: the distribution's source (build/qemu-src) and the patched emulator
# (build/qemu-system-x86_64). Both are links into the user's cache, where a
# second clone finds them.

qemu_dir := qemu-patches

.PHONY: qemu qemu-src
qemu: build/qemu-system-x86_64
qemu-src: build/qemu-src

build/qemu-src: $(qemu_dir)/fetch
	@mkdir -p $(@D)
	@src=$$($(qemu_dir)/fetch) && ln -sfn "$$src" $@
