// SPDX-License-Identifier: GPL-2.0-or-later
/* `ringpace run`: one producer/consumer experiment in one lane. */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "json.h"
#include "lane.h"

enum {
	OPT_LANE = 256, OPT_STRATEGY, OPT_STRATEGY_P, OPT_STRATEGY_C, OPT_DIR,
	OPT_WP, OPT_WC, OPT_YP, OPT_YC, OPT_QUEUE_LEN, OPT_KP, OPT_KC,
	OPT_DURATION, OPT_WARMUP, OPT_BURST, OPT_ITEM_BYTES, OPT_CPU_P, OPT_CPU_C,
	OPT_NO_TRACE, OPT_KEEP_TRACE, OPT_JSON,
};

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "Where and how:", 1 },
	{ "lane", OPT_LANE, "NAME", 0, "native (default) or vm", 0 },
	{ "dir", OPT_DIR, "fwd|rev", 0, "guest to host (default), or host to guest", 0 },
	{ "strategy", OPT_STRATEGY, "NAME", 0, "notify (default), sleep or busy, of both", 0 },
	{ "strategy-p", OPT_STRATEGY_P, "NAME", 0, "the producer's alone", 0 },
	{ "strategy-c", OPT_STRATEGY_C, "NAME", 0, "the consumer's alone", 0 },
	{ NULL, 0, NULL, 0, "Parameters:", 2 },
	{ "wp-ns", OPT_WP, "NS", 0, "W_P, work to produce an item, ns (0)", 0 },
	{ "wc-ns", OPT_WC, "NS", 0, "W_C, work to consume an item, ns (0)", 0 },
	{ "yp-ns", OPT_YP, "NS", 0, "Y_P, length of the producer's sleeps, ns (50000)", 0 },
	{ "yc-ns", OPT_YC, "NS", 0, "Y_C, length of the consumer's sleeps, ns (50000)", 0 },
	{ "queue-len", OPT_QUEUE_LEN, "SLOTS", 0, "L, 2..32768 slots (512)", 0 },
	{ "kp", OPT_KP, "ITEMS", 0, "k_P, items after which P notifies a blocked C (1)", 0 },
	{ "kc", OPT_KC, "SLOTS", 0, "k_C, free slots after which C notifies a blocked P (3/4 L)", 0 },
	{ "burst", OPT_BURST, "ITEMS", 0, "items published at once (1)", 0 },
	{ "item-bytes", OPT_ITEM_BYTES, "BYTES", 0, "size of an item, 32..65536 bytes (64)", 0 },
	{ NULL, 0, NULL, 0, "The run:", 3 },
	{ "duration-s", OPT_DURATION, "S", 0, "measured time, seconds (1)", 0 },
	{ "warmup-s", OPT_WARMUP, "S", 0, "time before it, seconds (0.2)", 0 },
	{ "cpu-p", OPT_CPU_P, "N", 0, "CPU of the producer (the lane chooses)", 0 },
	{ "cpu-c", OPT_CPU_C, "N", 0, "CPU of the consumer (the lane chooses)", 0 },
	{ NULL, 0, NULL, 0, "Output:", 4 },
	{ "json", OPT_JSON, NULL, 0, "one JSON object; what was not measured is null", 0 },
	{ "keep-trace", OPT_KEEP_TRACE, "FILE", 0, "write both sides' event traces, JSON", 0 },
	{ "no-trace", OPT_NO_TRACE, NULL, 0, "no event trace; S_P and S_C stay unknown", 0 },
	{ 0 }
};

struct args {
	struct run_params run;
	bool json;
};

static u64 number(struct argp_state *state, const char *opt, const char *arg, u64 max)
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

static u64 seconds(struct argp_state *state, const char *opt, const char *arg)
{
	char *end;
	double v = strtod(arg, &end);

	if (end == arg || *end || !(v >= 0 && v <= 3600))
		argp_error(state, "--%s %s: not a number of seconds in 0..3600", opt, arg);
	return (u64)llround(v * 1e9);
}

static enum rp_strategy_id strategy(struct argp_state *state, const char *opt, const char *arg)
{
	int id = rp_strategy_id_by_name(arg);

	if (id < 0)
		argp_error(state, "--%s %s: not one of notify, sleep, busy", opt, arg);
	return (enum rp_strategy_id)id;
}

static enum run_dir_id direction(struct argp_state *state, const char *arg)
{
	if (!strcmp(arg, run_dir_names[RUN_REV]))
		return RUN_REV;
	if (strcmp(arg, run_dir_names[RUN_FWD]))
		argp_error(state, "--dir %s: not one of fwd, rev", arg);
	return RUN_FWD;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;
	struct run_params *p = &a->run;

	switch (key) {
	case OPT_LANE:
		p->lane = opt_lane(state, arg);
		break;
	case OPT_DIR:
		p->dir = direction(state, arg);
		break;
	case OPT_STRATEGY:
		p->strategy_p = p->strategy_c = strategy(state, "strategy", arg);
		break;
	case OPT_STRATEGY_P:
		p->strategy_p = strategy(state, "strategy-p", arg);
		break;
	case OPT_STRATEGY_C:
		p->strategy_c = strategy(state, "strategy-c", arg);
		break;
	case OPT_WP:
		p->wp_ns = number(state, "wp-ns", arg, NSEC_PER_SEC);
		break;
	case OPT_WC:
		p->wc_ns = number(state, "wc-ns", arg, NSEC_PER_SEC);
		break;
	case OPT_YP:
		p->yp_ns = number(state, "yp-ns", arg, NSEC_PER_SEC);
		break;
	case OPT_YC:
		p->yc_ns = number(state, "yc-ns", arg, NSEC_PER_SEC);
		break;
	case OPT_QUEUE_LEN:
		p->queue_len = (u32)number(state, "queue-len", arg, 32768);
		break;
	case OPT_KP:
		p->kp = (u32)number(state, "kp", arg, 32768);
		break;
	case OPT_KC:
		p->kc = (u32)number(state, "kc", arg, 32768);
		break;
	case OPT_BURST:
		p->burst = (u32)number(state, "burst", arg, 32768);
		break;
	case OPT_ITEM_BYTES:
		p->item_bytes = (u32)number(state, "item-bytes", arg, 65536);
		break;
	case OPT_DURATION:
		p->duration_ns = seconds(state, "duration-s", arg);
		break;
	case OPT_WARMUP:
		p->warmup_ns = seconds(state, "warmup-s", arg);
		break;
	case OPT_CPU_P:
		p->cpu_p = (int)number(state, "cpu-p", arg, 4095);
		break;
	case OPT_CPU_C:
		p->cpu_c = (int)number(state, "cpu-c", arg, 4095);
		break;
	case OPT_JSON:
		a->json = true;
		break;
	case OPT_KEEP_TRACE:
		p->keep_trace = arg;
		break;
	case OPT_NO_TRACE:
		p->trace = false;
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
	const char *why;

	run_params_default(&a.run);
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	why = run_params_check(&a.run);
	if (why) {
		fail("%s", why);
		return EXIT_USAGE;
	}
	if (!a.run.lane->available(&why)) {
		fail("the lane %s cannot run here: %s", a.run.lane->name, why);
		return 1;
	}
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
