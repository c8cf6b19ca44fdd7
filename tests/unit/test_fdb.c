// SPDX-License-Identifier: GPL-2.0-or-later
/* A switch's addresses: learning, moves, ages, and ports that flood the table. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>

#include "../../vhost/daemon/net/fdb.h"
#include "rand.h"

#define AGE	1000u
#define FRESH	10u

static struct fdb f;

static void set_up(u32 ports, u32 size)
{
	u32 sizes[8], i;

	for (i = 0; i < ports; i++)
		sizes[i] = size;
	assert_int_equal(fdb_init(&f, ports, sizes, 0x123456789abcdefULL), 0);
	f.age = AGE;
	f.fresh = FRESH;
}

static int tear_down(void **state)
{
	fdb_fini(&f);
	return 0;
}

static u64 key(u32 n, u16 vlan)
{
	const u8 mac[6] = { 2, 0, (u8)(n >> 24), (u8)(n >> 16), (u8)(n >> 8), (u8)n };

	return fdb_key(mac, vlan);
}

static void test_learn(void **state)
{
	set_up(2, 4);
	assert_int_equal(fdb_find(&f, key(1, 1), 0), -1);
	fdb_learn(&f, key(1, 1), 0, 5);
	fdb_learn(&f, key(2, 1), 1, 5);
	assert_int_equal(fdb_find(&f, key(1, 1), 6), 0);
	assert_int_equal(fdb_find(&f, key(2, 1), 6), 1);
	/* Another VLAN is another address. */
	assert_int_equal(fdb_find(&f, key(1, 2), 6), -1);
	fdb_learn(&f, key(1, 2), 1, 6);
	assert_int_equal(fdb_find(&f, key(1, 1), 6), 0);
	assert_int_equal(fdb_find(&f, key(1, 2), 6), 1);
	assert_int_equal(f.pool[1].learned, 2);
}

static void test_move(void **state)
{
	set_up(2, 4);
	fdb_learn(&f, key(1, 1), 0, 5);
	fdb_learn(&f, key(1, 1), 1, 6);
	assert_int_equal(fdb_find(&f, key(1, 1), 7), 1);
	assert_int_equal(f.pool[0].used, 0);
	assert_int_equal(f.pool[1].used, 1);
	assert_int_equal(f.pool[1].moved, 1);
	assert_int_equal(f.pool[1].learned, 0);
}

static void test_age(void **state)
{
	set_up(1, 4);
	fdb_learn(&f, key(1, 1), 0, 0);
	fdb_learn(&f, key(2, 1), 0, 0);
	assert_int_equal(fdb_find(&f, key(1, 1), AGE - 1), 0);
	fdb_learn(&f, key(2, 1), 0, AGE - 1);
	assert_int_equal(fdb_find(&f, key(1, 1), AGE), -1);
	assert_int_equal(fdb_find(&f, key(2, 1), AGE), 0);
	/* It comes to life again. */
	fdb_learn(&f, key(1, 1), 0, AGE);
	assert_int_equal(fdb_find(&f, key(1, 1), AGE + 1), 0);
	/* A clock that is a little behind makes nothing old. */
	assert_int_equal(fdb_find(&f, key(1, 1), AGE - 2), 0);
}

/* A port that sends from everywhere replaces its own, the oldest first. */
static void test_flood(void **state)
{
	u32 i;

	set_up(3, 8);
	for (i = 0; i < 8; i++)
		fdb_learn(&f, key(i, 1), 0, i);
	fdb_learn(&f, key(100, 1), 1, 8);
	for (i = 1000; i < 11000; i++)
		fdb_learn(&f, key(i, 1), 2, 10);
	for (i = 0; i < 8; i++)
		assert_int_equal(fdb_find(&f, key(i, 1), 10), 0);
	assert_int_equal(fdb_find(&f, key(100, 1), 10), 1);
	assert_int_equal(f.pool[2].used, 8);
	assert_int_equal(f.pool[2].replaced, 10000 - 8);
	for (i = 10992; i < 11000; i++)
		assert_int_equal(fdb_find(&f, key(i, 1), 10), 2);
	assert_int_equal(fdb_find(&f, key(10991, 1), 10), -1);
	/* Address 0 has sent again: it is not the oldest any more. */
	fdb_learn(&f, key(0, 1), 0, 8 + FRESH);
	fdb_learn(&f, key(200, 1), 0, 8 + FRESH);
	assert_int_equal(fdb_find(&f, key(0, 1), 20), 0);
	assert_int_equal(fdb_find(&f, key(1, 1), 20), -1);
	/* What moves to a full port takes that port's place. */
	fdb_learn(&f, key(100, 1), 0, 20);
	assert_int_equal(fdb_find(&f, key(100, 1), 20), 0);
	assert_int_equal(f.pool[0].used, 8);
	assert_int_equal(f.pool[1].used, 0);
}

