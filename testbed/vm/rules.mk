# SPDX-License-Identifier: GPL-2.0-or-later
# The VM lane: its sources are found by testbed/rules.mk; here its library and
# the domain template, which users read and change beside the command.
RINGPACE_LIBS += -lvirt

$(BUILD)/domain.xml.in: testbed/vm/domain.xml.in
	@mkdir -p $(@D)
	$(Q)cp $< $@

$(BUILD)/ringpace: | $(BUILD)/domain.xml.in
PROGRAMS += $(BUILD)/domain.xml.in
