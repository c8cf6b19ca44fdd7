// SPDX-License-Identifier: GPL-2.0-or-later
/* `ringpace load`: one run, or the search for the highest rate that keeps a bound. */
#include <math.h>
#include <unistd.h>

#include "cmd.h"
#include "json.h"
#include "load/args.h"
#include "load/slo.h"
#include "provenance.h"

/* Where the search begins, and how exact it is. */
#define SLO_RANGE	100
#define SLO_RATIO	1.03

/* ---- One run ---- */

static void print(const struct load_args *a, const struct load_result *r)
{
	json_t *v;

	if (!a->json) {
		load_result_print(&a->p, r, stdout);
		return;
	}
	v = load_result_json(&a->p, r);
	provenance_add(v);
	json_print(v, stdout);
}

static int run_once(const struct load_args *a)
{
	struct load_result r;
	int rc = load_run(&a->p, &r);

	if (!rc) {
		print(a, &r);
		if (a->csv)
			rc = load_result_csv(&r, a->csv);
		if (!rc && r.all.offered && !r.all.done)
			rc = fail("none of %llu requests to %s was answered well",
				  (unsigned long long)r.all.offered, a->p.target.name);
	}
	load_result_free(&r);
	return rc ? 1 : 0;
}

/* ---- The search ---- */

static bool try(void *ctx, double rate, double *p99_ns)
{
	struct load_args *a = ctx;
	struct load_result r;
	bool good;
	u64 p99;

	load_params_rate(&a->p, rate);
	if (a->p.progress)
		snprintf(a->progress, sizeof(a->progress), "load of %.0f requests/s", rate);
	good = !load_run(&a->p, &r) && !r.stopped;
	if (good) {
		p99 = load_stats_quantile(&r.all, 990);
		*p99_ns = p99 == UINT64_MAX ? INFINITY : (double)p99;
	}
	load_result_free(&r);
	return good;
}

static json_t *trials_json(const struct load_slo_result *r)
{
	json_t *list = json_array(), *v;
	u32 i;

	for (i = 0; i < r->trials; i++) {
		v = json_pack("{s:f, s:b}", "rate_rps", r->trial[i].rate, "kept", r->trial[i].kept);
		json_object_set_new(v, "p99_ns", isfinite(r->trial[i].p99_ns) ?
				    json_number_or_null(r->trial[i].p99_ns, 0) : json_null());
		json_array_append_new(list, v);
	}
	return list;
}

static void print_slo(const struct load_args *a, const struct load_slo_result *r)
{
	json_t *v;

	if (a->json) {
		v = json_pack("{s:s, s:s, s:f, s:f, s:b, s:i, s:o}", "proto", a->p.gen.proto->name,
			      "target", a->p.target.name, "slo_p99_ns", (double)a->slo_p99_ns,
			      "rate_rps", r->rate, "open", r->open, "repeats", (int)a->slo_repeats,
			      "trials", trials_json(r));
		json_object_set_new(v, "p99_ns", r->rate ? json_number_or_null(r->p99_ns, 0) :
				    json_null());
		provenance_add(v);
		json_print(v, stdout);
		return;
	}
	if (!r->rate)
		printf("Not even %.0f requests/s keep a p99 of %.1f us: it was %.1f us.\n",
		       r->trial[0].rate, (double)a->slo_p99_ns / 1e3, r->trial[0].p99_ns / 1e3);
	else
		printf("%.0f requests/s keep a p99 of %.1f us: it was %.1f us%s.\n", r->rate,
		       (double)a->slo_p99_ns / 1e3, r->p99_ns / 1e3,
		       r->open ? "; that is --rate-rps, more may do" : "");
}

static int run_slo(struct load_args *a)
{
	const struct load_slo slo = {
		.bound_ns = (double)a->slo_p99_ns, .low = a->rate / SLO_RANGE, .high = a->rate,
		.ratio = SLO_RATIO, .repeats = a->slo_repeats, .try = try, .ctx = a,
	};
	struct load_slo_result r;

	if (!load_slo_search(&slo, &r)) {
		if (stopped())
			fail("stopped before the rate was found; %u were tried, and %.0f requests/s "
			     "kept the bound", r.trials, r.rate);
		return 1;
	}
	print_slo(a, &r);
	return 0;
}

static int run(int argc, char **argv)
{
	struct load_args a;

	load_args_parse(argc, argv, &a);
	if (a.p.transport == &load_transport_sockets && load_sockets_allow(a.p.gen.connections))
		return 1;
	snprintf(a.progress, sizeof(a.progress), "load");
	a.p.progress = isatty(STDERR_FILENO) ? a.progress : NULL;
	catch_signals();
	return a.slo_p99_ns ? run_slo(&a) : run_once(&a);
}

const struct cmd cmd_load = {
	.name = "load",
	.summary = "offer a server requests when they are due, and time the answers",
	.run = run,
};
