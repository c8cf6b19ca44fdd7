# SPDX-License-Identifier: GPL-2.0-or-later
# The emulated KVM host of the nested lane: build/nested is a link into the
# cache, to a directory with vmlinuz, initrd and disk.qcow2.
NESTED_INPUTS := images/lib.sh images/guest/kernel $(addprefix images/nested/,build init \
	packages.txt) $(shell find images/nested/root -type f)

build/guest/initrd: images/lib.sh

.PHONY: nested nested-gone
nested: build/nested-path

# The cache is the user's to empty. What changes during the build is newer than
# its result.
build/nested-path: $(NESTED_INPUTS) $(KDIR)/Module.symvers \
		$(shell test -f build/nested/disk.qcow2 || echo nested-gone)
	@mkdir -p $(@D)
	@touch $@.begun
	$(Q)path=$$(images/nested/build) && ln -sfn "$$path" build/nested && echo "$$path" > $@
	@touch -r $@.begun $@ && rm $@.begun

ifeq ($(SAN),)
PROGRAMS += build/nested-path
endif
