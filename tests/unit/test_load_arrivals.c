// SPDX-License-Identifier: GPL-2.0-or-later
/* Arrival processes: determinism, mean rates, shapes, shares of threads. No clock. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>

#include "load/arrivals.h"
#include "rand.h"

#define SEC	1000000000ULL

static double uniform(u64 *rng)
{
	return (double)(test_rand(rng) >> 11) * 0x1p-53;
}

static struct load_offer offer(const struct shape *shape, double peak, u64 s, u64 seed)
{
	struct load_offer o = {
		.shape = shape, .seed = seed, .duration_ns = s * SEC,
		.rate = { .peak = peak, .period_s = (double)s, .step = peak / SHAPE_STEPS },
	};

	shape_noise(&o.rate, peak / 20, uniform, &seed);
	return o;
}

/* All arrivals of one stream into @count by the second; their number. */
static u64 count(const struct load_offer *o, u32 stream, u32 streams, u32 *by_s)
{
	struct load_arrivals a;
	u64 n = 0, t, last = 0;

	load_arrivals_init(&a, o, stream, streams);
	while ((t = load_arrivals_next(&a)) != LOAD_NEVER) {
		assert_true(t >= last && t < o->duration_ns);
		last = t;
		by_s[t / SEC]++;
		n++;
	}
	assert_true(load_arrivals_next(&a) == LOAD_NEVER);
	return n;
}

static void test_even(void **state)
{
	struct load_offer even = offer(&shape_flat, 8, 3, 1);
	struct load_arrivals a;
	u32 of_3[3] = { 0 }, s;
	u64 i;

	even.even = true;
	load_arrivals_init(&a, &even, 0, 1);
	for (i = 0; i < 24; i++)
		assert_true(load_arrivals_next(&a) == i * SEC / 8);
	assert_true(load_arrivals_next(&a) == LOAD_NEVER);
	/* Three threads: each has every third. */
	for (s = 0; s < 3; s++) {
		load_arrivals_init(&a, &even, s, 3);
		for (i = s; i < 24; i += 3)
			assert_in_range(load_arrivals_next(&a), i * SEC / 8 ? i * SEC / 8 - 1 : 0,
					i * SEC / 8 + 1);
	}
	assert_int_equal(count(&even, 0, 3, of_3), 8);
}

static void test_seeds(void **state)
{
	struct load_offer o = offer(&shape_sine, 1000, 10, 7), other = offer(&shape_sine, 1000, 10, 8);
	struct load_arrivals a, b, c, d;
	u32 i, same_seed = 0, same_stream = 0;
	u64 t;

	load_arrivals_init(&a, &o, 0, 2);
	load_arrivals_init(&b, &o, 0, 2);
	load_arrivals_init(&c, &other, 0, 2);
	load_arrivals_init(&d, &o, 1, 2);
	for (i = 0; i < 1000; i++) {
		t = load_arrivals_next(&a);
		assert_true(load_arrivals_next(&b) == t);
		same_seed += load_arrivals_next(&c) == t;
		same_stream += load_arrivals_next(&d) == t;
	}
	assert_true(same_seed < 10 && same_stream < 10);
}

/* Four standard deviations of a Poisson count, and a bit for the seed that is fixed. */
static void near(double n, double expected)
{
	if (fabs(n - expected) > 4 * sqrt(expected) + 2)
		fail_msg("%g arrivals where %g are expected", n, expected);
}

static void test_poisson(void **state)
{
	const struct load_offer o = offer(&shape_flat, 20000, 60, 3);
	struct load_arrivals a;
	u32 by_s[60] = { 0 }, s;
	double sum = 0, squares = 0, gap;
	u64 last = 0, t, n = 0;

	near((double)count(&o, 0, 1, by_s), 20000.0 * 60);
	for (s = 0; s < 60; s++)
		near(by_s[s], 20000);
	load_arrivals_init(&a, &o, 0, 1);
	while ((t = load_arrivals_next(&a)) != LOAD_NEVER) {
		gap = (double)(t - last);
		sum += gap;
		squares += gap * gap;
		last = t;
		n++;
	}
	/* Exponential: its deviation is its mean. */
	sum /= (double)n;
	assert_true(fabs(sqrt(squares / (double)n - sum * sum) / sum - 1) < 0.01);
}

static void test_slope(void **state)
{
	const struct load_offer o = offer(&shape_slope, 10000, 20, 5);
	u32 by_s[20] = { 0 }, s;

	near((double)count(&o, 0, 1, by_s), 10000.0 * 20 / 2);
	for (s = 0; s < 10; s++) {
		near(by_s[s], 1000 * (s + 0.5));
		near(by_s[19 - s], 1000 * (s + 0.5));
	}
}

static void test_step(void **state)
{
	const struct load_offer o = offer(&shape_step, 12000, 24, 6);
	struct load_offer even = o;
	u32 by_s[24] = { 0 }, exact[24] = { 0 }, s;

	even.even = true;
	count(&o, 0, 1, by_s);
	count(&even, 0, 1, exact);
	for (s = 0; s < 24; s++) {
		near(by_s[s], 1000 * (s < 12 ? s + 1 : 24 - s));
		assert_in_range(exact[s], 1000 * (s < 12 ? s + 1 : 24 - s) - 1,
				1000 * (s < 12 ? s + 1 : 24 - s) + 1);
	}
}

static void test_sine(void **state)
{
	const struct load_offer o = offer(&shape_sine, 10000, 48, 9);
	u32 by_s[48] = { 0 }, s;

	count(&o, 0, 1, by_s);
	for (s = 0; s < 48; s++) {
		double mean = 0;
		u32 i;

		for (i = 0; i < 100; i++)
			mean += shape_sine.rate(&o.rate, s + (i + 0.5) / 100) / 100;
		near(by_s[s], mean);
	}
	assert_true(o.rate.noise[0] != o.rate.noise[1] && fabs(o.rate.noise[0]) <= 500);
}

/* Streams together have the whole rate; a shape begins again after its period. */
static void test_shares(void **state)
{
	struct load_offer o = offer(&shape_slope, 10000, 20, 11);
	u32 by_s[20] = { 0 }, again[40] = { 0 }, stream, s;
	u64 n = 0;

	for (stream = 0; stream < 5; stream++)
		n += count(&o, stream, 5, by_s);
	near((double)n, 100000);
	for (s = 0; s < 10; s++)
		near(by_s[s], 1000 * (s + 0.5));
	o.duration_ns *= 2;
	near((double)count(&o, 0, 1, again), 200000);
	near(again[29], 9500);
}

/* Less than one in all may be due: it ends all the same. */
static void test_rare(void **state)
{
	const struct load_offer o = offer(&shape_step, 1e-6, 2, 1);
	u32 by_s[2] = { 0 };

	assert_int_equal(count(&o, 0, 1, by_s), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_even),
		cmocka_unit_test(test_seeds),
		cmocka_unit_test(test_poisson),
		cmocka_unit_test(test_slope),
		cmocka_unit_test(test_step),
		cmocka_unit_test(test_sine),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_rare),
	};

	return cmocka_run_group_tests_name("load arrivals", tests, NULL, NULL);
}
