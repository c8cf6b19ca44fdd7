/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a port with transmit queues of its own is told about them, and others about it. */
#ifndef RINGPACED_NIC_OPTIONS_H
#define RINGPACED_NIC_OPTIONS_H

#include "drr.h"

struct nic_options {
	u16 weight[DRR_QUEUES_MAX];
	u32 weights;			/* of ->weight[]; those behind weigh 1 */
	u64 link_bps;			/* 0: as fast as the wire takes it */
	u32 queue_bytes;		/* of each ring, a power of two; 0: the default */
	bool by_source;			/* a queue by the port that a frame comes from */
	/* Of a port that sends to such a one */
	u32 queue;			/* which of its queues */
	bool queue_set;			/* or as ports come */
};

#endif /* RINGPACED_NIC_OPTIONS_H */
