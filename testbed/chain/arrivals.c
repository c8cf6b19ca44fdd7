// SPDX-License-Identifier: GPL-2.0-or-later
/* Counts what arrives of numbered flows. */
#include "chain/arrivals.h"

#include <stdlib.h>

struct arrivals_flow {
	u64 next;		/* above the highest number that has come */
	u64 seen[ARRIVALS_WINDOW / 64];	/* a bit for each number, modulo the window */
};

void arrivals_init(struct arrivals *t, u32 flows)
{
	*t = (struct arrivals){ .flows = flows, .flow = calloc(flows, sizeof(*t->flow)) };
	if (!t->flow)
		abort();
}

void arrivals_free(struct arrivals *t)
{
	free(t->flow);
	t->flow = NULL;
}

static u64 *word_of(struct arrivals_flow *f, u64 seq)
{
	return &f->seen[seq % ARRIVALS_WINDOW / 64];
}

static u64 bit_of(u64 seq)
{
	return 1ULL << seq % 64;
}

/* @seq is the highest: those that it has skipped have not come. */
static void advance(struct arrivals_flow *f, u64 seq)
{
	u64 i;

	if (seq - f->next >= ARRIVALS_WINDOW)
		memset(f->seen, 0, sizeof(f->seen));
	else
		for (i = f->next; i != seq; i++)
			*word_of(f, i) &= ~bit_of(i);
	f->next = seq + 1;
}

void arrivals_note(struct arrivals *t, u32 flow, u64 seq)
{
	struct arrivals_flow *f = &t->flow[flow];

	rp_add(&t->packets, 1);
	if (likely(seq >= f->next))
		advance(f, seq);
	else if (f->next - seq <= ARRIVALS_WINDOW && *word_of(f, seq) & bit_of(seq))
		rp_add(&t->duplicates, 1);
	else
		rp_add(&t->reordered, 1);
	if (f->next - seq <= ARRIVALS_WINDOW)
		*word_of(f, seq) |= bit_of(seq);
}
