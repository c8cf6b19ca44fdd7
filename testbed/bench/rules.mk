# SPDX-License-Identifier: GPL-2.0-or-later
# Benchmarks, and the peers that they compare with: programs of their own, so
# that `ringpace` needs no DPDK.
ifeq ($(shell pkg-config --exists libdpdk $(HUSH) && echo yes),yes)
PEER_RTE := $(OBJ)/testbed/bench/peer_rte_vhost.o
PEER_RTE_LIBS = $(shell pkg-config --libs libdpdk)
# Old-style prototypes and shadowing in DPDK's own headers are not our warnings.
$(PEER_RTE): EXTRA_CFLAGS = $(subst -I,-isystem ,$(shell pkg-config --cflags libdpdk)) \
	-DALLOW_EXPERIMENTAL_API
DEPS += $(PEER_RTE:.o=.d)

$(BUILD)/peer_rte_vhost: $(PEER_RTE)
	$(call say,LD,$@)$(CC) $(LDFLAGS) -o $@ $^ $(PEER_RTE_LIBS)

PROGRAMS += $(BUILD)/peer_rte_vhost
endif

# All benchmarks; raw data are left in build/bench/. Run it on a quiet machine.
bench: setup
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) all
	$(Q)$(BUILD)/ringpace bench ring
	$(Q)$(BUILD)/ringpace bench grid --quick
	$(Q)$(BUILD)/ringpace bench step
	$(Q)$(BUILD)/ringpace bench idle
	$(Q)$(BUILD)/ringpace bench studies

UNIT_SRCS_test_judge := testbed/bench/judge.c testbed/util.c
UNIT_LIBS_test_judge := -lm
UNIT_CFLAGS_test_judge := -iquote testbed
UNIT_SRCS_test_step := testbed/bench/step_settle.c
UNIT_LIBS_test_step := -lm
UNIT_CFLAGS_test_step := -iquote testbed
# In testbed/sim/rules.mk, which may be read after this file.
UNIT_SRCS_test_follow = $(UNIT_SRCS_test_step) $(UNIT_SRCS_test_sim)
UNIT_LIBS_test_follow := -lm
UNIT_CFLAGS_test_follow := -iquote testbed
