// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench estimator: what the adaptive strategy's bookkeeping costs. It is done
 * once a cycle, from one wait to the next, and nothing per item; so what an item
 * pays is that divided by the cycle's items. The strategy is fed with a party's
 * counts whose times are made up, on a thread that does nothing else. They vary
 * from cycle to cycle, as real ones do: a processor foresees what constant ones
 * decide. Asking for the CPU time, now and then, is a real system call.
 */
#include "bench.h"
#include "pacing/party.h"

#define LEN		1024u
#define DMAX_NS		300000u
#define T_NS		2000u		/* pace of the other side */
#define SLEEP_NS	55000u		/* the shortest sleep */
#define SLEEP_CPU_NS	10000u
#define WARM		4096u
/* Random additions to a cycle's work and sleep: masks, ns */
#define WORK_SPREAD	255u
#define SLEEP_SPREAD	4095u
/* The counts are in ticks, which are ns here. */
#define TSC_HZ		1000000000u

static const u32 batches[] = { 1, 4, 16, 64 };
#define BATCHES		(sizeof(batches) / sizeof(batches[0]))

/* The call is made, but its answer knows nothing of times that are made up. */
static u64 cpu_ns(struct rp_party *p)
{
	const struct rp_stats *st = &p->stats;
	u64 made_up = st->work_tsc + st->spin_tsc + st->sleeps * SLEEP_CPU_NS;

	return thread_cpu_ns() ? made_up : 0;
}

static const struct rp_thread_ops thread = { .cpu_ns = cpu_ns };

static u32 draw(u32 *rng)
{
	*rng = *rng * 1664525u + 1013904223u;	/* Numerical Recipes' */
	return *rng >> 16;
}

/* @items have come, a wait begins and ends. Returns the time at its end. */
static u64 cycle(struct rp_party *p, u32 items, u64 at_ns, u32 *rng)
{
	u64 work = items * (T_NS / 4) + (draw(rng) & WORK_SPREAD), took;
	struct rp_strategy *s = &p->strategy;
	struct rp_decision d;

	p->stats.items += items;
	p->latency->count += items;
	p->stats.work_tsc += work;
	at_ns += work;
	d = s->ops->idle(s, at_ns);
	took = d.wait == RP_WAIT_SLEEP ? d.wait_ns + SLEEP_NS + (draw(rng) & SLEEP_SPREAD) : T_NS;
	if (took < items * T_NS / 4 * 3)
		took = items * T_NS / 4 * 3;
	if (d.wait == RP_WAIT_SPIN) {
		p->stats.spin_tsc += took;
		return at_ns + took;
	}
	p->stats.sleeps++;
	p->stats.sleep_tsc += took;
	s->ops->woken(s, RP_WAKE_SLEPT, items, at_ns + took);
	return at_ns + took;
}

/* CPU time of a cycle of so many items. */
static double measure(u32 items, enum rp_role role, u64 for_ns)
{
	const struct rp_params params = {
		.strategy = RP_ADAPTIVE, .role = role, .queue_len = LEN, .threshold = 1,
		.dmax_ns = DMAX_NS,
	};
	static struct rp_hist latency;
	static struct rp_party p;
	u64 at = 1000000, n = 0, begin, used, i;
	u32 rng = 1;

	p = (struct rp_party){ .thread = &thread, .latency = &latency };
	rp_hist_reset(&latency);
	rp_party_init(&p, &params, TSC_HZ);
	for (i = 0; i < WARM; i++)
		at = cycle(&p, items, at, &rng);
	begin = thread_cpu_ns();
	do {
		for (i = 0; i < WARM; i++)
			at = cycle(&p, items, at, &rng);
		n += WARM;
		used = thread_cpu_ns() - begin;
	} while (used < for_ns);
	return (double)used / (double)n;
}

/* The least of all rounds: what else the machine does only adds to it. */
static json_t *row(u32 items, enum rp_role role, const struct bench_options *o)
{
	const u64 for_ns = (u64)(o->seconds * 1e9) / BATCHES / 2;
	double least = UNKNOWN, ns;
	u32 i;

	for (i = 0; i < o->rounds && !stopped(); i++) {
		ns = measure(items, role, for_ns);
		if (!is_known(least) || ns < least)
			least = ns;
	}
	return json_pack("{s:s,s:i,s:f,s:f}", "role", role == RP_PRODUCER ? "producer" : "consumer",
			 "batch", (int)items, "cycle_ns", least, "item_ns", least / items);
}

static json_t *bench_run(const struct bench_options *o)
{
	static const enum rp_role roles[] = { RP_CONSUMER, RP_PRODUCER };
	json_t *rows = json_array();
	u32 r, i;

	for (r = 0; r < 2; r++)
		for (i = 0; i < BATCHES; i++)
			json_array_append_new(rows, row(batches[i], roles[r], o));
	if (stopped()) {
		json_decref(rows);
		return NULL;
	}
	return json_pack("{s:o,s:i}", "cycles", rows, "rounds", (int)o->rounds);
}

static void bench_print(const json_t *result)
{
	size_t i;
	json_t *v;

	printf("%-10s %16s %14s %14s\n", "side", "items a cycle", "cycle, ns", "item, ns");
	json_array_foreach(json_object_get(result, "cycles"), i, v)
		printf("%-10s %16.0f %14.1f %14.2f\n",
		       json_string_value(json_object_get(v, "role")),
		       json_number_at(v, "batch"), json_number_at(v, "cycle_ns"),
		       json_number_at(v, "item_ns"));
}

const struct bench bench_estimator = {
	.name = "estimator",
	.summary = "what the adaptive strategy's bookkeeping costs, CPU time a cycle and an item",
	.run = bench_run,
	.print = bench_print,
};
