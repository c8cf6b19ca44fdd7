// SPDX-License-Identifier: GPL-2.0-or-later
/* Counts while something runs, and makes findings of the counts. */
#include "perf/watch.h"

#include <stdlib.h>

#include "ctl.h"
#include "json.h"
#include "perf/sources.h"

#define AGENT_MS	30000
#define PERFS		4

/* The one that is under way, for the exit. */
static struct sources *current;

void watch_absent(struct perf_watch *w, const char *source, const char *why)
{
	struct absent *a = &w->absent[w->absents];

	if (w->absents == ABSENT_MAX)
		return;
	w->absents++;
	a->source = source;
	snprintf(a->why, sizeof(a->why), "%s", why);
}

/* ---- Both ends of the window ---- */

static int each_perf(struct sources *s, int (*f)(struct perf_stat *s, const char *arg),
		     const char *const *args)
{
	struct perf_stat *const all[PERFS] = { &s->daemon, &s->vm, &s->host, &s->exits };
	u32 i;

	for (i = 0; i < PERFS; i++)
		if ((all[i]->events || all[i]->exits) && f(all[i], args[i]))
			return -1;
	return 0;
}

static int order(struct sources *s, const char *what)
{
	const char *const orders[PERFS] = { what, what, what, what };

	return each_perf(s, perf_stat_order, orders);
}

static int read_counters(const struct run_scene *scene, struct counters *c, const json_t *driver)
{
	json_t *device = scene->device_stats(scene->ctx);

	if (!device)
		return -1;
	counters_read(c, device, driver);
	json_decref(device);
	return 0;
}

/* All interrupts of the device's queues so far, as the guest's kernel counts them. */
static int read_interrupts(const struct run_scene *scene, double *sum)
{
	json_t *v, *line;
	size_t i;

	*sum = UNKNOWN;
	if (!scene->agent)
		return 0;
	v = ctl_call(scene->agent, "interrupts", NULL, AGENT_MS);
	if (!v)
		return -1;
	*sum = 0;
	json_array_foreach(json_object_get(v, "lines"), i, line)
		*sum += scene_interrupts_parse(json_string_value(line) ?: "");
	json_decref(v);
	return 0;
}

static void no_guest(struct perf_watch *w, const struct run_scene *scene)
{
	if (!scene->agent)
		watch_absent(w, "the guest's /proc/interrupts", scene->domain ?
			     "only a run of our own asks the guest" : "there is no VM");
	watch_absent(w, "items by perf", "no event of the kernel's is one item's; the other "
		     "party counts them, too");
}

static int begin(struct run_watch *watch, const struct run_scene *scene)
{
	static const char *const names[PERFS] = { "daemon", "vm", "host", "exits" };
	struct perf_watch *w = (struct perf_watch *)watch;
	struct sources *s = w->sources;

	no_guest(w, scene);
	if (sources_choose(w, scene) || read_interrupts(scene, &s->interrupts) ||
	    each_perf(s, perf_stat_start, names) ||
	    (w->live && read_counters(scene, &s->on[0], NULL)) || order(s, "enable") ||
	    (w->live && read_counters(scene, &s->on[1], NULL)))
		return -1;
	s->begin_ns = now_ns();
	return 0;
}

/* ---- Findings ---- */

static struct finding *add_finding(struct perf_watch *w, enum figure figure, const char *source)
{
	const struct sources *s = w->sources;
	struct finding *f = &w->finding[w->findings++];

	if (w->findings > FINDINGS_MAX)
		abort();
	*f = (struct finding){
		.figure = figure, .source = source,
		.least = s->off[0].v[figure] - s->on[1].v[figure],
		.most = s->off[1].v[figure] - s->on[0].v[figure],
	};
	/* Somebody reset the counters meanwhile. */
	if (f->least < 0)
		f->least = f->most = UNKNOWN;
	return f;
}

