#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Notifications are lost on their way; see lost.c.
exec "$(dirname "$0")/../../build/test-lost"
