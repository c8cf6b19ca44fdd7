// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The native lane: the driver's party is a pinned thread of this process, the
 * device is a ringpaced of our own; between them are shared memory and two
 * eventfds. fwd: P here, C there. rev: the other way round.
 */
#include "lane.h"

#include <stdlib.h>

#include "backend.h"
#include "frontend.h"
#include "json.h"
#include "pacing/status_json.h"
#include "party.h"

/* Slots of the queue's ring: L, rounded up to what a ring can have. */
static u32 ring_size(u32 queue_len)
{
	u32 n = 2;

	while (n < queue_len)
		n *= 2;
	return n;
}

struct native {
	const struct run_params *p;
	u32 queue;		/* the one in use */
	struct backend backend;
	struct fe fe;
	struct party *party;
	bool fe_open, party_made;
};

static bool available(const char **why)
{
	*why = NULL;
	return true;
}

/* Both counters are the same one: the offset is 0, exactly. */
static void say_clock(json_t *side)
{
	json_object_set_new(side, "clock_offset_tsc", json_integer(0));
	json_object_set_new(side, "clock_error_ns", json_integer(0));
}

static void driver_options(const struct run_params *p, struct party_options *o)
{
	bool fwd = p->dir == RUN_FWD;

	*o = (struct party_options) {
		.pacing = {
			.strategy = fwd ? p->strategy_p : p->strategy_c,
			.role = fwd ? RP_PRODUCER : RP_CONSUMER,
			.queue_len = p->queue_len,
			.threshold = fwd ? run_threshold(RP_PRODUCER, p->kc, p->queue_len) :
					   run_threshold(RP_CONSUMER, p->kp, p->queue_len),
			.y_ns = fwd ? p->yp_ns : p->yc_ns,
			.dmax_ns = p->dmax_ns,
			.cpu_cap_percent = p->cpu_cap_percent,
		},
		.traffic = {
			.w_ns = fwd ? p->wp_ns : p->wc_ns,
			.w_dist = p->w_dist,
		},
		.burst = p->burst,
		.item_bytes = p->item_bytes,
		.cpu = fwd ? p->cpu_p : p->cpu_c,
		.trace = p->trace,
	};
	if (o->cpu < 0)
		o->cpu = nth_cpu(0);
}

static int open_frontend(struct native *n)
{
	const struct fe_options o = {
		.socket = n->backend.socket,
		.queues = 2,
		.queue_size = ring_size(n->p->queue_len),
		.data_bytes = party_data_bytes(ring_size(n->p->queue_len), n->p->item_bytes),
		.timeout_ms = BACKEND_TIMEOUT_MS,
	};

	if (fe_open(&n->fe, &o))
		return fail("native lane: %s", n->fe.error);
	n->fe_open = true;
	if (n->p->dir == RUN_REV && !fe_has(&n->fe, VIRTIO_PC_F_REV))
		return fail("native lane: the backend cannot produce (no VIRTIO_PC_F_REV)");
	return 0;
}

static int set_up(struct native *n)
{
	struct party_options o;

	if (backend_start(&n->backend, 1, n->p->item_bytes, NULL) || open_frontend(n))
		return -1;
	driver_options(n->p, &o);
	n->party_made = true;
	if (party_init(n->party, &n->fe, n->queue, n->fe.data, &o))
		return -1;
	if (fe_start(&n->fe))
		return fail("native lane: %s", n->fe.error);
	if (backend_wait_ready(&n->backend, n->queue))
		return -1;
	/* Before the set: in busy or sleep mode we would have to wait for it. */
	if (n->p->dir == RUN_FWD && party_clock(n->party, BACKEND_TIMEOUT_MS))
		return -1;
	return backend_do(&n->backend, "set", n->queue, backend_options(n->p));
}

static int start_both(struct native *n)
{
	if (party_start(n->party))
		return -1;
	return n->p->dir == RUN_REV ? backend_do(&n->backend, "start", n->queue, NULL) : 0;
}

/* Lets both work for @ns; -1 when stopped, or when a side has gone. */
static int work_for(struct native *n, u64 ns, u64 done_ns)
{
	u64 begin = now_ns(), now, left;

	while ((now = now_ns()) - begin < ns) {
		run_progress(n->p, done_ns + now - begin);
		left = (ns - (now - begin)) / 1000000;
		if (!nap_ms(left > 100 ? 100 : (u32)left + 1))
			return -1;
		if (!fe_alive(&n->fe))
			return fail("native lane: ringpaced went away in the run: %s",
				    log_tail(n->backend.log));
		if (rp_load(&n->party->broken))
			return fail("native lane: the driver gave its ring up: %s",
				    n->party->broken);
	}
	return 0;
}

