// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench studies: the papers' two case studies (004, secs. 8.1 and 8.2) under
 * adaptive and under their own strategies, and what adaptive costs where there
 * is no work at all. Everything in one run: each round has every strategy of
 * every case, begins with another one, and medians over the rounds are compared.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "bench/options.h"
#include "lane.h"

#define QUEUE_LEN	512
#define Y_NS		5000
#define SUBJECT		RP_ADAPTIVE
#define STRATEGIES_MAX	4

struct args {
	u64 dmax_ns, duration_ns, warmup_ns;
	u32 rounds, scale;
	bool json;
};

static const struct study {
	const char *name, *title;
	u64 wp_ns, wc_ns;
	enum rp_strategy_id base;	/* what adaptive is compared with */
	enum rp_strategy_id of[STRATEGIES_MAX];
	u32 n;
} studies[] = {
	{ "fast_consumer", "8.1 fast consumer", 300, 200, RP_NOTIFY,
	  { RP_NOTIFY, RP_SLEEP, RP_BUSY, SUBJECT }, 4 },
	{ "fast_producer", "8.2 fast producer", 200, 300, RP_NOTIFY,
	  { RP_NOTIFY, RP_SLEEP, RP_BUSY, SUBJECT }, 4 },
	{ "no_work", "no work", 0, 0, RP_BUSY, { RP_BUSY, SUBJECT }, 2 },
};

#define STUDIES		(sizeof(studies) / sizeof(studies[0]))

/* A row a round. */
struct series {
	double t_ns[BENCH_ROUNDS_MAX], e_ns[BENCH_ROUNDS_MAX], p98_ns[BENCH_ROUNDS_MAX];
	double w_ns[BENCH_ROUNDS_MAX];	/* of the slower side, as measured */
};

static struct series all[STUDIES][STRATEGIES_MAX];

static double larger(double a, double b)
{
	return a > b || !is_known(b) ? a : b;
}

/* ---- Runs ---- */

static int measure(const struct args *a, const struct study *s, enum rp_strategy_id strategy,
		   struct series *to, u32 round)
{
	struct run_params p;
	struct run_result r;

	run_params_default(&p);
	p.strategy_p = p.strategy_c = strategy;
	p.wp_ns = s->wp_ns * a->scale;
	p.wc_ns = s->wc_ns * a->scale;
	p.yp_ns = p.yc_ns = (u64)Y_NS * a->scale;
	p.dmax_ns = a->dmax_ns;
	p.queue_len = QUEUE_LEN;
	p.duration_ns = a->duration_ns;
	p.warmup_ns = a->warmup_ns;
	p.trace = p.progress = false;
	if (run_experiment(&p, &r))
		return -1;
	if (r.lost > 0 || r.reordered > 0)
		return fail("bench studies: %s, %s: %.0f items lost, %.0f reordered: the figures "
			    "are worth nothing", s->title, rp_strategy_by_id(strategy)->name,
			    r.lost, r.reordered);
	to->t_ns[round] = r.t_ns;
	to->e_ns[round] = r.e_ns;
	to->p98_ns[round] = r.lat_p98_ns;
	to->w_ns[round] = larger(r.wp_ns, r.wc_ns);
	return 0;
}

static int run_round(const struct args *a, u32 round)
{
	u32 i, j, which;

	for (i = 0; i < STUDIES; i++)
		for (j = 0; j < studies[i].n; j++) {
			which = (j + round) % studies[i].n;
			if (isatty(STDERR_FILENO))
				fprintf(stderr, "\r\033[Kbench studies: round %u/%u, %s, %s",
					round + 1, a->rounds, studies[i].title,
					rp_strategy_by_id(studies[i].of[which])->name);
			if (measure(a, &studies[i], studies[i].of[which], &all[i][which], round))
				return -1;
		}
	return 0;
}

/* ---- The result ---- */

static json_t *numbers(const double *v, u32 n)
{
	json_t *to = json_array();
	u32 i;

	for (i = 0; i < n; i++)
		json_array_append_new(to, json_number_or_null(v[i], 2));
	return to;
}

/* Sorts a copy: the raw data stay in the order of the rounds. */
static double median_of(const double *v, u32 n)
{
	double copy[BENCH_ROUNDS_MAX];

	memcpy(copy, v, n * sizeof(*v));
	return median(copy, n);
}

static json_t *series_json(const struct series *s, u32 rounds)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}",
			 "t_ns", json_number_or_null(median_of(s->t_ns, rounds), 2),
			 "e_ns", json_number_or_null(median_of(s->e_ns, rounds), 2),
			 "lat_p98_ns", json_number_or_null(median_of(s->p98_ns, rounds), 0),
			 "rounds_t_ns", numbers(s->t_ns, rounds),
			 "rounds_e_ns", numbers(s->e_ns, rounds),
			 "rounds_lat_p98_ns", numbers(s->p98_ns, rounds));
}

static u32 index_of(const struct study *s, enum rp_strategy_id id)
{
	u32 i;

	for (i = 0; i + 1 < s->n && s->of[i] != id; i++)
		;
	return i;
}

