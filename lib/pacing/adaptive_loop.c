// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The adaptive strategy as a consumer: what it sleeps may hold back who sends, and not by
 * a full ring. A request that waits for its reply, a window of TCP's: so many items are
 * out, and no more come until these are done, so that T is what we sleep, and a shorter
 * sleep is more throughput. Neither the ring nor T tells that; a trial does.
 *
 * Cycles come in blocks. Most blocks have the sleep that the law wants, and now and then
 * there is a brief one: with a quarter of it, or none where a sleep cannot be much shorter. If
 * as much came in the time of either kind, nobody waits for us. If more came in the brief
 * ones, by an eighth and by more than chance has it, the sleep is cut to half; that is
 * tried again until it gains nothing. Chance is what blocks of the usual kind differ by.
 * (Not half of it: a reply that takes a little longer comes as often with either.)
 */
#include "pacing/adaptive.h"

/* Cycles of a block. */
#define BLOCK		8
/* Of one in which nobody sleeps: looks at the totals, 50 us apart. */
#define BLOCK_AWAKE	4
/* Brief blocks of a trial: from which on it may be decided, and is. */
#define BRIEF_LEAST	5
#define BRIEF_MOST	20
/* Usual ones between them: so many, and by chance up to three more. */
#define USUAL_LEAST	2
/* What the ring brings more, by which it counts: an eighth. And standard deviations, squared. */
#define GAIN		8
#define SURE		9
/* Items of a cycle, at most: sums of their squares stay within 64 bits. */
#define ITEMS_MOST	1000000
/* How long after a trial the next one is, while they find nothing; at first, and at most. */
#define REST_MIN_NS	20000000u
#define REST_MAX_NS	4000000000ull
/*
 * How long a cut lasts, likewise: twice as long whenever it had to be made again, and four
 * times what the trial took, so that the next one comes before it ends.
 */
#define HOLD_MIN_NS	100000000u
#define HOLD_MAX_NS	10000000000ull

static u32 rand_below(struct adaptive_loop *l, u32 n)
{
	l->seed = l->seed * 1664525 + 1013904223;
	return (u32)((u64)l->seed * n >> 32);
}

static void begin_trial(struct adaptive_loop *l)
{
	memset(&l->usual, 0, sizeof(l->usual));
	memset(&l->brief, 0, sizeof(l->brief));
	l->squares = 0;
	l->wins = 0;
	l->begun_ns = 0;
}

static void begin_block(struct adaptive_loop *l, enum loop_kind kind, bool awake)
{
	l->kind = kind;
	l->awake = awake;
	l->cycles = 0;
	l->block = (struct loop_sum){ 0 };
}

void rp_loop_init(struct adaptive_loop *l)
{
	memset(l, 0, sizeof(*l));
	l->cap_ns = LOOP_FREE;
	l->rest_len_ns = REST_MIN_NS;
	l->hold_ns = HOLD_MIN_NS;
	l->seed = 1;
}

/*
 * Variance of a usual block's items, in quarters: at least one, since even what comes like
 * clockwork is an item more in one block and one less in the next.
 */
static u64 variance(const struct adaptive_loop *l)
{
	u64 n = l->usual.blocks, items = l->usual.items;

	return max_u64(4 * less(l->squares * n, items * items) / (n * n), 1);
}

/*
 * Did more come in the brief blocks' time? In most of them: a burst that happens to fall
 * into one is none of their merit.
 */
static bool gains(const struct adaptive_loop *l)
{
	u64 expected = l->usual.items * l->brief.ns / max_u64(l->usual.ns, 1) + 1;
	u64 more = less(l->brief.items, expected);

	return more * GAIN > expected && 4 * more * more > SURE * l->brief.blocks * variance(l) &&
	       2 * l->wins > l->brief.blocks;
}

static void cut(struct adaptive_loop *l, u64 target_ns, u64 now_ns)
{
	/* A sleep, with the work that followed. */
	u64 cycle_ns = l->usual.ns / (BLOCK * l->usual.blocks);

	l->cap_ns = max_u64(min_u64(target_ns, cycle_ns) / 2, 1);
	l->hold_ns = min_u64(max_u64(l->hold_ns, 4 * (now_ns - l->begun_ns)), HOLD_MAX_NS);
	l->until_ns = now_ns + l->hold_ns;
	l->hold_ns = min_u64(2 * l->hold_ns, HOLD_MAX_NS);
	l->rest_len_ns = REST_MIN_NS;
	l->rest_ns = now_ns;
}

static void judge(struct adaptive_loop *l, u64 target_ns, u64 now_ns)
{
	if (l->brief.blocks < BRIEF_LEAST || !l->usual.blocks)
		return;
	if (gains(l)) {
		cut(l, target_ns, now_ns);
	} else if (l->brief.blocks < BRIEF_MOST) {
		return;
	} else {
		l->rest_ns = now_ns + l->rest_len_ns;
		l->rest_len_ns = min_u64(2 * l->rest_len_ns, REST_MAX_NS);
		if (l->cap_ns == LOOP_FREE)
			l->hold_ns = max_u64(l->hold_ns / 2, HOLD_MIN_NS);
	}
	begin_trial(l);
}

static void end_block(struct adaptive_loop *l, u64 target_ns, u64 now_ns)
{
	struct loop_sum *to = l->kind == LOOP_BRIEF ? &l->brief : &l->usual;

	to->items += l->block.items;
	to->ns += l->block.ns;
	to->blocks++;
	if (l->kind == LOOP_USUAL) {
		l->squares += l->block.items * l->block.items;
		l->left -= l->left > 0;
	} else {
		l->wins += l->usual.items && l->block.items * l->usual.ns >
			   l->usual.items * l->block.ns;
		l->left = USUAL_LEAST + rand_below(l, 4);
		judge(l, target_ns, now_ns);
	}
	l->kind = LOOP_NONE;
}

void rp_loop_cycle(struct adaptive_loop *l, const struct rp_cycle *c, u64 target_ns, u64 now_ns)
{
	if (l->kind == LOOP_NONE)
		return;
	l->block.items += min_u64(c->items, ITEMS_MOST);
	l->block.ns += c->ns;
	if (++l->cycles == (l->awake ? BLOCK_AWAKE : BLOCK))
		end_block(l, target_ns, now_ns);
}

u64 rp_loop_limit_ns(struct adaptive_loop *l, u64 target_ns, u64 now_ns)
{
	if (l->cap_ns != LOOP_FREE && now_ns >= l->until_ns) {
		/* Is it still so? */
		l->cap_ns = 2 * l->cap_ns < target_ns ? 2 * l->cap_ns : LOOP_FREE;
		l->until_ns = now_ns + l->hold_ns;
	}
	return min_u64(target_ns, l->cap_ns);
}

void rp_loop_broken(struct adaptive_loop *l)
{
	l->kind = LOOP_NONE;
}

void rp_loop_full(struct adaptive_loop *l, u64 now_ns)
{
	l->kind = LOOP_NONE;
	l->rest_ns = now_ns + REST_MAX_NS;
	begin_trial(l);
}

bool rp_loop_is_brief(struct adaptive_loop *l, bool awake, u64 now_ns)
{
	if (!l->rest_ns)
		l->rest_ns = now_ns + l->rest_len_ns;
	if (now_ns < l->rest_ns)
		return false;
	if (!l->begun_ns)
		l->begun_ns = now_ns;
	if (l->kind == LOOP_NONE)
		begin_block(l, l->left ? LOOP_USUAL : LOOP_BRIEF, !l->left && awake);
	return l->kind == LOOP_BRIEF;
}
