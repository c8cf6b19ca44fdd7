#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Guests of our own at ports that steer; see steer.c.
exec "$(dirname "$0")/../../build/test-steer"
