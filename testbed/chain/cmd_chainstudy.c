// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `ringpace chainstudy`: Lettieri et al., "A Study of I/O Performance of Virtual
 * Machines", sec. 9.1: the notifications of one hop of a chain hide those of another.
 *
 *   generator ~> hop 1, notify ~> VM 1 ~> hop 2, one strategy after the other ~> sink
 *
 * VM 1 is the consumer of hop 1 and the producer of hop 2. While it has to notify hop 2
 * for each packet it is too slow for the load: it never finds hop 1's ring empty, and hop
 * 1 has nothing to notify. With hop 2 mended it keeps up, finds its ring empty after
 * each packet, and hop 1 has to notify it for each.
 */
#include <argp.h>

#include "bench/options.h"
#include "chain/chain.h"
#include "cmd.h"
#include "json.h"
#include "model_args.h"
#include "provenance.h"

/* Long times, which a machine that has other things to do can hold, too. */
#define RATE_PPS	3000u
#define NF_NS		20000u
#define KICK_NS		1000000u
#define FULL_MS		60000u
#define RATE_MAX_PPS	1000000u

struct args {
	struct chain_params p;
	struct chain_strategies who;	/* of hop 2; the first is what others are compared with */
	u32 rounds;
	bool json;
};

/* ---- Figures ---- */

static const struct {
	const char *key, *head;
	int hop;		/* -1: of the run */
	const char *part;	/* an object of the hop's */
	const char *from;
	int decimals;
} figures[] = {
	{ "pps", "pps", -1, NULL, "pps", 0 },
	{ "hop2_kicks_per_packet", "hop 2: kicks/p", 1, NULL, "tx_kicks_per_packet", 4 },
	{ "vm_utilisation", "VM 1 busy", 0, "stage", "utilisation", 3 },
	{ "vm_ring_fill", "its ring full", 0, NULL, "rx_fill", 3 },
	{ "hop1_calls_per_packet", "hop 1: calls/p", 0, NULL, "rx_calls_per_packet", 4 },
};

#define FIGURES		(sizeof(figures) / sizeof(*figures))

static double figure(const json_t *run, size_t i)
{
	const json_t *v = run;

	if (figures[i].hop >= 0)
		v = json_array_get(json_object_get(run, "hops"), (size_t)figures[i].hop);
	if (figures[i].part)
		v = json_object_get(v, figures[i].part);
	return json_number_at(v, figures[i].from);
}

/* Run @round of strategy @who is @who + @round * their number. */
static double median_figure(const json_t *runs, u32 who, u32 n, size_t i)
{
	double v[BENCH_ROUNDS_MAX];
	u32 round, known = 0;

	for (round = 0; round * n + who < json_array_size(runs); round++) {
		v[known] = figure(json_array_get(runs, round * n + who), i);
		known += is_known(v[known]);
	}
	return median(v, known);
}

/* Half the kicks of the first one's hop 2 at most, twice the calls of its hop 1 at least. */
static json_t *exposes(const json_t *first, const json_t *v)
{
	double kicks = json_number_at(v, "hop2_kicks_per_packet");
	double calls = json_number_at(v, "hop1_calls_per_packet");
	double kicks_first = json_number_at(first, "hop2_kicks_per_packet");
	double calls_first = json_number_at(first, "hop1_calls_per_packet");

	if (!first || !is_known(kicks) || !is_known(calls) || !is_known(kicks_first) ||
	    !is_known(calls_first))
		return json_null();
	return json_boolean(kicks <= kicks_first / 2 && calls >= 2 * calls_first &&
			    calls > calls_first);
}

static json_t *by_strategy(const struct args *a, const json_t *runs)
{
	json_t *all = json_array(), *v;
	double lost;
	size_t i;
	u32 who, k;

	for (who = 0; who < a->who.n; who++) {
		v = json_pack("{s:s}", "strategy", a->who.of[who].label);
		for (i = 0; i < FIGURES; i++)
			json_object_set_new(v, figures[i].key, json_number_or_null(
				median_figure(runs, who, a->who.n, i), figures[i].decimals + 2));
		for (lost = 0, k = who; k < json_array_size(runs); k += a->who.n)
			lost += json_number_at(json_array_get(runs, k), "lost");
		json_object_set_new(v, "lost", json_number_or_null(lost, 0));
		json_object_set_new(v, "exposes_hop1", exposes(json_array_get(all, 0), v));
		json_array_append_new(all, v);
	}
	return all;
}

static json_t *result(const struct args *a, json_t *runs)
{
	json_t *v = json_pack("{s:s, s:I, s:I, s:I, s:I, s:i, s:o, s:o}", "lane", a->p.lane->name,
			      "rate_pps", (json_int_t)a->p.rate_pps,
			      "nf_ns", (json_int_t)a->p.nf_ns,
			      "nf_kick_ns", (json_int_t)a->p.nf_kick_ns,
			      "duration_ns", (json_int_t)a->p.duration_ns,
			      "rounds", (int)a->rounds,
			      "by_strategy", by_strategy(a, runs), "runs", runs);

	provenance_add(v);
	return v;
}

