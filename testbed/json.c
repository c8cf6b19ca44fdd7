// SPDX-License-Identifier: GPL-2.0-or-later
/* JSON with unknowns, and the objects that both parties' figures travel in. */
#include "json.h"

#include <math.h>
#include <stdlib.h>

double json_number_at(const json_t *obj, const char *key)
{
	const json_t *v = json_object_get(obj, key);

	return json_is_number(v) ? json_number_value(v) : UNKNOWN;
}

json_t *json_number_or_null(double v, int decimals)
{
	double scale = pow(10, decimals);

	if (!is_known(v))
		return json_null();
	if (!decimals)
		return json_integer((json_int_t)llround(v));
	return json_real(round(v * scale) / scale);
}

void json_add_numbers(json_t *sum, const json_t *v)
{
	const char *key;
	json_t *n;

	json_object_foreach((json_t *)v, key, n)
		if (json_is_integer(n))
			json_object_set_new(sum, key, json_integer(json_integer_value(n) +
					json_integer_value(json_object_get(sum, key))));
}

void json_print(json_t *v, FILE *to)
{
	json_dumpf(v, to, JSON_REAL_PRECISION(15));
	fputc('\n', to);
	json_decref(v);
}

json_t *json_report(const struct rp_report *r)
{
	json_t *v = json_object();

#define X(name) json_object_set_new(v, #name, json_integer((json_int_t)r->name));
	RP_REPORT_FIELDS(X)
#undef X
	return v;
}

json_t *json_events(const struct rp_event *ev, u32 n)
{
	json_t *list = json_array();
	u32 i;

	for (i = 0; i < n; i++)
		if (ev[i].type < RP_EV_TYPES)
			json_array_append_new(list, json_pack("[I, s, I]", (json_int_t)ev[i].tsc,
							      rp_event_names[ev[i].type],
							      (json_int_t)ev[i].arg));
	return list;
}

json_t *json_trace(const struct rp_trace *t, u64 hz)
{
	struct rp_event *ev = malloc(RP_TRACE_EVENTS * sizeof(*ev));
	json_t *list;

	if (!ev)
		abort();
	list = json_events(ev, rp_trace_snapshot(t, ev, RP_TRACE_EVENTS));
	free(ev);
	return json_pack("{s:I, s:n, s:n, s:o}", "tsc_hz", (json_int_t)hz,
			 "clock_offset_tsc", "clock_error_ns", "events", list);
}
