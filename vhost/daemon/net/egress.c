// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames into the queues of a NIC in software, and out of them. */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "copy.h"
#include "egress.h"

/* In front of each frame in a ring; frames begin where a record may. */
struct record {
	u32 bytes;			/* of the frame */
	struct virtio_net_hdr_v1 hdr;
};

#define ALIGN		((u32)sizeof(struct record))
/* What a ring is said to have slots of. */
#define SLOT_BYTES	2048u

_Static_assert(sizeof(struct record) == 16, "a record never wraps around");
_Static_assert(EGRESS_QUEUE_BYTES_MIN > PACKET_MAX_BYTES + sizeof(struct record),
	       "an empty ring takes the longest frame");
_Static_assert(2 * BATCH_PACKETS <= BATCH_SEGS, "a frame has two pieces at most");

static struct egress_queue *of_queue(struct port_queue *q)
{
	return (struct egress_queue *)((char *)q - offsetof(struct egress_queue, q));
}

static struct egress *of_out(struct port_queue *q)
{
	return (struct egress *)((char *)q - offsetof(struct egress, out));
}

static u32 space_of(u32 bytes)
{
	return (u32)sizeof(struct record) + (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

static struct record *record_at(const struct egress_queue *q, u64 at)
{
	return (struct record *)(q->ring + (at & q->mask));
}

/* ---- Who writes a queue ---- */

/* Pairs with the release in give_back(): what was there has been sent. */
static u32 free_bytes(const struct egress_queue *q)
{
	return q->mask + 1 - (u32)(q->tail - rp_load_acquire(&q->head));
}

static u64 copy_in(struct egress_queue *q, u64 at, const u8 *from, u32 bytes)
{
	u32 begin = (u32)at & q->mask, first = q->mask + 1 - begin;

	if (first > bytes)
		first = bytes;
	copy_bytes(q->ring + begin, from, first);
	if (unlikely(first < bytes))
		copy_bytes(q->ring, from + first, bytes - first);
	return at + bytes;
}

static u64 write_frame(struct egress_queue *q, u64 tail, const struct packet *p)
{
	struct record *r = record_at(q, tail);
	u64 at = tail + sizeof(*r);
	u32 i;

	r->bytes = p->bytes;
	r->hdr = p->hdr;
	for (i = 0; i < p->n_seg; i++)
		at = copy_in(q, at, p->seg[i].base, p->seg[i].bytes);
	return tail + space_of(p->bytes);
}

static u32 queue_put(struct port_queue *pq, struct batch *b, u32 from)
{
	struct egress_queue *q = of_queue(pq);
	struct port_sum sum = { 0 };
	u64 tail = q->tail;
	u32 room = free_bytes(q), i;

	for (i = from; i < b->n; i++) {
		const struct packet *p = &b->pkt[i];

		if (p->drop)
			continue;
		if (space_of(p->bytes) > room)
			break;
		room -= space_of(p->bytes);
		tail = write_frame(q, tail, p);
		port_sum_packet(&sum, p);
	}
	if (!sum.packets)
		return i;
	/* Before ->tail: what is waiting is never less than nothing. */
	port_queue_add(pq, &sum);
	/* Pairs with the acquire in head_of(): frames are there before their index. */
	rp_store_release(&q->tail, tail);
	/* Behind the index, which choose() looks at after it has taken the bit. */
	__atomic_fetch_or(&q->to->filled, 1ULL << pq->index / 2, __ATOMIC_SEQ_CST);
	return i;
}

static u32 queue_ready(struct port_queue *q)
{
	return free_bytes(of_queue(q)) / SLOT_BYTES;
}

/* Does the reader sleep? Its ->armed comes before its look at ->filled: out_arm(). */
static bool queue_peer_wants(struct port_queue *q)
{
	return rp_load(&of_queue(q)->to->armed);
}

static void wake(int fd)
{
	const u64 one = 1;

	/* It is never read, and holds more than will ever be written. */
	while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void queue_notify(struct port_queue *q)
{
	wake(of_queue(q)->to->out.kick_fd);
}

/* Half of it: fewer calls than by the frame. */
static bool has_room(const struct egress_queue *q, u64 head, u64 tail)
{
	return (u32)(tail - head) <= q->mask / 2;
}

static bool queue_arm(struct port_queue *pq, u32 k)
{
	struct egress_queue *q = of_queue(pq);

	/* Before the look at ->head, which the reader moves before it looks here. */
	__atomic_fetch_or(&q->to->wanted, 1ULL << pq->index / 2, __ATOMIC_SEQ_CST);
	rp_mb();
	return has_room(q, rp_load_acquire(&q->head), q->tail);
}

static void queue_disarm(struct port_queue *q)
{
	__atomic_fetch_and(&of_queue(q)->to->wanted, ~(1ULL << q->index / 2), __ATOMIC_RELAXED);
}

static bool queue_backlog(struct port_queue *q, u32 *most, u32 *told)
{
	*most = *told = (u32)egress_waiting(of_queue(q));
	return true;
}

static const struct rp_port_ops queue_ops = {
	.put = queue_put,
	.backlog = queue_backlog,
	.ready = queue_ready,
	.peer_wants = queue_peer_wants,
	.notify = queue_notify,
	.arm = queue_arm,
	.disarm = queue_disarm,
};

/* ---- Who reads them all ---- */

/* For drr_next(): of what is not chosen yet. */
static u32 head_of(void *ctx, u32 i)
{
	const struct egress_queue *q = &((struct egress *)ctx)->queue[i];

	/* Pairs with the release in queue_put(). */
	if (q->next == rp_load_acquire(&q->tail))
		return 0;
	return record_at(q, q->next)->bytes;
}

/* Fills the empty stage. */
static void choose(struct egress *e, u32 max)
{
	u32 bytes = 0, size;
	int i;

	e->first = 0;
	if (rp_load(&e->filled))
		drr_activate(&e->drr, __atomic_exchange_n(&e->filled, 0, __ATOMIC_SEQ_CST));
	while (e->count < max && bytes < EGRESS_STAGE_BYTES) {
		struct egress_queue *q;

		i = drr_next(&e->drr, head_of, e);
		if (i < 0)
			return;
		q = &e->queue[i];
		size = record_at(q, q->next)->bytes;
		e->stage[e->count++] = (struct egress_staged){ q->next, (u32)i };
		q->next += space_of(size);
		bytes += size;
	}
}

static void add_piece(struct batch *b, struct packet *p, u8 *base, u32 bytes)
{
	if (!bytes)
		return;
	b->seg[b->n_seg++] = (struct rp_seg){ base, bytes };
	p->n_seg++;
}

static void lend(const struct egress_queue *q, u64 at, struct batch *b)
{
	const struct record *r = record_at(q, at);
	struct packet *p = &b->pkt[b->n++];
	u32 begin = (u32)(at + sizeof(*r)) & q->mask, first = q->mask + 1 - begin;

	*p = (struct packet){ .hdr = r->hdr, .bytes = r->bytes, .seg = &b->seg[b->n_seg] };
	if (first > r->bytes)
		first = r->bytes;
	add_piece(b, p, q->ring + begin, first);
	add_piece(b, p, q->ring, r->bytes - first);
	b->bytes += p->bytes;
}

static void out_get(struct port_queue *pq, struct batch *b, u32 max)
{
	struct egress *e = of_out(pq);
	u32 i;

	if (!e->count)
		choose(e, max);
	for (i = 0; i < e->count && i < max; i++) {
		const struct egress_staged *s = &e->stage[e->first + i];

		lend(&e->queue[s->queue], s->at, b);
	}
}

static void give_back(struct egress_queue *q, u64 at, const struct packet *p)
{
	if (likely(!p->drop)) {
		rp_add(&q->packets, 1);
		rp_add(&q->bytes, p->bytes);
	} else {
		rp_add(&q->lost, 1);
	}
	/* Pairs with the acquire in free_bytes(): it may be written again. */
	rp_store_release(&q->head, at + space_of(p->bytes));
}

static void out_done(struct port_queue *pq, const struct batch *b, u32 n)
{
	struct egress *e = of_out(pq);
	struct port_sum sum = { 0 };
	u32 i;

	for (i = 0; i < n; i++) {
		const struct egress_staged *s = &e->stage[e->first + i];

		give_back(&e->queue[s->queue], s->at, &b->pkt[i]);
		port_sum_done(&sum, pq, &b->pkt[i]);
	}
	e->first += n;
	e->count -= n;
	port_queue_add(pq, &sum);
}

static u32 out_ready(struct port_queue *pq)
{
	const struct egress *e = of_out(pq);
	u64 left = rp_load(&e->filled) | e->drr.active, n = 0;

	for (; left; left &= left - 1)
		n += egress_waiting(&e->queue[__builtin_ctzll(left)]);
	n += e->count;
	return n < pq->size ? (u32)n : pq->size;
}

/*
 * Writers who wait, and may go on. ->wanted comes before their look at ->head: queue_arm().
 * Our barrier is that of who asks peer_wants().
 */
static u64 may_go_on(const struct egress *e)
{
	u64 left, found = 0;
	u32 i;

	for (left = rp_load(&e->wanted); left; left &= left - 1) {
		const struct egress_queue *q = &e->queue[i = (u32)__builtin_ctzll(left)];

		if (has_room(q, q->head, rp_load(&q->tail)))
			found |= 1ULL << i;
	}
	return found;
}

static bool out_peer_wants(struct port_queue *q)
{
	return may_go_on(of_out(q));
}

static void out_notify(struct port_queue *pq)
{
	struct egress *e = of_out(pq);
	u64 found = may_go_on(e);

	__atomic_fetch_and(&e->wanted, ~found, __ATOMIC_SEQ_CST);
	for (; found; found &= found - 1)
		wake(e->queue[__builtin_ctzll(found)].q.kick_fd);
}

static bool out_arm(struct port_queue *pq, u32 k)
{
	struct egress *e = of_out(pq);

	rp_store(&e->armed, 1);
	/* Before the look at ->filled: queue_peer_wants(). */
	rp_mb();
	return e->count || e->drr.active || rp_load(&e->filled);
}

static void out_disarm(struct port_queue *pq)
{
	rp_store(&of_out(pq)->armed, 0);
}

static const struct rp_port_ops out_ops = {
	.get = out_get,
	.done = out_done,
	.ready = out_ready,
	.peer_wants = out_peer_wants,
	.notify = out_notify,
	.arm = out_arm,
	.disarm = out_disarm,
};

/* ---- Life ---- */

u64 egress_waiting(const struct egress_queue *q)
{
	/* Acquired before what came: it never looks as if more had gone. */
	u64 gone = __atomic_load_n(&q->packets, __ATOMIC_ACQUIRE) +
		   __atomic_load_n(&q->lost, __ATOMIC_ACQUIRE);
	u64 come = rp_load(&q->q.packets);

	return come > gone ? come - gone : 0;
}

static int init_queue(struct egress *e, u32 i, const char *port, u32 bytes)
{
	struct egress_queue *q = &e->queue[i];

	q->q = (struct port_queue){
		.ops = &queue_ops, .port = port, .index = 2 * i, .size = bytes / SLOT_BYTES,
		.kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	q->to = e;
	q->mask = bytes - 1;
	e->queues++;
	if (q->q.kick_fd < 0)
		return -errno;
	/* So large that it is none of ours until it is written to. */
	q->ring = aligned_alloc(4096, bytes);
	return q->ring ? 0 : -ENOMEM;
}

int egress_init(struct egress *e, const char *port, u32 queues, u32 bytes)
{
	int rc = 0;
	u32 slots = queues * (bytes / SLOT_BYTES), i;

	memset(e, 0, sizeof(*e));
	drr_init(&e->drr, queues);
	e->out = (struct port_queue){
		.ops = &out_ops, .port = port, .index = 1,
		.size = slots < RP_VRING_MAX_NUM ? slots : RP_VRING_MAX_NUM,
		.kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	if (e->out.kick_fd < 0)
		return -errno;
	e->queue = calloc(queues, sizeof(*e->queue));
	if (!e->queue)
		return -ENOMEM;
	for (i = 0; i < queues && rc == 0; i++)
		rc = init_queue(e, i, port, bytes);
	return rc;
}

void egress_fini(struct egress *e)
{
	u32 i;

	for (i = 0; i < e->queues; i++) {
		if (e->queue[i].q.kick_fd >= 0)
			close(e->queue[i].q.kick_fd);
		free(e->queue[i].ring);
	}
	if (e->out.kick_fd >= 0)
		close(e->out.kick_fd);
	free(e->queue);
}

void egress_attach(struct egress *e, bool on)
{
	u32 i;

	e->out.attached = on;
	for (i = 0; i < e->queues; i++) {
		struct egress_queue *q = &e->queue[i];

		q->q.attached = on;
		if (on)
			continue;
		rp_add(&q->lost, egress_waiting(q));
		q->head = q->next = q->tail;
	}
	if (!on) {
		e->first = e->count = 0;
		e->filled = e->wanted = e->drr.active = 0;
	}
}
