// SPDX-License-Identifier: GPL-2.0-or-later
/* A result as JSON and as a row of a table. */
#include "json.h"
#include "lane.h"

static json_t *latency_json(const struct run_result *r)
{
	json_t *v = json_object();

	json_object_set_new(v, "p50", json_number_or_null(r->lat_p50_ns, 0));
	json_object_set_new(v, "p98", json_number_or_null(r->lat_p98_ns, 0));
	json_object_set_new(v, "p99", json_number_or_null(r->lat_p99_ns, 0));
	json_object_set_new(v, "max", json_number_or_null(r->lat_max_ns, 0));
	return v;
}

static json_t *params_json(const struct run_result *r)
{
	json_t *v = json_object();

	json_object_set_new(v, "wp_ns", json_number_or_null(r->wp_ns, 0));
	json_object_set_new(v, "wc_ns", json_number_or_null(r->wc_ns, 0));
	json_object_set_new(v, "np_ns", json_number_or_null(r->np_ns, 0));
	json_object_set_new(v, "nc_ns", json_number_or_null(r->nc_ns, 0));
	json_object_set_new(v, "sp_ns", json_number_or_null(r->sp_ns, 0));
	json_object_set_new(v, "sc_ns", json_number_or_null(r->sc_ns, 0));
	json_object_set_new(v, "yp_ns", json_number_or_null(r->yp_ns, 0));
	json_object_set_new(v, "yc_ns", json_number_or_null(r->yc_ns, 0));
	return v;
}

void run_result_no_pacing(struct run_result *r)
{
	u32 i;

	r->regime[0] = r->unmet[0] = 0;
	r->clock.kvm = false;
	r->late = r->predicted_t_ns = UNKNOWN;
	for (i = 0; i < RP_WAITS; i++)
		r->time_p[i] = r->time_c[i] = UNKNOWN;
}

static json_t *text_or_null(const char *text)
{
	return text[0] ? json_string(text) : json_null();
}

static json_t *bool_or_null(bool known, bool v)
{
	return known ? json_boolean(v) : json_null();
}

static json_t *s64_or_null(bool known, s64 v)
{
	return known ? json_integer(v) : json_null();
}

/* As clock_json() has it. */
static json_t *clock_result_json(const struct run_result *r)
{
	const struct run_clock *c = &r->clock;
	json_t *v;

	if (!c->kvm)
		return json_null();
	v = json_object();
	json_object_set_new(v, "offset_tsc", s64_or_null(c->exchanged, c->offset_tsc));
	json_object_set_new(v, "error_ns", json_number_or_null(r->clock_error_ns, 0));
	json_object_set_new(v, "kvm_offset_tsc", s64_or_null(c->compared, c->kvm_offset_tsc));
	json_object_set_new(v, "difference_ns", json_number_or_null(c->difference_ns, 0));
	json_object_set_new(v, "agrees", bool_or_null(c->compared, c->agrees));
	if (!c->compared)
		json_object_set_new(v, "why", json_string(c->why));
	return v;
}

static json_t *shares_json(const double share[RP_WAITS])
{
	json_t *v = json_object();
	u32 i;

	if (!is_known(share[0])) {
		json_decref(v);
		return json_null();
	}
	for (i = 0; i < RP_WAITS; i++)
		json_object_set_new(v, rp_wait_names[i], json_number_or_null(share[i], 4));
	return v;
}

/* What a run under a bound adds. */
static void set_pacing(json_t *v, const struct run_result *r)
{
	double dmax = r->params.dmax_ns ? (double)r->params.dmax_ns : UNKNOWN;
	bool known = is_known(dmax) && is_known(r->lat_p98_ns);

	json_object_set_new(v, "dmax_ns", json_number_or_null(dmax, 0));
	json_object_set_new(v, "dmax_met", bool_or_null(known, r->lat_p98_ns <= dmax));
	json_object_set_new(v, "late", json_number_or_null(r->late, 6));
	json_object_set_new(v, "unmet", text_or_null(r->unmet));
	json_object_set_new(v, "regime", text_or_null(r->regime));
	json_object_set_new(v, "predicted_t_ns", json_number_or_null(r->predicted_t_ns, 0));
	json_object_set_new(v, "strategy_time",
			    json_pack("{s:o, s:o}", "p", shares_json(r->time_p),
				      "c", shares_json(r->time_c)));
}

/* "notify", or "notify/sleep" where P and C differ. */
static const char *strategy_name(const struct run_params *p)
{
	static char name[32];
	const char *np = rp_strategy_by_id(p->strategy_p)->name;
	const char *nc = rp_strategy_by_id(p->strategy_c)->name;

	if (np == nc)
		return np;
	snprintf(name, sizeof(name), "%s/%s", np, nc);
	return name;
}

