// SPDX-License-Identifier: GPL-2.0-or-later
/* What is known of a queue: from a run's file, or from a queue of ringpaced at work. */
#include <string.h>

#include "advise/advise.h"
#include "ctl.h"
#include "json.h"
#include "run_json.h"

#define CONNECT_MS	1000
#define CTL_TIMEOUT_MS	5000

void evidence_init(struct evidence *e)
{
	*e = (struct evidence){
		.items_per_s = UNKNOWN, .p_to_c_per_s = UNKNOWN, .spurious_per_s = UNKNOWN,
		.c_to_p_per_s = UNKNOWN, .sleeps_p_per_s = UNKNOWN, .sleeps_c_per_s = UNKNOWN,
		.wp_ns = UNKNOWN, .wc_ns = UNKNOWN, .np_ns = UNKNOWN, .nc_ns = UNKNOWN,
		.sp_ns = UNKNOWN, .sc_ns = UNKNOWN, .yp_ns = UNKNOWN, .yc_ns = UNKNOWN,
		.ye_ns = UNKNOWN, .cpu_p = UNKNOWN, .mode_p = -1, .mode_c = -1,
	};
}

/* ---- A run's file ---- */

static void take_run(struct evidence *e, const struct run_result *r)
{
	bool fwd = r->params.dir == RUN_FWD;

	e->items_per_s = r->items_per_s;
	/* A kick goes from driver to device: of items on fwd, of free slots on rev. */
	e->p_to_c_per_s = fwd ? r->kicks_per_s : r->calls_per_s;
	e->c_to_p_per_s = fwd ? r->calls_per_s : r->kicks_per_s;
	e->spurious_per_s = fwd ? r->spurious_kicks_per_s : UNKNOWN;
	e->sleeps_p_per_s = r->sleeps_p_per_s;
	e->sleeps_c_per_s = r->sleeps_c_per_s;
	e->wp_ns = r->wp_ns;
	e->wc_ns = r->wc_ns;
	e->np_ns = r->np_ns;
	e->nc_ns = r->nc_ns;
	e->sp_ns = r->sp_ns;
	e->sc_ns = r->sc_ns;
	e->yp_ns = r->yp_ns;
	e->yc_ns = r->yc_ns;
	e->cpu_p = r->cpu_p;
	e->mode_p = r->params.strategy_p;
	e->mode_c = r->params.strategy_c;
	e->queue_len = r->params.queue_len;
}

static int pick(struct evidence *e, const char *path, const json_t *runs, int index)
{
	const size_t n = json_array_size(runs);
	struct run_json run;
	const char *why;

	if (index < 0 && n > 1)
		return fail("%s holds %zu runs: say which with --run 0..%zu", path, n, n - 1);
	if (index >= (int)n)
		return fail("--run %d: %s holds %zu runs, counted from 0", index, path, n);
	why = run_json_read(json_array_get(runs, index < 0 ? 0 : (size_t)index), &run);
	if (why)
		return fail("%s: run %d cannot be used: %s", path, index < 0 ? 0 : index, why);
	take_run(e, &run.r);
	return 0;
}

int evidence_file(struct evidence *e, const char *path, int index)
{
	const char *why;
	json_t *runs = run_json_load(path, &why);
	int rc;

	if (!runs)
		return fail("%s", why);
	rc = pick(e, path, runs, index);
	json_decref(runs);
	return rc;
}

/* ---- A live queue ---- */

static const json_t *find_queue(const json_t *list, const char *device, u32 queue)
{
	const json_t *dev, *q;
	size_t i, j;

	json_array_foreach(json_object_get(list, "devices"), i, dev) {
		const char *name = json_string_value(json_object_get(dev, "device"));

		if (!name || strcmp(name, device))
			continue;
		json_array_foreach(json_object_get(dev, "queues"), j, q)
			if (json_number_at(q, "queue") == queue)
				return q;
	}
	return NULL;
}

static json_t *ask_stats(struct ctl *c, const char *device, u32 queue)
{
	json_t *v = ctl_call(c, "stats", json_pack("{s:s, s:i}", "device", device, "queue",
						   (int)queue), CTL_TIMEOUT_MS);
	json_t *stats = json_incref(json_object_get(v, "stats"));

	json_decref(v);
	return stats;
}

/* Of a mean that is kept since the last reset: the mean over the interval. */
static double mean_between(const json_t *a, const json_t *b, const char *mean, const char *count)
{
	double na = json_number_at(a, count), nb = json_number_at(b, count);
	double sum = json_number_at(b, mean) * nb - (na > 0 ? json_number_at(a, mean) * na : 0);

	return nb > na && sum >= 0 ? sum / (nb - na) : UNKNOWN;
}

