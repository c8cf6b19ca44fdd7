// SPDX-License-Identifier: GPL-2.0-or-later
/* Drivers that break their rings, and VMMs that call what they should not. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dev.h"
#include "vhost_test.h"
#include "../unit/rand.h"

#define RANDOM_IOCTLS	5000u	/* unless RP_RANDOM_IOCTLS says more */

/* Puts one entry into the ring, good up to what the caller then spoils. */
static void plain(struct queue *q, bool rev)
{
	struct virtio_pc_item item = { .flags = VIRTIO_PC_ITEM_FIRST, .bytes = 64 };

	memcpy(queue_buf(q, 0), &item, sizeof(item));
	rp_drv_add_one(&q->drv, queue_buf(q, 0), ITEM_BYTES, rev, q);
}

static void far_index(struct queue *q)
{
	q->drv.avail_idx = (u16)(q->drv.avail_idx + RING + 1);
}

static void bad_head(struct queue *q)
{
	q->drv.ring.avail->ring[0] = 60000;
}

static void bad_address(struct queue *q)
{
	q->drv.ring.desc[0].addr = GPA + MEM_BYTES - 8;
}

static void wrapping_address(struct queue *q)
{
	q->drv.ring.desc[0].addr = ~0ull - 8;
}

static void bad_next(struct queue *q)
{
	q->drv.ring.desc[0].flags |= VRING_DESC_F_NEXT;
	q->drv.ring.desc[0].next = 50000;
}

static void loop(struct queue *q)
{
	q->drv.ring.desc[0].flags |= VRING_DESC_F_NEXT;
	q->drv.ring.desc[0].next = 0;
}

static void empty_table(struct queue *q)
{
	q->drv.ring.desc[0].flags = VRING_DESC_F_INDIRECT;
	q->drv.ring.desc[0].len = 17;
}

static void short_buffer(struct queue *q)
{
	q->drv.ring.desc[0].len = 23;
}

static void empty_buffer(struct queue *q)
{
	q->drv.ring.desc[0].len = 0;
}

static struct virtio_pc_item *item(struct queue *q)
{
	return (void *)queue_buf(q, 0);
}

static void long_item(struct queue *q)
{
	item(q)->bytes = ITEM_BYTES + 1;
}

static void short_item(struct queue *q)
{
	item(q)->bytes = 23;
}

static void unknown_flag(struct queue *q)
{
	item(q)->flags |= 1u << 31;
}

static void wrong_way(struct queue *q)
{
	q->drv.ring.desc[0].flags ^= VRING_DESC_F_WRITE;
}

static const struct {
	const char *name;
	void (*spoil)(struct queue *q);
	bool fwd, rev;
} tricks[] = {
	{ "an index that jumps", far_index, true, true },
	{ "a head that is no descriptor", bad_head, true, true },
	{ "a buffer that ends outside memory", bad_address, true, true },
	{ "a buffer that wraps around", wrapping_address, true, true },
	{ "a next descriptor outside the table", bad_next, true, true },
	{ "a chain that loops", loop, true, true },
	{ "an indirect table of 17 bytes", empty_table, true, true },
	{ "a buffer too small for an item", short_buffer, true, true },
	{ "an empty buffer", empty_buffer, true, true },
	{ "an item larger than its buffer", long_item, true, false },
	{ "an item smaller than its head", short_item, true, false },
	{ "an unknown flag", unknown_flag, true, false },
	{ "a buffer of the other direction", wrong_way, true, true },
};

/* The vhost core signals what it finds before the device gives up. */
static bool wait_broken(struct dev *d, u32 queue)
{
	u32 i;

	for (i = 0; i < PATIENCE_MS; i++) {
		if (dev_stats(d, queue).flags & VHOST_PC_STATS_BROKEN)
			return true;
		usleep(1000);
	}
	return false;
}

static bool breaks(struct dev *d, u32 queue, void (*spoil)(struct queue *q))
{
	struct vhost_pc_start run = { .size_bytes = sizeof(run), .queue = queue };
	struct queue *q = &d->q[queue];
	struct pollfd p = { .fd = q->err, .events = POLLIN };

	dev_rings(d);
	dev_reset(d, queue);
	plain(q, queue & 1);
	spoil(q);
	rp_drv_publish(&q->drv);
	dev_run(d, 1);
	if (queue & 1)
		MUST(d, VHOST_PC_START, &run);
	queue_kick(q);
	if (poll(&p, 1, PATIENCE_MS) <= 0)
		return false;
	if (!wait_broken(d, queue) || dev_stats(d, queue).stats.items ||
	    (queue & 1 && try_ioctl(d->fd, VHOST_PC_START, &run) != ENOTCONN))
		return false;
	dev_run(d, 0);
	return true;
}

