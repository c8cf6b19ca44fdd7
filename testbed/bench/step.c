// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench step: how soon a strategy follows a load that changes at once, and what
 * it does to latency meanwhile. Each strategy goes through the same phases; a
 * sample a millisecond tells what C has consumed so far and how much of it late.
 */
#include "bench/step.h"

#include <argp.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "bench/options.h"
#include "json.h"
#include "native/rig.h"
#include "plot/plot.h"

#define QUEUE_LEN	256

struct phase {
	const char *name;
	u64 wc_ns;
	struct party_traffic traffic;	/* of P */
};

static const struct phase phases[] = {
	{ "idle", 1000, { .w_ns = 1000, .idle = true } },
	{ "fast consumer", 1000, { .w_ns = 2000 } },
	{ "fast producer", 2000, { .w_ns = 1000 } },
	{ "bursts", 500, { .w_ns = 500, .burst_items = 64, .gap_ns = 500000 } },
	{ "idle again", 1000, { .w_ns = 1000, .idle = true } },
};

#define PHASES	(sizeof(phases) / sizeof(phases[0]))

enum { OPT_PHASE = BENCH_ARGS_KEYS, OPT_CSV, OPT_PLOT };

static const struct argp_option options[] = {
	{ "phase-ms", OPT_PHASE, "MS", 0, "length of a phase, 60..60000 ms (500)", 0 },
	{ "csv", OPT_CSV, "FILE", 0, "a row a millisecond", 0 },
	{ "plot", OPT_PLOT, "DIR", 0, "each strategy over the time, SVG and PNG, and their CSV", 0 },
	{ 0 }
};

struct args {
	struct bench_args b;
	u64 phase_ns;
	const char *csv, *plot;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->b;
		break;
	case OPT_PHASE:
		a->phase_ns = opt_between(state, "phase-ms", arg, 60, 60000) * 1000000;
		break;
	case OPT_CSV:
		a->csv = arg;
		break;
	case OPT_PLOT:
		a->plot = arg;
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
	.doc = "Changes the load in steps - idle, fast consumer (W_P 2000, W_C 1000 ns), fast "
	"producer (1000, 2000 ns), 64 items each 0.5 ms (500, 500 ns), idle - and tells when each "
	"phase had settled: throughput within 5 % of the phase's final one and p98 within D_MAX, "
	"for 25 ms (\"after ms\"); and when 25 ms were first no worse than the worst of the phase's "
	"second half (\"like the end\"), as a machine that others use may never be better. "
	"Mode changes are those in the steady state: once settled, later than 20 ms and 2000 "
	"items after the step, and after 25 ms that were settled, too; the others are \"odd\", and "
	"\"odd ms\" is the share of the time that was not settled any more; \"last\" is the last "
	"change of the phase. "
	"Native lane, L = 256. Strategies are adaptive, notify and sleep-50us, rounds 3.\v"
	"Example:\n\n  ringpace bench step --strategies adaptive,notify --dmax-ns 300000 --json\n"
	"  ringpace bench step --rounds 1 --plot figures",
};

/* ---- Measuring ---- */

struct step {
	const struct args *a;
	struct rig rig;
	struct run_params params;
	struct step_sample *samples;
	u32 n, room;
	FILE *csv;		/* or NULL */
	u64 begin_ns;		/* of the competitor's round */
	/* By competitor, phase, round. */
	struct step_result *results;
};

static struct step_result *result_at(const struct step *s, u32 who, u32 phase, u32 round)
{
	return &s->results[(who * PHASES + phase) * s->a->b.rounds + round];
}

/* The literal that says the same. */
static const char *mode_named(const char *name)
{
	u32 i;

	for (i = 0; name && i < RP_WAITS; i++)
		if (!strcmp(name, rp_wait_names[i]))
			return rp_wait_names[i];
	return NULL;
}

/* What both sides' strategies say; UNKNOWN what they do not. */
static void take_status(const struct step *s, const json_t *device, struct step_sample *to)
{
	const json_t *c = json_object_get(device, "pacing");
	struct rp_status p;

	to->c.mode_changes = json_number_at(c, "mode_changes");
	to->c.y_ns = json_number_at(c, "wait_ns");
	to->c.mode = mode_named(json_string_value(json_object_get(c, "mode")));
	if (!rp_party_status(&s->rig.party->rp, &p))
		return;
	to->p = (struct step_side){
		.y_ns = (double)p.wait_ns, .mode_changes = (double)p.mode_changes,
		.mode = rp_wait_names[p.mode],
	};
	to->window = p.window ? p.window : UNKNOWN;
}

static int sample(struct step *s)
{
	json_t *v = backend_stats(&s->rig.backend, s->rig.queue);
	struct step_sample *to;

	if (!v)
		return -1;
	if (s->n < s->room) {
		to = &s->samples[s->n++];
		*to = (struct step_sample){
			.t_ns = now_ns(), .items = json_number_at(v, "items"),
			.timed = json_number_at(v, "lat_count"), .late = json_number_at(v, "late"),
			.p = { UNKNOWN, UNKNOWN, NULL }, .c = { UNKNOWN, UNKNOWN, NULL },
			.window = UNKNOWN,
		};
		take_status(s, v, to);
	}
	json_decref(v);
	return 0;
}

