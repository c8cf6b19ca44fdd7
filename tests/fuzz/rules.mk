# SPDX-License-Identifier: GPL-2.0-or-later
# make fuzz: FUZZ_S seconds of libFuzzer on the device side, and as many on the
# packets between two guests, on frames through a switch, on segments, on RSS, on
# configuration files of both daemons, on clients of ringpaced's control socket, on answers to the
# host controller, messages of netlink and telemetry pages, on replies to the load generator, on orders to rp-dataplane, on TCP, on IPv4 below it, on requests of HTTP, on what clients say to the key-value server, and
# on packets through NAT and the forwarder; needs clang.
FUZZ_S ?= 60
FUZZERS := fuzz_vring fuzz_packets fuzz_switch fuzz_gso fuzz_rss fuzz_config fuzz_control fuzz_hostd fuzz_netlink fuzz_scan fuzz_page fuzz_load \
	fuzz_dp_orders fuzz_tcp fuzz_ip fuzz_http fuzz_nf $(if $(KV_CORE),fuzz_kv)

# $(call fuzz_run,NAME): one line of a recipe.
define fuzz_run
@mkdir -p build/fuzz/corpus-$(1)
$(Q)build/fuzz/fuzz_$(1) -max_total_time=$(FUZZ_S) -max_len=$(or $(FUZZ_BYTES_$(1)),$(FUZZ_BYTES)) \
	-artifact_prefix=build/fuzz/ $(addprefix -dict=,$(wildcard tests/fuzz/$(1).dict)) build/fuzz/corpus-$(1)

endef

# Bytes of an input.
FUZZ_BYTES := 4096
FUZZ_BYTES_vring := 8192
FUZZ_BYTES_packets := 16384
FUZZ_BYTES_switch := 1024
FUZZ_BYTES_gso := 16384
FUZZ_BYTES_rss := 512
FUZZ_BYTES_config := 2048
FUZZ_BYTES_control := 1024
FUZZ_BYTES_hostd := 2048
FUZZ_BYTES_dp_orders := 512

