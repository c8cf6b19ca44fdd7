/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio_pc.ko: what the parts of the guest driver share.
 *
 * Theory of operation. A device has pairs of virtqueues; /dev/virtio-pcN may
 * be open once. VIRTIO_PC_IOC_RUN runs a party (lib/pacing) in the caller's
 * context: on a fwd queue it produces, on a rev queue it consumes. The ioctl
 * holds the pair's lock for the whole run, so that a queue has one user and
 * needs no lock of its own; other threads may run other pairs at once.
 *
 * Removal sets ->gone, wakes whoever waits, and takes each pair's lock, which
 * waits for the runs to notice. From then on no ioctl touches a queue, and
 * the queues can go. struct vpc_dev itself lives until the last file on it is
 * closed.
 *
 * A run that ends leaves buffers with the device. They stay in ->inflight,
 * are taken back by a later run or by removal, and are told from the run's own
 * by their generation.
 */
#ifndef VPC_H
#define VPC_H

#include <linux/debugfs.h>
#include <linux/kref.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/virtio.h>
#include <linux/virtio_ring.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "pacing/learned.h"
#include "pacing/party.h"
#include "trace/trace.h"
#include "virtio_pc.h"

/* One buffer; the device's while ->posted. */
struct vpc_slot {
	struct vpc_slot *next;	/* in vpc_queue.free */
	void *data;
	u32 bytes;		/* allocated; 0: none yet */
	u32 gen;		/* the run that posted it */
	bool posted;
};

struct vpc_dev;

struct vpc_queue {
	struct vpc_dev *dev;
	struct virtqueue *vq;	/* NULL while the device is frozen or gone */
	const struct vring *vring;
	u32 index;
	u32 num;		/* the ring's size */
	bool event_idx;

	/* Set by the interrupt, consumed by the party. */
	bool called;
	wait_queue_head_t wait;

	/* The rest belongs to whoever holds the pair's lock. */
	u16 used;		/* buffers taken back, as the ring counts */
	u16 far;		/* ->used when the event was last put far away */
	bool armed;		/* the event is where an interrupt is wanted */
	u32 gen;
	u32 inflight;		/* buffers with the device, clock exchange included */
	u32 own;		/* those of the run in progress */
	struct rp_learned learned;	/* by the strategies of its runs */
	struct vpc_slot *slots;	/* num of them, NULL before the first run */
	struct vpc_slot *free;
	struct vpc_slot clock;	/* the clock exchange's; fwd only */

	/* For debugfs, whose readers hold no pair's lock. */
	struct mutex report_lock;	/* ->last, and which run ->trace is of */
	struct rp_trace *trace;		/* NULL before the first run */
	struct virtio_pc_stats last;	/* of the last run */
};

struct vpc_pair {
	struct mutex lock;	/* held for the whole of a run */
	struct vpc_queue *fwd;
	struct vpc_queue *rev;
};

struct vpc_dev {
	struct kref ref;	/* the driver's, and one per open file */
	struct virtio_device *vdev;	/* valid under a pair's lock if not gone */
	struct miscdevice misc;
	int id;
	char name[24];
	unsigned long open;	/* bit 0 */
	bool gone;
	wait_queue_head_t gone_wait;
	bool has_rev;
	u32 n_pairs;
	u32 item_bytes;
	u32 item_max_bytes;
	struct vpc_pair *pairs;
	struct vpc_queue *queues;	/* 2 * n_pairs */
	struct work_struct config_work;
	struct dentry *debugfs;
};

/* What the clock exchange found. */
struct vpc_clock {
	s64 offset_tsc;		/* host's counter minus ours */
	u64 error_tsc;		/* ~0: no exchange */
};

/* One run. The party comes first: its ops get a pointer to it. */
struct vpc_run {
	struct rp_party party;
	struct vpc_queue *q;
	struct virtio_pc_run arg;
	struct vpc_clock clock;
	struct vpc_slot *held;	/* rev: the run's first item, when it was there before us */
	u32 held_bytes;
	u64 begin_tsc;
	u64 deadline_tsc;
	u64 seq;		/* fwd: of the next item */
	int err;		/* what ended the run early, or 0 */
};

