// SPDX-License-Identifier: GPL-2.0-or-later
/* Medians over rounds, and tables. */
#include "chain/report.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "provenance.h"

static const char *text_at(const json_t *v, const char *key)
{
	return json_string_value(json_object_get(v, key));
}

/* ---- One result of several runs ---- */

/* The @i-th run of strategy @who, in the order of rounds; NULL: there are no more. */
static const json_t *run_of(const json_t *runs, const char *who, u32 i)
{
	const json_t *r;
	size_t k;

	json_array_foreach(runs, k, r)
		if (!strcmp(text_at(r, "strategy"), who) && !i--)
			return r;
	return NULL;
}

/* Of the number @key of runs, or of their object @part. */
static double median_of(const json_t *runs, const char *who, const char *part, const char *key)
{
	double *v = calloc(json_array_size(runs), sizeof(*v)), m;
	const json_t *r;
	u32 i, n = 0;

	if (!v)
		abort();
	for (i = 0; (r = run_of(runs, who, i)); i++) {
		m = json_number_at(part ? json_object_get(r, part) : r, key);
		if (is_known(m))
			v[n++] = m;
	}
	m = median(v, n);
	free(v);
	return m;
}

static double sum_of(const json_t *runs, const char *who, const char *key)
{
	const json_t *r;
	double sum = 0;
	size_t i;

	json_array_foreach(runs, i, r)
		if (!who || !strcmp(text_at(r, "strategy"), who))
			sum += json_number_at(r, key);
	return sum;
}

static json_t *latency_json(const json_t *runs, const char *who)
{
	const json_t *like = json_object_get(run_of(runs, who, 0), "latency_ns");
	json_t *v = json_object(), *n;
	const char *key;

	json_object_foreach((json_t *)like, key, n)
		json_object_set_new(v, key, json_number_or_null(
			median_of(runs, who, "latency_ns", key), 0));
	return v;
}

static json_t *strategy_json(const json_t *runs, const char *who)
{
	json_t *v = json_pack("{s:s}", "strategy", who);

#define MEDIAN(key, decimals) \
	json_object_set_new(v, key, json_number_or_null(median_of(runs, who, NULL, key), decimals))
#define SUM(key) json_object_set_new(v, key, json_number_or_null(sum_of(runs, who, key), 0))
	SUM("lost");
	SUM("reordered");
	MEDIAN("pps", 0);
	json_object_set_new(v, "latency_ns", latency_json(runs, who));
	MEDIAN("cpu_ns_per_packet", 1);
	MEDIAN("kicks_per_packet", 6);
	MEDIAN("calls_per_packet", 6);
#undef SUM
#undef MEDIAN
	return v;
}

json_t *chain_result(json_t *runs, u32 n)
{
	json_t *by = json_array(), *v;
	size_t total = json_array_size(runs);
	u32 i;

	if (total == 1) {
		json_decref(by);
		v = json_incref(json_array_get(runs, 0));
		json_decref(runs);
		return v;
	}
	for (i = 0; i < n; i++)
		json_array_append_new(by, strategy_json(runs, text_at(json_array_get(runs, i),
								      "strategy")));
	return json_pack("{s:s, s:i, s:o, s:o, s:o, s:o}",
			 "lane", text_at(json_array_get(runs, 0), "lane"),
			 "rounds", (int)(total / n),
			 "lost", json_number_or_null(sum_of(runs, NULL, "lost"), 0),
			 "reordered", json_number_or_null(sum_of(runs, NULL, "reordered"), 0),
			 "by_strategy", by, "runs", runs);
}

/* ---- Tables ---- */

static struct table *begin(const char *const *heads, u32 n)
{
	struct table *t = table_new(n);
	u32 i;

	for (i = 0; i < n; i++)
		table_cell(t, "%s", heads[i]);
	return t;
}

static void end(struct table *t)
{
	table_print(t, stdout);
	table_free(t);
}

/* Of a run, or of a strategy's medians. */
static void summary_row(struct table *t, const json_t *v)
{
	const json_t *latency = json_object_get(v, "latency_ns");

	table_cell(t, "%s", text_at(v, "strategy"));
	table_number(t, json_number_at(v, "pps"), 0);
	table_number(t, json_number_at(v, "lost"), 0);
	table_number(t, json_number_at(v, "reordered"), 0);
	table_number(t, json_number_at(latency, "p50"), 0);
	table_number(t, json_number_at(latency, "p90"), 0);
	table_number(t, json_number_at(latency, "p99"), 0);
	table_number(t, json_number_at(latency, "p999"), 0);
	table_number(t, json_number_at(latency, "max"), 0);
	table_number(t, json_number_at(v, "cpu_ns_per_packet"), 0);
	table_number(t, json_number_at(v, "kicks_per_packet"), 3);
	table_number(t, json_number_at(v, "calls_per_packet"), 3);
}

static struct table *summary(void)
{
	static const char *const heads[] = {
		"strategy", "pps", "lost", "reordered", "p50 ns", "p90 ns", "p99 ns", "p999 ns",
		"max ns", "CPU ns/p", "kicks/p", "calls/p",
	};

