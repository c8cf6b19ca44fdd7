/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the metrics are made of: a row of numbers for each queue, device, pacer,
 * switch and port in a switch, copied at one time, relaxed, from where the control
 * socket's `stats` has them. Nobody who moves packets is stopped or asked.
 */
#ifndef RINGPACED_METRICS_ROWS_H
#define RINGPACED_METRICS_ROWS_H

#include "control.h"
#include "net/packet.h"
#include "pacing/status_flat.h"

/* Queues that no driver has ever used have no row; beyond these the rest is counted only. */
#define METRICS_QUEUES_MAX	1024u
#define METRICS_LABELS_BYTES	512u

enum row_kind { ROW_DAEMON, ROW_DEVICE, ROW_QUEUE, ROW_PACER, ROW_SWITCH, ROW_MEMBER,
	ROW_EGRESS, ROW_KINDS };

/* What a row has, and a family needs. */
enum row_has {
	HAS_PACKETS = 1,	/* a port's queue */
	HAS_DROPS = 2,
	HAS_PARTY = 4,		/* it has been paced */
	HAS_STATUS = 8,		/* its strategy tells about itself */
	HAS_LATENCY = 16,
	HAS_THREAD = 32,	/* a virtio-pc queue's own */
	HAS_BOUND = 64,		/* D_MAX */
	HAS_LIMIT = 128,
};

/* Every row begins with this; the labels are escaped, without braces. */
struct row {
	u32 has;
	char labels[METRICS_LABELS_BYTES];
};

struct row_daemon {
	struct row row;
	char build[64];			/* more labels */
	u64 one;
	u64 cpu_ns;
	u64 queues_omitted;
};

struct row_device {
	struct row row;
	u64 up;
	u64 limit_waits;
};

struct row_queue {
	struct row row;
	char pacing_info[96];		/* more labels: strategy, regime */
	u64 one;
	u64 broken;
	u64 packets, bytes, gso, dropped[DROPS];
	u64 cpu_ns;
	u64 dmax_ns;
	u64 mode_is[RP_WAITS];
	struct rp_report report;
	struct rp_status_flat pacing;
};

struct row_pacer {
	struct row row;
	u64 cpu_ns, waits, turns, flows;
};

struct row_switch {
	struct row row;
	u64 flooded, flood_copies;
};

struct row_member {
	struct row row;
	u64 used, size, learned, moved, replaced;
};

struct row_egress {
	struct row row;
	u64 weight, packets, bytes, lost, waiting;
};

struct rows {
	struct row_set {
		void *row;
		u32 count;
		size_t bytes;		/* of each */
	} set[ROW_KINDS];
};

/* rows_free() undoes it, in both cases. False: no memory. */
bool rows_take(struct rows *r, const struct devices *d);
void rows_free(struct rows *r);

static inline const struct row *rows_at(const struct row_set *s, u32 i)
{
	return (const struct row *)((const char *)s->row + i * s->bytes);
}

#endif /* RINGPACED_METRICS_ROWS_H */
