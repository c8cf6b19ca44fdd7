// SPDX-License-Identifier: GPL-2.0-or-later
/* Errors of predictions; a sweep as JSON and CSV. */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "json.h"
#include "provenance.h"
#include "validate/validate.h"

/* ---- Errors ---- */

double error_pct(double predicted, double measured)
{
	return measured > 0 ? 100 * (predicted - measured) / measured : UNKNOWN;
}

double t_error(const struct point *pt, enum source src)
{
	return error_pct(pt->of[src].t_ns, pt->of[SRC_MEASURED].t_ns);
}

double batch_error(const struct point *pt, enum source src)
{
	return error_pct(pt->of[src].batch, pt->of[SRC_MEASURED].batch);
}

/*
 * Of the direction that the regime does not live on there are a few
 * notifications, after a preemption. Under a hundredth of all they are strays.
 */
static double rate_error(const struct point *pt, double predicted, double measured)
{
	const struct outcome *m = &pt->of[SRC_MEASURED];

	if (measured < (m->kicks + m->calls) / 100)
		return UNKNOWN;
	return error_pct(predicted, measured);
}

double kicks_error(const struct point *pt, enum source src)
{
	return rate_error(pt, pt->of[src].kicks, pt->of[SRC_MEASURED].kicks);
}

double calls_error(const struct point *pt, enum source src)
{
	return rate_error(pt, pt->of[src].calls, pt->of[SRC_MEASURED].calls);
}

double median_error(const struct sweep *s, enum source src,
		    double (*error)(const struct point *, enum source))
{
	double v[POINTS_MAX];
	u32 i, n = 0;

	for (i = 0; i < s->n; i++)
		if (is_known(error(&s->point[i], src)))
			v[n++] = fabs(error(&s->point[i], src));
	return median(v, n);
}

u32 within_bounds(const struct sweep *s, u32 *of)
{
	u32 i, n = 0;

	*of = 0;
	for (i = 0; i < s->n; i++) {
		const struct outcome *m = &s->point[i].of[SRC_MODEL];
		double t = s->point[i].of[SRC_MEASURED].t_ns;

		if (is_known(m->t_ns) || !is_known(t))
			continue;
		*of += 1;
		n += t >= m->t_min_ns && t <= m->t_max_ns;
	}
	return n;
}

/* ---- JSON ---- */

static json_t *outcome_json(const struct point *pt, enum source src)
{
	const struct outcome *o = &pt->of[src];
	json_t *v = json_object();

#define NUMBER(key, value, decimals) \
	json_object_set_new(v, key, json_number_or_null(value, decimals))
	if (src == SRC_MODEL || src == SRC_BEFORE_MODEL) {
		json_object_set_new(v, "regime", o->regime ? json_string(o->regime) : json_null());
		NUMBER("t_min_ns", o->t_min_ns, 2);
		NUMBER("t_max_ns", o->t_max_ns, 2);
	}
	NUMBER("t_ns", o->t_ns, 2);
	NUMBER("batch", o->batch, 3);
	NUMBER("kicks_per_item", o->kicks, 6);
	NUMBER("spurious_kicks_per_item", o->spurious, 6);
	NUMBER("calls_per_item", o->calls, 6);
	NUMBER("sleeps_per_item", o->sleeps, 6);
	if (src != SRC_MEASURED) {
		NUMBER("t_error_pct", t_error(pt, src), 3);
		NUMBER("batch_error_pct", batch_error(pt, src), 3);
		NUMBER("kicks_error_pct", kicks_error(pt, src), 3);
		NUMBER("calls_error_pct", calls_error(pt, src), 3);
	}
	return v;
}

static json_t *point_json(const struct sweep *s, const struct point *pt)
{
	const struct run_result *r = &pt->run;
	json_t *v = json_object();
	char key[32];
	u32 i;

	snprintf(key, sizeof(key), "%s_nominal_ns", s->ops->swept);
	NUMBER(key, pt->nominal_ns, 0);
	NUMBER("wp_ns", r->wp_ns, 0);
	NUMBER("wc_ns", r->wc_ns, 0);
	NUMBER("np_ns", r->np_ns, 0);
	NUMBER("nc_ns", r->nc_ns, 0);
	NUMBER("sp_ns", r->sp_ns, 0);
	NUMBER("sc_ns", r->sc_ns, 0);
	NUMBER("yp_ns", r->yp_ns, 0);
	NUMBER("yc_ns", r->yc_ns, 0);
	NUMBER("window_ns", pt->window_ns, 0);
	NUMBER("items", r->items, 0);
	NUMBER("lost", r->lost, 0);
	for (i = 0; i < SOURCES; i++)
		json_object_set_new(v, source_names[i], outcome_json(pt, i));
	return v;
}

