// SPDX-License-Identifier: GPL-2.0-or-later
/* `ringpace plot`: the paper's figures from our own data, and what benchmarks have left. */
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd.h"
#include "json.h"
#include "plot/plot.h"
#include "profile.h"

/* Table 4 and sec. 4.3 of the paper. */
static const struct rp_model_in paper_costs = {
	.np_ns = 1100, .nc_ns = 580, .sp_ns = 28000, .sc_ns = 420, .ye_ns = 2500,
};

enum { OPT_OUT = 256, OPT_DATA, OPT_PROFILE, OPT_LIST, OPT_CSV, OPT_STRATEGY, OPT_JSON };

static const struct argp_option options[] = {
	{ "out", OPT_OUT, "DIR", 0, "for fig-NN.svg, .png and .csv (plot/ of the build)", 0 },
	{ "data", OPT_DATA, "DIR", 0,
	  "where `ringpace validate` left its JSON (validate/ of the build)", 0 },
	{ "profile", OPT_PROFILE, "LANE|FILE", 0, "costs for figs. 2, 3, 4, 10, 13, 14 (the "
	  "paper's table 4), and what fig. 5 shows (native)", 0 },
	{ "csv", OPT_CSV, "FILE", 0, "what `ringpace bench grid` or `bench step` wrote with --csv, "
	  "`bench grid --lane sim`, or `ringpace load`", 0 },
	{ "strategy", OPT_STRATEGY, "NAME", 0, "of those in it (grid: adaptive; steps: each)", 0 },
	{ "list", OPT_LIST, NULL, 0, "say which figures there are", 0 },
	{ "json", OPT_JSON, NULL, 0, "one JSON object: files drawn, figures missing and why", 0 },
	{ 0 }
};

struct args {
	struct plot_source src;
	char out[512], data[512];
	const struct figure *only;	/* NULL: all */
	/* Instead of a figure: plot_grid() or another one, of csv. */
	int (*bench)(const char *csv, const char *strategy, const char *dir);
	const char *csv, *strategy;
	bool chosen, list, json;
};

static const struct figure *figure_by_number(const char *arg)
{
	char number[16];
	u32 i;

	for (i = 0; i < figures_count; i++) {
		snprintf(number, sizeof(number), "%u", figures[i].number);
		if (!strcmp(arg, number))
			return &figures[i];
	}
	return NULL;
}

static void choose(struct argp_state *state, struct args *a, const char *arg)
{
	if (a->chosen)
		argp_error(state, "%s: one figure, or all", arg);
	a->chosen = true;
	if (!strcmp(arg, "all"))
		return;
	a->bench = !strcmp(arg, "grid") ? plot_grid : !strcmp(arg, "steps") ? plot_steps :
		   !strcmp(arg, "load") ? plot_load : NULL;
	if (a->bench)
		return;
	a->only = figure_by_number(arg);
	if (!a->only)
		argp_error(state, "%s: not the number of a figure (see --list), nor all, grid, steps "
			   "or load", arg);
}

static void take_profile(struct argp_state *state, struct args *a)
{
	struct profile p;
	const char *why = profile_load(a->src.profile, &p);

	if (why)
		argp_failure(state, EXIT_USAGE, 0, "--profile: %s", why);
	a->src.costs = (struct rp_model_in){
		.np_ns = p.np_ns, .nc_ns = p.nc_ns, .sp_ns = p.sp_ns, .sc_ns = p.sc_ns,
		.ye_ns = p.ye_ns,
	};
	a->src.costs_from = a->src.profile;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case OPT_OUT:
		snprintf(a->out, sizeof(a->out), "%s", arg);
		break;
	case OPT_DATA:
		snprintf(a->data, sizeof(a->data), "%s", arg);
		break;
	case OPT_PROFILE:
		a->src.profile = arg;
		take_profile(state, a);
		break;
	case OPT_CSV:
		a->csv = arg;
		break;
	case OPT_STRATEGY:
		a->strategy = arg;
		break;
	case OPT_LIST:
		a->list = true;
		break;
	case OPT_JSON:
		a->json = true;
		break;
	case ARGP_KEY_ARG:
		choose(state, a, arg);
		break;
	case ARGP_KEY_END:
		if (!a->chosen && !a->list)
			argp_error(state, "which figure? a number (see --list), or all");
		if (!a->list && !a->bench != !a->csv)
			argp_error(state, "grid, steps and load need --csv, and nothing else does");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.args_doc = "FIG|all|grid|steps|load",
	.parser = parse,
	.doc = "Draws figures of Lettieri et al., \"A Study of I/O Performance of Virtual "
	"Machines\", from our own data, as SVG and PNG, and leaves the CSV that was drawn. Model "
	"and simulator give 2, 3, 4, 10, 13, 14; `ringpace probe` has measured 5, `ringpace "
	"validate` 6 to 9. `grid` draws heat maps of a strategy's regrets, `steps` what it did over the "
	"time, from a benchmark's CSV, `load` the intervals of a load.\v"
	"Examples:\n\n"
	"  ringpace probe && ringpace validate && ringpace plot all --out figures\n"
	"  ringpace bench grid --lane sim --csv grid.csv && ringpace plot grid --csv grid.csv\n\n"
	"Times are ns in the CSV and us on the axes. Exit code 1 if a figure is missing.",
};

