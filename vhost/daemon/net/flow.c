// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets from a TX queue into an RX queue, and the two parties that pace that. */
#include <time.h>

#include "capture/hook.h"
#include "clock.h"
#include "flow.h"

/* How long a flow that may not arm a shared RX queue leaves it alone. */
#define SHARED_WAIT_NS	50000u

/* ---- The rings as the parties see them ---- */

static u32 told(struct rp_party *p, u32 *moved)
{
	const struct flow *f = p->ctx;
	u32 n = *moved;

	*moved = 0;
	if (n)
		p->now_tsc = f->end_tsc;
	return n;
}

/* The move itself was made before: see flow_turn(). */
static u32 c_work(struct rp_party *p, u32 max)
{
	return told(p, &((struct flow *)p->ctx)->moved_c);
}

static u32 p_work(struct rp_party *p, u32 max)
{
	return told(p, &((struct flow *)p->ctx)->moved_p);
}

static struct port_queue *queue_of(const struct rp_party *p)
{
	const struct flow *f = p->ctx;

	return p == &f->c ? f->tx : f->rx;
}

static bool may_arm(const struct rp_party *p)
{
	const struct flow *f = p->ctx;

	return p == &f->c || (f->rx && f->owns_rx);
}

static bool peer_wants(struct rp_party *p)
{
	struct port_queue *q = queue_of(p);

	return q->ops->peer_wants(q);
}

static void notify(struct rp_party *p)
{
	struct port_queue *q = queue_of(p);

	if (q)
		q->ops->notify(q);
}

static bool arm(struct rp_party *p, u32 k)
{
	const struct flow *f = p->ctx;
	struct port_queue *q = queue_of(p);

	/* The wait is then a short one instead. */
	if (!may_arm(p))
		return false;
	/* Of a TX queue that was given up nothing comes; an RX queue's end is to be noticed. */
	return q->ops->arm(q, k) && !(q->broken && p == &f->c);
}

static void disarm(struct rp_party *p)
{
	struct port_queue *q = queue_of(p);

	if (may_arm(p))
		q->ops->disarm(q);
}

static u32 ready(struct rp_party *p)
{
	struct port_queue *q = queue_of(p);

	return q ? q->ops->ready(q) : 0;
}

#define RING_OPS(which) {		\
	.work = which,			\
	.peer_wants = peer_wants,	\
	.notify = notify,		\
	.arm = arm,			\
	.disarm = disarm,		\
	.ready = ready,			\
}

static const struct rp_ring_ops c_ops = RING_OPS(c_work);
static const struct rp_ring_ops p_ops = RING_OPS(p_work);

/* Of a thread that has other flows, too, what this one takes is not known. */
static u64 cpu_ns(struct rp_party *p)
{
	const struct flow *f = p->ctx;

	return f->alone ? clock_ns(CLOCK_THREAD_CPUTIME_ID) : 0;
}

static const struct rp_thread_ops thread_ops = {
	.cpu_ns = cpu_ns,
};

/* ---- Life ---- */

void flow_init(struct flow *f, struct port_queue *tx)
{
	memset(f, 0, sizeof(*f));
	f->tx = tx;
}

static void begin(struct flow *f, struct rp_party *p, struct rp_learned *learned,
		  const struct flow_params *set, enum rp_role role, u64 hz)
{
	const struct port_queue *q = role == RP_CONSUMER || !f->rx ? f->tx : f->rx;
	struct rp_params rp = {
		.strategy = set->strategy,
		.role = role,
		.queue_len = q->size,
		.threshold = set->k && set->k < q->size ? set->k :
			rp_default_threshold(role, q->size),
		.y_ns = set->y_ns,
		.dmax_ns = set->dmax_ns,
		.cpu_cap_percent = set->cpu_cap_percent,
	};

	rp_learned_keep(learned, &p->strategy);
	rp_party_init(p, &rp, hz);
	rp_learned_give(learned, &p->strategy);
	p->ring = role == RP_CONSUMER ? &c_ops : &p_ops;
	p->thread = &thread_ops;
	p->ctx = f;
	p->burst = set->burst;
	p->hands_pauses = true;
}

void flow_begin(struct flow *f, const struct flow_params *c, const struct flow_params *p,
		u64 hz)
{
	begin(f, &f->c, &f->c_learned, c, RP_CONSUMER, hz);
	begin(f, &f->p, &f->p_learned, p, RP_PRODUCER, hz);
	f->full_tsc = rp_ns_to_tsc(&f->p.clock, p->full_ns);
	f->full_since_tsc = 0;
	f->state = FLOW_RUNS;
	f->waiting = &f->c;
	f->blocked = false;
}

