// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `ringpace casestudy`: the two case studies of Lettieri et al., "A Study of I/O
 * Performance of Virtual Machines", sec. 8, in the lanes of this host.
 *
 * Fast consumer: W_P 300 ns, W_C 200 ns, Y 5 us; fast producer: the reverse;
 * L = 512. A lane that cannot hold such times (an emulated guest) runs all of
 * them multiplied by a factor, which keeps every regime but those that hang on
 * the start-up costs. Beside what was measured stands what the papers' model
 * makes of the measured parameters.
 */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "json.h"
#include "lane.h"
#include "pacing/model.h"
#include "run_args.h"
#include "vm/machine.h"

#define QUEUE_LEN	512
#define Y_NS		5000
#define TCG_SCALE	100

static const struct study {
	const char *name;
	const char *title;
	u64 wp_ns, wc_ns;
} studies[] = {
	{ "fast-consumer", "fast consumer", 300, 200 },
	{ "fast-producer", "fast producer", 200, 300 },
};

#define STUDIES		(sizeof(studies) / sizeof(studies[0]))

struct args {
	const struct lane_ops *lane;	/* NULL: all that are available */
	enum run_backend_id backend;
	u64 duration_ns;
	u32 scale;			/* 0: as the lane needs */
	bool dir[2];			/* which directions, by enum run_dir_id */
	const char *out;		/* directory, or NULL */
	bool json;
};

/* What a lane's runs gave, in the order they were made. */
struct results {
	struct run_result r[2 * STUDIES * RP_STATIC_STRATEGIES];
	const struct study *study[2 * STUDIES * RP_STATIC_STRATEGIES];
	u32 count;
	u32 scale;
};

/* ---- The model's view of a result ---- */

static u64 known_ns(double v, double otherwise)
{
	v = is_known(v) ? v : otherwise;
	return v > 0 && v < 1e9 ? (u64)llround(v) : 0;
}

/* False when the parameters are not ones that the model takes. */
static bool solve(const struct run_result *r, struct rp_model *m)
{
	const struct run_params *p = &r->params;
	struct rp_model_in in = {
		.mode = p->strategy_p,
		.wp_ns = known_ns(r->wp_ns, 0), .wc_ns = known_ns(r->wc_ns, 0),
		.np_ns = known_ns(r->np_ns, 0), .nc_ns = known_ns(r->nc_ns, 0),
		.sp_ns = known_ns(r->sp_ns, 0), .sc_ns = known_ns(r->sc_ns, 0),
		.yp_ns = known_ns(r->yp_ns, (double)p->yp_ns),
		.yc_ns = known_ns(r->yc_ns, (double)p->yc_ns),
		.queue_len = p->queue_len,
		.kp = run_threshold(RP_CONSUMER, p->kp, p->queue_len),
		.kc = run_threshold(RP_PRODUCER, p->kc, p->queue_len),
	};

	if (rp_model_check(&in))
		return false;
	rp_model_solve(&in, m);
	return true;
}

/* ---- Output ---- */

static struct table *new_table(void)
{
	static const char *const heads[] = {
		"case", "dir", "strategy", "regime", "T model", "T ns", "E ns", "cpu P", "cpu C",
		"kicks/s", "calls/s", "sleeps/s", "batch", "p98 ns", "W_P ns", "W_C ns", "Y_P ns",
		"Y_C ns", "lost",
	};
	const u32 n = sizeof(heads) / sizeof(heads[0]);
	struct table *t = table_new(n);
	u32 i;

	for (i = 0; i < n; i++)
		table_cell(t, "%s", heads[i]);
	return t;
}

static void add_row(struct table *t, const char *title, const struct run_result *r)
{
	struct rp_model m;
	bool solved = solve(r, &m);

	table_cell(t, "%s", title);
	table_cell(t, "%s", run_dir_names[r->params.dir]);
	table_cell(t, "%s", rp_strategy_by_id(r->params.strategy_p)->name);
	table_cell(t, "%s", solved ? rp_regime_names[m.regime] : "-");
	table_number(t, solved ? rp_model_units(m.t_ps) : UNKNOWN, 0);
	table_number(t, r->t_ns, 0);
	table_number(t, r->e_ns, 0);
	table_number(t, r->cpu_p, 2);
	table_number(t, r->cpu_c, 2);
	table_number(t, r->kicks_per_s, 0);
	table_number(t, r->calls_per_s, 0);
	table_number(t, r->sleeps_p_per_s + r->sleeps_c_per_s, 0);
	table_number(t, r->batch, 1);
	table_number(t, r->lat_p98_ns, 0);
	table_number(t, r->wp_ns, 0);
	table_number(t, r->wc_ns, 0);
	table_number(t, r->yp_ns, 0);
	table_number(t, r->yc_ns, 0);
	table_number(t, r->lost, 0);
}

