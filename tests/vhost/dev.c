// SPDX-License-Identifier: GPL-2.0-or-later
/* The VMM's and the driver's side of a device on /dev/vhost-pc. */
#include "dev.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define AVAIL_AT	4096u
#define USED_AT		8192u

static void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(1);
}

void must(int fd, unsigned long cmd, const void *arg, const char *name)
{
	if (ioctl(fd, cmd, arg) < 0)
		die(name);
}

int try_ioctl(int fd, unsigned long cmd, const void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? errno : 0;
}

static int new_eventfd(void)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	if (fd < 0)
		die("eventfd");
	return fd;
}

static void set_file(struct dev *d, unsigned long cmd, u32 queue, int fd)
{
	struct vhost_vring_file f = { queue, fd };

	must(d->fd, cmd, &f, "vring file");
}

void dev_addr(struct dev *d, u32 queue, bool log)
{
	const struct rp_vring *r = &d->q[queue].drv.ring;
	struct vhost_vring_addr a = {
		.index = queue,
		.flags = log ? 1 << VHOST_VRING_F_LOG : 0,
		.desc_user_addr = (uintptr_t)r->desc,
		.avail_user_addr = (uintptr_t)r->avail,
		.used_user_addr = (uintptr_t)r->used,
		.log_guest_addr = GPA + (uintptr_t)r->used - (uintptr_t)d->mem,
	};

	MUST(d, VHOST_SET_VRING_ADDR, &a);
}

void dev_rings(struct dev *d)
{
	bool event_idx = d->features & 1ull << VIRTIO_RING_F_EVENT_IDX;
	u32 i;

	for (i = 0; i < QUEUES; i++) {
		struct queue *q = &d->q[i];
		struct rp_vring r = {
			.num = RING,
			.desc = (void *)q->mem,
			.avail = (void *)(q->mem + AVAIL_AT),
			.used = (void *)(q->mem + USED_AT),
		};
		struct vhost_vring_state num = { i, RING }, base = { i, 0 };
		u64 drop;

		if (q->drv.slot)
			rp_drv_free(&q->drv);
		memset(q->mem, 0, QUEUE_BYTES);
		if (rp_drv_init(&q->drv, &r, event_idx, GPA - (uintptr_t)d->mem))
			die("rp_drv_init");
		q->sent = q->kicks = q->calls = 0;
		while (read(q->err, &drop, sizeof(drop)) > 0)
			;
		MUST(d, VHOST_SET_VRING_NUM, &num);
		MUST(d, VHOST_SET_VRING_BASE, &base);
		dev_addr(d, i, false);
	}
}

static void add_eventfds(struct dev *d, u32 queue)
{
	struct queue *q = &d->q[queue];

	q->kick = new_eventfd();
	q->call = new_eventfd();
	q->err = new_eventfd();
	set_file(d, VHOST_SET_VRING_KICK, queue, q->kick);
	set_file(d, VHOST_SET_VRING_CALL, queue, q->call);
	set_file(d, VHOST_SET_VRING_ERR, queue, q->err);
}

void dev_call(struct dev *d, u32 queue)
{
	set_file(d, VHOST_SET_VRING_CALL, queue, d->q[queue].call);
}

