// SPDX-License-Identifier: GPL-2.0-or-later
/* The simulated host, tick by tick. */
#include "hostsim.h"

#include <math.h>

#define TICK_S		(HS_TICK_NS / 1e9)
/* The way to the client and back, without any queue. */
#define NETWORK_NS	40000
#define CONNECTIONS	2752	/* 000, sec. 2 */

void hs_count_reset(struct hs *h)
{
	memset(&h->count, 0, sizeof(h->count));
}

void hs_init(struct hs *h, const struct hc_config *c, u64 seed)
{
	u32 i;

	memset(h, 0, sizeof(*h));
	h->rng = seed;
	h->config = *c;
	h->batch_cores = HS_CORES - c->cores;
	for (i = 0; i < CONNECTIONS; i++)
		h->weight[(u32)(hs_uniform(&h->rng) * HS_GROUPS)] += 1.0 / CONNECTIONS;
	hs_place(h);
}

static void count_latency(struct hs *h, double requests, double ns)
{
	u32 bin = ns < HS_BINS * (double)HS_BIN_NS ? (u32)(ns / HS_BIN_NS) : HS_BINS - 1;

	h->count.requests += requests;
	h->count.bin[bin] += requests;
	if (ns > HS_SLO_NS)
		h->count.late += requests;
}

/* What of a thread's core and configuration its tick depends on. */
struct server {
	double item_ns, iter_ns;
};

/* A thread's tick; the part of it that the thread was busy. */
static double serve(struct hs *h, u32 t, const struct server *s)
{
	double came = hs_poisson(&h->rng, h->load * h->share[t] * TICK_S);
	double before = h->queue[t], all = before + came, dt = HS_TICK_NS;
	double full_ns = s->item_ns + s->iter_ns / HS_BATCH, done = all, iterations = all;
	double busy = all * (s->item_ns + s->iter_ns);

	if (busy > dt) {
		done = fmin(all, dt / full_ns);
		iterations = fmax((dt - done * s->item_ns) / s->iter_ns, done / HS_BATCH);
		busy = dt;
	}
	h->queue[t] = all - done;
	/* An iteration takes what there is; with a queue that is the queue. */
	h->tau_items[t] = h->queue[t] > 0 ? fmin(fmax(h->queue[t], 1), HS_BATCH) :
			  iterations > 0 ? fmax(done / iterations, 1) : 1;
	h->tau_ns[t] = s->iter_ns + s->item_ns * h->tau_items[t];
	if (before + h->queue[t] > 0) {
		count_latency(h, came / 2, NETWORK_NS + h->tau_ns[t] + before * full_ns);
		count_latency(h, came / 2, NETWORK_NS + h->tau_ns[t] + h->queue[t] * full_ns);
	} else {
		count_latency(h, came, NETWORK_NS + h->tau_ns[t]);
	}
	h->items += done;
	h->iterations += iterations;
	h->busy_ns += busy;
	return busy / dt;
}

/* What arrives of groups on their way waits for the end, and then in the new thread's queue. */
static void hold(struct hs *h, double full_ns)
{
	double came, left;
	u32 i;

	for (i = 0; hs_is_moving(h) && i < h->due; i++) {
		struct hs_move *m = &h->move[i];

		if (m->state != HS_MOVE_UNDER_WAY)
			continue;
		came = hs_poisson(&h->rng, h->load * m->share * TICK_S);
		left = m->end_ns > h->now_ns ? (double)(m->end_ns - h->now_ns) : 0;
		m->held += came;
		count_latency(h, came, NETWORK_NS + left + (m->held + h->queue[m->to]) * full_ns);
	}
}

static void core_tick(struct hs *h, u32 core, double ghz, double *watts, u32 *idle_cores)
{
	u32 second = core + HS_CORES;
	bool two = h->share[second] > 0 || h->queue[second] > 0;
	bool one = h->share[core] > 0 || h->queue[core] > 0;
	double slow = two && one ? 2 / hs_host.smt : 1, busy = 0;
	struct server s = { hs_item_ns(ghz) * slow, hs_iter_ns(ghz) * slow };

	if (!one && !two) {
		/* A core that is being filled polls; one that is not wanted sleeps. */
		if (core < h->config.cores)
			*watts += hs_core_w(ghz, h->config.threads, 0);
		else
			++*idle_cores;
		return;
	}
	if (one)
		busy += serve(h, core, &s);
	if (two)
		busy += serve(h, second, &s);
	*watts += hs_core_w(ghz, two && one ? 2 : 1, busy / (one + two));
}

static void heat(struct hs *h)
{
	double to = hs_is_turbo(&h->config) ? HS_HEAT_W : 0;

	h->heat_w += (to - h->heat_w) * TICK_S / HS_HEAT_S;
}

void hs_tick(struct hs *h)
{
	double ghz = hs_host.ghz[h->config.freq], watts = hs_idle_w;
	u32 core, idle = 0, batch;

	for (core = 0; core < HS_CORES; core++)
		core_tick(h, core, ghz, &watts, &idle);
	hold(h, hs_item_ns(ghz) * (h->config.threads > 1 ? 2 / hs_host.smt : 1));
	batch = idle < h->batch_cores ? idle : h->batch_cores;
	heat(h);
	if (hs_is_turbo(&h->config))
		watts += h->heat_w;
	h->count.energy_j += watts * TICK_S;
	h->count.batch_s += batch * TICK_S / HS_CORES;
	h->count.ns += HS_TICK_NS;
	h->now_ns += HS_TICK_NS;
	hs_move_tick(h);
}

u32 hs_cores_held(const struct hs *h)
{
	u32 core, n = 0;

	for (core = 0; core < HS_CORES; core++) {
		u32 second = core + HS_CORES;

		n += core < h->config.cores || h->share[core] > 0 || h->queue[core] > 0 ||
		     h->share[second] > 0 || h->queue[second] > 0;
	}
	return n;
}

double hs_p99_ns(const struct hs_count *c)
{
	double above = 0;
	u32 i;

	for (i = HS_BINS; i; i--) {
		above += c->bin[i - 1];
		if (above > c->requests * 0.01)
			break;
	}
	return (double)i * HS_BIN_NS;
}

bool hs_violated(const struct hs_count *c)
{
	return c->late > c->requests * 0.01;
}
