# SPDX-License-Identifier: GPL-2.0-or-later
# Network functions without TCP; what of them needs DPDK is the program's.
NF_DPDK := $(addprefix $(DP_DIR)/nf/,functions.c routes.c)
NF_SRCS := $(filter-out $(NF_DPDK),$(wildcard $(DP_DIR)/nf/*.c))
NF_OBJS := $(NF_SRCS:%.c=$(OBJ)/%.o)
DEPS += $(NF_OBJS:.o=.d)
$(NF_OBJS): EXTRA_CFLAGS := $(DP_WHOLE) -iquote $(DP_DIR)

$(BUILD)/libdpnf.a: $(NF_OBJS)
	$(call say,AR,$@)rm -f $@; ar rcs $@ $^

$(BUILD)/tests/unit/test_nf: $(BUILD)/libdpnf.a $(BUILD)/libdpnet.a $(BUILD)/libdataplane.a
UNIT_CFLAGS_test_nf := -iquote $(DP_DIR)
UNIT_LIBS_test_nf := $(BUILD)/libdataplane.a $(BUILD)/libringpace.a -lsodium
