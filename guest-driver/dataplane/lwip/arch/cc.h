/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of lwIP: the compiler and what surrounds it. */
#ifndef DP_LWIP_CC_H
#define DP_LWIP_CC_H

#include <stdlib.h>

/* What peers send is checked, not asserted; an assertion is of lwIP's own state, for tests. */
#ifdef DP_LWIP_ASSERT
#define LWIP_PLATFORM_ASSERT(x)	do { fprintf(stderr, "lwIP: %s\n", x); abort(); } while (0)
#else
#define LWIP_NOASSERT
#endif

/* One instruction; lwIP's own are functions. */
#define lwip_htons(x)	__builtin_bswap16(x)
#define lwip_htonl(x)	__builtin_bswap32(x)

#define LWIP_RAND()	((u32_t)random())

#endif /* DP_LWIP_CC_H */