static json_t *study_json(const struct args *a, u32 which)
{
	const struct study *s = &studies[which];
	const struct series *subject = &all[which][index_of(s, SUBJECT)];
	const struct series *base = &all[which][index_of(s, s->base)];
	double t = median_of(subject->t_ns, a->rounds), w = median_of(subject->w_ns, a->rounds);
	json_t *by = json_object();
	u32 i;

	for (i = 0; i < s->n; i++)
		json_object_set_new(by, rp_strategy_by_id(s->of[i])->name,
				    series_json(&all[which][i], a->rounds));
	return json_pack("{s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:o}",
		"title", s->title, "base", rp_strategy_by_id(s->base)->name,
		"wp_ns", (json_int_t)(s->wp_ns * a->scale),
		"wc_ns", (json_int_t)(s->wc_ns * a->scale),
		"throughput_ratio",
		json_number_or_null(median_of(base->t_ns, a->rounds) / t, 3),
		"of_limit", json_number_or_null(s->wp_ns ? w / t : UNKNOWN, 3),
		"energy_ratio", json_number_or_null(median_of(subject->e_ns, a->rounds) /
						    median_of(base->e_ns, a->rounds), 3),
		"by_strategy", by);
}

static json_t *result_json(const struct args *a)
{
	json_t *cases = json_object();
	u32 i;

	for (i = 0; i < STUDIES; i++)
		json_object_set_new(cases, studies[i].name, study_json(a, i));
	return json_pack("{s:o, s:i, s:i, s:i, s:I, s:I, s:I}", "cases", cases,
			 "rounds", (int)a->rounds, "scale", (int)a->scale,
			 "queue_len", QUEUE_LEN, "dmax_ns", (json_int_t)a->dmax_ns,
			 "duration_ns", (json_int_t)a->duration_ns,
			 "warmup_ns", (json_int_t)a->warmup_ns);
}

static void add_rows(struct table *t, const json_t *study)
{
	const char *title = json_string_value(json_object_get(study, "title")), *name;
	json_t *by;

	json_object_foreach(json_object_get(study, "by_strategy"), name, by) {
		table_cell(t, "%s", title);
		table_cell(t, "%s", name);
		table_number(t, json_number_at(by, "t_ns"), 1);
		table_number(t, json_number_at(by, "e_ns"), 1);
		table_number(t, json_number_at(by, "lat_p98_ns"), 0);
	}
}

static void print(const json_t *v)
{
	static const char *const heads[] = { "case", "strategy", "T ns", "E ns", "p98 ns" };
	const u32 n = sizeof(heads) / sizeof(heads[0]);
	struct table *t = table_new(n);
	const char *name;
	json_t *study;
	u32 i;

	for (i = 0; i < n; i++)
		table_cell(t, "%s", heads[i]);
	json_object_foreach(json_object_get(v, "cases"), name, study)
		add_rows(t, study);
	table_print(t, stdout);
	table_free(t);
	json_object_foreach(json_object_get(v, "cases"), name, study)
		printf("%s: adaptive has %.3f times the throughput of %s for %.3f times the energy\n",
		       json_string_value(json_object_get(study, "title")),
		       json_number_at(study, "throughput_ratio"),
		       json_string_value(json_object_get(study, "base")),
		       json_number_at(study, "energy_ratio"));
	printf("medians of %.0f rounds; %s\n", json_number_at(v, "rounds"),
	       json_string_value(json_object_get(v, "machine")));
}

/* ---- The command ---- */

enum { OPT_SCALE = 256, OPT_DMAX, OPT_ROUNDS, OPT_DURATION, OPT_WARMUP, OPT_JSON };

static const struct argp_option options[] = {
	{ "scale", OPT_SCALE, "N", 0, "multiply all times by N (1)", 0 },
	{ "dmax-ns", OPT_DMAX, "NS", 0, "D_MAX, ns (1000000)", 0 },
	{ "rounds", OPT_ROUNDS, "N", 0, "of which medians are taken, 1..99 (5)", 0 },
	{ "duration-ms", OPT_DURATION, "MS", 0, "measured time of each run, ms (500)", 0 },
	{ "warmup-ms", OPT_WARMUP, "MS", 0, "before it, ms (100)", 0 },
	{ "json", OPT_JSON, NULL, 0, "one JSON object", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case OPT_SCALE:
		a->scale = (u32)opt_between(state, "scale", arg, 1, 10000);
		break;
	case OPT_DMAX:
		a->dmax_ns = opt_between(state, "dmax-ns", arg, 1, NSEC_PER_SEC);
		break;
	case OPT_ROUNDS:
		a->rounds = (u32)opt_between(state, "rounds", arg, 1, BENCH_ROUNDS_MAX);
		break;
	case OPT_DURATION:
		a->duration_ns = opt_between(state, "duration-ms", arg, 1, 60000) * 1000000;
		break;
	case OPT_WARMUP:
		a->warmup_ns = opt_between(state, "warmup-ms", arg, 1, 60000) * 1000000;
		break;
	case OPT_JSON:
		a->json = true;
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: no such argument", arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "The papers' case studies (W 300 and 200 ns, Y 5 us, L 512) under notify, sleep, "
	"busy and adaptive, and busy against adaptive without any work, in the native lane.\v"
	"Ratios are of medians: T of the base (notify, or busy) by adaptive's T, W of the slower "
	"side by adaptive's T (of_limit), adaptive's E by the base's.\n\n"
	"Example:\n\n  ringpace bench studies --rounds 9 --scale 10 --json",
};

static int run(int argc, char **argv)
{
	struct args a = {
		.dmax_ns = 1000000, .duration_ns = 500000000, .warmup_ns = 100000000,
		.rounds = 5, .scale = 1,
	};
	u32 i;
	int rc = 0;

	argp_parse(&argp, argc, argv, 0, NULL, &a);
	catch_signals();
	for (i = 0; !rc && i < a.rounds; i++)
		rc = run_round(&a, i);
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
	if (rc)
		return stopped() ? EXIT_STOPPED : 1;
	return bench_finish(&bench_studies, result_json(&a), a.json);
}

const struct bench bench_studies = {
	.name = "studies",
	.summary = "the papers' case studies, and adaptive's cost without work",
	.print = print,
	.main = run,
};
