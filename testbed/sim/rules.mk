# SPDX-License-Identifier: GPL-2.0-or-later
# The unit tests that simulate; no header of testbed/ beyond this directory's.
UNIT_SRCS_test_sim := testbed/sim/sim.c testbed/sim/skip.c testbed/sim/dist.c
UNIT_LIBS_test_sim := -lm
UNIT_SRCS_test_peers := $(UNIT_SRCS_test_sim)
UNIT_LIBS_test_peers := -lm
UNIT_SRCS_test_adaptive := $(UNIT_SRCS_test_sim)
UNIT_LIBS_test_adaptive := -lm
UNIT_SRCS_test_steady := $(UNIT_SRCS_test_sim)
UNIT_LIBS_test_steady := -lm
UNIT_SRCS_test_loop := $(UNIT_SRCS_test_sim)
UNIT_LIBS_test_loop := -lm