/* The paper's host slept no shorter than 2.5 us; others need longer. */
static void print_long_sleeps(const struct results *all)
{
	double asked = (double)Y_NS * all->scale, ns, least = UNKNOWN;
	u32 i;

	for (i = 0; i < all->count; i++) {
		ns = fmin(all->r[i].yp_ns, all->r[i].yc_ns);	/* ignores unknown ones */
		least = fmin(ns, least);
	}
	if (least > 1.5 * asked)
		printf("Sleeps of %.0f ns lasted %.0f ns and more: this host holds no shorter ones "
		       "now (ringpace doctor: sleep).\n", asked, least);
}

static void print_lane(const struct lane_ops *lane, const struct results *all)
{
	struct table *t = new_table();
	const char *accel = all->r[0].accel;
	u32 i;

	printf("\n%s lane%s%s, L = %d, asked for W 300 and 200 ns, Y %d ns", lane->name,
	       strcmp(accel, "none") ? ", " : "", strcmp(accel, "none") ? accel : "", QUEUE_LEN,
	       Y_NS);
	if (all->scale > 1)
		printf(", all times %u", all->scale);
	printf("%s\n", all->scale > 1 ? " of these, which an emulated guest can hold" : "");
	for (i = 0; i < all->count; i++)
		add_row(t, all->study[i]->title, &all->r[i]);
	table_print(t, stdout);
	table_free(t);
	print_long_sleeps(all);
}

static json_t *result_json(const struct results *all, u32 i)
{
	json_t *v = run_result_json(&all->r[i]);
	struct rp_model m;

	json_object_set_new(v, "case", json_string(all->study[i]->name));
	json_object_set_new(v, "scale", json_integer(all->scale));
	json_object_set_new(v, "regime", solve(&all->r[i], &m) ?
			    json_string(rp_regime_names[m.regime]) : json_null());
	return v;
}

static json_t *lane_json(const struct results *all)
{
	json_t *v = json_array();
	u32 i;

	for (i = 0; i < all->count; i++)
		json_array_append_new(v, result_json(all, i));
	return v;
}

static int write_json(const struct args *a, const struct lane_ops *lane, json_t *results)
{
	char path[512];

	if (!a->out)
		return 0;
	snprintf(path, sizeof(path), "%s/casestudy-%s.json", a->out, lane->name);
	if (json_dump_file(results, path, JSON_INDENT(2)))
		return fail("cannot write %s: %m", path);
	return 0;
}

/* ---- Runs ---- */

/* Before the first run: with which factor. -1 after fail(). */
static int lane_scale(const struct args *a, const struct lane_ops *lane)
{
	const struct machine *m;

	if (a->scale)
		return (int)a->scale;
	if (lane == &lane_nested)
		return TCG_SCALE;	/* KVM, but an emulated one */
	if (lane != &lane_vm)
		return 1;
	m = machine_up(QUEUE_LEN, a->backend, isatty(STDERR_FILENO));
	return !m ? -1 : m->kvm ? 1 : TCG_SCALE;
}

static int run_one(const struct args *a, const struct lane_ops *lane, enum run_dir_id dir,
		   const struct study *s, enum rp_strategy_id strategy, struct results *all)
{
	struct run_params p;

	run_params_default(&p);
	p.lane = lane;
	p.backend = a->backend;
	p.dir = dir;
	p.strategy_p = p.strategy_c = strategy;
	p.wp_ns = s->wp_ns * all->scale;
	p.wc_ns = s->wc_ns * all->scale;
	p.yp_ns = p.yc_ns = (u64)Y_NS * all->scale;
	p.queue_len = QUEUE_LEN;
	p.duration_ns = a->duration_ns;
	if (run_experiment(&p, &all->r[all->count]))
		return -1;
	all->study[all->count++] = s;
	return 0;
}

static int run_lane(const struct args *a, const struct lane_ops *lane, struct results *all)
{
	int scale = lane_scale(a, lane);
	u32 dir, study, strategy;

	if (scale < 0)
		return -1;
	all->scale = (u32)scale;
	for (dir = RUN_FWD; dir <= RUN_REV; dir++)
		for (study = 0; a->dir[dir] && study < STUDIES; study++)
			for (strategy = 0; strategy < RP_STATIC_STRATEGIES; strategy++)
				if (run_one(a, lane, (enum run_dir_id)dir, &studies[study],
					    (enum rp_strategy_id)strategy, all))
					return -1;
	return 0;
}

/* An array per lane goes to @all. */
static int do_lane(const struct args *a, const struct lane_ops *lane, json_t *all)
{
	static struct results results;
	json_t *v;

	memset(&results, 0, sizeof(results));
	if (run_lane(a, lane, &results))
		return -1;
	if (!a->json)
		print_lane(lane, &results);
	fflush(stdout);
	v = lane_json(&results);
	json_object_set(all, lane->name, v);
	if (write_json(a, lane, v)) {
		json_decref(v);
		return -1;
	}
	json_decref(v);
	return 0;
}

