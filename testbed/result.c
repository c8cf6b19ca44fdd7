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
	};
	const u32 n = sizeof(heads) / sizeof(heads[0]);
	struct table *t = table_new(n);
	u32 i;

	for (i = 0; i < n; i++)
		table_cell(t, "%s", heads[i]);
	return t;
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
	table_number(t, r->clock_error_ns, 0);
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
}