static void find_used(struct perf_watch *w, const struct use *u)
{
	struct finding *f = add_finding(w, u->figure, u->source);
	u32 i;

	for (i = 0; i < u->n; i++)
		f->count += u->stat->count[u->at[i]];
	f->extra = u->extra;
	f->missing = u->missing;
	f->may = u->may;
	f->note = u->note;
}

/* A consumer's with those that it left in the ring. */
static double driver_items(const json_t *driver)
{
	double left = json_number_at(driver, "left_items");

	return json_number_at(driver, "items") + (is_known(left) ? left : 0);
}

static int find_all(struct perf_watch *w, const struct run_scene *scene, const json_t *driver)
{
	struct sources *s = w->sources;
	struct finding *f;
	double interrupts;
	u32 i;

	if (driver) {
		f = add_finding(w, FIG_ITEMS, "driver items");
		f->count = driver_items(driver);
	}
	for (i = 0; i < s->uses; i++)
		find_used(w, &s->use[i]);
	if (read_interrupts(scene, &interrupts))
		return -1;
	if (is_known(interrupts)) {
		f = add_finding(w, FIG_INTERRUPTS, "the guest's /proc/interrupts");
		f->count = interrupts - s->interrupts;
		f->extra = UNCOUNTED_CALLS;
		f->may = -1;
		f->note = "a call that comes while the last one's interrupt waits merges with it";
	}
	return 0;
}

/* The consumer has the exchange's result: on fwd the device. */
static int find_clock(struct perf_watch *w, const struct run_scene *scene, const json_t *driver)
{
	struct kvm_clock c;
	const char *why;
	json_t *device;

	if (!scene->kvm)
		return 0;
	device = scene->device_stats(scene->ctx);
	if (!device)
		return -1;
	why = w->sources->vm_pid ? kvm_clock_read(w->sources->vm_pid, &c) :
				   "QEMU's process is not found";
	w->clock = clock_json(scene->fwd ? device : driver, &c, why);
	json_decref(device);
	return 0;
}

static void find_exits(struct perf_watch *w)
{
	const char *why;

	if (!w->sources->exits.exits)
		return;
	w->exits = calloc(1, sizeof(*w->exits));
	why = w->exits ? exits_read(w->exits, w->sources->exits.out) : "out of memory";
	if (!why)
		return;
	watch_absent(w, "perf kvm stat", why);
	free(w->exits);
	w->exits = NULL;
}

static int end_perf(struct perf_stat *s, const char *unused)
{
	return perf_stat_end(s);
}

static int end(struct run_watch *watch, const struct run_scene *scene, const json_t *driver)
{
	static const char *const none[PERFS];
	struct perf_watch *w = (struct perf_watch *)watch;
	struct sources *s = w->sources;

	w->window_ns = (double)(now_ns() - s->begin_ns);
	if (read_counters(scene, &s->off[0], driver) || order(s, "disable") ||
	    read_counters(scene, &s->off[1], driver) || each_perf(s, end_perf, none) ||
	    find_all(w, scene, driver))
		return -1;
	find_exits(w);
	return find_clock(w, scene, driver);
}

/* ---- Life ---- */

/* The kernel's events go when nobody counts them any more. */
static void close_sources(void)
{
	if (!current)
		return;
	perf_stat_stop(&current->daemon);
	perf_stat_stop(&current->vm);
	perf_stat_stop(&current->host);
	perf_stat_stop(&current->exits);
	usdt_close(&current->usdt);
	free(current);
	current = NULL;
}

void perf_watch_init(struct perf_watch *w, bool live)
{
	static bool registered;

	*w = (struct perf_watch){
		.watch = { .begin = begin, .end = end },
		.sources = calloc(1, sizeof(*w->sources)),
		.live = live,
	};
	if (!w->sources)
		abort();
	if (!registered)
		atexit(close_sources);
	registered = true;
	current = w->sources;
}

void perf_watch_free(struct perf_watch *w)
{
	close_sources();
	w->sources = NULL;
	free(w->exits);
	w->exits = NULL;
	json_decref(w->clock);
	w->clock = NULL;
}
