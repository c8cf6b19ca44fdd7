/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device on /dev/vhost-pc and its driver in one process: what a VMM sets up
 * through ioctls, and the rings as a guest would use them. A step that cannot
 * fail ends the test program when it does.
 */
#ifndef VHOST_TEST_DEV_H
#define VHOST_TEST_DEV_H

#include <linux/vhost.h>
#include <stdbool.h>

#include "vhost_pc.h"
#include "vring/driver.h"

#define QUEUES		4		/* two pairs */
#define RING		64u
#define ITEM_BYTES	64u
#define GPA		0x100000ull	/* where the guest's memory begins */
#define QUEUE_BYTES	65536u		/* ring and buffers of one queue */
#define MEM_BYTES	(QUEUES * QUEUE_BYTES)
#define BUFS_AT		16384u		/* in a queue's part of memory */
#define PATIENCE_MS	60000

#define FEATURES	((1ull << VIRTIO_F_VERSION_1) |			\
			 (1ull << VIRTIO_RING_F_INDIRECT_DESC) |	\
			 (1ull << VIRTIO_RING_F_EVENT_IDX) |		\
			 (1ull << VIRTIO_PC_F_MQ) | (1ull << VIRTIO_PC_F_REV))

struct queue {
	struct rp_drv drv;
	int kick, call, err;
	u8 *mem;
	u64 sent;		/* fwd: items so far */
	u64 kicks;
	u64 calls;
};

struct dev {
	int fd;
	u8 *mem;
	u64 features;
	struct queue q[QUEUES];
};

/* Opens and becomes the owner; memory, rings and eventfds; not running. */
void dev_open(struct dev *d, u64 features);
void dev_close(struct dev *d);
/* Clears the rings and tells their addresses; stopped. */
void dev_rings(struct dev *d);
void dev_addr(struct dev *d, u32 queue, bool log);
void dev_run(struct dev *d, int run);
/* Tells the queue's eventfd for calls again. */
void dev_call(struct dev *d, u32 queue);
/* Result of an ioctl that must succeed. */
void must(int fd, unsigned long cmd, const void *arg, const char *name);
#define MUST(d, cmd, arg)	must((d)->fd, cmd, arg, #cmd)
/* 0 or errno. */
int try_ioctl(int fd, unsigned long cmd, const void *arg);

struct vhost_pc_params dev_params(struct dev *d, u32 queue);
void dev_strategy(struct dev *d, u32 queue, u32 strategy, u32 k);
void dev_reset(struct dev *d, u32 queue);
struct vhost_pc_stats dev_stats(struct dev *d, u32 queue);
/* Polls until the queue's party has moved @items; false: it never did. */
bool dev_wait_items(struct dev *d, u32 queue, u64 items);

u8 *queue_buf(struct queue *q, u32 slot);
void queue_kick(struct queue *q);
/* Adds and publishes one item; its number is ->sent. False: full. */
bool queue_item(struct queue *q);
/* Sends @n items in bursts and waits for all of them. False: stuck. */
bool drive_fwd(struct queue *q, u32 n, u32 burst);
struct received {
	u64 items, lost;
};
/* Posts all buffers. */
void queue_post(struct queue *q);
/* Receives @n items, posting buffers again. False: stuck. */
bool drive_rev(struct queue *q, u32 n, struct received *r);

#endif /* VHOST_TEST_DEV_H */
