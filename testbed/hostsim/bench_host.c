// SPDX-License-Identifier: GPL-2.0-or-later
/* `ringpace bench host`: the host controller on the simulated host, against the Pareto bound. */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "../../host-ctl/decision.h"
#include "bench.h"
#include "hostsim/args.h"
#include "hostsim/crowd.h"
#include "hostsim/patterns.h"
#include "hostsim/weights.h"

#define TENANTS		20u
#define SECONDS_MAX	3600

enum { OPT_SEED = 256, OPT_MOVES, OPT_DECISIONS, OPT_SECONDS, OPT_CONTROLLER,
       OPT_JSON };

static const struct argp_option options[] = {
	{ "seed", OPT_SEED, "N", 0, "of the simulated host and the noise, 0..4294967295 (1)", 0 },
	{ "moves", OPT_MOVES, "HOW", 0,
	  "how sets of flow groups move in the simulation: parallel, all of a change at once as our "
	  "dataplane has it; serial, one after the other as that of 000 (parallel)", 0 },
	{ "decisions", OPT_DECISIONS, "FILE", 0,
	  "write every decision that is more than to hold, one JSON object a line", 0 },
	{ "seconds", OPT_SECONDS, "S", 0,
	  "how long the real controller is run, with 20 tenants that are played, by each kind of "
	  "sensor; 0: not at all, 0..3600 (20)", 0 },
	{ "controller", OPT_CONTROLLER, NULL, 0, "only the real controller, nothing simulated", 0 },
	{ "json", OPT_JSON, NULL, 0, "one JSON object", 0 },
	{ 0 }
};

struct args {
	u64 seed;
	enum hs_moves moves;
	const char *decisions;
	u32 seconds;
	bool controller, json;
};

static enum hs_moves moves(const char *arg, struct argp_state *state)
{
	if (strcmp(arg, "parallel") && strcmp(arg, "serial"))
		argp_error(state, "--moves %s: neither parallel nor serial", arg);
	return strcmp(arg, "serial") ? HS_PARALLEL : HS_SERIAL;
}

static u32 seconds(const char *arg, struct argp_state *state)
{
	char *end;
	unsigned long v = strtoul(arg, &end, 10);

	if (!isdigit((unsigned char)arg[0]) || *end || v > SECONDS_MAX)
		argp_error(state, "--seconds %s: not a number in 0..%u", arg, SECONDS_MAX);
	return (u32)v;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case OPT_SEED:
		if (!hostsim_seed(arg, &a->seed))
			argp_error(state, "--seed %s: not a number in 0..4294967295", arg);
		break;
	case OPT_MOVES:
		a->moves = moves(arg, state);
		break;
	case OPT_DECISIONS:
		a->decisions = arg;
		break;
	case OPT_SECONDS:
		a->seconds = seconds(arg, state);
		break;
	case OPT_CONTROLLER:
		a->controller = true;
		break;
	case OPT_JSON:
		a->json = true;
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
	.doc = "Runs the host controller on a simulated host under three load patterns of four "
	"simulated minutes, with the energy and the consolidation policy.\v"
	"Prints, for each, what was measured (W, or the background job's part of its peak), "
	"the bound that the Pareto frontier of static configurations gives, the strongest "
	"static configuration, the part of the bound's gain that was reached, and the SLO "
	"violations: seconds whose 99th percentile is above 500 us. Then how soon it answers steps "
	"of the load that overload a thread, and how far the shares of 2 to 64 queues of a NIC, "
	"ringpaced's own, are from their weights over a second. All of that is simulated. "
	"Last the controller's own cost: a real ringpace-hostd with 20 tenants that are known by "
	"their dataplanes' telemetry pages, with 20 that are known by ports of ringpaced, and with 20 by "
	"orders to dataplanes that have no page, all of them played; "
	"CPU time in % of a core, and how late its turns were (docs/host.md).\n\nExample:\n\n  ringpace bench host --json",
};

