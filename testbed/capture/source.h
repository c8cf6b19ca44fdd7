/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a ringpaced captures for us: a ring for each queue, merged by time.
 *
 * Queues are filled by different threads, so a packet that is older than one that was
 * seen already may still be on its way. Packets are therefore held back for SOURCE_HOLD_NS,
 * which is long for a thread between two lines.
 */
#ifndef TESTBED_CAPTURE_SOURCE_H
#define TESTBED_CAPTURE_SOURCE_H

#include "capture/ring.h"
#include "ctl.h"

#define SOURCE_HOLD_NS	200000000ull

struct source_ring {
	u32 queue;
	bool tx;
	struct capture_reader reader;
};

struct source {
	struct ctl ctl;
	bool open;
	json_t *said;			/* the daemon's answer */
	u8 *mem;
	size_t bytes;
	struct source_ring *ring;
	u32 count;
	u64 to_real_ns;			/* CLOCK_REALTIME less CLOCK_MONOTONIC */
};

/* @queue -1: all of them. 0, or -1 after fail(); source_close() undoes it in both cases. */
int source_open(struct source *s, const char *socket, const char *port, int queue, u32 snaplen);
void source_close(struct source *s);
/*
 * The oldest packet of all that are older than @before_ns (CLOCK_MONOTONIC), and the
 * ring it is in; NULL: there is none, or after fail() *@broken.
 */
const struct capture_record *source_next(struct source *s, u64 before_ns,
					 struct source_ring **ring, bool *broken);
/* It has been dealt with. */
void source_done(struct source_ring *ring);
/* Has the daemon gone? */
bool source_gone(const struct source *s);
/* The name of a drop reason, or NULL: it arrived. */
const char *source_reason(const struct source *s, u8 reason);

#endif /* TESTBED_CAPTURE_SOURCE_H */
