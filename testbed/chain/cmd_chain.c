// SPDX-License-Identifier: GPL-2.0-or-later
/* `ringpace chain`: a load through a chain of VMs, under one strategy or several. */
#include <argp.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/options.h"
#include "chain/chain.h"
#include "chain/frame.h"
#include "chain/report.h"
#include "cmd.h"
#include "json.h"
#include "model_args.h"
#include "provenance.h"

#define RATE_MAX_PPS	100000000u
#define QUEUE_MIN	8u
#define QUEUE_MAX	4096u
#define FULL_MS_DEFAULT	1000u
#define FRAME_BYTES	64u

enum {
	OPT_LANE = 256, OPT_VMS, OPT_DURATION, OPT_WARMUP, OPT_RATE, OPT_STRATEGY,
	OPT_HOP_STRATEGY, OPT_ROUNDS,
	OPT_FRAME, OPT_FLOWS, OPT_QUEUE_LEN, OPT_NF, OPT_NF_WAIT,
	OPT_NF_MACS, OPT_NF_NS, OPT_NF_KICK, OPT_NF_BURST, OPT_SLOW_HOP, OPT_SLOW,
	OPT_FULL, OPT_WAIT, OPT_JSON,
};

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "The chain:", 1 },
	{ "lane", OPT_LANE, "NAME", 0, "native (default): threads in place of the VMs; "
	  "vm: libvirt's domains with stock guests", 0 },
	{ "vms", OPT_VMS, "N", 0, "forwarding VMs, 1..31 (1); N + 1 hops", 0 },
	{ "strategy", OPT_STRATEGY, "LIST", 0, "of all hops, "
	  "NAME[,y-ns=NS][,dmax-ns=NS][,cpu-cap=PERCENT][,burst=PACKETS], "
	  "more of them after commas, may be repeated: a run each (adaptive)", 0 },
	{ "hop-strategy", OPT_HOP_STRATEGY, "K:NAME[,...]", 0, "of hop K alone, in all runs; "
	  "may be repeated", 0 },
	{ "rounds", OPT_ROUNDS, "N", 0, "runs of each strategy, in turns, 1..99 (1)", 0 },
	{ "queue-len", OPT_QUEUE_LEN, "SLOTS", 0, "of each ring, a power of two in 8..4096 (256)", 0 },
	{ "full-ms", OPT_FULL, "MS", 0, "how long a receiver without buffers holds "
	  "its sender up before packets are dropped, ms (1000)", 0 },
	{ NULL, 0, NULL, 0, "The forwarders:", 2 },
	{ "nf", OPT_NF, "NAME", 0, "vm lane: what they do with packets: bridge (default), Linux's; "
	  "firewall: that with rules of nftables; route: Linux's IPv4 forwarding, of UDP packets; "
	  "l2fwd: a forwarder on DPDK", 0 },
	{ "nf-wait", OPT_NF_WAIT, "sleep|spin", 0, "l2fwd: what it does while nothing comes: sleep "
	  "(default), for longer and longer, up to 1 ms; or spin, which takes a CPU", 0 },
	{ "nf-macs", OPT_NF_MACS, NULL, 0, "l2fwd: it rewrites the addresses of each packet", 0 },
	{ "nf-ns", OPT_NF_NS, "NS", 0, "native lane: work per packet of each, ns, at most 10 ms "
	  "(0)", 0 },
	{ "nf-kick-ns", OPT_NF_KICK, "NS", 0, "native lane: what a kick costs each, as an exit does a "
	  "real VM, ns, at most 10 ms (0)", 0 },
	{ "nf-burst", OPT_NF_BURST, "PACKETS", 0, "that each sends at once, 1..64 (1)", 0 },
	{ "slow-hop", OPT_SLOW_HOP, "K", 0, "VM K, at the end of hop K, is another one", 0 },
	{ "slow-ns", OPT_SLOW, "NS", 0, "its work per packet, ns", 0 },
	{ NULL, 0, NULL, 0, "The load:", 3 },
	{ "rate-pps", OPT_RATE, "R|max", 0, "packets per second, sent when they are due "
	  "whatever happens to others (10000); max: whenever there is room", 0 },
	{ "duration-s", OPT_DURATION, "S", 0, "measured time, seconds (1)", 0 },
	{ "warmup-s", OPT_WARMUP, "S", 0, "time before it, seconds (0.2)", 0 },
	{ "frame-bytes", OPT_FRAME, "BYTES", 0, "size of a packet, 60..1514 bytes (64; route: 78 at least, 78)", 0 },
	{ "flows", OPT_FLOWS, "F", 0, "numbered flows, in turns, 1..1024 (1)", 0 },
	{ "generator-wait", OPT_WAIT, "sleep|spin", 0, "how the generator waits for what is due: "
	  "asleep (default), or spinning, which is exact and takes a CPU", 0 },
	{ NULL, 0, NULL, 0, "Output:", 4 },
	{ "json", OPT_JSON, NULL, 0, "one JSON object (docs/chain.md)", 0 },
	{ 0 }
};

