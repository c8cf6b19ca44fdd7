// SPDX-License-Identifier: GPL-2.0-or-later
/* Families of metrics as text: OpenMetrics 1.0, or Prometheus' older format. */
#include <inttypes.h>
#include <stdio.h>

#include "metrics/families.h"
#include "metrics/metrics.h"

static const struct {
	const char *type[2];		/* by enum metrics_format */
	const char *suffix;		/* of samples */
} types[FAMILY_TYPES] = {
	[FAMILY_COUNTER] = { { "counter", "counter" }, "_total" },
	[FAMILY_GAUGE] = { { "gauge", "gauge" }, "" },
	[FAMILY_INFO] = { { "info", "gauge" }, "_info" },
	[FAMILY_STATESET] = { { "stateset", "gauge" }, "" },
};

/* The older format knows no units, and calls a family as its samples. */
static void print_head(FILE *f, const struct family *fam, enum metrics_format format)
{
	const char *suffix = format == METRICS_CLASSIC ? types[fam->type].suffix : "";

	fprintf(f, "# HELP %s%s %s\n", fam->name, suffix, fam->help);
	fprintf(f, "# TYPE %s%s %s\n", fam->name, suffix, types[fam->type].type[format]);
	if (fam->unit && format == METRICS_OPEN)
		fprintf(f, "# UNIT %s %s\n", fam->name, fam->unit);
}

/* @value / @scale, exactly: scales are powers of ten. */
static void print_value(FILE *f, u64 value, u64 scale)
{
	u64 rest = value % scale;

	fprintf(f, " %" PRIu64, value / scale);
	if (rest) {
		fputc('.', f);
		while (rest) {
			scale /= 10;
			fputc((int)('0' + rest / scale), f);
			rest %= scale;
		}
	}
	fputc('\n', f);
}

static void print_sample(FILE *f, const struct family *fam, const struct row *row,
			 const char *name, u64 value)
{
	const char *more = fam->type == FAMILY_INFO ? (const char *)row + fam->more : "";
	const char *comma = row->labels[0] ? "," : "";

	fprintf(f, "%s%s", fam->name, types[fam->type].suffix);
	if (row->labels[0] || *more || name)
		fprintf(f, "{%s", row->labels);
	if (*more)
		fprintf(f, "%s%s", comma, more);
	if (name)
		fprintf(f, "%s%s=\"%s\"", comma, fam->label, name);
	if (row->labels[0] || *more || name)
		fputc('}', f);
	print_value(f, value, fam->scale ? fam->scale : 1);
}

static void print_row(FILE *f, const struct family *fam, const struct row *row)
{
	const u64 *value = (const u64 *)((const char *)row + fam->at);
	u32 i;

	if ((row->has & fam->needs) != fam->needs || (fam->zero_unknown && !*value))
		return;
	if (!fam->label)
		print_sample(f, fam, row, NULL, *value);
	for (i = fam->first; i < fam->count; i++)
		print_sample(f, fam, row, fam->names[i], value[i]);
}

static void print_all(FILE *f, const struct rows *rows, enum metrics_format format)
{
	u32 i, k;

	for (i = 0; i < family_count; i++) {
		const struct row_set *set = &rows->set[families[i].of];

		print_head(f, &families[i], format);
		for (k = 0; k < set->count; k++)
			print_row(f, &families[i], rows_at(set, k));
	}
	if (format == METRICS_OPEN)
		fputs("# EOF\n", f);
}

char *metrics_text(const struct devices *d, enum metrics_format format, size_t *bytes)
{
	struct rows rows;
	char *text = NULL;
	FILE *f;

	if (rows_take(&rows, d)) {
		f = open_memstream(&text, bytes);
		if (f) {
			print_all(f, &rows, format);
			fclose(f);
		}
	}
	rows_free(&rows);
	return text;
}
