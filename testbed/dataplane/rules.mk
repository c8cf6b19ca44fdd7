# SPDX-License-Identifier: GPL-2.0-or-later
# The sources are found by testbed/rules.mk; here the template of the VM's domain.
$(BUILD)/dataplane/domain.xml.in: testbed/dataplane/domain.xml.in
	@mkdir -p $(@D)
	$(Q)cp $< $@

$(BUILD)/ringpace: | $(BUILD)/dataplane/domain.xml.in
PROGRAMS += $(BUILD)/dataplane/domain.xml.in
