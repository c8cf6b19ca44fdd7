// SPDX-License-Identifier: GPL-2.0-or-later
/* The telemetry as JSON. */
#include "telemetry_json.h"

static void set(json_t *o, const char *key, u64 v)
{
	json_object_set_new(o, key, json_integer((json_int_t)v));
}

static void set_list(json_t *o, const char *key, const u64 *v)
{
	json_t *list = json_array();
	u32 i;

	for (i = 0; i < DP_ALPHAS; i++)
		json_array_append_new(list, json_integer((json_int_t)v[i]));
	json_object_set_new(o, key, list);
}

static json_t *of_thread(struct dp *dp, u32 id, const struct dp_telemetry *t)
{
	json_t *o = json_object();

	set(o, "thread", id);
	json_object_set_new(o, "resting",
			    json_boolean(dp_board_rests(&dp->page.page->board[id])));
#define SET(name)	set(o, #name, t->name);
#define SET_LIST(name)	set_list(o, #name, t->name);
	DP_TELEMETRY_FIELDS(SET)
	DP_TELEMETRY_AVERAGES(SET_LIST)
#undef SET
#undef SET_LIST
	return o;
}

static json_t *of_all(const struct dp_telemetry_all *t)
{
	json_t *o = json_object();

#define SET(name)	set(o, #name, t->name);
	DP_TELEMETRY_ALL(SET)
#undef SET
	return o;
}

static json_t *of_groups(struct dp *dp)
{
	json_t *list = json_array();
	u32 i;

	for (i = 0; i < dp->cfg.groups; i++)
		json_array_append_new(list, json_integer((json_int_t)dp_group_packets(dp, i)));
	return list;
}

static void add_threads(json_t *o, struct dp *dp, const struct dp_telemetry *each)
{
	static const u32 alpha_milli[DP_ALPHAS] = DP_ALPHA_MILLI;
	json_t *threads = json_array(), *alphas = json_array();
	u32 i;

	for (i = 0; i < dp->cfg.threads; i++)
		json_array_append_new(threads, of_thread(dp, i, &each[i]));
	for (i = 0; i < DP_ALPHAS; i++)
		json_array_append_new(alphas, json_real(alpha_milli[i] / 1000.0));
	json_object_set_new(o, "alphas", alphas);
	json_object_set_new(o, "threads", threads);
}

json_t *telemetry_json(struct dp *dp, bool threads, bool groups)
{
	struct dp_telemetry each[DP_THREADS_MAX];
	struct dp_telemetry_all all;
	json_t *o = json_object();

	dp_telemetry(dp, each, &all);
	set(o, "version", DP_TELEMETRY_VERSION);
	set(o, "now_ns", dp->cfg.now_ns(dp->cfg.arg));
	set(o, "interval_ns", DP_TELEMETRY_NS);
	json_object_set_new(o, "all", of_all(&all));
	if (threads)
		add_threads(o, dp, each);
	if (groups)
		json_object_set_new(o, "group_packets", of_groups(dp));
	return o;
}
