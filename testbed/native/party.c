// SPDX-License-Identifier: GPL-2.0-or-later
/* The driver's party: ring operations of both directions, thread, orders. */
#include "party.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "util.h"

static struct party *party_of(struct rp_party *p)
{
	return p->ctx;
}

static void *slot_at(const struct party *n, u64 buffer)
{
	return n->items + (buffer & n->slot_mask) * n->stride_bytes;
}

static void give_up(struct party *n, const char *why)
{
	if (!n->broken)
		rp_store(&n->broken, why);
}

/* The oldest buffer's item if it has come back, else NULL. */
static struct virtio_pc_item *take(struct party *n, u32 *written_bytes)
{
	struct virtio_pc_item *item = rp_drv_get_used(&n->drv, written_bytes);

	if (!item)
		return NULL;
	if (unlikely(item != slot_at(n, n->completed))) {
		give_up(n, "the device completed a buffer out of order");
		return NULL;
	}
	n->completed++;
	return item;
}

static void post(struct party *n, bool write)
{
	struct virtio_pc_item *item = slot_at(n, n->posted);

	if (unlikely(!rp_drv_add_one(&n->drv, item, n->item_bytes, write, item)))
		give_up(n, n->drv.broken ?: "the ring has less room than it has slots");
	n->posted++;
}

/*
 * Work on an item may take a second, and a burst of such items minutes: an
 * order ends both early. Without work there is no need to look.
 */
static inline bool wanted(const struct rp_party *p)
{
	const struct party *n = p->ctx;

	return p->w_tsc && unlikely(rp_load(&n->order));
}

/* As rp_emulate(), but leaves early for an order. */
static inline u64 emulate(struct rp_party *p, u64 start_tsc)
{
	const u64 w_tsc = rp_party_work_tsc(p);
	u64 now;

	do {
		now = rp_tsc();
	} while (now - start_tsc < w_tsc && !wanted(p));
	return now;
}

/* ---- Producer, fwd ---- */

static void reclaim(struct party *n)
{
	u32 written;

	while (take(n, &written))
		;
	if (unlikely(n->drv.broken))
		give_up(n, n->drv.broken);
}

/* Free slots within the window, which may just have become smaller. */
static u32 room_of(const struct party *n)
{
	u32 window = rp_party_window(&n->rp), out = (u32)(n->posted - n->completed);

	return out < window ? window - out : 0;
}

static u32 produce(struct rp_party *p, u32 max)
{
	struct party *n = party_of(p);
	u32 room = room_of(n), i;
	u64 now = p->now_tsc;

	if (unlikely(max > n->left))
		max = (u32)n->left;
	/*
	 * Only when it is needed: every look at used->idx takes the cache line
	 * from the consumer.
	 */
	if (room < max) {
		reclaim(n);
		room = room_of(n);
		max = room < max ? room : max;
	}
	/* One item at least: none would mean that the ring is full. */
	for (i = 0; i < max && !(i && wanted(p)); i++) {
		struct virtio_pc_item *item = slot_at(n, n->posted);

		/* The consumer has the next burst's lines: ask for them now. */
		rp_prefetch_write(slot_at(n, n->posted + p->burst));
		item->seq = n->posted;
		item->flags = (n->posted ? 0 : VIRTIO_PC_ITEM_FIRST) |
			      (unlikely(rp_party_waited(p)) ? VIRTIO_PC_ITEM_WAITED : 0);
		item->bytes = n->item_bytes;
		post(n, false);
		/* Without work to wait for, one stamp a burst will do. */
		if (p->w_tsc || !i)
			now = emulate(p, now);
		item->enq_tsc = now;
	}
	if (!i)
		return 0;
	n->left -= i;
	rp_drv_publish(&n->drv);
	p->now_tsc = p->w_tsc ? now : rp_tsc();
	return i;
}

/* ---- Consumer, rev ---- */

/* The buffer came back; what the device wrote in it is copied before use. */
static u64 consume_one(struct rp_party *p, const struct virtio_pc_item *item, u32 bytes,
		       u64 start_tsc)
{
	const u64 seq = rp_load(&item->seq), enq = rp_load(&item->enq_tsc);
	const u32 flags = rp_load(&item->flags);
	u64 now;

	if (unlikely(bytes < sizeof(*item)))
		give_up(party_of(p), "the device wrote less than an item's head");
	rp_party_seq(p, seq, flags & VIRTIO_PC_ITEM_FIRST);
	if (unlikely(flags & VIRTIO_PC_ITEM_WAITED))
		rp_party_peer_waited(p);
	now = emulate(p, start_tsc);
	rp_party_latency(p, enq, now);
	return now;
}

