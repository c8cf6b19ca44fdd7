# SPDX-License-Identifier: GPL-2.0-or-later
# ringpaced's plug-in for devices of DPDK, where that is: ringpaced loads it when a port
# asks for one (vhost/daemon/net/ethdev_load.h), and is not linked with DPDK.
PREFIX ?= /usr/local
# ringpaced finds it there from PREFIX/bin.
ETHDEV_DIR = $(PREFIX)/lib/ringpaced
ETHDEV_OBJS := $(patsubst %.c,$(OBJ)/%.o,$(wildcard vhost/ethdev/*.c))
DEPS += $(ETHDEV_OBJS:.o=.d)

ifeq ($(shell pkg-config --exists libdpdk $(HUSH) && echo yes),yes)
$(ETHDEV_OBJS): EXTRA_CFLAGS = $(subst -I,-isystem ,$(shell pkg-config --cflags libdpdk)) \
	-DALLOW_EXPERIMENTAL_API -fPIC -fvisibility=hidden -iquote vhost/daemon/net

$(BUILD)/ringpaced-ethdev.so: $(ETHDEV_OBJS)
	$(call say,LD,$@)$(CC) $(LDFLAGS) -shared -o $@ $^ \
		-lrte_ethdev -lrte_mbuf -lrte_mempool -lrte_eal

PROGRAMS += $(BUILD)/ringpaced-ethdev.so
all-native: $(BUILD)/ringpaced-ethdev.so

.PHONY: install-ethdev
install: install-ethdev
install-ethdev: $(BUILD)/ringpaced-ethdev.so
	$(Q)install -d $(DESTDIR)$(ETHDEV_DIR)
	$(Q)install -m 0644 $< $(DESTDIR)$(ETHDEV_DIR)/
endif