json_t *run_result_json(const struct run_result *r)
{
	json_t *v = json_object();

#define NUMBER(field, decimals) \
	json_object_set_new(v, #field, json_number_or_null(r->field, decimals))
	json_object_set_new(v, "lane", json_string(r->params.lane->name));
	json_object_set_new(v, "strategy", json_string(strategy_name(&r->params)));
	json_object_set_new(v, "dir", json_string(run_dir_names[r->params.dir]));
	json_object_set_new(v, "accel", json_string(r->accel));
	json_object_set_new(v, "backend",
			    json_string(run_backend_names[r->params.backend]));
	json_object_set_new(v, "queue_len", json_integer(r->params.queue_len));
	NUMBER(items, 0);
	NUMBER(items_per_s, 0);
	NUMBER(t_ns, 2);
	NUMBER(e_ns, 2);
	NUMBER(cpu_p, 4);
	NUMBER(cpu_c, 4);
	NUMBER(kicks_per_s, 1);
	NUMBER(spurious_kicks_per_s, 1);
	NUMBER(calls_per_s, 1);
	NUMBER(sleeps_p_per_s, 1);
	NUMBER(sleeps_c_per_s, 1);
	NUMBER(batch, 2);
	json_object_set_new(v, "latency_ns", latency_json(r));
	NUMBER(clock_error_ns, 0);
	json_object_set_new(v, "params", params_json(r));
	NUMBER(lost, 0);
	NUMBER(reordered, 0);
#undef NUMBER
	set_pacing(v, r);
	json_object_set_new(v, "clock", clock_result_json(r));
	return v;
}

struct table *run_table(void)
{
	static const char *const heads[] = {
		"strategy", "dir", "L", "items/s", "T ns", "E ns", "cpu P", "cpu C",
		"kicks/s", "spurious", "calls/s", "sleeps P/s", "sleeps C/s", "batch",
		"p50 ns", "p98 ns", "clock +- ns", "W_P ns", "W_C ns", "N_P ns", "N_C ns", "S_P ns", "S_C ns",
		"Y_P ns", "Y_C ns",
		"lost", "reordered",
		"D_MAX ns", "late", "unmet", "regime", "T predicted ns",
		"P spin:sleep:block", "C spin:sleep:block",
	};
	const u32 n = sizeof(heads) / sizeof(heads[0]);
	struct table *t = table_new(n);
	u32 i;

	for (i = 0; i < n; i++)
		table_cell(t, "%s", heads[i]);
	return t;
}

static void shares_cell(struct table *t, const double share[RP_WAITS])
{
	if (is_known(share[0]))
		table_cell(t, "%.2f:%.2f:%.2f", share[RP_WAIT_SPIN], share[RP_WAIT_SLEEP],
			   share[RP_WAIT_BLOCK]);
	else
		table_cell(t, "-");
}

/* A bound that KVM contradicts is none. */
static void clock_cell(struct table *t, const struct run_result *r)
{
	if (r->clock.compared && !r->clock.agrees)
		table_cell(t, "%.0f, KVM says %.0f", r->clock_error_ns, r->clock.difference_ns);
	else
		table_number(t, r->clock_error_ns, 0);
}

void run_table_row(struct table *t, const struct run_result *r)
{
	table_cell(t, "%s", strategy_name(&r->params));
	table_cell(t, "%s", run_dir_names[r->params.dir]);
	table_cell(t, "%u", r->params.queue_len);
	table_number(t, r->items_per_s, 0);
	table_number(t, r->t_ns, 1);
	table_number(t, r->e_ns, 1);
	table_number(t, r->cpu_p, 2);
	table_number(t, r->cpu_c, 2);
	table_number(t, r->kicks_per_s, 0);
	table_number(t, r->spurious_kicks_per_s, 0);
	table_number(t, r->calls_per_s, 0);
	table_number(t, r->sleeps_p_per_s, 0);
	table_number(t, r->sleeps_c_per_s, 0);
	table_number(t, r->batch, 1);
	table_number(t, r->lat_p50_ns, 0);
	table_number(t, r->lat_p98_ns, 0);
	clock_cell(t, r);
	table_number(t, r->wp_ns, 0);
	table_number(t, r->wc_ns, 0);
	table_number(t, r->np_ns, 0);
	table_number(t, r->nc_ns, 0);
	table_number(t, r->sp_ns, 0);
	table_number(t, r->sc_ns, 0);
	table_number(t, r->yp_ns, 0);
	table_number(t, r->yc_ns, 0);
	table_number(t, r->lost, 0);
	table_number(t, r->reordered, 0);
	table_number(t, r->params.dmax_ns ? (double)r->params.dmax_ns : UNKNOWN, 0);
	table_number(t, r->late, 4);
	table_cell(t, "%s", r->unmet[0] ? r->unmet : "-");
	table_cell(t, "%s", r->regime[0] ? r->regime : "-");
	table_number(t, r->predicted_t_ns, 0);
	shares_cell(t, r->time_p);
	shares_cell(t, r->time_c);
}