static void broken_rings(void)
{
	struct dev d;
	u32 i, strategy;
	bool good;

	dev_open(&d, FEATURES);
	for (i = 0; i < sizeof(tricks) / sizeof(tricks[0]); i++) {
		good = true;
		for (strategy = 0; good && strategy < 3; strategy++) {
			dev_strategy(&d, 0, strategy, 0);
			dev_strategy(&d, 1, strategy, 0);
			good &= !tricks[i].fwd || breaks(&d, 0, tricks[i].spoil);
			good &= !tricks[i].rev || breaks(&d, 1, tricks[i].spoil);
		}
		ok(good, "%s is found out", tricks[i].name);
	}
	dev_rings(&d);
	dev_reset(&d, 0);
	dev_run(&d, 1);
	ok(drive_fwd(&d.q[0], 500, 4) && dev_wait_items(&d, 0, 500),
	   "a new start makes the queue whole");
	dev_close(&d);
}

static void fails(int got, int want, const char *what)
{
	if (got != want)
		printf("# %s\n", strerror(got));
	ok(got == want, "%s: %s", what, strerror(want));
}

static void bad_params(struct dev *d)
{
	struct vhost_pc_params good = dev_params(d, 0), p;
	u32 i;
	bool all = true;

	for (i = 0; i < 10; i++) {
		p = good;
		switch (i) {
		case 0: p.size_bytes--; break;
		case 1: p.queue = 1000; break;
		case 2: p.strategy = VIRTIO_PC_STRATEGIES; break;
		case 3: p.w_ns = 1000000001; break;
		case 4: p.y_ns = 1000000001; break;
		case 5: p.burst = 0; break;
		case 6: p.queue_len = 65536; break;
		case 7: p.item_bytes = VIRTIO_PC_ITEM_MIN_BYTES - 1; break;
		case 8: p.k = 32769; break;
		case 9: p.cpu_cap_percent = 101; break;
		}
		all &= try_ioctl(d->fd, VHOST_PC_SET_PARAMS, &p) == EINVAL;
	}
	ok(all, "parameters out of range are refused");
}

static void bad_ioctls(void)
{
	struct vhost_pc_start run = { .size_bytes = sizeof(run), .queue = 1 };
	struct vhost_vring_state num = { 0, 48 };
	u64 features = 1ull << 60, ours = FEATURES;
	u32 queue = 1, threads = 3;
	int one = 1, two = 2, fd = open("/dev/vhost-pc", O_RDWR | O_CLOEXEC);
	struct dev d;

	fails(try_ioctl(fd, VHOST_PC_SET_RUNNING, &one), EPERM, "running without an owner");
	fails(try_ioctl(fd, VHOST_SET_VRING_NUM, &num), EPERM, "a ring without an owner");
	must(fd, VHOST_SET_OWNER, NULL, "owner");
	fails(try_ioctl(fd, VHOST_SET_OWNER, NULL), EBUSY, "a second owner");
	fails(try_ioctl(fd, VHOST_PC_SET_RUNNING, &one), EINVAL, "running without rings");
	fails(try_ioctl(fd, VHOST_SET_FEATURES, &features), EOPNOTSUPP, "unknown features");
	fails(try_ioctl(fd, VHOST_SET_FEATURES, NULL), EFAULT, "no features");
	fails(try_ioctl(fd, VHOST_SET_VRING_NUM, &num), EINVAL, "a ring of 48");
	fails(try_ioctl(fd, VHOST_PC_START, &run), ENOTCONN, "a run without a ring");
	fails(try_ioctl(fd, VHOST_PC_SET_THREADS, &threads), EINVAL, "threads of kind 3");
	must(fd, VHOST_RESET_OWNER, NULL, "reset");
	must(fd, VHOST_SET_OWNER, NULL, "owner again");
	close(fd);

	dev_open(&d, FEATURES);
	bad_params(&d);
	fails(try_ioctl(d.fd, VHOST_PC_SET_RUNNING, &two), EINVAL, "running twice as fast");
	dev_run(&d, 1);
	dev_run(&d, 1);
	threads = VHOST_PC_THREAD_DEVICE;
	fails(try_ioctl(d.fd, VHOST_PC_SET_THREADS, &threads), EBUSY, "other threads while running");
	ours &= ~(1ull << VIRTIO_RING_F_EVENT_IDX);
	fails(try_ioctl(d.fd, VHOST_SET_FEATURES, &ours), EBUSY, "other features while running");
	MUST(&d, VHOST_PC_START, &run);
	fails(try_ioctl(d.fd, VHOST_PC_START, &run), EBUSY, "a second run");
	MUST(&d, VHOST_PC_STOP, &queue);
	run.queue = 0;
	fails(try_ioctl(d.fd, VHOST_PC_START, &run), EINVAL, "a run of a fwd queue");
	fails(try_ioctl(d.fd, _IO(0xb7, 0x7f), NULL), EFAULT, "an unknown call without argument");
	fails(try_ioctl(d.fd, _IO(0xb7, 0x7f), &threads), ENOTTY, "an unknown call");
	dev_close(&d);

	dev_open(&d, FEATURES & ~(1ull << VIRTIO_F_VERSION_1));
	fails(try_ioctl(d.fd, VHOST_PC_SET_RUNNING, &one), EINVAL, "a legacy driver");
	dev_close(&d);
}

