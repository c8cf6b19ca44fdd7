/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread's load, measured by itself, and the board on which others read it, in this
 * process or, as it lies in the telemetry page (page.h), in another one.
 *
 * The board has one writer, and no reader ever makes it wait. ->seq is odd while it
 * writes. Every word is stored with release and loaded with acquire: who has read
 * a word of a later sample has then also seen its odd ->seq, and so takes nothing
 * of two samples for one. No fence is needed, and none would be seen by TSan.
 */
#ifndef DP_METER_H
#define DP_METER_H

#include <stdatomic.h>

#include "telemetry.h"

#define DP_BOARD_WORDS	(sizeof(struct dp_telemetry) / sizeof(u64))

struct dp_board {
	_Alignas(64) _Atomic u32 seq;
	_Atomic u32 rests;	/* it has looked and found nothing, and sleeps */
	_Atomic u64 word[DP_BOARD_WORDS];
};

struct dp_meter {
	/* The thread's own. */
	u64 next_ns;			/* of the next sample */
	u64 begun_ns;			/* of the present interval */
	u64 seen_items, seen_busy_ns;	/* when it began */
	struct dp_telemetry now;
	double avg[4][DP_ALPHAS];	/* as DP_TELEMETRY_AVERAGES */
	bool has_avg;
	struct dp_board *board;		/* for others to read */
};

/* @board: empty, the thread's alone to write. */
void dp_meter_init(struct dp_meter *m, struct dp_board *board, u64 now_ns);

/* A turn that had something to do. */
static inline void dp_meter_turn(struct dp_meter *m, u64 begin_ns, u64 end_ns, u64 items)
{
	u64 ns = end_ns > begin_ns ? end_ns - begin_ns : 0;

	m->now.iterations++;
	m->now.busy_ns += ns;
	m->now.items += items;
	if (items) {
		m->now.tau_ns = ns;
		m->now.tau_items = items;
	}
}

/* Is a sample due? */
static inline bool dp_meter_due(const struct dp_meter *m, u64 now_ns)
{
	return now_ns >= m->next_ns;
}

/* Takes one, with @queue packets waiting and batches of @batch, and publishes it. */
void dp_meter_sample(struct dp_meter *m, u64 now_ns, u64 queue, u32 batch);
/* Publishes what has been counted since: the thread goes to rest, with an empty queue. */
void dp_meter_rest(struct dp_meter *m, u64 now_ns);

/* The owner: its next sample; that it rests from now on, after a sample, or no longer. */
void dp_board_write(struct dp_board *b, const struct dp_telemetry *t);
void dp_board_rest(struct dp_board *b, bool rests);
/*
 * Any thread: the last sample that was published. dp_board_try() looks once; false: it came
 * in between, and *@t is worth nothing. Whether it rests is to be asked before its sample: of
 * who is seen not to, a sample is there that was taken since.
 */
void dp_board_read(const struct dp_board *b, struct dp_telemetry *t);
bool dp_board_try(const struct dp_board *b, struct dp_telemetry *t);
bool dp_board_rests(const struct dp_board *b);
/*
 * Of @n threads; those of @standing have nothing waiting, and their sample is as of
 * @now_ns. @n samples, at least one.
 */
void dp_telemetry_sum(const struct dp_telemetry *t, u32 n, u64 standing, u64 now_ns, u32 batch,
		      struct dp_telemetry_all *all);

#endif /* DP_METER_H */
