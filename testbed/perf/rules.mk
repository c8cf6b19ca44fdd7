# SPDX-License-Identifier: GPL-2.0-or-later
# The sources are found by testbed/rules.mk; here what the unit test needs.
UNIT_SRCS_test_perf := $(addprefix testbed/,child.c json.c rundir.c table.c util.c \
	perf/clock.c perf/exits.c perf/figures.c perf/report.c perf/scene.c perf/stat.c perf/usdt.c)
UNIT_LIBS_test_perf := -ljansson -lm
UNIT_CFLAGS_test_perf := -iquote testbed
