// SPDX-License-Identifier: GPL-2.0-or-later
/* `ringpace probe`: measures this host's costs and keeps them as its profile. */
#include <argp.h>
#include <stdlib.h>

#include "cmd.h"
#include "json.h"
#include "probe/probe.h"
#include "profile.h"
#include "provenance.h"

enum { OPT_LANE = 256, OPT_QUICK, OPT_NO_SAVE, OPT_JSON };

static const struct argp_option options[] = {
	{ "lane", OPT_LANE, "NAME", 0, "native (default) or vm", 0 },
	{ "quick", OPT_QUICK, NULL, 0, "some 0.5 s instead of 17 s (and the VM's start), and less exact", 0 },
	{ "no-save", OPT_NO_SAVE, NULL, 0, "leave the stored profile as it is", 0 },
	{ "json", OPT_JSON, NULL, 0, "the profile, one JSON object", 0 },
	{ 0 }
};

struct args {
	const struct lane_ops *lane;
	bool quick, no_save, json;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case OPT_LANE:
		a->lane = opt_lane(state, arg);
		break;
	case OPT_QUICK:
		a->quick = true;
		break;
	case OPT_NO_SAVE:
		a->no_save = true;
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
	.doc = "Measures what others take of two CPUs, and what sleeping (Y, Y_E) and notifying "
	"(N_P, N_C, S_P, S_C) cost on this host, ns, and stores it as the profile of the lane. Run it on a quiet machine.\v"
	"Example:\n\n"
	"  ringpace probe && ringpace model --profile native --wp-ns 2400 --wc-ns 2000\n\n"
	"The column `profile` is the mean without outliers (above 1 ms and ten times the median, "
	"or beyond three interquartile ranges from the quartiles); model and sim take it. Y is the "
	"same of the sleeps' lengths, Y_E the CPU time of one sleep.",
};

static int show(const struct args *a, const struct probe *p)
{
	json_t *v = probe_json(p, a->lane->name);
	int rc = a->no_save ? 0 : profile_save(a->lane->name, v);

	if (a->json) {
		json_print(v, stdout);
		return rc;
	}
	probe_print(p);
	provenance_note(v);
	json_decref(v);
	if (!rc && !a->no_save)
		printf("stored in %s\n", profile_path(a->lane->name));
	return rc;
}

static int measure(struct probe *p, const struct lane_ops *lane)
{
	if (probe_gaps(p) || probe_sleeps(p) || (lane != &lane_native && probe_guest_sleeps(p, lane)))
		return -1;
	return probe_notify(p, lane);
}

static int run(int argc, char **argv)
{
	struct args a = { .lane = &lane_native };
	struct probe *p;
	const char *why;
	int rc;

	argp_parse(&argp, argc, argv, 0, NULL, &a);
	if (!a.lane->available(&why)) {
		fail("the lane %s cannot run here: %s", a.lane->name, why);
		return 1;
	}
	p = calloc(1, sizeof(*p));
	if (!p) {
		fail("probe: out of memory");
		return 1;
	}
	catch_signals();
	p->quick = a.quick;
	rc = measure(p, a.lane) || show(&a, p);
	free(p);
	if (stopped())
		return EXIT_STOPPED;
	return rc ? 1 : 0;
}

const struct cmd cmd_probe = {
	.name = "probe",
	.summary = "measure this host's costs of sleeping and notifying",
	.run = run,
};
