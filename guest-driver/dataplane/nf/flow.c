// SPDX-License-Identifier: GPL-2.0-or-later
/* Flows of a NAT. */
#include "flow.h"

#include <errno.h>
#include <sodium/crypto_shorthash.h>
#include <stdlib.h>

#include "net/mem.h"

#define TICKS_A_SECOND	(1000000000ULL / DP_TICK_NS)

const u32 flow_seconds[FLOW_CLASSES] = {
	[FLOW_TCP] = 7440, [FLOW_TCP_BRIEF] = 240, [FLOW_UDP] = 300, [FLOW_ICMP] = 60,
};

static u32 bucket_of(const struct flow_table *ft, u32 inside_ip, u16 inside_port,
		     const struct flow_key *k, u16 outside_port)
{
	const struct {
		u32 ip[2];
		u16 port[3];
		u16 proto;
	} in = { { inside_ip, k->remote_ip }, { inside_port, k->remote_port, outside_port },
		 k->proto };
	u64 out;

	crypto_shorthash((u8 *)&out, (const u8 *)&in, sizeof(in), ft->secret);
	return (u32)out & (ft->buckets - 1);
}

static struct flow **in_bucket(const struct flow_table *ft, const struct flow_key *k)
{
	return &ft->in[bucket_of(ft, k->inside_ip, k->inside_port, k, 0)];
}

static struct flow **out_bucket(const struct flow_table *ft, const struct flow_key *k)
{
	return &ft->out[bucket_of(ft, 0, 0, k, k->outside_port)];
}

static bool same_remote(const struct flow_key *a, const struct flow_key *b)
{
	return a->remote_ip == b->remote_ip && a->remote_port == b->remote_port &&
	       a->proto == b->proto;
}

struct flow *flow_find_in(const struct flow_table *ft, const struct flow_key *k)
{
	struct flow *f = *in_bucket(ft, k);

	while (f && (f->key.inside_ip != k->inside_ip || f->key.inside_port != k->inside_port ||
		     !same_remote(&f->key, k)))
		f = f->in_next;
	return f;
}

struct flow *flow_find_out(const struct flow_table *ft, const struct flow_key *k)
{
	struct flow *f = *out_bucket(ft, k);

	while (f && (f->key.outside_port != k->outside_port || !same_remote(&f->key, k)))
		f = f->out_next;
	return f;
}

/* ---- Lists ---- */

static void hang(struct flow_table *ft, struct flow *f)
{
	struct flow_list *l = &ft->list[f->class];

	f->next = NULL;
	f->prev = l->last;
	if (l->last)
		l->last->next = f;
	else
		l->first = f;
	l->last = f;
}

static void unhang(struct flow_table *ft, struct flow *f)
{
	struct flow_list *l = &ft->list[f->class];

	if (f->next)
		f->next->prev = f->prev;
	else
		l->last = f->prev;
	if (f->prev)
		f->prev->next = f->next;
	else
		l->first = f->next;
}

void flow_use(struct flow_table *ft, struct flow *f, enum flow_class class)
{
	f->used_tick = ft->wheel->tick;
	/* Of a busy flow it is most often so already. */
	if (f->class == class && ft->list[class].last == f)
		return;
	unhang(ft, f);
	f->class = class;
	hang(ft, f);
}

/* ---- Beginning and end ---- */

struct flow *flow_add(struct flow_table *ft, const struct flow_key *k, enum flow_class class)
{
	struct flow *f = ft->count < ft->max ? dp_mem_zeroed(1, sizeof(*f)) : NULL;
	struct flow **in, **out;

	if (!f)
		return NULL;
	f->key = *k;
	f->class = class;
	f->used_tick = ft->wheel->tick;
	in = in_bucket(ft, k);
	f->in_next = *in;
	*in = f;
	out = out_bucket(ft, k);
	f->out_next = *out;
	*out = f;
	hang(ft, f);
	ft->count++;
	if (!dp_timer_runs(&ft->timer))
		dp_timer_start(ft->wheel, &ft->timer, TICKS_A_SECOND);
	return f;
}

static void forget(struct flow_table *ft, struct flow *f)
{
	struct flow **at;

	for (at = in_bucket(ft, &f->key); *at != f; at = &(*at)->in_next)
		;
	*at = f->in_next;
	for (at = out_bucket(ft, &f->key); *at != f; at = &(*at)->out_next)
		;
	*at = f->out_next;
	unhang(ft, f);
	ft->count--;
	dp_mem_free(f);
}

static void on_second(struct dp_timer *tm, void *t)
{
	struct flow_table *ft = (struct flow_table *)((char *)tm - offsetof(struct flow_table, timer));
	u32 c;

	for (c = 0; c < FLOW_CLASSES; c++) {
		u64 ticks = flow_seconds[c] * TICKS_A_SECOND;
		struct flow *f;

		while ((f = ft->list[c].first) && ft->wheel->tick - f->used_tick >= ticks)
			forget(ft, f);
	}
	if (ft->count)
		dp_timer_start(ft->wheel, tm, TICKS_A_SECOND);
}

int flow_table_open(struct flow_table *ft, struct dp_wheel *wheel, u32 max, const u8 secret[16])
{
	*ft = (struct flow_table){
		.wheel = wheel, .buckets = max, .max = max, .timer.fire = on_second,
		.in = calloc(max, sizeof(*ft->in)), .out = calloc(max, sizeof(*ft->out)),
	};
	memcpy(ft->secret, secret, sizeof(ft->secret));
	if (ft->in && ft->out)
		return 0;
	free(ft->in);
	free(ft->out);
	return -ENOMEM;
}

void flow_table_close(struct flow_table *ft)
{
	u32 c;

	for (c = 0; c < FLOW_CLASSES; c++)
		while (ft->list[c].first)
			forget(ft, ft->list[c].first);
	dp_timer_stop(ft->wheel, &ft->timer);
	free(ft->in);
	free(ft->out);
}
