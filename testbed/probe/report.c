// SPDX-License-Identifier: GPL-2.0-or-later
/* What was probed, as a profile and as tables. */
#include "json.h"
#include "probe/probe.h"
#include "profile.h"
#include "provenance.h"

static json_t *params_json(const struct probe *p)
{
	json_t *v = json_object();

	json_object_set_new(v, "np_ns", json_number_or_null(p->fast_c.n.robust, 0));
	json_object_set_new(v, "nc_ns", json_number_or_null(p->fast_p.n.robust, 0));
	json_object_set_new(v, "sp_ns", json_number_or_null(p->fast_p.s.robust, 0));
	json_object_set_new(v, "sc_ns", json_number_or_null(p->fast_c.s.robust, 0));
	json_object_set_new(v, "ye_ns", json_number_or_null(p->sleeps.ye_ns, 0));
	return v;
}

static json_t *experiment_json(const struct probe_notify *e, const char *n, const char *s)
{
	double notices = e->result.kicks_per_s + e->result.calls_per_s;
	json_t *v = json_object();

	json_object_set_new(v, "wp_ns", json_number_or_null(e->wp_ns, 0));
	json_object_set_new(v, "wc_ns", json_number_or_null(e->wc_ns, 0));
	json_object_set_new(v, "queue_len", json_integer(e->queue_len));
	json_object_set_new(v, "notifications_per_item",
			    json_number_or_null(notices / e->result.items_per_s, 4));
	json_object_set_new(v, n, summary_json(&e->n));
	json_object_set_new(v, s, summary_json(&e->s));
	return v;
}

static json_t *sleeps_json(const struct probe_sleeps *s)
{
	json_t *list = json_array(), *v;
	u32 i;

	for (i = 0; i < s->n; i++) {
		v = json_object();
		json_object_set_new(v, "nominal_ns",
				    json_number_or_null(s->point[i].nominal_ns, 0));
		json_object_set_new(v, "cost_ns", json_number_or_null(s->point[i].cost_ns, 1));
		json_object_update_new(v, summary_json(&s->point[i].y));
		json_array_append_new(list, v);
	}
	return list;
}

static json_t *gaps_json(const struct probe *p)
{
	json_t *list = json_array(), *v;
	const struct probe_gaps *g;

	for (g = p->gaps; g < p->gaps + PROBE_CPUS; g++) {
		v = json_pack("{s:i, s:o, s:I, s:o}", "cpu", g->cpu,
			      "observed_ns", json_number_or_null(g->observed_ns, 0),
			      "gaps", (json_int_t)g->n,
			      "lost_share", json_number_or_null(g->lost_share, 6));
		json_object_set_new(v, "max_ns", json_number_or_null(g->max_ns, 0));
		json_object_set_new(v, "delay_p98_ns", json_number_or_null(g->delay_p98_ns, 0));
		json_object_set_new(v, "delay_p99_ns", json_number_or_null(g->delay_p99_ns, 0));
		json_array_append_new(list, v);
	}
	return list;
}

json_t *probe_json(const struct probe *p, const char *lane)
{
	json_t *v = json_object();

	json_object_set_new(v, "v", json_integer(PROFILE_VERSION));
	json_object_set_new(v, "lane", json_string(lane));
	json_object_set_new(v, "accel", json_string(p->fast_c.result.accel));
	provenance_add(v);
	json_object_set_new(v, "quick", json_boolean(p->quick));
	json_object_set_new(v, "params", params_json(p));
	json_object_set_new(v, "sleep_floor_ns", json_number_or_null(p->sleeps.floor_ns, 0));
	json_object_set_new(v, "gaps", gaps_json(p));
	json_object_set_new(v, "fast_consumer", experiment_json(&p->fast_c, "np", "sc"));
	json_object_set_new(v, "fast_producer", experiment_json(&p->fast_p, "nc", "sp"));
	json_object_set_new(v, "sleep", sleeps_json(&p->sleeps));
	json_object_set_new(v, "guest_sleep",
			    p->guest.n ? sleeps_json(&p->guest) : json_null());
	return v;
}

/* ---- Tables ---- */

static void heads(struct table *t, const char *const *names)
{
	for (; *names; names++)
		table_cell(t, "%s", *names);
}

static void numbers(struct table *t, const struct summary *s)
{
	table_number(t, s->robust, 0);
	table_number(t, s->mean, 0);
	table_number(t, s->sd, 0);
	table_number(t, s->p50, 0);
	table_number(t, s->p98, 0);
	table_number(t, s->max, 0);
	table_cell(t, "%u", s->n);
	table_cell(t, "%u", s->outliers);
}

static void row(struct table *t, const char *name, const struct summary *s)
{
	table_cell(t, "%s", name);
	numbers(t, s);
}

static void print_notify(const struct probe *p)
{
	static const char *const names[] = {
		"cost, ns", "profile", "mean", "sd", "p50", "p98", "max", "samples", "outliers",
		NULL
	};
	struct table *t = table_new(9);

	heads(t, names);
	row(t, "N_P", &p->fast_c.n);
	row(t, "N_C", &p->fast_p.n);
	row(t, "S_P", &p->fast_p.s);
	row(t, "S_C", &p->fast_c.s);
	table_print(t, stdout);
	table_free(t);
}

static void print_sleeps(const struct probe_sleeps *s, const char *whose)
{
	static const char *const names[] = {
		"Y_E", "Y", "mean", "sd", "p50", "p98", "max", "samples", "outliers", NULL
	};
	struct table *t = table_new(10);
	u32 i;

	table_cell(t, "%s", whose);
	heads(t, names);
	for (i = 0; i < s->n; i++) {
		table_number(t, s->point[i].nominal_ns, 0);
		table_number(t, s->point[i].cost_ns, 0);
		numbers(t, &s->point[i].y);
	}
	table_print(t, stdout);
	table_free(t);
}

static void print_gaps(const struct probe *p)
{
	static const char *const names[] = {
		"CPU", "others take, %", "gaps a second", "longest, ns", "delay p98, ns", "p99, ns",
		NULL
	};
	struct table *t = table_new(6);
	const struct probe_gaps *g;

	heads(t, names);
	for (g = p->gaps; g < p->gaps + PROBE_CPUS; g++) {
		table_cell(t, "%d", g->cpu);
		table_number(t, g->lost_share * 100, 3);
		table_number(t, g->n * 1e9 / g->observed_ns, 0);
		table_number(t, g->max_ns, 0);
		table_number(t, g->delay_p98_ns, 0);
		table_number(t, g->delay_p99_ns, 0);
	}
	table_print(t, stdout);
	table_free(t);
}

void probe_print(const struct probe *p)
{
	print_notify(p);
	putchar('\n');
	print_sleeps(&p->sleeps, "sleep, ns");
	if (p->guest.n) {
		putchar('\n');
		print_sleeps(&p->guest, "guest's, ns");
	}
	putchar('\n');
	print_gaps(p);
	printf("\nY_E %.0f ns; no sleep ends before %.0f ns (median)\n", p->sleeps.ye_ns,
	       p->sleeps.floor_ns);
}
