// SPDX-License-Identifier: GPL-2.0-or-later
/* Figures of what `ringpace probe` and `ringpace validate` measured: 5 to 9 of the paper. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "lane.h"
#include "plot/plot.h"
#include "profile.h"
#include "validate/validate.h"

/* Longer, and P has filled the queue before C wakes: sLS (004, sec. 5.1). */
#define LONG_SLEEPS_NS	((double)((SWEEP_QUEUE_LEN - 1) * SLEEP_WP_NS - SLEEP_WC_NS))

/* The array @key of the JSON file @path, which @how makes. New reference in *@all. */
static const char *load(const char *path, const char *key, const char *how, json_t **all,
			const json_t **list)
{
	json_error_t error;

	*all = NULL;
	if (access(path, R_OK))
		return because("%s: %s; `%s` makes it", path, strerror(errno), how);
	*all = json_load_file(path, 0, &error);
	if (!*all)
		return because("%s is not JSON (line %d: %s); make it anew with `%s`", path,
			       error.line, error.text, how);
	*list = json_object_get(*all, key);
	if (json_is_array(*list) && json_array_size(*list))
		return NULL;
	json_decref(*all);
	*all = NULL;
	return because("%s has no \"%s\"; make it anew with `%s`", path, key, how);
}

/* Rows by ascending abscissa: gnuplot joins points in the file's order. */
static void sort_rows(struct grid *g)
{
	double row[PLOT_COLUMNS_MAX];
	const size_t size = g->columns * sizeof(row[0]);
	size_t i, j;

	for (i = 1; i < g->rows; i++) {
		memcpy(row, g->cell + i * g->columns, size);
		for (j = i; j && grid_at(g, j - 1, 0) > row[0]; j--)
			memcpy(g->cell + j * g->columns, g->cell + (j - 1) * g->columns, size);
		memcpy(g->cell + j * g->columns, row, size);
	}
}

/* "outer.inner" of @v, or "key" of it; UNKNOWN when absent. */
static double at(const json_t *v, const char *path)
{
	const char *dot = strchr(path, '.');
	char outer[32];

	if (!dot)
		return json_number_at(v, path);
	snprintf(outer, sizeof(outer), "%.*s", (int)(dot - path), path);
	return json_number_at(json_object_get(v, outer), dot + 1);
}

/* A row per point, from the values at @paths; without the first one no row. */
static const char *rows_of(const json_t *list, const char *const *paths, double x_min,
			   struct grid *g)
{
	double row[PLOT_COLUMNS_MAX];
	const json_t *point;
	size_t i;
	u32 c;

	json_array_foreach(list, i, point) {
		for (c = 0; c < g->columns; c++)
			row[c] = at(point, paths[c]);
		if (row[0] > x_min && grid_add(g, row))
			return "out of memory";
	}
	sort_rows(g);
	return g->rows ? NULL : "the stored data have no point for this figure";
}

static const char *sweep(const struct plot_source *src, const char *name,
			 const char *const *paths, double x_min, struct grid *g)
{
	char path[600], how[96];
	const json_t *list;
	const char *why;
	json_t *all;

	snprintf(path, sizeof(path), "%s/%s.json", src->data_dir, name);
	snprintf(how, sizeof(how), "ringpace validate --sweep %s", name);
	why = load(path, "points", how, &all, &list) ?: rows_of(list, paths, x_min, g);
	json_decref(all);
	return why;
}

/* ---- The figures ---- */

const char *fill_probed_sleeps(const struct plot_source *src, struct grid *g, struct mark *marks)
{
	static const char *const paths[] = { "nominal_ns", "robust_ns", "cost_ns", "nominal_ns" };
	const char *name = src->profile ?: "native", *path, *why;
	const json_t *list;
	char how[64];
	json_t *all;

	snprintf(how, sizeof(how), "ringpace probe --lane %s", lane_by_name(name) ? name : "native");
	path = lane_by_name(name) ? profile_path(name) : name;
	if (!path)
		return "no place for profiles: set $XDG_STATE_HOME or $HOME";
	why = load(path, "sleep", how, &all, &list) ?: rows_of(list, paths, 0, g);
	json_decref(all);
	return why;
}

const char *fill_sleep_time(const struct plot_source *src, struct grid *g, struct mark *marks)
{
	static const char *const paths[] = {
		"yc_ns", "measured.t_ns", "sim.t_ns", "sim_dist.t_ns",
	};

	marks[0] = (struct mark){ LONG_SLEEPS_NS, "long sleeps", false };
	return sweep(src, "sleep", paths, 0, g);
}

const char *fill_sleep_batch(const struct plot_source *src, struct grid *g, struct mark *marks)
{
	static const char *const paths[] = {
		"yc_ns", "measured.batch", "sim.batch", "sim_dist.batch",
	};

	marks[0] = (struct mark){ LONG_SLEEPS_NS, "long sleeps", false };
	return sweep(src, "sleep", paths, 0, g);
}

const char *fill_notify_sweep(const struct plot_source *src, struct grid *g, struct mark *marks)
{
	static const char *const paths[] = {
		"wp_nominal_ns", "measured.t_ns", "model.t_ns", "sim_dist.t_ns",
	};

	return sweep(src, "notify", paths, 0, g);
}

const char *fill_spurious(const struct plot_source *src, struct grid *g, struct mark *marks)
{
	static const char *const paths[] = {
		"wp_nominal_ns", "measured.kicks_per_item", "measured.spurious_kicks_per_item",
		"sim_dist.kicks_per_item", "sim_dist.spurious_kicks_per_item",
	};
	/* W_C of the sweep: only a fast consumer is notified of items. */
	const char *why = sweep(src, "notify", paths, NOTIFY_WC_NS, g);
	size_t r;

	/* The count of notifications has the spurious ones in it. */
	for (r = 0; !why && r < g->rows; r++) {
		g->cell[r * g->columns + 1] -= grid_at(g, r, 2);
		g->cell[r * g->columns + 3] -= grid_at(g, r, 4);
	}
	return why;
}
