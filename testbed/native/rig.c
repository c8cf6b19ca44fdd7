// SPDX-License-Identifier: GPL-2.0-or-later
/* The native lane's two parties: set up, changed, measured, drained. */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "pacing/status_json.h"

/* Slots of the queue's ring: L, rounded up to what a ring can have. */
static u32 ring_size(u32 queue_len)
{
	u32 n = 2;

	while (n < queue_len)
		n *= 2;
	return n;
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

static int open_frontend(struct rig *r)
{
	const struct fe_options o = {
		.socket = r->backend.socket,
		.queues = 2,
		.queue_size = ring_size(r->p->queue_len),
		.data_bytes = party_data_bytes(ring_size(r->p->queue_len), r->p->item_bytes),
		.timeout_ms = BACKEND_TIMEOUT_MS,
	};

	if (fe_open(&r->fe, &o))
		return fail("native lane: %s: %s", r->fe.error, backend_says(&r->backend));
	r->fe_open = true;
	if (r->p->dir == RUN_REV && !fe_has(&r->fe, VIRTIO_PC_F_REV))
		return fail("native lane: the backend cannot produce (no VIRTIO_PC_F_REV)");
	return 0;
}

static int set_up(struct rig *r)
{
	struct party_options o;

	r->backend_made = true;
	if (backend_start(&r->backend, 1, r->p->item_bytes, NULL) || open_frontend(r))
		return -1;
	driver_options(r->p, &o);
	r->party_made = true;
	if (party_init(r->party, &r->fe, r->queue, r->fe.data, &o))
		return -1;
	if (fe_start(&r->fe))
		return fail("native lane: %s: %s", r->fe.error, backend_says(&r->backend));
	if (backend_wait_ready(&r->backend, r->queue))
		return -1;
	/* Before start_both(): in busy or sleep mode we would have to wait for it. */
	return r->p->dir == RUN_FWD ? party_clock(r->party, BACKEND_TIMEOUT_MS) : 0;
}

static json_t *device_stats(void *ctx)
{
	struct rig *r = ctx;

	return backend_stats_both(&r->backend);
}

static struct run_scene scene(struct rig *r)
{
	return (struct run_scene) {
		.device_pid = r->backend.pid,
		.fwd = r->p->dir == RUN_FWD,
		.device_stats = device_stats,
		.ctx = r,
	};
}

static int watch_begin(struct rig *r)
{
	const struct run_scene s = scene(r);

	if (!r->p->watch)
		return 0;
	return r->p->watch->begin(r->p->watch, &s) || backend_reset_both(&r->backend) ? -1 : 0;
}

static int start_both(struct rig *r)
{
	if (backend_do(&r->backend, "set", r->queue, backend_options(r->p)) ||
	    party_start(r->party))
		return -1;
	return r->p->dir == RUN_REV ? backend_do(&r->backend, "start", r->queue, NULL) : 0;
}

int rig_work_for(struct rig *r, u64 ns, u64 done_ns)
{
	u64 begin = now_ns(), now, left;

	while ((now = now_ns()) - begin < ns) {
		run_progress(r->p, done_ns + now - begin);
		left = (ns - (now - begin)) / 1000000;
		if (!nap_ms(left > 100 ? 100 : (u32)left + 1))
			return -1;
		if (!fe_alive(&r->fe))
			return fail("native lane: ringpaced went away in the run: %s",
				    log_tail(r->backend.log));
		if (rp_load(&r->party->broken))
			return fail("native lane: the driver gave its ring up: %s",
				    r->party->broken);
	}
	return 0;
}

static json_t *driver_stats(const struct rig *r)
{
	const struct party *party = r->party;
	json_t *v = json_report(&party->report);

	json_object_set_new(v, "duration_ns", json_integer((json_int_t)party->duration_ns));
	json_object_set_new(v, "cpu_ns", json_integer((json_int_t)party->cpu_ns));
	json_object_set_new(v, "pacing", party->has_status ? rp_status_json(&party->status) :
			    json_null());
	say_clock(v);
	return v;
}

static int warm_up(struct rig *r)
{
	return rig_work_for(r, r->p->warmup_ns, 0) ||
	       backend_do(&r->backend, "reset", r->queue, NULL) ||
	       party_order(r->party, PARTY_RESET) ? -1 : 0;
}

static int measure(struct rig *r, json_t **drv, json_t **dev)
{
	if ((!r->p->watch && warm_up(r)) ||
	    rig_work_for(r, r->p->duration_ns, r->p->watch ? 0 : r->p->warmup_ns))
		return -1;
	*dev = backend_stats(&r->backend, r->queue);
	if (!*dev || party_order(r->party, PARTY_REPORT))
		return -1;
	*drv = driver_stats(r);
	return 0;
}

static int take_traces(struct rig *r, json_t **drv, json_t **dev)
{
	if (!r->p->trace)
		return 0;
	/* First the device's: it goes on, and would overwrite what we want. */
	*dev = backend_call(&r->backend, "trace", r->queue, NULL);
	if (!*dev)
		return -1;
	*drv = json_trace(r->party->rp.trace, tsc_hz());
	say_clock(*drv);
	say_clock(*dev);
	return 0;
}

static int device_next_seq(struct rig *r, double *next)
{
	json_t *stats = backend_stats(&r->backend, r->queue);

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

/* fwd, with P at rest. A kick gets C out of a block for more than will come. */
static int wait_empty(struct rig *r)
{
	u64 end = now_ns() + BACKEND_TIMEOUT_MS * 1000000ULL;

	while (party_outstanding(r->party)) {
		party_kick(r->party);
		if (wait_drain(end))
			return -1;
	}
	return 0;
}

/*
 * With P stopped, C must have consumed in the end all that was published: what
 * is missing at the end shows as no gap. On rev an order gets C out of a block.
 */
static int drain_fwd(struct rig *r, double *lost)
{
	double next;

	if (party_order(r->party, PARTY_STOP) || wait_empty(r) || device_next_seq(r, &next))
		return -1;
	*lost = (double)r->party->posted - next;
	return 0;
}

static int drain_rev(struct rig *r, double *lost)
{
	u64 end = now_ns() + BACKEND_TIMEOUT_MS * 1000000ULL;
	double next;

	if (backend_do(&r->backend, "stop", r->queue, NULL) || device_next_seq(r, &next))
		return -1;
	do {
		if (wait_drain(end) || party_order(r->party, PARTY_REPORT))
			return -1;
	} while (r->party->taken != r->party->done);
	*lost = next - (double)r->party->next_seq;
	return 0;
}

/* Both sides rest: the driver's counters are its last. */
static int watch_end(struct rig *r)
{
	const struct run_scene s = scene(r);
	json_t *driver;
	int rc;

	if (!r->p->watch)
		return 0;
	if (backend_rest(&r->backend, r->queue))
		return -1;
	rp_party_report(&r->party->rp, &r->party->report);
	driver = driver_stats(r);
	rc = r->p->watch->end(r->p->watch, &s, driver);
	json_decref(driver);
	return rc;
}

/* ---- The interface ---- */

int rig_open(struct rig *r, const struct run_params *p)
{
	memset(r, 0, sizeof(*r));
	r->p = p;
	r->queue = p->dir == RUN_FWD ? VIRTIO_PC_FWD(0) : VIRTIO_PC_REV(0);
	r->party = calloc(1, sizeof(*r->party));
	if (!r->party)
		return fail("native lane: out of memory");
	return set_up(r) || watch_begin(r) || start_both(r) ? -1 : 0;
}

int rig_change(struct rig *r, const struct run_params *p)
{
	const struct party_traffic none = { .idle = true };
	struct party_options o;

	if (p->dir == RUN_FWD && (party_set_traffic(r->party, &none) || wait_empty(r)))
		return -1;
	r->p = p;
	driver_options(p, &o);
	if (backend_do(&r->backend, "set", r->queue, backend_options(p)))
		return -1;
	return party_set_pace(r->party, &o.pacing, &o.traffic);
}

int rig_measure(struct rig *r, struct run_sides *out)
{
	bool fwd = r->p->dir == RUN_FWD;

	snprintf(out->accel, sizeof(out->accel), "none");
	return measure(r, fwd ? &out->stats_p : &out->stats_c,
		       fwd ? &out->stats_c : &out->stats_p);
}

int rig_traces(struct rig *r, struct run_sides *out)
{
	bool fwd = r->p->dir == RUN_FWD;

	return take_traces(r, fwd ? &out->trace_p : &out->trace_c,
			   fwd ? &out->trace_c : &out->trace_p);
}

int rig_drain(struct rig *r, struct run_sides *out)
{
	int rc = r->p->dir == RUN_FWD ? drain_fwd(r, &out->lost_at_end) :
					drain_rev(r, &out->lost_at_end);

	return rc ? rc : watch_end(r);
}

void rig_close(struct rig *r)
{
	if (r->party_made)
		party_free(r->party);
	if (r->fe_open)
		fe_close(&r->fe);
	if (r->backend_made)
		backend_stop(&r->backend);
	free(r->party);
	r->party = NULL;
}