struct args {
	struct chain_params p;
	struct chain_strategies who;
	u32 rounds;
	bool json;
	bool slow_given;
	const char *l2fwd_given;	/* an option that only --nf l2fwd has */
	u32 last_hop;		/* the last one that --hop-strategy names */
};

static const struct chain_lane_ops *lane(struct argp_state *state, const char *arg)
{
	const struct chain_lane_ops *ops = chain_lane_by_name(arg);

	if (!ops)
		argp_error(state, "--lane %s: not one of native, vm", arg);
	return ops;
}

static u64 rate(struct argp_state *state, const char *arg)
{
	return strcmp(arg, "max") ? opt_between(state, "rate-pps", arg, 1, RATE_MAX_PPS) : 0;
}

static u32 slots(struct argp_state *state, const char *arg)
{
	u32 n = (u32)opt_between(state, "queue-len", arg, QUEUE_MIN, QUEUE_MAX);

	if (n & (n - 1))
		argp_error(state, "--queue-len %s: not a power of two", arg);
	return n;
}

static bool spins(struct argp_state *state, const char *opt, const char *arg)
{
	bool spin = !strcmp(arg, "spin");

	if (!spin && strcmp(arg, "sleep"))
		argp_error(state, "--%s %s: neither sleep nor spin", opt, arg);
	return spin;
}

static void hop_strategy(struct argp_state *state, struct args *a, const char *arg)
{
	struct chain_strategies one = { 0 };
	const char *why;
	char *name;
	u64 hop = strtoull(arg, &name, 10);

	if (*arg < '0' || *arg > '9' || *name != ':' || !hop || hop > CHAIN_HOPS_MAX)
		argp_error(state, "--hop-strategy %s: not a hop in 1..%u and a strategy, K:NAME",
			   arg, CHAIN_HOPS_MAX);
	why = chain_strategies_add(&one, name + 1);
	if (!why && one.n > 1)
		why = "a hop has one strategy";
	if (why)
		argp_error(state, "--hop-strategy %s: %s", arg, why);
	a->p.hop_strategy[hop - 1] = one.of[0];
	a->last_hop = hop > a->last_hop ? (u32)hop : a->last_hop;
}

/* Also fills in the lane's own. */
static void check_nf(struct argp_state *state, struct chain_params *p)
{
	const char *const *known = p->lane->nf;
	char names[64];
	size_t len = 0;
	u32 i;

	if (!p->nf)
		p->nf = known[0];
	for (i = 0; i < CHAIN_NF_MAX && known[i]; i++) {
		if (!strcmp(p->nf, known[i]))
			return;
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", i ? ", " : "",
					known[i]);
	}
	argp_error(state, "--nf %s: the %s lane has %s", p->nf, p->lane->name, names);
}