	return begin(heads, sizeof(heads) / sizeof(*heads));
}

static void regime_cell(struct table *t, const json_t *hop)
{
	const json_t *r = json_object_get(hop, "regime");

	table_cell(t, "%s/%s", text_at(r, "tx") ?: "-", text_at(r, "rx") ?: "-");
}

static void hop_row(struct table *t, const json_t *h)
{
	const json_t *pacer = json_object_get(h, "pacer"), *stage = json_object_get(h, "stage");

	table_number(t, json_number_at(h, "hop"), 0);
	table_cell(t, "%s > %s", text_at(h, "from"), text_at(h, "to"));
	table_cell(t, "%s", text_at(h, "strategy"));
	table_number(t, json_number_at(h, "pps"), 0);
	table_number(t, json_number_at(h, "lost"), 0);
	table_number(t, json_number_at(h, "reordered"), 0);
	table_number(t, json_number_at(h, "tx_kicks_per_packet"), 3);
	table_number(t, json_number_at(h, "tx_calls_per_packet"), 3);
	table_number(t, json_number_at(h, "rx_calls_per_packet"), 3);
	table_number(t, json_number_at(h, "rx_kicks_per_packet"), 3);
	table_number(t, json_number_at(h, "tx_fill") * 100, 0);
	table_number(t, json_number_at(h, "rx_fill") * 100, 0);
	table_number(t, json_number_at(json_object_get(h, "latency_ns"), "p98"), 0);
	regime_cell(t, h);
	table_number(t, json_number_at(pacer, "cpu") * 100, 0);
	table_number(t, json_number_at(pacer, "cpu_ns_per_packet"), 0);
	table_number(t, json_number_at(pacer, "waits_per_s"), 0);
	table_number(t, json_number_at(pacer, "utilisation") * 100, 0);
	table_number(t, json_number_at(stage, "cpu") * 100, 0);
	table_number(t, json_number_at(stage, "cpu_ns_per_packet"), 0);
	table_number(t, json_number_at(stage, "waits_per_s"), 0);
	table_number(t, json_number_at(stage, "utilisation") * 100, 0);
}

static void print_bottleneck(const json_t *run)
{
	const json_t *b = json_object_get(run, "bottleneck");
	const json_t *busiest = json_object_get(run, "busiest");
	double hop = json_number_at(run, "bottleneck_hop");

	if (json_is_object(b) && is_known(hop))
		printf("bottleneck: %s (hop %.0f): %s\n", text_at(b, "party"), hop, text_at(b, "why"));
	else if (json_is_object(b))
		printf("bottleneck: %s: %s\n", text_at(b, "party"), text_at(b, "why"));
	else if (json_is_object(busiest))
		printf("no bottleneck: the chain keeps up; busiest is %s, %.0f %% of the time\n",
		       text_at(busiest, "party"), json_number_at(busiest, "utilisation") * 100);
	else
		printf("no bottleneck: nothing passed in the measured time\n");
}

static void print_run(const json_t *run)
{
	static const char *const heads[] = {
		"hop", "way", "strategy", "pps", "lost", "reord.", "kicks/p tx", "calls/p tx", "calls/p rx",
		"kicks/p rx", "tx full %", "rx full %", "p98 ns", "regime tx/rx", "pacer CPU %", "ns/p",
		"waits/s", "busy %", "stage CPU %", "ns/p", "waits/s", "busy %",
	};
	struct table *t = begin(heads, sizeof(heads) / sizeof(*heads));
	const json_t *behind = json_object_get(run, "behind_ns"), *h;
	size_t i;

	json_array_foreach(json_object_get(run, "hops"), i, h)
		hop_row(t, h);
	end(t);
	printf("generator: behind by %.0f ns (p50), %.0f ns (p99); %.0f packets were due and not sent\n",
	       json_number_at(behind, "p50"), json_number_at(behind, "p99"),
	       json_number_at(run, "unsent"));
	print_bottleneck(run);
}

static const json_t *last_run_of(const json_t *runs, const char *who)
{
	const json_t *last = NULL, *r;
	u32 i;

	for (i = 0; (r = run_of(runs, who, i)); i++)
		last = r;
	return last;
}

static void print_many(const json_t *result)
{
	const json_t *by = json_object_get(result, "by_strategy"), *v;
	struct table *t = summary();
	size_t i;

	json_array_foreach(by, i, v)
		summary_row(t, v);
	end(t);
	printf("medians of %.0f rounds\n", json_number_at(result, "rounds"));
	json_array_foreach(by, i, v) {
		printf("\n%s, last round:\n", text_at(v, "strategy"));
		print_run(last_run_of(json_object_get(result, "runs"), text_at(v, "strategy")));
	}
}

void chain_print(const json_t *result)
{
	struct table *t;

	if (json_object_get(result, "runs")) {
		print_many(result);
	} else {
		t = summary();
		summary_row(t, result);
		end(t);
		printf("\n");
		print_run(result);
	}
	provenance_note(result);
}
