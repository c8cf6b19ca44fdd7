# SPDX-License-Identifier: GPL-2.0-or-later
# The simulator's unit test; no header of testbed/ beyond this directory's.
UNIT_SRCS_test_sim := testbed/sim/sim.c testbed/sim/skip.c testbed/sim/dist.c
UNIT_LIBS_test_sim := -lm
