// SPDX-License-Identifier: GPL-2.0-or-later
/* bench grid: its options, and the order of things. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench.h"
#include "bench/grid.h"
#include "bench/options.h"
#include "model_args.h"
#include "plot/plot.h"
#include "profile.h"

#define W_MIN_NS	200u
#define W_MAX_NS	20000u
#define QUICK_CELLS	12
#define QUICK_BUDGET_NS	(55 * NSEC_PER_SEC)

/* Of the simulator, unless it is told others: a small virtual machine's. */
static const struct rp_model_in default_costs = {
	.np_ns = 5000, .nc_ns = 6500, .sp_ns = 5000, .sc_ns = 7000, .ye_ns = 10000,
};
#define DEFAULT_YO_NS	50000u
/* The profile's sleep of this nominal length tells it. */
#define YO_AT_NS	100000.0

enum {
	OPT_LANE = MODEL_ARGS_KEYS, OPT_YO, OPT_POINTS, OPT_WP, OPT_WC, OPT_LEN, OPT_DMAX, OPT_WORK, OPT_STRATEGIES, OPT_ROUNDS,
	OPT_DURATION, OPT_WARMUP, OPT_QUICK, OPT_SEED, OPT_CSV, OPT_RAW, OPT_PLOT, OPT_JSON,
};

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "The grid (lists are separated by commas):", 1 },
	{ "points", OPT_POINTS, "N", 0,
	  "values of W_P and of W_C from 200 to 20000 ns, 1..16 (7)", 0 },
	{ "wp-ns", OPT_WP, "LIST", 0, "W_P instead, ns", 0 },
	{ "wc-ns", OPT_WC, "LIST", 0, "W_C instead, ns", 0 },
	{ "queue-len", OPT_LEN, "LIST", 0, "L, slots (64,256,1024)", 0 },
	{ "dmax-ns", OPT_DMAX, "LIST", 0, "D_MAX, ns (100000,300000,1000000)", 0 },
	{ "work", OPT_WORK, "const|exp|const,exp", 0, "work of each item (const,exp)", 0 },
	{ "strategies", OPT_STRATEGIES, "LIST", 0,
	  "of both sides: adaptive, notify, busy, sleep-NNus and others (all)", 0 },
	{ "quick", OPT_QUICK, NULL, 0, "12 cells, drawn from all regimes; under a minute", 0 },
	{ "seed", OPT_SEED, "N", 0, "of that draw and of the order (1)", 0 },
	{ NULL, 0, NULL, 0, "The measurements:", 3 },
	{ "lane", OPT_LANE, "native|sim", 0, "real rings, or the simulator (native)", 0 },
	{ "rounds", OPT_ROUNDS, "N", 0, "of which medians are taken, 1..99 (3; sim 1)", 0 },
	{ "duration-ms", OPT_DURATION, "MS", 0,
	  "length of a measurement, 1..10000 ms (100; quick 60)", 0 },
	{ "warmup-ms", OPT_WARMUP, "MS", 0, "time before it, and 2000 items at least, "
	  "0..10000 ms (40; quick 30)", 0 },
	{ "yo-ns", OPT_YO, "NS", 0, "sim: what a sleep lasts longer than it was to, ns, 10 % more or "
	  "less (50000)", 0 },
	{ NULL, 0, NULL, 0, "Output:", 4 },
	{ "csv", OPT_CSV, "FILE", 0, "a row a cell and strategy", 0 },
	{ "raw", OPT_RAW, "FILE", 0, "CSV, a row a measurement (bench/grid-raw.csv of the build)", 0 },
	{ "plot", OPT_PLOT, "DIR", 0, "heat maps of the regrets, SVG and PNG, and their CSV", 0 },
	{ "json", OPT_JSON, NULL, 0, "one JSON object", 0 },
	{ 0 }
};

struct args {
	struct grid_plan g;
	struct model_args costs;
	bool quick, json, yo_given;
	u64 duration_ms, warmup_ms;
	const char *csv, *raw, *plot;
};

/* Whole numbers in @min..@max, each once. */
static void parse_values(struct argp_state *state, const char *opt, const char *arg, u64 min,
			 u64 max, u32 most, struct grid_values *v)
{
	char *copy = strdup(arg), *rest = copy, *one;
	u64 x;
	u32 i;

	v->n = 0;
	while ((one = strsep(&rest, ","))) {
		x = opt_between(state, opt, one, min, max);
		for (i = 0; i < v->n; i++)
			if (v->v[i] == x)
				argp_error(state, "--%s: %s is there twice", opt, one);
		if (v->n == most)
			argp_error(state, "--%s: more than %u values", opt, most);
		v->v[v->n++] = x;
	}
	free(copy);
}

