// SPDX-License-Identifier: GPL-2.0-or-later
/* A sweep as tables, for people. */
#include "validate/validate.h"

static void heads(struct table *t, const char *const *names, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		table_cell(t, "%s", names[i]);
}

/* What was predicted, and its error. */
static void t_cells(struct table *t, const struct point *pt, enum source src)
{
	table_number(t, pt->of[src].t_ns, 0);
	table_number(t, t_error(pt, src), 1);
}

static void batch_cells(struct table *t, const struct point *pt, enum source src)
{
	table_number(t, pt->of[src].batch, 1);
	table_number(t, batch_error(pt, src), 1);
}

static void kicks_cells(struct table *t, const struct point *pt, enum source src)
{
	table_number(t, pt->of[src].kicks, 4);
	table_number(t, kicks_error(pt, src), 1);
}

static void calls_cells(struct table *t, const struct point *pt, enum source src)
{
	table_number(t, pt->of[src].calls, 4);
	table_number(t, calls_error(pt, src), 1);
}

static void print_sleep(const struct sweep *s)
{
	static const char *const names[] = {
		"Y nominal", "Y_P", "Y_C", "regime", "T", "T model", "%", "T sim", "%",
		"T sim-dist", "%", "b", "b model", "%", "b sim-dist", "%",
	};
	const u32 n = sizeof(names) / sizeof(names[0]);
	struct table *t = table_new(n);
	u32 i;

	heads(t, names, n);
	for (i = 0; i < s->n; i++) {
		const struct point *pt = &s->point[i];

		table_number(t, pt->nominal_ns, 0);
		table_number(t, pt->run.yp_ns, 0);
		table_number(t, pt->run.yc_ns, 0);
		table_cell(t, "%s", pt->of[SRC_MODEL].regime);
		table_number(t, pt->of[SRC_MEASURED].t_ns, 0);
		t_cells(t, pt, SRC_MODEL);
		t_cells(t, pt, SRC_SIM);
		t_cells(t, pt, SRC_SIM_DIST);
		table_number(t, pt->of[SRC_MEASURED].batch, 1);
		batch_cells(t, pt, SRC_MODEL);
		batch_cells(t, pt, SRC_SIM_DIST);
	}
	table_print(t, stdout);
	table_free(t);
}

static void print_steps(const struct sweep *s)
{
	u32 i, bounded, within = within_bounds(s, &bounded);

	printf("sLS: T lies within the model's bounds at %u of %u points\n", within, bounded);
	for (i = 0; i < s->steps; i++) {
		const struct step *st = &s->step[i];

		printf("step %u, T %.0f to %.0f ns: predicted at Y = %.0f us, ", i + 1,
		       st->t_below_ns, st->t_above_ns, st->predicted_y_ns / 1000);
		if (is_known(st->measured_y_ns))
			printf("measured at %.0f us (%+.1f %%)\n", st->measured_y_ns / 1000,
			       error_pct(st->predicted_y_ns, st->measured_y_ns));
		else
			printf("no two measured points enclose it\n");
	}
}

static void print_times(const struct sweep *s)
{
	static const char *const names[] = {
		"W_P", "N_P", "S_C", "N_C", "S_P", "regime", "T", "T model", "%", "T sim", "%",
		"T sim-dist", "%", "b", "b model", "%", "b sim-dist", "%",
	};
	const u32 n = sizeof(names) / sizeof(names[0]);
	struct table *t = table_new(n);
	u32 i;

	heads(t, names, n);
	for (i = 0; i < s->n; i++) {
		const struct point *pt = &s->point[i];

		table_number(t, pt->run.wp_ns, 0);
		table_number(t, pt->run.np_ns, 0);
		table_number(t, pt->run.sc_ns, 0);
		table_number(t, pt->run.nc_ns, 0);
		table_number(t, pt->run.sp_ns, 0);
		table_cell(t, "%s", pt->of[SRC_MODEL].regime);
		table_number(t, pt->of[SRC_MEASURED].t_ns, 0);
		t_cells(t, pt, SRC_MODEL);
		t_cells(t, pt, SRC_SIM);
		t_cells(t, pt, SRC_SIM_DIST);
		table_number(t, pt->of[SRC_MEASURED].batch, 1);
		batch_cells(t, pt, SRC_MODEL);
		batch_cells(t, pt, SRC_SIM_DIST);
	}
	table_print(t, stdout);
	table_free(t);
}

static void print_notifications(const struct sweep *s)
{
	static const char *const names[] = {
		"W_P", "kicks/item", "model", "%", "sim-dist", "%", "spurious", "sim-dist",
		"calls/item", "model", "%", "sim-dist", "%",
	};
	const u32 n = sizeof(names) / sizeof(names[0]);
	struct table *t = table_new(n);
	u32 i;

	heads(t, names, n);
	for (i = 0; i < s->n; i++) {
		const struct point *pt = &s->point[i];

		table_number(t, pt->run.wp_ns, 0);
		table_number(t, pt->of[SRC_MEASURED].kicks, 4);
		kicks_cells(t, pt, SRC_MODEL);
		kicks_cells(t, pt, SRC_SIM_DIST);
		table_number(t, pt->of[SRC_MEASURED].spurious, 4);
		table_number(t, pt->of[SRC_SIM_DIST].spurious, 4);
		table_number(t, pt->of[SRC_MEASURED].calls, 4);
		calls_cells(t, pt, SRC_MODEL);
		calls_cells(t, pt, SRC_SIM_DIST);
	}
	table_print(t, stdout);
	table_free(t);
}

static void print_medians(const struct sweep *s)
{
	static const char *const what[SOURCES] = {
		[SRC_MODEL] = "model, from the run's own means (no T in sLS)",
		[SRC_SIM] = "simulator, from the run's own means",
		[SRC_SIM_DIST] = "simulator, from the run's own single N, S, Y",
		[SRC_BEFORE_MODEL] = "model, from nominal W and the profile",
		[SRC_BEFORE_SIM] = "simulator, from nominal W and the profile",
	};
	struct table *t = table_new(4);
	u32 i;

	table_cell(t, "median error, %%");
	table_cell(t, "T");
	table_cell(t, "b");
	table_cell(t, "kicks");
	for (i = SRC_MODEL; i < SOURCES; i++) {
		table_cell(t, "%s", what[i]);
		table_number(t, median_error(s, i, t_error), 2);
		table_number(t, median_error(s, i, batch_error), 2);
		table_number(t, median_error(s, i, kicks_error), 2);
	}
	table_print(t, stdout);
	table_free(t);
	if (!s->profile)
		printf("no profile of lane %s: `ringpace probe` makes one\n", s->lane->name);
}

void sweep_print(const struct sweep *s)
{
	if (s->ops == &sweep_sleep) {
		print_sleep(s);
		putchar('\n');
		print_steps(s);
	} else {
		print_times(s);
		putchar('\n');
		print_notifications(s);
	}
	putchar('\n');
	print_medians(s);
}
