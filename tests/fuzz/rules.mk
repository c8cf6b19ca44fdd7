# SPDX-License-Identifier: GPL-2.0-or-later
# make fuzz: FUZZ_S seconds of libFuzzer on the device side; needs clang.
FUZZ_S ?= 60

build/fuzz/fuzz_vring: tests/fuzz/fuzz_vring.c lib/vring/device.c $(wildcard lib/*.h lib/vring/*.h tests/unit/*.h)
	@mkdir -p $(@D)
	$(call say,LD,$@)clang -std=gnu11 -O1 -g $(CPPFLAGS) $(WARN) \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-o $@ $(filter %.c,$^)

.PHONY: fuzz
fuzz:
	@command -v clang >/dev/null || { echo 'fuzz: no clang in PATH; libFuzzer needs it: apt install clang' >&2; exit 1; }
	$(Q)$(MAKE) --no-print-directory build/fuzz/fuzz_vring
	@mkdir -p build/fuzz/corpus
	$(Q)build/fuzz/fuzz_vring -max_total_time=$(FUZZ_S) -max_len=8192 -artifact_prefix=build/fuzz/ build/fuzz/corpus
