# SPDX-License-Identifier: GPL-2.0-or-later
# The debugging kernel: build/debug-kernel is a link into the cache, to a
# directory with vmlinuz and what modules are built against. Only tests need
# it, so it is no part of "all".
.PHONY: debug-modules debug-kernel-gone
debug-modules: build/debug/vhost_pc.ko build/debug/virtio_pc.ko build/debug/rp_faults.ko

# The cache is the user's to empty. What changes during the build is newer than
# its result.
build/debug-kernel-path: images/debug/build images/debug/config vhost/kernel/source \
		$(KDIR)/Module.symvers \
		$(shell test -f build/debug-kernel/vmlinuz || echo debug-kernel-gone)
	@mkdir -p $(@D)
	@touch $@.begun
	$(Q)path=$$(images/debug/build) && ln -sfn "$$path" build/debug-kernel && echo "$$path" > $@
	@touch -r $@.begun $@ && rm $@.begun
