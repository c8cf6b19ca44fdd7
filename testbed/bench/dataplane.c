// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench dataplane: what a request costs rp-dataplane, and how long flow groups take to
 * move when threads are added and taken away, under load. Native lane: rp-dataplane at
 * a ringpaced of our own, and a guest that this process plays; over TCP (tcp_servers.h)
 * clients of Linux, and memcached beside it.
 */
#include <argp.h>
#include <stdlib.h>
#include <time.h>

#include "bench.h"
#include "bench/tcp_servers.h"
#include "bench/thread_look.h"
#include "dataplane/rig.h"
#include "model_args.h"
#include "provenance.h"

#define REQUESTS	20000u
/* Of each round half of the groups move, there and back. */
#define ROUND_MOVES	DP_RIG_GROUPS

static struct options {
	u32 moves;
	struct tcp_bench_args tcp;
	bool json;
} opt = {
	.moves = 10000,
	.tcp = {
		.rounds = 5, .seconds = 1, .connections = 1000,
		.pacing = { .dmax_ns = 5000, .port_dmax_ns = 5000 },
		.peak_pacing = { .dmax_ns = 1000000 },
	},
};

/* CPU time of the process, all of its threads; UNKNOWN if it has gone. */
static double cpu_ns(pid_t pid)
{
	struct timespec ts;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &ts))
		return UNKNOWN;
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* With a single thread; its waiting counts. */
static double ns_per_request(struct dp_rig *r)
{
	double before;

	if (!dp_rig_threads(r, 1) || !dp_rig_pass(r, REQUESTS / 10))
		return UNKNOWN;
	before = cpu_ns(r->pid);
	if (!dp_rig_pass(r, REQUESTS))
		return UNKNOWN;
	return (cpu_ns(r->pid) - before) / REQUESTS;
}

/* A thread more, a thread less, until so many groups have moved. */
static bool move_many(struct dp_rig *r, u32 moves)
{
	u32 done;

	for (done = 0; done < moves && !stopped(); done += ROUND_MOVES)
		if (!dp_rig_threads(r, 2) || !dp_rig_threads(r, 1))
			return false;
	return !stopped();
}

static json_t *microseconds(const json_t *moves, const char *key)
{
	static const char *const of[] = { "avg", "p95", "max" };
	const json_t *h = json_object_get(moves, key);
	json_t *v = json_object();
	u32 i;

	for (i = 0; i < 3; i++)
		json_object_set_new(v, of[i], json_number_or_null(json_number_at(h, of[i]) / 1e3,
								  1));
	return v;
}

/* Of all moves, in the order in which they come. */
static const char *const phases[][2] = {
	{ "prepare", "prepare_ns" }, { "rpc", "rpc_ns" }, { "wait", "wait_ns" },
	{ "deferred", "deferred_ns" },
};
#define PHASES	(sizeof(phases) / sizeof(phases[0]))

static json_t *phases_json(const json_t *moves)
{
	json_t *v = json_object();
	size_t i;

	for (i = 0; i < PHASES; i++)
		json_object_set_new(v, phases[i][0], microseconds(moves, phases[i][1]));
	return v;
}

/* ---- A parked thread ---- */

struct parked {
	double cpu, wakeups;	/* share of a CPU; in that second */
};

/* Of thread 1, as it is now; 0: it is not parked. */
static pid_t parked_tid(struct dp_rig *r)
{
	json_t *status = dp_rig_order(r, "status", NULL);
	const json_t *t = json_array_get(json_object_get(status, "threads"), 1);
	pid_t tid = json_is_true(json_object_get(t, "parked")) ?
		    (pid_t)json_integer_value(json_object_get(t, "tid")) : 0;

	json_decref(status);
	return tid;
}

/* It says that it parks just before it lies down. */
static pid_t await_parked(struct dp_rig *r, struct thread_look *l)
{
	u64 end = now_ns() + DP_RIG_WAIT_NS;
	pid_t tid;

	while (now_ns() < end && nap_ms(1)) {
		tid = parked_tid(r);
		if (tid && (thread_look(r->pid, tid, l) || l->sleeps))
			return tid;
	}
	return 0;
}

