// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets from threads to a thread: a stack that is only ever taken whole. */
#include "pkt.h"

#include "point.h"

struct dp_pkt dp_queue_closed;

bool dp_queue_add(struct dp_queue *q, struct dp_pkt *p)
{
	struct dp_pkt *top;

	dp_point();
	top = atomic_load_explicit(&q->top, memory_order_relaxed);
	do {
		if (top == &dp_queue_closed)
			return false;
		p->next = top;
		dp_point();
		/* Release: the packet's content; pairs with the acquire in dp_queue_take(). */
	} while (!atomic_compare_exchange_weak_explicit(&q->top, &top, p, memory_order_release,
							memory_order_relaxed));
	return true;
}

void dp_queue_take(struct dp_queue *q, struct dp_list *to, bool close)
{
	struct dp_pkt *p, *next, *first = NULL;

	dp_point();
	/*
	 * Acquire: pairs with the release of every dp_queue_add() that it sees. Adds
	 * are read-modify-write, so they are all in one release sequence.
	 */
	p = atomic_exchange_explicit(&q->top, close ? &dp_queue_closed : NULL,
				     memory_order_acquire);
	if (p == &dp_queue_closed)
		return;
	for (; p; p = next) {
		next = p->next;
		p->next = first;
		first = p;
	}
	for (p = first; p; p = next) {
		next = p->next;
		dp_list_add(to, p);
	}
}
