# SPDX-License-Identifier: GPL-2.0-or-later
#
# The guest driver: build/virtio_pc.ko, for the kernel whose headers the
# distribution's metapackage names (KVER=... and KDIR=... choose another).
# Kbuild writes beside its sources, so these are copied to build/module first.

module_dir := guest-driver/module
module_lib := $(addprefix lib/pacing/,party strategy notify sleep busy report) \
	lib/hist/hist lib/trace/trace
module_srcs := $(wildcard $(module_dir)/*.[ch]) $(module_dir)/Kbuild \
	$(wildcard $(module_dir)/uapi/*.h)
module_lib_srcs := $(addsuffix .c,$(module_lib)) lib/rp.h \
	$(wildcard lib/pacing/*.h lib/hist/*.h lib/trace/*.h)
module_tree := $(patsubst $(module_dir)/%,build/module/%,$(module_srcs)) \
	$(addprefix build/module/,$(module_lib_srcs))

KVER ?= $(shell images/guest/kernel --version)
KDIR ?= /lib/modules/$(KVER)/build

# One build at a time in build/module.
module_kbuild = flock build/module $(MAKE) -s -C $(KDIR) M=$(CURDIR)/build/module

.PHONY: modules modules-check dkms
modules: build/virtio_pc.ko

build/module/lib/%: lib/%
	@mkdir -p $(@D)
	@cp $< $@
build/module/%: $(module_dir)/%
	@mkdir -p $(@D)
	@cp $< $@

# A kernel update changes $(KDIR), so the stamp carries its name.
build/virtio_pc.ko: $(module_tree) $(KDIR)/Module.symvers
	$(call say,KO,$@)$(module_kbuild) W=1 KCFLAGS=-Werror modules
	@cp build/module/virtio_pc.ko $@

# Static checks that need the whole kernel's flags.
modules-check: $(module_tree)
	$(Q)$(module_kbuild) C=2 CF=-Wsparse-error W=1 KCFLAGS=-Werror modules

# A source tree for DKMS (README.md in $(module_dir) says what to do with it).
dkms: $(module_tree) $(module_dir)/dkms.conf
	$(Q)rm -rf build/dkms && mkdir -p build/dkms
	$(Q)cd build/module && cp --parents $(module_tree:build/module/%=%) ../dkms
	$(Q)cp $(module_dir)/dkms.conf build/dkms