static const struct {
	const char *name, *key;
	const struct hc_policy *policy;
} goals[] = {
	[PARETO_ENERGY] = { "energy", "energy_vs_pareto", &hc_policy_energy },
	[PARETO_BATCH] = { "consolidate", "background_vs_pareto", &hc_policy_consolidate },
};
#define GOALS	(sizeof(goals) / sizeof(goals[0]))

struct results {
	struct pattern_run run[GOALS][PATTERNS];
	struct reaction_list reactions;	/* of all runs */
	struct weights_run weights[WEIGHTS_RUNS];
	u32 seconds;		/* that the controller ran for; 0: it did not */
	struct crowd_cost cost[CROWD_KINDS];
};

static void write_decision(void *ctx, const struct hc_decision *d)
{
	if (d->why >= HC_ADD_DELAY)
		json_print(hc_decision_json(d, &hs_host), ctx);
}

static void add_reactions(struct reaction_list *sum, const struct reaction_list *l)
{
	u32 i;

	for (i = 0; i < l->n && sum->n < REACTIONS_MAX; i++) {
		sum->decided_ns[sum->n] = l->decided_ns[i];
		sum->placed_ns[sum->n++] = l->placed_ns[i];
	}
}

static int run_all(const struct args *a, FILE *decisions, struct results *res)
{
	static struct pareto pareto;
	struct pattern_watch watch = { .decision = write_decision, .ctx = decisions };
	struct pattern_setup s = { .set = &hc_defaults, .moves = a->moves, .seed = a->seed,
				   .pareto = &pareto };
	const char *why;
	u32 g, i;

	pareto_sweep(&pareto, a->seed);
	for (g = 0; g < GOALS; g++)
		for (i = 0; i < PATTERNS; i++) {
			s.policy = goals[g].policy;
			s.goal = g;
			why = pattern_run(patterns[i], &s, decisions ? &watch : NULL, &res->run[g][i]);
			if (why)
				return fail("policy %s: %s", goals[g].name, why);
			add_reactions(&res->reactions, &res->run[g][i].reactions);
		}
	return weights_measure(a->seed, res->weights);
}

static int run_controller(struct results *res, u32 for_s)
{
	u32 k;

	res->seconds = for_s;
	for (k = 0; for_s && k < CROWD_KINDS; k++)
		if (crowd_measure(k, TENANTS, for_s, &res->cost[k]))
			return -1;
	return 0;
}

static u32 violations(const struct results *res)
{
	u32 g, i, sum = 0;

	for (g = 0; g < GOALS; g++)
		for (i = 0; i < PATTERNS; i++)
			sum += res->run[g][i].violations;
	return sum;
}

static double weight_error(const struct results *res)
{
	double most = 0;
	u32 i;

	for (i = 0; i < WEIGHTS_RUNS; i++)
		most = fmax(most, res->weights[i].error);
	return most;
}

static void print_row(struct table *t, enum pareto_goal g, u32 i, const struct pattern_run *r)
{
	bool energy = g == PARETO_ENERGY;

	table_cell(t, "%s", goals[g].name);
	table_cell(t, "%s", patterns[i]->name);
	table_cell(t, energy ? "W" : "%%");
	table_number(t, energy ? r->watts : 100 * r->batch, 1);
	table_number(t, energy ? r->bound : 100 * r->bound, 1);
	table_number(t, energy ? r->max_watts : 0, 1);
	table_number(t, 100 * pattern_gain(r, g), 1);
	table_number(t, r->violations, 0);
	table_number(t, r->p99_max_ns / 1e3, 0);
	table_number(t, r->changes, 0);
	table_number(t, r->migrations, 0);
}

