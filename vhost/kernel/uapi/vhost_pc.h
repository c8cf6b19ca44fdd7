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
 * /dev/vhost-pc-control is for who does not hold that file: an administrator's
 * process. It lists devices and selects one, to which these same ioctls then
 * go. Numbers of devices are not used again soon.
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
	__u32 cpu_cap_percent;	/* of one CPU, 0 .. 100; 0: none */
	__u64 dmax_ns;		/* D_MAX, 0 .. 1 s; 0: no bound (not for adaptive) */
	__u32 w_dist;		/* enum virtio_pc_work: of w_ns */
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
	struct virtio_pc_pacing pacing;
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

/* What a queue is, beside its parameters. */
struct vhost_pc_queue {
	__u32 size_bytes;
	__u32 queue;
	__u32 flags;		/* VHOST_PC_STATS_READY, _PRODUCING, _BROKEN */
	__u32 ring_len;		/* slots; 0: not ready */
	__u32 queue_len;	/* L and k as they are in effect */
	__u32 k;
	__u32 trace;		/* VHOST_PC_TRACE_* */
	__s32 tid;		/* of its thread; 0: none that the caller can see */
	char broken[80];	/* the reason, or "" */
};

#define VHOST_PC_TRACE_ON	(1u << 0)	/* record what the party does */
#define VHOST_PC_TRACE_ITEMS	(1u << 1)	/* every single item, too */

/* Without TRACE_ON what was recorded is dropped, 1 MiB a queue. */
struct vhost_pc_trace {
	__u32 size_bytes;
	__u32 queue;
	__u32 flags;		/* VHOST_PC_TRACE_* */
	__u32 reserved;		/* 0 */
};

enum vhost_pc_event_type {
	VHOST_PC_EV_NONE = 0,
	VHOST_PC_EV_PUBLISH = 1,	/* arg: the item's number */
	VHOST_PC_EV_CONSUME = 2,	/* arg: the item's number */
	VHOST_PC_EV_NOTIFY_START = 3,	/* arg: items so far */
	VHOST_PC_EV_NOTIFY_END = 4,	/* arg: items so far */
	VHOST_PC_EV_ARM = 5,		/* arg: threshold k */
	VHOST_PC_EV_DOUBLE_CHECK = 6,
	VHOST_PC_EV_BLOCK = 7,		/* arg: items so far */
	VHOST_PC_EV_WAKE = 8,		/* arg: items so far */
	VHOST_PC_EV_SLEEP = 9,		/* arg: nominal length, ns */
	VHOST_PC_EV_SLEPT = 10,		/* arg: items so far */
};

struct vhost_pc_event {
	__u64 tsc;
	__u32 type;		/* enum vhost_pc_event_type */
	__u32 arg;
};

/* A queue remembers so many. */
#define VHOST_PC_EVENTS_MAX	65536

/* The newest events since the last reset, oldest first. */
struct vhost_pc_events {
	__u32 size_bytes;
	__u32 queue;
	__u32 max;		/* how many are wanted */
	__u32 count;		/* out: how many came */
	__u64 events;		/* address of struct vhost_pc_event[max] */
};

#define VHOST_PC_LEARNED_BYTES	128

/*
 * What the strategy of a queue has learned about its ring and this host, for
 * the one that comes after it: opaque, and only good for the same strategy on
 * the same side. The device keeps it itself while it is open; SET is for a
 * VMM that opens one anew, before it runs.
 */
struct vhost_pc_learned {
	__u32 size_bytes;
	__u32 queue;
	__u32 strategy;		/* enum virtio_pc_strategy */
	__u32 bytes;		/* of data; 0: nothing */
	__u8 data[VHOST_PC_LEARNED_BYTES];
};

/* Of the control file. */
struct vhost_pc_device {
	__u32 size_bytes;
	__u32 device;		/* in: the least number wanted; out: its number */
	__s32 owner_pid;	/* 0: none that the caller can see */
	__u32 queue_pairs;
	__u32 threads;		/* enum vhost_pc_threads */
	__u32 running;
};

/*
 * SET_RUNNING: 1 serves the rings that are set up, 0 stops; both may be
 * repeated. EPERM: not the owner; EFAULT: a ring is not in memory; EINVAL: no
 * ring is set up, or not for virtio 1; ENOMEM, EINTR: no thread.
 * SET_THREADS: EBUSY while running.
 * START: ENOTCONN: the ring is not served, or broken; EBUSY: a run is on.
 * SET_TRACE, GET_EVENTS: ENOMEM.
 * SET_LEARNED is for the next strategy that begins: EBUSY while running.
 * NEXT_DEVICE: ENOENT: no such number, nor a larger one. SELECT: ENODEV. Both
 * are the control file's alone. Any other there: ENODEV: none is selected, or
 * it is gone. SET_RUNNING is not among them.
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
#define VHOST_PC_GET_QUEUE	_IOWR(VIRTIO_PC_IOC_MAGIC, 0x2b, struct vhost_pc_queue)
#define VHOST_PC_SET_TRACE	_IOW(VIRTIO_PC_IOC_MAGIC, 0x2c, struct vhost_pc_trace)
#define VHOST_PC_GET_EVENTS	_IOWR(VIRTIO_PC_IOC_MAGIC, 0x2d, struct vhost_pc_events)
#define VHOST_PC_NEXT_DEVICE	_IOWR(VIRTIO_PC_IOC_MAGIC, 0x2e, struct vhost_pc_device)
#define VHOST_PC_SELECT		_IOW(VIRTIO_PC_IOC_MAGIC, 0x2f, __u32)
#define VHOST_PC_GET_LEARNED	_IOWR(VIRTIO_PC_IOC_MAGIC, 0x30, struct vhost_pc_learned)
#define VHOST_PC_SET_LEARNED	_IOW(VIRTIO_PC_IOC_MAGIC, 0x31, struct vhost_pc_learned)

#endif /* _UAPI_VHOST_PC_H */
