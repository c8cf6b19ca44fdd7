# SPDX-License-Identifier: GPL-2.0-or-later
# Test programs of the native lane; own_program() finds ringpaced beside them.
BED_SRCS := tests/native/bed.c testbed/native/backend.c testbed/native/frontend.c \
	testbed/native/party.c testbed/native/vumsg.c testbed/child.c testbed/ctl.c \
	testbed/json.c testbed/orders.c testbed/rundir.c testbed/util.c \
	$(wildcard testbed/kvhost/*.c)

define bed_program
$(call program,test-$(1),tests/native/$(1).c $(BED_SRCS),-ljansson -lm,\
	-iquote testbed -iquote tests/native -Ivhost/kernel/uapi)
PROGRAMS += $(BUILD)/test-$(1)
endef
$(foreach t,restart lost,$(eval $(call bed_program,$(t))))

# Plays to ringpaced's device what rp-vhost-test plays to the kernel's.
$(eval $(call program,test-schedule,$(addprefix tests/,native/schedule.c vhost/schedule.c) $(BED_SRCS),\
	-ljansson -lm,-iquote testbed -iquote tests/native -iquote tests/vhost -Ivhost/kernel/uapi))
PROGRAMS += $(BUILD)/test-schedule

SPANS_SRCS := tests/native/spans.c testbed/json.c testbed/samples.c testbed/spans.c testbed/util.c
$(eval $(call program,test-spans,$(SPANS_SRCS),-lcmocka -ljansson -lm,-iquote testbed))
PROGRAMS += $(BUILD)/test-spans

# Connections of the dataplane to Linux; without DPDK.
TCP_OPENS_LIBS := $(BUILD)/libdpnet.a $(BUILD)/libdataplane.a
$(eval $(call program,test-tcp-opens,tests/native/tcp_opens.c,$(BUILD)/libringpace.a -lsodium -lcmocka,\
	-iquote tests/unit -iquote $(DP_DIR) -iquote $(DP_DIR)/net))
$(BUILD)/test-tcp-opens: $(TCP_OPENS_LIBS)
PROGRAMS += $(BUILD)/test-tcp-opens