/* ---- Of the thread ---- */

void flow_start(struct flow *f)
{
	rp_party_start(&f->c);
	rp_party_start(&f->p);
	rp_mb();
	/* A backend that died before us may have owed the drivers a call. */
	if (f->tx->ops->peer_wants(f->tx))
		f->tx->ops->notify(f->tx);
	if (f->rx && f->rx->ops->peer_wants(f->rx))
		f->rx->ops->notify(f->rx);
	if (f->spread)
		spread_call_owed(f->spread);
}

void flow_stop(struct flow *f)
{
	rp_party_resume(&f->c, RP_WAKE_STOP);
	rp_party_resume(&f->p, RP_WAKE_STOP);
}

static void drop_all(struct batch *b, enum drop why)
{
	u32 i;

	for (i = 0; i < b->n; i++)
		if (!b->pkt[i].drop)
			b->pkt[i].drop = (u8)why;
}

/* Its receivers are many: only the consumer is a party. */
static bool is_to_many(const struct flow *f)
{
	return f->via || f->spread;
}

/* RX has no buffer for the first packet. Is it time to do without? */
static bool gave_up(struct flow *f, u64 now_tsc)
{
	if (!f->full_since_tsc)
		f->full_since_tsc = now_tsc;
	return now_tsc - f->full_since_tsc >= f->full_tsc;
}

/* RX was full for too long: what finds no buffer is dropped, and no other. */
static u32 do_without(struct flow *f, struct batch *b)
{
	u64 before = f->rx->packets;
	u32 n = 0;

	while (n < b->n) {
		if (!b->pkt[n].drop)
			b->pkt[n].drop = DROP_FULL;
		n = f->rx->ops->put(f->rx, b, n);
	}
	if (f->rx->packets != before)
		f->full_since_tsc = 0;
	return n;
}

/* How many of the batch are dealt with; 0: RX is full. */
static u32 deliver(struct flow *f, struct batch *b, u64 now_tsc)
{
	u32 n;

	if (f->via)
		return switch_forward(f->via, f->turn, b, now_tsc);
	if (f->spread)
		return spread_deliver(f->spread, &f->turn->sender, b, now_tsc);
	if (unlikely(!f->rx || f->rx->broken)) {
		drop_all(b, DROP_NO_PEER);
		return b->n;
	}
	n = f->rx->ops->put(f->rx, b, 0);
	if (likely(n)) {
		f->full_since_tsc = 0;
		return n;
	}
	return gave_up(f, now_tsc) ? do_without(f, b) : 0;
}

/* For who captures; where there are many receivers theirs have been shown. */
static void show(const struct flow *f, const struct batch *b, u32 n)
{
	capture_hook(f->tx, b, 0, n);
	if (f->rx && !f->spread)
		capture_hook(f->rx, b, 0, n);
}

/* Moves a batch: how many packets; 0: none could be. */
static u32 move(struct flow *f, struct batch *b, u64 now_tsc)
{
	u64 before = f->rx ? f->rx->packets : 0;
	u32 got, n;

	b->n = b->n_seg = b->bytes = 0;
	f->tx->ops->get(f->tx, b, f->c.burst);
	got = b->n;
	if (!got)
		return 0;
	if (f->limit)
		b->n = limit_admit(f->limit, b);
	n = deliver(f, b, now_tsc);
	if (f->limit)
		limit_charge(f->limit, b, n);
	show(f, b, n);
	b->n = got;
	/* RX is published before TX: after a crash a packet comes twice, or once. */
	f->tx->ops->done(f->tx, b, n);
	f->moved_c += n;
	/* Those who are many have been called already. */
	f->moved_p += f->rx && !is_to_many(f) ? (u32)(f->rx->packets - before) : 0;
	return n;
}

/*
 * Moves batches while they are whole ones, as many as a turn may have. Each is published
 * in RX by itself; what a turn costs whatever it moves, such as a barrier, is shared where
 * batches are short. How many packets; 0: none could be moved.
 */
