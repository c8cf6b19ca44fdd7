# SPDX-License-Identifier: GPL-2.0-or-later
# The sources are found by testbed/rules.mk; here what the unit test needs.
UNIT_SRCS_test_chain := $(addprefix testbed/,util.c chain/arrivals.c chain/bottleneck.c \
	chain/strategies.c)
UNIT_LIBS_test_chain := -lm
UNIT_CFLAGS_test_chain := -iquote testbed