static inline struct vpc_run *vpc_run_of(struct rp_party *p)
{
	return container_of(p, struct vpc_run, party);
}

extern const struct rp_ring_ops vpc_fwd_ops;
extern const struct rp_ring_ops vpc_rev_ops;
void vpc_rev_begin(struct vpc_run *run);
/* Ends what the run posted last: the party keeps an item that it has not seen. */
void vpc_rev_end(struct vpc_run *run);

/* driver */
extern struct dentry *vpc_debugfs_root;
void vpc_dev_put(struct vpc_dev *dev);

/* chardev */
int vpc_chardev_add(struct vpc_dev *dev);
void vpc_chardev_del(struct vpc_dev *dev);

/* debugfs */
void vpc_debugfs_add(struct vpc_dev *dev);

/*
 * A run from its checked argument to its statistics; the caller holds the
 * pair's lock, and the device is not gone. 0, -EIO, -ENODEV, -ENOMEM; the
 * statistics are filled in whatever the result.
 */
int vpc_run(struct vpc_dev *dev, struct vpc_pair *pair, struct virtio_pc_run *arg);
/* The emulated work of one item; cut short when the run is to stop. */
u64 vpc_emulate(struct rp_party *p, u64 start_tsc);
/* A burst ends early after this, so that a run can always be stopped. */
#define VPC_BURST_MAX_NS	(10 * NSEC_PER_MSEC)

/* clock exchange over the fwd queue; never fails, ->error_tsc tells */
void vpc_clock_exchange(struct vpc_queue *q, u64 tsc_hz, struct vpc_clock *clock);

/* ---- queue: under the pair's lock ---- */
void vpc_queue_callback(struct virtqueue *vq);
void vpc_queue_attach(struct vpc_queue *q, struct virtqueue *vq);
void vpc_queue_detach(struct vpc_queue *q);
void vpc_queue_free(struct vpc_queue *q);
/* Slots, trace and a new generation for a run. */
int vpc_queue_begin(struct vpc_queue *q);
/* Makes sure that @slot holds @bytes; false: no memory. */
bool vpc_slot_fit(struct vpc_slot *slot, u32 bytes);
/* Before a buffer is added: see rp_event_far(). */
void vpc_queue_keep_far(struct vpc_queue *q);
/* Gives a slot to the device; false: the ring is full, or broken. */
bool vpc_queue_post(struct vpc_queue *q, struct vpc_slot *slot, u32 bytes, bool out);
/* The next buffer that the device gave back, or NULL. */
struct vpc_slot *vpc_queue_get(struct vpc_queue *q, u32 *written_bytes);
/* Takes back all that the device gave back. */
void vpc_queue_reclaim(struct vpc_queue *q);
/* Accounts for a slot that was posted by other means than vpc_queue_post(). */
void vpc_queue_posted(struct vpc_queue *q, struct vpc_slot *slot);
struct vpc_slot *vpc_queue_take_free(struct vpc_queue *q);
void vpc_queue_put_free(struct vpc_queue *q, struct vpc_slot *slot);

/* Ring operations that fwd and rev share; contracts in struct rp_ring_ops. */
bool vpc_ring_peer_wants(struct rp_party *p);
void vpc_ring_notify(struct rp_party *p);
bool vpc_ring_arm(struct rp_party *p, u32 k);
void vpc_ring_disarm(struct rp_party *p);
/* Used buffers that wait to be taken back. */
u16 vpc_queue_pending(const struct vpc_queue *q);
bool vpc_queue_arm(struct vpc_queue *q, u32 k);
void vpc_queue_disarm(struct vpc_queue *q);
/* Does the host still ask for a kick that was due? See struct rp_ring_ops. */
bool vpc_queue_owes_kick(const struct vpc_queue *q, u32 *wish);

#endif /* VPC_H */
