// SPDX-License-Identifier: GPL-2.0-or-later
/* The device at work: strategies, threads, thresholds, clocks. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dev.h"
#include "vhost_test.h"

#define ITEMS	2000u

static const char *const names[] = { "notify", "sleep", "busy" };
static const char *const thread_names[] = { "queue", "pair", "device" };

/* Did the device count what must have happened, and nothing that must not? */
static bool consistent(const struct virtio_pc_stats *s, u32 strategy)
{
	if (s->lost || s->reordered || !s->batches || s->sent + s->suppressed != s->batches)
		return false;
	if (strategy == VIRTIO_PC_NOTIFY)
		return !s->sleeps && s->blocks + s->double_checks;
	return !s->blocks && !s->received &&
	       (strategy == VIRTIO_PC_SLEEP) == !!s->sleeps;
}

static void show(const char *what, const struct virtio_pc_stats *s)
{
	printf("# %s: items %llu, batches %llu, sent %llu, suppressed %llu, received %llu, "
	       "spurious %llu, double checks %llu, blocks %llu, sleeps %llu, y %llu ns\n",
	       what, s->items, s->batches, s->sent, s->suppressed, s->received,
	       s->spurious, s->double_checks, s->blocks, s->sleeps, s->y_ns);
}

/* The counters follow what the driver sees: waits until they fit. */
static struct vhost_pc_stats settled(struct dev *d, u32 queue, u32 strategy)
{
	struct vhost_pc_stats s;
	u32 i;

	for (i = 0; i < PATIENCE_MS; i++) {
		s = dev_stats(d, queue);
		if (s.stats.items >= ITEMS && consistent(&s.stats, strategy))
			break;
		usleep(1000);
	}
	return s;
}

static bool fwd(struct dev *d, u32 queue, u32 strategy)
{
	bool done = drive_fwd(&d->q[queue], ITEMS, 8);
	struct vhost_pc_stats s = settled(d, queue, strategy);

	show("fwd", &s.stats);
	printf("# kicks %llu, calls %llu\n", (unsigned long long)d->q[queue].kicks,
	       (unsigned long long)d->q[queue].calls);
	return done && s.stats.items == ITEMS && s.next_seq == ITEMS &&
	       s.first_seq == 0 && consistent(&s.stats, strategy) &&
	       (strategy == VIRTIO_PC_NOTIFY || d->q[queue].kicks == 0);
}

static bool rev(struct dev *d, u32 queue, u32 strategy)
{
	struct vhost_pc_start run = {
		.size_bytes = sizeof(run), .queue = queue, .max_items = ITEMS,
	};
	struct received r = { 0 };
	struct vhost_pc_stats s;
	bool done;

	queue_post(&d->q[queue]);
	MUST(d, VHOST_PC_START, &run);
	done = drive_rev(&d->q[queue], ITEMS, &r);
	dev_wait_items(d, queue, ITEMS);
	s = dev_stats(d, queue);
	show("rev", &s.stats);
	/* A producer that is never full neither sleeps nor blocks. */
	return done && r.items == ITEMS && !r.lost && s.stats.items == ITEMS &&
	       s.next_seq == ITEMS && (strategy == VIRTIO_PC_NOTIFY ?
	       !s.stats.sleeps : !s.stats.blocks);
}

static void both_ways(u64 features, u32 threads, u32 strategy)
{
	bool idx = features & 1ull << VIRTIO_RING_F_EVENT_IDX;
	struct dev d;
	u32 q;

	dev_open(&d, features);
	MUST(&d, VHOST_PC_SET_THREADS, &threads);
	for (q = 0; q < 2; q++)
		dev_strategy(&d, q, strategy, 0);
	dev_run(&d, 1);
	ok(fwd(&d, 0, strategy), "fwd %s, a thread a %s%s", names[strategy],
	   thread_names[threads], idx ? "" : ", without EVENT_IDX");
	ok(rev(&d, 1, strategy), "rev %s, a thread a %s%s", names[strategy],
	   thread_names[threads], idx ? "" : ", without EVENT_IDX");
	dev_close(&d);
}

struct job {
	struct dev *d;
	u32 queue;
	u32 strategy;
	bool good;
};

static void *job_main(void *arg)
{
	struct job *j = arg;

	j->good = (j->queue & 1 ? rev : fwd)(j->d, j->queue, j->strategy);
	return NULL;
}