static const unsigned long calls[] = {
	VHOST_GET_FEATURES, VHOST_SET_FEATURES, VHOST_SET_OWNER, VHOST_RESET_OWNER,
	VHOST_SET_MEM_TABLE, VHOST_SET_LOG_BASE, VHOST_SET_LOG_FD,
	VHOST_SET_VRING_NUM, VHOST_SET_VRING_ADDR, VHOST_SET_VRING_BASE,
	VHOST_GET_VRING_BASE, VHOST_SET_VRING_KICK, VHOST_SET_VRING_CALL,
	VHOST_SET_VRING_ERR, VHOST_SET_VRING_BUSYLOOP_TIMEOUT,
	VHOST_PC_SET_RUNNING, VHOST_PC_SET_THREADS, VHOST_PC_GET_INFO,
	VHOST_PC_GET_PARAMS, VHOST_PC_SET_PARAMS, VHOST_PC_START, VHOST_PC_STOP,
	VHOST_PC_GET_STATS, VHOST_PC_RESET_STATS, VHOST_PC_GET_CLOCK,
	VHOST_PC_SET_CLOCK, VHOST_PC_GET_LEARNED, VHOST_PC_SET_LEARNED,
	VHOST_PC_GET_QUEUE, VHOST_PC_SET_TRACE, VHOST_PC_GET_EVENTS,
	VHOST_PC_NEXT_DEVICE, VHOST_PC_SELECT,
};

/* Room for the largest of their arguments. */
#define RANDOM_WORDS	128
_Static_assert(RANDOM_WORDS * sizeof(u64) > sizeof(struct vhost_pc_stats), "RANDOM_WORDS");

/* A word that is often a plausible one. */
static u64 word(u64 *rng, const struct dev *d)
{
	switch (test_below(rng, 6)) {
	case 0:
		return test_rand(rng);
	case 1:
		return (uintptr_t)d->mem + test_below(rng, MEM_BYTES);
	case 2:
		return GPA + test_below(rng, MEM_BYTES);
	case 3:
		return sizeof(struct vhost_pc_params) |
		       (u64)test_below(rng, 6) << 32;
	default:
		return test_below(rng, 6) | (u64)test_below(rng, 70) << 32;
	}
}

static bool one_call(int fd, u64 *rng, const struct dev *d)
{
	unsigned long cmd = calls[test_below(rng, sizeof(calls) / sizeof(calls[0]))];
	u64 arg[RANDOM_WORDS];
	u32 k;

	for (k = 0; k < RANDOM_WORDS; k++)
		arg[k] = word(rng, d);
	/* The structures begin with their size. */
	if (test_below(rng, 2))
		arg[0] = _IOC_SIZE(cmd) | (u64)test_below(rng, 6) << 32;
	return !try_ioctl(fd, cmd, test_below(rng, 50) ? arg : NULL);
}

