#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ringpaced is ended and started again under traffic; see restart.c.
exec "$(dirname "$0")/../../build/test-restart"
