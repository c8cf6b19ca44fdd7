// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench idle: what an idle ring costs, and what its first item waits. Traffic
 * first, so that a strategy that learns has learned; then nothing, and both
 * threads' voluntary context switches are counted; then single items, each after
 * a silence. Strategies alternate with notify, to which they are compared.
 */
#include <argp.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "bench/options.h"
#include "bench/thread_look.h"
#include "json.h"
#include "native/rig.h"

#define QUEUE_LEN	256
#define W_NS		1000
#define BASE		"notify"
#define TRAFFIC_NS	100000000u	/* to learn from */
#define QUIET_NS	100000000u	/* to become idle */
#define SILENCE_NS	10000000u	/* before each single item */

enum { OPT_IDLE = BENCH_ARGS_KEYS, OPT_ITEMS };

static const struct argp_option options[] = {
	{ "idle-ms", OPT_IDLE, "MS", 0, "how long wake-ups are counted, 10..60000 ms (500)", 0 },
	{ "items", OPT_ITEMS, "N", 0, "first items of a round, 1..1000 (20)", 0 },
	{ 0 }
};

struct args {
	struct bench_args b;
	u64 idle_ns;
	u32 items;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->b;
		break;
	case OPT_IDLE:
		a->idle_ns = opt_between(state, "idle-ms", arg, 10, 60000) * 1000000;
		break;
	case OPT_ITEMS:
		a->items = (u32)opt_between(state, "items", arg, 1, 1000);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_child children[] = { { &bench_argp, 0, NULL, 0 }, { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.doc = "Counts the wake-ups of both sides' threads while nothing is sent, and measures the "
	"latency of the first item after a silence of 10 ms, beside a plain notify device in the same "
	"run. Native lane, L = 256, W_P = W_C = 1000 ns (the latency contains W_C). "
	"Strategies are adaptive and notify, which is always among them, rounds 5.\v"
	"Example:\n\n  ringpace bench idle --strategies adaptive,sleep-100us --json",
};

/* ---- Measuring ---- */

struct idle_result {
	double wakeups_p_per_s, wakeups_c_per_s;
	double first_item_ns;	/* median of the round */
};

struct idle {
	const struct args *a;
	struct rig rig;
	struct run_params params;
	struct idle_result *results;	/* by competitor, round */
};

static struct idle_result *result_at(const struct idle *s, u32 who, u32 round)
{
	return &s->results[who * s->a->b.rounds + round];
}

/* UNKNOWN after fail(). */
static double switches(pid_t pid, pid_t tid)
{
	struct thread_look l;

	return thread_look(pid, tid, &l) ? UNKNOWN : l.switches;
}

/* 0: there is none. */
static pid_t thread_by_name(pid_t pid, const char *name)
{
	char path[300], comm[32];
	struct dirent *e;
	pid_t tid = 0;
	FILE *f;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	d = opendir(path);
	while (d && !tid && (e = readdir(d))) {
		snprintf(path, sizeof(path), "/proc/%d/task/%.20s/comm", pid, e->d_name);
		f = fopen(path, "re");
		if (f && fgets(comm, sizeof(comm), f) && !strncmp(comm, name, strlen(name)))
			tid = atoi(e->d_name);
		if (f)
			fclose(f);
	}
	if (d)
		closedir(d);
	return tid;
}

/* The daemon's thread of the queue; 0 after fail(). */
static pid_t device_tid(const struct idle *s)
{
	pid_t tid = thread_by_name(s->rig.backend.pid, BACKEND_DEVICE "-q0");

	if (!tid)
		fail("bench idle: ringpaced has no thread %s-q0", BACKEND_DEVICE);
	return tid;
}

static int count_wakeups(struct idle *s, struct idle_result *r)
{
	pid_t dev = device_tid(s), own = (pid_t)rp_load(&s->rig.party->tid);
	double p, c, seconds;
	u64 begin;

	if (!dev)
		return -1;
	begin = now_ns();
	p = switches(getpid(), own);
	c = switches(s->rig.backend.pid, dev);
	if (rig_work_for(&s->rig, s->a->idle_ns, 0))
		return -1;
	seconds = (double)(now_ns() - begin) / 1e9;
	r->wakeups_p_per_s = (switches(getpid(), own) - p) / seconds;
	r->wakeups_c_per_s = (switches(s->rig.backend.pid, dev) - c) / seconds;
	return is_known(r->wakeups_p_per_s + r->wakeups_c_per_s) ? 0 : -1;
}

/* P has one item; -1 if C does not take it. */
static int send_one(struct idle *s)
{
	const struct party_traffic one = { .w_ns = W_NS, .burst_items = 1 };
	const u16 before = party_done(s->rig.party);
	u64 end = now_ns() + BACKEND_TIMEOUT_MS * 1000000ULL;

	if (rig_work_for(&s->rig, SILENCE_NS, 0) || party_set_traffic(s->rig.party, &one))
		return -1;
	while (party_done(s->rig.party) == before) {
		if (now_ns() > end)
			return fail("bench idle: an item is not consumed for %u ms",
				    BACKEND_TIMEOUT_MS);
		if (!nap_ms(1))
			return -1;
	}
	return 0;
}

static int time_first_items(struct idle *s, struct idle_result *r)
{
	json_t *v;
	u32 i;

	if (backend_do(&s->rig.backend, "reset", s->rig.queue, NULL))
		return -1;
	for (i = 0; i < s->a->items; i++)
		if (send_one(s))
			return -1;
	v = backend_stats(&s->rig.backend, s->rig.queue);
	r->first_item_ns = json_number_at(v, "lat_p50_ns");
	json_decref(v);
	return v ? 0 : -1;
}

static int run_competitor(struct idle *s, u32 who, u32 round)
{
	const struct party_traffic none = { .w_ns = W_NS, .idle = true };
	struct idle_result *r = result_at(s, who, round);

	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\rbench idle: round %u/%u, %s \033[K", round + 1, s->a->b.rounds,
			s->a->b.who.of[who].name);
	competitor_apply(&s->a->b.who.of[who], &s->params);
	if (rig_change(&s->rig, &s->params) || rig_work_for(&s->rig, TRAFFIC_NS, 0) ||
	    party_set_traffic(s->rig.party, &none) || rig_work_for(&s->rig, QUIET_NS, 0))
		return -1;
	return count_wakeups(s, r) || time_first_items(s, r) ? -1 : 0;
}

static int run_all(struct idle *s)
{
	u32 round, i;

	competitor_apply(&s->a->b.who.of[0], &s->params);
	if (rig_open(&s->rig, &s->params))
		return -1;
	for (round = 0; round < s->a->b.rounds; round++)
		for (i = 0; i < s->a->b.who.n; i++)
			if (run_competitor(s, (i + round) % s->a->b.who.n, round))
				return -1;
	return 0;
}

/* ---- The result ---- */

static double median_of(const struct idle *s, u32 who, size_t field)
{
	double v[BENCH_ROUNDS_MAX];
	u32 r;

	for (r = 0; r < s->a->b.rounds; r++)
		v[r] = *(double *)((char *)result_at(s, who, r) + field);
	return median(v, s->a->b.rounds);
}

static u32 base_of(const struct competitors *who)
{
	u32 i;

	for (i = 0; strcmp(who->of[i].name, BASE); i++)
		;
	return i;
}

static json_t *result_json(const struct idle *s)
{
	double base = median_of(s, base_of(&s->a->b.who),
				offsetof(struct idle_result, first_item_ns)), first;
	json_t *all = json_object(), *v;
	u32 i;

	for (i = 0; i < s->a->b.who.n; i++) {
		first = median_of(s, i, offsetof(struct idle_result, first_item_ns));
		v = json_pack("{s:o, s:o, s:o, s:o}", "wakeups_p_per_s",
			      json_number_or_null(median_of(s, i,
					offsetof(struct idle_result, wakeups_p_per_s)), 2),
			      "wakeups_c_per_s",
			      json_number_or_null(median_of(s, i,
					offsetof(struct idle_result, wakeups_c_per_s)), 2),
			      "first_item_ns", json_number_or_null(first, 0),
			      "first_item_ratio", json_number_or_null(first / base, 3));
		json_object_set_new(all, s->a->b.who.of[i].name, v);
	}
	return json_pack("{s:o, s:i, s:i, s:I, s:I}", "by_strategy", all, "rounds",
			 (int)s->a->b.rounds, "items", (int)s->a->items,
			 "dmax_ns", (json_int_t)s->a->b.dmax_ns,
			 "idle_ns", (json_int_t)s->a->idle_ns);
}

static void print(const json_t *v)
{
	struct table *t = table_new(5);
	const char *who;
	json_t *of;

	table_cell(t, "strategy");
	table_cell(t, "wake-ups P/s");
	table_cell(t, "wake-ups C/s");
	table_cell(t, "first item ns");
	table_cell(t, "by " BASE "'s");
	json_object_foreach(json_object_get(v, "by_strategy"), who, of) {
		table_cell(t, "%s", who);
		table_number(t, json_number_at(of, "wakeups_p_per_s"), 2);
		table_number(t, json_number_at(of, "wakeups_c_per_s"), 2);
		table_number(t, json_number_at(of, "first_item_ns"), 0);
		table_number(t, json_number_at(of, "first_item_ratio"), 3);
	}
	table_print(t, stdout);
	table_free(t);
	printf("medians of %.0f rounds of %.0f items; %s\n", json_number_at(v, "rounds"),
	       json_number_at(v, "items"), json_string_value(json_object_get(v, "machine")));
}

/* The list with notify in it, whatever the user asked for. */
static const char *with_base(struct competitors *who)
{
	u32 i;

	for (i = 0; i < who->n; i++)
		if (!strcmp(who->of[i].name, BASE))
			return NULL;
	return competitors_add(who, BASE);
}

static int run(int argc, char **argv)
{
	struct args a = {
		.b = { .dmax_ns = 1000000, .rounds = 5 }, .idle_ns = 500000000, .items = 20,
	};
	struct idle s = { .a = &a };
	const char *why;
	int rc;

	competitors_parse(&a.b.who, rp_strategy_by_id(RP_ADAPTIVE) ? "adaptive," BASE : BASE);
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	why = with_base(&a.b.who);
	if (why) {
		fail("--strategies: %s", why);
		return EXIT_USAGE;
	}
	catch_signals();
	run_params_default(&s.params);
	s.params.queue_len = QUEUE_LEN;
	s.params.dmax_ns = a.b.dmax_ns;
	s.params.trace = s.params.progress = false;
	s.params.wp_ns = s.params.wc_ns = W_NS;
	s.results = calloc(a.b.who.n * a.b.rounds, sizeof(*s.results));
	if (!s.results)
		abort();
	rc = run_all(&s);
	rig_close(&s.rig);
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
	rc = rc ? stopped() ? EXIT_STOPPED : 1 : bench_finish(&bench_idle, result_json(&s), a.b.json);
	free(s.results);
	return rc;
}

const struct bench bench_idle = {
	.name = "idle",
	.summary = "wake-ups of an idle ring, and what its first item waits",
	.print = print,
	.main = run,
};
