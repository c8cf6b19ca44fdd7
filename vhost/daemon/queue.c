// SPDX-License-Identifier: GPL-2.0-or-later
/* A queue as the main thread sees it: life, parameters, statistics. */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log/log.h"
#include "queue.h"
#include "worker.h"

u64 queue_tsc_hz;

int queue_init(struct queue *q, const char *device, u32 index,
	       const struct queue_params *params, u32 item_max_bytes)
{
	memset(q, 0, sizeof(*q));
	q->device = device;
	q->index = index;
	q->params = *params;
	q->item_max_bytes = item_max_bytes;
	q->kick_fd = q->call_fd = q->err_fd = -1;
	q->parked = true;
	q->party.latency = &q->latency;
	q->reset_ns = clock_ns(CLOCK_MONOTONIC);
	pthread_mutex_init(&q->lock, NULL);
	worker_cond_init(&q->changed);
	q->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return q->wake_fd < 0 ? -errno : 0;
}

void queue_fini(struct queue *q)
{
	queue_end_thread(q);
	queue_detach(q);
	if (q->wake_fd >= 0)
		close(q->wake_fd);
	free(q->trace);
	pthread_cond_destroy(&q->changed);
	pthread_mutex_destroy(&q->lock);
}

u32 queue_size_limit(const struct queue *q)
{
	return q->attached ? q->dev.ring.num : RP_VRING_MAX_NUM;
}

void queue_effective(const struct queue *q, const struct queue_params *p,
		     struct rp_params *out)
{
	u32 size = queue_size_limit(q);

	out->strategy = p->strategy;
	out->role = queue_is_rev(q) ? RP_PRODUCER : RP_CONSUMER;
	/* A value set before the ring was known may be too much for it. */
	out->queue_len = p->queue_len && p->queue_len < size ? p->queue_len : size;
	out->threshold = p->k ? p->k :
		rp_default_threshold(out->role, out->queue_len);
	if (out->threshold > out->queue_len)
		out->threshold = out->queue_len;
	out->y_ns = p->y_ns;
	out->dmax_ns = p->dmax_ns;
	out->cpu_cap_percent = p->cpu_cap_percent;
}

/* The worker is parked. */
static void apply_work(struct queue *q)
{
	struct rp_party *p = &q->party;

	p->w_tsc = rp_ns_to_tsc(&p->clock, q->params.w_ns);
	p->w_dist = q->params.w_dist;
}

/* The worker is parked. */
static void apply_params(struct queue *q)
{
	struct rp_party *p = &q->party;
	struct rp_params rp;

	queue_effective(q, &q->params, &rp);
	rp_learned_keep(&q->learned, &p->strategy);
	rp_party_init(p, &rp, queue_tsc_hz);
	rp_learned_give(&q->learned, &p->strategy);
	p->ring = queue_is_rev(q) ? &pc_rev_ops : &pc_fwd_ops;
	p->thread = &queue_thread_ops;
	p->ctx = q;
	apply_work(q);
	p->burst = q->params.burst;
	p->trace = q->params.trace ? q->trace : NULL;
	if (q->trace) {
		q->trace->on = q->params.trace;
		q->trace->items = q->params.trace_items;
	}
	q->wake_left = 0;
}

void queue_new_fds(struct queue *q, const struct queue_ring *ring)
{
	/* What was called through the old one may not have been heard. */
	if (ring->call_fd != q->call_fd)
		q->dev.call_owed = true;
	q->kick_fd = ring->kick_fd;
	q->call_fd = ring->call_fd;
	q->err_fd = ring->err_fd;
}

int queue_attach(struct queue *q, const struct queue_ring *ring)
{
	int rc = rp_dev_init(&q->dev, &ring->vring, ring->mem, ring->event_idx,
			     ring->resume_idx);

	if (rc < 0)
		return rc;
	queue_new_fds(q, ring);
	rp_store(&q->broken, NULL);
	q->attached = true;
	apply_params(q);
	return 0;
}

void queue_detach(struct queue *q)
{
	q->attached = false;
	q->posted = 0;
	q->kick_fd = q->call_fd = q->err_fd = -1;
	rp_store(&q->producing, false);
}

/* The worker is parked. */
static void drop_trace(struct queue *q)
{
	q->party.trace = NULL;
	free(q->trace);
	q->trace = NULL;
}

int queue_set(struct queue *q, const struct queue_params *p, bool restart)
{
	struct rp_trace *trace = NULL;
	int rc;

	if (p->trace && !q->trace) {
		trace = calloc(1, sizeof(*trace));
		if (!trace)
			return -ENOMEM;
	}
	queue_park(q);
	rc = worker_pin(q, p->cpu);
	if (rc < 0) {
		free(trace);
	} else {
		if (trace)
			q->trace = trace;
		if (!p->trace)
			drop_trace(q);
		q->params = *p;
		if (q->attached && restart)
			apply_params(q);
		else if (q->attached)
			apply_work(q);
	}
	queue_resume(q);
	return rc;
}

void queue_reset(struct queue *q)
{
	queue_park(q);
	rp_party_stats_reset(&q->party);
	if (q->trace)
		q->trace->head = 0;
	rp_store(&q->seq_seen, false);
	q->reset_ns = clock_ns(CLOCK_MONOTONIC);
	q->cpu_base_ns = worker_cpu_ns(q);
	q->cpu_gone_ns = 0;
	queue_resume(q);
}

int queue_start(struct queue *q, u64 max_items, u64 duration_ns)
{
	int rc;

	if (!q->attached || rp_load(&q->broken))
		return -ENOTCONN;
	if (rp_load(&q->producing))
		return -EBUSY;
	queue_park(q);
	q->first = true;
	rp_store(&q->party.next_seq, 0);
	q->items_left = max_items ? max_items : UINT64_MAX;
	q->end_tsc = duration_ns ?
		rp_tsc() + rp_ns_to_tsc(&q->party.clock, duration_ns) : 0;
	rp_store(&q->producing, true);
	rc = queue_resume(q);
	if (rc < 0)
		rp_store(&q->producing, false);
	return rc;
}

void queue_stop(struct queue *q)
{
	queue_park(q);
	rp_store(&q->producing, false);
	queue_resume(q);
}

void queue_keep_learned(struct queue *q)
{
	u64 items = rp_load(&q->party.stats.items);

	if (items == q->learned_items)
		return;
	queue_park(q);
	rp_learned_keep(&q->learned, &q->party.strategy);
	q->learned_items = items;
	queue_resume(q);
}

u64 queue_cpu_ns(const struct queue *q)
{
	return q->cpu_gone_ns + worker_cpu_ns(q) - q->cpu_base_ns;
}

u64 queue_duration_ns(const struct queue *q)
{
	return clock_ns(CLOCK_MONOTONIC) - q->reset_ns;
}