/* Also fills in what was not given. */
static void check_frame(struct argp_state *state, struct chain_params *p)
{
	u32 least = chain_head_at(p) == CHAIN_AT_IP ? CHAIN_IP_MIN_BYTES : NET_FRAME_MIN_BYTES;

	if (!p->frame_bytes)
		p->frame_bytes = least > FRAME_BYTES ? least : FRAME_BYTES;
	if (p->frame_bytes < least)
		argp_error(state, "--frame-bytes %u: --nf %s takes %u at least, for IPv4 and UDP",
			   p->frame_bytes, p->nf, least);
}

static void check(struct argp_state *state, struct args *a)
{
	const char *twice = chain_strategies_twice(&a->who), *why;
	struct chain_params *p = &a->p;

	check_nf(state, p);
	if (a->l2fwd_given && !chain_is_l2fwd(p))
		argp_error(state, "%s: --nf %s has no such thing, --nf " L2FWD_NF " has",
			   a->l2fwd_given, p->nf);
	why = p->lane->check(p);
	if (why)
		argp_error(state, "%s", why);
	check_frame(state, p);

	if (twice)
		argp_error(state, "--strategy: %s: named twice", twice);
	if (!p->duration_ns)
		argp_error(state, "--duration-s 0: nothing would be measured");
	if (p->slow_hop > p->vms)
		argp_error(state, "--slow-hop %u: there are only --vms %u", p->slow_hop, p->vms);
	if (a->last_hop > p->vms + 1)
		argp_error(state, "--hop-strategy %u: with --vms %u there are %u hops", a->last_hop,
			   p->vms, p->vms + 1);
	if (!p->slow_hop != !a->slow_given)
		argp_error(state, "--slow-hop and --slow-ns: one needs the other");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;
	struct chain_params *p = &a->p;
	const char *why;

	switch (key) {
	case OPT_LANE:
		p->lane = lane(state, arg);
		break;
	case OPT_VMS:
		p->vms = (u32)opt_between(state, "vms", arg, 1, CHAIN_VMS_MAX);
		break;
	case OPT_STRATEGY:
		why = chain_strategies_add(&a->who, arg);
		if (why)
			argp_error(state, "--strategy: %s", why);
		break;
	case OPT_HOP_STRATEGY:
		hop_strategy(state, a, arg);
		break;
	case OPT_ROUNDS:
		a->rounds = (u32)opt_between(state, "rounds", arg, 1, BENCH_ROUNDS_MAX);
		break;
	case OPT_QUEUE_LEN:
		p->queue_len = slots(state, arg);
		break;
	case OPT_FULL:
		p->full_ms = (u32)opt_between(state, "full-ms", arg, 1, 3600000);
		break;
	case OPT_NF:
		p->nf = arg;
		break;
	case OPT_NF_WAIT:
		p->nf_spin = spins(state, "nf-wait", arg);
		a->l2fwd_given = "--nf-wait";
		break;
	case OPT_NF_MACS:
		p->nf_macs = true;
		a->l2fwd_given = "--nf-macs";
		break;
	case OPT_NF_NS:
		p->nf_ns = opt_number(state, "nf-ns", arg, CHAIN_WORK_MAX_NS);
		break;
	case OPT_NF_KICK:
		p->nf_kick_ns = opt_number(state, "nf-kick-ns", arg, CHAIN_WORK_MAX_NS);
		break;
	case OPT_NF_BURST:
		p->nf_burst = (u32)opt_between(state, "nf-burst", arg, 1, CHAIN_NF_BURST_MAX);
		break;
	case OPT_SLOW_HOP:
		p->slow_hop = (u32)opt_between(state, "slow-hop", arg, 1, CHAIN_VMS_MAX);
		break;
	case OPT_SLOW:
		p->slow_ns = opt_number(state, "slow-ns", arg, CHAIN_WORK_MAX_NS);
		a->slow_given = true;
		break;
	case OPT_RATE:
		p->rate_pps = rate(state, arg);
		break;
	case OPT_DURATION:
		p->duration_ns = opt_seconds(state, "duration-s", arg);
		break;
	case OPT_WARMUP:
		p->warmup_ns = opt_seconds(state, "warmup-s", arg);
		break;
	case OPT_FRAME:
		p->frame_bytes = (u32)opt_between(state, "frame-bytes", arg, NET_FRAME_MIN_BYTES,
						  CHAIN_FRAME_MAX_BYTES);
		break;
	case OPT_FLOWS:
		p->flows = (u32)opt_between(state, "flows", arg, 1, CHAIN_FLOWS_MAX);
		break;
	case OPT_WAIT:
		p->spin = spins(state, "generator-wait", arg);
		break;
	case OPT_JSON:
		a->json = true;
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: no such argument", arg);
		break;
	case ARGP_KEY_END:
		check(state, a);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Sends a load through a chain of VMs, each hop a link of ringpaced with a pacer of its "
	"own: generator, N forwarders, sink. Tells what was lost, how long packets took, what each "
	"hop cost, and who holds the chain up.\v"
	"Examples, three strategies beside each other, and a slow VM:\n\n"
	"  ringpace chain --vms 3 --strategy notify,sleep,y-ns=20000,adaptive\n"
	"  ringpace chain --vms 3 --rate-pps max --slow-hop 2 --slow-ns 20000\n"
	"  ringpace chain --lane vm --vms 3 --nf firewall --rate-pps 5000\n"
	"  ringpace chain --lane vm --nf l2fwd --rate-pps 20000 --strategy notify,sleep,y-ns=50000\n\n"
	"Latencies count from when a packet was due, not from when it was sent. `regime` is in which "
	"regime of the model (docs/model.md) the sender's and the receiver's ring are.",
};

static void progress(const struct args *a, u32 round, u32 i)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[Kchain: round %u/%u, %s", round + 1, a->rounds,
			a->who.of[i].label);
}

