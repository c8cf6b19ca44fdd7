/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory in pieces of a few sizes. Each thread has a cache of each size over a pool
 * that all share; whoever frees a piece, it goes into that thread's cache. What a
 * thread allocates and frees itself touches nothing shared; what moves from thread
 * to thread passes through the pools, many pieces at a time, under their locks.
 *
 * Memory of the pools is never given back, and is at most what was allowed.
 */
#ifndef DP_NET_MEM_H
#define DP_NET_MEM_H

#include <stddef.h>

#include "rp.h"

#define DP_MEM_PIECE_MAX	2032u

/* Any thread; NULL: more than there may be, or than DP_MEM_PIECE_MAX. */
void *dp_mem_alloc(size_t bytes);
void *dp_mem_zeroed(size_t n, size_t bytes);
/* NULL: nothing is done. */
void dp_mem_free(void *p);

/* How much all pools may take of the system, from now on. At first 256 MiB. */
void dp_mem_limit(size_t bytes);
/* Of a thread that ends: gives its caches back. */
void dp_mem_thread_end(void);
/* How often this thread has gone to a pool. */
u64 dp_mem_trips(void);
/* Pieces that somebody has. Only when no thread but this one has a cache. */
u64 dp_mem_used(void);

#endif /* DP_NET_MEM_H */
