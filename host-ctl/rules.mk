# SPDX-License-Identifier: GPL-2.0-or-later
# The host controller's core: no I/O of its own, compiled into whatever drives it.
HOST_CTL_SRCS := $(addprefix host-ctl/,arbiter.c batch.c begin.c capacity.c change.c control.c decide.c decision.c \
	make_policy.c policy.c)

UNIT_SRCS_test_hostctl := $(HOST_CTL_SRCS)
UNIT_LIBS_test_hostctl := -ljansson -lm
UNIT_SRCS_test_hostctl_batch := host-ctl/batch.c

# The daemon: its core, what acts on a host, and of ringpaced's library metrics over HTTP and
# the reading of YAML. And what reads a dataplane's page.
HOSTD_SRCS := $(filter-out host-ctl/hostd/main.c,$(wildcard host-ctl/hostd/*.c))
HOSTD_OBJS := $(patsubst %.c,$(OBJ)/%.o,$(HOSTD_SRCS) $(HOST_CTL_SRCS) \
	$(DP_PAGE))
HOSTD_LIBS := -lvirt -ljansson -lmnl -lseccomp -lmicrohttpd -lyaml -lm
$(patsubst %.c,$(OBJ)/%.o,$(HOSTD_SRCS) host-ctl/hostd/main.c): EXTRA_CFLAGS := \
	-iquote vhost/daemon -iquote host-ctl/hostd
DEPS += $(patsubst %.c,$(OBJ)/%.d,$(HOSTD_SRCS) host-ctl/hostd/main.c)

$(BUILD)/libhostd.a: $(HOSTD_OBJS)
	$(call say,AR,$@)rm -f $@; ar rcs $@ $^

$(BUILD)/ringpace-hostd: $(OBJ)/host-ctl/hostd/main.o $(BUILD)/libhostd.a $(BUILD)/libringpaced.a \
		$(BUILD)/libringpace.a
	$(call say,LD,$@)$(CC) $(LDFLAGS) -o $@ $^ $(HOSTD_LIBS)

PROGRAMS += $(BUILD)/ringpace-hostd

HOSTD_TESTS := test_hostd_agent test_hostd_conf test_hostd_host test_hostd_hotplug test_hostd_learned test_hostd_nic \
	test_hostd_nic_kernel test_hostd_nic_messages test_hostd_sensor test_hostd_virt
$(addprefix $(BUILD)/tests/unit/,$(HOSTD_TESTS)): $(BUILD)/libhostd.a $(BUILD)/libringpaced.a
$(foreach t,$(HOSTD_TESTS),$(eval UNIT_CFLAGS_$(t) := -iquote vhost/daemon -iquote host-ctl/hostd))
$(foreach t,$(HOSTD_TESTS),$(eval UNIT_LIBS_$(t) = $(BUILD)/libringpaced.a $(BUILD)/libringpace.a \
	$(HOSTD_LIBS)))

.PHONY: install-hostd
install: install-hostd
install-hostd: $(BUILD)/ringpace-hostd
	$(Q)install -d $(addprefix $(DESTDIR),$(PREFIX)/bin $(UNITDIR) $(DOCDIR))
	$(Q)install -m 0755 $< $(DESTDIR)$(PREFIX)/bin/ringpace-hostd
	$(Q)sed -e 's|@BINDIR@|$(PREFIX)/bin|; s|@SYSCONFDIR@|$(SYSCONFDIR)|; s|@DOCDIR@|$(DOCDIR)|' \
		host-ctl/hostd/ringpace-hostd.service.in > $(BUILD)/ringpace-hostd.service
	$(Q)install -m 0644 $(BUILD)/ringpace-hostd.service $(DESTDIR)$(UNITDIR)/ringpace-hostd.service
	$(Q)install -m 0644 host-ctl/hostd/ringpace-hostd.yaml docs/host.md $(DESTDIR)$(DOCDIR)/
