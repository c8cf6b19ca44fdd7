// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Deficit round robin, with queues that are numbers: the shares that weights ask for,
 * whatever frames look like and whatever one of the queues tries. No clock, no chance:
 * the numbers are of a generator with a seed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "../../vhost/daemon/net/drr.h"

#define LONGEST		65550u

struct world {
	struct drr d;
	u16 weight[DRR_QUEUES_MAX];
	u32 first[DRR_QUEUES_MAX];	/* bytes of the first frame; 0: empty */
	u64 sent[DRR_QUEUES_MAX], frames[DRR_QUEUES_MAX];
	u64 total;
	u32 looks;
	u64 seed;
	u32 (*size)(struct world *w, u32 queue);
};

static u32 any(struct world *w, u32 n)
{
	w->seed = w->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)(w->seed >> 33) % n;
}

static u32 head(void *ctx, u32 queue)
{
	struct world *w = ctx;

	w->looks++;
	return w->first[queue];
}

/* Acknowledgements, full frames and large segments, in other shares for each queue. */
static u32 mixed(struct world *w, u32 queue)
{
	u32 kind = any(w, 10);

	if (kind < queue % 10)
		return 60 + any(w, 20);
	return kind < 9 ? 1514 : LONGEST - any(w, 30000);
}

static u32 smallest(struct world *w, u32 queue)
{
	return 60;
}

static u32 longest(struct world *w, u32 queue)
{
	return LONGEST;
}

/* The first one sends what is worst for others: long frames, and all others short ones. */
static u32 hostile(struct world *w, u32 queue)
{
	return queue ? 60 : LONGEST;
}

static void begin(struct world *w, u32 queues, u32 (*size)(struct world *, u32), u64 seed)
{
	u32 i;

	memset(w, 0, sizeof(*w));
	w->seed = seed;
	w->size = size;
	drr_init(&w->d, queues);
	for (i = 0; i < queues; i++) {
		w->weight[i] = 1;
		w->first[i] = size(w, i);
	}
	drr_activate(&w->d, queues < 64 ? (1ULL << queues) - 1 : ~0ULL);
}

/* Sends a frame; the queue that it came from has another one, or none if @last. */
static int step(struct world *w, bool last)
{
	int q;

	w->looks = 0;
	q = drr_next(&w->d, head, w);
	/* What choosing may cost. */
	assert_true(w->looks <= 3 * w->d.queues + 3);
	if (q < 0)
		return q;
	w->sent[q] += w->first[q];
	w->total += w->first[q];
	w->frames[q]++;
	w->first[q] = last ? 0 : w->size(w, (u32)q);
	return q;
}

static u64 sum_of_weights(const struct world *w)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < w->d.queues; i++)
		sum += w->weight[i];
	return sum;
}

/* Each has had its share, to 2 % of it. */
static void expect_shares(const struct world *w)
{
	u64 sum = sum_of_weights(w);
	u32 i;

	for (i = 0; i < w->d.queues; i++) {
		double asked = (double)w->weight[i] / (double)sum;
		double got = (double)w->sent[i] / (double)w->total;

		if (got < asked * 0.98 || got > asked * 1.02)
			fail_msg("queue %u of %u, weight %u: asked %.5f, got %.5f", i, w->d.queues,
				 w->weight[i], asked, got);
	}
}

/* Until the least share is so large that a frame and a quantum more are less than 2 %. */
static void send_much(struct world *w)
{
	u64 sum = sum_of_weights(w), least = DRR_WEIGHT_MAX, enough;
	u32 i;

	for (i = 0; i < w->d.queues; i++)
		least = w->weight[i] < least ? w->weight[i] : least;
	enough = 100 * (LONGEST + DRR_UNIT_BYTES) * sum / least;
	while (w->total < enough)
		assert_true(step(w, false) >= 0);
}

static void shares(u32 queues, u32 (*size)(struct world *, u32), u32 most, u64 seed)
{
	static struct world w;
	u32 i;

	begin(&w, queues, size, seed);
	for (i = 0; i < queues; i++)
		w.weight[i] = (u16)(1 + any(&w, most));
	drr_weigh(&w.d, w.weight);
	send_much(&w);
	expect_shares(&w);
}

static void test_shares(void **state)
{
	static const u32 queues[] = { 2, 3, 4, 7, 8, 16, 31, 32, 63, 64 };
	u32 i;

	for (i = 0; i < sizeof(queues) / sizeof(*queues); i++) {
		shares(queues[i], mixed, 1, 1 + i);
		shares(queues[i], mixed, 4, 100 + i);
		shares(queues[i], mixed, 40, 200 + i);
		shares(queues[i], longest, 10, 400 + i);
		shares(queues[i], hostile, 3, 500 + i);
	}
	shares(2, smallest, 100, 300);
	shares(64, smallest, 2, 301);
}

