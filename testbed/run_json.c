// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads results of runs from JSON files. */
#include "run_json.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "model_args.h"

/* ---- Files ---- */

/* Flattens @v into @runs. */
static void collect(const json_t *v, json_t *runs)
{
	const char *key;
	json_t *inner;
	size_t i;

	if (json_is_array(v)) {
		json_array_extend(runs, (json_t *)v);
		return;
	}
	if (json_object_get(v, "strategy")) {
		json_array_append(runs, (json_t *)v);
		return;
	}
	json_object_foreach((json_t *)v, key, inner)
		for (i = 0; i < json_array_size(inner); i++)
			json_array_append(runs, json_array_get(inner, i));
}

json_t *run_json_load(const char *path, const char **why)
{
	json_t *v, *runs = NULL;
	json_error_t error;

	*why = NULL;
	if (access(path, R_OK)) {
		*why = because("cannot read %s: %s", path, strerror(errno));
		return NULL;
	}
	v = json_load_file(path, 0, &error);
	if (!v) {
		*why = because("%s is not JSON: line %d: %s", path, error.line, error.text);
		return NULL;
	}
	runs = json_array();
	collect(v, runs);
	json_decref(v);
	if (!json_array_size(runs)) {
		*why = because("%s holds no run; `ringpace run --json` and `ringpace casestudy "
			       "--json` make such files", path);
		json_decref(runs);
		return NULL;
	}
	return runs;
}

/* ---- A run ---- */

/* No count, rate or time in ns of a run is larger; it fits an integer of JSON. */
#define NUMBER_MAX	1e15

/* A number that cannot be negative, or null. */
static const char *read_number(const json_t *v, const char *key, double *to)
{
	const json_t *x = json_object_get(v, key);

	*to = UNKNOWN;
	if (!x || json_is_null(x))
		return NULL;
	if (!json_is_number(x) || !(json_number_value(x) >= 0 && json_number_value(x) <= NUMBER_MAX))
		return because("\"%s\" is neither a number in 0..1e15 nor null", key);
	*to = json_number_value(x);
	return NULL;
}

static const char *read_strategies(const json_t *v, struct run_json *r)
{
	const char *name = json_string_value(json_object_get(v, "strategy"));
	char p[32], *c;
	int id_p, id_c;

	if (!name || strlen(name) >= sizeof(p))
		return "it is no object with a \"strategy\"";
	strcpy(p, name);
	strcpy(r->strategy, name);
	c = strchr(p, '/');
	if (c)
		*c++ = 0;
	id_p = rp_strategy_id_by_name(p);
	id_c = rp_strategy_id_by_name(c ?: p);
	if (id_p < 0 || id_c < 0)
		return "\"strategy\" is none that this version knows, nor two of them with a /";
	r->r.params.strategy_p = (enum rp_strategy_id)id_p;
	r->r.params.strategy_c = (enum rp_strategy_id)id_c;
	return NULL;
}

static const char *read_place(const json_t *v, struct run_json *r)
{
	const char *dir = json_string_value(json_object_get(v, "dir"));
	const json_t *len = json_object_get(v, "queue_len");

	r->r.params.dir = dir && !strcmp(dir, run_dir_names[RUN_REV]) ? RUN_REV : RUN_FWD;
	if (dir && strcmp(dir, run_dir_names[r->r.params.dir]))
		return "\"dir\" is neither fwd nor rev";
	if (len && (!json_is_integer(len) || json_integer_value(len) < 1 ||
		    json_integer_value(len) > RP_MODEL_MAX_LEN))
		return "\"queue_len\" is not in 1..32768";
	r->r.params.queue_len = (u32)json_integer_value(len);
	snprintf(r->lane, sizeof(r->lane), "%s",
		 json_string_value(json_object_get(v, "lane")) ?: "");
	snprintf(r->r.accel, sizeof(r->r.accel), "%s",
		 json_string_value(json_object_get(v, "accel")) ?: "");
	snprintf(r->study, sizeof(r->study), "%s",
		 json_string_value(json_object_get(v, "case")) ?: "");
	snprintf(r->r.regime, sizeof(r->r.regime), "%s",
		 json_string_value(json_object_get(v, "regime")) ?: "");
	snprintf(r->r.unmet, sizeof(r->r.unmet), "%s",
		 json_string_value(json_object_get(v, "unmet")) ?: "");
	return NULL;
}

