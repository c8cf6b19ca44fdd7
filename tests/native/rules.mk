# SPDX-License-Identifier: GPL-2.0-or-later
# Test programs of the native lane; own_program() finds ringpaced beside them.
RESTART_SRCS := tests/native/restart.c testbed/native/backend.c testbed/native/frontend.c \
	testbed/native/party.c testbed/native/vumsg.c testbed/child.c testbed/ctl.c \
	testbed/json.c testbed/orders.c testbed/rundir.c testbed/util.c \
	$(wildcard testbed/kvhost/*.c)

$(eval $(call program,test-restart,$(RESTART_SRCS),-ljansson -lm,\
	-iquote testbed -Ivhost/kernel/uapi))
PROGRAMS += $(BUILD)/test-restart

SPANS_SRCS := tests/native/spans.c testbed/json.c testbed/samples.c testbed/spans.c testbed/util.c
$(eval $(call program,test-spans,$(SPANS_SRCS),-lcmocka -ljansson -lm,-iquote testbed))
PROGRAMS += $(BUILD)/test-spans
