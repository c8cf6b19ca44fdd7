// SPDX-License-Identifier: GPL-2.0-or-later
/* `ringpace validate`: measured against model against simulator. */
#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "json.h"
#include "provenance.h"
#include "validate/validate.h"

static const struct sweep_ops *const sweeps[] = { &sweep_sleep, &sweep_notify };

#define SWEEPS	(sizeof(sweeps) / sizeof(sweeps[0]))

enum { OPT_LANE = 256, OPT_SWEEP, OPT_QUICK, OPT_PROFILE, OPT_OUT, OPT_JSON };

static const struct argp_option options[] = {
	{ "lane", OPT_LANE, "NAME", 0, "native (default) or vm", 0 },
	{ "sweep", OPT_SWEEP, "NAME", 0, "only sleep, or only notify (both)", 0 },
	{ "quick", OPT_QUICK, NULL, 0, "few points of 200 ms, without the steps of sLS", 0 },
	{ "profile", OPT_PROFILE, "LANE|FILE", 0,
	  "what was known before the run (the lane's, if there is one)", 0 },
	{ "out", OPT_OUT, "DIR", 0, "for SWEEP.json and SWEEP.csv (validate/ of the build)", 0 },
	{ "json", OPT_JSON, NULL, 0, "one JSON object, {\"sleep\":...,\"notify\":...}", 0 },
	{ 0 }
};

struct args {
	const struct lane_ops *lane;
	bool want[SWEEPS];
	bool quick, json;
	const char *profile_name;
	struct profile profile;
	bool have_profile;
	char out[512];
};

static void choose(struct argp_state *state, struct args *a, const char *name)
{
	bool found = false;
	u32 i;

	for (i = 0; i < SWEEPS; i++) {
		a->want[i] = !strcmp(sweeps[i]->name, name);
		found |= a->want[i];
	}
	if (!found)
		argp_error(state, "--sweep %s: not one of sleep, notify", name);
}

static void find_profile(struct argp_state *state, struct args *a)
{
	const char *path = profile_path(a->lane->name);
	const char *why;

	/* One that was not asked for need not be there, but if it is, be good. */
	if (!a->profile_name && (!path || access(path, F_OK)))
		return;
	why = profile_load(a->profile_name ?: a->lane->name, &a->profile);
	a->have_profile = !why;
	if (why)
		argp_failure(state, EXIT_USAGE, 0, "--profile: %s", why);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case OPT_LANE:
		a->lane = opt_lane(state, arg);
		break;
	case OPT_SWEEP:
		choose(state, a, arg);
		break;
	case OPT_QUICK:
		a->quick = true;
		break;
	case OPT_PROFILE:
		a->profile_name = arg;
		break;
	case OPT_OUT:
		snprintf(a->out, sizeof(a->out), "%s", arg);
		break;
	case OPT_JSON:
		a->json = true;
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: no such argument", arg);
		break;
	case ARGP_KEY_END:
		find_profile(state, a);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Runs two sweeps and compares time per item T, batch b and notifications with what "
	"model and simulator predict: sleeps of 4 us to 3 ms (W_P 2 us, W_C 1 us, L 512), and "
	"notifications with W_P from 200 to 2900 ns (W_C 2 us, L 512, k_C 384, k_P 1). Takes "
	"about a minute; run it on a quiet machine.\v"
	"Example:\n\n"
	"  ringpace probe && ringpace validate --sweep notify\n\n"
	"Predictions are made from what each point's own run measured, and once more from the "
	"nominal W and the profile of `ringpace probe`, which is all that is known before a run. "
	"An error is predicted minus measured, in percent of measured. All times are ns.",
};

static int run_sweep(const struct args *a, const struct sweep_ops *ops, json_t *all)
{
	struct sweep *s = calloc(1, sizeof(*s));
	json_t *v;
	int rc;

	if (!s)
		return fail("validate: out of memory");
	s->ops = ops;
	s->lane = a->lane;
	s->profile = a->have_profile ? &a->profile : NULL;
	s->quick = a->quick;
	rc = ops->run(s);
	if (!rc) {
		v = sweep_json(s);
		rc = sweep_write(v, ops->name, a->out);
		if (!a->json) {
			sweep_print(s);
			provenance_note(v);
		}
		json_object_set_new(all, ops->name, v);
	}
	free(s);
	return rc;
}

static int run_all(const struct args *a)
{
	json_t *all = json_object();
	bool first = true;
	int rc = 0;
	u32 i;

	for (i = 0; i < SWEEPS && !rc; i++) {
		if (!a->want[i])
			continue;
		if (!a->json && !first)
			putchar('\n');
		first = false;
		rc = run_sweep(a, sweeps[i], all);
	}
	if (!rc && a->json)
		json_print(json_incref(all), stdout);
	json_decref(all);
	return rc;
}

static int run(int argc, char **argv)
{
	struct args a = { .lane = &lane_native, .want = { true, true } };
	const char *why;
	int rc;

	snprintf(a.out, sizeof(a.out), "%s/validate", own_dir());
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	if (!a.lane->available(&why)) {
		fail("the lane %s cannot run here: %s", a.lane->name, why);
		return 1;
	}
	catch_signals();
	rc = run_all(&a);
	if (stopped())
		return EXIT_STOPPED;
	return rc ? 1 : 0;
}

const struct cmd cmd_validate = {
	.name = "validate",
	.summary = "compare measurements with model and simulator",
	.run = run,
};