static void print(const json_t *res)
{
	struct table *t = table_new(FIGURES + 2);
	const json_t *v, *shows;
	size_t i, k;

	table_cell(t, "hop 2");
	for (i = 0; i < FIGURES; i++)
		table_cell(t, "%s", figures[i].head);
	table_cell(t, "shows what hop 1 hid");
	json_array_foreach(json_object_get(res, "by_strategy"), k, v) {
		table_cell(t, "%s", json_string_value(json_object_get(v, "strategy")));
		for (i = 0; i < FIGURES; i++)
			table_number(t, json_number_at(v, figures[i].key), figures[i].decimals);
		shows = json_object_get(v, "exposes_hop1");
		table_cell(t, "%s", json_is_true(shows) ? "yes" : json_is_false(shows) ? "no" : "-");
	}
	table_print(t, stdout);
	table_free(t);
	printf("medians of %.0f rounds; hop 1 has notify\n", json_number_at(res, "rounds"));
	provenance_note(res);
}

/* ---- Options ---- */

enum { OPT_STRATEGY = 256, OPT_RATE, OPT_NF_NS, OPT_NF_KICK, OPT_DURATION, OPT_ROUNDS, OPT_JSON };

static const struct argp_option options[] = {
	{ "strategy", OPT_STRATEGY, "LIST", 0, "of hop 2, as of `ringpace chain`, in turns; others "
	  "are compared with the first (notify,sleep,adaptive)", 0 },
	{ "rate-pps", OPT_RATE, "R", 0, "packets per second (3000)", 0 },
	{ "nf-ns", OPT_NF_NS, "NS", 0, "the VM's work per packet, ns, at most 10 ms (20000)", 0 },
	{ "nf-kick-ns", OPT_NF_KICK, "NS", 0, "what a kick costs the VM, as an exit does, ns, at most "
	  "10 ms (1000000)", 0 },
	{ "duration-s", OPT_DURATION, "S", 0, "measured time of each run, seconds (1)", 0 },
	{ "rounds", OPT_ROUNDS, "N", 0, "runs of each strategy, 1..99 (3)", 0 },
	{ "json", OPT_JSON, NULL, 0, "one JSON object (docs/chain.md)", 0 },
	{ 0 }
};

static void add_strategies(struct argp_state *state, struct args *a, const char *list)
{
	const char *why = chain_strategies_add(&a->who, list);

	if (why)
		argp_error(state, "--strategy: %s", why);
}

static void check(struct argp_state *state, struct args *a)
{
	const char *twice;

	if (!a->who.n)
		add_strategies(state, a, "notify,sleep,adaptive");
	twice = chain_strategies_twice(&a->who);
	if (twice)
		argp_error(state, "--strategy: %s: named twice", twice);
	if (a->who.n < 2)
		argp_error(state, "--strategy: two at least, to compare");
	if (!a->p.duration_ns)
		argp_error(state, "--duration-s 0: nothing would be measured");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case OPT_STRATEGY:
		add_strategies(state, a, arg);
		break;
	case OPT_RATE:
		a->p.rate_pps = opt_between(state, "rate-pps", arg, 1, RATE_MAX_PPS);
		break;
	case OPT_NF_NS:
		a->p.nf_ns = opt_number(state, "nf-ns", arg, CHAIN_WORK_MAX_NS);
		break;
	case OPT_NF_KICK:
		a->p.nf_kick_ns = opt_number(state, "nf-kick-ns", arg, CHAIN_WORK_MAX_NS);
		break;
	case OPT_DURATION:
		a->p.duration_ns = opt_seconds(state, "duration-s", arg);
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
	.doc = "Shows how one hop of a chain hides another (the papers' sec. 9.1): while VM 1 has to "
	"notify hop 2 for each packet it is slow, and hop 1, which has notify, has nothing to notify; "
	"mend hop 2, and hop 1 has to call VM 1 for each packet.\v"
	"In the native lane; counts per packet, which carry over to real VMs. A strategy shows it if "
	"it has half the first one's kicks at hop 2 at most, and twice its calls at hop 1 at least. "
	"The defaults' times are long, for machines that have other things to do.\n\n"
	"Example, on a quiet machine with CPUs to spare:\n\n"
	"  ringpace chainstudy --rate-pps 30000 --nf-ns 3000 --nf-kick-ns 50000",
};

/* ---- Runs ---- */

static int run_all(struct args *a, json_t *runs)
{
	u32 i, n = a->rounds * a->who.n;
	json_t *v;

	for (i = 0; i < n; i++) {
		v = chain_run(&a->p, &a->who.of[i % a->who.n]);
		if (!v)
			return -1;
		json_array_append_new(runs, v);
	}
	return 0;
}

static int run(int argc, char **argv)
{
	struct args a = {
		.p = {
			.lane = &chain_native, .nf = chain_native.nf[0], .vms = 1,
			.duration_ns = NSEC_PER_SEC, .warmup_ns = NSEC_PER_SEC / 5,
			.rate_pps = RATE_PPS, .frame_bytes = 64, .flows = 1, .queue_len = 256,
			.nf_ns = NF_NS, .nf_kick_ns = KICK_NS, .nf_burst = 1, .full_ms = FULL_MS,
		},
		.rounds = 3,
	};
	struct chain_strategies notify = { 0 };
	json_t *runs, *res;

	argp_parse(&argp, argc, argv, 0, NULL, &a);
	chain_strategies_add(&notify, "notify");
	a.p.hop_strategy[0] = notify.of[0];
	catch_signals();
	runs = json_array();
	if (run_all(&a, runs)) {
		json_decref(runs);
		return stopped() ? EXIT_STOPPED : 1;
	}
	res = result(&a, runs);
	if (a.json) {
		json_print(res, stdout);
		return 0;
	}
	print(res);
	json_decref(res);
	return 0;
}

const struct cmd cmd_chainstudy = {
	.name = "chainstudy",
	.summary = "show how one hop of a chain hides another",
	.run = run,
};