static void parse_work(struct argp_state *state, const char *arg, bool *dist)
{
	char *copy = strdup(arg), *rest = copy, *one;
	int id;

	memset(dist, 0, RP_WORK_DISTS * sizeof(*dist));
	while ((one = strsep(&rest, ","))) {
		id = rp_work_dist_by_name(one);
		if (id < 0)
			argp_error(state, "--work %s: not const, exp or both", arg);
		else
			dist[id] = true;
	}
	free(copy);
}

static void parse_lane(struct argp_state *state, const char *arg, struct grid_plan *g)
{
	if (!strcmp(arg, grid_native.name))
		g->lane = &grid_native;
	else if (!strcmp(arg, grid_sim.name))
		g->lane = &grid_sim;
	else
		argp_error(state, "--lane %s: not native, nor sim", arg);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;
	u32 n;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->costs;
		break;
	case OPT_LANE:
		parse_lane(state, arg, &a->g);
		break;
	case OPT_YO:
		a->g.yo_ns = opt_number(state, "yo-ns", arg, NSEC_PER_SEC);
		a->yo_given = true;
		break;
	case OPT_POINTS:
		n = (u32)opt_between(state, "points", arg, 1, GRID_VALUES_MAX);
		grid_values_log(&a->g.wp_ns, W_MIN_NS, W_MAX_NS, n);
		grid_values_log(&a->g.wc_ns, W_MIN_NS, W_MAX_NS, n);
		break;
	case OPT_WP:
		parse_values(state, "wp-ns", arg, 1, NSEC_PER_SEC, GRID_VALUES_MAX, &a->g.wp_ns);
		break;
	case OPT_WC:
		parse_values(state, "wc-ns", arg, 1, NSEC_PER_SEC, GRID_VALUES_MAX, &a->g.wc_ns);
		break;
	case OPT_LEN:
		parse_values(state, "queue-len", arg, 2, 32768, GRID_VALUES_MAX, &a->g.queue_len);
		break;
	case OPT_DMAX:
		parse_values(state, "dmax-ns", arg, 1, NSEC_PER_SEC, GRID_DMAX_MAX, &a->g.dmax_ns);
		break;
	case OPT_WORK:
		parse_work(state, arg, a->g.dist);
		break;
	case OPT_STRATEGIES:
		opt_strategies(state, arg, &a->g.who);
		break;
	case OPT_ROUNDS:
		a->g.rounds = (u32)opt_between(state, "rounds", arg, 1, GRID_ROUNDS_MAX);
		break;
	case OPT_DURATION:
		a->duration_ms = opt_between(state, "duration-ms", arg, 1, 10000);
		break;
	case OPT_WARMUP:
		a->warmup_ms = opt_between(state, "warmup-ms", arg, 0, 10000);
		break;
	case OPT_QUICK:
		a->quick = true;
		break;
	case OPT_SEED:
		a->g.seed = opt_between(state, "seed", arg, 1, 1u << 31);
		break;
	case OPT_CSV:
		a->csv = arg;
		break;
	case OPT_RAW:
		a->raw = arg;
		break;
	case OPT_PLOT:
		a->plot = arg;
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

static const struct argp_child children[] = {
	{ &costs_argp, 0, "Costs, of the simulator alone (N 5000, 6500, S 5000, 7000, Y_E 10000 ns):",
	  2 },
	{ 0 }
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.doc = "Runs every strategy, the same on both sides, over a grid of W_P, W_C, L and D_MAX, "
	"in the native lane, and tells how far each is from the best of a cell: X*, the highest "
	"throughput of any that keeps D_MAX (p98 <= D_MAX), and E*, the least CPU time an item of "
	"those within 2 % of X*. A strategy is within if it keeps D_MAX, X*/X <= 1.03 and E/E* <= "
	"1.10. Adaptive's figures come first. The whole grid takes some 40 minutes; run it on a quiet "
	"machine. With --lane sim the same strategies run in the simulator: no noise, and the same "
	"figures for the same seed.\v"
	"Examples:\n\n"
	"  ringpace bench grid --quick\n"
	"  ringpace bench grid --csv grid.csv --plot figures --json\n"
	"  ringpace bench grid --strategies adaptive,notify,sleep-100us --wp-ns 2000 --wc-ns 500,8000\n"
	"  ringpace bench grid --lane sim --profile native --csv sim.csv",
};

static void defaults(struct args *a)
{
	*a = (struct args){ .g = { .lane = &grid_native, .seed = 1, .dist = { true, true } } };
	grid_values_log(&a->g.wp_ns, W_MIN_NS, W_MAX_NS, 7);
	grid_values_log(&a->g.wc_ns, W_MIN_NS, W_MAX_NS, 7);
	a->g.queue_len = (struct grid_values){ 3, { 64, 256, 1024 } };
	a->g.dmax_ns = (struct grid_values){ 3, { 100000, 300000, 1000000 } };
	competitors_all(&a->g.who);
	model_args_default(&a->costs);
	a->costs.in = default_costs;
	a->g.yo_ns = DEFAULT_YO_NS;
	a->duration_ms = a->warmup_ms = ~0ULL;
}

/* Costs are the simulator's; a real ring has its own. */
static int take_costs(struct args *a)
{
	const struct model_args *m = &a->costs;
	struct profile p;

	a->g.costs = m->in;
	if (a->g.lane != &grid_sim &&
	    (m->profile || m->np_given || m->nc_given || m->sp_given || m->sc_given || m->ye_given ||
	     a->yo_given))
		return fail("costs are for --lane sim: a real ring has its own");
	if (m->profile && !a->yo_given && !profile_load(m->profile, &p))
		a->g.yo_ns = model_ns(profile_sleep_ns(&p, YO_AT_NS) - YO_AT_NS);
	if (a->g.costs.ye_ns || a->g.yo_ns)
		return 0;
	return fail("--ye-ns, --yo-ns: a sleep that costs nothing and lasts no time is no sleep");
}

static int plan(struct args *a)
{
	if (!a->g.rounds)
		a->g.rounds = a->g.lane == &grid_sim ? 1 : 3;
	if (a->duration_ms == ~0ULL)
		a->duration_ms = a->quick ? 60 : 100;
	if (a->warmup_ms == ~0ULL)
		a->warmup_ms = a->quick ? 30 : 40;
	a->g.duration_ns = a->duration_ms * 1000000;
	a->g.warmup_ns = a->warmup_ms * 1000000;
	a->g.budget_ns = a->quick ? QUICK_BUDGET_NS : 0;
	return a->quick ? grid_plan_sample(&a->g, QUICK_CELLS) : grid_plan_full(&a->g);
}

/* Where raw data go; NULL after fail(). */
static const char *raw_path(const struct args *a)
{
	static char path[640];

	if (a->raw)
		return a->raw;
	if (!bench_dir())
		return NULL;
	snprintf(path, sizeof(path), "%s/grid-%sraw.csv", bench_dir(),
		 a->g.lane == &grid_sim ? "sim-" : "");
	return path;
}

static int measure(struct args *a)
{
	const char *path = raw_path(a);
	FILE *raw = path ? fopen(path, "we") : NULL;
	int rc, bad;

	if (!raw)
		return path ? fail("cannot write raw data to %s: %m", path) : -1;
	rc = grid_measure(&a->g, raw);
	bad = ferror(raw);
	if (fclose(raw) || bad)
		rc = fail("cannot write raw data to %s: %m", path);
	return rc;
}

/* DIR/grid.csv, and what is drawn from it. */
static int draw(const struct grid_plan *g, const char *dir)
{
	char csv[600];

	if (mkdir(dir, 0777) && errno != EEXIST)
		return fail("cannot make the directory %s for figures: %m", dir);
	snprintf(csv, sizeof(csv), "%s/grid.csv", dir);
	return grid_write_csv(g, csv) ? -1 : plot_grid(csv, NULL, dir);
}

/* Whatever was measured is reported, also when a measurement failed or Ctrl-C came. */
static int report(struct args *a, int rc)
{
	json_t *v = grid_json(&a->g);

	if (rc && !(json_number_at(v, "cells") + json_number_at(v, "infeasible") > 0)) {
		json_decref(v);
		return stopped() ? EXIT_STOPPED : 1;
	}
	json_object_set_new(v, "quick", json_boolean(a->quick));
	rc |= bench_finish(&bench_grid, v, a->json);
	if (a->csv && grid_write_csv(&a->g, a->csv))
		rc = -1;
	if (a->plot && draw(&a->g, a->plot))
		rc = -1;
	return stopped() ? EXIT_STOPPED : rc ? 1 : 0;
}

static int run(int argc, char **argv)
{
	struct args a;
	int rc;

	defaults(&a);
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	if (take_costs(&a))
		return EXIT_USAGE;
	catch_signals();
	rc = plan(&a);
	if (!rc)
		rc = report(&a, measure(&a));
	grid_plan_free(&a.g);
	return rc < 0 ? 1 : rc;
}

const struct bench bench_grid = {
	.name = "grid",
	.summary = "all strategies over a grid of work, queue length and D_MAX",
	.print = grid_print,
	.main = run,
};
