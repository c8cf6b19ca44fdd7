// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench dataplane: what a request costs rp-dataplane, and how long flow groups take to
 * move when threads are added and taken away, under load. Native lane: rp-dataplane at
 * a ringpaced of our own, and a guest that this process plays.
 */
#include <argp.h>
#include <stdlib.h>
#include <time.h>

#include "bench.h"
#include "dataplane/rig.h"

#define REQUESTS	20000u
/* Of each round half of the groups move, there and back. */
#define ROUND_MOVES	DP_RIG_GROUPS

static struct options {
	u32 moves;
	bool json;
} opt = { .moves = 10000 };

static const char no_tcp[] = "rp-dataplane has no application on TCP that this drives";

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

static json_t *result(struct dp_rig *r, double request_ns)
{
	json_t *status = dp_rig_order(r, "status", NULL), *v;
	const json_t *moves = json_object_get(status, "moves");

	if (!status)
		return NULL;
	v = json_pack("{s:n, s:o, s:n, s:n, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		      "echo_ns_per_request",
		      "udp_echo_ns_per_request", json_number_or_null(request_ns, 0),
		      "kv_vs_memcached", "kv_p99_vs_memcached", "not_measured", no_tcp,
		      "migrate_add_us", microseconds(moves, "added_ns"),
		      "migrate_remove_us", microseconds(moves, "removed_ns"),
		      "moves", json_number_or_null(json_number_at(moves, "done"), 0),
		      "dropped", json_number_or_null(json_number_at(moves, "dropped") +
						     (double)(r->sent - r->back), 0),
		      "reordered", json_number_or_null((double)r->reordered, 0),
		      "bad", json_number_or_null((double)(r->bad + r->twice), 0),
		      "requests", json_number_or_null((double)r->sent, 0));
	json_decref(status);
	return v;
}

static json_t *measure(void)
{
	const struct dp_rig_options o = { .app = "udp-echo", .threads = 2 };
	struct dp_rig *r = calloc(1, sizeof(*r));
	json_t *v = NULL;
	double request_ns;

	if (!r)
		abort();
	if (!dp_rig_open(r, &o)) {
		request_ns = ns_per_request(r);
		if (is_known(request_ns) && move_many(r, opt.moves))
			v = result(r, request_ns);
		else if (!stopped())
			fail("bench dataplane: requests are not answered: %s", log_tail(r->log));
	}
	dp_rig_close(r);
	free(r);
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
	printf("UDP echo               %.0f ns of CPU per request\n",
	       json_number_at(v, "udp_echo_ns_per_request"));
	print_times(v, "migrate_add_us", "a thread is added");
	print_times(v, "migrate_remove_us", "a thread is taken away");
	printf("%.0f groups moved among %.0f requests: %.0f dropped, %.0f reordered\n",
	       json_number_at(v, "moves"), json_number_at(v, "requests"),
	       json_number_at(v, "dropped"), json_number_at(v, "reordered"));
	printf("TCP, key-value: not measured: %s\n",
	       json_string_value(json_object_get(v, "not_measured")));
}

/* ---- The command line ---- */

enum { OPT_MOVES = 256, OPT_JSON };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	char *end;

	switch (key) {
	case OPT_MOVES:
		opt.moves = (u32)strtoul(arg, &end, 10);
		if (*end || opt.moves < 1 || opt.moves > 10000000)
			argp_error(state, "--moves %s: not a number in 1..10000000", arg);
		break;
	case OPT_JSON: opt.json = true; break;
	case ARGP_KEY_ARG: argp_error(state, "%s: there are no arguments", arg); break;
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_option option_table[] = {
	{ "moves", OPT_MOVES, "N", 0, "flow groups to be moved, at least (10000)", 0 },
	{ "json", OPT_JSON, NULL, 0, "one JSON object", 0 },
	{ 0 }
};

static const struct argp argp = {
	.options = option_table, .parser = parse,
	.doc = "What a UDP echo costs rp-dataplane, and how long flow groups take to move while "
	       "a thread is added or taken away, under load (docs/dataplane.md).\v"
	       "Example:\n\n  ringpace bench dataplane --moves 2000 --json",
};

static int run(int argc, char **argv)
{
	json_t *v;

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	catch_signals();
	v = measure();
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
