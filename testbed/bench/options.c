// SPDX-License-Identifier: GPL-2.0-or-later
/* Option values of benchmarks. */
#include "bench/options.h"

#include <stdlib.h>
#include <string.h>

#include "model_args.h"

u64 opt_between(struct argp_state *state, const char *opt, const char *arg, u64 min, u64 max)
{
	u64 v = opt_number(state, opt, arg, max);

	if (v < min)
		argp_error(state, "--%s %s: less than %llu", opt, arg, (unsigned long long)min);
	return v;
}

double opt_bench_seconds(struct argp_state *state, const char *arg)
{
	u64 ns = opt_seconds(state, "seconds", arg);

	if (ns < NSEC_PER_SEC / 10 || ns > 60 * NSEC_PER_SEC)
		argp_error(state, "--seconds %s: not in 0.1..60", arg);
	return (double)ns / 1e9;
}

u32 opt_names(struct argp_state *state, const char *opt, const char *arg,
	      const char *(*name_of)(u32 i))
{
	char *copy = strdup(arg), *rest = copy, *name;
	u32 bits = 0, i;

	if (!copy)
		abort();
	while ((name = strsep(&rest, ","))) {
		for (i = 0; name_of(i) && strcmp(name_of(i), name); i++)
			;
		if (!name_of(i))
			argp_error(state, "--%s %s: there is no %s; see --help", opt, arg, name);
		bits |= 1u << i;
	}
	free(copy);
	return bits;
}

void opt_strategies(struct argp_state *state, const char *arg, struct competitors *who)
{
	const char *why = competitors_parse(who, arg);

	if (why)
		argp_error(state, "--strategies: %s", why);
}

enum { OPT_STRATEGIES = 256, OPT_DMAX, OPT_ROUNDS, OPT_JSON };

static const struct argp_option options[] = {
	{ "strategies", OPT_STRATEGIES, "LIST", 0, "of both sides, separated by commas", 0 },
	{ "dmax-ns", OPT_DMAX, "NS", 0, "D_MAX, ns (1000000)", 0 },
	{ "rounds", OPT_ROUNDS, "N", 0, "of which medians are taken, 1..99", 0 },
	{ "json", OPT_JSON, NULL, 0, "one JSON object", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct bench_args *a = state->input;

	switch (key) {
	case OPT_STRATEGIES:
		opt_strategies(state, arg, &a->who);
		break;
	case OPT_DMAX:
		a->dmax_ns = opt_between(state, "dmax-ns", arg, 1, NSEC_PER_SEC);
		break;
	case OPT_ROUNDS:
		a->rounds = (u32)opt_between(state, "rounds", arg, 1, BENCH_ROUNDS_MAX);
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

const struct argp bench_argp = { .options = options, .parser = parse };
