// SPDX-License-Identifier: GPL-2.0-or-later
/* A port without hardware. */
#include "port_soft.h"

#include <sched.h>
#include <stdlib.h>

#include "point.h"

static bool ring_init(struct soft_ring *r, u32 slots)
{
	r->slots = slots;
	r->slot = calloc(slots, sizeof(*r->slot));
	return r->slot;
}

static bool ring_put(struct soft_ring *r, struct dp_pkt *p)
{
	u32 head = atomic_load_explicit(&r->head, memory_order_relaxed);

	/* Acquire: the slot has been read; pairs with the release in ring_get(). */
	if (head - atomic_load_explicit(&r->tail, memory_order_acquire) == r->slots)
		return false;
	r->slot[head & (r->slots - 1)] = p;
	/* Release: slot and packet; pairs with the acquire in ring_get(). */
	atomic_store_explicit(&r->head, head + 1, memory_order_release);
	return true;
}

static struct dp_pkt *ring_get(struct soft_ring *r)
{
	u32 tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	struct dp_pkt *p;

	if (atomic_load_explicit(&r->head, memory_order_acquire) == tail)
		return NULL;
	p = r->slot[tail & (r->slots - 1)];
	atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
	return p;
}

static struct soft_port *soft_of(struct dp_port *port)
{
	return (struct soft_port *)((char *)port - offsetof(struct soft_port, port));
}

static u32 soft_rx(struct dp_port *port, u32 queue, struct dp_pkt **p, u32 max)
{
	struct soft_ring *r = &soft_of(port)->queue[queue].rx;
	u32 n = 0;

	dp_point();
	while (n < max && (p[n] = ring_get(r)))
		n++;
	return n;
}

static u32 soft_tx(struct dp_port *port, u32 queue, struct dp_pkt **p, u32 n)
{
	u32 i;

	for (i = 0; i < n && ring_put(&soft_of(port)->queue[queue].sent, p[i]); i++)
		;
	return i;
}

/* There is room for all packets. */
static void soft_release(struct dp_port *port, u32 queue, struct dp_pkt *p)
{
	ring_put(&soft_of(port)->queue[queue].released, p);
}

/*
 * Entries and ->steering are sequentially consistent on both sides: a wire that
 * has seen an old entry is seen to be at it, and waited for.
 */
static int soft_steer(struct dp_port *port, const struct dp_steer *s, u32 n)
{
	struct soft_port *sp = soft_of(port);
	u32 i, seen;
	int err = atomic_load(&sp->refuse);

	for (i = 0; i < n && !err; i++) {
		dp_point();
		atomic_store(&sp->table[s[i].group], s[i].queue);
	}
	seen = atomic_load(&sp->steering);
	while (seen & 1 && atomic_load(&sp->steering) == seen) {
		dp_point();
		sched_yield();
	}
	return -err;
}

/* Behind @head, ->next; the last one has none. */
static void soft_join(struct dp_port *port, struct dp_pkt *head, struct dp_pkt *next)
{
	struct dp_pkt *last = head;

	if (!head->seg_bytes)
		head->next = NULL;
	while (last->next)
		last = last->next;
	last->next = next;
	next->next = NULL;
}

static bool soft_left(struct dp_port *port, u32 queue, u32 since)
{
	struct soft_ring *r = &soft_of(port)->queue[queue].sent;

	/* Acquire: pairs with the release in ring_get(). */
	return atomic_load_explicit(&r->head, memory_order_relaxed) -
	       atomic_load_explicit(&r->tail, memory_order_acquire) <= since;
}

static u32 soft_depth(struct dp_port *port, u32 queue)
{
	struct soft_ring *r = &soft_of(port)->queue[queue].rx;

	return atomic_load_explicit(&r->head, memory_order_relaxed) -
	       atomic_load_explicit(&r->tail, memory_order_relaxed);
}

static struct dp_pkt *soft_alloc(struct dp_port *port, u32 queue)
{
	return ring_get(&soft_of(port)->queue[queue].spare);
}

static u32 soft_hash(struct dp_port *port, u32 src_ip, u32 dst_ip, u16 src_port, u16 dst_port)
{
	return dp_port_mix(src_ip, dst_ip, src_port, dst_port);
}

static u32 soft_hash_ip(struct dp_port *port, u32 src_ip, u32 dst_ip)
{
	return soft_hash(port, src_ip, dst_ip, 0, 0);
}

static const struct dp_port_ops soft_ops = {
	.name = "soft",
	.rx = soft_rx,
	.tx = soft_tx,
	.release = soft_release,
	.steer = soft_steer,
	.left = soft_left,
	.depth = soft_depth,
	.alloc = soft_alloc,
	.join = soft_join,
	.hash = soft_hash,
	.hash_ip = soft_hash_ip,
};

bool soft_port_input(struct soft_port *sp, struct dp_pkt *p)
{
	u32 queue;
	bool put;

	atomic_fetch_add(&sp->steering, 1);
	queue = atomic_load(&sp->table[p->hash & (sp->entries - 1)]);
	dp_point();
	put = ring_put(&sp->queue[queue].rx, p);
	atomic_fetch_add(&sp->steering, 1);
	return put;
}

struct dp_pkt *soft_port_sent(struct soft_port *sp, u32 queue)
{
	return ring_get(&sp->queue[queue].sent);
}

bool soft_port_give(struct soft_port *sp, u32 queue, struct dp_pkt *p)
{
	return ring_put(&sp->queue[queue].spare, p);
}

struct dp_pkt *soft_port_released(struct soft_port *sp, u32 queue)
{
	return ring_get(&sp->queue[queue].released);
}

void soft_port_free(struct soft_port *sp)
{
	u32 i;

	for (i = 0; sp->queue && i < sp->port.queues; i++) {
		free(sp->queue[i].rx.slot);
		free(sp->queue[i].sent.slot);
		free(sp->queue[i].released.slot);
		free(sp->queue[i].spare.slot);
	}
	free(sp->queue);
	free(sp->table);
	free(sp);
}

struct soft_port *soft_port_new(u32 queues, u32 entries, u32 slots, u32 packets, bool fenced)
{
	struct soft_port *sp = calloc(1, sizeof(*sp));
	bool good;
	u32 i;

	if (!sp)
		return NULL;
	sp->port = (struct dp_port){
		.cards = 1,
		.ops = &soft_ops, .queues = queues, .slots = slots, .fenced = fenced,
	};
	sp->entries = entries;
	sp->table = calloc(entries, sizeof(*sp->table));
	sp->queue = aligned_alloc(64, queues * sizeof(*sp->queue));
	good = sp->table && sp->queue;
	if (sp->queue)
		memset(sp->queue, 0, queues * sizeof(*sp->queue));
	for (i = 0; good && i < queues; i++)
		good = ring_init(&sp->queue[i].rx, slots) &&
		       ring_init(&sp->queue[i].sent, packets) &&
		       ring_init(&sp->queue[i].released, packets) &&
		       ring_init(&sp->queue[i].spare, slots);
	if (good)
		return sp;
	soft_port_free(sp);
	return NULL;
}
