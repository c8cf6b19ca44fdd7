/* SPDX-License-Identifier: GPL-2.0-or-later WITH Linux-syscall-note */
/*
 * virtio-pc: a producer/consumer device, for measuring and pacing virtqueues.
 *
 * The single source of the device's constants and layouts. The guest driver,
 * QEMU, the kernel's vhost backend and the vhost-user daemon all include it.
 * docs/virtio-pc.md is the specification; "driver" and "device" are the virtio
 * specification's words. All times are nanoseconds (_ns) or ticks of the
 * time-stamp counter (_tsc), all sizes are bytes (_bytes).
 */
#ifndef _UAPI_VIRTIO_PC_H
#define _UAPI_VIRTIO_PC_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Device ID: the last of the range that PCI maps. Experimental. */
#define VIRTIO_ID_PC			63
#define VIRTIO_PC_PCI_VENDOR		0x1af4
#define VIRTIO_PC_PCI_DEVICE		0x107f

/* Feature bits of the device type (virtio 1.2, sec. 2.2). */
#define VIRTIO_PC_F_MQ			0	/* more than one queue pair */
#define VIRTIO_PC_F_REV			1	/* the device can produce (rev) */

#define VIRTIO_PC_PAIRS_MAX		64
#define VIRTIO_PC_QUEUE_MIN		2
#define VIRTIO_PC_QUEUE_MAX		32768
#define VIRTIO_PC_ITEM_MIN_BYTES	32
#define VIRTIO_PC_ITEM_MAX_BYTES	65536

/* Queue 2i is fwd_i (driver produces), queue 2i+1 is rev_i (device produces). */
#define VIRTIO_PC_FWD(pair)		(2 * (pair))
#define VIRTIO_PC_REV(pair)		(2 * (pair) + 1)

/* Configuration space; read-only for the driver. */
struct virtio_pc_config {
	__le16 version;		/* VIRTIO_PC_CONFIG_VERSION */
	__le16 queue_pairs;	/* 1..VIRTIO_PC_PAIRS_MAX */
	__le32 item_bytes;	/* size of an item that the host suggests */
	__le32 item_max_bytes;	/* the largest item that the device takes */
	__le32 reserved;
};

#define VIRTIO_PC_CONFIG_VERSION	1

/*
 * The head of an item. An item is one device-readable buffer on a fwd queue,
 * one device-writable buffer on a rev queue; the payload follows the head.
 */
struct virtio_pc_item {
	__le64 seq;		/* numbers items from 0, per queue and run */
	__le64 enq_tsc;		/* the producer's counter, just before it published */
	__le32 flags;		/* VIRTIO_PC_ITEM_* */
	__le32 bytes;		/* head and payload */
};

#define VIRTIO_PC_ITEM_FIRST		(1u << 0)	/* numbering starts here */
#define VIRTIO_PC_ITEM_CLOCK		(1u << 1)	/* a clock exchange, not counted */
/*
 * The producer had to wait for a slot before this item. A consumer that had
 * nothing to do, either, has waited too long: what the ring alone cannot tell,
 * since the producer may use less of it than there is.
 */
#define VIRTIO_PC_ITEM_WAITED		(1u << 2)

/*
 * Clock exchange, on a fwd queue: an item with VIRTIO_PC_ITEM_CLOCK, whose
 * payload is what the driver knows so far, chained to a device-writable
 * struct virtio_pc_clock_reply. With t0 and t3 the driver's counter before it
 * published and after it saw the reply, offset = ((rx - t0) + (tx - t3)) / 2
 * and |error| <= ((t3 - t0) - (tx - rx)) / 2. The driver repeats, keeps the
 * exchange with the smallest error, and tells it with one more.
 */
struct virtio_pc_clock {
	__le64 offset_tsc;	/* host's counter minus the driver's, two's complement */
	__le64 error_tsc;	/* bound of |error|; ~0 while nothing is known */
	__le64 tsc_hz;		/* the driver's idea of the counter's rate */
};