static int print_list(void)
{
	u32 i;

	for (i = 0; i < figures_count; i++)
		printf("%2u  %s\n", figures[i].number, figures[i].title);
	return 0;
}

/* NULL, or why the figure is missing; *@said: fail() has told the user more. */
static const char *draw(const struct args *a, const struct figure *f, bool *said)
{
	struct mark marks[PLOT_MARKS_MAX] = { 0 };
	const char *why;
	struct grid g;

	grid_init(&g, figure_columns(f));
	why = f->fill(&a->src, &g, marks);
	*said = !why;
	if (!why && csv_write(f, &g, a->out))
		why = "its CSV could not be written";
	else if (!why && gnuplot_draw(f, &g, marks, a->out))
		why = "gnuplot failed";
	grid_free(&g);
	return why;
}

static void note_drawn(const struct args *a, const struct figure *f, json_t *drawn)
{
	static const char *const kinds[] = { "svg", "png", "csv" };
	json_t *v = json_object();
	char path[600];
	u32 i;

	json_object_set_new(v, "figure", json_integer(f->number));
	json_object_set_new(v, "title", json_string(f->title));
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		snprintf(path, sizeof(path), "%s/fig-%02u.%s", a->out, f->number, kinds[i]);
		json_object_set_new(v, kinds[i], json_string(path));
	}
	json_array_append_new(drawn, v);
	if (!a->json)
		printf("%2u  %s/fig-%02u.svg, .png, .csv\n", f->number, a->out, f->number);
}

static int draw_all(const struct args *a, json_t *drawn, json_t *missing)
{
	const char *why;
	bool said;
	int rc = 0;
	u32 i;

	for (i = 0; i < figures_count; i++) {
		if (a->only && a->only != &figures[i])
			continue;
		why = draw(a, &figures[i], &said);
		if (!why) {
			note_drawn(a, &figures[i], drawn);
			continue;
		}
		rc = 1;
		if (!said)
			fail("figure %u: %s", figures[i].number, why);
		json_array_append_new(missing, json_pack("{s:i, s:s}", "figure",
							 (int)figures[i].number, "why", why));
	}
	return rc;
}

static int run(int argc, char **argv)
{
	struct args a = { .src = { .costs = paper_costs, .costs_from = "table 4 of the paper" } };
	json_t *drawn, *missing;
	int rc;

	snprintf(a.out, sizeof(a.out), "%s/plot", own_dir());
	snprintf(a.data, sizeof(a.data), "%s/validate", own_dir());
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	a.src.data_dir = a.data;
	if (a.list)
		return print_list();
	if (mkdir(a.out, 0777) && errno != EEXIST)
		return fail("cannot make the directory %s: %m", a.out), 1;
	if (a.bench)
		return a.bench(a.csv, a.strategy, a.out) ? 1 : 0;
	drawn = json_array();
	missing = json_array();
	rc = draw_all(&a, drawn, missing);
	if (a.json)
		json_print(json_pack("{s:s, s:O, s:O}", "costs", a.src.costs_from, "drawn", drawn,
				     "missing", missing), stdout);
	json_decref(drawn);
	json_decref(missing);
	return rc;
}

const struct cmd cmd_plot = {
	.name = "plot",
	.summary = "draw the papers' figures from our own data",
	.run = run,
};