static void print_table(const struct results *res)
{
	static const char *const heads[] = {
		"policy", "pattern", "unit", "measured", "Pareto", "max static", "% of Pareto",
		"SLO violations", "worst p99 us", "changes", "migrations",
	};
	const struct reaction_list *l = &res->reactions;
	struct table *t = table_new(sizeof(heads) / sizeof(heads[0]));
	u32 g, i;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		table_cell(t, "%s", heads[i]);
	for (g = 0; g < GOALS; g++)
		for (i = 0; i < PATTERNS; i++)
			print_row(t, g, i, &res->run[g][i]);
	table_print(t, stdout);
	table_free(t);
	printf("%u SLO violations in six runs; simulated\n", violations(res));
	printf("%u load steps that overloaded a thread: decided after %.1f ms (p95; most %.1f), in place "
	       "%.1f ms later (most %.1f); simulated\n", l->n, reaction_p95(l->decided_ns, l->n) / 1e6,
	       reaction_max(l->decided_ns, l->n) / 1e6, reaction_p95(l->placed_ns, l->n) / 1e6,
	       reaction_max(l->placed_ns, l->n) / 1e6);
	printf("shares of 2 to 64 queues are within %.2f %% of their weights over a second of a line "
	       "of %llu Gbit/s; simulated\n", 100 * weight_error(res), WEIGHTS_LINE_BPS / 1000000000);
}

static void print_controller(const struct results *res)
{
	static const char *const by[CROWD_KINDS] = {
		"their dataplanes' pages", "their ports", "orders to their dataplanes",
	};
	const struct crowd_cost *c;
	u32 k;

	for (k = 0; res->seconds && k < CROWD_KINDS; k++) {
		c = &res->cost[k];
		printf("ringpace-hostd, %u tenants by %s: %.2f %% of a core, %.1f orders and "
		       "%.0f bytes of answers a turn, turns %.2f ms late at p99\n", TENANTS,
		       by[k], 100 * c->cpu, c->orders / c->turns,
		       c->answer_bytes / c->turns, c->late_p99_ns / 1e6);
	}
}

static json_t *cost_json(const struct crowd_cost *c)
{
	return json_pack("{s:f,s:f,s:f,s:f,s:I,s:I,s:I,s:f,s:f,s:f}", "cpu", c->cpu,
			 "late_p50_ns", c->late_p50_ns, "late_p99_ns", c->late_p99_ns,
			 "late_max_ns", c->late_max_ns, "turns", (json_int_t)c->turns,
			 "missed", (json_int_t)c->missed, "changes", (json_int_t)c->changes,
			 "orders_per_turn", c->orders / c->turns,
			 "answer_bytes_per_turn", c->answer_bytes / c->turns,
			 "seconds", c->seconds);
}

/* Of what is there by default, pages and ports, the one that costs more. */
static void add_controller(json_t *v, const struct results *res)
{
	json_t *kinds = json_object();
	double cpu = UNKNOWN, late = UNKNOWN;
	u32 k;

	for (k = 0; res->seconds && k < CROWD_KINDS; k++) {
		json_object_set_new(kinds, crowd_names[k], cost_json(&res->cost[k]));
		if (k == CROWD_ORDERS)
			continue;
		cpu = is_known(cpu) ? fmax(cpu, res->cost[k].cpu) : res->cost[k].cpu;
		late = is_known(late) ? fmax(late, res->cost[k].late_p99_ns) :
		       res->cost[k].late_p99_ns;
	}
	json_object_set_new(v, "controller_cpu", json_number_or_null(cpu, 6));
	json_object_set_new(v, "controller_late_p99_ns", json_number_or_null(late, 0));
	json_object_set_new(v, "controller_tenants", json_integer(TENANTS));
	json_object_set_new(v, "controller", kinds);
}

static json_t *run_json(const struct pattern_run *r, enum pareto_goal g)
{
	json_t *v = json_object();
	bool energy = g == PARETO_ENERGY;

	json_object_set_new(v, energy ? "watts" : "background",
			    json_real(energy ? r->watts : r->batch));
	json_object_set_new(v, "pareto", json_real(r->bound));
	json_object_set_new(v, "max_static", json_real(energy ? r->max_watts : 0));
	json_object_set_new(v, "slo_violations", json_integer(r->violations));
	json_object_set_new(v, "p99_max_ns", json_real(r->p99_max_ns));
	json_object_set_new(v, "changes", json_integer(r->changes));
	json_object_set_new(v, "migrations", json_integer(r->migrations));
	json_object_set_new(v, "migration_ns", json_real(r->migration_ns));
	return v;
}

