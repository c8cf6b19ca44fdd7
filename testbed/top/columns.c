// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is shown of a queue: short cells for a screen of 80 columns, full
 * numbers for tables and JSON. A screen's numbers have three digits at most
 * and a unit: n, u, m are ns, us, ms; k, M thousands and millions.
 */
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "top/top.h"

enum column_id {
	COL_QUEUE, COL_STRATEGY, COL_REGIME, COL_MODE, COL_WAIT, COL_WINDOW, COL_ITEMS,
	COL_KICKS, COL_CALLS, COL_BATCH, COL_P98, COL_DMAX, COL_LATE, COL_CPU, COL_T,
	COL_PREDICTED, COL_SOCKET,
};

const struct top_column top_columns[] = {
	[COL_QUEUE] = { "queue", "QUEUE", -7, 0 },
	[COL_STRATEGY] = { "strategy", "STRATEGY", -8, 90 },
	[COL_REGIME] = { "regime", "REG", -4, 0 },
	[COL_MODE] = { "mode", "MODE", -5, 0 },
	[COL_WAIT] = { "wait", "Y|k", 5, 0 },
	[COL_WINDOW] = { "window", "WIN", 4, 0 },
	[COL_ITEMS] = { "items_per_s", "ITEMS", 5, 0 },
	[COL_KICKS] = { "kicks_per_s", "KICK", 4, 0 },
	[COL_CALLS] = { "calls_per_s", "CALL", 4, 0 },
	[COL_BATCH] = { "batch", "b", 4, 0 },
	[COL_P98] = { "p98_ns", "P98", 5, 0 },
	[COL_DMAX] = { "dmax_ns", "DMAX", 5, 0 },
	[COL_LATE] = { "late", "LATE%", 5, 96 },
	[COL_CPU] = { "cpu", "CPU%", 5, 0 },
	[COL_T] = { "t_ns", "T", 5, 0 },
	[COL_PREDICTED] = { "predicted_t_ns", "MODEL", 5, 0 },
	[COL_SOCKET] = { "socket", "SOCKET", -32, 130 },
};

const u32 top_columns_count = sizeof(top_columns) / sizeof(top_columns[0]);

int top_column_by_key(const char *key)
{
	u32 i;

	for (i = 0; i < top_columns_count; i++)
		if (!strcmp(top_columns[i].key, key))
			return (int)i;
	return -1;
}

static const char *text_of(const struct top_row *r, u32 column)
{
	switch (column) {
	case COL_QUEUE:
		return r->device;
	case COL_STRATEGY:
		return r->strategy;
	case COL_REGIME:
		return r->regime;
	case COL_MODE:
		return r->mode;
	case COL_SOCKET:
		return r->socket;
	default:
		return NULL;
	}
}

static double number_of(const struct top_row *r, u32 column)
{
	switch (column) {
	case COL_WAIT:
		return is_known(r->y_ns) ? r->y_ns : r->k;
	case COL_WINDOW:
		return r->window;
	case COL_ITEMS:
		return r->items_per_s;
	case COL_KICKS:
		return r->kicks_per_s;
	case COL_CALLS:
		return r->calls_per_s;
	case COL_BATCH:
		return r->batch;
	case COL_P98:
		return r->p98_ns;
	case COL_DMAX:
		return r->dmax_ns;
	case COL_LATE:
		return r->late;
	case COL_CPU:
		return r->cpu_host;
	case COL_T:
		return r->t_ns;
	default:
		return r->predicted_t_ns;
	}
}

/* ---- Cells of a screen ---- */

/* Three digits at most, and what of @units the number came down to. */
static void scaled(double v, const char *units, int decimals, int width, char *out, size_t bytes)
{
	while (v >= 999.5 && units[1]) {
		v /= 1000;
		units++;
		decimals = width > 4 ? 2 : 0;
	}
	if (v >= 99.95)
		decimals = 0;
	else if (v >= 9.995 && decimals)
		decimals = 1;
	snprintf(out, bytes, "%.*f%.1s", decimals, v, *units == ' ' ? "" : units);
}

