# SPDX-License-Identifier: GPL-2.0-or-later
# lwIP out of Debian's source package, with our patches; a part of libdpnet.a.
LWIP_DIR := $(DP_DIR)/lwip
LWIP_TREE := build/third-party/lwip
LWIP_STAMP := $(LWIP_TREE).stamp
# Of what includes lwIP's; -MMD takes ours for the system's, too.
LWIP_HEADERS := $(LWIP_STAMP) $(wildcard $(LWIP_DIR)/*.h $(LWIP_DIR)/arch/*.h)
LWIP_NAMES := def inet_chksum init ip mem memp netif pbuf tcp tcp_in tcp_out ipv4/ip4 ipv4/ip4_addr
LWIP_OBJS := $(LWIP_NAMES:%=$(OBJ)/third-party/lwip/%.o)
LWIP_CPPFLAGS := -isystem $(LWIP_TREE)/include -iquote $(LWIP_DIR) -idirafter $(LWIP_DIR) \
	-iquote $(DP_DIR) $(if $(SAN),-DDP_LWIP_ASSERT)
DEPS += $(LWIP_OBJS:.o=.d)

$(LWIP_STAMP): $(LWIP_DIR)/source scripts/debian-source $(wildcard $(LWIP_DIR)/*.patch)
	@mkdir -p $(@D)
	$(call say,GET,$(LWIP_TREE))$(LWIP_DIR)/source $(LWIP_TREE) && touch $@

# Not our code: no warnings of ours.
$(LWIP_OBJS): $(OBJ)/third-party/lwip/%.o: $(LWIP_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$(LWIP_TREE)/core/$*.c)$(CC) -D_GNU_SOURCE -Ilib $(LWIP_CPPFLAGS) -std=gnu11 -O2 -g \
		-pthread -w -fno-strict-aliasing $(DP_WHOLE) $(SANFLAGS_$(SAN)) -MMD -MP -c -o $@ \
		$(LWIP_TREE)/core/$*.c
