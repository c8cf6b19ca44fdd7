// SPDX-License-Identifier: GPL-2.0-or-later
/* `ringpace sim`: what parameters would give, event by event. */
#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "json.h"
#include "model_args.h"
#include "sim/report.h"

enum {
	OPT_ITEMS = MODEL_ARGS_KEYS, OPT_WARMUP, OPT_SEED, OPT_MODE_P, OPT_MODE_C, OPT_DMAX, OPT_WINDOW, OPT_YO,
	OPT_STAGES, OPT_W, OPT_OUTSTANDING, OPT_FALL_P, OPT_FALL_C, OPT_APP_BATCH, OPT_PLAIN, OPT_JSON,
	OPT_DIST,		/* and the following, in the order of dists[] */
};

/* Where each --NAME-dist goes. */
static const struct {
	const char *name;
	size_t offset;
} dists[] = {
#define DIST(name) { #name "-dist", offsetof(struct sim_config, name) }
	DIST(wp), DIST(wc), DIST(np), DIST(nc), DIST(sp), DIST(sc), DIST(yp), DIST(yc), DIST(ye),
	DIST(yo),
#undef DIST
};

#define DISTS	((int)(sizeof(dists) / sizeof(dists[0])))

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "Strategies other than --mode:", 2 },
	{ "mode-p", OPT_MODE_P, "NAME", 0, "of who finds the queue full", 0 },
	{ "mode-c", OPT_MODE_C, "NAME", 0, "of who finds the queue empty", 0 },
	{ NULL, 0, NULL, 0, "Distributions, DIST being const, normal:REL (a fraction or 5%; cut "
	  "off at 0), exp, or trace:FILE (ns, one a line):", 3 },
	{ "wp-dist", OPT_DIST + 0, "DIST", 0, "of W_P (const)", 0 },
	{ "wc-dist", OPT_DIST + 1, "DIST", 0, "of W_C and of the stages between (const)", 0 },
	{ "np-dist", OPT_DIST + 2, "DIST", 0, "of N_P (const)", 0 },
	{ "nc-dist", OPT_DIST + 3, "DIST", 0, "of N_C (const)", 0 },
	{ "sp-dist", OPT_DIST + 4, "DIST", 0, "of S_P (const)", 0 },
	{ "sc-dist", OPT_DIST + 5, "DIST", 0, "of S_C (const)", 0 },
	{ "yp-dist", OPT_DIST + 6, "DIST", 0, "of Y_P (const)", 0 },
	{ "yc-dist", OPT_DIST + 7, "DIST", 0, "of Y_C (const)", 0 },
	{ "ye-dist", OPT_DIST + 8, "DIST", 0, "of Y_E (const)", 0 },
	{ "yo-dist", OPT_DIST + 9, "DIST", 0, "of Y_O (const)", 0 },
	{ NULL, 0, NULL, 0, "Beyond the model:", 4 },
	{ "stages", OPT_STAGES, "N", 0, "a chain of N parties, each but the last a producer, each "
	  "but the first a consumer, 2..64 (2)", 0 },
	{ "w-ns", OPT_W, "NS,...", 0, "W of each stage, ns; sets --stages", 0 },
	{ "wp-fall", OPT_FALL_P, "NS:ITEMS", 0, "W_P falls to NS over ITEMS items of a batch", 0 },
	{ "wc-fall", OPT_FALL_C, "NS:ITEMS", 0, "W_C likewise", 0 },
	{ "app-batch", OPT_APP_BATCH, "B", 0, "items move B at a time: L/B slots of B W each; not with a trace of W (1)", 0 },
	{ "dmax-ns", OPT_DMAX, "NS", 0, "D_MAX, bound of the p98 latency, ns; adaptive needs it", 0 },
	{ "outstanding", OPT_OUTSTANDING, "N", 0, "a closed loop: N items are out at most, 1..L, and P, "
	  "which is busy, does not tell that it waited for them; 0: L (0)", 0 },
	{ "window-ns", OPT_WINDOW, "NS", 0, "time between asking for a notification and the second "
	  "look, in which spurious ones arise, ns (0)", 0 },
	{ "yo-ns", OPT_YO, "NS", 0, "Y_O, what a sleep lasts longer than it was to, ns (0)", 0 },
	{ NULL, 0, NULL, 0, "The run:", 5 },
	{ "items", OPT_ITEMS, "N", 0, "items measured (1000000)", 0 },
	{ "warmup", OPT_WARMUP, "N", 0, "items before them (a tenth, at most 1000000)", 0 },
	{ "seed", OPT_SEED, "N", 0, "of the random numbers, below 2^63 (1)", 0 },
	{ "plain", OPT_PLAIN, NULL, 0, "no short cuts; the same result, more slowly", 0 },
	{ NULL, 0, NULL, 0, "Output:", 6 },
	{ "json", OPT_JSON, NULL, 0, "one JSON object, with the keys of `ringpace run`", 0 },
	{ 0 }
};

