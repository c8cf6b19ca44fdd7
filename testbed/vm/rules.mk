# SPDX-License-Identifier: GPL-2.0-or-later
# The VM lane: its sources are found by testbed/rules.mk; here the domain
# template, which users read and change beside the command. libvirt is loaded
# at run time (late.c), never linked.

$(BUILD)/domain.xml.in: testbed/vm/domain.xml.in
	@mkdir -p $(@D)
	$(Q)cp $< $@

$(BUILD)/ringpace: | $(BUILD)/domain.xml.in
PROGRAMS += $(BUILD)/domain.xml.in

UNIT_SRCS_test_xml := testbed/vm/xml.c
UNIT_CFLAGS_test_xml := -iquote testbed
