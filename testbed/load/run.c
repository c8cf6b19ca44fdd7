// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One run of a load: its threads, and the agent, which is one more with a
 * connection and a rate of its own. They set up, each by itself; when all are ready they are told
 * a common begin; then the main thread only looks.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "load/load.h"

/* From when all are ready. */
#define LEAD_NS		20000000u
#define LOOK_MS		20u
#define PROGRESS_NS	1000000000u

struct worker {
	const struct load_params *p;
	struct load_gen *gen;
	struct load_transport *transport;
	struct load_offer agent_offer;
	int cpu;
	bool started;
	pthread_t thread;
	u64 cpu_ns, wall_ns;	/* from begin to end */
	u32 ended;		/* release; pairs with acquire: all of it may be read */
};

struct run {
	const struct load_params *p;
	u32 workers;		/* the last one is the agent, if there is one */
	struct worker worker[LOAD_THREADS_MAX + 1];
};

static u64 clock_now(void *ctx)
{
	return now_ns();
}

void load_params_default(struct load_params *p)
{
	*p = (struct load_params){
		.transport = &load_transport_sockets, .threads = 1, .agent_rate = 100,
		.target = { .mac = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } } },
		.offer = { .shape = &shape_flat, .seed = 1 },
		.gen = {
			.proto = &load_echo, .connections = 16, .pipeline = 1,
			.connect_ns = 5 * NSEC_PER_SEC, .timeout_ns = NSEC_PER_SEC,
			.late_ns = 1000000,
			.opt = { .bytes = 64, .keys = 10000, .get_percent = 99, .path = "/" },
		},
	};
}

void load_params_rate(struct load_params *p, double rate)
{
	double was = p->rate;
	u32 i;

	for (i = 0; i < SHAPE_NOISES && was > 0; i++)
		p->offer.rate.noise[i] *= rate / was;
	p->rate = rate;
	p->offer.rate.peak = rate;
	p->offer.rate.step = rate / SHAPE_STEPS;
}

/* ---- The threads ---- */

static void work(struct worker *w)
{
	u64 begin_ns, cpu_ns;

	if (pin_to_cpu(w->cpu)) {
		snprintf(w->gen->error, sizeof(w->gen->error), "a thread could not be pinned");
		rp_store_release(&w->gen->phase, LOAD_FAILED);
		return;
	}
	/* Set-up included, which is not much of a run that says anything. */
	begin_ns = now_ns();
	cpu_ns = thread_cpu_ns();
	load_gen_run(w->gen);
	w->cpu_ns = thread_cpu_ns() - cpu_ns;
	w->wall_ns = now_ns() - begin_ns;
}

static void *thread_main(void *arg)
{
	struct worker *w = arg;

	work(w);
	rp_store_release(&w->ended, 1);
	return NULL;
}

static void config_agent(struct worker *w, struct load_gen_config *c)
{
	const struct load_params *p = w->p;

	w->agent_offer = p->offer;
	w->agent_offer.shape = &shape_flat;
	w->agent_offer.even = false;
	w->agent_offer.seed = p->offer.seed + 1;
	w->agent_offer.rate = (struct shape_spec){ .peak = p->agent_rate, .period_s = 1 };
	c->offer = &w->agent_offer;
	c->connections = 1;
	c->pipeline = 1;
	c->stream = 0;
	c->streams = 1;
	/* What threads share of the set-up is theirs alone: a part that is none. */
	c->part = UINT32_MAX - 1;
	c->parts = UINT32_MAX;
}

static int start(struct run *run, u32 i)
{
	const struct load_params *p = run->p;
	const struct load_clock clock = { clock_now, NULL };
	struct worker *w = &run->worker[i];
	struct load_gen_config c = p->gen;

	w->p = p;
	w->cpu = p->cpus ? p->cpu[i % p->cpus] : -1;
	c.offer = &p->offer;
	c.connections = p->gen.connections / p->threads + (i < p->gen.connections % p->threads);
	c.connect_gap_ns = p->gen.connect_gap_ns * p->threads;
	c.stream = c.part = i;
	c.streams = c.parts = p->threads;
	if (i == p->threads)
		config_agent(w, &c);
	w->transport = p->transport->make(&p->target, c.connections);
	if (!w->transport)
		return -1;
	w->gen = calloc(1, sizeof(*w->gen));
	if (!w->gen || !load_gen_init(w->gen, &c, w->transport, clock))
		return fail("no memory for %u connections", c.connections);
	errno = pthread_create(&w->thread, NULL, thread_main, w);
	if (errno)
		return fail("cannot start a thread: %m");
	w->started = true;
	return 0;
}

static void stop_all(struct run *run)
{
	u32 i;

	for (i = 0; i < run->workers; i++)
		if (run->worker[i].gen)
			rp_store(&run->worker[i].gen->stop, 1);
}

static void join_all(struct run *run)
{
	u32 i;

	for (i = 0; i < run->workers; i++)
		if (run->worker[i].started)
			pthread_join(run->worker[i].thread, NULL);
	for (i = 0; i < run->workers; i++)
		run->worker[i].started = false;
}

static void free_all(struct run *run)
{
	u32 i;

	stop_all(run);
	join_all(run);
	for (i = 0; i < run->workers; i++) {
		struct worker *w = &run->worker[i];

		if (w->gen)
			load_gen_free(w->gen);
		free(w->gen);
		if (w->transport)
			w->transport->ops->free(w->transport);
	}
}

