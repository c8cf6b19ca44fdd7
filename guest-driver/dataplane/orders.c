// SPDX-License-Identifier: GPL-2.0-or-later
/* Orders and telemetry of rp-dataplane. */
#include "orders.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "telemetry_json.h"

#define PROTOCOL	1
/* Of the result of `status`; it grows when a key changes its meaning or goes. */
#define STATUS	1

struct order {
	struct workers *ws;
	const json_t *args;
	struct lines_peer *peer;
	const char *code;
	char message[200];
};

struct command {
	const char *name;
	const char *const *keys;	/* beside v, id and cmd; NULL ends it */
	json_t *(*run)(struct order *o);
};

__attribute__((format(printf, 3, 4)))
static json_t *refuse(struct order *o, const char *code, const char *fmt, ...)
{
	va_list ap;

	o->code = code;
	va_start(ap, fmt);
	vsnprintf(o->message, sizeof(o->message), fmt, ap);
	va_end(ap);
	return NULL;
}

static json_t *run_hello(struct order *o)
{
	return json_pack("{s:s, s:i, s:i}", "program", "rp-dataplane", "protocol", PROTOCOL,
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

static json_t *run_status(struct order *o)
{
	struct dp *dp = o->ws->dp;
	u32 groups[DP_THREADS_MAX] = { 0 }, i;
	json_t *threads = json_array(), *owners = json_array();

	for (i = 0; i < dp->cfg.groups; i++) {
		groups[dp_owner(dp, i)]++;
		json_array_append_new(owners, number(dp_owner(dp, i)));
	}
	for (i = 0; i < dp->cfg.threads; i++)
		json_array_append_new(threads, describe_thread(o->ws, i, groups));
	return json_pack("{s:i, s:s, s:i, s:i, s:o, s:o, s:o}", "status", STATUS,
			 "app", dp->cfg.app->name,
			 "active", __builtin_popcountll(atomic_load(&o->ws->active)),
			 "batch", (int)dp->cfg.batch, "threads", threads, "owners", owners,
			 "moves", describe_moves(dp));
}

/* ---- threads, migrate ---- */

/* In @min..@max, or -1 after refuse(). */
static json_int_t whole(struct order *o, const json_t *v, const char *what, json_int_t min,
			json_int_t max)
{
	if (json_is_integer(v) && json_integer_value(v) >= min && json_integer_value(v) <= max)
		return json_integer_value(v);
	refuse(o, "bad-value", "%s: a number in %d..%d is needed", what, (int)min, (int)max);
	return -1;
}

static json_t *run_threads(struct order *o)
{
	struct dp *dp = o->ws->dp;
	json_int_t n = whole(o, json_object_get(o->args, "threads"), "threads", 1,
			     dp->cfg.threads), before;

	if (n < 0)
		return NULL;
	if (dp->following_count)
		return refuse(o, "busy", "threads: %u flow groups are on their way; ask again",
			      dp->following_count);
	before = __builtin_popcountll(atomic_load(&o->ws->active));
	return json_pack("{s:i}", "ordered",
			 (int)workers_set_active(o->ws, dp_first_threads((u32)n),
						 n > before ? DP_ADDED :
						 n < before ? DP_REMOVED : DP_NAMED));
}

/* One thread, whichever: its groups move to the others first. */
static json_t *set_one(struct order *o, bool active)
{
	struct dp *dp = o->ws->dp;
	json_int_t n = whole(o, json_object_get(o->args, "thread"), "thread", active ? 0 : 1,
			     dp->cfg.threads - 1);
	u64 mask = atomic_load(&o->ws->active);

	if (n < 0)
		return NULL;
	if (dp->following_count)
		return refuse(o, "busy", "thread: %u flow groups are on their way; ask again",
			      dp->following_count);
	if (active && o->ws->worker[n].tended)
		return refuse(o, "bad-value", "thread: %d has ended", (int)n);
	mask = active ? mask | 1ULL << n : mask & ~(1ULL << n);
	return json_pack("{s:i}", "ordered",
			 (int)workers_set_active(o->ws, mask, active ? DP_ADDED : DP_REMOVED));
}

static json_t *run_park(struct order *o)
{
	return set_one(o, false);
}

static json_t *run_unpark(struct order *o)
{
	return set_one(o, true);
}

static json_t *run_telemetry(struct order *o)
{
	const json_t *threads = json_object_get(o->args, "threads");
	const json_t *groups = json_object_get(o->args, "groups");

	if (threads && !json_is_boolean(threads))
		return refuse(o, "bad-value", "threads: true or false is needed");
	if (groups && !json_is_boolean(groups))
		return refuse(o, "bad-value", "groups: true or false is needed");
	return telemetry_json(o->ws->dp, !json_is_false(threads), json_is_true(groups));
}

static json_t *run_telemetry_page(struct order *o)
{
	const struct dp_page_file *f = &o->ws->dp->page;

	if (!o->peer->passes)
		return refuse(o, "no-descriptors", "telemetry-page: memory cannot be passed through "
			      "a device: ask for telemetry");
	o->peer->fd = f->fd;
	return json_pack("{s:i, s:i}", "page", (int)DP_PAGE_VERSION, "bytes", (int)f->bytes);
}

static bool can_move(struct order *o, const json_t *groups)
{
	struct dp *dp = o->ws->dp;
	const json_t *v;
	size_t i;

	if (!json_array_size(groups)) {
		refuse(o, "bad-value", "groups: a list of flow groups is needed");
		return false;
	}
	json_array_foreach(groups, i, v) {
		json_int_t g = whole(o, v, "groups", 0, dp->cfg.groups - 1);

		if (g < 0)
			return false;
		if (dp->groups[g].followed) {
			refuse(o, "busy", "groups: %d is on its way; ask again", (int)g);
			return false;
		}
	}
	return true;
}

/* All or none. */
static json_t *run_migrate(struct order *o)
{
	const json_t *groups = json_object_get(o->args, "groups"), *v;
	struct dp *dp = o->ws->dp;
	json_int_t to = whole(o, json_object_get(o->args, "to"), "to", 0, dp->cfg.threads - 1);
	u32 before = dp->following_count;
	size_t i;

	if (to < 0 || !can_move(o, groups))
		return NULL;
	if (!(atomic_load(&o->ws->active) >> to & 1))
		return refuse(o, "bad-value", "to: thread %d is parked; unpark it first", (int)to);
	/* One that is named twice is on its way the second time, and stays so. */
	json_array_foreach(groups, i, v)
		dp_move(dp, (u32)json_integer_value(v), (u32)to);
	return json_pack("{s:i}", "ordered", (int)(dp->following_count - before));
}

/* ---- The envelope ---- */

static const char *const no_keys[] = { NULL };
static const char *const threads_keys[] = { "threads", NULL };
static const char *const migrate_keys[] = { "groups", "to", NULL };
static const char *const thread_keys[] = { "thread", NULL };
static const char *const telemetry_keys[] = { "threads", "groups", NULL };

static const struct command commands[] = {
	{ "hello", no_keys, run_hello },
	{ "status", no_keys, run_status },
	{ "threads", threads_keys, run_threads },
	{ "migrate", migrate_keys, run_migrate },
	{ "telemetry", telemetry_keys, run_telemetry },
	{ "telemetry-page", no_keys, run_telemetry_page },
	{ "park", thread_keys, run_park },
	{ "unpark", thread_keys, run_unpark },
};

static bool known(const char *key, const char *const *keys)
{
	for (; *keys; keys++)
		if (!strcmp(key, *keys))
			return true;
	return false;
}

static json_t *carry_out(struct order *o, const struct command *c)
{
	static const char *const envelope[] = { "v", "id", "cmd", NULL };
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)o->args, key, value)
		if (!known(key, envelope) && !known(key, c->keys))
			return refuse(o, "unknown-key", "%s takes no such key", c->name);
	return c->run(o);
}