/* How far queue @a is ahead of @b, in bytes for a weight of 1. */
static double ahead(const struct world *w, const u64 *from, u32 a, u32 b)
{
	return (double)(w->sent[a] - from[a]) / w->weight[a] -
	       (double)(w->sent[b] - from[b]) / w->weight[b];
}

/*
 * In any stretch of time, not only in the long run: two that always have something are
 * apart by a quantum and a frame of each at most.
 */
static void test_never_far_apart(void **state)
{
	static struct world w;
	u64 from[DRR_QUEUES_MAX];
	u32 n, i, k;

	begin(&w, 5, mixed, 9);
	for (i = 0; i < 5; i++)
		w.weight[i] = (u16)(1 + 3 * i);
	drr_weigh(&w.d, w.weight);
	for (n = 0; n < 20000; n++) {
		if (n % 1000 == 0)
			memcpy(from, w.sent, sizeof(from));
		assert_true(step(&w, false) >= 0);
		for (i = 0; i < 5; i++)
			for (k = 0; k < 5; k++)
				assert_true(ahead(&w, from, i, k) <= DRR_UNIT_BYTES +
					    (double)LONGEST / w.weight[i] +
					    (double)LONGEST / w.weight[k]);
	}
}

/* One that is often empty, and comes back at once, gets no more than one that is not. */
static void test_comes_and_goes(void **state)
{
	static struct world w;
	u32 n;
	int q;

	begin(&w, 3, mixed, 4);
	for (n = 0; n < 200000; n++) {
		q = step(&w, false);
		/* Empty as soon as it has sent, and there again after the next frame. */
		if (q == 0)
			w.first[0] = 0;
		else if (!w.first[0]) {
			w.first[0] = hostile(&w, 0);
			drr_activate(&w.d, 1);
		}
	}
	assert_true((double)w.sent[0] <= 1.02 * (double)w.sent[1]);
	assert_true((double)w.sent[0] <= 1.02 * (double)w.sent[2]);
	/* The other two share what is left as ever. */
	assert_true((double)w.sent[1] < 1.02 * (double)w.sent[2]);
	assert_true((double)w.sent[2] < 1.02 * (double)w.sent[1]);
}

/* What nobody else wants is for who has something. */
static void test_work_conserving(void **state)
{
	static struct world w;
	u32 n;

	begin(&w, 64, mixed, 5);
	for (n = 1; n < 64; n++)
		w.first[n] = 0;
	for (n = 0; n < 1000; n++)
		assert_int_equal(step(&w, false), 0);
	/* All that there is, and then no more. */
	begin(&w, 64, mixed, 6);
	for (n = 0; n < 64; n++)
		assert_true(step(&w, true) >= 0);
	assert_int_equal(step(&w, true), -1);
	for (n = 0; n < 64; n++)
		assert_int_equal(w.frames[n], 1);
	/* The highest of the bits, too. */
	w.first[63] = 60;
	drr_activate(&w.d, 1ULL << 63);
	assert_int_equal(step(&w, true), 63);
	assert_int_equal(step(&w, true), -1);
}

/* Other weights while frames wait: no frame is lost by it, and the shares are the new ones. */
static void test_live(void **state)
{
	static struct world w;
	u32 turn, i;

	begin(&w, 8, mixed, 7);
	for (turn = 0; turn < 5; turn++) {
		for (i = 0; i < 8; i++)
			w.weight[i] = (u16)(1 + any(&w, 20));
		drr_weigh(&w.d, w.weight);
		memset(w.sent, 0, sizeof(w.sent));
		w.total = 0;
		send_much(&w);
		expect_shares(&w);
	}
}

static void test_weights(void **state)
{
	assert_false(drr_weight_ok(0));
	assert_true(drr_weight_ok(1));
	assert_true(drr_weight_ok(DRR_WEIGHT_MAX));
	assert_false(drr_weight_ok(DRR_WEIGHT_MAX + 1));
}

static void test_far_apart(void **state)
{
	static struct world w;

	begin(&w, 2, mixed, 8);
	w.weight[1] = DRR_WEIGHT_MAX;
	drr_weigh(&w.d, w.weight);
	while (w.frames[0] < 3)
		assert_true(step(&w, false) >= 0);
	assert_true(w.sent[1] > (u64)DRR_WEIGHT_MAX * DRR_UNIT_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_never_far_apart),
		cmocka_unit_test(test_comes_and_goes),
		cmocka_unit_test(test_work_conserving),
		cmocka_unit_test(test_live),
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_far_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
