#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The device's counters by schedules that determine them; see schedule.c.
exec "$(dirname "$0")/../../build/test-schedule"