struct args {
	struct model_args model;
	struct sim_config sim;
	int mode_p, mode_c;		/* -1: as --mode */
	u32 app_batch;
	u32 w_count;			/* of --w-ns; 0: not given */
	bool warmup_given, stages_given, json;
};

static int mode(struct argp_state *state, const char *opt, const char *arg)
{
	int id = rp_strategy_id_by_name(arg);

	if (id < 0)
		argp_error(state, "--%s %s: no such strategy", opt, arg);
	return id;
}

static void fall(struct argp_state *state, const char *opt, char *arg, struct sim_fall *f)
{
	char *items = strchr(arg, ':');

	if (!items)
		argp_error(state, "--%s %s: not NS:ITEMS", opt, arg);
	*items++ = 0;
	f->min_ns = opt_number(state, opt, arg, RP_MODEL_MAX_NS);
	f->items = (u32)opt_number(state, opt, items, 1000000000);
}

static void work_list(struct argp_state *state, struct args *a, char *arg)
{
	char *word, *save = NULL;
	u32 n = 0;

	for (word = strtok_r(arg, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		if (n == SIM_STAGES_MAX)
			argp_error(state, "--w-ns: more than %u stages", SIM_STAGES_MAX);
		a->sim.w_ns[n++] = opt_number(state, "w-ns", word, RP_MODEL_MAX_NS);
	}
	if (n < 2)
		argp_error(state, "--w-ns: fewer than 2 stages");
	a->w_count = n;
}

static void distribution(struct argp_state *state, struct args *a, int i, const char *arg)
{
	struct dist_spec *spec = (struct dist_spec *)((char *)&a->sim + dists[i].offset);
	const char *why;

	dist_spec_free(spec);
	why = dist_parse(arg, spec);
	if (why)
		argp_error(state, "--%s %s: %s", dists[i].name, arg, why);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->model;
		break;
	case OPT_ITEMS:
		a->sim.items = opt_number(state, "items", arg, 1000000000000ULL);
		break;
	case OPT_WARMUP:
		a->sim.warmup = opt_number(state, "warmup", arg, 1000000000000ULL);
		a->warmup_given = true;
		break;
	case OPT_OUTSTANDING:
		a->sim.outstanding = (u32)opt_number(state, "outstanding", arg, 32768);
		break;
	case OPT_SEED:
		a->sim.seed = opt_number(state, "seed", arg, INT64_MAX);	/* JSON's integers */
		break;
	case OPT_MODE_P:
		a->mode_p = mode(state, "mode-p", arg);
		break;
	case OPT_MODE_C:
		a->mode_c = mode(state, "mode-c", arg);
		break;
	case OPT_DMAX:
		a->sim.dmax_ns = opt_number(state, "dmax-ns", arg, RP_MODEL_MAX_NS);
		break;
	case OPT_WINDOW:
		a->sim.window_ns = opt_number(state, "window-ns", arg, RP_MODEL_MAX_NS);
		break;
	case OPT_YO:
		a->sim.yo_ns = opt_number(state, "yo-ns", arg, RP_MODEL_MAX_NS);
		break;
	case OPT_STAGES:
		a->sim.stages = (u32)opt_number(state, "stages", arg, SIM_STAGES_MAX);
		a->stages_given = true;
		break;
	case OPT_W:
		work_list(state, a, arg);
		break;
	case OPT_FALL_P:
		fall(state, "wp-fall", arg, &a->sim.fall_p);
		break;
	case OPT_FALL_C:
		fall(state, "wc-fall", arg, &a->sim.fall_c);
		break;
	case OPT_APP_BATCH:
		a->app_batch = (u32)opt_number(state, "app-batch", arg, RP_MODEL_MAX_LEN);
		break;
	case OPT_PLAIN:
		a->sim.plain = true;
		break;
	case OPT_JSON:
		a->json = true;
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: no such argument", arg);
		break;
	default:
		if (key < OPT_DIST || key >= OPT_DIST + DISTS)
			return ARGP_ERR_UNKNOWN;
		distribution(state, a, key - OPT_DIST, arg);
	}
	return 0;
}

