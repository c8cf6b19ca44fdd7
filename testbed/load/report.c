// SPDX-License-Identifier: GPL-2.0-or-later
/* What a load has shown: JSON, text, and intervals as CSV. */
#include <math.h>
#include <string.h>

#include "json.h"
#include "load/load.h"
#include "plot/plot.h"

/* Above it the generator itself may be what is measured. */
#define BUSY_SHARE	0.9

static const struct {
	const char *key;
	u32 permille;
} quantiles[] = {
	{ "p50", 500 }, { "p90", 900 }, { "p95", 950 }, { "p99", 990 }, { "p999", 999 },
};
#define QUANTILES	(sizeof(quantiles) / sizeof(quantiles[0]))

static double known_ns(u64 v)
{
	return v == UINT64_MAX ? UNKNOWN : (double)v;
}

/* ---- JSON ---- */

static void set_number(json_t *v, const char *key, double n)
{
	json_object_set_new(v, key, json_number_or_null(n, 0));
}

static json_t *hist_json(const struct rp_hist *h)
{
	json_t *v = json_object();
	u32 i;

	for (i = 0; i < QUANTILES; i++)
		set_number(v, quantiles[i].key, h->count ?
			   (double)rp_hist_quantile(h, quantiles[i].permille) : UNKNOWN);
	set_number(v, "max", h->count ? (double)h->max : UNKNOWN);
	return v;
}

static json_t *all_json(const struct load_stats *s)
{
	json_t *v = json_object();
	u32 i;

	for (i = 0; i < QUANTILES; i++)
		set_number(v, quantiles[i].key,
			   known_ns(load_stats_quantile(s, quantiles[i].permille)));
	return v;
}

static json_t *errors_json(const u64 *n)
{
	json_t *v = json_object();
	u32 i;

	for (i = 0; i < LOAD_OUTCOMES; i++)
		if (load_outcome_names[i])
			set_number(v, load_outcome_names[i], (double)n[i]);
	return v;
}

static void add_stats(json_t *v, const struct load_stats *s, double seconds)
{
	set_number(v, "offered", (double)s->offered);
	set_number(v, "sent", (double)s->sent);
	set_number(v, "done", (double)s->done);
	set_number(v, "failed", (double)s->failed);
	set_number(v, "missed", (double)(s->late + s->unsent));
	set_number(v, "late", (double)s->late);
	set_number(v, "unsent", (double)s->unsent);
	set_number(v, "offered_rps", (double)s->offered / seconds);
	set_number(v, "done_rps", (double)s->done / seconds);
	json_object_set_new(v, "errors", errors_json(s->errors));
	json_object_set_new(v, "connection_errors", errors_json(s->connection_errors));
	set_number(v, "connects", (double)s->connects);
	json_object_set_new(v, "latency_ns", hist_json(&s->latency));
	json_object_set_new(v, "offered_latency_ns", all_json(s));
	json_object_set_new(v, "behind_ns", hist_json(&s->behind));
}

json_t *load_result_json(const struct load_params *p, const struct load_result *r)
{
	double seconds = (double)r->measured_ns / 1e9;
	json_t *v = json_pack("{s:s, s:s, s:s, s:s, s:s}", "proto", p->gen.proto->name, "transport",
			      p->transport->name, "target", p->target.name, "shape",
			      p->offer.shape->name, "spacing", p->offer.even ? "even" : "poisson");
	json_t *agent;

	json_object_set_new(v, "rate_rps", json_real(r->rate));
	set_number(v, "seed", (double)p->offer.seed);
	set_number(v, "threads", p->threads);
	set_number(v, "connections", p->gen.connections);
	set_number(v, "pipeline", p->gen.pipeline);
	set_number(v, "measured_ns", (double)r->measured_ns);
	set_number(v, "warmup_ns", (double)p->gen.warmup_ns);
	set_number(v, "late_after_ns", (double)p->gen.late_ns);
	set_number(v, "timeout_ns", (double)p->gen.timeout_ns);
	json_object_set_new(v, "stopped", json_boolean(r->stopped));
	add_stats(v, &r->all, seconds);
	json_object_set_new(v, "cpu_share_max", json_number_or_null(r->cpu_share_max, 3));
	agent = r->has_agent ? json_pack("{s:f}", "rate_rps", p->agent_rate) : json_null();
	if (r->has_agent)
		add_stats(agent, &r->agent, seconds);
	json_object_set_new(v, "agent", agent);
	return v;
}

/* ---- Text ---- */

