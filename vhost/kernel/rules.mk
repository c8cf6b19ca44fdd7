# SPDX-License-Identifier: GPL-2.0-or-later
# The vhost device: build/vhost_pc.ko. Its own directory of the cache holds the
# vhost core's header, of the kernel that the module is for.
vhost_tree := build/vhost-module
vhost_pc_extra := source
$(eval $(call kmodule,vhost_pc,vhost/kernel,$(vhost_tree)))

ifeq ($(SAN),)
PROGRAMS += build/vhost_pc.ko
endif

.PHONY: vhost-modules vhost-modules-check
vhost-modules: build/vhost_pc.ko
vhost-modules-check: vhost_pc-check

vhost_pc_tree += $(vhost_tree)/uapi/virtio_pc.h
build/vhost_pc.ko vhost_pc-check: $(vhost_tree)/vhost.h $(vhost_tree)/uapi/virtio_pc.h

$(eval $(call debug_kmodule,vhost_pc,$(vhost_tree),vhost.h))

# A kernel update changes $(KDIR), and so asks for another header.
$(vhost_tree)/vhost.h: vhost/kernel/source $(KDIR)/Module.symvers
	@mkdir -p $(@D)
	$(call say,GET,$@)vhost/kernel/source --to $@ $(KVER)

$(vhost_tree)/uapi/virtio_pc.h: guest-driver/module/uapi/virtio_pc.h
	@mkdir -p $(@D)
	@cp $< $@
