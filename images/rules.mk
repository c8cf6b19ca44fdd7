# SPDX-License-Identifier: GPL-2.0-or-later
#
# The test guest: build/guest/vmlinuz and build/guest/initrd. Its programs are
# static and never sanitized: they run where no library is.

ifeq ($(SAN),)
PROGRAMS += $(BUILD)/rp-agent $(BUILD)/rp-guest-test build/guest/initrd
$(eval $(call program,rp-agent,$(addprefix images/guest/,agent.c agent_run.c \
	agent_sysfs.c agent_trace.c),-static -ljansson))
$(eval $(call program,rp-guest-test,tests/vm/guest_test.c,-static))
PROGRAMS += $(BUILD)/rp-guest-rss
$(eval $(call program,rp-guest-rss,tests/vm/rss.c,-static))
endif

.PHONY: image
image: build/guest/initrd

build/guest/initrd: images/guest/build images/guest/kernel images/guest/init \
		build/virtio_pc.ko build/rp-agent build/rp-guest-test
	@mkdir -p $(@D)
	$(call say,IMG,$@)paths=$$(images/guest/build build) && \
		cp $$(echo "$$paths" | head -n 1) build/guest/vmlinuz && \
		cp $$(echo "$$paths" | tail -n 1) $@
build/guest/vmlinuz: build/guest/initrd ;

# The VMs of `ringpace chain`, of the same kernel.
image: build/chain/initrd
ifeq ($(SAN),)
PROGRAMS += build/chain/initrd
endif
build/chain/initrd: images/chain/build images/chain/init images/lib.sh build/rp-l2fwd
	$(call say,IMG,$@)images/chain/build build $@

# The VM of `ringpace dataplane`, of the same kernel, too.
image: build/dataplane/initrd
ifeq ($(SAN),)
PROGRAMS += build/dataplane/initrd
endif
build/dataplane/initrd: images/dataplane/build images/dataplane/init images/lib.sh build/rp-dataplane
	$(call say,IMG,$@)images/dataplane/build build $@
