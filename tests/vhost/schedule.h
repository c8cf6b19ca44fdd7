/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Schedules whose every step waits for the one before it, so that there is one
 * right number for each of the device's counters, on a machine of any speed. The
 * same ones are played to the kernel's device (rp-vhost-test) and to ringpaced's
 * (test-schedule): both must count exactly that.
 */
#ifndef VHOST_SCHEDULE_H
#define VHOST_SCHEDULE_H

#include "vring/driver.h"

#define SCHEDULE_SLOTS		64u
#define SCHEDULE_ITEM_BYTES	64u

/* What a schedule determines. */
#define SCHEDULE_COUNTERS(X)						\
	X(items) X(batches) X(sent) X(suppressed) X(received) X(spurious)	\
	X(double_checks) X(blocks) X(sleeps) X(lost) X(reordered)

struct schedule_counts {
#define X(name) u64 name;
	SCHEDULE_COUNTERS(X)
#undef X
};

struct schedule {
	const char *name;
	u32 queue;		/* 0: fwd, the device consumes; 1: rev, it produces */
	u32 strategy;		/* enum virtio_pc_strategy, of the device */
	u32 k;			/* of the kicks that it gets */
	u64 y_ns;		/* its sleeps */
	u32 rounds;
};

/* The driver's end of a device that has begun, with the schedule's parameters and burst 1. */
struct schedule_device {
	struct rp_drv *drv;
	int kick_fd, call_fd;	/* eventfds */
	u8 *bufs;		/* SCHEDULE_SLOTS of them */
	void *ctx;
	/* rev: items, without end. False: it cannot. */
	bool (*start)(void *ctx);
	/* Of the schedule's queue, since it began. False: it cannot tell. */
	bool (*counts)(void *ctx, struct schedule_counts *c);
};

#define SCHEDULES	8u

extern const struct schedule schedules[SCHEDULES];

/*
 * How often to play @s, each time on a new device, until it is right: a machine that
 * stands still for a whole sleep makes it another one. All others must be right at once.
 */
static inline u32 schedule_attempts(const struct schedule *s)
{
	return s->y_ns ? 5 : 1;
}

/*
 * Plays @s; true: the counters, and the kicks and calls that the driver saw, are
 * what they must be. Else lines on stdout that begin with # say what was not.
 */
bool schedule_play(const struct schedule *s, struct schedule_device *d);

#endif /* VHOST_SCHEDULE_H */
