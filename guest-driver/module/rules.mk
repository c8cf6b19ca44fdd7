# SPDX-License-Identifier: GPL-2.0-or-later
# The guest driver: build/virtio_pc.ko.
$(eval $(call kmodule,virtio_pc,guest-driver/module,build/module))

.PHONY: modules modules-check dkms
modules: build/virtio_pc.ko
modules-check: virtio_pc-check

# A source tree for DKMS (the driver's README.md says what to do with it).
dkms: $(virtio_pc_tree) guest-driver/module/dkms.conf
	$(Q)rm -rf build/dkms && mkdir -p build/dkms
	$(Q)cd build/module && cp --parents $(virtio_pc_tree:build/module/%=%) ../dkms
	$(Q)cp guest-driver/module/dkms.conf build/dkms
