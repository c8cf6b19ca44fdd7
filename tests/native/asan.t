#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The native lane, frontend and daemon, under AddressSanitizer and UBSan.
san=asan
. "$(dirname "$0")/sanitize.sh"
