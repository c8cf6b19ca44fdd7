// SPDX-License-Identifier: GPL-2.0-or-later
/* `ringpace advise`: measured rates and D_MAX in, a strategy and its parameters out. */
#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "advise/advise.h"
#include "cmd.h"
#include "json.h"
#include "model_args.h"

enum {
	OPT_DMAX = MODEL_ARGS_KEYS, OPT_ITEMS, OPT_KICKS, OPT_CALLS, OPT_SPURIOUS, OPT_SLEEPS_P,
	OPT_SLEEPS_C, OPT_DIR, OPT_RUN, OPT_CONTROL, OPT_DEVICE, OPT_QUEUE, OPT_INTERVAL, OPT_JSON,
};

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "What is wanted:", 2 },
	{ "dmax-ns", OPT_DMAX, "NS", 0, "D_MAX, bound of the worst latency, ns (required)", 0 },
	{ NULL, 0, NULL, 0, "Measured rates, typed in (they win over a file's):", 3 },
	{ "items-per-s", OPT_ITEMS, "N", 0, "items a second", 0 },
	{ "kicks-per-s", OPT_KICKS, "N", 0, "notifications from driver to device a second", 0 },
	{ "calls-per-s", OPT_CALLS, "N", 0, "notifications from device to driver a second", 0 },
	{ "spurious-per-s", OPT_SPURIOUS, "N", 0, "those of C that found nothing", 0 },
	{ "sleeps-p-per-s", OPT_SLEEPS_P, "N", 0, "P's sleeps a second", 0 },
	{ "sleeps-c-per-s", OPT_SLEEPS_C, "N", 0, "C's sleeps a second", 0 },
	{ "dir", OPT_DIR, "fwd|rev", 0, "typed-in rates: the driver is P (fwd), or C", 0 },
	{ NULL, 0, NULL, 0, "Measured rates of a run or of a live queue:", 4 },
	{ "run", OPT_RUN, "N", 0, "which of the file's runs, from 0", 0 },
	{ "control", OPT_CONTROL, "SOCKET", 0, "watch a queue of this ringpaced", 0 },
	{ "device", OPT_DEVICE, "NAME", 0, "of which device", 0 },
	{ "queue", OPT_QUEUE, "N", 0, "which queue of it (0)", 0 },
	{ "interval-s", OPT_INTERVAL, "S", 0, "for how long, seconds (1)", 0 },
	{ NULL, 0, NULL, 0, "Output:", 5 },
	{ "json", OPT_JSON, NULL, 0, "one JSON object; what is not known is null", 0 },
	{ 0 }
};

struct args {
	struct model_args model;
	double dmax_ns, items, kicks, calls, spurious, sleeps_p, sleeps_c;
	bool rev, json;
	const char *file, *control, *device;
	int run;			/* -1: the only one */
	u32 queue;
	u64 interval_ns;
	struct profile profile;
};

static double number(struct argp_state *state, const char *opt, const char *arg, double least,
		     double most)
{
	char *end;
	double v = strtod(arg, &end);

	if (end == arg || *end || !(v >= least && v <= most))
		argp_error(state, "--%s %s: not a number in %g..%g", opt, arg, least, most);
	return v;
}

static bool direction(struct argp_state *state, const char *arg)
{
	if (strcmp(arg, run_dir_names[RUN_FWD]) && strcmp(arg, run_dir_names[RUN_REV]))
		argp_error(state, "--dir %s: not one of fwd, rev", arg);
	return !strcmp(arg, run_dir_names[RUN_REV]);
}

