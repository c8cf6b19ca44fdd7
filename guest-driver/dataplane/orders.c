// SPDX-License-Identifier: GPL-2.0-or-later
/* Orders and telemetry of rp-dataplane. */
#include "orders.h"

#include <unistd.h>

#include "ctl/command.h"
#include "telemetry_json.h"

/* Of the result of `status`; it grows when a key changes its meaning or goes. */
#define STATUS	1

static struct workers *workers_of(const struct ctl_request *r)
{
	return r->ctx;
}

static json_t *run_hello(struct ctl_request *r)
{
	return json_pack("{s:s, s:i, s:i}", "program", "rp-dataplane", "protocol", CTL_VERSION,
			 "pid", (int)getpid());
}

/* ---- status ---- */

static json_t *number(u64 v)
{
	return json_integer((json_int_t)v);
}

static json_t *describe_thread(struct workers *ws, u32 id, const u32 *groups)
{
	struct dp_counts *c = &ws->dp->threads[id].counts;
	struct worker *w = &ws->worker[id];

	return json_pack("{s:i, s:i, s:b, s:b, s:b, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
			 "s:o, s:o}", "thread", (int)id, "tid", atomic_load(&w->tid),
			 "active", (int)(atomic_load(&ws->active) >> id & 1),
			 "ended", (int)atomic_load(&w->ended),
			 "parked", (int)atomic_load(&w->parked),
			 "groups", (int)groups[id], "turns", number(dp_noted(&c->turns)),
			 "received", number(dp_noted(&c->received)),
			 "processed", number(dp_noted(&c->processed)),
			 "sent", number(dp_noted(&c->sent)), "unsent", number(dp_noted(&c->unsent)),
			 "late", number(dp_noted(&c->late)), "timers", number(dp_noted(&c->timers)),
			 "shared", number(dp_noted(&c->shared)),
			 "wakes", number(dp_noted(&w->wakes)),
			 "interrupts", number(dp_noted(&w->interrupts)));
}

static json_t *describe_stat(const struct dp_stat *s)
{
	const struct rp_hist *h = &s->hist;

	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "count", number(h->count),
			 "avg", number(h->count ? s->sum / h->count : 0),
			 "p50", number(rp_hist_quantile(h, 500)),
			 "p95", number(rp_hist_quantile(h, 950)), "max", number(h->max));
}

static json_t *describe_moves(const struct dp *dp)
{
	const struct dp_moves *m = &dp->moves;

	return json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
			 "s:o, s:o, s:b, s:o, s:o}",
			 "under_way", (int)dp->following_count, "done", number(m->ended[DP_DONE]),
			 "refused", number(m->ended[DP_REFUSED]),
			 "turned_back", number(m->ended[DP_TURNED_BACK]),
			 "forced", number(m->forced), "stalled", number(m->stalled),
			 "port_errors", number(m->port_errors), "dropped", number(m->dropped),
			 "prepare_ns", describe_stat(&m->prepare), "rpc_ns", describe_stat(&m->rpc),
			 "wait_ns", describe_stat(&m->wait),
			 "deferred_ns", describe_stat(&m->deferred),
			 "total_ns", describe_stat(&m->total),
			 "packets", describe_stat(&m->packets),
			 "timers", describe_stat(&m->timers),
			 "overtaken", number(m->overtaken),
			 "ordered", dp->cfg.port->ops->left != NULL,
			 "added_ns", describe_stat(&m->total_of[DP_ADDED]),
			 "removed_ns", describe_stat(&m->total_of[DP_REMOVED]));
}

static json_t *run_status(struct ctl_request *r)
{
	struct dp *dp = workers_of(r)->dp;
	u32 groups[DP_THREADS_MAX] = { 0 }, i;
	json_t *threads = json_array(), *owners = json_array();

	for (i = 0; i < dp->cfg.groups; i++) {
		groups[dp_owner(dp, i)]++;
		json_array_append_new(owners, number(dp_owner(dp, i)));
	}
	for (i = 0; i < dp->cfg.threads; i++)
		json_array_append_new(threads, describe_thread(workers_of(r), i, groups));
	return json_pack("{s:i, s:s, s:s, s:i, s:i, s:o, s:o, s:o}", "status", STATUS,
			 "app", dp->cfg.app->name, "wait", workers_wait(workers_of(r)),
			 "active", __builtin_popcountll(atomic_load(&workers_of(r)->active)),
			 "batch", (int)dp->cfg.batch, "threads", threads, "owners", owners,
			 "moves", describe_moves(dp));
}

/* ---- threads, migrate ---- */

/* In @min..@max, or -1 after refuse(). */
static json_int_t whole(struct ctl_request *r, const json_t *v, const char *what, json_int_t min,
			json_int_t max)
{
	if (json_is_integer(v) && json_integer_value(v) >= min && json_integer_value(v) <= max)
		return json_integer_value(v);
	ctl_fail(&r->err, "bad-value", "%s: a number in %d..%d is needed", what, (int)min, (int)max);
	return -1;
}

