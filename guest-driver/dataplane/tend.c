// SPDX-License-Identifier: GPL-2.0-or-later
/* Threads of rp-dataplane that have ended: the control thread takes their turns. */
#include <stdio.h>

#include "worker.h"

/* Has thread @i anything that others wait for? */
static bool has_something(const struct workers *ws, u32 i)
{
	const struct dp_thread *t = &ws->dp->threads[i];

	return t->groups || t->coming_count || t->leaving_count;
}

/*
 * Those that have ended get no groups, and give away what they have, as soon as it is
 * not on its way. The last one that may have any keeps them.
 */
static void leave_to_others(struct workers *ws, u64 gone)
{
	u64 active = atomic_load(&ws->active);
	u32 i;

	if (!(active & ~gone))
		return;
	atomic_fetch_and(&ws->active, ~gone);
	for (i = 0; i < ws->count; i++)
		if (gone >> i & 1 && ws->dp->threads[i].groups && !ws->dp->following_count)
			dp_spread(ws->dp, active & ~gone, DP_REMOVED);
}

u32 workers_tend(struct workers *ws)
{
	u64 gone = 0;
	u32 i, n = 0;

	for (i = 0; i < ws->count; i++) {
		struct worker *w = &ws->worker[i];

		/* Acquire: pairs with the release in run(). */
		if (!atomic_load_explicit(&w->ended, memory_order_acquire))
			continue;
		if (!w->tended)
			fprintf(stderr, "rp-dataplane: thread %u has ended: its flow groups move "
				"to the others\n", i);
		w->tended = true;
		gone |= 1ULL << i;
		dp_thread_turn(ws->dp, i);
		n += has_something(ws, i);
	}
	if (gone)
		leave_to_others(ws, gone);
	return n;
}
