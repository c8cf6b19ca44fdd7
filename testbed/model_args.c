// SPDX-License-Identifier: GPL-2.0-or-later
/* Parses the model's parameters. */
#include "model_args.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "profile.h"
#include "util.h"

enum {
	OPT_MODE = 256, OPT_WP, OPT_WC, OPT_NP, OPT_NC, OPT_SP, OPT_SC, OPT_YP, OPT_YC, OPT_YE,
	OPT_QUEUE_LEN, OPT_KP, OPT_KC, OPT_PROFILE,
};

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "The model's parameters (times at most 1 s):", 1 },
	{ "mode", OPT_MODE, "NAME", 0, "notify (default), sleep or busy", 0 },
	{ "strategy", 0, NULL, OPTION_ALIAS, NULL, 0 },
	{ "wp-ns", OPT_WP, "NS", 0, "W_P, work to produce an item, ns (0)", 0 },
	{ "wc-ns", OPT_WC, "NS", 0, "W_C, work to consume an item, ns (0)", 0 },
	{ "yp-ns", OPT_YP, "NS", 0, "Y_P, length of P's sleeps, ns (Y_C, or 50000)", 0 },
	{ "yc-ns", OPT_YC, "NS", 0, "Y_C, length of C's sleeps, ns (Y_P, or 50000)", 0 },
	{ "queue-len", OPT_QUEUE_LEN, "SLOTS", 0, "L, 1..32768 slots (512)", 0 },
	{ "kp", OPT_KP, "ITEMS", 0, "k_P, items at which P notifies a blocked C (1)", 0 },
	{ "kc", OPT_KC, "SLOTS", 0, "k_C, free slots at which C notifies a blocked P (3/4 L)", 0 },
	{ 0 }
};

static const struct argp_option cost_options[] = {
	{ NULL, 0, NULL, 0, "Costs (times at most 1 s):", 2 },
	{ "np-ns", OPT_NP, "NS", 0, "N_P, what it costs P to notify C, ns", 0 },
	{ "nc-ns", OPT_NC, "NS", 0, "N_C, what it costs C to notify P, ns", 0 },
	{ "sp-ns", OPT_SP, "NS", 0, "S_P, start-up of P after a notification, ns", 0 },
	{ "sc-ns", OPT_SC, "NS", 0, "S_C, start-up of C after a notification, ns", 0 },
	{ "ye-ns", OPT_YE, "NS", 0, "Y_E, cost and shortest length of a sleep, ns", 0 },
	{ "profile", OPT_PROFILE, "LANE|FILE", 0,
	  "take N, S and Y_E, where not given, from what `ringpace probe` measured", 0 },
	{ 0 }
};

u64 opt_number(struct argp_state *state, const char *opt, const char *arg, u64 max)
{
	char *end;
	u64 v;

	errno = 0;
	v = strtoull(arg, &end, 10);
	if (*arg < '0' || *arg > '9' || *end || errno || v > max)
		argp_error(state, "--%s %s: not a whole number in 0..%llu", opt, arg,
			   (unsigned long long)max);
	return v;
}

u64 opt_seconds(struct argp_state *state, const char *opt, const char *arg)
{
	char *end;
	double v = strtod(arg, &end);

	if (end == arg || *end || !(v >= 0 && v <= 3600))
		argp_error(state, "--%s %s: not a number of seconds in 0..3600", opt, arg);
	return (u64)llround(v * 1e9);
}

static void parse_mode(struct argp_state *state, const char *arg, struct rp_model_in *in)
{
	int id = rp_strategy_id_by_name(arg);

	if (id < 0 || id > RP_BUSY)
		argp_error(state, "--mode %s: not one of notify, sleep, busy", arg);
	in->mode = (enum rp_strategy_id)id;
}

