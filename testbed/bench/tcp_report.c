// SPDX-License-Identifier: GPL-2.0-or-later
/* bench dataplane over TCP: its keys, and a table. */
#include <math.h>

#include "bench/tcp_servers.h"

static const char *const load_keys[TCP_LOADS] = {
	"echo_port", "kv_port", "echo_peak", "kv_peak", "kv_half", "kv_port_half"
};
static const char *const who_keys[TCP_WHO] = { "rp-dataplane", "memcached" };

static const struct field {
	const char *key;
	size_t at;
	int decimals;
} fields[] = {
	{ "done_rps", offsetof(struct tcp_sample, done_rps), 0 },
	{ "cpu_ns_per_request", offsetof(struct tcp_sample, cpu_ns), 1 },
	{ "turn_ns_per_packet", offsetof(struct tcp_sample, turn_ns), 1 },
	{ "ringpaced_cpu_ns_per_request", offsetof(struct tcp_sample, port_cpu_ns), 1 },
	{ "softirq_ns_per_request", offsetof(struct tcp_sample, softirq_ns), 1 },
	{ "cpu", offsetof(struct tcp_sample, cpu), 3 },
	{ "generator_cpu", offsetof(struct tcp_sample, generator_cpu), 3 },
	{ "p50_ns", offsetof(struct tcp_sample, p50_ns), 0 },
	{ "p99_ns", offsetof(struct tcp_sample, p99_ns), 0 },
	{ "failed", offsetof(struct tcp_sample, failed), 0 },
	{ "unsent", offsetof(struct tcp_sample, unsent), 0 },
};
#define FIELDS	(sizeof(fields) / sizeof(fields[0]))

/* In a flood all wait, most for ever: how long says nothing. */
static bool tells(u32 load, const struct field *f)
{
	return load == TCP_KV_HALF || load == TCP_KV_PORT_HALF || (f->at != offsetof(struct tcp_sample, p50_ns) &&
				       f->at != offsetof(struct tcp_sample, p99_ns) &&
				       f->at != offsetof(struct tcp_sample, unsent));
}

static json_t *number(double v, int decimals)
{
	return json_number_or_null(isfinite(v) ? v : UNKNOWN, decimals);
}

/* ---- JSON ---- */

static json_t *medians_json(const struct tcp_bench *b, u32 load, u32 who)
{
	json_t *v = json_object();
	size_t i;

	for (i = 0; i < FIELDS; i++)
		if (tells(load, &fields[i]))
			json_object_set_new(v, fields[i].key,
					    number(tcp_bench_median(b, load, who, fields[i].at),
						   fields[i].decimals));
	return v;
}

static void add_samples(json_t *all, const struct tcp_bench *b, u32 load, u32 who)
{
	const struct tcp_sample *s;
	json_t *v;
	size_t i;
	u32 n;

	for (n = 0; n < b->args->rounds; n++) {
		s = &b->sample[load][who][n];
		v = json_pack("{s:s, s:s, s:i}", "load", load_keys[load], "server", who_keys[who],
			      "round", (int)n);
		for (i = 0; i < FIELDS; i++)
			if (tells(load, &fields[i]))
				json_object_set_new(v, fields[i].key,
						    number(*(const double *)((const char *)s +
							   fields[i].at), fields[i].decimals));
		json_array_append_new(all, v);
	}
}

#define MEDIAN(b, load, who, field) \
	tcp_bench_median(b, load, who, offsetof(struct tcp_sample, field))

/* A bound that nobody knows makes no ratio, were it that of the divisor alone. */
static double p99_ratio(const struct tcp_bench *b, u32 load)
{
	double ours = MEDIAN(b, load, TCP_DATAPLANE, p99_ns);
	double theirs = MEDIAN(b, TCP_KV_HALF, TCP_MEMCACHED, p99_ns);

	return isfinite(ours) && isfinite(theirs) ? ours / theirs : UNKNOWN;
}

static void set_ratios(const struct tcp_bench *b, json_t *v)
{
	double theirs = MEDIAN(b, TCP_KV_PEAK, TCP_MEMCACHED, cpu_ns);
	double ours = MEDIAN(b, TCP_KV_PEAK, TCP_DATAPLANE, cpu_ns);
	double port = MEDIAN(b, TCP_KV_PEAK, TCP_DATAPLANE, port_cpu_ns);

	json_object_set_new(v, "echo_ns_per_request",
			    number(MEDIAN(b, TCP_ECHO_PORT, TCP_DATAPLANE, cpu_ns), 0));
	json_object_set_new(v, "echo_turn_ns_per_packet",
			    number(MEDIAN(b, TCP_ECHO_PORT, TCP_DATAPLANE, turn_ns), 0));
	json_object_set_new(v, "memory_per_idle_connection_bytes", number(b->idle_bytes, 0));
	json_object_set_new(v, "kv_vs_memcached", number(theirs / ours, 3));
	json_object_set_new(v, "kv_with_ringpaced_vs_memcached", number(theirs / (ours + port), 3));
	json_object_set_new(v, "kv_peak_vs_memcached",
			    number(MEDIAN(b, TCP_KV_PEAK, TCP_DATAPLANE, done_rps) /
				   MEDIAN(b, TCP_KV_PEAK, TCP_MEMCACHED, done_rps), 3));
	json_object_set_new(v, "kv_p99_vs_memcached", number(p99_ratio(b, TCP_KV_HALF), 3));
	json_object_set_new(v, "kv_port_vs_memcached",
			    number(theirs / MEDIAN(b, TCP_KV_PORT, TCP_DATAPLANE, cpu_ns), 3));
	json_object_set_new(v, "kv_port_peak_vs_memcached",
			    number(MEDIAN(b, TCP_KV_PORT, TCP_DATAPLANE, done_rps) /
				   MEDIAN(b, TCP_KV_PEAK, TCP_MEMCACHED, done_rps), 3));
	json_object_set_new(v, "kv_port_p99_vs_memcached",
			    number(p99_ratio(b, TCP_KV_PORT_HALF), 3));
}

