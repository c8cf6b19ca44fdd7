// SPDX-License-Identifier: GPL-2.0-or-later
/* What one does with keys and values. */
#include "store_internal.h"

#include <stdio.h>
#include <time.h>

#define NS		1000000000ULL
/* Beyond it a time is one since 1970. */
#define RELATIVE_MAX_S	(30 * 24 * 3600)
/* What a number below 2^64 takes. */
#define NUMBER_BYTES	20u

void kv_count(struct kv_reader *r, enum kv_count what, s64 n)
{
	u64 was = atomic_load_explicit(&r->count[what], memory_order_relaxed);

	atomic_store_explicit(&r->count[what], was + (u64)n, memory_order_relaxed);
}

static s64 wall_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME_COARSE, &ts);
	return ts.tv_sec;
}

u64 kv_expiry(const struct kv_reader *r, s64 seconds)
{
	if (!seconds)
		return 0;
	if (seconds > RELATIVE_MAX_S)
		seconds -= wall_s();
	/* 0 would be never. */
	if (seconds <= 0)
		return 1;
	if ((u64)seconds > (UINT64_MAX - r->now_ns) / NS)
		return 0;
	return r->now_ns + (u64)seconds * NS;
}

void kv_flush_due(struct kv_reader *r)
{
	u64 at = atomic_load_explicit(&r->store->flush_ns, memory_order_relaxed);

	/* Whoever is first takes it. */
	if (likely(!at) || r->now_ns < at ||
	    !atomic_compare_exchange_strong(&r->store->flush_ns, &at, 0))
		return;
	atomic_fetch_add(&r->store->generation, 1);
	r->shared += 2;
}

void kv_flush(struct kv_reader *r, u64 at_ns)
{
	if (at_ns > r->now_ns) {
		atomic_store(&r->store->flush_ns, at_ns);
	} else {
		atomic_store(&r->store->flush_ns, 0);
		atomic_fetch_add(&r->store->generation, 1);
	}
	r->shared += 2;
	kv_count(r, KV_cmd_flush, 1);
}

/* ---- Looking ---- */

struct kv_item *kv_get(struct kv_reader *r, struct kv_key key)
{
	struct kv_place at = kv_place(r->store, key);
	struct kv_item *it;

	kv_flush_due(r);
	it = kv_find(&at, key, NULL);
	kv_count(r, KV_cmd_get, 1);
	if (!it || !kv_alive(r, it)) {
		kv_count(r, KV_get_misses, 1);
		return NULL;
	}
	if (!atomic_load_explicit(&it->used, memory_order_relaxed))
		atomic_store_explicit(&it->used, 1, memory_order_relaxed);
	kv_count(r, KV_get_hits, 1);
	return it;
}

/* ---- Changing ---- */

/* A key's place with its lock taken, and what is there. */
struct spot {
	struct kv_place at;
	kv_link *link;
	struct kv_item *it;		/* alive, or NULL */
	struct kv_item *dead;		/* in its place */
};

static void find_again(struct kv_reader *r, struct kv_key key, struct spot *s)
{
	struct kv_item *it = kv_find(&s->at, key, &s->link);
	bool alive = it && kv_alive(r, it);

	s->it = alive ? it : NULL;
	s->dead = alive ? NULL : it;
}

static struct spot lock_spot(struct kv_reader *r, struct kv_key key)
{
	struct spot s = { .at = kv_place(r->store, key) };

	kv_flush_due(r);
	kv_lock(r, s.at.shard);
	find_again(r, key, &s);
	return s;
}

static void unlock_spot(struct spot *s)
{
	kv_unlock(s->at.shard);
}

/* @it takes the place of what is there. */
static void publish(struct kv_reader *r, struct spot *s, struct kv_item *it, u64 *cas_now)
{
	it->cas = ++s->at.shard->cas;
	it->generation = atomic_load_explicit(&r->store->generation, memory_order_relaxed);
	*cas_now = it->cas;
	/* Who changes it uses it. */
	atomic_store_explicit(&it->used, s->it ? 1 : 0, memory_order_relaxed);
	if (s->it || s->dead)
		kv_replace(r, s->at.shard, s->link, it);
	else
		kv_insert(s->at.shard, s->at.bucket, it);
}

static struct kv_key key_of(const struct kv_item *it)
{
	return (struct kv_key){ it->data, it->key_bytes };
}

enum kv_status kv_prepare(struct kv_reader *r, struct kv_key key, u64 value_bytes,
			  struct kv_item **it)
{
	struct kv_place at;

	if (value_bytes > KV_VALUE_MAX)
		return KV_TOO_LARGE;
	at = kv_place(r->store, key);
	kv_lock(r, at.shard);
	*it = kv_item_new(r, &at, key, (u32)value_bytes);
	kv_unlock(at.shard);
	return *it ? KV_OK : KV_NO_MEMORY;
}

/* What there was and what came, as one. */
static enum kv_status join(struct kv_reader *r, struct spot *s, struct kv_item **it,
			   enum kv_how how)
{
	struct kv_item *old = s->it, *new = *it, *both;
	const struct kv_item *first = how == KV_APPEND ? old : new;
	const struct kv_item *second = how == KV_APPEND ? new : old;

	if ((u64)old->value_bytes + new->value_bytes > KV_VALUE_MAX)
		return KV_TOO_LARGE;
	kv_hold(old);
	both = kv_item_new(r, &s->at, key_of(new), old->value_bytes + new->value_bytes);
	if (both) {
		memcpy(kv_fill(both), kv_value(first), first->value_bytes);
		memcpy(kv_fill(both) + first->value_bytes, kv_value(second), second->value_bytes);
		both->flags = old->flags;
		atomic_store_explicit(&both->expires_ns, atomic_load_explicit(&old->expires_ns,
				      memory_order_relaxed), memory_order_relaxed);
	}
	kv_drop(r->store, old);
	if (!both)
		return KV_NO_MEMORY;
	kv_drop(r->store, new);
	*it = both;
	find_again(r, key_of(both), s);
	return KV_OK;
}

