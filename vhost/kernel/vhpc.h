/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vhost_pc.ko: what the parts of the vhost device share.
 *
 * Theory of operation. Each open file of /dev/vhost-pc is a device on the
 * kernel's vhost core, which keeps its owner, memory table, rings' addresses
 * and eventfds. The core's own worker is not used: it is one thread that runs
 * one work after the other, and a party that sleeps or polls would hold up the
 * others and every flush. Without it the core calls a queue's kick handler in
 * the notifier's context, which only wakes the thread that serves the queue.
 *
 * A worker is a kernel thread with the owner's memory and cgroups. It takes
 * its queues in turn, and steps the party (lib/pacing) of each that has
 * something to do; it waits when none has. Threads live while the device runs.
 *
 * The control file reaches devices by their numbers. It holds a device's memory
 * by ->ref, not the device, which ends with its own file as ever.
 *
 * Locks. vhost_dev.mutex: set-up, life of threads, orders. vhost_virtqueue
 * .mutex, inside it: the ring and the party, for one turn at a time. Who wants
 * it says so in ->wanted: a turn ends with the item at hand, and none begins. Only workers
 * touch the owner's memory, so others leave orders: they change ->params,
 * ->producing and the like under the queue's mutex and set ->changed.
 *
 * What the driver writes is hostile: it is read once, and a ring that makes no
 * sense is given up (vhpc_break), for good or until the device is started anew.
 */
#ifndef VHPC_H
#define VHPC_H

#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/version.h>
#include <linux/wait.h>

#include "vhost.h"

#include "pacing/learned.h"
#include "pacing/party.h"
#include "vhost_pc.h"

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0) || \
	LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#error "vhost_pc is written for the vhost core of Linux 6.1, which has no stable interface"
#endif

#define VHPC_FEATURES	((1ULL << VIRTIO_RING_F_INDIRECT_DESC) |	\
			 (1ULL << VIRTIO_RING_F_EVENT_IDX) |		\
			 (1ULL << VHOST_F_LOG_ALL) |			\
			 (1ULL << VIRTIO_F_VERSION_1) |			\
			 (1ULL << VIRTIO_PC_F_MQ) |			\
			 (1ULL << VIRTIO_PC_F_REV))

/* Used elements that wait to be published; what vhost_virtqueue.heads holds. */
#define VHPC_HEADS	UIO_MAXIOV

enum vhpc_state {
	VHPC_OFF,	/* no ring, broken, or a rev queue without a run */
	VHPC_READY,	/* step it */
	VHPC_SLEEPING,	/* until ->wake_at */
	VHPC_BLOCKED,	/* until kicked, or ->wake_at */
};

struct vhpc_dev;

struct vhpc_worker {
	struct vhpc_dev *dev;
	wait_queue_head_t wait;
	u32 begin, end;		/* the queues that it serves */
	/* Under vhost_dev.mutex */
	struct task_struct *task;	/* NULL: none */
	u64 cpu_gone_ns;	/* of threads that have ended */
	/* While the thread starts */
	struct task_struct *owner;
	struct completion started;
	int err;
};

struct vhpc_queue {
	struct vhost_virtqueue vq;
	struct vhpc_dev *dev;
	struct vhpc_worker *worker;
	u32 index;
	atomic_t wanted;	/* so many wait for vq.mutex */
	bool kicked;		/* set by the kick, consumed by the worker */
	bool changed;		/* there are orders; read without the mutex */

	/* The worker's alone */
	enum vhpc_state state;
	ktime_t wake_at;	/* KTIME_MAX: never */
	bool block_times_out;	/* the block is one that may end by itself */

	/* The rest under vq.mutex. Marked *: read without it, too. */
	struct vhpc_params {
		u32 strategy;
		u32 k;
		u64 w_ns;
		u32 w_dist;
		u64 y_ns;
		u64 dmax_ns;
		u32 cpu_cap_percent;
		u32 burst;
		u32 queue_len;
		u32 item_bytes;
	} params;
	const char *broken;	/* * why the ring was given up, or NULL */
	bool renew;		/* the party is to be set up anew from ->params */
	bool event_idx;
	bool call_owed;		/* the driver may have missed a call */
	u16 called;		/* last_used_idx when the driver was asked last */
	u16 event_base;		/* last_used_idx when the event was put far away */
	u32 n_done;		/* used elements in vq.heads */

	struct rp_party party;	/* * its statistics */
	struct rp_learned learned;	/* by its strategies so far */
	enum rp_wait mode;	/* the strategy's, as it was traced last */
	bool seq_seen;		/* * */
	u64 first_seq;		/* * */
	u64 clock_error_tsc;	/* * ~0: the offset is not known */
	u64 wake_at_tsc;	/* when a notification ended the last block */
	u32 wake_left;		/* items until the one that it was sent for */

	/* A rev queue's run */
	bool producing;		/* * */
	bool first;		/* the next item starts the numbering */
	u64 items_left;
	u64 end_tsc;		/* 0: none */
	u32 posted;		/* most buffers that were there at once */

	/* Under vhost_dev.mutex */
	u64 reset_ns;
	u64 cpu_base_ns;	/* of the thread, at the reset */
	/* Changed under both mutexes: either lets it be looked at. NULL: none */
	struct rp_trace *trace;

	struct rp_hist latency;
};