static void count_cell(double v, int width, char *out, size_t bytes)
{
	bool whole = v >= 99.95 || v == (double)(u64)v;

	scaled(v, " kMG", whole ? 0 : 2, width, out, bytes);
}

static bool is_time(const struct top_row *r, u32 column)
{
	return column == COL_P98 || column == COL_DMAX || column == COL_T ||
	       column == COL_PREDICTED || (column == COL_WAIT && is_known(r->y_ns));
}

static void queue_cell(const struct top_row *r, int room, char *out, size_t bytes)
{
	char tail[16];

	snprintf(tail, sizeof(tail), ":%u%c", r->queue, r->rev ? '<' : '>');
	room -= (int)strlen(tail);
	snprintf(out, bytes, "%.*s%s", room > 0 ? room : 0, r->device, tail);
}

void top_cell(const struct top_row *r, u32 column, char *out, size_t bytes)
{
	const char *text = text_of(r, column);
	int width = abs(top_columns[column].width);
	double v = text ? 0 : number_of(r, column);

	if (column == COL_QUEUE)
		queue_cell(r, width, out, bytes);
	else if (text)
		snprintf(out, bytes, "%.*s", width, text[0] ? text : "-");
	else if (!is_known(v))
		snprintf(out, bytes, column == COL_CPU ? "-/-" : "-");
	else if (column == COL_CPU)
		snprintf(out, bytes, "%.0f/-", v * 100);
	else if (column == COL_LATE)
		snprintf(out, bytes, "%.*f", v < 0.0995 ? 2 : 1, v * 100);
	else if (is_time(r, column))
		scaled(v, "nums", 0, width, out, bytes);
	else
		count_cell(v, width, out, bytes);
}

bool top_is_late(const struct top_row *r)
{
	/* Of the interval's items if there were any: the p98 is older. */
	if (is_known(r->late))
		return r->late > 0.02;
	return r->p98_ns > r->dmax_ns;
}

/* ---- Order ---- */

static u32 sort_column;
static bool sort_reverse;

static int by_place(const struct top_row *a, const struct top_row *b)
{
	int d = strcmp(a->backend, b->backend) ?: strcmp(a->socket, b->socket) ?:
		strcmp(a->device, b->device);

	return d ?: (a->queue > b->queue) - (a->queue < b->queue);
}

static int by_column(const void *va, const void *vb)
{
	const struct top_row *a = va, *b = vb;
	const char *ta = text_of(a, sort_column);
	double x, y;
	int d;

	if (sort_column == COL_QUEUE) {
		d = by_place(a, b);
	} else if (ta) {
		d = strcmp(ta, text_of(b, sort_column));
	} else {
		x = number_of(a, sort_column);
		y = number_of(b, sort_column);
		if (is_known(x) != is_known(y))
			return is_known(x) ? -1 : 1;
		d = (x < y) - (x > y);
	}
	return (sort_reverse ? -d : d) ?: by_place(a, b);
}

void top_sort(struct top *t, u32 column, bool reverse)
{
	sort_column = column;
	sort_reverse = reverse;
	qsort(t->rows, t->n, sizeof(*t->rows), by_column);
}

/* ---- Tables and JSON ---- */

static void text_cell(struct table *t, const char *text)
{
	table_cell(t, "%s", text[0] ? text : "-");
}

static void print_row(struct table *t, const struct top_row *r)
{
	table_cell(t, "%s:%u", r->device, r->queue);
	table_cell(t, "%s", r->rev ? "rev" : "fwd");
	text_cell(t, r->strategy);
	text_cell(t, r->regime);
	text_cell(t, r->mode);
	table_number(t, r->y_ns, 0);
	table_number(t, r->k, 0);
	table_number(t, r->window, 0);
	table_number(t, r->items_per_s, 0);
	table_number(t, r->kicks_per_s, 0);
	table_number(t, r->calls_per_s, 0);
	table_number(t, r->batch, 1);
	table_number(t, r->p98_ns, 0);
	table_number(t, r->dmax_ns, 0);
	table_number(t, r->late * 100, 2);
	table_number(t, r->cpu_host * 100, 0);
	table_cell(t, "-");
	table_number(t, r->t_ns, 1);
	table_number(t, r->predicted_t_ns, 0);
	text_cell(t, r->broken[0] ? r->broken : r->unmet);
	text_cell(t, r->socket[0] ? r->socket : r->backend);
}

