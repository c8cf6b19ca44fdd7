// SPDX-License-Identifier: GPL-2.0-or-later
/* `ringpace pareto`: static configurations of the simulated host, their frontier, the policy. */
#include <argp.h>
#include <stdlib.h>

#include "cmd.h"
#include "hostsim/args.h"
#include "hostsim/pareto.h"

enum { OPT_GOAL = 256, OPT_SEED, OPT_ALL, OPT_JSON };

static const struct argp_option options[] = {
	{ "goal", OPT_GOAL, "GOAL", 0,
	  "energy: the least power; consolidate: the most of a background job (energy)", 0 },
	{ "seed", OPT_SEED, "N", 0, "of the simulated host, 0..4294967295 (1)", 0 },
	{ "all", OPT_ALL, NULL, 0, "all configurations, not only those of the frontier", 0 },
	{ "json", OPT_JSON, NULL, 0, "one JSON object", 0 },
	{ 0 }
};

struct args {
	enum pareto_goal goal;
	u64 seed;
	bool all, json;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case OPT_GOAL:
		if (!strcmp(arg, "energy"))
			a->goal = PARETO_ENERGY;
		else if (!strcmp(arg, "consolidate"))
			a->goal = PARETO_BATCH;
		else
			argp_error(state, "--goal %s: neither energy nor consolidate", arg);
		break;
	case OPT_SEED:
		if (!hostsim_seed(arg, &a->seed))
			argp_error(state, "--seed %s: not a number in 0..4294967295", arg);
		break;
	case OPT_ALL:
		a->all = true;
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
	.doc = "Finds the Pareto frontier of a simulated host's static configurations.\v"
	"Every number of cores, threads per core and clock rate is run on the simulated host "
	"(docs/host.md) for the highest load, in requests per second, at which the 99th "
	"percentile of the latency is within 500 us, and for its power in W or what it leaves "
	"to a background job. The table is the frontier, which is also the policy derived "
	"from it, weakest step first.\n\n"
	"Example:\n\n  ringpace pareto --goal consolidate",
};

static void print_table(const struct pareto *p, const struct pareto_point *const *points, u32 n)
{
	static const char *const heads[] = {
		"cores", "threads", "GHz", "max requests/s", "W idle", "W at max", "batch %",
	};
	struct table *t = table_new(sizeof(heads) / sizeof(heads[0]));
	u32 i;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		table_cell(t, "%s", heads[i]);
	for (i = 0; i < n; i++) {
		table_cell(t, "%u", points[i]->config.cores);
		table_cell(t, "%u", points[i]->config.threads);
		table_number(t, hs_host.ghz[points[i]->config.freq], 1);
		table_number(t, points[i]->max_pps, 0);
		table_number(t, points[i]->watts[0], 1);
		table_number(t, points[i]->watts[PARETO_LEVELS - 1], 1);
		table_number(t, 100 * points[i]->batch, 1);
	}
	table_print(t, stdout);
	table_free(t);
	printf("%u of %u static configurations\n", n, p->points);
}

static json_t *points_json(const struct pareto_point *const *points, u32 n)
{
	json_t *list = json_array();
	u32 i;

	for (i = 0; i < n; i++) {
		const struct pareto_point *x = points[i];

		json_array_append_new(list, json_pack("{s:i,s:i,s:f,s:f,s:[f,f,f],s:f}",
			"cores", x->config.cores, "threads", x->config.threads,
			"ghz", hs_host.ghz[x->config.freq], "max_pps", x->max_pps,
			"watts", x->watts[0], x->watts[1], x->watts[2], "batch", x->batch));
	}
	return list;
}

static const struct pareto_point *point_of(const struct pareto *p, const struct hc_config *c)
{
	u32 i;

	for (i = 0; i < p->points; i++)
		if (!memcmp(&p->point[i].config, c, sizeof(*c)))
			break;
	return &p->point[i];
}

/* The points to show; their number. */
static u32 choose(const struct pareto *p, const struct args *a, const struct pareto_point **out)
{
	struct hc_policy policy;
	u32 i;

	if (a->all) {
		for (i = 0; i < p->points; i++)
			out[i] = &p->point[i];
		return p->points;
	}
	pareto_derive(p, a->goal, &policy);
	for (i = 0; i < policy.steps; i++)
		out[i] = point_of(p, &policy.step[i]);
	return policy.steps;
}

static int run(int argc, char **argv)
{
	static struct pareto p;
	const struct pareto_point *points[PARETO_POINTS];
	struct args a = { .seed = 1 };
	u32 n;

	argp_parse(&argp, argc, argv, 0, NULL, &a);
	pareto_sweep(&p, a.seed);
	n = choose(&p, &a, points);
	if (a.json)
		json_print(json_pack("{s:s,s:i,s:i,s:o}",
				     "goal", a.goal == PARETO_ENERGY ? "energy" : "consolidate",
				     "slo_ns", HS_SLO_NS, "configurations", (int)p.points,
				     a.all ? "points" : "frontier", points_json(points, n)),
			   stdout);
	else
		print_table(&p, points, n);
	return 0;
}

const struct cmd cmd_pareto = {
	.name = "pareto",
	.summary = "sweep a simulated host's configurations for their Pareto frontier",
	.run = run,
};