/* Two pairs in both directions at once, each queue with another strategy. */
static void all_at_once(u32 threads)
{
	struct job job[QUEUES];
	pthread_t thread[QUEUES];
	struct dev d;
	bool good = true;
	u32 i;

	dev_open(&d, FEATURES);
	MUST(&d, VHOST_PC_SET_THREADS, &threads);
	for (i = 0; i < QUEUES; i++) {
		job[i] = (struct job){ &d, i, i % 2, false };
		dev_strategy(&d, i, job[i].strategy, 0);
	}
	dev_run(&d, 1);
	for (i = 0; i < QUEUES; i++)
		good &= !pthread_create(&thread[i], NULL, job_main, &job[i]);
	for (i = 0; good && i < QUEUES; i++) {
		pthread_join(thread[i], NULL);
		good &= job[i].good;
	}
	ok(good, "two pairs at once, a thread a %s", thread_names[threads]);
	dev_close(&d);
}

/* Where the device wants the next kick. */
static u16 avail_event(struct queue *q)
{
	return rp_load(rp_avail_event(&q->drv.ring));
}

static bool armed_at(struct queue *q, u16 event)
{
	u32 i;

	for (i = 0; i < PATIENCE_MS && avail_event(q) != event; i++)
		usleep(1000);
	return avail_event(q) == event;
}

static void threshold(void)
{
	const u32 k = 8;
	struct queue *q;
	struct dev d;
	u32 round, i;
	bool good = true;

	dev_open(&d, FEATURES);
	dev_strategy(&d, 0, VIRTIO_PC_NOTIFY, k);
	dev_run(&d, 1);
	q = &d.q[0];
	for (round = 0; good && round < 3; round++) {
		good &= armed_at(q, (u16)(q->sent + k - 1));
		for (i = 1; i <= k; i++) {
			queue_item(q);
			good &= rp_drv_need_kick(&q->drv) == (i == k);
		}
		queue_kick(q);
		good &= dev_wait_items(&d, 0, q->sent);
	}
	ok(good, "k_P of 8: every eighth item is kicked for");
	dev_close(&d);
}

/* One exchange; the reply says when the host saw it. */
static bool exchange(struct dev *d, struct queue *q, u64 error_tsc, s64 offset_tsc)
{
	struct {
		struct virtio_pc_item item;
		struct virtio_pc_clock known;
		struct virtio_pc_clock_reply reply;
	} *x = (void *)queue_buf(q, RING - 2);
	struct rp_seg seg[2] = {
		{ x, sizeof(x->item) + sizeof(x->known) },
		{ &x->reply, sizeof(x->reply) },
	};
	u64 t0 = rp_tsc();
	u32 i, written = 0;

	memset(x, 0, sizeof(*x));
	x->item.flags = VIRTIO_PC_ITEM_CLOCK;
	x->item.bytes = seg[0].bytes;
	x->known.error_tsc = error_tsc;
	x->known.offset_tsc = (u64)offset_tsc;
	if (!rp_drv_add(&q->drv, seg, 1, 1, x))
		return false;
	rp_drv_publish(&q->drv);
	queue_kick(q);
	for (i = 0; i < PATIENCE_MS && !rp_drv_get_used(&q->drv, &written); i++)
		usleep(1000);
	return written == sizeof(x->reply) && x->reply.rx_tsc >= t0 &&
	       x->reply.tx_tsc >= x->reply.rx_tsc && x->reply.tx_tsc <= rp_tsc() &&
	       x->reply.tsc_hz && !dev_stats(d, 0).stats.items;
}

static void clocks(void)
{
	struct vhost_pc_clock c = { .size_bytes = sizeof(c), .queue = 0 };
	struct dev d;

	dev_open(&d, FEATURES);
	dev_run(&d, 1);
	ok(exchange(&d, &d.q[0], ~0ull, 5), "a clock exchange is answered");
	MUST(&d, VHOST_PC_GET_CLOCK, &c);
	ok(c.error_tsc == ~0ull && c.tsc_hz, "nothing is known before it was told");
	ok(exchange(&d, &d.q[0], 100, -7), "what the driver knows is taken");
	MUST(&d, VHOST_PC_GET_CLOCK, &c);
	ok(c.error_tsc == 100 && c.offset_tsc == -7, "and kept");
	c.offset_tsc = 0;
	MUST(&d, VHOST_PC_SET_CLOCK, &c);
	dev_reset(&d, 0);
	drive_fwd(&d.q[0], 100, 1);
	dev_wait_items(&d, 0, 100);
	ok(dev_stats(&d, 0).stats.lat_count == 100 &&
	   dev_stats(&d, 0).stats.lat_p50_ns, "latencies are measured");
	dev_close(&d);
}

