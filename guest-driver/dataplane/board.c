// SPDX-License-Identifier: GPL-2.0-or-later
/* Boards of threads, and what all of theirs come to. */
#include "meter.h"

#include "point.h"

/* ---- The owner ---- */

void dp_board_write(struct dp_board *b, const struct dp_telemetry *t)
{
	u32 seq = atomic_load_explicit(&b->seq, memory_order_relaxed);
	const u64 *word = (const u64 *)t;
	u32 i;

	dp_point();
	/* Ordered before the words by their release: see the header. */
	atomic_store_explicit(&b->seq, seq + 1, memory_order_relaxed);
	for (i = 0; i < DP_BOARD_WORDS; i++) {
		dp_point();
		/* Release: pairs with the acquire in dp_board_try(). */
		atomic_store_explicit(&b->word[i], word[i], memory_order_release);
	}
	atomic_store_explicit(&b->seq, seq + 2, memory_order_release);
}

void dp_board_rest(struct dp_board *b, bool rests)
{
	/* Release: after the sample; pairs with the acquire in dp_board_rests(). */
	atomic_store_explicit(&b->rests, rests, memory_order_release);
}

/* ---- Readers ---- */

bool dp_board_rests(const struct dp_board *b)
{
	return atomic_load_explicit(&b->rests, memory_order_acquire);
}

bool dp_board_try(const struct dp_board *b, struct dp_telemetry *t)
{
	u64 *word = (u64 *)t;
	u32 before, i;

	dp_point();
	/* Acquire: pairs with the release that ends a sample. */
	before = atomic_load_explicit(&b->seq, memory_order_acquire);
	for (i = 0; i < DP_BOARD_WORDS; i++)
		/* Acquire: pairs with the release in dp_board_write(). */
		word[i] = atomic_load_explicit(&b->word[i], memory_order_acquire);
	return !(before & 1) && before == atomic_load_explicit(&b->seq, memory_order_relaxed);
}

void dp_board_read(const struct dp_board *b, struct dp_telemetry *t)
{
	while (!dp_board_try(b, t))
		;
}

/* ---- All threads ---- */

static void add(struct dp_telemetry_all *all, const struct dp_telemetry *t, u64 *most)
{
	all->backlog += t->queue;
	all->items += t->items;
	all->iterations += t->iterations;
	all->busy_ns += t->busy_ns;
	*most = t->new_items > *most ? t->new_items : *most;
	if (t->queue < all->queue)
		return;
	all->queue = t->queue;
	all->tau_ns = t->tau_ns;
	all->tau_items = t->tau_items;
}

void dp_telemetry_sum(const struct dp_telemetry *t, u32 n, u64 standing, u64 now_ns, u32 batch,
		      struct dp_telemetry_all *all)
{
	u64 most = 0, sum = 0, busy = 0;
	u32 i;

	*all = (struct dp_telemetry_all){ .taken_ns = now_ns, .batch = batch };
	for (i = 0; i < n; i++) {
		struct dp_telemetry one = t[i];

		if (standing >> i & 1)
			one.queue = one.new_items = 0;
		else if (one.taken_ns < all->taken_ns)
			all->taken_ns = one.taken_ns;
		add(all, &one, &most);
		sum += one.new_items;
		busy += one.new_items > 0;
	}
	all->peak_milli = sum ? most * 1000 * busy / sum : 1000;
}
