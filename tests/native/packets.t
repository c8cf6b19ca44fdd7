#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two guests of our own at two linked ports; see packets.c.
exec "$(dirname "$0")/../../build/test-packets"
