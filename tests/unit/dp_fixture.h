/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A dataplane between a wire and an application that tests play: packets are
 * numbered in each flow group, and each group has timers that start themselves
 * anew. What the application writes is not protected by anything but the
 * ownership of the group, so that ThreadSanitizer watches that.
 */
#ifndef DP_FIXTURE_H
#define DP_FIXTURE_H

#include <stdlib.h>

#include "dataplane.h"
#include "port_soft.h"
#include "rand.h"

#define GROUPS		128u
#define GROUP_TIMERS	3u
#define PACKETS		4096u

struct item {
	struct dp_pkt p;
	u64 seq;
};

struct flow_timer {
	struct dp_timer tm;
	struct flow *flow;
	u32 ticks;
};

struct flow {
	u64 expected;		/* number of the next packet */
	u64 got, gaps, reordered;
	u64 fired, elsewhere;	/* timers; of those by a thread that is not the owner */
	struct dp_group *g;
	struct flow_timer timer[GROUP_TIMERS];
};

struct bed {
	struct soft_port *sp;
	struct dp *dp;
	struct item item[PACKETS];
	struct dp_list spare;
	u64 sent[GROUPS];
	/* Of what came back sent: the next number that is in order, and those that were not. */
	u64 back[GROUPS], overtaken;
	u64 rng;
	_Atomic u64 clock_ns;
	_Atomic u32 woken[DP_THREADS_MAX];
	struct flow flow[GROUPS];
};

static inline u64 bed_now(void *arg)
{
	struct bed *b = arg;

	return atomic_load(&b->clock_ns);
}

static inline void bed_wake(void *arg, u32 thread)
{
	struct bed *b = arg;

	atomic_fetch_add(&b->woken[thread], 1);
}

static inline void flow_timer(struct dp_timer *tm, void *arg)
{
	struct flow_timer *ft = (struct flow_timer *)tm;
	struct dp_thread *t = arg;
	struct flow *f = ft->flow;
	dp_word w = dp_look(f->g);

	f->fired++;
	f->elsewhere += !dp_owns(w, t->id) && !(dp_phase(w) == DP_ADOPTED && dp_to(w) == t->id);
	dp_timer_start(&f->g->wheel, tm, ft->ticks);
}

static inline int flow_open(struct dp *dp, struct dp_group *g)
{
	struct bed *b = dp->cfg.arg;
	struct flow *f = &b->flow[g->id];
	u32 i;

	f->g = g;
	g->state = f;
	for (i = 0; i < GROUP_TIMERS; i++) {
		f->timer[i] = (struct flow_timer){
			.tm.fire = flow_timer, .flow = f, .ticks = i + 1,
		};
		dp_timer_start(&g->wheel, &f->timer[i].tm, i + 1);
	}
	return 0;
}

static inline void flow_packet(struct dp_thread *t, struct dp_group *g, struct dp_pkt *p)
{
	struct item *it = (struct item *)p;
	struct flow *f = g->state;

	if (it->seq >= f->expected) {
		f->gaps += it->seq - f->expected;
		f->expected = it->seq + 1;
	} else {
		f->reordered++;
	}
	f->got++;
	if (it->seq & 1)
		dp_send(t, p);
	else
		dp_release(t, p);
}

static const struct dp_app flow_app = {
	.name = "flows", .open = flow_open, .packet = flow_packet,
};

struct bed_options {
	u32 threads, slots, batch;
	bool fenced;
	u64 stall_ns;
	u64 seed;			/* 0: test_seed() */
	u64 (*now_ns)(void *arg);	/* NULL: the bed's */
};

static inline struct bed *bed_new(const struct bed_options *o)
{
	struct bed *b = calloc(1, sizeof(*b));
	const char *why = "no memory";
	u32 i;

	if (!b)
		abort();
	b->rng = o->seed ? o->seed : test_seed();
	atomic_store(&b->clock_ns, 1000 * DP_TICK_NS);
	b->sp = soft_port_new(o->threads, GROUPS, o->slots, PACKETS, o->fenced);
	for (i = 0; i < PACKETS; i++)
		dp_list_add(&b->spare, &b->item[i].p);
	if (b->sp)
		b->dp = dp_new(&(struct dp_config){
			.threads = o->threads, .groups = GROUPS, .batch = o->batch,
			.stall_ns = o->stall_ns, .port = &b->sp->port, .app = &flow_app,
			.now_ns = o->now_ns ? o->now_ns : bed_now, .wake = bed_wake, .arg = b,
		}, &why);
	if (!b->dp) {
		fprintf(stderr, "no dataplane: %s\n", why);
		abort();
	}
	return b;
}

static inline void bed_free(struct bed *b)
{
	dp_free(b->dp);
	soft_port_free(b->sp);
	free(b);
}

/* One that the dataplane has sent: its group's are to come in order. */
static inline void bed_note_sent(struct bed *b, const struct dp_pkt *p)
{
	const struct item *it = (const struct item *)p;
	u64 *next = &b->back[p->hash & (GROUPS - 1)];

	b->overtaken += it->seq < *next;
	*next = it->seq < *next ? *next : it->seq + 1;
}

/* The wire takes back what it can. */
static inline void bed_collect(struct bed *b)
{
	struct dp_pkt *p;
	u32 i;

	for (i = 0; i < b->sp->port.queues; i++) {
		while ((p = soft_port_sent(b->sp, i))) {
			bed_note_sent(b, p);
			dp_list_add(&b->spare, p);
		}
		while ((p = soft_port_released(b->sp, i)))
			dp_list_add(&b->spare, p);
	}
}

/* The next packet of a group; false: not now. */
static inline bool bed_send(struct bed *b, u32 group)
{
	struct dp_pkt *p = dp_list_pop(&b->spare);

	if (!p)
		return false;
	p->hash = (u32)test_rand(&b->rng) << 16 | group;
	((struct item *)p)->seq = b->sent[group];
	if (soft_port_input(b->sp, p)) {
		b->sent[group]++;
		return true;
	}
	dp_list_add(&b->spare, p);
	return false;
}

static inline u64 bed_sum(const u64 *first, size_t stride)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < GROUPS; i++)
		sum += *(const u64 *)((const char *)first + i * stride);
	return sum;
}

#define bed_flows(b, field)	bed_sum(&(b)->flow[0].field, sizeof(struct flow))
#define bed_all_sent(b)		bed_sum(&(b)->sent[0], sizeof(u64))

static inline u64 bed_counted(struct bed *b, size_t offset)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < b->dp->cfg.threads; i++)
		sum += dp_noted((_Atomic u64 *)((char *)&b->dp->threads[i].counts + offset));
	return sum;
}

#define bed_count(b, field)	bed_counted(b, offsetof(struct dp_counts, field))

#endif /* DP_FIXTURE_H */
