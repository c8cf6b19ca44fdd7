// SPDX-License-Identifier: GPL-2.0-or-later
/* What a live migration needs: the dirty log, stopping and going on. */
#include <stdlib.h>

#include "dev.h"
#include "vhost_test.h"

#define PAGE	4096u
#define PAGES	((GPA + MEM_BYTES) / PAGE)

static u8 *log_bits;

/* Is any page of [@at, @at + @bytes) of the guest's memory marked dirty? */
static bool dirty(const struct dev *d, const void *at, u32 bytes)
{
	u64 page = (GPA + (uintptr_t)at - (uintptr_t)d->mem) / PAGE;
	u64 last = (GPA + (uintptr_t)at - (uintptr_t)d->mem + bytes - 1) / PAGE;

	for (; page <= last; page++)
		if (log_bits[page / 8] & 1u << page % 8)
			return true;
	return false;
}

static void start_log(struct dev *d)
{
	u64 base = (uintptr_t)log_bits;
	u64 features = d->features | 1ull << VHOST_F_LOG_ALL;
	u32 i;

	memset(log_bits, 0, PAGES / 8 + 1);
	MUST(d, VHOST_SET_LOG_BASE, &base);
	MUST(d, VHOST_SET_FEATURES, &features);
	for (i = 0; i < QUEUES; i++)
		dev_addr(d, i, true);
}

static void dirty_log(void)
{
	struct vhost_pc_start run = {
		.size_bytes = sizeof(run), .queue = 1, .max_items = 1000,
	};
	struct received r = { 0 };
	struct dev d;

	dev_open(&d, FEATURES);
	dev_strategy(&d, 0, VIRTIO_PC_NOTIFY, 0);
	dev_strategy(&d, 1, VIRTIO_PC_NOTIFY, 0);
	dev_run(&d, 1);
	drive_fwd(&d.q[0], 100, 4);
	start_log(&d);
	ok(drive_fwd(&d.q[0], 1000, 4), "fwd goes on while the log is switched on");
	ok(dirty(&d, d.q[0].drv.ring.used, PAGE), "fwd: the used ring is logged");
	ok(!dirty(&d, d.q[0].drv.ring.avail, PAGE) &&
	   !dirty(&d, queue_buf(&d.q[0], 0), RING * ITEM_BYTES),
	   "fwd: what the device only reads is not");
	queue_post(&d.q[1]);
	MUST(&d, VHOST_PC_START, &run);
	ok(drive_rev(&d.q[1], 1000, &r) && !r.lost, "rev with the log");
	ok(dirty(&d, d.q[1].drv.ring.used, PAGE) &&
	   dirty(&d, queue_buf(&d.q[1], 0), RING * ITEM_BYTES),
	   "rev: items and the used ring are logged");
	dev_run(&d, 0);
	memset(log_bits, 0, PAGES / 8 + 1);
	dev_run(&d, 1);
	/* Nothing but the event index: the driver has sent nothing. */
	dev_run(&d, 0);
	ok(dirty(&d, d.q[0].drv.ring.used, PAGE), "the event index is logged");
	dev_close(&d);
}

static void stop_and_go(void)
{
	struct dev d;
	struct queue *q = &d.q[0];
	struct vhost_vring_state base = { 0, 0 };
	bool good = true;
	u32 i;

	dev_open(&d, FEATURES);
	dev_strategy(&d, 0, VIRTIO_PC_SLEEP, 0);
	dev_run(&d, 1);
	for (i = 0; good && i < 20; i++) {
		good &= drive_fwd(q, 97, 7);
		/* Items that nobody has taken yet. */
		queue_item(q);
		queue_item(q);
		dev_run(&d, 0);
		MUST(&d, VHOST_GET_VRING_BASE, &base);
		good &= base.num == rp_load(&q->drv.ring.used->idx);
		MUST(&d, VHOST_SET_VRING_BASE, &base);
		dev_run(&d, 1);
	}
	good &= drive_fwd(q, 1, 1) && dev_wait_items(&d, 0, q->sent);
	ok(good && !dev_stats(&d, 0).stats.lost && !dev_stats(&d, 0).stats.reordered &&
	   dev_stats(&d, 0).stats.items == q->sent,
	   "stopping and going on loses and repeats nothing");
	dev_close(&d);
}

void test_migration(void)
{
	log_bits = calloc(1, PAGES / 8 + PAGE);
	dirty_log();
	stop_and_go();
	free(log_bits);
}