struct virtio_pc_clock_reply {
	__le64 rx_tsc;		/* the host's counter when it saw the request */
	__le64 tx_tsc;		/* the host's counter when it answered */
	__le64 tsc_hz;		/* the host's idea of the counter's rate */
};

/* ---- The character device /dev/virtio-pcN (host byte order) ---- */

enum virtio_pc_dir {
	VIRTIO_PC_DIR_FWD = 0,	/* the guest produces */
	VIRTIO_PC_DIR_REV = 1,	/* the guest consumes */
};

/* Same numbers as lib/pacing's enum rp_strategy_id. */
enum virtio_pc_strategy {
	VIRTIO_PC_NOTIFY = 0,
	VIRTIO_PC_SLEEP = 1,
	VIRTIO_PC_BUSY = 2,
	VIRTIO_PC_ADAPTIVE = 3,
	VIRTIO_PC_VHOST_BUSYLOOP = 4,	/* the peers', to compare with */
	VIRTIO_PC_KVM_HALT_POLL = 5,
	VIRTIO_PC_OVS_SLEEP = 6,
	VIRTIO_PC_QEMU_POLL = 7,
	VIRTIO_PC_NAPI = 8,
	VIRTIO_PC_METRONOME = 9,
	VIRTIO_PC_STRATEGIES
};

/* The work of each item. Same numbers as lib/pacing's enum rp_work_dist. */
enum virtio_pc_work {
	VIRTIO_PC_WORK_CONST = 0,	/* w_ns */
	VIRTIO_PC_WORK_EXP = 1,		/* exponential of that mean */
	VIRTIO_PC_WORKS
};

/**
 * struct virtio_pc_stats - what the guest's party counted and measured
 *
 * Means are 0 where their count is 0. Latencies are measured by the consumer,
 * from enq_tsc to the end of its work, and are only filled in for dir rev.
 */
struct virtio_pc_stats {
	__u64 duration_ns;	/* wall time of the run */
	__u64 cpu_ns;		/* CPU time of the party's thread */
	__u64 items;
	__u64 batches;		/* calls of the work routine that moved items */
	__u64 lost;		/* consumer: gaps in seq, in items */
	__u64 reordered;	/* consumer: seq that went back */
	__u64 sent;		/* notifications sent */
	__u64 suppressed;	/* batches after which none was asked for */
	__u64 received;		/* notifications received */
	__u64 spurious;		/* received with nothing to do */
	__u64 double_checks;	/* times that arming found work after all */
	__u64 blocks;
	__u64 sleeps;
	__u64 late;		/* consumer: items whose latency was above dmax_ns */
	__u64 repaired;		/* lost notifications to it, found by a time-out */
	__u64 rekicks;		/* producer: told a host again that did not move */
	__u64 w_ns;		/* mean work per item, the ring's cost included */
	__u64 n_ns;		/* mean cost of sending a notification */
	__u64 y_ns;		/* mean effective sleep */
	__u64 y_max_ns;
	__u64 y_over_ns;	/* mean overshoot of a sleep over what was asked */
	__u64 wake_ns;		/* consumer: mean, enqueue of the waking item to wake */
	__u64 spin_ns;		/* total time spent polling in vain */
	__u64 block_ns;		/* total time blocked */
	__u64 lat_count;
	__u64 lat_p50_ns;
	__u64 lat_p98_ns;
	__u64 lat_p99_ns;
	__u64 lat_max_ns;
	__s64 clock_offset_tsc;	/* host's counter minus the guest's */
	__u64 clock_error_ns;	/* bound; ~0 when there was no exchange */
	__u64 tsc_hz;
};

/**
 * struct virtio_pc_pacing - what the party's strategy says of itself
 *
 * 0, or "", where it does not know. Counts and times are of the time that the
 * statistics beside it are of.
 */
