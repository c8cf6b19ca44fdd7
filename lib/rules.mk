# SPDX-License-Identifier: GPL-2.0-or-later
# libringpace.a: all of lib/, for user space.
LIB_SRCS := $(wildcard lib/*/*.c lib/pacing/peers/*.c)
LIB_OBJS := $(patsubst %.c,$(OBJ)/%.o,$(LIB_SRCS))
DEPS += $(LIB_OBJS:.o=.d)

$(BUILD)/libringpace.a: $(LIB_OBJS)
	$(call say,AR,$@)rm -f $@; ar rcs $@ $^

include lib/kmodule.mk