/* ---- The main thread ---- */

static bool all_at(const struct run *run, u32 phase)
{
	u32 i;

	for (i = 0; i < run->workers; i++)
		if (rp_load_acquire(&run->worker[i].gen->phase) < phase)
			return false;
	return true;
}

static bool all_ended(const struct run *run)
{
	u32 i;

	for (i = 0; i < run->workers; i++)
		if (!rp_load_acquire(&run->worker[i].ended))
			return false;
	return true;
}

static int check_failed(const struct run *run)
{
	u32 i;

	for (i = 0; i < run->workers; i++)
		if (rp_load_acquire(&run->worker[i].gen->phase) == LOAD_FAILED)
			return fail("%s", run->worker[i].gen->error);
	return 0;
}

/* The agent asks for keys that the threads have set, but not before the load. */
static int await_ready(struct run *run)
{
	while (!all_at(run, LOAD_READY)) {
		if (check_failed(run))
			return -1;
		if (!nap_ms(1))
			return fail("stopped before the load began");
	}
	return check_failed(run);
}

static void begin(struct run *run)
{
	u64 begin_ns = now_ns() + LEAD_NS;
	u32 i;

	for (i = 0; i < run->workers; i++)
		/* Pairs with the acquire of the thread that waits for it. */
		rp_store_release(&run->worker[i].gen->begin_ns, begin_ns);
}

/* How much of the time that is measured is over. */
static u64 measured_by(const struct run *run, u64 at_ns)
{
	u64 from_ns = run->worker[0].gen->begin_ns + run->p->gen.warmup_ns;
	u64 all_ns = run->p->offer.duration_ns - run->p->gen.warmup_ns;

	if (at_ns <= from_ns)
		return 0;
	return at_ns - from_ns < all_ns ? at_ns - from_ns : all_ns;
}

static void show(const struct run *run, u64 *next_ns)
{
	u64 offered = 0, done = 0, missed = 0, failed = 0;
	u32 i;

	if (!run->p->progress || now_ns() < *next_ns)
		return;
	*next_ns = now_ns() + PROGRESS_NS;
	for (i = 0; i < run->p->threads; i++) {
		const struct load_stats *s = &run->worker[i].gen->stats;

		offered += rp_load(&s->offered);
		done += rp_load(&s->done);
		missed += rp_load(&s->late) + rp_load(&s->unsent);
		failed += rp_load(&s->failed);
	}
	fprintf(stderr, "\r%s: %llu requests, %llu done, %llu missed, %llu failed\033[K",
		run->p->progress, (unsigned long long)offered, (unsigned long long)done,
		(unsigned long long)missed, (unsigned long long)failed);
}

static void look(const struct run *run)
{
	u64 done = 0;
	u32 i;

	if (!run->p->look)
		return;
	for (i = 0; i < run->p->threads; i++)
		done += rp_load(&run->worker[i].gen->stats.done);
	run->p->look(run->p->look_ctx, measured_by(run, now_ns()), done);
}

static void watch(struct run *run, struct load_result *r)
{
	u64 next_ns = now_ns() + PROGRESS_NS;

	while (!all_ended(run)) {
		if (!nap_ms(LOOK_MS)) {
			r->stopped = true;
			r->measured_ns = measured_by(run, now_ns());
			stop_all(run);
			join_all(run);
			break;
		}
		show(run, &next_ns);
		look(run);
	}
	if (run->p->progress)
		fputs("\r\033[K", stderr);
}

static int collect(struct run *run, struct load_result *r)
{
	const struct load_gen_config *c = &run->p->gen;
	u64 measured_ns = run->p->offer.duration_ns - c->warmup_ns;
	bool good;
	u32 i;

	good = load_stats_init(&r->all, measured_ns, c->interval_ns, c->late_ns) &&
	       load_stats_init(&r->agent, measured_ns, c->interval_ns, c->late_ns);
	for (i = 0; good && i < run->workers; i++) {
		struct worker *w = &run->worker[i];
		double share = w->wall_ns ? (double)w->cpu_ns / (double)w->wall_ns : 0;

		good = load_stats_merge(i < run->p->threads ? &r->all : &r->agent, &w->gen->stats);
		if (i < run->p->threads && share > r->cpu_share_max)
			r->cpu_share_max = share;
	}
	return good ? 0 : fail("no memory for the results");
}

static int run_all(struct run *run, struct load_result *r)
{
	u32 i;

	for (i = 0; i < run->workers; i++)
		if (start(run, i))
			return -1;
	if (await_ready(run))
		return -1;
	begin(run);
	r->measured_ns = measured_by(run, UINT64_MAX);
	watch(run, r);
	if (!r->measured_ns)
		return fail("stopped before anything was measured");
	return check_failed(run) ? -1 : collect(run, r);
}

int load_run(const struct load_params *p, struct load_result *r)
{
	struct run *run = calloc(1, sizeof(*run));
	int rc;

	*r = (struct load_result){ .rate = p->rate, .has_agent = p->agent_rate > 0 };
	if (!run)
		return fail("no memory for the run");
	run->p = p;
	run->workers = p->threads + r->has_agent;
	rc = run_all(run, r);
	free_all(run);
	free(run);
	return rc;
}

void load_result_free(struct load_result *r)
{
	load_stats_free(&r->all);
	load_stats_free(&r->agent);
}