static u32 move_all(struct flow *f, struct batch *b, u64 now_tsc)
{
	u32 n = move(f, b, now_tsc), packets = n, bytes = b->bytes;

	/* A limit's credit is of one moment, and receivers that are many are called each time. */
	if (f->limit || is_to_many(f))
		return n;
	while (n == f->c.burst && packets + n <= BATCH_PACKETS && bytes < BATCH_BYTES) {
		n = move(f, b, now_tsc);
		packets += n;
		bytes += b->bytes;
	}
	return packets;
}

static u64 later(const struct flow *f, u64 ns)
{
	return f->waiting->now_tsc + rp_ns_to_tsc(&f->c.clock, ns);
}

static void wait_until(struct flow *f, enum flow_state state, u64 until_tsc)
{
	u64 end = f->full_since_tsc + f->full_tsc;

	f->state = state;
	f->cut = f->waiting == &f->p && f->full_since_tsc && end < until_tsc;
	f->until_tsc = f->cut ? end : until_tsc;
}

static void block(struct flow *f, u64 ns)
{
	if (may_arm(f->waiting)) {
		f->blocked = true;
		wait_until(f, FLOW_WAITS, ns ? later(f, ns) : ~0ULL);
	} else {
		wait_until(f, FLOW_WAITS, later(f, SHARED_WAIT_NS));
		f->cut = true;
	}
}

/* @p cannot go on: its strategy says what now. */
static void stand(struct flow *f, struct rp_party *p)
{
	struct rp_next next;

	f->waiting = p;
	f->blocked = false;
	f->state = FLOW_RUNS;
	next = rp_party_step(p);
	if (next.what == RP_NEXT_BLOCK)
		block(f, next.ns);
	else if (next.what == RP_NEXT_SLEEP)
		wait_until(f, FLOW_WAITS, later(f, next.ns));
	else if (next.ns)
		wait_until(f, FLOW_PAUSES, later(f, next.ns));
}

/* The port's limit has no credit. */
static void rest(struct flow *f)
{
	f->waiting = &f->c;
	f->blocked = false;
	wait_until(f, FLOW_WAITS, limit_until_tsc(f->limit));
}

/* One of many receivers is full, and may still hold us up. */
static void hold(struct flow *f)
{
	f->waiting = &f->p;
	f->blocked = false;
	wait_until(f, FLOW_WAITS, later(f, SHARED_WAIT_NS));
	f->cut = true;
}

bool flow_turn(struct flow *f, struct batch *b, u64 now_tsc)
{
	f->c.now_tsc = f->p.now_tsc = now_tsc;
	if (f->limit && !limit_open(f->limit, now_tsc) && !f->tx->broken) {
		rest(f);
		return false;
	}
	if (!move_all(f, b, now_tsc)) {
		/* Of a queue that was given up nothing will come. */
		if (unlikely(f->tx->broken))
			wait_until(f, FLOW_WAITS, ~0ULL);
		else if (is_to_many(f) && b->n)
			hold(f);
		else
			stand(f, f->full_since_tsc && b->n ? &f->p : &f->c);
		return false;
	}
	if (f->tx->ops->publish)
		f->tx->ops->publish(f->tx);
	/*
	 * Index before event, of both rings: each one's used->idx was stored before this, and
	 * each one's event is read after it, in peer_wants(). It pairs with the barrier in
	 * either driver's arm (rp_drv_arm(); Linux: virtqueue_enable_cb()), which is between
	 * that driver's store of its event and its second look at its index. So of each ring,
	 * for itself, we see the event or its driver sees the index. What else is read or
	 * written between the barrier and the look, such as the other ring's, is no matter;
	 * only publishing would be, and nothing is published from here to the turn's end.
	 */
	rp_mb();
	f->end_tsc = rp_tsc();
	/* The receiver first: it is the one that waits for something. */
	if (f->moved_p)
		rp_party_step(&f->p);
	rp_party_step(&f->c);
	return true;
}

void flow_gave(struct flow *f, u64 ns)
{
	/* The end of a pause tells its length by itself. */
	if (f->state == FLOW_RUNS)
		rp_party_paused(f->waiting);
	if (f->state != FLOW_WAITS)
		rp_party_gave(f->waiting, ns);
}

void flow_resume(struct flow *f, enum rp_wake by)
{
	if (f->state == FLOW_PAUSES)
		rp_party_paused(f->waiting);
	else
		rp_party_resume(f->waiting, by == RP_WAKE_TIMEOUT && f->cut ? RP_WAKE_STOP :
				by == RP_WAKE_TIMEOUT && !f->blocked ? RP_WAKE_SLEPT : by);
	f->state = FLOW_RUNS;
	f->blocked = false;
}
