# SPDX-License-Identifier: GPL-2.0-or-later
# The dataplane: its core and the port without hardware, which need no DPDK.
DP_DIR := guest-driver/dataplane
# What tells of its load: for those, too, who read it from outside.
DP_PAGE := $(addprefix $(DP_DIR)/,board.c page.c)
DP_CORE := $(DP_PAGE) $(addprefix $(DP_DIR)/,come.c control.c dataplane.c leave.c meter.c pkt.c port_soft.c \
	spread.c thread.c wheel.c)
DP_OBJS := $(DP_CORE:%.c=$(OBJ)/%.o)
DEPS += $(DP_OBJS:.o=.d)
# A segment passes through some sixty short functions of the core, the station and lwIP: the
# program is optimized as a whole. Tests take the same objects, and not what LTO makes of them.
DP_WHOLE := $(if $(SAN),,-O3 -flto=auto -ffat-lto-objects)
$(DP_OBJS): EXTRA_CFLAGS := $(DP_WHOLE)

include $(DP_DIR)/lwip/lwip.mk

$(BUILD)/libdataplane.a: $(DP_OBJS)
	$(call say,AR,$@)rm -f $@; ar rcs $@ $^

# The station with TCP on top of it.
NET_OBJS := $(patsubst %.c,$(OBJ)/%.o,$(wildcard $(DP_DIR)/net/*.c))
DEPS += $(NET_OBJS:.o=.d)
$(NET_OBJS): $(LWIP_HEADERS)
$(NET_OBJS): EXTRA_CFLAGS := $(DP_WHOLE) $(LWIP_CPPFLAGS) -iquote $(DP_DIR)/net

$(BUILD)/libdpnet.a: $(NET_OBJS) $(LWIP_OBJS)
	$(call say,AR,$@)rm -f $@; ar rcs $@ $^

include $(DP_DIR)/http/http.mk
include $(DP_DIR)/nf/nf.mk

NET_TESTS := test_arp test_ip test_path test_tcp test_tcp_end test_tcp_super test_tcp_threads
$(addprefix $(BUILD)/tests/unit/,$(NET_TESTS)): $(BUILD)/libdpnet.a $(BUILD)/libdataplane.a
$(foreach t,$(NET_TESTS),$(eval UNIT_CFLAGS_$(t) := -iquote $(DP_DIR) -iquote $(DP_DIR)/net))
$(foreach t,$(NET_TESTS),$(eval UNIT_LIBS_$(t) := $(BUILD)/libdataplane.a $(BUILD)/libringpace.a -lsodium))

# Once more, with a switch between threads wherever they can meet.
DP_POINTS := $(DP_CORE:%.c=$(OBJ)/points/%.o)
DEPS += $(DP_POINTS:.o=.d)
$(DP_POINTS): $(OBJ)/points/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CPPFLAGS) $(CFLAGS) -DDP_INTERLEAVE -MMD -MP -c -o $@ $<

DP_TESTS := test_dp_cards test_dp_meter test_dp_page test_dp_orders test_dp_steer test_dp_wheel test_dp_moves test_dp_threads test_dp_workers
$(addprefix $(BUILD)/tests/unit/,$(DP_TESTS)): $(BUILD)/libdataplane.a
UNIT_SRCS_test_dp_workers := $(addprefix $(DP_DIR)/,tend.c worker.c)
# Orders to a dataplane whose threads stand; also what tests/fuzz takes.
DP_ORDERS := $(addprefix $(DP_DIR)/,orders.c telemetry_json.c worker.c)
UNIT_SRCS_test_dp_orders := $(DP_ORDERS)
$(foreach t,$(DP_TESTS),$(eval UNIT_CFLAGS_$(t) := -iquote $(DP_DIR)))
$(foreach t,$(DP_TESTS),$(eval UNIT_LIBS_$(t) := $(BUILD)/libringpace.a))
UNIT_LIBS_test_dp_orders += -ljansson
UNIT_SRCS_test_dp_cards := $(DP_DIR)/port_cards.c
UNIT_SRCS_test_dp_steer := $(DP_DIR)/steer_ctl.c
UNIT_LIBS_test_dp_steer += -ljansson

$(BUILD)/tests/unit/test_dp_interleave: $(DP_POINTS)
UNIT_CFLAGS_test_dp_interleave := -iquote $(DP_DIR) -DDP_INTERLEAVE
UNIT_LIBS_test_dp_interleave := $(BUILD)/libringpace.a

# The program, where DPDK is.
ifeq ($(shell pkg-config --exists libdpdk $(HUSH) && echo yes),yes)
# The key-value server, over DPDK's grace periods.
DP_DPDK_CFLAGS = $(subst -I,-isystem ,$(shell pkg-config --cflags libdpdk)) -DALLOW_EXPERIMENTAL_API
KV_CORE := $(addprefix $(DP_DIR)/kv/,store.c store_ops.c session.c text.c words.c binary.c)
KV_OBJS := $(KV_CORE:%.c=$(OBJ)/%.o) $(OBJ)/$(DP_DIR)/kv/app.o
DEPS += $(KV_OBJS:.o=.d)
$(KV_OBJS): $(LWIP_HEADERS)
$(KV_OBJS): EXTRA_CFLAGS = $(DP_WHOLE) $(DP_DPDK_CFLAGS) -iquote $(DP_DIR)/kv -iquote $(DP_DIR)/net $(LWIP_CPPFLAGS)

$(BUILD)/libdpkv.a: $(KV_OBJS)
	$(call say,AR,$@)rm -f $@; ar rcs $@ $^

KV_TESTS := test_kv_session test_kv_store test_kv_threads
$(addprefix $(BUILD)/tests/unit/,$(KV_TESTS)): $(BUILD)/libdpkv.a $(BUILD)/libdpnet.a
$(foreach t,$(KV_TESTS),$(eval UNIT_CFLAGS_$(t) := -iquote $(DP_DIR)/kv -iquote $(DP_DIR)/net))
$(foreach t,$(KV_TESTS),$(eval UNIT_LIBS_$(t) := -lrte_rcu -lrte_eal -lsodium))

DP_PROGRAM := $(addprefix $(OBJ)/$(DP_DIR)/,apps.o cards.o main.o orders.o port_cards.o port_eth.o server.o station.o \
	steer_ctl.o telemetry_json.o tend.o virtio_look.o worker.o) $(NF_DPDK:%.c=$(OBJ)/%.o)
DEPS += $(DP_PROGRAM:.o=.d)
$(DP_PROGRAM): EXTRA_CFLAGS = $(DP_WHOLE) $(DP_DPDK_CFLAGS) -iquote $(DP_DIR)

$(BUILD)/rp-dataplane: $(DP_PROGRAM) $(BUILD)/libdphttp.a $(BUILD)/libdpkv.a $(BUILD)/libdpnf.a $(BUILD)/libdpnet.a \
	$(BUILD)/libdataplane.a $(BUILD)/libringpace.a
	$(call say,LD,$@)$(CC) $(LDFLAGS) $(DP_WHOLE) -o $@ $^ $(shell pkg-config --libs libdpdk) -ljansson -lsodium \
		-lhttp_parser

PROGRAMS += $(BUILD)/rp-dataplane
else
UNIT_WITHOUT += test_kv_session test_kv_store test_kv_threads
endif
