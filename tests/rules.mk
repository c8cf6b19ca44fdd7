# SPDX-License-Identifier: GPL-2.0-or-later
# make check: unit tests (plain, ASan+UBSan, TSan), native lane, VM lane,
# the kernel's vhost device, the nested host.
# The sanitizers' trees are built by the same makefile with SAN=.
# RINGPACE_LONG=1 in the environment: the soak lasts 10 minutes, the dataplane moves 10 000 groups.
TESTS_UNIT = $(UNIT_TESTS)
TESTS_ASAN = $(patsubst build/%,build/asan/%,$(UNIT_TESTS))
# libvirt and glib are not instrumented: TSan sees races where they have locks. And long
# simulations have one thread: nothing to race with, and minutes under TSan.
WITHOUT_TSAN := hostd_virt hostd_agent hostd_hotplug steady loop follow
TESTS_TSAN = $(patsubst build/%,build/tsan/%,$(filter-out $(addprefix %/test_,$(WITHOUT_TSAN)),$(UNIT_TESTS)))
TESTS_NATIVE = $(sort $(wildcard tests/native/*.t))
TESTS_VM = $(sort $(wildcard tests/vm/*.t))
TESTS_DEBUG = $(sort $(wildcard tests/vhost/debug_*.t))
TESTS_VHOST = $(filter-out $(TESTS_DEBUG),$(sort $(wildcard tests/vhost/*.t)))
TESTS_NESTED = $(sort $(wildcard tests/nested/*.t))
# One nested host for all of its tests.
WITH_HOST = tests/nested/with_host

.PHONY: check check-unit check-native check-vm check-vhost check-debug check-nested sanitizers
# Sub-makes, so that packages are there before the first file is built.
check: setup
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) all unit-tests build/netdevsim.ko
	$(Q)$(MAKE) --no-print-directory sanitizers
	$(Q)$(WITH_HOST) tests/run $(TESTS_UNIT) $(TESTS_ASAN) $(TESTS_TSAN) $(TESTS_NATIVE) \
		$(TESTS_VM) $(TESTS_VHOST) $(TESTS_NESTED)
	@echo "Not run: the modules in a kernel with KASAN and lockdep, which takes too long here: make check-debug"

sanitizers:
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) SAN=asan unit-tests all-native
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) SAN=tsan unit-tests all-native

check-unit: unit-tests
	$(Q)tests/run $(TESTS_UNIT)

check-native: all
	$(Q)tests/run $(TESTS_NATIVE)

check-vm: all
	$(Q)tests/run $(TESTS_VM)

check-vhost: all
	$(Q)tests/run $(TESTS_VHOST)

# The modules in a debugging kernel; not part of check: its kernel takes minutes, and the
# guest driver's tests in it more than what a test may take there. Their VMs have limits of
# their own for what stands still.
check-debug: all debug-modules
	$(Q)RP_TEST_TIMEOUT_S=$${RP_TEST_TIMEOUT_S:-3600} tests/run $(TESTS_DEBUG)

# netdevsim is in no package, but in the kernel's source: a device with virtual functions.
build/netdevsim.ko: vhost/kernel/source build/vhost-module/vhost.h
	@mkdir -p build/netdevsim
	$(call say,GET,$@)vhost/kernel/source --part drivers/net/netdevsim build/netdevsim $(KVER)
	+$(call say,KO,$@)$(MAKE) -s -C $(KDIR) M=$(CURDIR)/build/netdevsim CONFIG_NETDEVSIM=m modules
	@strip -g -o $@ build/netdevsim/netdevsim.ko

check-nested: all build/netdevsim.ko
	$(Q)$(WITH_HOST) tests/run $(TESTS_NESTED)
