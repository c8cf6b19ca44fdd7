// SPDX-License-Identifier: GPL-2.0-or-later
/* test_tcp once more, over ports that cut long frames: streams must not see a difference. */
#define SUPER_BYTES	(14u + 65535u)
#include "test_tcp.c"