static json_t *dispatch(struct order *o)
{
	const char *name = json_string_value(json_object_get(o->args, "cmd"));
	u32 i;

	if (!json_is_object(o->args))
		return refuse(o, "bad-json", "a line has to be a JSON object");
	if (json_integer_value(json_object_get(o->args, "v")) != PROTOCOL)
		return refuse(o, "bad-version", "v: this is version %d", PROTOCOL);
	for (i = 0; name && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(name, commands[i].name))
			return carry_out(o, &commands[i]);
	return refuse(o, "unknown-command", "cmd: hello, status, telemetry, telemetry-page, "
		      "threads, park, unpark or migrate");
}

static char *reply(const struct order *o, json_t *result)
{
	json_t *id = json_object_get(o->args, "id"), *v;
	char *line;

	v = result ? json_pack("{s:i, s:O?, s:b, s:o}", "v", PROTOCOL, "id", id, "ok", 1,
			       "result", result) :
		     json_pack("{s:i, s:O?, s:b, s:{s:s, s:s}}", "v", PROTOCOL, "id", id, "ok", 0,
			       "error", "code", o->code, "message", o->message);
	line = json_dumps(v, JSON_COMPACT);
	json_decref(v);
	return line;
}

char *orders_answer(void *workers, struct lines_peer *peer, const char *line, size_t bytes)
{
	json_t *args = json_loadb(line, bytes, JSON_REJECT_DUPLICATES, NULL);
	struct order o = { .ws = workers, .args = args, .peer = peer, .code = "failed",
			   .message = "no memory" };
	char *text = reply(&o, dispatch(&o));

	json_decref(args);
	return text;
}

static char *refuse_client(enum lines_limit limit)
{
	struct order o = { 0 };

	if (limit == LINES_TOO_LONG)
		refuse(&o, "bad-json", "a line has at most %u bytes", LINES_BYTES_MAX);
	else
		refuse(&o, "busy", "there are %u clients, which is the most", ORDERS_CLIENTS_MAX);
	return reply(&o, NULL);
}

const struct lines_owner orders_owner = {
	.clients_max = ORDERS_CLIENTS_MAX, .answer = orders_answer, .refuse = refuse_client,
};