static void check(struct argp_state *state, const struct args *a)
{
	if (!is_known(a->dmax_ns))
		argp_error(state, "--dmax-ns: which latency must hold?");
	if (a->file && a->control)
		argp_error(state, "a run's file or a live queue, not both");
	if (a->control && !a->device)
		argp_error(state, "--control: needs --device");
	if (a->run >= 0 && !a->file)
		argp_error(state, "--run: needs a file");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->model;
		break;
	case OPT_DMAX:
		a->dmax_ns = number(state, "dmax-ns", arg, 1, 1e9);
		break;
#define RATE(key_, name, field)						\
	case key_:							\
		a->field = number(state, name, arg, 0, 1e12);		\
		break;
	RATE(OPT_ITEMS, "items-per-s", items)
	RATE(OPT_KICKS, "kicks-per-s", kicks)
	RATE(OPT_CALLS, "calls-per-s", calls)
	RATE(OPT_SPURIOUS, "spurious-per-s", spurious)
	RATE(OPT_SLEEPS_P, "sleeps-p-per-s", sleeps_p)
	RATE(OPT_SLEEPS_C, "sleeps-c-per-s", sleeps_c)
#undef RATE
	case OPT_DIR:
		a->rev = direction(state, arg);
		break;
	case OPT_RUN:
		a->run = (int)opt_number(state, "run", arg, 1000000);
		break;
	case OPT_CONTROL:
		a->control = arg;
		break;
	case OPT_DEVICE:
		a->device = arg;
		break;
	case OPT_QUEUE:
		a->queue = (u32)opt_number(state, "queue", arg, 65535);
		break;
	case OPT_INTERVAL:
		a->interval_ns = (u64)(number(state, "interval-s", arg, 0.01, 3600) * 1e9);
		break;
	case OPT_JSON:
		a->json = true;
		break;
	case ARGP_KEY_ARG:
		if (a->file)
			argp_error(state, "%s: one file of runs", arg);
		a->file = arg;
		break;
	case ARGP_KEY_END:
		check(state, a);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_child children[] = { { &model_argp, 0, NULL, 0 }, { 0 } };

static const struct argp argp = {
	.options = options,
	.args_doc = "[RUN.json]",
	.parser = parse,
	.children = children,
	.doc = "Names a queue's regime from its rates of notifications, and recommends a strategy "
	"and its parameters that hold D_MAX, with the T, E and D that the model predicts.\v"
	"Examples: a run, a queue at work, and numbers from anywhere:\n\n"
	"  ringpace run --wp-ns 300 --wc-ns 200 --json >run.json\n"
	"  ringpace advise run.json --dmax-ns 200000 --profile native\n"
	"  ringpace advise --control /run/rp.sock --device pc0 --queue 0 --dmax-ns 200000\n"
	"  ringpace advise --items-per-s 1810000 --kicks-per-s 343000 --calls-per-s 0 "
	"--np-ns 1100 --ye-ns 2500 --dmax-ns 10000\n\n"
	"What is not known is said and not guessed. The defaults in the list do not apply: a W, N, S "
	"or Y_E that is neither given nor measured is not known (nor is a W of 0); an L that nobody "
	"names is taken as 512, and a note says so. "
	"Exit code 1 if no recommendation is possible. Rules and limits: docs/advise.md.",
};

/* ---- What is known, from all places ---- */

static void prefer(double *to, double typed)
{
	if (is_known(typed))
		*to = typed;
}

static void take_rates(struct evidence *e, const struct args *a)
{
	prefer(&e->items_per_s, a->items);
	prefer(a->rev ? &e->c_to_p_per_s : &e->p_to_c_per_s, a->kicks);
	prefer(a->rev ? &e->p_to_c_per_s : &e->c_to_p_per_s, a->calls);
	prefer(&e->spurious_per_s, a->spurious);
	prefer(&e->sleeps_p_per_s, a->sleeps_p);
	prefer(&e->sleeps_c_per_s, a->sleeps_c);
}

/* Typed in, else as the run measured it, else the profile's. */
static void take_cost(double *to, u64 value_ns, bool typed, bool profile)
{
	if (typed || (profile && !is_known(*to)))
		*to = (double)value_ns;
}

static void take_model(struct evidence *e, const struct model_args *m)
{
	const struct rp_model_in *in = &m->in;
	bool profile = m->profile != NULL;

	take_cost(&e->np_ns, in->np_ns, m->np_given, profile);
	take_cost(&e->nc_ns, in->nc_ns, m->nc_given, profile);
	take_cost(&e->sp_ns, in->sp_ns, m->sp_given, profile);
	take_cost(&e->sc_ns, in->sc_ns, m->sc_given, profile);
	take_cost(&e->ye_ns, in->ye_ns, m->ye_given, profile);
	take_cost(&e->yp_ns, in->yp_ns, m->yp_given, false);
	take_cost(&e->yc_ns, in->yc_ns, m->yc_given, false);
	take_cost(&e->wp_ns, in->wp_ns, in->wp_ns != 0, false);
	take_cost(&e->wc_ns, in->wc_ns, in->wc_ns != 0, false);
	if (m->mode_given)
		e->mode_p = e->mode_c = (int)in->mode;
	if (m->queue_len_given)
		e->queue_len = in->queue_len;
	if (m->kp_given)
		e->kp = in->kp;
	if (m->kc_given)
		e->kc = in->kc;
}

static int check_evidence(const struct evidence *e)
{
	if (e->queue_len == 1)
		return fail("--queue-len: a queue of one slot leaves nothing to choose; 2 or more");
	if (e->queue_len && (e->kp > e->queue_len || e->kc > e->queue_len))
		return fail("--%s: more than the %u slots of the queue",
			    e->kp > e->queue_len ? "kp" : "kc", e->queue_len);
	if (!(e->items_per_s > 0) && !(is_known(e->wp_ns) && is_known(e->wc_ns)))
		return fail("nothing is known of the queue: give a run's file, --control, "
			    "--items-per-s with the rates of notifications, or --wp-ns and --wc-ns");
	return 0;
}

/* 0, or the exit code. */
static int gather(struct args *a, struct evidence *e)
{
	const char *why;

	evidence_init(e);
	if (a->model.profile) {
		why = profile_load(a->model.profile, &a->profile);
		if (why)
			return fail("--profile: %s", why), EXIT_USAGE;
		e->profile = &a->profile;
	}
	if (a->file && evidence_file(e, a->file, a->run))
		return EXIT_USAGE;
	if (a->control && evidence_live(e, a->control, a->device, a->queue, a->interval_ns))
		return stopped() ? EXIT_STOPPED : 1;
	take_rates(e, a);
	take_model(e, &a->model);
	return check_evidence(e) ? EXIT_USAGE : 0;
}

static int advise(const struct args *a, const struct evidence *e)
{
	struct advice advice = { 0 };
	int rc;

	advise_find(e, &advice.f);
	advise_choose(e, a->dmax_ns, &advice);
	if (a->json)
		json_print(advice_json(e, &advice), stdout);
	else
		advice_print(e, &advice);
	rc = advice.recommended < 0;
	if (rc)
		fail("no recommendation: %s", advice.why);
	json_decref(advice.f.notes);
	return rc;
}

static int run(int argc, char **argv)
{
	struct args a = {
		.dmax_ns = UNKNOWN, .items = UNKNOWN, .kicks = UNKNOWN, .calls = UNKNOWN,
		.spurious = UNKNOWN, .sleeps_p = UNKNOWN, .sleeps_c = UNKNOWN, .run = -1,
		.interval_ns = NSEC_PER_SEC,
	};
	struct evidence e;
	int rc;

	model_args_default(&a.model);
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	catch_signals();
	rc = gather(&a, &e);
	return rc ? rc : advise(&a, &e);
}

const struct cmd cmd_advise = {
	.name = "advise",
	.summary = "recommend a strategy and its parameters from measured rates",
	.run = run,
};
