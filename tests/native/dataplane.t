#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# rp-dataplane at a port of ringpaced; see dataplane.c.
exec "$(dirname "$0")/../../build/test-dataplane"
