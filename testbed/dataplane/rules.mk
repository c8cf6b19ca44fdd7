# SPDX-License-Identifier: GPL-2.0-or-later
# The sources are found by testbed/rules.mk; here the template of the VM's domain.
$(BUILD)/dataplane/domain.xml.in: testbed/dataplane/domain.xml.in
	@mkdir -p $(@D)
	$(Q)cp $< $@

$(BUILD)/ringpace: | $(BUILD)/dataplane/domain.xml.in
PROGRAMS += $(BUILD)/dataplane/domain.xml.in

UNIT_SRCS_test_guest_files := $(addprefix testbed/,dataplane/guest_files.c util.c)
UNIT_CFLAGS_test_guest_files := -iquote testbed
