# SPDX-License-Identifier: GPL-2.0-or-later
# rp-vhost-test runs in the test guest: static, never sanitized.
ifeq ($(SAN),)
PROGRAMS += $(BUILD)/rp-vhost-test
$(eval $(call program,rp-vhost-test,$(addprefix tests/vhost/,main.c dev.c work.c counters.c \
	schedule.c observe.c admin.c migration.c hostile.c life.c lost.c),-static,-Ivhost/kernel/uapi))
endif

# A module with faults, for the debugging kernel to find.
rp_faults_tree := $(addprefix tests/vhost/faults/,Kbuild rp_faults.c)
$(eval $(call debug_kmodule,rp_faults,tests/vhost/faults))
