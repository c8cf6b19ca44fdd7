// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `perf kvm stat` has no output for programs: its table is read, which has had
 * the same columns since perf has this command.
 */
#include "perf/exits.h"

#include <string.h>

#include "json.h"
#include "perf/stat.h"

/* "  npf   1234   55.00%   12.34%   1.20us   123.45us   5.67us ( +-   1.23% )" */
static bool parse_reason(struct exits *e, const char *line)
{
	double count, share, time_share, least_us, most_us, mean_us;
	char name[40];

	if (sscanf(line, " %39s %lf %lf%% %lf%% %lfus %lfus %lfus", name, &count, &share,
		   &time_share, &least_us, &most_us, &mean_us) != 7 ||
	    e->n == EXIT_REASONS_MAX || !(count >= 0) || !(mean_us >= 0))
		return false;
	memcpy(e->reason[e->n].name, name, sizeof(name));
	e->reason[e->n].count = count;
	e->reason[e->n].mean_ns = mean_us * 1000;
	e->n++;
	return true;
}

const char *exits_parse(struct exits *e, FILE *from)
{
	double sum = 0;
	char line[512];
	u32 i;

	*e = (struct exits){ .total = UNKNOWN };
	while (fgets(line, sizeof(line), from))
		if (!sscanf(line, "Total Samples:%lf", &e->total) && !parse_reason(e, line))
			e->lost |= strstr(line, " lost ") || strstr(line, "LOST ");
	for (i = 0; i < e->n; i++)
		sum += e->reason[i].count;
	if (!is_known(e->total))
		return "perf kvm stat prints no total";
	return sum == e->total ? NULL :
		because("perf kvm stat prints %u reasons of %.0f exits, and a total of %.0f", e->n,
			sum, e->total);
}

const char *exits_read(struct exits *e, const char *data)
{
	char *argv[] = { "perf", "kvm", "-i", (char *)data, "stat", "report", NULL };
	const char *why;
	char log[160];
	FILE *f;

	snprintf(log, sizeof(log), "%s/perf-exits.report", run_dir());
	if (perf_run(argv, log))
		return "perf kvm stat report does not end";
	f = fopen(log, "re");
	if (!f)
		return "perf kvm stat report wrote nothing";
	why = exits_parse(e, f);
	fclose(f);
	return why && !is_known(e->total) ? because("%s; it says: %s", why, log_tail(log)) : why;
}

static double per_s(double count, double window_ns)
{
	return count * 1e9 / window_ns;
}

json_t *exits_json(const struct exits *e, double window_ns)
{
	json_t *reasons = json_array(), *v;
	u32 i;

	for (i = 0; i < e->n; i++) {
		v = json_object();
		json_object_set_new(v, "reason", json_string(e->reason[i].name));
		json_object_set_new(v, "count", json_number_or_null(e->reason[i].count, 0));
		json_object_set_new(v, "per_s", json_number_or_null(per_s(e->reason[i].count,
									 window_ns), 1));
		json_object_set_new(v, "mean_ns", json_number_or_null(e->reason[i].mean_ns, 0));
		json_array_append_new(reasons, v);
	}
	v = json_object();
	json_object_set_new(v, "count", json_number_or_null(e->total, 0));
	json_object_set_new(v, "per_s", json_number_or_null(per_s(e->total, window_ns), 1));
	json_object_set_new(v, "lost_events", json_boolean(e->lost));
	json_object_set_new(v, "reasons", reasons);
	return v;
}

void exits_print(const struct exits *e, double window_ns, FILE *to)
{
	static const char *const heads[] = { "exits, by reason", "count", "/s", "mean ns" };
	struct table *t = table_new(4);
	u32 i;

	for (i = 0; i < 4; i++)
		table_cell(t, "%s", heads[i]);
	for (i = 0; i < e->n; i++) {
		table_cell(t, "%s", e->reason[i].name);
		table_number(t, e->reason[i].count, 0);
		table_number(t, per_s(e->reason[i].count, window_ns), 0);
		table_number(t, e->reason[i].mean_ns, 0);
	}
	table_print(t, to);
	table_free(t);
	if (e->lost)
		fprintf(to, "exits: perf lost events: there were more.\n");
}