/* A second of the thread that was taken away, while the other one works. */
static bool measure_parked(struct dp_rig *r, struct parked *p)
{
	struct thread_look before = { 0 }, after;
	pid_t tid = await_parked(r, &before);
	u64 begin = now_ns();

	do
		if (!tid || !dp_rig_pass(r, DP_RIG_OUT))
			return false;
	while (now_ns() - begin < NSEC_PER_SEC);
	if (thread_look(r->pid, tid, &after))
		return false;
	p->cpu = (after.cpu_ns - before.cpu_ns) / (double)(now_ns() - begin);
	p->wakeups = after.switches - before.switches;
	return true;
}

static json_t *result(struct dp_rig *r, double request_ns, const struct parked *p)
{
	json_t *status = dp_rig_order(r, "status", NULL), *v;
	const json_t *moves = json_object_get(status, "moves");

	if (!status)
		return NULL;
	v = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		      "udp_echo_ns_per_request", json_number_or_null(request_ns, 0),
		      "migrate_add_us", microseconds(moves, "added_ns"),
		      "migrate_remove_us", microseconds(moves, "removed_ns"),
		      "migrate_phases_us", phases_json(moves),
		      "moves", json_number_or_null(json_number_at(moves, "done"), 0),
		      "dropped", json_number_or_null(json_number_at(moves, "dropped") +
						     (double)(r->sent - r->back), 0),
		      "reordered", json_number_or_null((double)r->reordered, 0),
		      "bad", json_number_or_null((double)(r->bad + r->twice), 0),
		      "requests", json_number_or_null((double)r->sent, 0),
		      "parked_cpu", json_number_or_null(p->cpu, 6),
		      "parked_wakeups", json_number_or_null(p->wakeups, 0));
	json_decref(status);
	return v;
}

static json_t *measure_moves(void)
{
	const struct dp_rig_options o = { .app = "udp-echo", .threads = 2 };
	struct dp_rig *r = calloc(1, sizeof(*r));
	json_t *v = NULL;
	struct parked parked;
	double request_ns;

	if (!r)
		abort();
	if (!dp_rig_open(r, &o)) {
		request_ns = ns_per_request(r);
		if (is_known(request_ns) && move_many(r, opt.moves) && measure_parked(r, &parked))
			v = result(r, request_ns, &parked);
		else if (!stopped())
			fail("bench dataplane: requests are not answered: %s", log_tail(r->log));
	}
	dp_rig_close(r);
	free(r);
	return v;
}

/* With the keys of TCP; takes @v. */
static json_t *with_tcp(json_t *v)
{
	struct tcp_bench *b = calloc(1, sizeof(*b));
	json_t *not_measured = json_object();

	if (!b)
		abort();
	json_object_set_new(v, "not_measured", not_measured);
	if (tcp_bench_run(b, &opt.tcp)) {
		json_decref(v);
		v = NULL;
	} else {
		tcp_bench_result(b, v, not_measured);
	}
	free(b);
	return v;
}

static void print_times(const json_t *v, const char *key, const char *what)
{
	const json_t *t = json_object_get(v, key);

	printf("%-22s avg %.1f, p95 %.1f, max %.1f us\n", what, json_number_at(t, "avg"),
	       json_number_at(t, "p95"), json_number_at(t, "max"));
}

static void print(const json_t *v)
{
	char name[40];
	size_t i;

	printf("UDP echo               %.0f ns of CPU per request\n",
	       json_number_at(v, "udp_echo_ns_per_request"));
	print_times(v, "migrate_add_us", "a thread is added");
	print_times(v, "migrate_remove_us", "a thread is taken away");
	for (i = 0; i < PHASES; i++) {
		snprintf(name, sizeof(name), "  of both, %s", phases[i][0]);
		print_times(json_object_get(v, "migrate_phases_us"), phases[i][0], name);
	}
	printf("%.0f groups moved among %.0f requests: %.0f dropped, %.0f reordered\n",
	       json_number_at(v, "moves"), json_number_at(v, "requests"),
	       json_number_at(v, "dropped"), json_number_at(v, "reordered"));
	printf("a parked thread        %.4f %% of a CPU, %.0f wake-ups in a second\n",
	       json_number_at(v, "parked_cpu") * 100, json_number_at(v, "parked_wakeups"));
	tcp_bench_print(v);
	provenance_note(v);
}

/* ---- The command line ---- */

