/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The telemetry page: memory in which a dataplane's threads have their boards (meter.h),
 * and which others on the same machine map to read them at any time, without a system call
 * and without anybody answering.
 *
 * It is a memfd, sealed: nobody can make it shorter under a reader, nor longer, nor, where
 * the kernel can (F_SEAL_FUTURE_WRITE), write to it but the dataplane, which has mapped it
 * before. Numbers are the machine's own, in its byte order. rp-dataplane passes it with its
 * answer to `telemetry-page` (docs/dataplane.md). A thread writes its own board and nothing
 * else; the head is written before anybody else has the page and stays as it is.
 *
 * A reader trusts nothing of it: what it has read is checked, and is then its own copy.
 */
#ifndef DP_PAGE_H
#define DP_PAGE_H

#include "meter.h"
#include "sock/sealed.h"

#define DP_PAGE_MAGIC		0x65676170007072ULL	/* "rp\0page" */
/* Grows when any of this, or of telemetry.h, changes its place or meaning. */
#define DP_PAGE_VERSION		1u
#define DP_PAGE_BOARDS_MAX	64u
/* The clock's counter may go so fast and no faster. */
#define DP_PAGE_HZ_MIN		1000000ULL
#define DP_PAGE_HZ_MAX		100000000000ULL

struct dp_page {
	u64 magic;
	u32 version;
	u32 threads;			/* boards that follow, 1..DP_PAGE_BOARDS_MAX */
	u32 batch;			/* B, at least 1 */
	u32 unused;			/* 0 */
	/*
	 * Whose nanoseconds ->taken_ns is in: CLOCK_MONOTONIC's (0), or those of the time stamp
	 * counter, of so many Hz, by rp_tsc_to_ns().
	 */
	u64 tsc_hz;
	struct dp_board board[];	/* of 64 bytes' alignment */
};

/* ---- The dataplane's side: one owner ---- */

struct dp_page_file {
	struct dp_page *page;		/* NULL: there is none */
	struct sealed mem;		/* its; not to be written by others */
};

/* With boards that are empty. 0, or -errno: nothing is left then. */
int dp_page_make(struct dp_page_file *f, u32 threads, u32 batch, u64 tsc_hz);
/* Also of one that was never made, if it is all zero. Who has mapped it keeps what there is. */
void dp_page_unmake(struct dp_page_file *f);

/* ---- The reader's side: one thread ---- */

struct dp_page_view {
	const struct dp_page *page;	/* NULL: none is open */
	size_t bytes;
	/* Copies of the head, as they were checked. */
	u32 threads, batch;
	struct rp_clock clock;		/* .tsc_hz 0: CLOCK_MONOTONIC */
};

/*
 * Maps what came as @fd, which stays the caller's and is not needed any more. NULL, or one
 * line of why it is no telemetry page; nothing is open then.
 */
const char *dp_page_open(struct dp_page_view *v, int fd);
/* What dp_page_open() checks of the memory itself, which stays the caller's. The same. */
const char *dp_page_check(struct dp_page_view *v, const void *mem, size_t bytes);
void dp_page_close(struct dp_page_view *v);
/*
 * What all threads' boards come to; ->taken_ns in nanoseconds of CLOCK_MONOTONIC, which is
 * @now_ns, never later than that, and at least 1. NULL, or one line of why not: a thread has
 * not finished writing, or told what cannot be; @all is not touched then.
 */
const char *dp_page_read(const struct dp_page_view *v, u64 now_ns, struct dp_telemetry_all *all);

#endif /* DP_PAGE_H */
