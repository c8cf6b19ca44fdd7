# SPDX-License-Identifier: GPL-2.0-or-later
# The `ringpace` command. Parts of it in other directories add their sources to
# RINGPACE_SRCS by being under testbed/, and libraries to RINGPACE_LIBS.
RINGPACE_SRCS := $(filter-out testbed/bench/peer_%,\
	$(wildcard testbed/*.c testbed/*/*.c)) $(HOST_CTL_SRCS) $(DP_PAGE)
# The nested host has the program, and not that library.
RINGPACE_LIBS += -l:libsodium.a -ljansson -lncursesw -ltinfo -ldl -lm

$(eval $(call program,ringpace,$(RINGPACE_SRCS),$$(RINGPACE_LIBS),\
	-iquote testbed -Ivhost/kernel/uapi))
# The load generator's TCP from a port is the dataplane's station.
$(BUILD)/ringpace: $(BUILD)/libdpnet.a $(BUILD)/libdataplane.a
$(addprefix $(OBJ)/testbed/load/,end_port.o transport_tcp.o): EXTRA_CFLAGS := -iquote testbed -iquote $(DP_DIR)
# ringpaced's own queues of a NIC, whose shares `ringpace bench host` measures.
$(BUILD)/ringpace: $(addprefix $(OBJ)/vhost/daemon/net/,drr.o egress.o)
PROGRAMS += $(BUILD)/ringpace

# What the native lane's tests need; with SAN= they run under a sanitizer.
.PHONY: all-native
all-native: $(addprefix $(BUILD)/,ringpace ringpaced ringpace-hostd)

UNIT_SRCS_test_merge := $(addprefix testbed/,json.c merge.c result.c samples.c spans.c \
	table.c util.c)
UNIT_SRCS_test_top := $(addprefix testbed/,top/columns.c top/rates.c json.c table.c util.c)
UNIT_LIBS_test_top := -ljansson -lm
UNIT_CFLAGS_test_top := -iquote testbed
UNIT_LIBS_test_merge := -ljansson -lm
UNIT_CFLAGS_test_merge := -iquote testbed
UNIT_SRCS_test_gaps := testbed/probe/delay.c
UNIT_CFLAGS_test_gaps := -iquote testbed
UNIT_SRCS_test_capture := testbed/capture/pcapng.c
UNIT_CFLAGS_test_capture := -iquote testbed
UNIT_SRCS_test_hostsim := $(addprefix testbed/hostsim/,groups.c host.c model.c moves.c ops.c tenants.c) $(HOST_CTL_SRCS)
UNIT_LIBS_test_hostsim := -ljansson -lm
UNIT_CFLAGS_test_hostsim := -iquote testbed
UNIT_SRCS_test_hostsim_moves := $(UNIT_SRCS_test_hostsim)
UNIT_LIBS_test_hostsim_moves := $(UNIT_LIBS_test_hostsim)
UNIT_CFLAGS_test_hostsim_moves := -iquote testbed