static int do_all(const struct args *a, json_t *all)
{
	const char *why;
	u32 i, done = 0;

	for (i = 0; lanes[i]; i++) {
		if (a->lane ? a->lane != lanes[i] : lanes[i]->on_demand)
			continue;
		if (!lanes[i]->available(&why) || (a->backend == RUN_KERNEL &&
		    !lanes[i]->kernel_available(&why))) {
			fail("the lane %s cannot run here: %s; see `ringpace doctor`",
			     lanes[i]->name, why);
			if (a->lane)
				return -1;
			continue;
		}
		if (do_lane(a, lanes[i], all))
			return -1;
		done++;
	}
	return done ? 0 : -1;
}

/* ---- Options ---- */

enum { OPT_LANE = 256, OPT_BACKEND, OPT_DIR, OPT_DURATION, OPT_SCALE, OPT_OUT, OPT_JSON };

static const struct argp_option options[] = {
	{ "lane", OPT_LANE, "NAME", 0, "only this lane: native, vm or nested (native and vm)", 0 },
	{ "backend", OPT_BACKEND, "NAME", 0, "with --lane: who serves the VM's device, user (default) or kernel", 0 },
	{ "dir", OPT_DIR, "fwd|rev|both", 0, "guest to host (default), host to guest, or both", 0 },
	{ "duration-s", OPT_DURATION, "S", 0, "measured time of each run, seconds (3)", 0 },
	{ "scale", OPT_SCALE, "N", 0, "multiply all times by N (1; 100 where guests are emulated)", 0 },
	{ "out", OPT_OUT, "DIR", 0, "leave JSON and the VM's and daemon's logs there", 0 },
	{ "json", OPT_JSON, NULL, 0, "one JSON object, an array per lane", 0 },
	{ 0 }
};

static double number(struct argp_state *state, const char *opt, const char *arg, double min,
		     double max)
{
	char *end;
	double v = strtod(arg, &end);

	if (end == arg || *end || !(v >= min && v <= max))
		argp_error(state, "--%s %s: not a number in %g..%g", opt, arg, min, max);
	return v;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case OPT_LANE:
		a->lane = opt_lane(state, arg);
		break;
	case OPT_BACKEND:
		a->backend = opt_backend(state, arg);
		break;
	case OPT_DIR:
		a->dir[RUN_FWD] = !strcmp(arg, "fwd") || !strcmp(arg, "both");
		a->dir[RUN_REV] = !strcmp(arg, "rev") || !strcmp(arg, "both");
		if (!a->dir[RUN_FWD] && !a->dir[RUN_REV])
			argp_error(state, "--dir %s: not one of fwd, rev, both", arg);
		break;
	case OPT_DURATION:
		a->duration_ns = (u64)llround(number(state, "duration-s", arg, 0.001, 3600) * 1e9);
		break;
	case OPT_SCALE:
		a->scale = (u32)number(state, "scale", arg, 1, 10000);
		break;
	case OPT_OUT:
		a->out = arg;
		break;
	case OPT_JSON:
		a->json = true;
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: no such argument", arg);
		break;
	case ARGP_KEY_END:
		if (a->backend == RUN_KERNEL && !(a->lane && a->lane->kernel_available))
			argp_error(state, "--backend kernel: name a lane with a VM, too: --lane vm "
				   "or --lane nested");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Runs the two case studies of the papers: a fast consumer (W_P 300, W_C 200 ns) and "
	"a fast producer (200, 300 ns), L = 512, Y = 5 us, under notify, sleep and busy.\v"
	"Times are nanoseconds (ns). The regime and T model are what the papers' model makes of "
	"the parameters as measured. A host may hold no sleep as short as Y: Y_P and Y_C are what "
	"happened. batch is items per notification or sleep of either side.\n\n"
	"Example:\n\n"
	"  ringpace casestudy --lane native --duration-s 1",
};

static int prepare_out(const struct args *a)
{
	if (!a->out)
		return 0;
	if (mkdir(a->out, 0777) && errno != EEXIST)
		return fail("cannot make the directory %s: %m", a->out);
	return setenv(VM_LOG_DIR_ENV, a->out, 1);
}

static int run(int argc, char **argv)
{
	struct args a = { .duration_ns = 3 * NSEC_PER_SEC, .dir[RUN_FWD] = true };
	json_t *all = json_object();
	int rc;

	argp_parse(&argp, argc, argv, 0, NULL, &a);
	catch_signals();
	rc = prepare_out(&a) || do_all(&a, all);
	machine_down();
	if (!rc && a.json)
		json_print(json_incref(all), stdout);
	if (!rc && a.out && !a.json)
		printf("\nJSON and logs are in %s\n", a.out);
	json_decref(all);
	return !rc ? 0 : stopped() ? EXIT_STOPPED : 1;
}

const struct cmd cmd_casestudy = {
	.name = "casestudy",
	.summary = "run the two case studies of the papers in every lane",
	.run = run,
};
