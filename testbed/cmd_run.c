// SPDX-License-Identifier: GPL-2.0-or-later
/* `ringpace run`: one producer/consumer experiment in one lane. */
#include "cmd.h"
#include "json.h"
#include "run_args.h"

enum { OPT_JSON = RUN_ARGS_KEYS };

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "Output:", 5 },
	{ "json", OPT_JSON, NULL, 0, "one JSON object; what was not measured is null", 0 },
	{ 0 }
};

struct args {
	struct run_params run;
	bool json;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->run;
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

static const struct argp_child children[] = { { .argp = &run_argp }, { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.doc = "Runs a producer P and a consumer C on the two sides of a virtqueue and "
	"reports what was measured.\v"
	"Example, a fast consumer that sleeps:\n\n"
	"  ringpace run --strategy sleep --wp-ns 300 --wc-ns 200 --yc-ns 50000\n\n"
	"T is the time and E the CPU time of both sides per item; batch is items per "
	"sleep or notification of either side; W, N, S, Y are as measured, in ns.",
};

static void print(const struct args *a, const struct run_result *r)
{
	struct table *t;

	if (a->json) {
		json_print(run_result_json(r), stdout);
		return;
	}
	t = run_table();
	run_table_row(t, r);
	table_print_turned(t, stdout);
	table_free(t);
}

static int run(int argc, char **argv)
{
	struct args a = { 0 };
	struct run_result r;
	int rc;

	run_params_default(&a.run);
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	rc = run_args_check(&a.run);
	if (rc)
		return rc;
	catch_signals();
	if (run_experiment(&a.run, &r))
		return stopped() ? EXIT_STOPPED : 1;
	print(&a, &r);
	return 0;
}

const struct cmd cmd_run = {
	.name = "run",
	.summary = "run a producer/consumer experiment",
	.run = run,
};