/* All runs, in turns; another one begins each round. 0, or -1 after fail(). */
static int run_all(const struct args *a, json_t *runs)
{
	json_t *v = NULL;
	u32 n, who;

	for (n = 0; n < a->rounds * a->who.n; n++) {
		who = (n + n / a->who.n) % a->who.n;
		progress(a, n / a->who.n, who);
		v = chain_run(&a->p, &a->who.of[who]);
		if (!v)
			break;
		json_array_append_new(runs, v);
	}
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
	return v ? 0 : -1;
}

static int run(int argc, char **argv)
{
	struct args a = {
		.p = {
			.lane = &chain_native, .vms = 1, .duration_ns = NSEC_PER_SEC,
			.warmup_ns = NSEC_PER_SEC / 5, .rate_pps = 10000,
			.flows = 1, .queue_len = 256, .nf_burst = 1, .full_ms = FULL_MS_DEFAULT,
		},
		.rounds = 1,
	};
	json_t *runs, *result;
	const char *why;

	argp_parse(&argp, argc, argv, 0, NULL, &a);
	if (!a.p.lane->available(&why))
		return fail("chain: the lane %s is not available: %s", a.p.lane->name, why), 1;
	if (!a.who.n)
		chain_strategies_add(&a.who, "adaptive");
	catch_signals();
	runs = json_array();
	if (run_all(&a, runs)) {
		json_decref(runs);
		return stopped() ? EXIT_STOPPED : 1;
	}
	result = chain_result(runs, a.who.n);
	provenance_add(result);
	if (a.json) {
		json_print(result, stdout);
		return 0;
	}
	chain_print(result);
	json_decref(result);
	return 0;
}

const struct cmd cmd_chain = {
	.name = "chain",
	.summary = "send packets through a chain of VMs, hop by hop",
	.run = run,
};
