#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Durations from traces, and their summaries; see spans.c.
export CMOCKA_MESSAGE_OUTPUT=TAP
exec "$(dirname "$0")/../../build/test-spans"