static void row(struct table *t, const char *name, const struct load_stats *s, double seconds)
{
	u32 i;

	table_cell(t, "%s", name);
	table_number(t, (double)s->offered / seconds, 0);
	table_number(t, (double)s->done / seconds, 0);
	table_number(t, (double)(s->late + s->unsent), 0);
	table_number(t, (double)s->failed, 0);
	for (i = 0; i < QUANTILES; i++)
		table_number(t, s->latency.count ?
			     (double)rp_hist_quantile(&s->latency, quantiles[i].permille) / 1e3 :
			     UNKNOWN, 1);
	table_number(t, s->latency.count ? (double)s->latency.max / 1e3 : UNKNOWN, 1);
}

static void print_errors(const char *what, const u64 *n, int last_errno, FILE *to)
{
	const char *sep = ": ";
	u32 i;

	for (i = 0; i < LOAD_OUTCOMES && !n[i]; i++)
		;
	if (i == LOAD_OUTCOMES)
		return;
	fputs(what, to);
	for (i = 0; i < LOAD_OUTCOMES; i++) {
		if (!n[i])
			continue;
		fprintf(to, "%s%s %llu", sep, load_outcome_names[i], (unsigned long long)n[i]);
		if (i == LOAD_FAULT && last_errno)
			fprintf(to, " (%s)", strerror(last_errno));
		sep = ", ";
	}
	fputc('\n', to);
}

/* What a reader must know before he believes the percentiles. */
static void print_warnings(const struct load_params *p, const struct load_result *r, FILE *to)
{
	const struct load_stats *s = &r->all;

	if (s->late + s->unsent)
		fprintf(to, "Missed: %llu requests were sent more than %.3f ms late, %llu not at all; "
			"at most %.1f ms late. Latencies count from when they were due.\n",
			(unsigned long long)s->late, (double)p->gen.late_ns / 1e6,
			(unsigned long long)s->unsent, (double)s->behind.max / 1e6);
	if (!p->target.spin && r->cpu_share_max > BUSY_SHARE)
		fprintf(to, "A thread of the generator was busy for %.0f %% of its time: take more "
			"--threads, or less load.\n", 100 * r->cpu_share_max);
	if (r->stopped)
		fprintf(to, "Stopped after %.3f s.\n", (double)r->measured_ns / 1e9);
}

void load_result_print(const struct load_params *p, const struct load_result *r, FILE *to)
{
	static const char *const heads[] = {
		"", "offered/s", "done/s", "missed", "failed", "p50 us", "p90 us", "p95 us", "p99 us",
		"p99.9 us", "max us",
	};
	struct table *t = table_new(sizeof(heads) / sizeof(heads[0]));
	double seconds = (double)r->measured_ns / 1e9;
	u32 i;

	fprintf(to, "%s to %s by %s: %s, %s, %.0f requests/s at most, %u connections, %u threads\n",
		p->gen.proto->name, p->target.name, p->transport->name, p->offer.shape->name,
		p->offer.even ? "even" : "Poisson", r->rate, p->gen.connections, p->threads);
	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		table_cell(t, "%s", heads[i]);
	row(t, "load", &r->all, seconds);
	if (r->has_agent)
		row(t, "agent", &r->agent, seconds);
	table_print(t, to);
	table_free(t);
	print_errors("Failed", r->all.errors, r->all.last_errno, to);
	print_errors("Connections lost", r->all.connection_errors, r->all.last_errno, to);
	print_errors("The agent's failed", r->agent.errors, r->agent.last_errno, to);
	print_warnings(p, r, to);
}

/* ---- CSV ---- */

static void write_quantile(const struct rp_hist *h, u32 permille, FILE *to)
{
	if (h)
		fprintf(to, ",%llu", (unsigned long long)rp_hist_quantile(h, permille));
	else
		fputc(',', to);
}

static void write_points(const struct load_result *r, FILE *to)
{
	const struct load_stats *s = &r->all;
	const struct load_point *p;
	u64 t_ns;
	u32 i;

	fprintf(to, "%s\n", LOAD_CSV_HEAD);
	for (i = 0; i < s->points; i++) {
		t_ns = i * s->interval_ns;
		if (t_ns >= r->measured_ns)
			break;
		p = &s->point[i];
		fprintf(to, "%llu,%llu,%llu,%llu,%llu,%llu", (unsigned long long)t_ns,
			(unsigned long long)p->offered, (unsigned long long)p->sent,
			(unsigned long long)p->done, (unsigned long long)p->missed,
			(unsigned long long)p->failed);
		write_quantile(p->latency, 500, to);
		write_quantile(p->latency, 990, to);
		write_quantile(r->agent.points > i ? r->agent.point[i].latency : NULL, 500, to);
		fputc('\n', to);
	}
}

int load_result_csv(const struct load_result *r, const char *path)
{
	FILE *f = fopen(path, "we");
	bool bad;

	if (!f)
		return fail("cannot write intervals to %s: %m", path);
	write_points(r, f);
	bad = ferror(f);
	bad |= fclose(f) != 0;
	return bad ? fail("cannot write intervals to %s: %m", path) : 0;
}
