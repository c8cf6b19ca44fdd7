# SPDX-License-Identifier: GPL-2.0-or-later
# Unit tests: every test_NAME.c is a cmocka program of its own. A test that
# needs sources outside lib/ adds them with UNIT_SRCS_test_NAME, and their flags
# with UNIT_CFLAGS_test_NAME. UNIT_WITHOUT: those for which a library is missing.
UNIT_LIBS_test_work := -lm
UNIT_LIBS_test_ctl := -ljansson
UNIT_NAMES := $(filter-out $(UNIT_WITHOUT),$(basename $(notdir $(wildcard tests/unit/test_*.c))))
UNIT_TESTS := $(addprefix $(BUILD)/tests/unit/,$(UNIT_NAMES))
$(foreach t,$(UNIT_NAMES),$(eval $(call program,tests/unit/$(t),\
	tests/unit/$(t).c $(UNIT_SRCS_$(t)),-lcmocka $$(UNIT_LIBS_$(t)),\
	$(UNIT_CFLAGS_$(t)))))

.PHONY: unit-tests
unit-tests: $(UNIT_TESTS)
