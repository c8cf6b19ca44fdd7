// SPDX-License-Identifier: GPL-2.0-or-later
/* Option values of benchmarks. */
#include "bench/options.h"

#include "model_args.h"

u64 opt_between(struct argp_state *state, const char *opt, const char *arg, u64 min, u64 max)
{
	u64 v = opt_number(state, opt, arg, max);

	if (v < min)
		argp_error(state, "--%s %s: less than %llu", opt, arg, (unsigned long long)min);
	return v;
}

void opt_strategies(struct argp_state *state, const char *arg, struct competitors *who)
{
	const char *why = competitors_parse(who, arg);

	if (why)
		argp_error(state, "--strategies: %s", why);
}