struct vhpc_dev {
	struct vhost_dev dev;
	struct mm_struct *mm;	/* the owner's, in use; NULL: no owner */
	struct pid *owner;	/* NULL: no owner */
	u32 n_queues;
	u32 threads;		/* enum vhost_pc_threads */
	bool running;		/* under dev.mutex */
	bool gone;		/* under dev.mutex: its file was closed */
	struct kref ref;
	int id;
	struct dentry *debugfs;
	struct vhost_virtqueue **vqs;
	struct vhpc_worker *workers;	/* n_queues; the first ones are used */
	struct vhpc_queue queues[];
};

static inline struct vhpc_queue *vhpc_queue_of(struct vhost_virtqueue *vq)
{
	return container_of(vq, struct vhpc_queue, vq);
}

static inline bool vhpc_is_rev(const struct vhpc_queue *q)
{
	return q->index & 1;
}

/* Is there somebody for whom the worker should end its turn? Worker only. */
bool vhpc_wanted(const struct vhpc_queue *q);
/* From the one until the other, the worker leaves the queue's mutex to somebody else. */
void vhpc_want(struct vhpc_queue *q);
void vhpc_want_no_more(struct vhpc_queue *q);
/* The mutex of a queue, taken by others than its worker. */
void vhpc_lock(struct vhpc_queue *q);
void vhpc_unlock(struct vhpc_queue *q);
/* Tells the worker that there are orders. */
void vhpc_order(struct vhpc_queue *q);

/* ---- worker: vhost_dev.mutex is held ---- */
void vhpc_kick(struct vhost_work *work);
void vhpc_workers_assign(struct vhpc_dev *d, u32 threads);
/* Starts threads for the queues that have a backend. 0 or -errno. */
int vhpc_workers_start(struct vhpc_dev *d);
void vhpc_workers_stop(struct vhpc_dev *d);
u64 vhpc_worker_cpu_ns(const struct vhpc_worker *w);

/* ---- queue ---- */
void vhpc_queue_init(struct vhpc_dev *d, u32 index);
/* Under vhost_dev.mutex: begins or ends service; no thread runs. */
int vhpc_queue_attach(struct vhpc_queue *q);
void vhpc_queue_detach(struct vhpc_queue *q);
/* The worker obeys: parameters, begin or end of a run. Under vq.mutex. */
void vhpc_queue_apply(struct vhpc_queue *q);
void vhpc_queue_apply_work(struct vhpc_queue *q);
bool vhpc_queue_on(const struct vhpc_queue *q);
void vhpc_queue_stats(struct vhpc_queue *q, struct vhost_pc_stats *s);
/* Under vhost_dev.mutex. */
void vhpc_queue_pacing(struct vhpc_queue *q, struct virtio_pc_pacing *out);
/* L and k as the ring allows: they may have been set before it was known. */
struct rp_params vhpc_queue_effective(const struct vhpc_queue *q);
/* Under vhost_dev.mutex. @flags: VHOST_PC_TRACE_*. 0 or -ENOMEM. */
int vhpc_queue_set_trace(struct vhpc_queue *q, u32 flags);

/* ---- the ring: by the worker, under vq.mutex ---- */
/* Gives the ring up; @why is a constant. */
void vhpc_break(struct vhpc_queue *q, const char *why);
/* How many buffers are available; 0 when broken. */
u32 vhpc_avail(struct vhpc_queue *q);
/* The next buffer, described by vq.iov. Its head, or -1: none, or broken. */
int vhpc_get(struct vhpc_queue *q, u32 *out, u32 *in, u32 *log_num);
void vhpc_unget(struct vhpc_queue *q);
/* Copies @bytes from the readable part of vq.iov. False: broken. */
bool vhpc_read(struct vhpc_queue *q, u32 out, u32 at, void *to, u32 bytes);
/* Copies @bytes to the writable part of vq.iov, logged. False: broken. */
bool vhpc_write(struct vhpc_queue *q, u32 out, u32 in, u32 log_num,
		const void *from, u32 bytes);
void vhpc_put(struct vhpc_queue *q, int head, u32 written_bytes);
void vhpc_publish(struct vhpc_queue *q);
bool vhpc_arm(struct vhpc_queue *q, u32 k);
/* The driver has never heard of these; for struct rp_ring_ops. */
bool vhpc_peer_wants(struct rp_party *p);
bool vhpc_owed(struct rp_party *p, u32 *wish);
void vhpc_notify(struct rp_party *p);
void vhpc_disarm(struct rp_party *p);
/* An item's work, cut short when the worker is wanted. */
u64 vhpc_emulate(struct vhpc_queue *q, u64 start_tsc);
/* A burst ends early after this, so that others get their turn. */
#define VHPC_BURST_MAX_NS	(10 * NSEC_PER_MSEC)

extern const struct rp_ring_ops vhpc_fwd_ops;
extern const struct rp_ring_ops vhpc_rev_ops;

/* ---- control: the ioctls of vhost_pc.h ---- */
long vhpc_control(struct vhpc_dev *d, unsigned int cmd, void __user *arg);

/* ---- devices: all that are open, and the control file ---- */
/* Makes @d known, with a number, and with a first reference. 0 or -errno. */
int vhpc_devices_add(struct vhpc_dev *d);
/* Nobody finds it any more; the reference stays. */
void vhpc_devices_remove(struct vhpc_dev *d);
void vhpc_dev_put(struct vhpc_dev *d);
/* In main.c: its last reference is gone. */
void vhpc_dev_free(struct vhpc_dev *d);
int vhpc_devices_init(void);
void vhpc_devices_exit(void);

/* ---- debugfs ---- */
extern struct dentry *vhpc_debugfs_root;
void vhpc_debugfs_add(struct vhpc_dev *d);

#endif /* VHPC_H */
