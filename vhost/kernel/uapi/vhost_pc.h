/* SPDX-License-Identifier: GPL-2.0-or-later WITH Linux-syscall-note */
/*
 * /dev/vhost-pc: the host's side of a virtio-pc device in the kernel.
 *
 * The rings are set up by the ioctls of <linux/vhost.h>, whose caller must be
 * the owner. What is below belongs to this device; but for
 * VHOST_PC_SET_RUNNING it may be used by whoever holds the file. Queues are
 * numbered as the driver does: 2i is fwd of pair i, 2i+1 its rev. Structures
 * begin with their size, which is the version. Times are nanoseconds.
 *
 * Errors of all: EFAULT; EINVAL (size, queue, or a field out of range).
 */
#ifndef _UAPI_VHOST_PC_H
#define _UAPI_VHOST_PC_H

#include <linux/ioctl.h>
#include <linux/types.h>

#include "virtio_pc.h"

#define VHOST_PC_VERSION	1

/* Which queues share a kernel thread. */
enum vhost_pc_threads {
	VHOST_PC_THREAD_QUEUE = 0,	/* none do */
	VHOST_PC_THREAD_PAIR = 1,	/* the two of a pair */
	VHOST_PC_THREAD_DEVICE = 2,	/* all */
};

struct vhost_pc_info {
	__u32 size_bytes;
	__u32 version;		/* VHOST_PC_VERSION */
	__u32 queue_pairs;	/* at most so many can be set up */
	__u32 item_max_bytes;	/* the largest item that is taken */
	__u32 threads;		/* enum vhost_pc_threads */
	__u32 running;
	__u64 tsc_hz;
};

/* What a queue's party is to do; applies at once, also while it runs. */
struct vhost_pc_params {
	__u32 size_bytes;
	__u32 queue;
	__u32 strategy;		/* enum virtio_pc_strategy */
	__u32 k;		/* fwd: k_P, rev: k_C; 0: the default (1, 3/4 L) */
	__u64 w_ns;		/* work per item, 0 .. 1 s */
	__u64 y_ns;		/* length of a sleep, 0 .. 1 s */
	__u32 burst;		/* items published at once, 1 .. 32768 */
	__u32 queue_len;	/* L, 0: the ring's size */
	__u32 item_bytes;	/* rev: size of an item */
	__u32 reserved;		/* 0 */
};

/* Starts the numbering of a rev queue's items at 0 and sends. */
struct vhost_pc_start {
	__u32 size_bytes;
	__u32 queue;
	__u64 max_items;	/* 0: no limit */
	__u64 duration_ns;	/* 0: no limit */
};

#define VHOST_PC_STATS_READY		(1u << 0)	/* the ring is being served */
#define VHOST_PC_STATS_PRODUCING	(1u << 1)	/* rev: a run is on */
#define VHOST_PC_STATS_BROKEN		(1u << 2)	/* the driver broke the ring */
#define VHOST_PC_STATS_SEQ		(1u << 3)	/* first_seq and next_seq are set */

/*
 * Since the last reset. cpu_ns is the queue's thread's, which others may
 * share, and lags by up to a tick of the scheduler.
 */
struct vhost_pc_stats {
	__u32 size_bytes;
	__u32 queue;
	__u32 flags;		/* VHOST_PC_STATS_* */
	__u32 reserved;
	__u64 first_seq;	/* number of the first item */
	__u64 next_seq;		/* number of the last item, plus 1 */
	struct virtio_pc_stats stats;
};

/*
 * The difference of the counters, as the driver told it over a fwd queue, or
 * as somebody set it who knows better (KVM's offset is exact).
 */
struct vhost_pc_clock {
	__u32 size_bytes;
	__u32 queue;
	__s64 offset_tsc;	/* host's counter minus the driver's */
	__u64 error_tsc;	/* bound of the error; ~0: nothing is known */
	__u64 tsc_hz;		/* out: of the host's counter */
};

/*
 * SET_RUNNING: 1 serves the rings that are set up, 0 stops; both may be
 * repeated. EPERM: not the owner; EFAULT: a ring is not in memory; EINVAL: no
 * ring is set up, or not for virtio 1; ENOMEM, EINTR: no thread.
 * SET_THREADS: EBUSY while running.
 * START: ENOTCONN: the ring is not served, or broken; EBUSY: a run is on.
 * SET_FEATURES while running: EBUSY unless only VHOST_F_LOG_ALL changes.
 */
#define VHOST_PC_SET_RUNNING	_IOW(VIRTIO_PC_IOC_MAGIC, 0x20, int)
#define VHOST_PC_SET_THREADS	_IOW(VIRTIO_PC_IOC_MAGIC, 0x21, __u32)
#define VHOST_PC_GET_INFO	_IOR(VIRTIO_PC_IOC_MAGIC, 0x22, struct vhost_pc_info)
#define VHOST_PC_GET_PARAMS	_IOWR(VIRTIO_PC_IOC_MAGIC, 0x23, struct vhost_pc_params)
#define VHOST_PC_SET_PARAMS	_IOW(VIRTIO_PC_IOC_MAGIC, 0x24, struct vhost_pc_params)
#define VHOST_PC_START		_IOW(VIRTIO_PC_IOC_MAGIC, 0x25, struct vhost_pc_start)
#define VHOST_PC_STOP		_IOW(VIRTIO_PC_IOC_MAGIC, 0x26, __u32)
#define VHOST_PC_GET_STATS	_IOWR(VIRTIO_PC_IOC_MAGIC, 0x27, struct vhost_pc_stats)
#define VHOST_PC_RESET_STATS	_IOW(VIRTIO_PC_IOC_MAGIC, 0x28, __u32)
#define VHOST_PC_GET_CLOCK	_IOWR(VIRTIO_PC_IOC_MAGIC, 0x29, struct vhost_pc_clock)
#define VHOST_PC_SET_CLOCK	_IOW(VIRTIO_PC_IOC_MAGIC, 0x2a, struct vhost_pc_clock)

#endif /* _UAPI_VHOST_PC_H */