/*
 * A counter that has already passed its old value again does not tell of a
 * reset: the time since the last one does. Two clocks differ by less than 1 %.
 */
static bool was_reset(const json_t *a, const json_t *b, u64 interval_ns)
{
	static const char *const counts[] = { "items", "received", "sent", "spurious", "sleeps" };
	double ns = json_number_at(b, "duration_ns") - json_number_at(a, "duration_ns");
	u32 i;

	if (!(ns >= 0.99 * (double)interval_ns))
		return true;
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if (!(json_number_at(b, counts[i]) >= json_number_at(a, counts[i])))
			return true;
	return false;
}

/* The daemon's side is C on fwd and P on rev; what the driver does inside is not seen. */
static int take_stats(struct evidence *e, bool fwd, const json_t *a, const json_t *b,
		      u64 interval_ns)
{
	double ns = json_number_at(b, "duration_ns") - json_number_at(a, "duration_ns");
	double items = json_number_at(b, "items") - json_number_at(a, "items");

	if (was_reset(a, b, interval_ns))
		return fail("the queue's statistics were reset while it was watched; try again");
	if (!(items > 0))
		return fail("no item moved while the queue was watched: there is nothing to give "
			    "advice about");
#define RATE(key) ((json_number_at(b, key) - json_number_at(a, key)) / ns * 1e9)
	e->items_per_s = items / ns * 1e9;
	*(fwd ? &e->p_to_c_per_s : &e->c_to_p_per_s) = RATE("received");
	*(fwd ? &e->c_to_p_per_s : &e->p_to_c_per_s) = RATE("sent");
	e->spurious_per_s = fwd ? RATE("spurious") : UNKNOWN;
	*(fwd ? &e->sleeps_c_per_s : &e->sleeps_p_per_s) = RATE("sleeps");
#undef RATE
	*(fwd ? &e->wc_ns : &e->wp_ns) = mean_between(a, b, "w_ns", "items");
	*(fwd ? &e->nc_ns : &e->np_ns) = mean_between(a, b, "n_ns", "sent");
	*(fwd ? &e->yc_ns : &e->yp_ns) = mean_between(a, b, "y_ns", "sleeps");
	return 0;
}

static int take_queue(struct evidence *e, const json_t *q, bool *fwd)
{
	const char *dir = json_string_value(json_object_get(q, "dir"));
	const char *strategy = json_string_value(json_object_get(q, "strategy"));
	double len = json_number_at(q, "queue_len"), k = json_number_at(q, "k");
	int id = strategy ? rp_strategy_id_by_name(strategy) : -1;

	if (!dir || !(len >= 0 && len <= RP_MODEL_MAX_LEN) || !(k >= 0 && k <= RP_MODEL_MAX_LEN))
		return fail("the daemon's answer to `list` does not describe a queue");
	*fwd = strcmp(dir, run_dir_names[RUN_REV]);
	e->queue_len = (u32)len;
	*(*fwd ? &e->kp : &e->kc) = (u32)k;
	*(*fwd ? &e->mode_c : &e->mode_p) = id;
	return 0;
}

static int watch(struct evidence *e, struct ctl *c, const char *device, u32 queue, bool fwd,
		 u64 interval_ns)
{
	const u32 interval_ms = (u32)(interval_ns / 1000000);
	json_t *a = ask_stats(c, device, queue), *b = NULL;
	int rc = -1;

	if (a && nap_ms(interval_ms))
		b = ask_stats(c, device, queue);
	if (b)
		rc = take_stats(e, fwd, a, b, interval_ms * 1000000ULL);
	json_decref(a);
	json_decref(b);
	return rc;
}

static int look(struct evidence *e, struct ctl *c, const char *control, const char *device,
		u32 queue, bool *fwd)
{
	json_t *list = ctl_call(c, "list", NULL, CTL_TIMEOUT_MS);
	const json_t *q = list ? find_queue(list, device, queue) : NULL;
	int rc = q ? take_queue(e, q, fwd) : -1;

	if (list && !q)
		fail("%s has no queue %u of a device %s; `list` names those that there are", control,
		     queue, device);
	json_decref(list);
	return rc;
}

int evidence_live(struct evidence *e, const char *control, const char *device, u32 queue,
		  u64 interval_ns)
{
	struct ctl c;
	bool fwd = true;
	int rc;

	if (ctl_open(&c, control, CONNECT_MS))
		return -1;
	rc = look(e, &c, control, device, queue, &fwd);
	if (!rc)
		rc = watch(e, &c, device, queue, fwd, interval_ns);
	/* Once more: the driver may have come, with its ring and orders, in the meantime. */
	if (!rc)
		rc = look(e, &c, control, device, queue, &fwd);
	ctl_close(&c);
	return rc;
}