/* Mean time from the enqueue of the item that a notification was for. */
static void note_wake(struct rp_party *p, const struct virtio_pc_item *item, u64 woken_tsc)
{
	s64 took = (s64)(woken_tsc - rp_load(&item->enq_tsc));

	p->stats.wakes++;
	p->stats.wake_tsc += took > 0 ? (u64)took : 0;
}

static u32 consume(struct rp_party *p, u32 max)
{
	struct party *n = party_of(p);
	const u64 start = p->now_tsc;
	struct virtio_pc_item *item;
	u64 now = start;
	u32 i, bytes;

	for (i = 0; i < max && !(i && wanted(p)); i++) {
		item = take(n, &bytes);
		if (!item)
			break;
		if (unlikely(p->woken && i + 1 == p->armed_k))
			note_wake(p, item, start);
		now = consume_one(p, item, bytes, now);
		post(n, true);
	}
	if (unlikely(n->drv.broken))
		give_up(n, n->drv.broken);
	if (!i)
		return 0;
	rp_drv_publish(&n->drv);
	p->now_tsc = now;
	return i;
}

/* ---- Both ---- */

static bool peer_wants(struct rp_party *p)
{
	return rp_drv_need_kick(&party_of(p)->drv);
}

static void signal_fd(int fd)
{
	const u64 one = 1;

	/* EAGAIN: the counter is full, so a notification is pending anyway. */
	while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void notify(struct rp_party *p)
{
	signal_fd(party_of(p)->fq->kick_fd);
}

static bool arm(struct rp_party *p, u32 k)
{
	return rp_drv_arm(&party_of(p)->drv, k);
}

static void disarm(struct rp_party *p)
{
	rp_drv_disarm(&party_of(p)->drv);
}

static u32 ready_slots(struct rp_party *p)
{
	struct party *n = party_of(p);

	reclaim(n);
	return room_of(n);
}

static u32 ready_items(struct rp_party *p)
{
	return rp_drv_used_count(&party_of(p)->drv);
}

static bool owed(struct rp_party *p, u32 *wish)
{
	return rp_drv_owes_kick(&party_of(p)->drv, wish);
}

static const struct rp_ring_ops fwd_ops = {
	.work = produce,
	.peer_wants = peer_wants,
	.notify = notify,
	.arm = arm,
	.disarm = disarm,
	.ready = ready_slots,
	.owed = owed,
};

static const struct rp_ring_ops rev_ops = {
	.work = consume,
	.peer_wants = peer_wants,
	.notify = notify,
	.arm = arm,
	.disarm = disarm,
	.ready = ready_items,
};

/* ---- Thread ---- */

static void begin_stats(struct party *n)
{
	rp_party_stats_reset(&n->rp);
	if (n->rp.trace)
		rp_store_release(&n->rp.trace->head, 0);
	n->reset_ns = now_ns();
	n->reset_cpu_ns = thread_cpu_ns();
}

static void take_report(struct party *n)
{
	rp_party_report(&n->rp, &n->report);
	n->has_status = rp_party_status(&n->rp, &n->status);
	n->duration_ns = now_ns() - n->reset_ns;
	n->cpu_ns = thread_cpu_ns() - n->reset_cpu_ns;
	n->taken = n->completed;
	n->done = n->taken + rp_drv_used_count(&n->drv);
	n->next_seq = n->rp.next_seq;
}

static void take_traffic(struct party *n, const struct party_traffic *t)
{
	n->opt.traffic = *t;
	n->rp.w_tsc = rp_ns_to_tsc(&n->rp.clock, t->w_ns);
	n->rp.w_dist = t->w_dist;
	/* ~0: more than anybody will ever send. */
	n->left = t->idle ? 0 : t->burst_items ? t->burst_items : ~0ULL;
}

/* The thread is between two turns, or not there yet. */
static void take_pace(struct party *n, const struct rp_params *pacing)
{
	n->opt.pacing = *pacing;
	rp_party_init(&n->rp, pacing, tsc_hz());
	rp_party_start(&n->rp);
}

/* True: leave the loop. */
static bool obey(struct party *n)
{
	/* Pairs with the release in give_order(). */
	u32 order = rp_load_acquire(&n->order);

	if (order == PARTY_STOP)
		return true;
	if (order == PARTY_RESET)
		begin_stats(n);
	if (order == PARTY_REPORT)
		take_report(n);
	if (order == PARTY_PACE)
		take_pace(n, &n->next.pacing);
	if (order == PARTY_PACE || order == PARTY_TRAFFIC)
		take_traffic(n, &n->next.traffic);
	/* Work since the order came was not the party's: do not count it as W. */
	n->rp.now_tsc = rp_tsc();
	rp_store_release(&n->order, PARTY_NO_ORDER);
	return false;
}

static struct timespec timespec_of(u64 ns)
{
	return (struct timespec){
		.tv_sec = (time_t)(ns / NSEC_PER_SEC),
		.tv_nsec = (long)(ns % NSEC_PER_SEC),
	};
}

/* Waits for an order, at most until @end_ns; 0: for ever. */
static void await_order(struct party *n, u64 end_ns)
{
	struct pollfd pfd = { .fd = n->fq->call_fd, .events = POLLIN };
	u64 now = now_ns(), count;
	const struct timespec ts = timespec_of(end_ns > now ? end_ns - now : 0);

	/* A call meanwhile is for a party that waits for slots: we do not. */
	if (ppoll(&pfd, 1, end_ns ? &ts : NULL, NULL) > 0 &&
	    read(pfd.fd, &count, sizeof(count)) < 0 && errno != EAGAIN && errno != EINTR)
		give_up(n, "its call eventfd cannot be read");
}

/* The earlier of two moments; 0: never. */
static u64 earlier(u64 a_ns, u64 b_ns)
{
	return a_ns && (a_ns < b_ns || !b_ns) ? a_ns : b_ns;
}

/*
 * The application has no items, so the party, which is disarmed, does nothing:
 * no turn, no decision, but for seeing to it that the device hears of what it
 * has. True: leave the loop.
 */
static bool rest(struct party *n)
{
	const struct party_traffic *t = &n->opt.traffic;
	const u64 begin = now_ns();
	u64 end, watch_ns;

	while (!n->left) {
		end = t->gap_ns && !t->idle ? begin + t->gap_ns : 0;
		if (rp_load(&n->order)) {
			if (obey(n))
				return true;
		} else if (end && now_ns() >= end) {
			n->left = t->burst_items;
		} else {
			watch_ns = rp_party_rest(&n->rp);
			await_order(n, earlier(end, watch_ns ? now_ns() + watch_ns : 0));
		}
		if (n->broken)
			return true;
	}
	n->rp.now_tsc = rp_tsc();
	return false;
}

static bool stopping(struct rp_party *p)
{
	struct party *n = party_of(p);

	if (unlikely(n->broken))
		return true;
	if (unlikely(rp_load(&n->order)) && obey(n))
		return true;
	return unlikely(!n->left) && rest(n);
}

static void sleep_for(struct rp_party *p, u64 ns)
{
	const struct timespec ts = timespec_of(ns);

	clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
}

static enum rp_wake block(struct rp_party *p, u64 timeout_ns)
{
	struct party *n = party_of(p);
	/*
	 * A poll first: the backend shares the eventfd, and may have made it
	 * non-blocking for both of us.
	 */
	struct pollfd pfd = { .fd = n->fq->call_fd, .events = POLLIN };
	const struct timespec ts = timespec_of(timeout_ns);
	u64 count;
	int rc;

	rc = ppoll(&pfd, 1, timeout_ns ? &ts : NULL, NULL);
	if (!rc)
		return RP_WAKE_TIMEOUT;
	if (rc < 0 || read(pfd.fd, &count, sizeof(count)) < 0)
		return RP_WAKE_STOP;
	return rp_load(&n->order) ? RP_WAKE_STOP : RP_WAKE_NOTIFIED;
}

static u64 cpu_ns(struct rp_party *p)
{
	return thread_cpu_ns();
}

static const struct rp_thread_ops thread_ops = {
	.stopping = stopping,
	.sleep = sleep_for,
	.block = block,
	.cpu_ns = cpu_ns,
};

static void *thread_main(void *arg)
{
	struct party *n = arg;

	/* Sleeps as short as the kernel can make them, not 50 us longer. */
	prctl(PR_SET_TIMERSLACK, 1UL);
	if (pin_to_cpu(n->opt.cpu))
		give_up(n, "its thread could not be pinned");
	rp_store(&n->tid, gettid());
	begin_stats(n);
	rp_party_run(&n->rp);
	rp_store_release(&n->ended, true);
	return NULL;
}

int party_start(struct party *n)
{
	errno = pthread_create(&n->thread, NULL, thread_main, n);
	if (errno)
		return fail("cannot start the driver's thread: %m");
	n->started = true;
	return 0;
}

static void give_order(struct party *n, enum party_order order)
{
	/* Pairs with the acquire in obey(). */
	rp_store_release(&n->order, order);
	signal_fd(n->fq->call_fd);
	if (order != PARTY_STOP)
		return;
	pthread_join(n->thread, NULL);
	n->started = false;
}

int party_order(struct party *n, enum party_order order)
{
	const struct timespec pause = { 0, 20000 };

	if (!n->started)
		return -1;
	give_order(n, order);
	while (n->started && !rp_load_acquire(&n->ended) && rp_load_acquire(&n->order))
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
	if (rp_load(&n->broken))
		return fail("native lane: the driver gave its ring up: %s", n->broken);
	return 0;
}

int party_set_traffic(struct party *n, const struct party_traffic *traffic)
{
	n->next.traffic = *traffic;
	return party_order(n, PARTY_TRAFFIC);
}

int party_set_pace(struct party *n, const struct rp_params *pacing,
		   const struct party_traffic *traffic)
{
	n->next.pacing = *pacing;
	n->next.traffic = *traffic;
	return party_order(n, PARTY_PACE);
}

/* ---- Setting up ---- */

static u32 stride_of(u32 item_bytes)
{
	/* No two items share a cache line. */
	return (item_bytes + 63) & ~63u;
}

u64 party_data_bytes(u32 queue_size, u32 item_bytes)
{
	return (u64)queue_size * stride_of(item_bytes);
}

int party_init(struct party *n, struct fe *f, u32 queue, u8 *items,
	       const struct party_options *opt)
{
	bool produces = opt->pacing.role == RP_PRODUCER;
	u32 i;

	memset(n, 0, sizeof(*n));
	n->opt = *opt;
	n->fq = &f->queue[queue];
	n->items = items;
	n->item_bytes = opt->item_bytes;
	n->stride_bytes = stride_of(opt->item_bytes);
	n->slot_mask = f->opt.queue_size - 1;
	n->rp.ring = produces ? &fwd_ops : &rev_ops;
	n->rp.thread = &thread_ops;
	n->rp.burst = opt->burst;
	n->rp.ctx = n;
	rp_party_init(&n->rp, &opt->pacing, tsc_hz());
	take_traffic(n, &opt->traffic);
	n->rp.latency = produces ? NULL : calloc(1, sizeof(*n->rp.latency));
	n->rp.trace = opt->trace ? calloc(1, sizeof(*n->rp.trace)) : NULL;
	if ((!produces && !n->rp.latency) || (opt->trace && !n->rp.trace))
		return fail("native lane: out of memory");
	if (n->rp.trace) {
		/* Touched now: a page fault in the run would be measured. */
		memset(n->rp.trace, 1, sizeof(*n->rp.trace));
		memset(n->rp.trace, 0, sizeof(*n->rp.trace));
		n->rp.trace->on = true;
	}
	if (rp_drv_init(&n->drv, &n->fq->ring, fe_has(f, VIRTIO_RING_F_EVENT_IDX),
			fe_gpa_delta(f)))
		return fail("native lane: queue %u: cannot set up a ring of %u slots", queue,
			    n->fq->ring.num);
	for (i = 0; !produces && i < opt->pacing.queue_len; i++)
		post(n, true);
	rp_drv_publish(&n->drv);
	return 0;
}

void party_free(struct party *n)
{
	if (n->started)
		give_order(n, PARTY_STOP);
	rp_drv_free(&n->drv);
	free(n->rp.latency);
	free(n->rp.trace);
	n->rp.latency = NULL;
	n->rp.trace = NULL;
}

u16 party_done(const struct party *n)
{
	return rp_load_acquire(&n->fq->ring.used->idx);
}

u64 party_outstanding(const struct party *n)
{
	return (u16)(n->drv.published - party_done(n));
}

void party_kick(struct party *n)
{
	signal_fd(n->fq->kick_fd);
}

/* ---- Clock ---- */

struct clock_item {
	struct virtio_pc_item item;
	struct virtio_pc_clock clock;
	struct virtio_pc_clock_reply reply;
};

_Static_assert(sizeof(struct virtio_pc_item) == 24, "the clock follows the head at once");

int party_clock(struct party *n, u32 timeout_ms)
{
	const u64 end = now_ns() + timeout_ms * 1000000ULL;
	/* Slots are free until the party starts. */
	struct clock_item *c = (void *)n->items;
	const struct rp_seg seg[2] = {
		{ c, offsetof(struct clock_item, reply) },
		{ &c->reply, sizeof(c->reply) },
	};
	u32 written;

	if (party_data_bytes(n->slot_mask + 1, n->item_bytes) < sizeof(*c))
		return fail("native lane: no room for a clock exchange");
	memset(c, 0, sizeof(*c));
	c->item.flags = VIRTIO_PC_ITEM_CLOCK;
	c->item.bytes = seg[0].bytes;
	c->clock.tsc_hz = tsc_hz();
	c->item.enq_tsc = rp_tsc();
	if (!rp_drv_add(&n->drv, seg, 1, 1, c))
		return fail("native lane: no room for a clock exchange");
	rp_drv_publish(&n->drv);
	if (rp_drv_need_kick(&n->drv))
		party_kick(n);
	while (!rp_drv_get_used(&n->drv, &written)) {
		if (n->drv.broken || now_ns() > end || !nap_ms(1))
			return stopped() ? -1 : fail("native lane: no answer to a clock exchange: "
						     "%s", n->drv.broken ?: "timeout");
	}
	return 0;
}
