#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ringpace-hostd with two tenants; see hostd.c.
exec "$(dirname "$0")/../../build/test-hostd"
