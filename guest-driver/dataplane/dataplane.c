// SPDX-License-Identifier: GPL-2.0-or-later
/* A dataplane is made and unmade. */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

static const char *check(const struct dp_config *c)
{
	if (!c->threads || c->threads > DP_THREADS_MAX)
		return "threads: 1 to 64";
	if (c->groups < DP_GROUPS_MIN || c->groups > DP_GROUPS_MAX || c->groups & (c->groups - 1))
		return "flow groups: 128, 256 or 512";
	if (!c->batch || c->batch > DP_BATCH_MAX)
		return "batch: 1 to 64 packets";
	if (c->port->queues < c->threads)
		return "the port has fewer queues than there are threads";
	return NULL;
}

static void *zeroed(size_t n, size_t size)
{
	void *p = NULL;

	if (posix_memalign(&p, 64, n * size))
		return NULL;
	return memset(p, 0, n * size);
}

static bool make_thread(struct dp *dp, u32 id)
{
	struct dp_thread *t = &dp->threads[id];
	u32 n = dp->cfg.groups;

	t->dp = dp;
	t->id = id;
	t->now_ns = dp->cfg.now_ns(dp->cfg.arg);
	dp_slot_find(t);
	dp_meter_init(&t->meter, &dp->page.page->board[id], t->now_ns);
	dp_queue_init(&t->strays, true);
	t->local = calloc(n, sizeof(*t->local));
	t->coming = calloc(n, sizeof(*t->coming));
	t->is_coming = calloc(n, sizeof(*t->is_coming));
	t->leaving = calloc(n, sizeof(*t->leaving));
	return t->local && t->coming && t->is_coming && t->leaving;
}

static bool make_threads(struct dp *dp)
{
	u32 i;

	for (i = 0; i < dp->cfg.threads; i++)
		if (!make_thread(dp, i))
			return false;
	return true;
}

/* Groups are the threads' in turn, and the port steers accordingly. */
static int make_groups(struct dp *dp)
{
	u32 i, threads = dp->cfg.threads;

	for (i = 0; i < dp->cfg.groups; i++) {
		struct dp_group *g = &dp->groups[i];
		struct dp_thread *t = &dp->threads[i % threads];

		g->id = (u16)i;
		atomic_init(&g->word, dp_word_of(DP_STEADY, t->id, t->id, 0));
		dp_queue_init(&g->remote, false);
		dp_wheel_init(&g->wheel, dp_tick_of(t, g));
		dp_attach(t, g);
		dp->steer[i] = (struct dp_steer){ .group = (u16)i, .queue = (u16)t->id };
	}
	return dp->cfg.port->ops->steer(dp->cfg.port, dp->steer, dp->cfg.groups);
}

static int open_app(struct dp *dp)
{
	const struct dp_app *app = dp->cfg.app;
	int err = 0;
	u32 i;

	for (i = 0; app->open && i < dp->cfg.groups && !err; i++)
		err = app->open(dp, &dp->groups[i]);
	/* Those that were opened are closed again. */
	for (i = err ? i - 1 : 0; app->close && i--;)
		app->close(dp, &dp->groups[i]);
	return err;
}

static void unmake(struct dp *dp)
{
	u32 i;

	for (i = 0; dp->threads && i < dp->cfg.threads; i++) {
		free(dp->threads[i].local);
		free(dp->threads[i].coming);
		free(dp->threads[i].is_coming);
		free(dp->threads[i].leaving);
	}
	dp_page_unmake(&dp->page);
	free(dp->threads);
	free(dp->groups);
	free(dp->following);
	free(dp->steer);
	free(dp);
}

struct dp *dp_new(const struct dp_config *cfg, const char **why)
{
	struct dp *dp;

	*why = check(cfg);
	if (*why)
		return NULL;
	*why = "no memory";
	dp = calloc(1, sizeof(*dp));
	if (!dp)
		return NULL;
	dp->cfg = *cfg;
	dp->threads = zeroed(cfg->threads, sizeof(*dp->threads));
	dp->groups = zeroed(cfg->groups, sizeof(*dp->groups));
	dp->following = calloc(cfg->groups, sizeof(*dp->following));
	dp->steer = calloc(cfg->groups, sizeof(*dp->steer));
	if (!dp->threads || !dp->groups || !dp->following || !dp->steer ||
	    dp_page_make(&dp->page, cfg->threads, cfg->batch, cfg->tsc_hz) || !make_threads(dp))
		goto fail;
	*why = "the port refuses to steer";
	if (make_groups(dp))
		goto fail;
	*why = "the application does not start";
	if (open_app(dp))
		goto fail;
	*why = NULL;
	return dp;
fail:
	unmake(dp);
	return NULL;
}

static void release_all(struct dp_thread *t, struct dp_list *l)
{
	struct dp_pkt *p;

	while ((p = dp_list_pop(l)))
		dp_release(t, p);
}

void dp_free(struct dp *dp)
{
	struct dp_list l = { 0 };
	u32 i, g;

	for (g = 0; g < dp->cfg.groups; g++) {
		dp_queue_take(&dp->groups[g].remote, &l, true);
		if (dp->cfg.app->close)
			dp->cfg.app->close(dp, &dp->groups[g]);
	}
	for (i = 0; i < dp->cfg.threads; i++) {
		dp_queue_take(&dp->threads[i].strays, &l, true);
		for (g = 0; g < dp->cfg.groups; g++)
			release_all(&dp->threads[i], &dp->threads[i].local[g]);
	}
	release_all(&dp->threads[0], &l);
	unmake(dp);
}

u64 dp_missing(struct dp *dp)
{
	u64 received = 0, processed = 0;
	u32 i;

	for (i = 0; i < dp->cfg.threads; i++) {
		received += dp_noted(&dp->threads[i].counts.received);
		processed += dp_noted(&dp->threads[i].counts.processed);
	}
	return received - processed;
}

void dp_telemetry(struct dp *dp, struct dp_telemetry *each, struct dp_telemetry_all *all)
{
	u64 now = dp->cfg.now_ns(dp->cfg.arg), standing = 0;
	u32 i;

	for (i = 0; i < dp->cfg.threads; i++) {
		const struct dp_board *b = &dp->page.page->board[i];

		if (dp_board_rests(b))
			standing |= 1ULL << i;
		dp_board_read(b, &each[i]);
	}
	dp_telemetry_sum(each, dp->cfg.threads, standing, now, dp->cfg.batch, all);
}

u64 dp_group_packets(struct dp *dp, u32 group)
{
	return rp_load(&dp->groups[group].packets);
}
