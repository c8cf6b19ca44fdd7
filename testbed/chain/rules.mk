# SPDX-License-Identifier: GPL-2.0-or-later
# The sources are found by testbed/rules.mk; here what the unit test needs.
UNIT_SRCS_test_chain := $(addprefix testbed/,util.c chain/arrivals.c chain/bottleneck.c \
	chain/strategies.c)
UNIT_LIBS_test_chain := -lm
UNIT_CFLAGS_test_chain := -iquote testbed
UNIT_SRCS_test_l2fwd_ask := testbed/util.c testbed/chain/l2fwd.c
UNIT_LIBS_test_l2fwd_ask := -ljansson -lm
UNIT_CFLAGS_test_l2fwd_ask := -iquote testbed

$(BUILD)/chain/domain.xml.in: testbed/chain/domain.xml.in
	@mkdir -p $(@D)
	$(Q)cp $< $@

$(BUILD)/ringpace: | $(BUILD)/chain/domain.xml.in
PROGRAMS += $(BUILD)/chain/domain.xml.in
