// SPDX-License-Identifier: GPL-2.0-or-later
/* `ringpace ctl rss`: what it takes, and what it shows. */
#include "ctl_rss.h"

#include <stdlib.h>
#include <string.h>

#include "ctl_print.h"
#include "util.h"

/* Has @each called with every piece between '+' signs; false: one was no good. */
static bool pieces(const char *text, json_t *to, bool (*each)(json_t *to, char *piece))
{
	char *copy = strdup(text), *rest = copy, *piece;
	bool good = copy;

	while (good && (piece = strsep(&rest, "+")))
		good = each(to, piece);
	free(copy);
	return good;
}

/* @to, if it is good. */
static json_t *if_good(json_t *to, bool good)
{
	if (good)
		return to;
	json_decref(to);
	return NULL;
}

static bool add_name(json_t *to, char *piece)
{
	return !json_array_append_new(to, json_string(piece));
}

json_t *ctl_rss_names(const char *text)
{
	json_t *to = json_array();

	return strcmp(text, "none") ? if_good(to, pieces(text, to, add_name)) : to;
}

/* Digits, up to five; -1: not that. */
static int number(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n && n <= 5 && !text[n] ? atoi(text) : -1;
}

static bool add_number(json_t *to, char *piece)
{
	int n = number(piece);

	return n >= 0 && !json_array_append_new(to, json_integer(n));
}

json_t *ctl_rss_table(const char *text)
{
	json_t *to = json_array();

	return if_good(to, pieces(text, to, add_number));
}

static bool add_entry(json_t *to, char *piece)
{
	char *pair = strchr(piece, '=');

	if (!pair)
		return false;
	*pair++ = '\0';
	return number(piece) >= 0 && number(pair) >= 0 && !json_object_get(to, piece) &&
	       !json_object_set_new(to, piece, json_integer(number(pair)));
}

json_t *ctl_rss_entries(const char *text)
{
	json_t *to = json_object();

	return if_good(to, pieces(text, to, add_entry));
}

/* The rest as it is; the table as lines of entry, pair and packets. */
void ctl_rss_print(const json_t *v)
{
	const json_t *table = json_object_get(v, "table");
	const json_t *packets = json_object_get(v, "packets"), *pair;
	json_t *rest = json_copy((json_t *)v);
	struct table *t = table_new(3);
	size_t i;

	json_object_del(rest, "table");
	json_object_del(rest, "packets");
	ctl_print_object(rest);
	json_decref(rest);
	table_cell(t, "entry");
	table_cell(t, "pair");
	table_cell(t, "packets");
	json_array_foreach(table, i, pair) {
		table_cell(t, "%zu", i);
		table_cell(t, "%lld", (long long)json_integer_value(pair));
		table_cell(t, "%lld",
			   (long long)json_integer_value(json_array_get(packets, i)));
	}
	table_print(t, stdout);
	table_free(t);
}
