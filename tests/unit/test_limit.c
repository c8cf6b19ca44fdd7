// SPDX-License-Identifier: GPL-2.0-or-later
/* Limits of what a port sends, by a clock of the test's. */
#include "net/limitopt.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "rand.h"

typedef unsigned __int128 u128;

static struct batch batch;

static void fill_batch(u32 packets, u32 bytes)
{
	u32 i;

	batch.n = packets;
	for (i = 0; i < packets; i++)
		batch.pkt[i].bytes = bytes;
}

/* A sender that never stops, until @end: how many packets of @bytes it has sent. */
static u64 send_until(struct limit *l, u64 *now, u64 end, u32 bytes)
{
	u64 sent = 0;
	u32 n;

	while (*now < end) {
		if (!limit_open(l, *now)) {
			u64 until = limit_until_tsc(l);

			assert_true(until > *now);
			*now = until;
			continue;
		}
		fill_batch(BATCH_PACKETS, bytes);
		n = limit_admit(l, &batch);
		assert_true(n >= 1);
		limit_charge(l, &batch, n);
		sent += n;
		*now += n;
	}
	return sent;
}

/* No unit is lost: what was sent is the burst and what came, but for the credit left. */
static void exact(u64 pps, u64 hz, u64 seconds)
{
	const struct limit_params p = { .pps = pps, .burst_packets = 5 };
	u64 now = 1000, sent;
	struct limit l = { 0 };

	limit_begin(&l, &p, hz, now);
	sent = send_until(&l, &now, 1000 + hz * seconds, 60);
	assert_false((u128)sent * hz + (u128)(l.packets.credit + (s64)hz) !=
		     (u128)(5 + 1) * hz + (u128)(l.last_tsc - 1000) * pps);
	assert_in_range(sent, pps * seconds, pps * seconds + 5 + pps / 1000 + 2);
}

static void test_exact(void **state)
{
	exact(1, 2299998123, 3600);
	exact(7, 1000, 100);
	exact(333333, 2299998123, 2);
	exact(999999, 3141592653, 1);
}

static void test_bits(void **state)
{
	const struct limit_params p = { .bps = 8000001, .burst_bytes = 3000 };
	const u64 hz = 2400000007;
	u64 now = 5, bits;
	struct limit l = { 0 };

	limit_begin(&l, &p, hz, now);
	bits = send_until(&l, &now, 5 + 10 * hz, 1514) * 1514 * 8;
	/* The burst before, and one packet that is owed. */
	assert_in_range(bits, 80000010 - 1514 * 8, 80000010 + (3000 + 1514) * 8);
}

static void test_both(void **state)
{
	const struct limit_params p = { .pps = 1000, .bps = 800000 };
	const u64 hz = 1000000000;
	u64 now = 0, sent;
	struct limit l = { 0 };

	/* 100 bytes and more are held by the bits, fewer by the packets. */
	limit_begin(&l, &p, hz, now);
	sent = send_until(&l, &now, 10 * hz, 1000);
	assert_in_range(sent, 1000, 1000 + 65536 / 1000 + 2);
	limit_begin(&l, &p, hz, now);
	sent = send_until(&l, &now, now + 10 * hz, 60);
	assert_in_range(sent, 10000, 10000 + BATCH_PACKETS + 2);
}

static void test_burst(void **state)
{
	const struct limit_params p = { .pps = 10, .burst_packets = 3 };
	struct limit l = { 0 };
	u64 hz = 1000000;

	limit_begin(&l, &p, hz, 0);
	fill_batch(10, 60);
	assert_true(limit_open(&l, 0));
	assert_int_equal(limit_admit(&l, &batch), 3);
	/* Of what was admitted only one could be delivered. */
	limit_charge(&l, &batch, 1);
	assert_int_equal(limit_admit(&l, &batch), 2);
	limit_charge(&l, &batch, 2);
	assert_false(limit_open(&l, 0));
	assert_int_equal(limit_until_tsc(&l), 100);	/* it rests 100 us */
	assert_int_equal(l.waits, 1);
	/* A year of silence saves no more up than the burst. */
	assert_true(limit_open(&l, 365 * 86400 * hz));
	assert_int_equal(limit_admit(&l, &batch), 3);
	/* A clock that goes back is no time. */
	assert_true(limit_open(&l, 5));
	assert_int_equal(limit_admit(&l, &batch), 3);
}

static void test_none(void **state)
{
	const struct limit_params p = { 0 };
	struct limit l = { 0 };

	limit_begin(&l, &p, 2000000000, 0);
	assert_false(l.on);
	assert_true(limit_open(&l, ~0ULL));
	fill_batch(BATCH_PACKETS, PACKET_MAX_BYTES);
	assert_int_equal(limit_admit(&l, &batch), BATCH_PACKETS);
	limit_charge(&l, &batch, BATCH_PACKETS);
	assert_true(limit_open(&l, 0));
}

