// SPDX-License-Identifier: GPL-2.0-or-later
/* The key-value server's store, one step after the other: against a model, and at its limits. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "rand.h"
#include "store.h"

#define NOW_NS	1000000000000ULL

static struct kv_store *st;
static struct kv_reader *r;
static u64 now_ns;

/* Two threads: number 0 is this test, number 1 whoever else looks. */
static int open_store(void **state)
{
	now_ns = NOW_NS;
	st = kv_store_new(KV_MEMORY_MIN, 2);
	r = st ? kv_enter(st, 0, now_ns) : NULL;
	return !r;
}

static int close_store(void **state)
{
	kv_leave(r);
	kv_store_free(st);
	return 0;
}

static void later(u64 ns)
{
	kv_leave(r);
	now_ns += ns;
	r = kv_enter(st, 0, now_ns);
}

static struct kv_key key_of(const char *text)
{
	return (struct kv_key){ (const u8 *)text, (u32)strlen(text) };
}

static enum kv_status put_bytes(const char *key, const void *value, u32 bytes, enum kv_how how,
				u64 expires_ns)
{
	enum kv_status status;
	struct kv_item *it;
	u64 cas;

	status = kv_prepare(r, key_of(key), bytes, &it);
	if (status != KV_OK)
		return status;
	memcpy(kv_fill(it), value, bytes);
	atomic_store(&it->expires_ns, expires_ns);
	return kv_put(r, it, how, 0, &cas);
}

static enum kv_status put(const char *key, const char *value, enum kv_how how)
{
	return put_bytes(key, value, (u32)strlen(value), how, 0);
}

static bool has(const char *key, const char *value)
{
	struct kv_item *it = kv_get(r, key_of(key));

	if (!it || !value)
		return !it && !value;
	return it->value_bytes == strlen(value) && !memcmp(kv_value(it), value, it->value_bytes);
}

static u64 bytes_now(void)
{
	struct kv_sums sums;

	kv_sum(r, &sums);
	return sums.bytes;
}

static u64 items_now(void)
{
	struct kv_sums sums;

	kv_sum(r, &sums);
	return sums.items;
}

/* ---- Against a model ---- */

#define KEYS	16u

struct model {
	bool there;
	u64 expires_ns;
	char value[400];
};

static void model_put(struct model *m, const char *value, enum kv_how how, u64 expires_ns,
		      enum kv_status status)
{
	enum kv_status expected = how == KV_SET || (how == KV_ADD) != m->there ? KV_OK :
									       KV_NOT_STORED;
	char was[200];

	assert_int_equal(status, expected);
	if (status != KV_OK)
		return;
	snprintf(was, sizeof(was), "%s", m->value);
	if (how == KV_APPEND) {
		snprintf(m->value, sizeof(m->value), "%s%s", was, value);
	} else if (how == KV_PREPEND) {
		snprintf(m->value, sizeof(m->value), "%s%s", value, was);
	} else {
		snprintf(m->value, sizeof(m->value), "%s", value);
		m->expires_ns = expires_ns;
	}
	m->there = true;
}

static void model_step(struct model *m, const char *key, u64 *rng)
{
	u32 what = test_below(rng, 8);
	char value[16];
	u64 expires_ns = test_below(rng, 4) ? 0 : now_ns + 1 + test_below(rng, 100);
	bool grows = (what == KV_APPEND || what == KV_PREPEND) && strlen(m->value) > 150;

	snprintf(value, sizeof(value), "%u", test_below(rng, 1000));
	if (what <= KV_PREPEND && !grows) {
		model_put(m, value, what, expires_ns,
			  put_bytes(key, value, (u32)strlen(value), what, expires_ns));
	} else if (what == 5) {
		assert_int_equal(kv_delete(r, key_of(key), 0), m->there ? KV_OK : KV_MISS);
		m->there = false;
	} else if (what == 6) {
		assert_int_equal(!!kv_touch(r, key_of(key), expires_ns), m->there);
		m->expires_ns = expires_ns;
	} else {
		later(test_below(rng, 3));
	}
}

static void test_model(void **state)
{
	static struct model model[KEYS];
	u64 rng = test_seed();
	u32 i, k;

	for (i = 0; i < 20000; i++) {
		char key[8];

		if (!test_below(&rng, 500)) {
			kv_flush(r, 0);
			memset(model, 0, sizeof(model));
		}
		k = test_below(&rng, KEYS);
		snprintf(key, sizeof(key), "k%u", k);
		model_step(&model[k], key, &rng);
		for (k = 0; k < KEYS; k++)
			if (model[k].expires_ns && model[k].expires_ns <= now_ns)
				model[k].there = false;
		k = test_below(&rng, KEYS);
		snprintf(key, sizeof(key), "k%u", k);
		assert_true(has(key, model[k].there ? model[k].value : NULL));
	}
}

/* ---- Limits ---- */

static char value_1k[1024];