static json_t *driver_stats(const struct native *n)
{
	const struct party *party = n->party;
	json_t *v = json_report(&party->report);

	json_object_set_new(v, "duration_ns", json_integer((json_int_t)party->duration_ns));
	json_object_set_new(v, "cpu_ns", json_integer((json_int_t)party->cpu_ns));
	json_object_set_new(v, "pacing", party->has_status ? rp_status_json(&party->status) :
			    json_null());
	say_clock(v);
	return v;
}

static int measure(struct native *n, json_t **drv, json_t **dev)
{
	if (work_for(n, n->p->warmup_ns, 0) ||
	    backend_do(&n->backend, "reset", n->queue, NULL) ||
	    party_order(n->party, PARTY_RESET) ||
	    work_for(n, n->p->duration_ns, n->p->warmup_ns))
		return -1;
	*dev = backend_stats(&n->backend, n->queue);
	if (!*dev || party_order(n->party, PARTY_REPORT))
		return -1;
	*drv = driver_stats(n);
	return 0;
}

static int take_traces(struct native *n, json_t **drv, json_t **dev)
{
	if (!n->p->trace)
		return 0;
	/* First the device's: it goes on, and would overwrite what we want. */
	*dev = backend_call(&n->backend, "trace", n->queue, NULL);
	if (!*dev)
		return -1;
	*drv = json_trace(n->party->rp.trace, tsc_hz());
	say_clock(*drv);
	say_clock(*dev);
	return 0;
}

static int device_next_seq(struct native *n, double *next)
{
	json_t *stats = backend_stats(&n->backend, n->queue);

	*next = json_number_at(stats, "next_seq");
	json_decref(stats);
	return stats ? 0 : -1;
}

/* Pauses in a drain that should end soon. -1: it does not, or stopped. */
static int wait_drain(u64 end_ns)
{
	if (!nap_ms(2))
		return -1;
	if (now_ns() > end_ns)
		return fail("native lane: the consumer leaves items in the ring for %u ms",
			    BACKEND_TIMEOUT_MS);
	return 0;
}

/*
 * With P stopped, C must have consumed in the end all that was published: what
 * is missing at the end shows as no gap. A kick (fwd) or an order (rev) gets C
 * out of a block whose threshold will not be reached any more.
 */
static int drain_fwd(struct native *n, double *lost)
{
	u64 end = now_ns() + BACKEND_TIMEOUT_MS * 1000000ULL;
	double next;

	if (party_order(n->party, PARTY_STOP))
		return -1;
	while (party_outstanding(n->party)) {
		party_kick(n->party);
		if (wait_drain(end))
			return -1;
	}
	if (device_next_seq(n, &next))
		return -1;
	*lost = (double)n->party->posted - next;
	return 0;
}

static int drain_rev(struct native *n, double *lost)
{
	u64 end = now_ns() + BACKEND_TIMEOUT_MS * 1000000ULL;
	double next;

	if (backend_do(&n->backend, "stop", n->queue, NULL) || device_next_seq(n, &next))
		return -1;
	do {
		if (wait_drain(end) || party_order(n->party, PARTY_REPORT))
			return -1;
	} while (n->party->taken != n->party->done);
	*lost = next - (double)n->party->next_seq;
	return 0;
}

static int run_native(struct native *n, struct run_sides *out)
{
	bool fwd = n->p->dir == RUN_FWD;
	json_t **drv_stats = fwd ? &out->stats_p : &out->stats_c;
	json_t **dev_stats = fwd ? &out->stats_c : &out->stats_p;
	json_t **drv_trace = fwd ? &out->trace_p : &out->trace_c;
	json_t **dev_trace = fwd ? &out->trace_c : &out->trace_p;

	if (set_up(n) || start_both(n) || measure(n, drv_stats, dev_stats) ||
	    take_traces(n, drv_trace, dev_trace))
		return -1;
	return fwd ? drain_fwd(n, &out->lost_at_end) : drain_rev(n, &out->lost_at_end);
}

static void tear_down(struct native *n)
{
	if (n->party_made)
		party_free(n->party);
	if (n->fe_open)
		fe_close(&n->fe);
	backend_stop(&n->backend);
}

static int run(const struct run_params *p, struct run_sides *out)
{
	struct native n = {
		.p = p,
		.queue = p->dir == RUN_FWD ? VIRTIO_PC_FWD(0) : VIRTIO_PC_REV(0),
		.party = calloc(1, sizeof(*n.party)),
	};
	int rc;

	if (!n.party)
		return fail("native lane: out of memory");
	snprintf(out->accel, sizeof(out->accel), "none");
	rc = run_native(&n, out);
	tear_down(&n);
	free(n.party);
	return rc;
}

const struct lane_ops lane_native = {
	.name = "native",
	.available = available,
	.run = run,
};