/* Chains: an item whose head is in two pieces, and one in an indirect table. */
static void chains(void)
{
	struct dev d;
	struct queue *q = &d.q[0];
	struct virtio_pc_item item = { .flags = VIRTIO_PC_ITEM_FIRST, .bytes = 64 };
	struct vring_desc *table;
	u64 gpa = GPA + QUEUE_BYTES / 2;
	u8 *buf;

	dev_open(&d, FEATURES);
	buf = d.mem + QUEUE_BYTES / 2;
	memcpy(buf, &item, sizeof(item));
	struct rp_seg seg[2] = { { buf, 12 }, { buf + 12, 52 } };

	table = (void *)(buf + 1024);
	table[0] = (struct vring_desc){ gpa, 8, VRING_DESC_F_NEXT, 1 };
	table[1] = (struct vring_desc){ gpa + 8, 56, 0, 0 };
	dev_run(&d, 1);
	rp_drv_add(&q->drv, seg, 2, 0, q);
	rp_drv_publish(&q->drv);
	queue_kick(q);
	ok(dev_wait_items(&d, 0, 1), "an item in two pieces");
	rp_drv_add_one(&q->drv, table, 32, false, q);
	d.q[0].drv.ring.desc[2].flags = VRING_DESC_F_INDIRECT;
	rp_drv_publish(&q->drv);
	queue_kick(q);
	ok(dev_wait_items(&d, 0, 2) && !(dev_stats(&d, 0).flags & VHOST_PC_STATS_BROKEN),
	   "an item in an indirect table");
	dev_close(&d);
}

/* Stop and parameters reach a party that works or sleeps for long. */
static void orders(void)
{
	struct vhost_pc_params p;
	struct vhost_pc_start run = { .size_bytes = sizeof(run), .queue = 1 };
	u32 rev_queue = 1;
	struct dev d;
	u64 n;

	dev_open(&d, FEATURES);
	p = dev_params(&d, 0);
	p.w_ns = 1000000000;
	MUST(&d, VHOST_PC_SET_PARAMS, &p);
	dev_run(&d, 1);
	while (queue_item(&d.q[0]))
		;
	queue_kick(&d.q[0]);
	p.w_ns = 0;
	MUST(&d, VHOST_PC_SET_PARAMS, &p);
	ok(dev_wait_items(&d, 0, RING), "64 s of work are cut short");

	queue_post(&d.q[1]);
	run.duration_ns = 1000000;
	MUST(&d, VHOST_PC_START, &run);
	while (dev_stats(&d, 1).flags & VHOST_PC_STATS_PRODUCING)
		usleep(1000);
	ok(true, "a rev run ends with its duration");
	run.duration_ns = 0;
	MUST(&d, VHOST_PC_START, &run);
	MUST(&d, VHOST_PC_STOP, &rev_queue);
	n = dev_stats(&d, 1).stats.items;
	ok(n <= 2 * RING && !(dev_stats(&d, 1).flags & VHOST_PC_STATS_PRODUCING),
	   "a rev run is stopped");
	dev_close(&d);
}

void test_work(void)
{
	u32 s;

	for (s = VIRTIO_PC_NOTIFY; s <= VIRTIO_PC_BUSY; s++)
		both_ways(FEATURES, VHOST_PC_THREAD_QUEUE, s);
	both_ways(FEATURES & ~(1ull << VIRTIO_RING_F_EVENT_IDX),
		  VHOST_PC_THREAD_PAIR, VIRTIO_PC_NOTIFY);
	both_ways(FEATURES & ~(1ull << VIRTIO_RING_F_EVENT_IDX),
		  VHOST_PC_THREAD_QUEUE, VIRTIO_PC_SLEEP);
	for (s = VHOST_PC_THREAD_QUEUE; s <= VHOST_PC_THREAD_DEVICE; s++)
		all_at_once(s);
	threshold();
	clocks();
	chains();
	orders();
}