void tcp_bench_result(const struct tcp_bench *b, json_t *v, json_t *not_measured)
{
	json_t *figures = json_object(), *samples = json_array(), *of;
	u32 load, who;

	set_ratios(b, v);
	for (load = 0; load < TCP_LOADS; load++) {
		of = json_object();
		for (who = 0; who < TCP_WHO; who++) {
			if (!tcp_bench_measures(b, load, who))
				continue;
			json_object_set_new(of, who_keys[who], medians_json(b, load, who));
			add_samples(samples, b, load, who);
		}
		json_object_set_new(figures, load_keys[load], of);
	}
	json_object_set_new(v, "kv_half_rps", number(b->half_rps, 0));
	json_object_set_new(v, "connections", json_integer(b->args->connections));
	json_object_set_new(v, "rounds", json_integer(b->args->rounds));
	json_object_set_new(v, "seconds", json_real(b->args->seconds));
	json_object_set_new(v, "sleep_ns", number(b->args->pacing.dmax_ns ? UNKNOWN :
						  (double)b->args->pacing.sleep_ns, 0));
	json_object_set_new(v, "dmax_ns", number(b->args->pacing.dmax_ns ?
						 (double)b->args->pacing.dmax_ns : UNKNOWN, 0));
	json_object_set_new(v, "port_dmax_ns", number((double)b->args->pacing.port_dmax_ns, 0));
	json_object_set_new(v, "peak_dmax_ns", number((double)b->args->peak_pacing.dmax_ns, 0));
	json_object_set_new(v, "figures", figures);
	json_object_set_new(v, "samples", samples);
	if (b->why_no_net[0])
		json_object_set_new(not_measured, "sockets", json_string(b->why_no_net));
	if (b->why_no_memcached[0])
		json_object_set_new(not_measured, "kv", json_string(b->why_no_memcached));
}

/* ---- A table ---- */

static void row(struct table *t, const char *load, const char *who, const json_t *v)
{
	table_cell(t, "%s", load);
	table_cell(t, "%s", who);
	table_number(t, json_number_at(v, "done_rps"), 0);
	table_number(t, json_number_at(v, "cpu_ns_per_request"), 0);
	table_number(t, json_number_at(v, "turn_ns_per_packet"), 0);
	table_number(t, json_number_at(v, "ringpaced_cpu_ns_per_request"), 0);
	table_number(t, json_number_at(v, "softirq_ns_per_request"), 0);
	table_number(t, json_number_at(v, "cpu") * 100, 0);
	table_number(t, json_number_at(v, "generator_cpu") * 100, 0);
	table_number(t, json_number_at(v, "p50_ns") / 1e3, 1);
	table_number(t, json_number_at(v, "p99_ns") / 1e3, 1);
	table_number(t, json_number_at(v, "failed"), 0);
	table_number(t, json_number_at(v, "unsent"), 0);
}

static void print_ratios(const json_t *v)
{
	static const char *const ratios[][2] = {
		{ "CPU time of a request, memcached / ours", "kv_vs_memcached" },
		{ "  with ringpaced's", "kv_with_ringpaced_vs_memcached" },
		{ "highest rate, ours / memcached", "kv_peak_vs_memcached" },
		{ "p99 at half load, ours / memcached", "kv_p99_vs_memcached" },
		{ "from a port: CPU time of a request, memcached / ours", "kv_port_vs_memcached" },
		{ "  highest rate, ours / memcached", "kv_port_peak_vs_memcached" },
		{ "  p99 at memcached's half load, ours / memcached", "kv_port_p99_vs_memcached" },
	};
	struct table *t = table_new(2);
	size_t i;

	table_cell(t, "key-value");
	table_cell(t, "ratio");
	for (i = 0; i < sizeof(ratios) / sizeof(ratios[0]); i++) {
		table_cell(t, "%s", ratios[i][0]);
		table_number(t, json_number_at(v, ratios[i][1]), 2);
	}
	table_print(t, stdout);
	table_free(t);
}

void tcp_bench_print(const json_t *v)
{
	static const char *const heads[] = {
		"TCP load", "server", "requests/s", "CPU ns/request", "turns, ns/packet", "ringpaced's", "softirq",
		"server CPU %", "generator CPU %", "p50 us", "p99 us", "failed", "unsent",
	};
	struct table *t = table_new(sizeof(heads) / sizeof(heads[0]));
	const char *load, *who, *what;
	json_t *by, *of, *why;
	size_t i;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		table_cell(t, "%s", heads[i]);
	json_object_foreach(json_object_get(v, "figures"), load, by)
		json_object_foreach(by, who, of)
			row(t, load, who, of);
	table_print(t, stdout);
	if (is_known(json_number_at(v, "memory_per_idle_connection_bytes")))
		printf("a connection at rest   %.0f bytes\n",
		       json_number_at(v, "memory_per_idle_connection_bytes"));
	table_free(t);
	if (is_known(json_number_at(v, "kv_vs_memcached")))
		print_ratios(v);
	json_object_foreach(json_object_get(v, "not_measured"), what, why)
		printf("TCP, %s: not available: %s\n", what, json_string_value(why));
}
