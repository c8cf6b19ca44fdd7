# SPDX-License-Identifier: GPL-2.0-or-later
# make fuzz: FUZZ_S seconds of libFuzzer on the device side, and as many on the
# packets between two guests, and on frames through a switch; needs clang.
FUZZ_S ?= 60
FUZZERS := fuzz_vring fuzz_packets fuzz_switch

build/fuzz/fuzz_vring: tests/fuzz/fuzz_vring.c lib/vring/device.c
build/fuzz/fuzz_packets: tests/fuzz/fuzz_packets.c lib/vring/device.c lib/vring/driver.c \
	vhost/daemon/net/vq.c vhost/daemon/net/packet.c vhost/daemon/log.c \
	$(wildcard vhost/daemon/*.h vhost/daemon/net/*.h)
build/fuzz/fuzz_switch: tests/fuzz/fuzz_switch.c \
	$(addprefix vhost/daemon/net/,switch.c frame.c vlan.c fdb.c packet.c) \
	$(wildcard vhost/daemon/net/*.h)
build/fuzz/fuzz_packets: FUZZ_CFLAGS := -iquote vhost/daemon
$(addprefix build/fuzz/,$(FUZZERS)): $(wildcard lib/*.h lib/vring/*.h tests/unit/*.h)
	@mkdir -p $(@D)
	$(call say,LD,$@)clang -std=gnu11 -O1 -g $(CPPFLAGS) $(FUZZ_CFLAGS) $(WARN) \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-o $@ $(filter %.c,$^)

.PHONY: fuzz
fuzz:
	@command -v clang >/dev/null || { echo 'fuzz: no clang in PATH; libFuzzer needs it: apt install clang' >&2; exit 1; }
	$(Q)$(MAKE) --no-print-directory $(addprefix build/fuzz/,$(FUZZERS))
	@mkdir -p build/fuzz/corpus build/fuzz/corpus-packets build/fuzz/corpus-switch
	$(Q)build/fuzz/fuzz_vring -max_total_time=$(FUZZ_S) -max_len=8192 -artifact_prefix=build/fuzz/ build/fuzz/corpus
	$(Q)build/fuzz/fuzz_packets -max_total_time=$(FUZZ_S) -max_len=16384 -artifact_prefix=build/fuzz/ build/fuzz/corpus-packets
	$(Q)build/fuzz/fuzz_switch -max_total_time=$(FUZZ_S) -max_len=1024 -artifact_prefix=build/fuzz/ build/fuzz/corpus-switch