static json_t *run_threads(struct ctl_request *r)
{
	struct dp *dp = workers_of(r)->dp;
	json_int_t n = whole(r, json_object_get(r->args, "threads"), "threads", 1,
			     dp->cfg.threads), before;

	if (n < 0)
		return NULL;
	if (dp->following_count)
		return ctl_fail(&r->err, "busy", "threads: %u flow groups are on their way; "
				"ask again", dp->following_count);
	before = __builtin_popcountll(atomic_load(&workers_of(r)->active));
	return json_pack("{s:i}", "ordered",
			 (int)workers_set_active(workers_of(r), dp_first_threads((u32)n),
						 n > before ? DP_ADDED :
						 n < before ? DP_REMOVED : DP_NAMED));
}

/* One thread, whichever: its groups move to the others first. */
static json_t *set_one(struct ctl_request *r, bool active)
{
	struct dp *dp = workers_of(r)->dp;
	json_int_t n = whole(r, json_object_get(r->args, "thread"), "thread", active ? 0 : 1,
			     dp->cfg.threads - 1);
	u64 mask = atomic_load(&workers_of(r)->active);

	if (n < 0)
		return NULL;
	if (dp->following_count)
		return ctl_fail(&r->err, "busy", "thread: %u flow groups are on their way; "
				"ask again", dp->following_count);
	if (active && workers_of(r)->worker[n].tended)
		return ctl_fail(&r->err, "bad-value", "thread: %d has ended", (int)n);
	mask = active ? mask | 1ULL << n : mask & ~(1ULL << n);
	return json_pack("{s:i}", "ordered",
			 (int)workers_set_active(workers_of(r), mask, active ? DP_ADDED : DP_REMOVED));
}

static json_t *run_park(struct ctl_request *r)
{
	return set_one(r, false);
}

static json_t *run_unpark(struct ctl_request *r)
{
	return set_one(r, true);
}

static json_t *run_telemetry(struct ctl_request *r)
{
	const json_t *threads = json_object_get(r->args, "threads");
	const json_t *groups = json_object_get(r->args, "groups");

	if (threads && !json_is_boolean(threads))
		return ctl_fail(&r->err, "bad-value", "threads: true or false is needed");
	if (groups && !json_is_boolean(groups))
		return ctl_fail(&r->err, "bad-value", "groups: true or false is needed");
	return telemetry_json(workers_of(r)->dp, !json_is_false(threads), json_is_true(groups));
}

static json_t *run_telemetry_page(struct ctl_request *r)
{
	const struct dp_page_file *f = &workers_of(r)->dp->page;

	if (!r->peer->passes)
		return ctl_fail(&r->err, "no-descriptors", "telemetry-page: memory cannot be passed "
				"through a device: ask for telemetry");
	r->peer->fd = f->mem.fd;
	return json_pack("{s:i, s:i}", "page", (int)DP_PAGE_VERSION, "bytes", (int)f->mem.bytes);
}

static bool can_move(struct ctl_request *r, const json_t *groups)
{
	struct dp *dp = workers_of(r)->dp;
	const json_t *v;
	size_t i;

	if (!json_array_size(groups)) {
		ctl_fail(&r->err, "bad-value", "groups: a list of flow groups is needed");
		return false;
	}
	json_array_foreach(groups, i, v) {
		json_int_t g = whole(r, v, "groups", 0, dp->cfg.groups - 1);

		if (g < 0)
			return false;
		if (dp->groups[g].followed) {
			ctl_fail(&r->err, "busy", "groups: %d is on its way; ask again", (int)g);
			return false;
		}
	}
	return true;
}

/* All or none. */
static json_t *run_migrate(struct ctl_request *r)
{
	const json_t *groups = json_object_get(r->args, "groups"), *v;
	struct dp *dp = workers_of(r)->dp;
	json_int_t to = whole(r, json_object_get(r->args, "to"), "to", 0, dp->cfg.threads - 1);
	u32 before = dp->following_count;
	size_t i;

	if (to < 0 || !can_move(r, groups))
		return NULL;
	if (!(atomic_load(&workers_of(r)->active) >> to & 1))
		return ctl_fail(&r->err, "bad-value", "to: thread %d is parked; unpark it first", (int)to);
	/* One that is named twice is on its way the second time, and stays so. */
	json_array_foreach(groups, i, v)
		dp_move(dp, (u32)json_integer_value(v), (u32)to);
	return json_pack("{s:i}", "ordered", (int)(dp->following_count - before));
}

static const struct ctl_command commands[] = {
	{ "hello", CTL_KEYS(), run_hello },
	{ "status", CTL_KEYS(), run_status },
	{ "threads", CTL_KEYS("threads"), run_threads },
	{ "migrate", CTL_KEYS("groups", "to"), run_migrate },
	{ "telemetry", CTL_KEYS("threads", "groups"), run_telemetry },
	{ "telemetry-page", CTL_KEYS(), run_telemetry_page },
	{ "park", CTL_KEYS("thread"), run_park },
	{ "unpark", CTL_KEYS("thread"), run_unpark },
	{ 0 }
};

char *orders_answer(void *workers, struct lines_peer *peer, const char *line, size_t bytes)
{
	return ctl_answer(commands, workers, peer, line, bytes);
}

const struct lines_owner orders_owner = {
	.clients_max = ORDERS_CLIENTS_MAX, .answer = orders_answer, .refuse = ctl_refuse,
};
