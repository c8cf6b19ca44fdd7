#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Guests of our own at a switch; see switch.c.
exec "$(dirname "$0")/../../build/test-switch"
