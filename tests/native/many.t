#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# 24 ports in one daemon: traffic at all, memory of each. See many.c.
exec "$(dirname "$0")/../../build/test-many"