build/fuzz/fuzz_vring: tests/fuzz/fuzz_vring.c lib/vring/device.c
build/fuzz/fuzz_packets: tests/fuzz/fuzz_packets.c lib/vring/device.c lib/vring/driver.c \
	$(addprefix vhost/daemon/net/,vq.c vq_dirty.c vq_fill.c gso.c frame.c vlan.c packet.c) \
	$(addprefix vhost/daemon/,dirty.c sigbus.c) lib/eth/vlan_head.c \
	$(addprefix lib/log/,log.c log_format.c log_limit.c) \
	$(wildcard vhost/daemon/*.h vhost/daemon/net/*.h)
build/fuzz/fuzz_gso: tests/fuzz/fuzz_gso.c \
	$(addprefix vhost/daemon/net/,ethdev_offload.c gso.c frame.c vlan.c packet.c) \
	lib/eth/vlan_head.c $(wildcard vhost/daemon/net/*.h)
build/fuzz/fuzz_switch: tests/fuzz/fuzz_switch.c \
	$(addprefix vhost/daemon/net/,switch.c frame.c vlan.c fdb.c packet.c rss.c) \
	vhost/daemon/capture/hook.c lib/capture/ring.c lib/eth/rss.c lib/eth/vlan_head.c \
	lib/sock/sealed.c \
	$(wildcard vhost/daemon/net/*.h)
build/fuzz/fuzz_dp_orders: tests/fuzz/fuzz_dp_orders.c $(DP_CORE) $(DP_ORDERS) $(wildcard lib/ctl/*.c) build/libringpace.a
build/fuzz/fuzz_dp_orders: FUZZ_CFLAGS := -iquote guest-driver/dataplane
build/fuzz/fuzz_dp_orders: FUZZ_LIBS := -ljansson
# With all that options name: the library, which was built without sanitizers.
build/fuzz/fuzz_config: tests/fuzz/fuzz_config.c $(addprefix vhost/daemon/,config.c config_doc.c \
	options.c optval.c devopt.c net/netopt.c net/swopt.c net/vlanopt.c) build/libringpaced.a \
	build/libringpace.a
# Likewise with all that orders concern.
build/fuzz/fuzz_control: tests/fuzz/fuzz_control.c $(wildcard lib/ctl/*.c) lib/sock/lines.c \
	lib/eth/rss.c lib/eth/rss_page.c \
	$(addprefix vhost/daemon/,args.c control.c describe.c capture/capture.c capture/hook.c) \
	$(addprefix vhost/daemon/net/,egress.c flow.c limit.c limitopt.c net.c net_control.c \
		net_describe.c net_egress.c net_rss.c net_switch.c rss_control.c spread.c switch.c) \
	build/libringpaced.a build/libringpace.a
build/fuzz/fuzz_config build/fuzz/fuzz_control: FUZZ_CFLAGS := -iquote vhost/daemon \
	-isystem build/third-party
# libvhost-user's header has a variable c in every file, which clang finds shadowed.
build/fuzz/fuzz_config build/fuzz/fuzz_control: FUZZ_WARN := -Wno-shadow
build/fuzz/fuzz_config build/fuzz/fuzz_control: FUZZ_LIBS = $(RINGPACED_LIBS)
build/fuzz/fuzz_hostd: tests/fuzz/fuzz_hostd.c $(addprefix host-ctl/hostd/,conf.c conf_check.c \
	cpulist.c) $(addprefix vhost/daemon/,config_doc.c optval.c)
build/fuzz/fuzz_hostd: FUZZ_CFLAGS := -iquote vhost/daemon -iquote host-ctl/hostd
build/fuzz/fuzz_hostd: FUZZ_LIBS = -lyaml
build/fuzz/fuzz_netlink: tests/fuzz/fuzz_netlink.c $(addprefix host-ctl/hostd/nic_,devlink.c message.c \
	shaper.c tc.c) build/libhostd.a build/libringpaced.a build/libringpace.a
build/fuzz/fuzz_netlink: FUZZ_CFLAGS := -iquote vhost/daemon -iquote host-ctl/hostd
build/fuzz/fuzz_netlink: FUZZ_LIBS = $(RINGPACED_LIBS) -lmnl
build/fuzz/fuzz_scan: tests/fuzz/fuzz_scan.c host-ctl/hostd/scan.c host-ctl/hostd/scan.h
build/fuzz/fuzz_scan: FUZZ_LIBS := -ljansson -lm
build/fuzz/fuzz_page: tests/fuzz/fuzz_page.c $(DP_PAGE) lib/sock/sealed.c $(wildcard $(DP_DIR)/*.h)
build/fuzz/fuzz_rss: tests/fuzz/fuzz_rss.c \
	$(addprefix vhost/daemon/net/,rss_guest.c rss.c frame.c vlan.c) \
	lib/eth/rss.c lib/eth/vlan_head.c lib/sock/sealed.c \
	$(wildcard vhost/daemon/net/*.h vhost/daemon/uapi/*.h)
build/fuzz/fuzz_load: tests/fuzz/fuzz_load.c $(LOAD_PROTO_SRCS) testbed/load/proto.h
build/fuzz/fuzz_load: FUZZ_CFLAGS := -iquote testbed
build/fuzz/fuzz_http: tests/fuzz/fuzz_http.c $(HTTP_SRCS) $(DP_DIR)/net/mem.c \
	$(wildcard $(DP_DIR)/http/*.h $(DP_DIR)/net/*.h)
build/fuzz/fuzz_http: FUZZ_CFLAGS = -iquote $(DP_DIR)
build/fuzz/fuzz_http: FUZZ_LIBS := -lhttp_parser -pthread
build/fuzz/fuzz_kv: tests/fuzz/fuzz_kv.c $(KV_CORE) $(DP_DIR)/net/mem.c $(wildcard $(DP_DIR)/kv/*.h)
build/fuzz/fuzz_kv: FUZZ_CFLAGS = $(DP_DPDK_CFLAGS) -iquote $(DP_DIR)/kv -iquote $(DP_DIR)/net
build/fuzz/fuzz_kv: FUZZ_LIBS := -lrte_rcu -lrte_eal -lsodium -pthread
# With all of lwIP, which is not to our warnings.
build/fuzz/fuzz_tcp build/fuzz/fuzz_ip: build/fuzz/%: tests/fuzz/%.c $(wildcard guest-driver/dataplane/net/*.c) $(DP_CORE) \
	$(LWIP_NAMES:%=$(LWIP_TREE)/core/%.c) lib/hist/hist.c lib/sock/sealed.c \
	$(wildcard guest-driver/dataplane/*.h guest-driver/dataplane/net/*.h)
build/fuzz/fuzz_tcp build/fuzz/fuzz_ip: FUZZ_CFLAGS = $(LWIP_CPPFLAGS) -DDP_LWIP_ASSERT -iquote guest-driver/dataplane/net
# Of TCP only what a network function's neighbours and sums come with.
build/fuzz/fuzz_nf: tests/fuzz/fuzz_nf.c $(NF_SRCS) $(DP_CORE) lib/hist/hist.c lib/sock/sealed.c build/libdpnet.a \
	$(wildcard guest-driver/dataplane/*.h guest-driver/dataplane/n*/*.h)
build/fuzz/fuzz_nf: FUZZ_CFLAGS = -iquote $(DP_DIR)
build/fuzz/fuzz_nf: FUZZ_LIBS := -lsodium -pthread
build/fuzz/fuzz_tcp build/fuzz/fuzz_ip: FUZZ_WARN := -w -fno-sanitize=alignment
build/fuzz/fuzz_tcp build/fuzz/fuzz_ip: FUZZ_LIBS := -lsodium -pthread
$(LWIP_NAMES:%=$(LWIP_TREE)/core/%.c): $(LWIP_STAMP) ;
build/fuzz/fuzz_packets build/fuzz/fuzz_rss build/fuzz/fuzz_switch: FUZZ_CFLAGS := -iquote vhost/daemon
$(addprefix build/fuzz/,$(FUZZERS)): $(wildcard lib/*.h lib/vring/*.h tests/unit/*.h)
	@mkdir -p $(@D)
	$(call say,LD,$@)clang -std=gnu11 -O1 -g $(CPPFLAGS) $(FUZZ_CFLAGS) $(WARN) $(FUZZ_WARN) \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-o $@ $(filter %.c %.a,$^) $(FUZZ_LIBS)

.PHONY: fuzz
fuzz:
	@command -v clang >/dev/null || { echo 'fuzz: no clang in PATH; libFuzzer needs it: apt install clang' >&2; exit 1; }
	$(Q)$(MAKE) --no-print-directory $(addprefix build/fuzz/,$(FUZZERS))
	$(foreach f,$(FUZZERS:fuzz_%=%),$(call fuzz_run,$(f)))
