// SPDX-License-Identifier: GPL-2.0-or-later
/* Makes one result of the looks at a run. */
#include "chain/figures.h"

#include "chain/bottleneck.h"
#include "chain/hop.h"
#include "json.h"

double chain_drops(const json_t *stats)
{
	const json_t *n;
	const char *reason;
	double sum = 0;

	json_object_foreach(json_object_get(stats, "dropped"), reason, n)
		sum += json_number_value(n);
	return sum;
}

bool figures_accounted(const struct chain *c, const struct chain_look *l)
{
	const struct worker_look *sink = &l->party[c->hops];
	double known = (double)sink->counts.received - (double)sink->duplicates;
	u32 i;

	for (i = 0; i < c->hops; i++) {
		known += chain_drops(l->hop[i].tx);
		/* The sink's are among what it has received. */
		if (i)
			known += stage_lost(&l->party[i]);
	}
	return known >= (double)l->party[0].counts.sent;
}

json_t *figures_quantiles(const struct rp_hist *h, const struct rp_clock *clock)
{
	static const struct { const char *key; u32 permille; } of[] = {
		{ "p50", 500 }, { "p90", 900 }, { "p98", 980 }, { "p99", 990 }, { "p999", 999 },
		{ "max", 1000 },
	};
	bool known = h && rp_load(&h->count);
	json_t *v = h ? json_object() : json_null();
	size_t i;

	for (i = 0; h && i < sizeof(of) / sizeof(*of); i++)
		json_object_set_new(v, of[i].key, json_number_or_null(known ? (double)
			rp_tsc_to_ns(clock, rp_hist_quantile(h, of[i].permille)) : UNKNOWN, 0));
	return v;
}

/* ---- The bottleneck ---- */

/* Server @i of the row: the generator, then of each hop its pacer and who receives. */
static const char *server_name(const struct chain *c, int i)
{
	static char pacer[2][24];
	static u32 next;

	if (!(i % 2))
		return chain_party_name(c, (u32)i / 2);
	snprintf(pacer[++next % 2], sizeof(pacer[0]), "pacer %d", i / 2 + 1);
	return pacer[next % 2];
}

static void set_bottleneck(json_t *v, const struct chain *c, const struct chain_hop *h,
			   const struct chain_thread *generator)
{
	static const char *const reasons[] = {
		[BOTTLENECK_RING_FULL] = "its input ring is full, no later one is",
		[BOTTLENECK_IS_BUSY] = "no ring is full, but it is busy nearly all the time",
	};
	struct chain_server s[2 * CHAIN_HOPS_MAX + 1] = {
		{ .in_fill = UNKNOWN, .utilisation = generator->utilisation },
	};
	u32 n = 2 * c->hops + 1, i;
	enum bottleneck_why why;
	int who;

	for (i = 0; i < c->hops; i++) {
		s[2 * i + 1] = (struct chain_server){ h[i].tx_fill, h[i].pacer.utilisation };
		s[2 * i + 2] = (struct chain_server){ h[i].rx_fill, h[i].stage.utilisation };
	}
	who = bottleneck_find(s, n, &why);
	/* Hop k has the servers 2k - 1 and 2k; the generator is at the end of none. */
	json_object_set_new(v, "bottleneck_hop", who > 0 ? json_integer((who + 1) / 2) :
			    json_null());
	json_object_set_new(v, "bottleneck", who < 0 ? json_null() :
			    json_pack("{s:s, s:s, s:o}", "party", server_name(c, who),
				      "why", reasons[why], "utilisation",
				      json_number_or_null(s[who].utilisation, 4)));
	who = bottleneck_busiest(s, n);
	json_object_set_new(v, "busiest", who < 0 ? json_null() :
			    json_pack("{s:s, s:o}", "party", server_name(c, who), "utilisation",
				      json_number_or_null(s[who].utilisation, 4)));
}

/* ---- The whole chain ---- */

