// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A call that is lost: the kernel's producer finds out from the ring that the
 * driver still waits for it. It works slowly here and never fills the ring, so
 * that nothing else makes it call again.
 */
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "dev.h"
#include "vhost_test.h"

#define ITEMS	40u		/* fewer than there are buffers */
#define W_NS	40000000u	/* long enough that D_MAX passes */
#define DMAX_NS	1000000000u	/* a driver of a busy machine answers in half of it */

/* By the ring alone: to ask the device would cut its work short. */
static bool all_published(struct queue *q)
{
	u32 i;

	for (i = 0; i < PATIENCE_MS; i++) {
		if (__atomic_load_n(&q->drv.ring.used->idx, __ATOMIC_ACQUIRE) == ITEMS)
			return true;
		usleep(1000);
	}
	return false;
}

/* A driver that waits for the first item and, if @lose, never hears of it. */
static struct virtio_pc_stats run(struct dev *d, bool lose)
{
	struct vhost_pc_start order = {
		.size_bytes = sizeof(order), .queue = 1, .max_items = ITEMS,
	};
	struct vhost_pc_params p = dev_params(d, 1);
	struct pollfd call = { .fd = d->q[1].call, .events = POLLIN };
	bool good;

	p.strategy = VIRTIO_PC_ADAPTIVE;
	p.dmax_ns = DMAX_NS;
	p.w_ns = W_NS;
	p.burst = 1;
	MUST(d, VHOST_PC_SET_PARAMS, &p);
	dev_run(d, 1);
	queue_post(&d->q[1]);
	good = !rp_drv_arm(&d->q[1].drv, 1);
	MUST(d, VHOST_PC_START, &order);
	good &= poll(&call, 1, PATIENCE_MS) == 1;
	if (!lose)
		rp_drv_disarm(&d->q[1].drv);
	ok(good && all_published(&d->q[1]), "a driver that is called%s",
	   lose ? ", and does not hear it" : "");
	return dev_stats(d, 1).stats;
}

/* Takes back what there is: all items, each once. */
static bool all_came(struct queue *q)
{
	u32 n = 0, written;

	while (rp_drv_get_used(&q->drv, &written))
		n += written == ITEM_BYTES;
	return n == ITEMS;
}

void test_lost(void)
{
	struct virtio_pc_stats s;
	struct dev d;

	dev_open(&d, FEATURES);
	s = run(&d, true);
	printf("# sent %llu, rekicks %llu, blocks %llu\n", s.sent, s.rekicks, s.blocks);
	ok(s.rekicks >= 1 && !s.blocks, "is called again by a producer that never waits");
	ok(s.items == ITEMS && all_came(&d.q[1]), "and has all items");
	dev_close(&d);

	dev_open(&d, FEATURES);
	s = run(&d, false);
	ok(!s.rekicks && s.items == ITEMS && all_came(&d.q[1]),
	   "that hears it is not called again");
	dev_close(&d);
}
