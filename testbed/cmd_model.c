// SPDX-License-Identifier: GPL-2.0-or-later
/* `ringpace model`: the regime that parameters lead to, and what it costs. */
#include <argp.h>

#include "cmd.h"
#include "json.h"
#include "model_args.h"

enum { OPT_JSON = MODEL_ARGS_KEYS };

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "Output:", 2 },
	{ "json", OPT_JSON, NULL, 0, "one JSON object; what has no closed form is null", 0 },
	{ 0 }
};

struct args {
	struct model_args model;
	bool json;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->model;
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

static const struct argp_child children[] = { { &model_argp, 0, NULL, 0 }, { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.doc = "Says in which operating regime a producer P and a consumer C are, and what it "
	"costs.\v"
	"Example, a fast consumer with the notification costs of a KVM guest:\n\n"
	"  ringpace model --wp-ns 300 --wc-ns 200 --np-ns 1100 --sc-ns 600\n\n"
	"T is the time per item, E the energy per item (CPU time of both sides), D the worst "
	"latency from the moment a request can be taken to the end of C's work, b the items "
	"per notification, sleep or cycle; all ns. In sLS, T is only known within bounds and "
	"E is a lower bound. Equations and limits: docs/model.md.",
};

static void print_json(const struct rp_model *m)
{
	json_t *v = json_object();

	json_object_set_new(v, "regime", json_string(rp_regime_names[m->regime]));
	json_object_set_new(v, "t_ns", json_number_or_null(rp_model_units(m->t_ps), 3));
	json_object_set_new(v, "t_min_ns", json_number_or_null(rp_model_units(m->t_min_ps), 3));
	json_object_set_new(v, "t_max_ns", json_number_or_null(rp_model_units(m->t_max_ps), 3));
	json_object_set_new(v, "e_ns", json_number_or_null(rp_model_units(m->e_ps), 3));
	json_object_set_new(v, "d_ns", json_integer((json_int_t)m->d_ns));
	json_object_set_new(v, "batch", json_number_or_null(rp_model_units(m->batch_milli), 3));
	json_print(v, stdout);
}

static void print_table(const struct rp_model *m)
{
	static const char *const heads[] = {
		"regime", "T ns", "T min ns", "T max ns", "items/s", "E ns", "D ns", "batch",
	};
	struct table *t = table_new(sizeof(heads) / sizeof(heads[0]));
	u32 i;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		table_cell(t, "%s", heads[i]);
	table_cell(t, "%s", rp_regime_names[m->regime]);
	table_number(t, rp_model_units(m->t_ps), 1);
	table_number(t, rp_model_units(m->t_min_ps), 1);
	table_number(t, rp_model_units(m->t_max_ps), 1);
	table_number(t, 1e9 / rp_model_units(m->t_ps), 0);
	table_number(t, rp_model_units(m->e_ps), 1);
	table_number(t, (double)m->d_ns, 0);
	table_number(t, rp_model_units(m->batch_milli), 1);
	table_print_turned(t, stdout);
	table_free(t);
}

static int run(int argc, char **argv)
{
	struct args a = { 0 };
	struct rp_model m;
	const char *why;

	model_args_default(&a.model);
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	why = model_args_finish(&a.model);
	if (why) {
		fail_option(why);
		return EXIT_USAGE;
	}
	rp_model_solve(&a.model.in, &m);
	if (a.json)
		print_json(&m);
	else
		print_table(&m);
	return 0;
}

const struct cmd cmd_model = {
	.name = "model",
	.summary = "say in which regime parameters put a ring, and what it costs",
	.run = run,
};