static void test_flush(void **state)
{
	u32 i;

	set_up(2, 16);
	for (i = 0; i < 16; i++)
		fdb_learn(&f, key(i, (u16)(1 + i % 2)), i < 8 ? 0 : 1, 0);
	assert_int_equal(fdb_flush(&f, 0, 2), 4);
	assert_int_equal(fdb_find(&f, key(1, 2), 0), -1);
	assert_int_equal(fdb_find(&f, key(0, 1), 0), 0);
	assert_int_equal(fdb_flush(&f, 0, 0), 4);
	assert_int_equal(fdb_flush(&f, -1, 1), 4);
	assert_int_equal(fdb_flush(&f, -1, 0), 4);
	assert_int_equal(fdb_flush(&f, -1, 0), 0);
	for (i = 0; i < 16; i++)
		fdb_learn(&f, key(i, 3), 1, 0);
	assert_int_equal(f.pool[1].used, 16);
}

#define MODEL_KEYS	64u

/* Random orders, and a table without any art that says what must be there. */
static void test_random(void **state)
{
	struct { int port; u64 seen; } model[MODEL_KEYS];
	u64 rng = test_seed(), now = 0;
	u32 i, n, used[3];

	set_up(3, MODEL_KEYS);
	for (i = 0; i < MODEL_KEYS; i++)
		model[i].port = -1;
	f.fresh = 0;
	for (n = 0; n < 100000; n++) {
		i = test_below(&rng, MODEL_KEYS);
		now += test_below(&rng, 20);
		if (test_below(&rng, 3)) {
			model[i].port = (int)test_below(&rng, 3);
			model[i].seen = now;
			fdb_learn(&f, key(i, 1), (u32)model[i].port, now);
		}
		i = test_below(&rng, MODEL_KEYS);
		assert_int_equal(fdb_find(&f, key(i, 1), now), model[i].port >= 0 &&
				 now - model[i].seen < AGE ? model[i].port : -1);
	}
	memset(used, 0, sizeof(used));
	for (i = 0; i < MODEL_KEYS; i++)
		if (model[i].port >= 0)
			used[model[i].port]++;
	for (i = 0; i < 3; i++)
		assert_int_equal(f.pool[i].used, used[i]);
}

/* ---- Threads ---- */

/* Of port 0, and stay; come and go at port 1; are at port 2, or at port 3. */
#define STAYING		64u
#define PASSING		4096u
#define MOVING		64u
#define ROUNDS		1000000u

enum { STAY = 1000, PASS = 2000, MOVE = 10000 };

static u64 seed;

/* Only of one that moves; the others' are known. */
static bool is_one_of(int port, int a, int b)
{
	return port == a || port == b;
}

static void *look_at_all(void *arg)
{
	u64 rng = seed + (uintptr_t)arg;
	u32 i;

	for (i = 0; i < ROUNDS; i++) {
		int stays = fdb_find(&f, key(STAY + test_below(&rng, STAYING), 1), 0);
		int moves = fdb_find(&f, key(MOVE + test_below(&rng, MOVING), 1), 0);
		int passes = fdb_find(&f, key(PASS + test_below(&rng, PASSING), 1), 0);

		if (stays != 0 || !is_one_of(moves, 2, 3) || !is_one_of(passes, 1, -1))
			return &f;
	}
	return NULL;
}

static void *learn_and_move(void *arg)
{
	u64 rng = seed + (uintptr_t)arg;
	u32 i;

	for (i = 0; i < ROUNDS; i++) {
		/* Of a port with room for few, so that entries go from chain to chain. */
		fdb_learn(&f, key(PASS + test_below(&rng, PASSING), 1), 1, 0);
		fdb_learn(&f, key(MOVE + test_below(&rng, MOVING), 1), 2 + test_below(&rng, 2), 0);
		fdb_learn(&f, key(STAY + test_below(&rng, STAYING), 1), 0, 0);
		if (i % 1024 == 0)
			fdb_flush(&f, 1, 0);
	}
	return NULL;
}

/* What is there is found, and where it is, whatever changes beside it, by two at a time. */
static void test_threads(void **state)
{
	const u32 size[] = { STAYING, 8, MOVING, MOVING };
	pthread_t thread[4];
	void *failed;
	u32 i;

	seed = test_seed();
	assert_int_equal(fdb_init(&f, 4, size, 0x123456789abcdefULL), 0);
	for (i = 0; i < STAYING; i++)
		fdb_learn(&f, key(STAY + i, 1), 0, 0);
	for (i = 0; i < MOVING; i++)
		fdb_learn(&f, key(MOVE + i, 1), 2, 0);
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, i < 2 ? learn_and_move : look_at_all,
						(void *)(uintptr_t)i), 0);
	for (i = 0; i < 4; i++) {
		pthread_join(thread[i], &failed);
		assert_null(failed);
	}
	assert_int_equal(f.pool[0].used, STAYING);
	assert_true(f.pool[1].used <= 8);
	assert_int_equal(f.pool[2].used + f.pool[3].used, MOVING);
	assert_int_equal(f.pool[0].learned, STAYING);
}

#define CASE(t) cmocka_unit_test_teardown(t, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_learn),
		CASE(test_move),
		CASE(test_age),
		CASE(test_flood),
		CASE(test_flush),
		CASE(test_random),
		CASE(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
