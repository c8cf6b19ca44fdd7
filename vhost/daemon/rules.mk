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
RINGPACED_LIBS := -ljansson -lmicrohttpd -lseccomp -lyaml

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

# As a service: the program, its unit, its user, and what to read.
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
DOCDIR ?= $(PREFIX)/share/doc/ringpaced

.PHONY: install install-ringpaced
install: install-ringpaced
install-ringpaced: $(BUILD)/ringpaced
	$(Q)install -d $(addprefix $(DESTDIR),$(PREFIX)/bin $(UNITDIR) $(SYSUSERSDIR) $(DOCDIR))
	$(Q)install -m 0755 $< $(DESTDIR)$(PREFIX)/bin/ringpaced
	$(Q)sed -e 's|@BINDIR@|$(PREFIX)/bin|; s|@SYSCONFDIR@|$(SYSCONFDIR)|; s|@DOCDIR@|$(DOCDIR)|' \
		vhost/daemon/ringpaced.service.in > $(BUILD)/ringpaced.service
	$(Q)install -m 0644 $(BUILD)/ringpaced.service $(DESTDIR)$(UNITDIR)/ringpaced.service
	$(Q)install -m 0644 vhost/daemon/ringpaced.sysusers $(DESTDIR)$(SYSUSERSDIR)/ringpaced.conf
	$(Q)install -m 0644 vhost/daemon/ringpaced.yaml docs/operations.md $(DESTDIR)$(DOCDIR)/

# Unit tests that run the daemon's own code.
RINGPACED_TESTS := test_clients test_config test_control test_dirty test_drr test_egress test_ethdev test_ethdev_offload \
	test_fdb test_gso test_limit test_log test_metrics test_net test_notify test_packets test_rss test_sandbox test_sigbus test_spread test_state test_steering \
	test_switch test_switch_threads test_vlan test_vq
$(addprefix $(BUILD)/tests/unit/,$(RINGPACED_TESTS)): $(BUILD)/libringpaced.a
$(patsubst %,$(OBJ)/tests/unit/%.o,$(RINGPACED_TESTS)): $(VU_DIR)/libvhost-user.c
$(patsubst %,$(OBJ)/tests/unit/%.o,$(RINGPACED_TESTS)): EXTRA_CFLAGS := -isystem build/third-party \
	-iquote vhost/daemon
UNIT_LIBS_test_control := $(BUILD)/libringpace.a $(RINGPACED_LIBS)
UNIT_LIBS_test_clients := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_config := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_dirty := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_drr := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_egress := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_ethdev := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_ethdev_offload := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_fdb := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_gso := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_limit := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_log := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_metrics := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_net := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_notify := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_packets := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_rss := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_sandbox := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_sigbus := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_spread := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_state := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_steering := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_switch := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_switch_threads := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_vlan := $(UNIT_LIBS_test_control)
UNIT_LIBS_test_vq := $(UNIT_LIBS_test_control)