static enum kv_status may_put(const struct spot *s, enum kv_how how, u64 cas)
{
	if (cas)
		return !s->it ? KV_MISS : s->it->cas != cas ? KV_EXISTS : KV_OK;
	if (how == KV_SET)
		return KV_OK;
	return (how == KV_ADD) == !s->it ? KV_OK : KV_NOT_STORED;
}

enum kv_status kv_put(struct kv_reader *r, struct kv_item *it, enum kv_how how, u64 cas,
		      u64 *cas_now)
{
	struct spot s = lock_spot(r, key_of(it));
	enum kv_status status = may_put(&s, how, cas);

	if (status == KV_OK && (how == KV_APPEND || how == KV_PREPEND))
		status = join(r, &s, &it, how);
	if (status == KV_OK)
		publish(r, &s, it, cas_now);
	else
		kv_drop(r->store, it);
	unlock_spot(&s);
	return status;
}

enum kv_status kv_delete(struct kv_reader *r, struct kv_key key, u64 cas)
{
	struct spot s = lock_spot(r, key);
	enum kv_status status = !s.it ? KV_MISS : cas && s.it->cas != cas ? KV_EXISTS : KV_OK;

	if (status == KV_OK)
		kv_replace(r, s.at.shard, s.link, NULL);
	unlock_spot(&s);
	return status;
}

struct kv_item *kv_touch(struct kv_reader *r, struct kv_key key, u64 expires_ns)
{
	struct spot s = lock_spot(r, key);

	if (s.it) {
		atomic_store_explicit(&s.it->expires_ns, expires_ns, memory_order_relaxed);
		atomic_store_explicit(&s.it->used, 1, memory_order_relaxed);
	}
	unlock_spot(&s);
	kv_count(r, KV_cmd_touch, 1);
	return s.it;
}

/* ---- Numbers ---- */

/* Digits, of which the last may be followed by spaces, as memcached writes them. */
static bool number_of(const struct kv_item *it, u64 *n)
{
	const u8 *v = kv_value(it);
	u32 i;

	*n = 0;
	for (i = 0; i < it->value_bytes && v[i] >= '0' && v[i] <= '9'; i++)
		if (__builtin_mul_overflow(*n, 10, n) || __builtin_add_overflow(*n, v[i] - '0', n))
			return false;
	if (!i)
		return false;
	while (i < it->value_bytes && v[i] == ' ')
		i++;
	return i == it->value_bytes;
}

static enum kv_status put_number(struct kv_reader *r, struct spot *s, struct kv_key key, u64 n,
				 u32 flags, u64 expires_ns, u64 *cas_now)
{
	char text[NUMBER_BYTES + 1];
	int bytes = snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	struct kv_item *it = kv_item_new(r, &s->at, key, (u32)bytes);

	if (!it)
		return KV_NO_MEMORY;
	memcpy(kv_fill(it), text, (size_t)bytes);
	it->flags = flags;
	atomic_store_explicit(&it->expires_ns, expires_ns, memory_order_relaxed);
	find_again(r, key, s);
	publish(r, s, it, cas_now);
	return KV_OK;
}

static enum kv_status add_to(struct kv_reader *r, struct spot *s, struct kv_key key,
			     const struct kv_delta *d, u64 *value, u64 *cas_now)
{
	u64 expires_ns = atomic_load_explicit(&s->it->expires_ns, memory_order_relaxed);

	if (d->cas && d->cas != s->it->cas)
		return KV_EXISTS;
	if (!number_of(s->it, value))
		return KV_NOT_A_NUMBER;
	if (!d->down)
		*value += d->by;
	else
		*value = *value > d->by ? *value - d->by : 0;
	return put_number(r, s, key, *value, s->it->flags, expires_ns, cas_now);
}

enum kv_status kv_add(struct kv_reader *r, struct kv_key key, const struct kv_delta *d,
		      u64 *value, u64 *cas_now)
{
	struct spot s = lock_spot(r, key);
	enum kv_status status = KV_MISS;

	if (s.it) {
		status = add_to(r, &s, key, d, value, cas_now);
	} else if (d->creates) {
		*value = d->initial;
		status = put_number(r, &s, key, d->initial, 0, d->expires_ns, cas_now);
	}
	unlock_spot(&s);
	return status;
}

/* ---- Sums ---- */

void kv_sum(struct kv_reader *r, struct kv_sums *sums)
{
	struct kv_store *st = r->store;
	u64 start_ns = atomic_load_explicit(&st->start_ns, memory_order_relaxed);
	u32 i, c;

	*sums = (struct kv_sums){
		.limit_bytes = st->limit_bytes, .threads = st->threads, .wall_s = (u64)wall_s(),
		.uptime_s = r->now_ns > start_ns ? (r->now_ns - start_ns) / NS : 0,
	};
	for (i = 0; i < st->shards; i++) {
		sums->items += atomic_load_explicit(&st->shard[i].items, memory_order_relaxed);
		sums->bytes += atomic_load_explicit(&st->shard[i].bytes, memory_order_relaxed);
	}
	for (i = 0; i < st->threads; i++)
		for (c = 0; c < KV_COUNT_N; c++)
			sums->count[c] += atomic_load_explicit(&st->reader[i].count[c],
							       memory_order_relaxed);
}
