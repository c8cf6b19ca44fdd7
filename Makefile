# SPDX-License-Identifier: GPL-2.0-or-later
# Ringpace. `make run` is the main job, `make check` runs all tests; both set
# up the machine first. Non-recursive: every directory's rules.mk is included.
#
#   make setup   install what is missing, from Debian packages
#   make all     build everything into build/ (QEMU and images into the cache)
#   make run     boot a test VM and run the two case studies in both lanes
#   make check   all tests
#   make bench   the quick benchmarks (docs/bench.md has all)

SHELL := /bin/bash
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

# SAN=asan|tsan builds a second tree under the sanitizers.
SAN ?=
BUILD := build$(if $(SAN),/$(SAN))
OBJ := $(BUILD)/obj

# Sub-makes of run and check build with so many jobs.
JOBS ?= $(shell nproc)

CC := gcc
# -Wformat-truncation and the like stay on; nothing is waived tree-wide.
WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wno-unused-parameter
SANFLAGS_asan := -fsanitize=address,undefined -fno-sanitize-recover=all
SANFLAGS_tsan := -fsanitize=thread
# A sanitizer needs lines, not all there is; and a third of the time of `make check` was building.
OPT := $(if $(SAN),-O1 -g1,-O2 -g)
CFLAGS := -std=gnu11 $(OPT) -pthread $(WARN) $(SANFLAGS_$(SAN))
CPPFLAGS := -D_GNU_SOURCE -Ilib -Iguest-driver/module/uapi
LDFLAGS := -pthread $(SANFLAGS_$(SAN))

all:

# These goals set the machine up and then build in sub-makes; what packages
# bring may not be there yet, and that is not worth a word.
HUSH := $(if $(filter-out setup run check bench clean,$(or $(MAKECMDGOALS),all)),,2>/dev/null)

# $(call program,NAME,SOURCES,LIBS[,EXTRA_CFLAGS]): build/NAME from its sources and
# the library; objects mirror the source tree. Header dependencies by -MMD.
define program
$(BUILD)/$(1): $(patsubst %.c,$(OBJ)/%.o,$(2)) $(BUILD)/libringpace.a
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)$$(CC) $$(LDFLAGS) -o $$@ $$^ $(3)
$(patsubst %.c,$(OBJ)/%.o,$(2)): EXTRA_CFLAGS := $(4)
DEPS += $(patsubst %.c,$(OBJ)/%.d,$(2))
endef

# One line per step; V=1 shows the commands.
V ?=
say = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(2)';)
Q := $(if $(V),,@)

$(OBJ)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CPPFLAGS) $(CFLAGS) $(EXTRA_CFLAGS) -MMD -MP -c -o $@ $<

PROGRAMS :=
UNIT_TESTS :=

include lib/rules.mk
include $(sort $(filter-out lib/rules.mk,$(wildcard */rules.mk */*/rules.mk)))

all: $(PROGRAMS)

.PHONY: all setup run check bench clean
setup:
	$(Q)scripts/setup

clean:
	rm -rf build

-include $(DEPS)
