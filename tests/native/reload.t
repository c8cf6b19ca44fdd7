#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Files that are read again under traffic. See reload.c.
exec "$(dirname "$0")/../../build/test-reload"