static json_t *reaction_json(const struct reaction_list *l)
{
	const struct {
		const char *key;
		double ns;
	} figures[] = {
		{ "decision_max", reaction_max(l->decided_ns, l->n) },
		{ "decision_p95", reaction_p95(l->decided_ns, l->n) },
		{ "in_place_max", reaction_max(l->placed_ns, l->n) },
		{ "in_place_p95", reaction_p95(l->placed_ns, l->n) },
	};
	json_t *v = json_object();
	u32 i;

	json_object_set_new(v, "load_steps", json_integer(l->n));
	for (i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
		json_object_set_new(v, figures[i].key, json_number_or_null(figures[i].ns / 1e6, 3));
	return v;
}

static void add_weights(json_t *v, const struct results *res)
{
	json_t *list = json_array();
	u32 i;

	for (i = 0; i < WEIGHTS_RUNS; i++)
		json_array_append_new(list, json_pack("{s:i,s:f}", "queues", res->weights[i].queues,
						      "error", res->weights[i].error));
	json_object_set_new(v, "weight_error", json_real(weight_error(res)));
	json_object_set_new(v, "weights", list);
}

static void add_simulated(json_t *v, const struct results *res, const struct args *a)
{
	json_t *runs = json_object(), *gains, *list;
	u32 g, i;

	for (g = 0; g < GOALS; g++) {
		gains = json_object();
		list = json_object();
		for (i = 0; i < PATTERNS; i++) {
			json_object_set_new(gains, patterns[i]->name,
					    json_real(pattern_gain(&res->run[g][i], g)));
			json_object_set_new(list, patterns[i]->name,
					    run_json(&res->run[g][i], g));
		}
		json_object_set_new(v, goals[g].key, gains);
		json_object_set_new(runs, goals[g].name, list);
	}
	json_object_set_new(v, "slo_violations", json_integer(violations(res)));
	json_object_set_new(v, "reaction_ms", reaction_json(&res->reactions));
	add_weights(v, res);
	json_object_set_new(v, "runs", runs);
	json_object_set_new(v, "seed", json_integer((json_int_t)a->seed));
	json_object_set_new(v, "moves", json_string(a->moves == HS_SERIAL ? "serial" : "parallel"));
	json_object_set_new(v, "simulated", json_true());
}

static void print(const struct args *a, const struct results *res)
{
	json_t *v;

	if (a->json) {
		v = json_object();
		if (!a->controller)
			add_simulated(v, res, a);
		add_controller(v, res);
		json_print(v, stdout);
		return;
	}
	if (!a->controller)
		print_table(res);
	print_controller(res);
}

/* The controller first: it needs the machine, and can fail. */
static int run(const struct args *a, FILE *decisions, struct results *res)
{
	if (run_controller(res, a->seconds))
		return -1;
	return a->controller ? 0 : run_all(a, decisions, res);
}

static int bench_main(int argc, char **argv)
{
	struct args a = { .seed = 1, .seconds = 20 };
	struct results res = { 0 };
	FILE *decisions = NULL;
	int rc;

	argp_parse(&argp, argc, argv, 0, NULL, &a);
	if (a.decisions) {
		decisions = fopen(a.decisions, "w");
		if (!decisions) {
			fail("cannot write decisions to %s: %s", a.decisions, strerror(errno));
			return 1;
		}
	}
	catch_signals();
	rc = run(&a, decisions, &res);
	if (decisions && fclose(decisions))
		rc = fail("cannot write decisions to %s: %s", a.decisions, strerror(errno));
	if (rc)
		return stopped() ? EXIT_STOPPED : 1;
	print(&a, &res);
	return 0;
}

const struct bench bench_host = {
	.name = "host",
	.summary = "the host controller on a simulated host, against the Pareto bound",
	.main = bench_main,
};