void top_print(const struct top *t, FILE *to)
{
	static const char *const heads[] = {
		"queue", "dir", "strategy", "regime", "mode", "Y ns", "k", "window", "items/s",
		"kicks/s", "calls/s", "batch", "p98 ns", "D_MAX ns", "late %", "CPU % host",
		"CPU % driver", "T ns", "T model", "trouble", "socket",
	};
	const u32 n = sizeof(heads) / sizeof(heads[0]);
	struct table *table = table_new(n);
	u32 i;

	for (i = 0; i < n; i++)
		table_cell(table, "%s", heads[i]);
	for (i = 0; i < t->n; i++)
		print_row(table, &t->rows[i]);
	table_print(table, to);
	table_free(table);
	fflush(to);
}

static json_t *text_or_null(const char *s)
{
	return s[0] ? json_string(s) : json_null();
}

static json_t *row_json(const struct top_row *r)
{
	bool bound = is_known(r->p98_ns) && is_known(r->dmax_ns);
	json_t *v = json_pack("{s:s, s:o, s:o, s:s, s:i, s:s, s:s, s:o, s:o, s:o, s:o}",
		"backend", r->backend, "socket", text_or_null(r->socket),
		"pid", r->pid ? json_integer(r->pid) : json_null(), "device", r->device,
		"queue", (int)r->queue, "dir", r->rev ? "rev" : "fwd",
		"strategy", r->strategy, "regime", text_or_null(r->regime),
		"mode", text_or_null(r->mode), "unmet", text_or_null(r->unmet),
		"broken", text_or_null(r->broken));

#define NUMBER(field, decimals) \
	json_object_set_new(v, #field, json_number_or_null(r->field, decimals))
	NUMBER(y_ns, 0);
	NUMBER(k, 0);
	NUMBER(window, 0);
	NUMBER(queue_len, 0);
	NUMBER(items_per_s, 0);
	NUMBER(kicks_per_s, 1);
	NUMBER(calls_per_s, 1);
	NUMBER(sleeps_per_s, 1);
	NUMBER(batch, 2);
	NUMBER(p98_ns, 0);
	NUMBER(dmax_ns, 0);
	json_object_set_new(v, "dmax_met", bound ? json_boolean(r->p98_ns <= r->dmax_ns) :
			    json_null());
	NUMBER(late, 6);
	NUMBER(cpu_host, 4);
	json_object_set_new(v, "cpu_driver", json_null());
	NUMBER(t_ns, 2);
	NUMBER(predicted_t_ns, 0);
	NUMBER(burst, 3);
	NUMBER(occupancy, 3);
#undef NUMBER
	return v;
}

void top_print_json(const struct top *t, u64 interval_ns, FILE *to)
{
	json_t *queues = json_array(), *sources = json_array();
	const struct top_source *s;
	u32 i;

	for (i = 0; i < t->n; i++)
		json_array_append_new(queues, row_json(&t->rows[i]));
	for (i = 0; i < t->sources; i++) {
		s = &t->source[i];
		json_array_append_new(sources, json_pack("{s:s, s:o, s:o, s:o}",
			"backend", s->kernel ? "vhost_pc" : "ringpaced",
			"socket", text_or_null(s->socket),
			"pid", s->pid ? json_integer(s->pid) : json_null(),
			"error", text_or_null(s->error)));
	}
	json_print(json_pack("{s:I, s:o, s:o}", "interval_ns", (json_int_t)interval_ns,
			     "queues", queues, "sources", sources), to);
	fflush(to);
}