static void take_profile(struct argp_state *state, struct model_args *a)
{
	struct rp_model_in *in = &a->in;
	struct profile p;
	const char *why = profile_load(a->profile, &p);

	if (why)
		argp_failure(state, EXIT_USAGE, 0, "--profile: %s", why);
#define DEFAULT(name)					\
	do {						\
		if (!a->name##_given)			\
			in->name##_ns = p.name##_ns;	\
	} while (0)
	DEFAULT(np);
	DEFAULT(nc);
	DEFAULT(sp);
	DEFAULT(sc);
	DEFAULT(ye);
#undef DEFAULT
}

#define TIME(key_, name, field)							\
	case key_:								\
		in->field = opt_number(state, name, arg, RP_MODEL_MAX_NS);	\
		break;

static error_t parse_costs(int key, char *arg, struct argp_state *state)
{
	struct model_args *a = state->input;
	struct rp_model_in *in = &a->in;

	switch (key) {
	TIME(OPT_NP, "np-ns", np_ns)
	TIME(OPT_NC, "nc-ns", nc_ns)
	TIME(OPT_SP, "sp-ns", sp_ns)
	TIME(OPT_SC, "sc-ns", sc_ns)
	TIME(OPT_YE, "ye-ns", ye_ns)
	case OPT_PROFILE:
		a->profile = arg;
		break;
	case ARGP_KEY_END:
		if (a->profile)
			take_profile(state, a);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	a->np_given |= key == OPT_NP;
	a->nc_given |= key == OPT_NC;
	a->sp_given |= key == OPT_SP;
	a->sc_given |= key == OPT_SC;
	a->ye_given |= key == OPT_YE;
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct model_args *a = state->input;
	struct rp_model_in *in = &a->in;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = a;
		break;
	TIME(OPT_WP, "wp-ns", wp_ns)
	TIME(OPT_WC, "wc-ns", wc_ns)
	TIME(OPT_YP, "yp-ns", yp_ns)
	TIME(OPT_YC, "yc-ns", yc_ns)
	case OPT_MODE:
		parse_mode(state, arg, in);
		break;
	case OPT_QUEUE_LEN:
		in->queue_len = (u32)opt_number(state, "queue-len", arg, RP_MODEL_MAX_LEN);
		break;
	case OPT_KP:
		in->kp = (u32)opt_number(state, "kp", arg, RP_MODEL_MAX_LEN);
		a->kp_given = true;
		break;
	case OPT_KC:
		in->kc = (u32)opt_number(state, "kc", arg, RP_MODEL_MAX_LEN);
		a->kc_given = true;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	a->mode_given |= key == OPT_MODE;
	a->queue_len_given |= key == OPT_QUEUE_LEN;
	a->yp_given |= key == OPT_YP;
	a->yc_given |= key == OPT_YC;
	return 0;
}

#undef TIME

const struct argp costs_argp = { .options = cost_options, .parser = parse_costs };

static const struct argp_child children[] = { { &costs_argp, 0, NULL, 0 }, { 0 } };

const struct argp model_argp = { .options = options, .parser = parse, .children = children };

void model_args_default(struct model_args *a)
{
	*a = (struct model_args){
		.in = { .mode = RP_NOTIFY, .yp_ns = 50000, .yc_ns = 50000, .queue_len = 512 },
	};
}

const char *model_args_finish(struct model_args *a)
{
	struct rp_model_in *in = &a->in;

	if (!a->kp_given)
		in->kp = rp_default_threshold(RP_CONSUMER, in->queue_len);
	if (!a->kc_given)
		in->kc = rp_default_threshold(RP_PRODUCER, in->queue_len);
	/* Sleeps of very different length waste energy (004, sec. 3.2.1). */
	if (!a->yp_given && a->yc_given)
		in->yp_ns = in->yc_ns;
	if (!a->yc_given && a->yp_given)
		in->yc_ns = in->yp_ns;
	return rp_model_check(in);
}

u64 model_ns(double ns)
{
	return is_known(ns) && ns > 0 ? (u64)llround(fmin(ns, (double)RP_MODEL_MAX_NS)) : 0;
}

int fail_option(const char *why)
{
	char name[64];
	size_t i, n = strcspn(why, ": ");

	if (n >= sizeof(name))
		return fail("%s", why);
	for (i = 0; i < n; i++)
		name[i] = why[i] == '_' ? '-' : why[i];
	name[n] = 0;
	return fail("--%s%s", name, why + n);
}
