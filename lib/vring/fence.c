// SPDX-License-Identifier: GPL-2.0-or-later
/* What rp_mb() writes to in a ThreadSanitizer build. */
#include "rp.h"

#ifdef __SANITIZE_THREAD__
u32 rp_tsan_fence;
#endif