struct virtio_pc_pacing {
	__u32 known;		/* 0: it says nothing, and the rest is 0 */
	__u32 mode;		/* how it waits: 0 spin, 1 sleep, 2 block */
	__u64 wait_ns;
	__u64 threshold;
	__u64 window;		/* producer: most items outstanding */
	__u64 predicted_t_ns;	/* time per item, by the model */
	__u64 w_own_ns;		/* estimates of the model's parameters */
	__u64 w_peer_ns;
	__u64 n_ns;
	__u64 s_ns;
	__u64 y_e_ns;
	__u64 y_min_ns;
	__u64 mode_changes;
	__u64 mode_ns[3];	/* time by mode, the work in it included */
	__u64 batch_milli;	/* items between two waits, in 1/1000 */
	__u64 burst_milli;	/* variance of arrivals by their mean, in 1/1000 */
	__u64 occupancy_milli;	/* items in the ring when a sleep ends, in 1/1000 */
	__u32 conf_w_own;	/* how far to trust the estimates, in percent */
	__u32 conf_w_peer;
	__u32 conf_n;
	__u32 conf_s;
	__u32 conf_y_e;
	__u32 conf_y_min;
	char regime[16];
	char unmet[128];	/* which bound is not met, and why */
};

/**
 * struct virtio_pc_run - argument of VIRTIO_PC_IOC_RUN
 *
 * The call returns when the run ends or when a signal stops it; in both cases
 * @stats is filled in and the call succeeds (@stopped tells which).
 * Errors: EINVAL (a field is out of range), EOPNOTSUPP (feature not
 * negotiated), EBUSY (the queue pair is in use), ENODEV (device removed),
 * EIO (the device broke the ring), ENOMEM.
 */
struct virtio_pc_run {
	__u32 size_bytes;	/* sizeof(struct virtio_pc_run): the version */
	__u16 pair;
	__u8 dir;		/* enum virtio_pc_dir */
	__u8 strategy;		/* enum virtio_pc_strategy */
	__u64 duration_ns;	/* 1 ms .. 1 h */
	__u64 w_ns;		/* work per item, 0 .. 1 s */
	__u64 y_ns;		/* length of a sleep, 0 .. 1 s */
	__u32 k;		/* fwd: k_C, rev: k_P; 0 = default (3/4 L, 1) */
	__u32 burst;		/* items published at once, 1 .. queue_len; 0 = 1 */
	__u32 item_bytes;	/* 0 = the configuration's */
	__u32 queue_len;	/* L, at most the ring's size; 0 = the ring's size */
	__u64 max_items;	/* stop after so many items; 0 = no limit */
	__u64 dmax_ns;		/* D_MAX, 0 .. 1 s; 0 = no bound (not for adaptive) */
	__u32 cpu_cap_percent;	/* of one CPU, 0 .. 100; 0 = none */
	__u32 w_dist;		/* enum virtio_pc_work: of w_ns */
	__u32 stopped;		/* out: 1 when a signal ended the run */
	__u32 trace;		/* 1: trace every item too, not only slow events */
	struct virtio_pc_stats stats;	/* out */
	struct virtio_pc_pacing pacing;	/* out */
	__u64 left_items;	/* out, rev: in the ring at the end, and not consumed */
};

struct virtio_pc_info {
	__u32 size_bytes;
	__u32 queue_pairs;
	__u32 queue_len;	/* the ring's size */
	__u32 item_bytes;
	__u32 item_max_bytes;
	__u32 has_rev;
	__u64 tsc_hz;
};

#define VIRTIO_PC_IOC_MAGIC	0xb7
#define VIRTIO_PC_IOC_INFO	_IOR(VIRTIO_PC_IOC_MAGIC, 1, struct virtio_pc_info)
#define VIRTIO_PC_IOC_RUN	_IOWR(VIRTIO_PC_IOC_MAGIC, 2, struct virtio_pc_run)

#endif /* _UAPI_VIRTIO_PC_H */
