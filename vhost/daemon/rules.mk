# SPDX-License-Identifier: GPL-2.0-or-later
# ringpaced, and libvhost-user out of the QEMU source package, which it uses
# for the control plane.
VU_DIR := build/third-party/libvhost-user
VU_OBJ := $(OBJ)/third-party/libvhost-user.o

# The library's links into QEMU's tree are replaced: the two headers by copies,
# the ring's layout by the system's, so that it is the one that lib/vring uses.
$(VU_DIR)/libvhost-user.c: vhost/daemon/rules.mk | build/qemu-src
	@mkdir -p $(@D)/include $(@D)/standard-headers/linux
	$(call say,COPY,$(@D))src=build/qemu-src/subprojects/libvhost-user && \
	cp -L $$src/include/atomic.h $$src/include/compiler.h $(@D)/include/ && \
	echo '#include <linux/virtio_ring.h>' \
		> $(@D)/standard-headers/linux/virtio_ring.h && \
	cp -L $$src/libvhost-user.h $$src/libvhost-user.c $(@D)/

# Not our code: no warnings of ours, and no UBSan, whose findings about its
# packed messages we would not change.
$(VU_OBJ): $(VU_DIR)/libvhost-user.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) -D_GNU_SOURCE -std=gnu11 -O2 -g -pthread -w \
		-fno-strict-aliasing $(SANFLAGS_$(SAN)) -fno-sanitize=undefined \
		-c -o $@ $<

RINGPACED_SRCS := $(filter-out vhost/daemon/main.c,$(wildcard vhost/daemon/*.c vhost/daemon/*/*.c))
RINGPACED_OBJS := $(patsubst %.c,$(OBJ)/%.o,$(RINGPACED_SRCS))
RINGPACED_LIBS := -ljansson

# All but main(), for the unit tests too.
$(BUILD)/libringpaced.a: $(RINGPACED_OBJS) $(VU_OBJ)
	$(call say,AR,$@)rm -f $@; ar rcs $@ $^

$(RINGPACED_OBJS) $(OBJ)/vhost/daemon/main.o: $(VU_DIR)/libvhost-user.c
$(RINGPACED_OBJS) $(OBJ)/vhost/daemon/main.o: EXTRA_CFLAGS := -isystem build/third-party \
	-iquote vhost/daemon
DEPS += $(RINGPACED_OBJS:.o=.d) $(OBJ)/vhost/daemon/main.d

$(BUILD)/ringpaced: $(OBJ)/vhost/daemon/main.o $(BUILD)/libringpaced.a \
		$(BUILD)/libringpace.a
	$(call say,LD,$@)$(CC) $(LDFLAGS) -o $@ $^ $(RINGPACED_LIBS)

PROGRAMS += $(BUILD)/ringpaced

# Unit tests that run the daemon's own code.
RINGPACED_TESTS := test_control test_fdb test_log test_net test_packets test_state \
	test_switch test_vlan
$(addprefix $(BUILD)/tests/unit/,$(RINGPACED_TESTS)): $(BUILD)/libringpaced.a
$(patsubst %,$(OBJ)/tests/unit/%.o,$(RINGPACED_TESTS)): $(VU_DIR)/libvhost-user.c
$(patsubst %,$(OBJ)/tests/unit/%.o,$(RINGPACED_TESTS)): EXTRA_CFLAGS := -isystem build/third-party \
	-iquote vhost/daemon
UNIT_LIBS_test_control := $(BUILD)/libringpace.a $(RINGPACED_LIBS)
UNIT_LIBS_test_fdb := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_log := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_net := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_packets := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_state := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_switch := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_vlan := $(UNIT_LIBS_test_control)
