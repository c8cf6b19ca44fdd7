// SPDX-License-Identifier: GPL-2.0-or-later
/* The options of an experiment, for every command that runs one. */
#include "run_args.h"

#include <string.h>

#include "model_args.h"

enum {
	OPT_LANE = 256, OPT_BACKEND, OPT_STRATEGY, OPT_STRATEGY_P, OPT_STRATEGY_C, OPT_DIR,
	OPT_WP, OPT_WC, OPT_W_DIST, OPT_YP, OPT_YC, OPT_DMAX, OPT_CAP, OPT_QUEUE_LEN, OPT_KP, OPT_KC,
	OPT_DURATION, OPT_WARMUP, OPT_BURST, OPT_ITEM_BYTES, OPT_CPU_P, OPT_CPU_C,
	OPT_NO_TRACE, OPT_KEEP_TRACE,
};

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "Where and how:", 1 },
	{ "lane", OPT_LANE, "NAME", 0, "native (default), vm or nested", 0 },
	{ "backend", OPT_BACKEND, "NAME", 0, "who serves the VM's device: user (ringpaced, default) or kernel "
	  "(vhost_pc, which must be loaded)", 0 },
	{ "dir", OPT_DIR, "fwd|rev", 0, "guest to host (default), or host to guest", 0 },
	{ "strategy", OPT_STRATEGY, "NAME", 0, "of both: notify (default), sleep, busy, adaptive, or what others do: "
	  "vhost-busyloop, kvm-halt-poll, ovs-sleep, qemu-poll, napi, metronome", 0 },
	{ "strategy-p", OPT_STRATEGY_P, "NAME", 0, "the producer's alone", 0 },
	{ "strategy-c", OPT_STRATEGY_C, "NAME", 0, "the consumer's alone", 0 },
	{ NULL, 0, NULL, 0, "Parameters:", 2 },
	{ "wp-ns", OPT_WP, "NS", 0, "W_P, work to produce an item, ns (0)", 0 },
	{ "wc-ns", OPT_WC, "NS", 0, "W_C, work to consume an item, ns (0)", 0 },
	{ "w-dist", OPT_W_DIST, "const|exp", 0, "work of each item is W (default), or exponential around it", 0 },
	{ "yp-ns", OPT_YP, "NS", 0, "Y_P, length of the producer's sleeps, ns (50000)", 0 },
	{ "yc-ns", OPT_YC, "NS", 0, "Y_C, length of the consumer's sleeps, ns (50000)", 0 },
	{ "dmax-ns", OPT_DMAX, "NS", 0, "D_MAX, bound of the p98 latency, ns; adaptive needs it", 0 },
	{ "cpu-cap", OPT_CAP, "PERCENT", 0, "adaptive: most CPU time of each side (no limit)", 0 },
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
	{ NULL, 0, NULL, 0, "The trace:", 4 },
	{ "keep-trace", OPT_KEEP_TRACE, "FILE", 0, "write both sides' event traces, JSON", 0 },
	{ "no-trace", OPT_NO_TRACE, NULL, 0, "no event trace; S_P and S_C stay unknown", 0 },
	{ 0 }
};

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

static enum rp_work_dist work_dist(struct argp_state *state, const char *arg)
{
	int dist = rp_work_dist_by_name(arg);

	if (dist < 0)
		argp_error(state, "--w-dist %s: not one of const, exp", arg);
	return (enum rp_work_dist)dist;
}

enum run_backend_id opt_backend(struct argp_state *state, const char *arg)
{
	if (!strcmp(arg, run_backend_names[RUN_KERNEL]))
		return RUN_KERNEL;
	if (strcmp(arg, run_backend_names[RUN_USER]))
		argp_error(state, "--backend %s: neither user nor kernel", arg);
	return RUN_USER;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct run_params *p = state->input;

	switch (key) {
	case OPT_LANE:
		p->lane = opt_lane(state, arg);
		break;
	case OPT_BACKEND:
		p->backend = opt_backend(state, arg);
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
		p->wp_ns = opt_number(state, "wp-ns", arg, NSEC_PER_SEC);
		break;
	case OPT_WC:
		p->wc_ns = opt_number(state, "wc-ns", arg, NSEC_PER_SEC);
		break;
	case OPT_W_DIST:
		p->w_dist = work_dist(state, arg);
		break;
	case OPT_YP:
		p->yp_ns = opt_number(state, "yp-ns", arg, NSEC_PER_SEC);
		break;
	case OPT_YC:
		p->yc_ns = opt_number(state, "yc-ns", arg, NSEC_PER_SEC);
		break;
	case OPT_DMAX:
		p->dmax_ns = opt_number(state, "dmax-ns", arg, NSEC_PER_SEC);
		break;
	case OPT_CAP:
		p->cpu_cap_percent = (u32)opt_number(state, "cpu-cap", arg, 100);
		break;
	case OPT_QUEUE_LEN:
		p->queue_len = (u32)opt_number(state, "queue-len", arg, 32768);
		break;
	case OPT_KP:
		p->kp = (u32)opt_number(state, "kp", arg, 32768);
		break;
	case OPT_KC:
		p->kc = (u32)opt_number(state, "kc", arg, 32768);
		break;
	case OPT_BURST:
		p->burst = (u32)opt_number(state, "burst", arg, 32768);
		break;
	case OPT_ITEM_BYTES:
		p->item_bytes = (u32)opt_number(state, "item-bytes", arg, 65536);
		break;
	case OPT_DURATION:
		p->duration_ns = opt_seconds(state, "duration-s", arg);
		break;
	case OPT_WARMUP:
		p->warmup_ns = opt_seconds(state, "warmup-s", arg);
		break;
	case OPT_CPU_P:
		p->cpu_p = (int)opt_number(state, "cpu-p", arg, 4095);
		break;
	case OPT_CPU_C:
		p->cpu_c = (int)opt_number(state, "cpu-c", arg, 4095);
		break;
	case OPT_KEEP_TRACE:
		p->keep_trace = arg;
		break;
	case OPT_NO_TRACE:
		p->trace = false;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

const struct argp run_argp = { .options = options, .parser = parse };

int run_args_check(const struct run_params *p)
{
	const char *why = run_params_check(p);

	if (why) {
		fail("%s", why);
		return EXIT_USAGE;
	}
	if (!p->lane->available(&why)) {
		fail("the lane %s cannot run here: %s", p->lane->name, why);
		return 1;
	}
	if (p->backend == RUN_KERNEL && !p->lane->kernel_available(&why)) {
		fail("the lane %s has no kernel backend here: %s", p->lane->name, why);
		return 1;
	}
	return 0;
}
