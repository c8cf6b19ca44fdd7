// SPDX-License-Identifier: GPL-2.0-or-later
/* Answers to `ringpace ctl` as tables. */
#include "ctl_print.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

static char *text_of(const json_t *v)
{
	if (json_is_string(v))
		return strdup(json_string_value(v));
	return json_is_null(v) ? strdup("-") : json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
}

static void cell(struct table *t, const json_t *v)
{
	char *text = text_of(v);

	table_cell(t, "%s", text ?: "");
	free(text);
}

/* An object as lines of name and value. */
void ctl_print_object(const json_t *v)
{
	struct table *t = table_new((u32)json_object_size(v));
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)v, key, value)
		table_cell(t, "%s", key);
	json_object_foreach((json_t *)v, key, value)
		cell(t, value);
	table_print_turned(t, stdout);
	table_free(t);
}

static struct table *with_heads(struct table *t, const char *const *keys)
{
	for (; *keys; keys++)
		table_cell(t, "%s", *keys);
	return t;
}

static void finish(struct table *t)
{
	table_print(t, stdout);
	table_free(t);
}

static void row(struct table *t, const json_t *v, const char *const *keys)
{
	for (; *keys; keys++)
		cell(t, json_object_get(v, *keys));
}

/* A table with these columns; NULL ends them. */
static struct table *table_of(const char *const *keys)
{
	u32 n = 0;

	while (keys[n])
		n++;
	return with_heads(table_new(n), keys);
}

static void print_devices(const json_t *devices)
{
	static const char *const keys[] = { "device", "queue", "dir", "ready", "size", "queue_len",
		"strategy", "w_ns", "w_dist", "y_ns", "k", "cpu", "producing", "broken", NULL };
	struct table *t = table_of(keys);
	const json_t *dev, *q;
	size_t i, j;

	json_array_foreach(devices, i, dev)
		json_array_foreach(json_object_get(dev, "queues"), j, q) {
			cell(t, json_object_get(dev, "device"));
			row(t, q, keys + 1);
		}
	finish(t);
}

/* An array of objects as a table. */
static void print_rows(const json_t *rows, const char *const *keys)
{
	struct table *t = table_of(keys);
	const json_t *v;
	size_t i;

	json_array_foreach(rows, i, v)
		row(t, v, keys);
	finish(t);
}

void ctl_print_list(const json_t *v)
{
	static const char *const port[] = { "device", "backend", "connected", "peer", "switch",
		"pacers", "broken", NULL };
	static const char *const sw[] = { "switch", "pacers", "age_ns", "flooded", "flood_copies",
		NULL };
	const json_t *ports = json_object_get(v, "ports");
	const json_t *switches = json_object_get(v, "switches");

	if (json_array_size(json_object_get(v, "devices")) || !json_array_size(ports))
		print_devices(json_object_get(v, "devices"));
	if (json_array_size(ports))
		print_rows(ports, port);
	if (json_array_size(switches))
		print_rows(switches, sw);
}

void ctl_print_macs(const json_t *v)
{
	static const char *const keys[] = { "mac", "vlan", "port", "age_ns", NULL };

	print_rows(json_object_get(v, "macs"), keys);
}

void ctl_print_weight(const json_t *v)
{
	static const char *const keys[] = { "queue", "weight", "packets", "bytes", "lost", "waiting",
		"waiting_bytes", NULL };
	json_t *rest = json_copy((json_t *)v);

	json_object_del(rest, "queues");
	ctl_print_object(rest);
	json_decref(rest);
	print_rows(json_object_get(v, "queues"), keys);
}

void ctl_print_stats(const json_t *v)
{
	ctl_print_object(json_object_get(v, "stats"));
}

void ctl_print_trace(const json_t *v)
{
	const json_t *e;
	size_t i;

	json_array_foreach(json_object_get(v, "events"), i, e)
		printf("%lld %s %lld\n", (long long)json_integer_value(json_array_get(e, 0)),
		       json_string_value(json_array_get(e, 1)),
		       (long long)json_integer_value(json_array_get(e, 2)));
}