static void set_params(json_t *v, const struct chain *c)
{
	const struct chain_params *p = c->p;
	const struct chain_strategy *s = c->strategy;
	bool l2fwd = chain_is_l2fwd(p);
	json_t *all = json_pack(
		"{s:s, s:s, s:i, s:o, s:I, s:I, s:i, s:i, s:i, s:s, s:s?, s:o, s:I, s:I, s:o, s:o, s:i,"
		" s:s, s:b, s:o}",
		"lane", p->lane->name, "strategy", s->label, "vms", (int)p->vms,
		"rate_pps", p->rate_pps ? json_integer((json_int_t)p->rate_pps) : json_null(),
		"duration_ns", (json_int_t)p->duration_ns, "warmup_ns", (json_int_t)p->warmup_ns,
		"frame_bytes", (int)p->frame_bytes, "flows", (int)p->flows,
		"queue_len", (int)p->queue_len, "nf", p->nf,
		"nf_wait", !l2fwd ? NULL : p->nf_spin ? "spin" : "sleep",
		"nf_macs", l2fwd ? json_boolean(p->nf_macs) : json_null(),
		"nf_ns", (json_int_t)p->nf_ns, "nf_kick_ns", (json_int_t)p->nf_kick_ns,
		"slow_hop", p->slow_hop ? json_integer(p->slow_hop) : json_null(),
		"slow_ns", p->slow_hop ? json_integer((json_int_t)p->slow_ns) : json_null(),
		"nf_burst", (int)p->nf_burst, "generator_wait", p->spin ? "spin" : "sleep",
		"pinned", c->pinned,
		"pacing", json_pack("{s:I, s:I, s:i, s:i}", "y_ns", (json_int_t)s->y_ns,
				    "dmax_ns", (json_int_t)s->dmax_ns, "cpu_cap_percent",
				    (int)s->cpu_cap_percent, "burst", (int)s->burst));

	json_object_update(v, all);
	json_decref(all);
}

/* What the load was, and what came of it in the whole run. */
static void set_counts(json_t *v, const struct chain *c, const struct chain_looks *l)
{
	const struct schedule *s = &c->generator.schedule;
	const struct worker_look *sink = &l->last.party[c->hops];
	double sent = (double)l->last.party[0].counts.sent;
	double received = (double)sink->counts.received;
	double once = received - (double)sink->duplicates;
	double offered = s->rate_pps ? (double)schedule_total(s) : sent;

#define NUMBER(key, value) json_object_set_new(v, key, json_number_or_null(value, 0))
	NUMBER("offered", offered);
	NUMBER("unsent", offered - sent);
	NUMBER("sent", sent);
	NUMBER("received", received);
	NUMBER("lost", sent - once);
	NUMBER("reordered", (double)sink->reordered);
	NUMBER("duplicates", (double)sink->duplicates);
	NUMBER("bad", (double)sink->counts.bad);
#undef NUMBER
}

/* CPU time and notifications per packet of the whole chain. */
static void set_sums(json_t *v, const struct chain_hop *h, u32 hops,
		     const struct chain_thread *generator)
{
	double cpu_ns = generator->cpu_ns, kicks = 0, calls = 0;
	u32 i;

	for (i = 0; i < hops; i++) {
		cpu_ns += h[i].pacer.cpu_ns + h[i].stage.cpu_ns;
		kicks += h[i].tx_kicks + h[i].rx_kicks;
		calls += h[i].tx_calls + h[i].rx_calls;
	}
	json_object_set_new(v, "cpu_ns_per_packet", json_number_or_null(cpu_ns, 1));
	json_object_set_new(v, "kicks_per_packet", json_number_or_null(kicks, 6));
	json_object_set_new(v, "calls_per_packet", json_number_or_null(calls, 6));
}

json_t *figures_json(const struct chain *c, const struct chain_looks *l)
{
	struct chain_hop h[CHAIN_HOPS_MAX];
	json_t *v = json_object(), *hops = json_array();
	struct chain_thread generator;
	u32 i;

	for (i = 0; i < c->hops; i++) {
		hop_figures(c, l, i, &h[i]);
		json_array_append_new(hops, hop_json(c, l, i, &h[i]));
	}
	stage_figures(l, 0, h[0].packets, (double)(l->end.at_ns - l->begin.at_ns) / 1e9,
		      &generator);
	set_params(v, c);
	set_counts(v, c, l);
	json_object_set_new(v, "pps", json_number_or_null(h[c->hops - 1].packets /
							  h[c->hops - 1].seconds, 0));
	json_object_set_new(v, "latency_ns", figures_quantiles(&c->sink.latency, &c->generator.clock));
	json_object_set_new(v, "behind_ns", figures_quantiles(&c->generator.behind,
							      &c->generator.clock));
	set_sums(v, h, c->hops, &generator);
	json_object_set_new(v, "generator", thread_json(&generator));
	json_object_set_new(v, "hops", hops);
	set_bottleneck(v, c, h, &generator);
	return v;
}