/*
 * Who asks, and the thread of ringpaced that answers, take a few percent of a CPU: that of the
 * side which has less to do. The kernel alone takes some 50 ms to find it.
 */
static int stand_aside(const struct step *s, const struct phase *p)
{
	int cpu = p->traffic.w_ns < p->wc_ns ? s->params.cpu_p : s->params.cpu_c;

	return pin_to_cpu(cpu) || pin_task_to_cpu(s->rig.backend.pid, cpu) ? -1 : 0;
}

/* The load changes, and nothing else: no strategy is told. */
static int begin_phase(struct step *s, const struct phase *p)
{
	if (stand_aside(s, p))
		return -1;
	if (backend_do(&s->rig.backend, "set", s->rig.queue,
		       json_pack("{s:I}", "w_ns", (json_int_t)p->wc_ns)))
		return -1;
	return party_set_traffic(s->rig.party, &p->traffic);
}

static int run_phase(struct step *s, u32 who, u32 phase, u32 round)
{
	u64 end;

	s->n = 0;
	if (sample(s) || begin_phase(s, &phases[phase]))
		return -1;
	end = now_ns() + s->a->phase_ns;
	while (now_ns() < end)
		if (rig_work_for(&s->rig, 1000000, 0) || sample(s))
			return -1;
	step_settle(s->samples, s->n, result_at(s, who, phase, round));
	if (s->csv)
		step_write(s->csv, s->a->b.who.of[who].name, round, phases[phase].name, s->begin_ns,
			   s->samples, s->n);
	return 0;
}

static int run_competitor(struct step *s, u32 who, u32 round)
{
	u32 i;

	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\rbench step: round %u/%u, %s \033[K", round + 1, s->a->b.rounds,
			s->a->b.who.of[who].name);
	competitor_apply(&s->a->b.who.of[who], &s->params);
	if (rig_change(&s->rig, &s->params) ||
	    party_set_traffic(s->rig.party, &phases[0].traffic) ||
	    rig_work_for(&s->rig, 50000000, 0))
		return -1;
	s->begin_ns = now_ns();
	for (i = 0; i < PHASES; i++)
		if (run_phase(s, who, i, round))
			return -1;
	return 0;
}

static int run_all(struct step *s)
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

static double median_of(const struct step *s, u32 who, u32 phase, size_t field)
{
	double v[BENCH_ROUNDS_MAX], x;
	u32 r, n = 0;

	for (r = 0; r < s->a->b.rounds; r++) {
		x = *(double *)((char *)result_at(s, who, phase, r) + field);
		if (is_known(x))
			v[n++] = x;
	}
	return median(v, n);
}

static json_t *phase_json(const struct step *s, u32 who, u32 phase)
{
	const struct phase *p = &phases[phase];
	json_t *v = json_object();
	u32 r, settled = 0;

	for (r = 0; r < s->a->b.rounds; r++)
		settled += is_known(result_at(s, who, phase, r)->settle_ns);
	json_object_set_new(v, "phase", json_string(p->name));
	json_object_set_new(v, "wp_ns", json_integer((json_int_t)p->traffic.w_ns));
	json_object_set_new(v, "wc_ns", json_integer((json_int_t)p->wc_ns));
	json_object_set_new(v, "settled", json_integer(settled));
#define MEDIAN(name, decimals) json_object_set_new(v, #name, json_number_or_null( \
		median_of(s, who, phase, offsetof(struct step_result, name)), decimals))
	MEDIAN(settle_ns, 0);
	MEDIAN(settle_items, 0);
	MEDIAN(like_end_ns, 0);
	MEDIAN(violations, 0);
	MEDIAN(mode_changes, 0);
	MEDIAN(odd_mode_changes, 0);
	MEDIAN(odd_share, 4);
	MEDIAN(last_change_ns, 0);
	MEDIAN(late_share, 4);
	MEDIAN(final_per_s, 0);
#undef MEDIAN
	return v;
}

static json_t *result_json(const struct step *s)
{
	json_t *all = json_object(), *list;
	u32 who, phase;

	for (who = 0; who < s->a->b.who.n; who++) {
		list = json_array();
		for (phase = 0; phase < PHASES; phase++)
			json_array_append_new(list, phase_json(s, who, phase));
		json_object_set_new(all, s->a->b.who.of[who].name, json_pack("{s:o}", "phases", list));
	}
	return json_pack("{s:o, s:i, s:I, s:I, s:i}", "by_strategy", all, "rounds",
			 (int)s->a->b.rounds, "dmax_ns", (json_int_t)s->a->b.dmax_ns,
			 "phase_ns", (json_int_t)s->a->phase_ns, "queue_len", QUEUE_LEN);
}

