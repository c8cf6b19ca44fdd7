#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Traffic while everything changes, for 20 s; with RINGPACE_LONG=1 for 10 minutes. See soak.c.
exec "$(dirname "$0")/../../build/test-soak"
