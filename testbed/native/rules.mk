# SPDX-License-Identifier: GPL-2.0-or-later
# The test program of ports and links; own_program() finds ringpaced beside it.
PACKETS_SRCS := tests/native/packets.c $(addprefix testbed/native/,frontend.c \
	net_daemon.c net_end.c net_rig.c vumsg.c) $(addprefix testbed/,child.c ctl.c json.c rundir.c util.c)

$(eval $(call program,test-packets,$(PACKETS_SRCS),-ljansson -lm,-iquote testbed))
PROGRAMS += $(BUILD)/test-packets
all-native: $(BUILD)/test-packets
