# SPDX-License-Identifier: GPL-2.0-or-later
# The HTTP server: an application with TCP, for rp-dataplane, its tests and its fuzzer.
HTTP_SRCS := $(wildcard $(DP_DIR)/http/*.c)
HTTP_OBJS := $(HTTP_SRCS:%.c=$(OBJ)/%.o)
DEPS += $(HTTP_OBJS:.o=.d)
$(HTTP_OBJS): EXTRA_CFLAGS := $(DP_WHOLE) -iquote $(DP_DIR)

$(BUILD)/libdphttp.a: $(HTTP_OBJS)
	$(call say,AR,$@)rm -f $@; ar rcs $@ $^

# Of the station it takes only the memory: connections are the test's.
$(BUILD)/tests/unit/test_http: $(BUILD)/libdphttp.a $(BUILD)/libdpnet.a
UNIT_CFLAGS_test_http := -iquote $(DP_DIR)
UNIT_LIBS_test_http := -lhttp_parser
