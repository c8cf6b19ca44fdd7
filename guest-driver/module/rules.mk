# SPDX-License-Identifier: GPL-2.0-or-later
# The guest driver: build/virtio_pc.ko.
$(eval $(call kmodule,virtio_pc,guest-driver/module,build/module))
$(eval $(call debug_kmodule,virtio_pc,build/module))

.PHONY: modules modules-check
modules: build/virtio_pc.ko
modules-check: virtio_pc-check
