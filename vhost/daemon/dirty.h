/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log of guest pages that a device has written, which a frontend shares with
 * it while its guest migrates (vhost-user, "Migration").
 *
 * Theory of operation. A bit is a page of guest addresses. The frontend takes bits
 * by an exchange and then copies their pages, over and over; at the end it stops
 * the rings and does so once more. So a write must come before its bit: a bit that
 * was set first may be taken before the write, and the page would never be copied
 * again. That a bit seems to be set already says nothing either, for the same
 * reason: each write ends in an atomic OR. When a ring is stopped its thread has
 * finished its turn, marks included, before the frontend gets its answer.
 *
 * Threat model: the log is a file of the frontend's. It may be too small (its size
 * is checked for every mark, and queues do not run with one that does not cover
 * their memory), and it may be truncated (sigbus.h).
 */
#ifndef RINGPACED_DIRTY_H
#define RINGPACED_DIRTY_H

#include "vring/device.h"

#define DIRTY_PAGE_BYTES	4096u

/* The main thread's to change, while no queue runs. */
struct dirty_log {
	u8 *bits;		/* NULL: there is none */
	u64 bytes;		/* of ->bits */
	void *map;
	size_t map_bytes;
	int watched;		/* sigbus id */
};

/*
 * Takes the log of @bytes at @offset in @fd, which stays the caller's, in place of
 * the one before. NULL, or why not; the one before stays then.
 */
const char *dirty_open(struct dirty_log *l, int fd, u64 offset, u64 bytes);
void dirty_close(struct dirty_log *l);
/* Has the frontend taken it away? */
bool dirty_lost(const struct dirty_log *l);

/* Has every page of these guest addresses its bit? */
bool dirty_covers(const struct dirty_log *l, u64 gpa, u64 bytes);
/* These were written; @bytes is not 0. What has no bit is ignored. */
void dirty_mark(const struct dirty_log *l, u64 gpa, u64 bytes);
/* The same of a piece of @m's memory, by our address. @hint remembers the region. */
void dirty_mark_at(const struct dirty_log *l, const struct rp_mem *m, u32 *hint,
		   const void *at, u64 bytes);

#endif /* RINGPACED_DIRTY_H */
