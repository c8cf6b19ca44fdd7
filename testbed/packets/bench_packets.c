// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench packets: what forwarding between two virtual machines' network cards costs, and
 * can do. Two guests of our own, which one thread plays, at two vhost-user sockets; between
 * them one thread of ringpaced, of DPDK's testpmd or of Open vSwitch, on a CPU of its own.
 * Saturated all of them poll; below that ringpaced and Open vSwitch sleep when they can.
 * They take turns within a second or two, so that what the machine does meanwhile meets all
 * (rounds.c).
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "model_args.h"
#include "packets/packets.h"

const struct packets_contender packets_who[PACKETS_WHO] = {
	[WHO_RINGPACED] = { "ringpaced", RINGPACED, 0 },
	[WHO_TESTPMD] = { "testpmd", TESTPMD, 0 },
	/* Open vSwitch takes 32 frames at once, and cannot be told otherwise. */
	[WHO_RINGPACED32] = { "ringpaced32", RINGPACED, 32 },
	[WHO_OVS] = { "ovs", OVS, 32 },
};

const struct forward_load packets_loads[PACKETS_LOADS] = {
	{ "64/b1", 64, 1, 0 },
	{ "64/b8", 64, 8, 0 },
	{ PACKETS_PEAK, 64, 32, 0 },
	{ "1500/b32", 1500, 32, 0 },
	{ "65000/b32", 65000, 32, 0 },
	{ "load1", 64, 32, 1 },
	{ "load10", 64, 32, 10 },
	{ "load30", 64, 32, 30 },
};

/* ---- Who measures what ---- */

bool packets_measures(const struct packets_run *r, u32 load, u32 who)
{
	const struct forward_load *l = &packets_loads[load];

	if (!(r->args->loads & 1u << load) || !r->forwarder[packets_who[who].id].there)
		return false;
	/* It is there for Open vSwitch, which by default takes no segments from guests. */
	if (who == WHO_RINGPACED32)
		return packets_measures(r, load, WHO_OVS) && !l->percent && l->burst != 32;
	return who != WHO_OVS || l->frame_bytes <= 1514;
}

static u32 load_by_name(const char *name)
{
	u32 i;

	for (i = 0; i < PACKETS_LOADS && strcmp(packets_loads[i].name, name); i++)
		;
	return i;
}

/* The slowest one's: a share of it is one that all can take. In whatever state it was. */
static void find_peak(struct packets_run *r)
{
	u32 load = load_by_name(PACKETS_PEAK), who, i;
	double v[BENCH_ROUNDS_MAX], pps;

	r->peak_pps = UNKNOWN;
	for (who = 0; who < PACKETS_WHO; who++) {
		if (!packets_measures(r, load, who))
			continue;
		for (i = 0; i < r->args->rounds; i++)
			v[i] = r->sample[load][who][i].pps;
		pps = median(v, i);
		if (!(pps >= r->peak_pps))
			r->peak_pps = pps;
	}
}

/* ---- Measuring ---- */

static int measure_all(struct packets_run *r)
{
	u32 i;

	r->peak_pps = r->args->peak_pps ? (double)r->args->peak_pps : UNKNOWN;
	for (i = 0; i < PACKETS_LOADS; i++) {
		if (!(r->args->loads & 1u << i))
			continue;
		if (packets_loads[i].percent && !r->args->peak_pps)
			find_peak(r);
		if (packets_measure(r, i))
			return -1;
	}
	return 0;
}

/* ---- The command ---- */

enum {
	OPT_ROUNDS = 256, OPT_SECONDS, OPT_QUEUE_LEN, OPT_DMAX, OPT_OVS_SLEEP, OPT_PEERS, OPT_LOADS, OPT_PEAK,
	OPT_JSON, OPT_MARKDOWN,
};

static const struct argp_option options[] = {
	{ "rounds", OPT_ROUNDS, "N", 0, "measurements of each, of which medians are taken, 1..99 "
	  "(9)", 0 },
	{ "seconds", OPT_SECONDS, "S", 0, "length of one, 0.1..60 seconds (0.2)", 0 },
	{ "peers", OPT_PEERS, "LIST", 0, "of testpmd,ovs, or none (those that are installed)", 0 },
	{ "loads", OPT_LOADS, "LIST", 0, "of 64/b1,64/b8,64/b32,1500/b32,65000/b32 (frame bytes, "
	  "burst; saturated) and load1,load10,load30 (percent of the peak) (all)", 0 },
	{ "peak-pps", OPT_PEAK, "R", 0, "what load1, load10, load30 are shares of, frames per second "
	  "(the slowest one's " PACKETS_PEAK ")", 0 },
	{ "queue-len", OPT_QUEUE_LEN, "SLOTS", 0, "of the guests' rings, a power of two in 64..1024 (1024, "
	  "as hosts of network functions set; QEMU's default is 256)", 0 },
	{ "dmax-ns", OPT_DMAX, "NS", 0, "D_MAX of ringpaced's ports at these, ns (1000000)", 0 },
	{ "ovs-sleep-us", OPT_OVS_SLEEP, "US", 0, "Open vSwitch's pmd-maxsleep at these, 0..10000 us "
	  "(half of D_MAX: as long as it may sleep within that bound)", 0 },
	{ "json", OPT_JSON, NULL, 0, "one JSON object", 0 },
	{ "markdown", OPT_MARKDOWN, NULL, 0, "tables for documents", 0 },
	{ 0 }
};