static void row(struct table *t, const char *who, const json_t *p)
{
	table_cell(t, "%s", who);
	table_cell(t, "%s", json_string_value(json_object_get(p, "phase")));
	table_number(t, json_number_at(p, "settled"), 0);
	table_number(t, json_number_at(p, "settle_ns") / 1e6, 1);
	table_number(t, json_number_at(p, "settle_items"), 0);
	table_number(t, json_number_at(p, "like_end_ns") / 1e6, 1);
	table_number(t, json_number_at(p, "violations"), 0);
	table_number(t, json_number_at(p, "mode_changes"), 0);
	table_number(t, json_number_at(p, "odd_mode_changes"), 0);
	table_number(t, json_number_at(p, "odd_share") * 100, 2);
	table_number(t, json_number_at(p, "last_change_ns") / 1e6, 1);
	table_number(t, json_number_at(p, "late_share") * 100, 2);
	table_number(t, json_number_at(p, "final_per_s"), 0);
}

static void print(const json_t *v)
{
	static const char *const heads[] = {
		"strategy", "phase", "settled", "after ms", "items", "like the end, ms",
		"violations", "mode changes", "odd", "odd ms, %", "last, ms", "late %", "items/s",
	};
	struct table *t = table_new(sizeof(heads) / sizeof(*heads));
	const json_t *p;
	const char *who;
	json_t *of;
	u32 i;

	for (i = 0; i < sizeof(heads) / sizeof(*heads); i++)
		table_cell(t, "%s", heads[i]);
	json_object_foreach(json_object_get(v, "by_strategy"), who, of)
		for (i = 0; (p = json_array_get(json_object_get(of, "phases"), i)); i++)
			row(t, who, p);
	table_print(t, stdout);
	table_free(t);
	printf("medians of %.0f rounds, D_MAX %.0f ns; %s\n", json_number_at(v, "rounds"),
	       json_number_at(v, "dmax_ns"), json_string_value(json_object_get(v, "machine")));
}

/* Where samples go: --csv's file, else --plot's DIR/steps.csv; NULL: nowhere. */
static const char *csv_path(const struct args *a)
{
	static char path[600];

	if (a->csv || !a->plot)
		return a->csv;
	snprintf(path, sizeof(path), "%s/steps.csv", a->plot);
	return path;
}

/* 0, or -1 after fail(). */
static int open_csv(struct step *s)
{
	const char *path = csv_path(s->a);

	if (s->a->plot && mkdir(s->a->plot, 0777) && errno != EEXIST)
		return fail("cannot make the directory %s for figures: %m", s->a->plot);
	if (!path)
		return 0;
	s->csv = fopen(path, "we");
	if (!s->csv)
		return fail("cannot write %s: %m", path);
	fputs(STEP_CSV_HEAD "\n", s->csv);
	return 0;
}

static int close_csv(struct step *s)
{
	const char *path = csv_path(s->a);
	int bad;

	if (!s->csv)
		return 0;
	bad = ferror(s->csv);
	if (fclose(s->csv) || bad)
		return fail("cannot write %s: %m", path);
	return s->a->plot ? plot_steps(path, NULL, s->a->plot) : 0;
}

static int run(int argc, char **argv)
{
	struct args a = { .b = { .dmax_ns = 1000000, .rounds = 3 }, .phase_ns = 500000000 };
	struct step s = { .a = &a };
	cpu_set_t cpus;
	int rc;

	competitors_parse(&a.b.who, rp_strategy_by_id(RP_ADAPTIVE) ? "adaptive,notify,sleep-50us" :
			  "notify,sleep-50us");
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	catch_signals();
	run_params_default(&s.params);
	s.params.queue_len = QUEUE_LEN;
	s.params.dmax_ns = a.b.dmax_ns;
	s.params.trace = s.params.progress = false;
	s.params.wp_ns = s.params.wc_ns = phases[0].wc_ns;
	s.params.cpu_p = nth_cpu(0);
	s.params.cpu_c = nth_cpu(1);
	s.room = (u32)(a.phase_ns / 1000000) + 2;
	s.samples = calloc(s.room, sizeof(*s.samples));
	s.results = calloc(a.b.who.n * PHASES * a.b.rounds, sizeof(*s.results));
	if (!s.samples || !s.results)
		abort();
	sched_getaffinity(0, sizeof(cpus), &cpus);
	rc = open_csv(&s) || run_all(&s) ? -1 : 0;
	sched_setaffinity(0, sizeof(cpus), &cpus);
	rig_close(&s.rig);
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
	rc = rc ? stopped() ? EXIT_STOPPED : 1 : bench_finish(&bench_step, result_json(&s), a.b.json);
	if (close_csv(&s) && !rc)
		rc = 1;
	free(s.samples);
	free(s.results);
	return rc;
}

const struct bench bench_step = {
	.name = "step",
	.summary = "how soon strategies follow a load that changes",
	.print = print,
	.main = run,
};