/* The largest of everything: no sum runs over. */
static void test_extremes(void **state)
{
	const struct limit_params p = {
		.pps = LIMIT_PPS_MAX, .bps = LIMIT_BPS_MAX,
		.burst_packets = LIMIT_BURST_PACKETS_MAX, .burst_bytes = LIMIT_BURST_BYTES_MAX,
	};
	const u64 hz = (1ULL << 33) - 1;
	struct limit l = { 0 };
	u64 seed = test_seed(), now = 0, bits, end;
	u32 i;

	limit_begin(&l, &p, hz, now);
	assert_true(l.bits.burst > 0 && l.packets.burst > 0);
	bits = send_until(&l, &now, hz / 100, PACKET_MAX_BYTES) * PACKET_MAX_BYTES * 8;
	assert_in_range(bits, LIMIT_BPS_MAX / 100, LIMIT_BPS_MAX / 100 +
			(LIMIT_BURST_BYTES_MAX + PACKET_MAX_BYTES) * 8ULL + LIMIT_BPS_MAX / 1000);
	assert_true(limit_open(&l, ~0ULL));
	assert_int_equal(l.bits.credit, l.bits.burst);
	/* Random rates, sizes and pauses: never more than was allowed. */
	for (i = 0; i < 300; i++) {
		struct limit_params r = {
			.pps = test_rand(&seed) % 100000 + 1,
			.burst_packets = test_rand(&seed) % 100 + 1,
		};
		u64 begin = now = test_rand(&seed) >> 2, sent;

		limit_begin(&l, &r, 1000000007, now);
		end = now + test_rand(&seed) % 3000000000ull;
		sent = send_until(&l, &now, end, 60 + (u32)(test_rand(&seed) % 9000));
		assert_true((u128)sent * 1000000007 <= (u128)(r.burst_packets + 1) * 1000000007 +
			    (u128)(l.last_tsc - begin) * r.pps);
		assert_true(l.packets.credit <= l.packets.burst);
	}
}

/* What a guest says of the length of a frame that is dropped is no credit for it. */
static void test_absurd_lengths(void **state)
{
	static const u32 bytes[] = {
		PACKET_MAX_BYTES + 1, 501u << 20, 510000000, 600u << 20, 1u << 29, 1u << 31, ~0u,
	};
	static const u64 hz[] = { 1000000, 2299998123, 3141592653, LIMIT_HZ_MAX };
	const struct limit_params p = { .bps = 8000, .burst_bytes = 1000 };
	struct limit l = { 0 };
	u32 i, k, n;

	for (i = 0; i < sizeof(bytes) / sizeof(*bytes); i++)
		for (k = 0; k < sizeof(hz) / sizeof(*hz); k++)
			for (n = 1; n <= BATCH_PACKETS; n += BATCH_PACKETS - 1) {
				limit_begin(&l, &p, hz[k], 0);
				fill_batch(n, bytes[i]);
				assert_int_equal(limit_admit(&l, &batch), 1);
				limit_charge(&l, &batch, n);
				assert_true(l.bits.credit < 0);
				assert_false(limit_open(&l, 1));
				assert_true(limit_until_tsc(&l) > 1);
				/* It is paid for as the longest frame is. */
				assert_true(limit_open(&l, 80 * BATCH_PACKETS * hz[k]));
				assert_true(l.bits.credit <= l.bits.burst);
			}
}

/* More credit than the burst, however it came about, is none to build on. */
static void test_credit_ends_at_burst(void **state)
{
	const struct limit_params p = { .pps = 10, .burst_packets = 3 };
	struct limit l = { 0 };

	limit_begin(&l, &p, 1000, 0);
	l.packets.credit = INT64_MAX;
	limit_open(&l, 1);
	assert_int_equal(l.packets.credit, l.packets.burst);
}

static void test_options(void **state)
{
	struct limit_params p = { 0 };
	const char *why = "";

	assert_false(limit_parse("rate", "5", &p, &why));
	assert_true(limit_parse("rate-bps", "1000000000000", &p, &why));
	assert_null(why);
	assert_int_equal(p.bps, LIMIT_BPS_MAX);
	assert_true(limit_parse("rate-bps", "1000000000001", &p, &why) && why);
	assert_true(limit_parse("rate-pps", "-1", &p, &why) && why);
	assert_true(limit_parse("rate-pps", "", &p, &why) && why);
	assert_true(limit_parse("rate-pps", "1k", &p, &why) && why);
	assert_true(limit_parse("rate-pps", "99999999999999999999", &p, &why) && why);
	assert_null(limit_check(&p));
	assert_true(limit_parse("burst-packets", "7", &p, &why) && !why);
	assert_non_null(limit_check(&p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_bits),
		cmocka_unit_test(test_both),
		cmocka_unit_test(test_burst),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_absurd_lengths),
		cmocka_unit_test(test_credit_ends_at_burst),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests_name("limit", tests, NULL, NULL);
}
