// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The key-value server's store with threads that really are some: values are whole and of
 * their key, numbers and cas lose no step, memory stays within its bound, and
 * ThreadSanitizer finds nothing.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#include "rand.h"
#include "store.h"

#define THREADS	4u
#define KEYS	6000u
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define STEPS	20000u
#else
#define STEPS	200000u
#endif
#define NUMBER	"number"
#define COUNTER	"counter"

static struct kv_store *st;
static _Atomic u64 clock_ns = 1000000000;
static _Atomic u64 cas_done, wrong, refused;
static u64 seed;

static struct kv_key key_of(const char *text)
{
	return (struct kv_key){ (const u8 *)text, (u32)strlen(text) };
}

static u8 byte_of(u32 key, u32 version, u32 i)
{
	return (u8)(key + version * 7 + i);
}

/* The first four bytes are the version, the others follow from it. */
static void set(struct kv_reader *r, u32 k, u64 *rng)
{
	u32 bytes = 4 + test_below(rng, 8000), version = (u32)test_rand(rng), i;
	struct kv_item *it;
	char key[16];
	u64 cas;

	snprintf(key, sizeof(key), "k%u", k);
	if (kv_prepare(r, key_of(key), bytes, &it) != KV_OK) {
		atomic_fetch_add(&refused, 1);
		return;
	}
	memcpy(kv_fill(it), &version, 4);
	for (i = 4; i < bytes; i++)
		kv_fill(it)[i] = byte_of(k, version, i);
	kv_put(r, it, KV_SET, 0, &cas);
}

static bool whole(const struct kv_item *it, u32 k)
{
	u32 version, i;

	memcpy(&version, kv_value(it), 4);
	for (i = 4; i < it->value_bytes; i++)
		if (kv_value(it)[i] != byte_of(k, version, i))
			return false;
	return true;
}

static void get(struct kv_reader *r, u32 k, struct kv_item **held, u32 *held_key)
{
	struct kv_item *it;
	char key[16];

	snprintf(key, sizeof(key), "k%u", k);
	it = kv_get(r, key_of(key));
	if (!it)
		return;
	if (!whole(it, k))
		atomic_fetch_add(&wrong, 1);
	if (*held || k % 16)
		return;
	kv_hold(it);
	*held = it;
	*held_key = k;
}

static void let_go(struct kv_item **held, u32 k)
{
	if (!*held)
		return;
	if (!whole(*held, k))
		atomic_fetch_add(&wrong, 1);
	kv_drop(st, *held);
	*held = NULL;
}

/* One more, by who reads, adds and puts back in place of just that. */
static void count_by_cas(struct kv_reader *r)
{
	struct kv_item *was = kv_get(r, key_of(COUNTER)), *it;
	u64 n, cas;

	if (!was)
		return;
	memcpy(&n, kv_value(was), sizeof(n));
	cas = was->cas;
	n++;
	if (kv_prepare(r, key_of(COUNTER), sizeof(n), &it) != KV_OK)
		return;
	memcpy(kv_fill(it), &n, sizeof(n));
	if (kv_put(r, it, KV_SET, cas, &cas) == KV_OK)
		atomic_fetch_add(&cas_done, 1);
}

static void *play(void *arg)
{
	const u32 id = (u32)(uintptr_t)arg;
	const struct kv_delta one = { .by = 1 };
	u64 rng = seed + id, number, cas;
	struct kv_item *held = NULL;
	u32 i, held_key = 0;

	for (i = 0; i < STEPS; i++) {
		struct kv_reader *r = kv_enter(st, id, atomic_load(&clock_ns));
		u32 k = test_below(&rng, KEYS), what = test_below(&rng, 16);
		char key[16];

		snprintf(key, sizeof(key), "k%u", k);
		if (what < 8)
			get(r, k, &held, &held_key);
		else if (what < 12)
			set(r, k, &rng);
		else if (what == 12)
			kv_delete(r, key_of(key), 0);
		else if (what == 13)
			kv_touch(r, key_of(key), 0);
		else
			count_by_cas(r);
		while (kv_add(r, key_of(NUMBER), &one, &number, &cas) != KV_OK)
			atomic_fetch_add(&refused, 1);
		kv_leave(r);
		if (i % 64 == 0)
			let_go(&held, held_key);
	}
	let_go(&held, held_key);
	return NULL;
}

/* What is counted must not be evicted: it is looked at all the time. */
static void put_first(const char *key, const void *value, u32 bytes)
{
	struct kv_reader *r = kv_enter(st, 0, atomic_load(&clock_ns));
	struct kv_item *it;
	u64 cas;

	assert_int_equal(kv_prepare(r, key_of(key), bytes, &it), KV_OK);
	memcpy(kv_fill(it), value, bytes);
	assert_int_equal(kv_put(r, it, KV_SET, 0, &cas), KV_OK);
	kv_leave(r);
}

static void test_threads(void **state)
{
	pthread_t thread[THREADS];
	char number[24] = "";
	struct kv_sums sums;
	struct kv_reader *r;
	struct kv_item *it;
	u64 zero = 0, n;
	u32 i;

	seed = test_seed();
	st = kv_store_new(16u << 20, THREADS);
	assert_non_null(st);
	put_first(NUMBER, "0", 1);
	put_first(COUNTER, &zero, sizeof(zero));
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, play, (void *)(uintptr_t)i), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	r = kv_enter(st, 0, atomic_load(&clock_ns));
	kv_sum(r, &sums);
	printf("# %llu evictions, %llu refused, %llu by cas\n",
	       (unsigned long long)sums.count[KV_evictions], (unsigned long long)refused,
	       (unsigned long long)cas_done);
	assert_int_equal(wrong, 0);
	assert_true(sums.bytes <= 16u << 20);
	assert_true(cas_done > 0 && sums.count[KV_evictions] > 0);
	memcpy(&n, kv_value(kv_get(r, key_of(COUNTER))), sizeof(n));
	assert_int_equal(n, cas_done);
	/* Digits, and nothing behind them. */
	it = kv_get(r, key_of(NUMBER));
	assert_true(it && it->value_bytes < sizeof(number));
	memcpy(number, kv_value(it), it->value_bytes);
	assert_int_equal(strtoull(number, NULL, 10), (u64)THREADS * STEPS);
	kv_leave(r);
	kv_store_free(st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
