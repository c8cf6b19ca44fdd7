# SPDX-License-Identifier: GPL-2.0-or-later
#
# How a kernel module is built: for the kernel whose headers the distribution's
# metapackage names (KVER=... and KDIR=... choose another). Kbuild writes beside
# its sources, so these are gathered in build/ first, with their part of lib/.
include lib/kernel.mk

ifndef KVER
KVER := $(shell images/guest/kernel --version $(HUSH))
endif
KDIR ?= /lib/modules/$(KVER)/build

lib_kernel_srcs := $(addsuffix .c,$(lib_kernel)) lib/kernel.mk lib/rp.h \
	$(wildcard lib/pacing/*.h lib/pacing/peers/*.h lib/hist/*.h lib/trace/*.h lib/vring/event.h)

# $(call kmodule,NAME,DIR,TREE): build/NAME.ko from DIR, gathered in TREE; its
# static checks, which need the whole kernel's flags, are NAME-check. NAME_tree
# lists the files in TREE, NAME_kbuild is make in TREE, once at a time. NAME-dkms
# makes a source tree for DKMS, with the files NAME_extra of DIR as well.
define kmodule
$(1)_tree := $(patsubst $(2)/%,$(3)/%,$(wildcard $(2)/*.[ch] $(2)/uapi/*.h) \
	$(2)/Kbuild) $(addprefix $(3)/,$(lib_kernel_srcs))
$(1)_kbuild = flock $(3) $$(MAKE) -s -C $$(KDIR) M=$$(CURDIR)/$(3)

$(3)/lib/%: lib/%
	@mkdir -p $$(@D)
	@cp $$< $$@
$(3)/%: $(2)/%
	@mkdir -p $$(@D)
	@cp $$< $$@

# A kernel update changes KDIR, so the stamp carries its name.
build/$(1).ko: $$($(1)_tree) $$(KDIR)/Module.symvers
	+$$(call say,KO,$$@)$$($(1)_kbuild) W=1 KCFLAGS=-Werror modules
	@cp $(3)/$(1).ko $$@

.PHONY: $(1)-check
$(1)-check: $$($(1)_tree)
	+$$(Q)$$($(1)_kbuild) C=2 CF=-Wsparse-error W=1 KCFLAGS=-Werror modules

.PHONY: dkms $(1)-dkms
dkms: $(1)-dkms
$(1)-dkms: $$($(1)_tree) $$(addprefix $(2)/,dkms.conf $$($(1)_extra))
	$$(Q)$$(call dkms_tree,$(2)/dkms.conf,$(3),$$($(1)_tree:$(3)/%=%)) && \
	cp $(addprefix $(2)/,dkms.conf $($(1)_extra)) "$$$$tree"
endef

# $(call debug_kmodule,NAME,TREE[,FILES]): build/debug/NAME.ko, for the debugging
# kernel (images/debug), from NAME_tree and FILES of TREE.
define debug_kmodule
build/debug/$(1).ko: $$($(1)_tree) $(addprefix $(2)/,$(3)) build/debug-kernel-path
	@mkdir -p build/debug/$(1)
	@cd $(2) && cp --parents $$($(1)_tree:$(2)/%=%) $(3) "$$(CURDIR)/build/debug/$(1)"
	+$$(call say,KO,$$@)flock build/debug/$(1) $$(MAKE) -s -C build/debug-kernel/tree \
		M=$$(CURDIR)/build/debug/$(1) UBSAN_SANITIZE=y KCFLAGS=-Werror modules
	@cp build/debug/$(1)/$(1).ko $$@
endef

# Gathers the files @3 of @2 in build/dkms, in the directory that the
# configuration @1 names as DKMS wants it; its path is then in the shell's $tree.
dkms_tree = . $(1) && tree=build/dkms/$$PACKAGE_NAME-$$PACKAGE_VERSION && \
	rm -rf $$tree && mkdir -p $$tree && \
	( cd $(2) && cp --parents $(3) "$(CURDIR)/$$tree" )
