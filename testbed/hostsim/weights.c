// SPDX-License-Identifier: GPL-2.0-or-later
/* ringpaced's deficit round robin in front of a simulated line. */
#include "weights.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "../../vhost/daemon/net/egress.h"
#include "hostsim/hostsim.h"
#include "util.h"

#define LINE_BYTES	(WEIGHTS_LINE_BPS / 8)	/* of the second */
#define QUEUE_BYTES	(256u << 10)		/* ringpaced's default */
#define QUEUES_MIN	2u

struct world {
	struct egress egress;
	u64 rng;
	u16 weight[DRR_QUEUES_MAX];
	struct batch in, out;
	u8 frame[PACKET_MAX_BYTES];
};

static u32 below(struct world *w, u32 n)
{
	return (u32)(hs_uniform(&w->rng) * n);
}

/* Acknowledgements, full frames and large segments, in other parts for each queue. */
static u32 frame_bytes(struct world *w, u32 queue)
{
	u32 kind = below(w, 10);

	if (kind < queue % 10)
		return 60 + below(w, 20);
	return kind < 9 ? 1514 : PACKET_MAX_BYTES - below(w, PACKET_MAX_BYTES / 2);
}

/* Until it takes no more; of frames that it does not take, others are drawn next time. */
static void fill(struct world *w, u32 i)
{
	struct port_queue *q = &w->egress.queue[i].q;
	struct batch *b = &w->in;
	u32 taken = 0;

	while (taken == b->n) {
		for (b->n = b->bytes = 0; b->n < BATCH_PACKETS; b->n++) {
			u32 bytes = frame_bytes(w, i);

			b->seg[b->n] = (struct rp_seg){ w->frame, bytes };
			b->pkt[b->n] = (struct packet){ .bytes = bytes, .n_seg = 1,
							.seg = &b->seg[b->n] };
		}
		b->n_seg = b->n;
		taken = q->ops->put(q, b, 0);
	}
}

/* No queue is ever empty: what is chosen at once is less than half of one. */
static void fill_all(struct world *w)
{
	u32 i;

	_Static_assert(EGRESS_STAGE_BYTES + 2 * PACKET_MAX_BYTES < QUEUE_BYTES,
		       "a queue outlasts what is chosen at once");
	for (i = 0; i < w->egress.queues; i++) {
		w->in.n = 0;
		if (egress_waiting_bytes(&w->egress.queue[i]) < QUEUE_BYTES / 2 + PACKET_MAX_BYTES)
			fill(w, i);
	}
}

static void send_second(struct world *w)
{
	struct port_queue *out = &w->egress.out;
	u64 sent = 0;

	while (sent < LINE_BYTES) {
		fill_all(w);
		w->out.n = w->out.n_seg = w->out.bytes = 0;
		out->ops->get(out, &w->out, BATCH_PACKETS);
		out->ops->done(out, &w->out, w->out.n);
		sent += w->out.bytes;
	}
}

static double worst(const struct world *w)
{
	double sum = 0, bytes = 0, error = 0;
	u32 i;

	for (i = 0; i < w->egress.queues; i++) {
		sum += w->weight[i];
		bytes += (double)w->egress.queue[i].bytes;
	}
	for (i = 0; i < w->egress.queues; i++)
		error = fmax(error, fabs((double)w->egress.queue[i].bytes / bytes /
					 (w->weight[i] / sum) - 1));
	return error;
}

static int measure(struct world *w, struct weights_run *run)
{
	int rc = egress_init(&w->egress, "line", run->queues, QUEUE_BYTES);
	u32 i;

	if (rc == 0) {
		for (i = 0; i < run->queues; i++)
			w->weight[i] = (u16)(1 + below(w, WEIGHTS_MAX));
		drr_weigh(&w->egress.drr, w->weight);
		egress_attach(&w->egress, true);
		send_second(w);
		run->error = worst(w);
	}
	egress_fini(&w->egress);
	return rc ? fail("cannot make %u queues: %s", run->queues, strerror(-rc)) : 0;
}

int weights_measure(u64 seed, struct weights_run run[WEIGHTS_RUNS])
{
	struct world *w = calloc(1, sizeof(*w));
	u32 i;
	int rc = w ? 0 : fail("no memory");

	for (i = 0; i < WEIGHTS_RUNS && rc == 0; i++) {
		w->rng = seed;
		run[i].queues = QUEUES_MIN << i;
		rc = measure(w, &run[i]);
	}
	free(w);
	return rc;
}
