# SPDX-License-Identifier: GPL-2.0-or-later
# QEMU: the distribution's source (build/qemu-src) and the patched emulator
# (build/qemu-system-x86_64), both links into the user's cache. Depend on
# build/qemu-path, which holds the emulator's path: a link has the age of what
# it names, and that may be older than this checkout. Use build/qemu-src as an
# order-only prerequisite for the same reason.
QEMU_DIR := qemu-patches
QEMU_INPUTS := $(addprefix $(QEMU_DIR)/,build fetch lib.sh series) \
	$(wildcard $(QEMU_DIR)/*.patch) guest-driver/module/uapi/virtio_pc.h \
	vhost/kernel/uapi/vhost_pc.h vhost/daemon/uapi/vhost_user_net_rss.h

.PHONY: qemu qemu-src qemu-gone
qemu: build/qemu-path
qemu-src: build/qemu-src

# The cache is the user's to empty. The build takes minutes: what changes in the
# meantime is newer than its result.
build/qemu-path: $(QEMU_INPUTS) $(shell test -x build/qemu-system-x86_64 || echo qemu-gone)
	@mkdir -p $(@D)
	@touch $@.begun
	$(Q)path=$$($(QEMU_DIR)/build) && \
		ln -sfn "$$path" build/qemu-system-x86_64 && echo "$$path" > $@
	@touch -r $@.begun $@ && rm $@.begun

build/qemu-src:
	@mkdir -p $(@D)
	$(Q)src=$$($(QEMU_DIR)/fetch) && ln -sfn "$$src" $@

ifeq ($(SAN),)
PROGRAMS += build/qemu-path
endif
