/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets as the dataplane holds them: whatever a port's buffers are, each has
 * this in front or beside it. A packet is in one place at a time, and ->next is
 * that place's.
 */
#ifndef DP_PKT_H
#define DP_PKT_H

#include <stdatomic.h>

#include "rp.h"

struct dp_pkt {
	struct dp_pkt *next;
	u8 *data;
	u32 bytes;
	u32 hash;		/* as the port steers; the low bits are the flow group */
	bool loose;		/* of no flow: it has no hash, and any thread may process it */
	bool sound;		/* received: the port vouches for TCP's or UDP's checksum */
	u16 sum_from;		/* to send: the port computes TCP's checksum from here; 0: no */
	/* To send: the port cuts it into segments of TCP with so much data; 0: it is one. */
	u16 seg_bytes;
	/* Of a port with several cards: which one it has come by, and is to leave by. */
	u8 card;
	/* Of memory that is not the port's, which cannot be sent: gives it back. NULL: the port's. */
	void (*drop)(struct dp_pkt *p);
};

/*
 * memcpy() of less than a cache line or two, whose length the compiler does not know: it makes
 * a string instruction of that, which takes longer to begin than all of this.
 */
static inline void dp_copy_short(void *to, const void *from, u32 bytes)
{
	u8 *t = to;
	const u8 *f = from;
	u32 i;

	if (unlikely(bytes < 16)) {
		for (i = 0; i < bytes; i++) {
			t[i] = f[i];
			/* Not to be taken for a memcpy() in its turn. */
			__asm__ volatile("");
		}
		return;
	}
	for (i = 0; i + 16 < bytes; i += 16) {
		memcpy(t + i, f + i, 16);
		__asm__ volatile("");
	}
	memcpy(t + bytes - 16, f + bytes - 16, 16);
}

/* In order, one thread's. */
struct dp_list {
	struct dp_pkt *first, *last;
	u32 count;
};

static inline void dp_list_add(struct dp_list *l, struct dp_pkt *p)
{
	p->next = NULL;
	if (l->first)
		l->last->next = p;
	else
		l->first = p;
	l->last = p;
	l->count++;
}

static inline struct dp_pkt *dp_list_pop(struct dp_list *l)
{
	struct dp_pkt *p = l->first;

	if (p) {
		l->first = p->next;
		l->count--;
	}
	return p;
}

/*
 * From threads to a thread. Any thread adds, and whoever takes gets all of it,
 * in the order in which it was added. One that is closed takes nothing, so that
 * what comes too late stays with the one who brings it.
 */
struct dp_queue {
	_Atomic(struct dp_pkt *) top;	/* the last one added */
};

extern struct dp_pkt dp_queue_closed;

static inline void dp_queue_init(struct dp_queue *q, bool open)
{
	atomic_store_explicit(&q->top, open ? NULL : &dp_queue_closed, memory_order_relaxed);
}

/* false: it is closed, @p is still the caller's. */
bool dp_queue_add(struct dp_queue *q, struct dp_pkt *p);
/* Appends what is there to @to. With @close nothing can be added afterwards. */
void dp_queue_take(struct dp_queue *q, struct dp_list *to, bool close);

/* A look without a write; what it misses the next one sees. */
static inline bool dp_queue_any(struct dp_queue *q)
{
	struct dp_pkt *top = atomic_load_explicit(&q->top, memory_order_relaxed);

	return top && top != &dp_queue_closed;
}

#endif /* DP_PKT_H */
