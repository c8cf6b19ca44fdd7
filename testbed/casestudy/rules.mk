# SPDX-License-Identifier: GPL-2.0-or-later
# The main job. A sub-make, so that packages are there before the first file
# is built.
run: setup
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) all
	$(Q)build/ringpace casestudy --out build/run