void dev_open(struct dev *d, u64 features)
{
	struct {
		struct vhost_memory head;
		struct vhost_memory_region region;
	} table = { { .nregions = 1 }, { GPA, MEM_BYTES, 0, 0 } };
	u32 i;

	memset(d, 0, sizeof(*d));
	d->features = features;
	d->fd = open("/dev/vhost-pc", O_RDWR | O_CLOEXEC);
	if (d->fd < 0)
		die("/dev/vhost-pc");
	d->mem = mmap(NULL, MEM_BYTES, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (d->mem == MAP_FAILED)
		die("mmap");
	MUST(d, VHOST_SET_OWNER, NULL);
	MUST(d, VHOST_SET_FEATURES, &features);
	table.region.userspace_addr = (uintptr_t)d->mem;
	MUST(d, VHOST_SET_MEM_TABLE, &table);
	for (i = 0; i < QUEUES; i++) {
		d->q[i].mem = d->mem + i * QUEUE_BYTES;
		add_eventfds(d, i);
	}
	dev_rings(d);
}

void dev_close(struct dev *d)
{
	u32 i;

	close(d->fd);
	for (i = 0; i < QUEUES; i++) {
		close(d->q[i].kick);
		close(d->q[i].call);
		close(d->q[i].err);
		rp_drv_free(&d->q[i].drv);
	}
	munmap(d->mem, MEM_BYTES);
}

void dev_run(struct dev *d, int run)
{
	MUST(d, VHOST_PC_SET_RUNNING, &run);
}

struct vhost_pc_params dev_params(struct dev *d, u32 queue)
{
	struct vhost_pc_params p = { .size_bytes = sizeof(p), .queue = queue };

	MUST(d, VHOST_PC_GET_PARAMS, &p);
	return p;
}

void dev_strategy(struct dev *d, u32 queue, u32 strategy, u32 k)
{
	struct vhost_pc_params p = dev_params(d, queue);

	p.strategy = strategy;
	p.k = k;
	p.y_ns = 200000;
	p.burst = 8;
	p.item_bytes = ITEM_BYTES;
	MUST(d, VHOST_PC_SET_PARAMS, &p);
}

void dev_reset(struct dev *d, u32 queue)
{
	MUST(d, VHOST_PC_RESET_STATS, &queue);
}

struct vhost_pc_stats dev_stats(struct dev *d, u32 queue)
{
	struct vhost_pc_stats s = { .size_bytes = sizeof(s), .queue = queue };

	MUST(d, VHOST_PC_GET_STATS, &s);
	return s;
}

bool dev_wait_items(struct dev *d, u32 queue, u64 items)
{
	u32 i;

	for (i = 0; i < PATIENCE_MS; i++) {
		if (dev_stats(d, queue).stats.items >= items)
			return true;
		usleep(1000);
	}
	return false;
}

u8 *queue_buf(struct queue *q, u32 slot)
{
	return q->mem + BUFS_AT + slot * ITEM_BYTES;
}

void queue_kick(struct queue *q)
{
	u64 one = 1;

	q->kicks++;
	if (write(q->kick, &one, sizeof(one)) < 0)
		die("kick");
}

/* Waits for a call that was asked for. */
static bool wait_call(struct queue *q)
{
	struct pollfd p = { .fd = q->call, .events = POLLIN };
	u64 count;

	if (poll(&p, 1, PATIENCE_MS) <= 0) {
		printf("# no call after %d ms\n", PATIENCE_MS);
		return false;
	}
	if (read(q->call, &count, sizeof(count)) > 0)
		q->calls += count;
	return true;
}

bool queue_item(struct queue *q)
{
	u8 *buf = queue_buf(q, rp_drv_next(&q->drv));
	struct virtio_pc_item item = {
		.seq = q->sent,
		.enq_tsc = rp_tsc(),
		.flags = q->sent ? 0 : VIRTIO_PC_ITEM_FIRST,
		.bytes = ITEM_BYTES,
	};

	if (!q->drv.num_free)
		return false;
	memcpy(buf, &item, sizeof(item));
	if (!rp_drv_add_one(&q->drv, buf, ITEM_BYTES, false, q))
		return false;
	rp_drv_publish(&q->drv);
	q->sent++;
	return true;
}

static void reclaim(struct queue *q)
{
	u32 written;

	while (rp_drv_get_used(&q->drv, &written))
		;
}

/* Blocks until three quarters of what is out have come back. */
static bool wait_used(struct queue *q)
{
	u32 out = RING - q->drv.num_free;
	bool good = true;

	if (!rp_drv_arm(&q->drv, out - out / 4))
		good = wait_call(q);
	rp_drv_disarm(&q->drv);
	return good && !q->drv.broken;
}

bool drive_fwd(struct queue *q, u32 n, u32 burst)
{
	u64 end = q->sent + n;
	u32 i;

	while (q->sent < end || q->drv.num_free < RING) {
		reclaim(q);
		for (i = 0; i < burst && q->sent < end && queue_item(q); i++)
			;
		if (i && rp_drv_need_kick(&q->drv))
			queue_kick(q);
		if (!i && q->drv.num_free < RING && !wait_used(q))
			return false;
	}
	return true;
}

static void post(struct queue *q)
{
	u16 slot = rp_drv_next(&q->drv);
	u8 *buf = queue_buf(q, slot);

	memset(buf, 0xff, ITEM_BYTES);
	rp_drv_add_one(&q->drv, buf, ITEM_BYTES, true, buf);
	rp_drv_publish(&q->drv);
}

void queue_post(struct queue *q)
{
	while (q->drv.num_free)
		post(q);
	if (rp_drv_need_kick(&q->drv))
		queue_kick(q);
}

/* One item: its number must be the next one. False: none there. */
static bool receive(struct queue *q, struct received *r)
{
	struct virtio_pc_item item;
	u32 written;
	u8 *buf = rp_drv_get_used(&q->drv, &written);

	if (!buf)
		return false;
	memcpy(&item, buf, sizeof(item));
	if (item.seq != r->items || written != ITEM_BYTES ||
	    item.bytes != ITEM_BYTES || !(item.flags & VIRTIO_PC_ITEM_FIRST) == !r->items)
		r->lost++;
	r->items++;
	post(q);
	if (rp_drv_need_kick(&q->drv))
		queue_kick(q);
	return true;
}

bool drive_rev(struct queue *q, u32 n, struct received *r)
{
	bool good = true;

	while (r->items < n && good) {
		while (receive(q, r))
			;
		if (r->items < n && !rp_drv_arm(&q->drv, 1))
			good = wait_call(q);
		rp_drv_disarm(&q->drv);
	}
	return good;
}