static void test_eviction(void **state)
{
	struct kv_sums sums;
	char key[16];
	u32 i;

	for (i = 0; i < 40000; i++) {
		snprintf(key, sizeof(key), "key%u", i);
		assert_int_equal(put_bytes(key, value_1k, sizeof(value_1k), KV_SET, 0), KV_OK);
		/* Used all the time: it stays. */
		if (i % 100 == 0)
			assert_non_null(kv_get(r, key_of("key0")));
	}
	kv_sum(r, &sums);
	assert_true(sums.bytes <= KV_MEMORY_MIN);
	assert_true(sums.items > 4000 && sums.items < 8000);
	assert_true(sums.count[KV_evictions] > 30000);
	assert_int_equal(sums.items + sums.count[KV_evictions], 40000);
	assert_int_equal(sums.count[KV_out_of_memory], 0);
	assert_non_null(kv_get(r, key_of("key39999")));
	assert_null(kv_get(r, key_of("key1")));
}

/* What has expired goes before what is alive, though it was used. */
static void test_dead_go_first(void **state)
{
	struct kv_sums sums;
	char key[16];
	u32 i;

	for (i = 0; i < 4000; i++) {
		snprintf(key, sizeof(key), "dead%u", i);
		put_bytes(key, value_1k, sizeof(value_1k), KV_SET, now_ns + 1);
		kv_get(r, key_of(key));
	}
	later(1);
	for (i = 0; i < 4000; i++) {
		snprintf(key, sizeof(key), "alive%u", i);
		put_bytes(key, value_1k, sizeof(value_1k), KV_SET, 0);
		kv_get(r, key_of(key));
	}
	kv_sum(r, &sums);
	assert_int_equal(sums.count[KV_evictions], 0);
}

/* Values that never come take memory, too; when there is no more of it, others are refused. */
static void test_no_memory(void **state)
{
	struct kv_item *held[16];
	u32 n = 0, i;

	assert_int_equal(put("a", "1", KV_SET), KV_OK);
	while (n < 16 && kv_prepare(r, key_of("large"), KV_VALUE_MAX, &held[n]) == KV_OK)
		n++;
	assert_in_range(n, 5, 7);
	assert_int_equal(put_bytes("b", value_1k, sizeof(value_1k), KV_SET, 0), KV_OK);
	for (i = 0; i < n; i++)
		kv_drop(st, held[i]);
	assert_int_equal(kv_prepare(r, key_of("large"), KV_VALUE_MAX, &held[0]), KV_OK);
	kv_drop(st, held[0]);
	assert_int_equal(kv_prepare(r, key_of("large"), KV_VALUE_MAX + 1, &held[0]), KV_TOO_LARGE);
	kv_delete(r, key_of("b"), 0);
	assert_int_equal(put("a", "2", KV_SET), KV_OK);
	assert_true(has("a", "2"));
}

static void test_join_too_large(void **state)
{
	char *half = calloc(1, KV_VALUE_MAX / 2 + 1);

	put_bytes("a", half, KV_VALUE_MAX / 2, KV_SET, 0);
	assert_int_equal(put_bytes("a", half, KV_VALUE_MAX / 2 + 1, KV_APPEND, 0), KV_TOO_LARGE);
	assert_int_equal(put_bytes("a", half, KV_VALUE_MAX / 2, KV_PREPEND, 0), KV_OK);
	assert_int_equal(kv_get(r, key_of("a"))->value_bytes, KV_VALUE_MAX);
	free(half);
}

/* ---- Who looks ---- */

/* What another thread looks at stays as it is, until that thread has left. */
static void test_grace(void **state)
{
	struct kv_reader *other = kv_enter(st, 1, now_ns);
	struct kv_item *seen;
	u64 with_both;

	put("a", "old", KV_SET);
	seen = kv_get(other, key_of("a"));
	put("a", "new", KV_SET);
	kv_delete(r, key_of("a"), 0);
	later(0);
	put("b", "1", KV_SET);
	assert_memory_equal(kv_value(seen), "old", 3);
	with_both = bytes_now();
	kv_leave(other);
	later(0);
	put("b", "2", KV_SET);
	later(0);
	put("b", "3", KV_SET);
	assert_true(bytes_now() < with_both);
	assert_int_equal(items_now(), 1);
}

/* What is held stays, whoever has left. */
static void test_hold(void **state)
{
	struct kv_item *it;
	u64 bytes, i;

	put("a", "held", KV_SET);
	it = kv_get(r, key_of("a"));
	kv_hold(it);
	for (i = 0; i < 10; i++) {
		put("a", "1", KV_SET);
		later(0);
	}
	assert_memory_equal(kv_value(it), "held", 4);
	bytes = bytes_now();
	kv_drop(st, it);
	assert_true(bytes_now() < bytes);
}

/* Threads that are elsewhere hold up nothing: all that was replaced is free again. */
static void test_steady_bytes(void **state)
{
	u64 most = 0;
	u32 i;

	for (i = 0; i < 10000; i++) {
		put("a", "1", KV_SET);
		most = bytes_now() > most ? bytes_now() : most;
	}
	assert_true(most < 1000);
}

static void test_get_shares_nothing(void **state)
{
	u64 shared;
	u32 i;

	put("a", "1", KV_SET);
	kv_get(r, key_of("a"));
	shared = r->shared;
	for (i = 0; i < 1000; i++) {
		kv_get(r, key_of("a"));
		kv_get(r, key_of("b"));
		later(1);
	}
	assert_int_equal(r->shared, shared);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, open_store, close_store)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_model),
		TEST(test_eviction),
		TEST(test_dead_go_first),
		TEST(test_no_memory),
		TEST(test_join_too_large),
		TEST(test_grace),
		TEST(test_hold),
		TEST(test_steady_bytes),
		TEST(test_get_shares_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