static const struct argp_child children[] = { { &model_argp, 0, NULL, 0 }, { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.doc = "Simulates a producer P and a consumer C, or a chain of them, that always have "
	"work, with the strategies that also run on real rings.\v"
	"Examples, the paper's fig. 13 at W_P = 2400, and a chain:\n\n"
	"  ringpace sim --wp-ns 2400 --wc-ns 2000 --np-ns 1100 --nc-ns 580 --sp-ns 28000 "
	"--sc-ns 420 --wp-dist normal:5% --wc-dist exp\n"
	"  ringpace sim --w-ns 300,250,200 --np-ns 1100 --sc-ns 420\n\n"
	"T, E and the latency (publication to the end of the last work) are ns per item.",
};

static int box_fall(const char *opt, struct sim_fall *f, u32 b)
{
	if (f->items && f->min_ns * b > RP_MODEL_MAX_NS) {
		fail("--%s: B times its NS is more than 1000000000 ns (1 s)", opt);
		return EXIT_USAGE;
	}
	f->min_ns *= b;
	f->items = (f->items + b - 1) / b;
	return 0;
}

/* 9.2: a box of B items is one item of the simulation. */
static int apply_app_batch(struct args *a)
{
	struct rp_model_in *m = &a->sim.model;
	u32 i, b = a->app_batch;

	if (!b || b > m->queue_len) {
		fail("--app-batch: not in 1..queue-len items");
		return EXIT_USAGE;
	}
	if (b > 1 && (a->sim.wp.kind == DIST_TRACE || a->sim.wc.kind == DIST_TRACE)) {
		fail("--app-batch: a trace of W has the work of single items, not of boxes");
		return EXIT_USAGE;
	}
	if (box_fall("wp-fall", &a->sim.fall_p, b) || box_fall("wc-fall", &a->sim.fall_c, b))
		return EXIT_USAGE;
	m->queue_len /= b;
	m->kp = (m->kp + b - 1) / b;
	m->kc = (m->kc + b - 1) / b;
	m->kp = m->kp < m->queue_len ? m->kp : m->queue_len;
	m->kc = m->kc < m->queue_len ? m->kc : m->queue_len;
	a->sim.items = (a->sim.items + b - 1) / b;
	a->sim.warmup /= b;
	for (i = 0; i < a->sim.stages; i++) {
		a->sim.w_ns[i] *= b;
		if (a->sim.w_ns[i] > RP_MODEL_MAX_NS) {
			fail("--app-batch: B W is more than 1000000000 ns (1 s)");
			return EXIT_USAGE;
		}
	}
	return 0;
}

/* Of --w-ns: the number of stages, and W for the model's check. */
static int take_work_list(struct args *a)
{
	struct sim_config *c = &a->sim;
	u64 most = 0;
	u32 i;

	if (!a->w_count)
		return 0;
	if (a->stages_given && c->stages != a->w_count) {
		fail("--stages %u, but --w-ns names %u", c->stages, a->w_count);
		return EXIT_USAGE;
	}
	c->stages = a->w_count;
	for (i = 0; i < c->stages; i++)
		most = c->w_ns[i] > most ? c->w_ns[i] : most;
	if (!most) {
		fail("--w-ns: all 0: then nothing takes time");
		return EXIT_USAGE;
	}
	/* The ends may be free as long as any stage works. */
	a->model.in.wp_ns = a->model.in.wc_ns = most;
	return 0;
}

static int configure(struct args *a)
{
	struct sim_config *c = &a->sim;
	struct rp_model_in *in = &a->model.in;
	const char *why;
	u32 i;
	int rc = take_work_list(a);

	if (rc)
		return rc;
	why = model_args_finish(&a->model);
	if (why) {
		fail_option(why);
		return EXIT_USAGE;
	}
	c->model = *in;
	c->strategy_p = (enum rp_strategy_id)(a->mode_p < 0 ? (int)in->mode : a->mode_p);
	c->strategy_c = (enum rp_strategy_id)(a->mode_c < 0 ? (int)in->mode : a->mode_c);
	for (i = 0; !a->w_count && i < c->stages; i++)
		c->w_ns[i] = i ? in->wc_ns : in->wp_ns;
	if (!a->warmup_given)
		c->warmup = c->items / 10 < 1000000 ? c->items / 10 : 1000000;
	rc = apply_app_batch(a);
	if (rc)
		return rc;
	why = sim_check(c);
	if (!why)
		return 0;
	fail_option(why);
	return EXIT_USAGE;
}

static int simulate(const struct args *a)
{
	static struct sim_result r;
	const char *why = sim_run(&a->sim, &r);

	if (why)
		return fail("the simulation ended early: %s", why), 1;
	if (a->json)
		json_print(sim_result_json(&a->sim, &r, a->app_batch), stdout);
	else
		sim_result_print(&a->sim, &r, a->app_batch);
	return 0;
}

static int run(int argc, char **argv)
{
	struct args a = {
		.sim = { .items = 1000000, .seed = 1, .stages = 2 },
		.mode_p = -1, .mode_c = -1, .app_batch = 1,
	};
	int i, rc;

	model_args_default(&a.model);
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	rc = configure(&a);
	if (!rc)
		rc = simulate(&a);
	for (i = 0; i < DISTS; i++)
		dist_spec_free((struct dist_spec *)((char *)&a.sim + dists[i].offset));
	return rc;
}

const struct cmd cmd_sim = {
	.name = "sim",
	.summary = "simulate parameters, distributions and chains",
	.run = run,
};