/* An administrator who calls at random, while devices come and go. */
static void *meddle(void *arg)
{
	int fd = open("/dev/vhost-pc-control", O_RDWR | O_CLOEXEC);
	const struct dev *d = arg;
	u64 rng = test_seed() + 1;

	for (;;) {
		struct vhost_pc_device next = { .size_bytes = sizeof(next) };

		if (!try_ioctl(fd, VHOST_PC_NEXT_DEVICE, &next))
			try_ioctl(fd, VHOST_PC_SELECT, &next.device);
		one_call(fd, &rng, d);
	}
	return NULL;
}

static u32 calls_wanted(void)
{
	const char *more = getenv("RP_RANDOM_IOCTLS");

	return more ? (u32)strtoul(more, NULL, 10) : RANDOM_IOCTLS;
}

static void call_at_random(u64 rng)
{
	u32 i, fit = 0, wanted = calls_wanted();
	pthread_t other;
	struct dev d;

	dev_open(&d, FEATURES);
	dev_run(&d, 1);
	pthread_create(&other, NULL, meddle, &d);
	for (i = 0; i < wanted; i++) {
		fit += one_call(d.fd, &rng, &d);
		/* From time to time all is well again, for a moment. */
		if (i % 50 == 49) {
			dev_close(&d);
			dev_open(&d, FEATURES);
			dev_run(&d, 1);
		}
		queue_item(&d.q[0]);
		queue_kick(&d.q[0]);
	}
	printf("# %u of %u calls succeeded\n", fit, wanted);
	fflush(stdout);
	_exit(!fit);
}

static void random_ioctls(void)
{
	u64 rng = test_seed();
	int status = -1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child)
		call_at_random(rng);
	waitpid(child, &status, 0);
	ok(!status, "%u random calls", calls_wanted());
}

#define SMALL		2u	/* slots of the ring */
#define AHEAD		64u	/* buffers that it is said to hold, one after the other */
#define W_NS		1000000u
#define CANARY		0xa5

static u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* The index goes on as the device works, while it has given nothing back. */
static void run_ahead(struct queue *q, u32 pace_ns)
{
	u64 start = now_ns();
	u32 i;

	for (i = 1; i <= AHEAD; i++) {
		while (now_ns() - start < i * (u64)pace_ns)
			;
		rp_store_release(&q->drv.ring.avail->idx, (u16)(SMALL + i));
	}
}

/* What lies behind the used ring and its event index. */
static u8 *behind_used(struct queue *q, u32 *bytes)
{
	u8 *end = (u8 *)&q->drv.ring.used->ring[SMALL] + sizeof(u16);

	*bytes = (u32)(q->mem + BUFS_AT - end);
	return end;
}

static bool keeps_to_the_ring(struct dev *d, u32 pace_ns)
{
	struct vhost_vring_state num = { 0, SMALL };
	struct queue *q = &d->q[0];
	u32 i, bytes, spoilt = 0;
	u8 *tail;

	dev_rings(d);
	MUST(d, VHOST_SET_VRING_NUM, &num);
	tail = behind_used(q, &bytes);
	memset(tail, CANARY, bytes);
	for (i = 0; i < SMALL; i++)
		queue_item(q);
	dev_run(d, 1);
	run_ahead(q, pace_ns);
	dev_run(d, 0);
	for (i = 0; i < bytes; i++)
		spoilt += tail[i] != CANARY;
	if (spoilt)
		printf("# %u ns an item: %u bytes behind the used ring\n", pace_ns, spoilt);
	return !spoilt;
}

/*
 * A driver that says that more is available than the ring holds, to a device
 * whose bursts are longer than that.
 */
static void used_ring_overrun(void)
{
	struct vhost_pc_params p;
	bool good = true;
	struct dev d;
	u32 i;

	dev_open(&d, FEATURES);
	p = dev_params(&d, 0);
	p.burst = 1024;
	p.w_ns = W_NS;
	p.strategy = VIRTIO_PC_BUSY;
	MUST(&d, VHOST_PC_SET_PARAMS, &p);
	/* The device takes a little longer than its work. */
	for (i = 0; i < 20; i++)
		good &= keeps_to_the_ring(&d, W_NS + i * W_NS / 100);
	ok(good, "nothing is written behind the used ring");
	dev_close(&d);
}

void test_hostile(void)
{
	broken_rings();
	used_ring_overrun();
	bad_ioctls();
	random_ioctls();
}
