# SPDX-License-Identifier: GPL-2.0-or-later
# The test programs of ports, links and switches; own_program() finds ringpaced
# beside them.
PORT_SRCS := tests/native/net_bed.c $(addprefix testbed/native/,frontend.c net_daemon.c \
	net_end.c net_rig.c vumsg.c) $(addprefix testbed/,child.c ctl.c json.c rundir.c util.c)
PORT_TESTS := dataplane hostd many nic packets ports reload soak steer switch tap
PORT_SRCS_many := tests/native/crowd.c tests/native/proc.c
PORT_SRCS_nic := tests/native/wire.c
PORT_SRCS_tap := $(PORT_SRCS_nic)
PORT_SRCS_dataplane := testbed/dataplane/rig.c tests/native/proc.c
PORT_SRCS_soak := $(PORT_SRCS_many)

define port_program
$(call program,test-$(1),tests/native/$(1).c $(PORT_SRCS_$(1)) $(PORT_SRCS),-ljansson -lm,\
	-iquote testbed -iquote tests/native)
endef
$(foreach t,$(PORT_TESTS),$(eval $(call port_program,$(t))))
PROGRAMS += $(PORT_TESTS:%=$(BUILD)/test-%)
all-native: $(PORT_TESTS:%=$(BUILD)/test-%)