enum {
	OPT_MOVES = 256, OPT_ROUNDS, OPT_SECONDS, OPT_CONNECTIONS, OPT_SLEEP, OPT_DMAX, OPT_PORT_DMAX,
	OPT_PEAK_DMAX, OPT_JSON,
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct tcp_bench_args *a = &opt.tcp;

	switch (key) {
	case OPT_MOVES:
		opt.moves = (u32)opt_between(state, "moves", arg, 1, 10000000);
		break;
	case OPT_ROUNDS:
		a->rounds = (u32)opt_between(state, "rounds", arg, 1, BENCH_ROUNDS_MAX);
		break;
	case OPT_SECONDS: a->seconds = opt_bench_seconds(state, arg); break;
	case OPT_CONNECTIONS:
		a->connections = (u32)opt_between(state, "connections", arg, 1, 20000);
		break;
	case OPT_SLEEP:
		a->pacing.sleep_ns = opt_number(state, "sleep-ns", arg, NSEC_PER_SEC);
		a->pacing.dmax_ns = 0;
		break;
	case OPT_DMAX:
		a->pacing.dmax_ns = opt_between(state, "dmax-ns", arg, 1, NSEC_PER_SEC);
		break;
	case OPT_PORT_DMAX:
		a->pacing.port_dmax_ns = opt_between(state, "port-dmax-ns", arg, 1, NSEC_PER_SEC);
		break;
	case OPT_PEAK_DMAX:
		a->peak_pacing.dmax_ns = opt_between(state, "peak-dmax-ns", arg, 1, NSEC_PER_SEC);
		break;
	case OPT_JSON: opt.json = true; break;
	case ARGP_KEY_ARG: argp_error(state, "%s: there are no arguments", arg); break;
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_option option_table[] = {
	{ "moves", OPT_MOVES, "N", 0, "flow groups to be moved, at least (10000)", 0 },
	{ "rounds", OPT_ROUNDS, "N", 0, "TCP: measurements of each, of which medians are taken, "
	  "1..99 (5)", 0 },
	{ "seconds", OPT_SECONDS, "S", 0, "TCP: length of one, 0.1..60 seconds (1)", 0 },
	{ "connections", OPT_CONNECTIONS, "N", 0, "TCP: 1..20000 (1000)", 0 },
	{ "dmax-ns", OPT_DMAX, "NS", 0, "TCP at half load: rp-dataplane is adaptive with "
	  "this D_MAX, ns (5000)", 0 },
	{ "sleep-ns", OPT_SLEEP, "NS", 0, "TCP at half load: instead of that an idle thread of "
	  "rp-dataplane sleeps so long, ns; 0: it spins", 0 },
	{ "port-dmax-ns", OPT_PORT_DMAX, "NS", 0, "TCP at half load: D_MAX of ringpaced's ports, ns "
	  "(5000)", 0 },
	{ "peak-dmax-ns", OPT_PEAK_DMAX, "NS", 0, "TCP in peaks: it is adaptive with this D_MAX, ns "
	  "(1000000)", 0 },
	{ "json", OPT_JSON, NULL, 0, "one JSON object", 0 },
	{ 0 }
};

static const struct argp argp = {
	.options = option_table, .parser = parse,
	.doc = "What a UDP echo costs rp-dataplane, and how long flow groups take to move while "
	       "a thread is added or taken away, under load; then what a request over TCP costs: echo of "
	       "64 bytes from a guest at a port; and, as root only, over the kernel's sockets "
	       "echo, and its key-value server and memcached in turns "
	       "(docs/dataplane.md). It needs two CPUs to itself.\v"
	       "Examples:\n\n  ringpace bench dataplane --json\n"
	       "  ringpace bench dataplane --moves 2000 --rounds 3 --dmax-ns 200000",
};

static int run(int argc, char **argv)
{
	json_t *v;

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	catch_signals();
	v = measure_moves();
	if (v)
		v = with_tcp(v);
	if (!v)
		return stopped() ? EXIT_STOPPED : 1;
	return bench_finish(&bench_dataplane, v, opt.json);
}

const struct bench bench_dataplane = {
	.name = "dataplane",
	.summary = "rp-dataplane: a request's cost, moves of flow groups under load",
	.print = print,
	.main = run,
};