static json_t *steps_json(const struct sweep *s)
{
	json_t *list = json_array(), *v;
	u32 i;

	for (i = 0; i < s->steps; i++) {
		const struct step *st = &s->step[i];

		v = json_object();
		NUMBER("predicted_y_ns", st->predicted_y_ns, 0);
		NUMBER("measured_y_ns", st->measured_y_ns, 0);
		NUMBER("error_pct", error_pct(st->predicted_y_ns, st->measured_y_ns), 3);
		NUMBER("t_below_ns", st->t_below_ns, 1);
		NUMBER("t_above_ns", st->t_above_ns, 1);
		json_array_append_new(list, v);
	}
	return list;
}

static json_t *medians_json(const struct sweep *s)
{
	json_t *all = json_object(), *v;
	u32 i;

	for (i = SRC_MEASURED + 1; i < SOURCES; i++) {
		v = json_object();
		NUMBER("t_pct", median_error(s, i, t_error), 3);
		NUMBER("batch_pct", median_error(s, i, batch_error), 3);
		NUMBER("kicks_pct", median_error(s, i, kicks_error), 3);
		json_object_set_new(all, source_names[i], v);
	}
	return all;
}
#undef NUMBER

json_t *sweep_json(const struct sweep *s)
{
	json_t *v = json_object(), *points = json_array();
	u32 i, bounded, within = within_bounds(s, &bounded);

	json_object_set_new(v, "sweep", json_string(s->ops->name));
	json_object_set_new(v, "lane", json_string(s->lane->name));
	provenance_add(v);
	json_object_set_new(v, "quick", json_boolean(s->quick));
	json_object_set_new(v, "queue_len",
			    json_integer(s->n ? s->point[0].run.params.queue_len : 0));
	json_object_set_new(v, "profile_date",
			    s->profile ? json_string(s->profile->date) : json_null());
	json_object_set_new(v, "median_abs_error", medians_json(s));
	json_object_set_new(v, "bounded_points", json_integer(bounded));
	json_object_set_new(v, "within_bounds", json_integer(within));
	json_object_set_new(v, "steps", steps_json(s));
	for (i = 0; i < s->n; i++)
		json_array_append_new(points, point_json(s, &s->point[i]));
	json_object_set_new(v, "points", points);
	return v;
}

/* ---- Files ---- */

/* One row: the members of @v, those of inner objects as OUTER_INNER. */
static void csv_row(FILE *f, const json_t *v, const char *outer, bool heading, bool *first)
{
	const char *key;
	json_t *value;
	char name[64];

	json_object_foreach((json_t *)v, key, value) {
		snprintf(name, sizeof(name), "%s%s%s", outer, *outer ? "_" : "", key);
		if (json_is_object(value)) {
			csv_row(f, value, name, heading, first);
			continue;
		}
		fputs(*first ? "" : ",", f);
		*first = false;
		if (heading)
			fputs(name, f);
		else if (json_is_string(value))
			fputs(json_string_value(value), f);
		else if (json_is_number(value))
			fprintf(f, "%.10g", json_number_value(value));
	}
}

static int write_csv(const json_t *points, const char *path)
{
	FILE *f = fopen(path, "we");
	size_t i, rows = json_array_size(points);
	bool first;

	if (!f)
		return -1;
	for (i = 0; i < rows + (rows > 0); i++) {
		first = true;
		csv_row(f, json_array_get(points, i ? i - 1 : 0), "", !i, &first);
		fputc('\n', f);
	}
	return fclose(f);
}

int sweep_write(const json_t *v, const char *name, const char *dir)
{
	char path[1024];

	if (mkdir(dir, 0777) && errno != EEXIST)
		return fail("cannot make the directory %s for the results: %m", dir);
	snprintf(path, sizeof(path), "%s/%s.json", dir, name);
	if (json_dump_file(v, path, JSON_INDENT(2) | JSON_REAL_PRECISION(15)))
		return fail("cannot write %s: %m", path);
	snprintf(path, sizeof(path), "%s/%s.csv", dir, name);
	if (write_csv(json_object_get(v, "points"), path))
		return fail("cannot write %s: %m", path);
	return 0;
}
