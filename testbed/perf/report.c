// SPDX-License-Identifier: GPL-2.0-or-later
/* Findings as a table with remarks, and as JSON. */
#include "json.h"
#include "perf/watch.h"

static double per_s(const struct perf_watch *w, double count)
{
	return count * 1e9 / w->window_ns;
}

/* ---- For people ---- */

static void print_row(struct table *t, const struct perf_watch *w, const struct finding *f)
{
	static const char *const verdicts[] = {
		[AGREES] = "agree", [DIFFERS] = "DIFFER", [MAY_DIFFER] = "may differ",
		[UNDECIDED] = "not decided", [UNCOUNTED] = "not counted",
	};

	table_cell(t, "%s", figure_names[f->figure]);
	table_cell(t, "%s", f->source);
	table_number(t, f->count, 0);
	table_number(t, per_s(w, f->count), 0);
	table_cell(t, "%s", figure_counter(f->figure));
	if (f->least < f->most)
		table_cell(t, "%.0f..%.0f", f->least, f->most);
	else
		table_number(t, f->least, 0);
	table_number(t, per_s(w, (f->least + f->most) / 2), 0);
	table_number(t, 100 * finding_difference(f), 1);
	table_cell(t, "%s", verdicts[finding_verdict(f)]);
}

static void print_remark(const struct finding *f, FILE *to)
{
	switch (finding_verdict(f)) {
	case DIFFERS:
	case MAY_DIFFER:
		fprintf(to, "%s: %s differs from %s by %+.1f %%%s%s.\n", figure_names[f->figure],
			f->source, figure_counter(f->figure), 100 * finding_difference(f),
			f->note ? ": " : "", f->note ?: "");
		break;
	case UNDECIDED:
		fprintf(to, "%s: %s and %s may be %.0f events apart without a fault, which is too "
			"much to tell 2 %% of %.0f; a longer --duration-s decides.\n",
			figure_names[f->figure], f->source, figure_counter(f->figure),
			finding_slack(f), f->most);
		break;
	default:
		break;
	}
}

static void print_clock(const json_t *clock, FILE *to)
{
	const char *why = json_string_value(json_object_get(clock, "why"));

	if (!clock)
		return;
	if (why)
		fprintf(to, "clock: not compared: %s\n", why);
	else
		fprintf(to, "clock: the exchange is %.0f ns from KVM's offset, its bound is %.0f ns%s\n",
			json_number_at(clock, "difference_ns"), json_number_at(clock, "error_ns"),
			json_is_true(json_object_get(clock, "agrees")) ? "" : ": they DIFFER");
}

void perf_watch_print(const struct perf_watch *w, FILE *to)
{
	static const char *const heads[] = {
		"figure", "source", "count", "/s", "own counter", "count", "/s", "differ %", "",
	};
	const u32 columns = sizeof(heads) / sizeof(heads[0]);
	struct table *t = table_new(columns);
	u32 i;

	for (i = 0; i < columns; i++)
		table_cell(t, "%s", heads[i]);
	for (i = 0; i < w->findings; i++)
		print_row(t, w, &w->finding[i]);
	table_print(t, to);
	table_free(t);
	for (i = 0; i < w->findings; i++)
		print_remark(&w->finding[i], to);
	print_clock(w->clock, to);
	if (w->exits)
		exits_print(w->exits, w->window_ns, to);
	for (i = 0; i < w->absents; i++)
		fprintf(to, "not available: %s: %s\n", w->absent[i].source, w->absent[i].why);
}

/* ---- For programs ---- */

static json_t *verdict_json(const struct finding *f)
{
	enum verdict v = finding_verdict(f);

	return v == AGREES ? json_true() : v == DIFFERS ? json_false() : json_null();
}

static json_t *finding_json(const struct perf_watch *w, const struct finding *f)
{
	json_t *v = json_object();

	json_object_set_new(v, "figure", json_string(figure_names[f->figure]));
	json_object_set_new(v, "source", json_string(f->source));
	json_object_set_new(v, "count", json_number_or_null(f->count, 0));
	json_object_set_new(v, "per_s", json_number_or_null(per_s(w, f->count), 1));
	json_object_set_new(v, "counter", json_string(figure_counter(f->figure)));
	json_object_set_new(v, "counter_least", json_number_or_null(f->least, 0));
	json_object_set_new(v, "counter_most", json_number_or_null(f->most, 0));
	json_object_set_new(v, "counter_per_s",
			    json_number_or_null(per_s(w, (f->least + f->most) / 2), 1));
	json_object_set_new(v, "slack", json_number_or_null(finding_slack(f), 0));
	json_object_set_new(v, "difference", json_number_or_null(finding_difference(f), 4));
	json_object_set_new(v, "agrees", verdict_json(f));
	json_object_set_new(v, "note", f->note ? json_string(f->note) : json_null());
	return v;
}

static u32 count_verdicts(const struct perf_watch *w, enum verdict v)
{
	u32 i, n = 0;

	for (i = 0; i < w->findings; i++)
		n += finding_verdict(&w->finding[i]) == v;
	return n;
}

/* Of those that are decided; null: none is. */
static json_t *all_agree(const struct perf_watch *w)
{
	if (count_verdicts(w, DIFFERS))
		return json_false();
	return count_verdicts(w, AGREES) ? json_true() : json_null();
}

json_t *perf_watch_json(const struct perf_watch *w)
{
	json_t *v = json_object(), *figures = json_array(), *absent = json_array();
	u32 i;

	for (i = 0; i < w->findings; i++)
		json_array_append_new(figures, finding_json(w, &w->finding[i]));
	for (i = 0; i < w->absents; i++)
		json_array_append_new(absent, json_pack("{s:s, s:s}", "source", w->absent[i].source,
							"why", w->absent[i].why));
	json_object_set_new(v, "window_ns", json_number_or_null(w->window_ns, 0));
	json_object_set_new(v, "agrees", all_agree(w));
	json_object_set_new(v, "undecided", json_integer(count_verdicts(w, UNDECIDED)));
	json_object_set_new(v, "figures", figures);
	json_object_set_new(v, "not_available", absent);
	json_object_set_new(v, "exits", w->exits ? exits_json(w->exits, w->window_ns) : json_null());
	json_object_set_new(v, "clock", w->clock ? json_incref(w->clock) : json_null());
	return v;
}