static const char *load_name(u32 i)
{
	return i < PACKETS_LOADS ? packets_loads[i].name : NULL;
}

static void check(struct argp_state *state, struct packets_args *a)
{
	u32 i;

	for (i = 0; i < PACKETS_LOADS; i++)
		if (a->loads & 1u << i && packets_loads[i].percent && !a->peak_pps &&
		    !(a->loads & 1u << load_by_name(PACKETS_PEAK)))
			argp_error(state, "--loads %s: a share of what? Name " PACKETS_PEAK
				   ", too, or say --peak-pps", packets_loads[i].name);
	if (a->f.ovs_sleep_us == ~0u)
		a->f.ovs_sleep_us = (u32)(a->f.dmax_ns / 2000 < 10000 ? a->f.dmax_ns / 2000 : 10000);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct packets_args *a = state->input;

	switch (key) {
	case OPT_ROUNDS:
		a->rounds = (u32)opt_between(state, "rounds", arg, 1, BENCH_ROUNDS_MAX);
		break;
	case OPT_SECONDS:
		a->seconds = opt_bench_seconds(state, arg);
		break;
	case OPT_QUEUE_LEN:
		a->queue_len = (u32)opt_between(state, "queue-len", arg, 64, 1024);
		if (a->queue_len & (a->queue_len - 1))
			argp_error(state, "--queue-len %s: not a power of two", arg);
		break;
	case OPT_DMAX:
		a->f.dmax_ns = opt_between(state, "dmax-ns", arg, 1, NSEC_PER_SEC);
		break;
	case OPT_OVS_SLEEP:
		a->f.ovs_sleep_us = (u32)opt_number(state, "ovs-sleep-us", arg, 10000);
		break;
	case OPT_PEERS:
		opt_peers(state, arg, &a->peers);
		break;
	case OPT_LOADS:
		a->loads = opt_names(state, "loads", arg, load_name);
		break;
	case OPT_PEAK:
		a->peak_pps = opt_between(state, "peak-pps", arg, 100, 100000000);
		break;
	case OPT_JSON:
		a->json = true;
		break;
	case OPT_MARKDOWN:
		a->markdown = true;
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
	.doc = "Forwards frames between two guests' network cards: ringpaced, DPDK's testpmd and "
	"Open vSwitch with DPDK, in turns, one thread each. Saturated, frames per second, all of them "
	"polling; at 1, 10 and 30 % of the peak, CPU time per frame and latency from when frames were "
	"due, with ringpaced adaptive and Open vSwitch sleeping (pmd-maxsleep). It needs two CPUs to "
	"itself. With all peers there are 25 measurements a round; all who take part in a load are "
	"started for it, and stopped (SIGSTOP) while another has its turn. Ratios are of rounds in "
	"which the CPUs were as far from each other all the time, and null where there was none.\v"
	"Examples:\n\n  ringpace bench packets --json\n"
	"  ringpace bench packets --peers testpmd --loads 64/b32,load10 --rounds 3",
};

static int run(int argc, char **argv)
{
	struct packets_args a = {
		.f = { .dmax_ns = 1000000, .ovs_sleep_us = ~0u }, .rounds = 9, .queue_len = 1024,
		.seconds = 0.2,
		.loads = (1u << PACKETS_LOADS) - 1, .peers = PEERS_ALL,
	};
	struct packets_run *r = calloc(1, sizeof(*r));
	struct bench out = bench_packets;
	int rc;

	if (!r)
		abort();
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	catch_signals();
	r->args = &a;
	r->line_ns = UNKNOWN;
	rc = forwarders_open(r->forwarder, &a.peers, &a.f) ? -1 : measure_all(r);
	forwarders_close(r->forwarder);
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
	if (a.markdown)
		out.print = packets_print_markdown;
	rc = rc ? stopped() ? EXIT_STOPPED : 1 : bench_finish(&out, packets_result(r), a.json);
	free(r);
	return rc;
}

const struct bench bench_packets = {
	.name = "packets",
	.summary = "forwarding between two network cards, beside testpmd and Open vSwitch",
	.print = packets_print,
	.main = run,
};