static const char *read_times(const json_t *v, const char *side, double to[RP_WAITS])
{
	const json_t *times = json_object_get(json_object_get(v, "strategy_time"), side);
	const char *why = NULL;
	u32 i;

	for (i = 0; i < RP_WAITS && !why; i++)
		why = read_number(times, rp_wait_names[i], &to[i]);
	return why;
}

const char *run_json_read(const json_t *v, struct run_json *run)
{
	struct run_result *r = &run->r;
	const json_t *params = json_object_get(v, "params");
	const json_t *latency = json_object_get(v, "latency_ns");
	double dmax_ns;
	const struct {
		const json_t *from;
		const char *key;
		double *to;
	} numbers[] = {
		{ v, "items", &r->items }, { v, "items_per_s", &r->items_per_s },
		{ v, "t_ns", &r->t_ns }, { v, "e_ns", &r->e_ns },
		{ v, "cpu_p", &r->cpu_p }, { v, "cpu_c", &r->cpu_c },
		{ v, "kicks_per_s", &r->kicks_per_s },
		{ v, "spurious_kicks_per_s", &r->spurious_kicks_per_s },
		{ v, "calls_per_s", &r->calls_per_s },
		{ v, "sleeps_p_per_s", &r->sleeps_p_per_s },
		{ v, "sleeps_c_per_s", &r->sleeps_c_per_s }, { v, "batch", &r->batch },
		{ v, "clock_error_ns", &r->clock_error_ns }, { v, "lost", &r->lost }, { v, "reordered", &r->reordered },
		{ latency, "p50", &r->lat_p50_ns }, { latency, "p98", &r->lat_p98_ns },
		{ latency, "p99", &r->lat_p99_ns }, { latency, "max", &r->lat_max_ns },
		{ params, "wp_ns", &r->wp_ns }, { params, "wc_ns", &r->wc_ns },
		{ params, "np_ns", &r->np_ns }, { params, "nc_ns", &r->nc_ns },
		{ params, "sp_ns", &r->sp_ns }, { params, "sc_ns", &r->sc_ns },
		{ params, "yp_ns", &r->yp_ns }, { params, "yc_ns", &r->yc_ns },
		{ v, "late", &r->late }, { v, "predicted_t_ns", &r->predicted_t_ns },
		{ v, "dmax_ns", &dmax_ns },
	};
	const char *why;
	u32 i;

	memset(run, 0, sizeof(*run));
	why = read_strategies(v, run) ?: read_place(v, run);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && !why; i++)
		why = read_number(numbers[i].from, numbers[i].key, numbers[i].to);
	why = why ?: read_times(v, "p", r->time_p) ?: read_times(v, "c", r->time_c);
	if (!why && is_known(dmax_ns))
		r->params.dmax_ns = (u64)dmax_ns;
	return why;
}

/* ---- The model's view ---- */

/* A side that never slept would have slept as long as the other one. */
static u64 sleep_ns(double own, double other)
{
	return model_ns(own) ?: model_ns(other);
}

const char *run_json_model(const struct run_json *run, struct rp_model_in *in)
{
	const struct run_result *r = &run->r;
	u32 len = r->params.queue_len;

	if (r->params.strategy_p != r->params.strategy_c)
		return "P and C wait in different ways";
	if (!len || !is_known(r->wp_ns) || !is_known(r->wc_ns))
		return "L, W_P or W_C is not known";
	*in = (struct rp_model_in){
		.mode = r->params.strategy_p, .queue_len = len,
		.wp_ns = model_ns(r->wp_ns), .wc_ns = model_ns(r->wc_ns),
		.np_ns = model_ns(r->np_ns), .nc_ns = model_ns(r->nc_ns),
		.sp_ns = model_ns(r->sp_ns), .sc_ns = model_ns(r->sc_ns),
		.yp_ns = sleep_ns(r->yp_ns, r->yc_ns), .yc_ns = sleep_ns(r->yc_ns, r->yp_ns),
		.kp = rp_default_threshold(RP_CONSUMER, len),
		.kc = rp_default_threshold(RP_PRODUCER, len),
	};
	return rp_model_check(in);
}
