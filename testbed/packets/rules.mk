# SPDX-License-Identifier: GPL-2.0-or-later
# The sources are found by testbed/rules.mk; here what `ringpace bench guests` reads.
$(BUILD)/packets/domain.xml.in: testbed/packets/domain.xml.in
	@mkdir -p $(@D)
	$(Q)cp $< $@

$(BUILD)/ringpace: | $(BUILD)/packets/domain.xml.in
PROGRAMS += $(BUILD)/packets/domain.xml.in
