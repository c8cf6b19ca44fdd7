// SPDX-License-Identifier: GPL-2.0-or-later
/* The store's tables and memory: places, items in and out, room. */
#include "store_internal.h"

#include <sched.h>
#include <sodium/crypto_shorthash.h>
#include <sodium/randombytes.h>
#include <stdlib.h>

#define SHARDS_MAX	256u
/* So much of memory for each bucket: a small item with a key of 20 bytes takes 112. */
#define BYTES_A_BUCKET	128u
/* malloc()'s own, of each piece. */
#define MALLOC_BYTES	16u
/* So often for others to leave the store, before there is no memory. */
#define YIELDS		1000u

/* ---- Places ---- */

struct kv_place kv_place(const struct kv_store *st, struct kv_key key)
{
	struct kv_shard *sh;
	u64 hash;

	crypto_shorthash((u8 *)&hash, key.data, key.bytes, st->secret);
	sh = &st->shard[hash & (st->shards - 1)];
	return (struct kv_place){
		.shard = sh, .bucket = &sh->bucket[(hash >> 8) & (st->buckets - 1)],
		.tag = (u32)(hash >> 32),
	};
}

struct kv_item *kv_find(const struct kv_place *at, struct kv_key key, kv_link **link)
{
	kv_link *l = at->bucket;
	struct kv_item *it;

	/* Acquire: pairs with the releases in kv_insert() and kv_replace(). */
	while ((it = atomic_load_explicit(l, memory_order_acquire)) &&
	       (it->tag != at->tag || it->key_bytes != key.bytes ||
		memcmp(it->data, key.data, key.bytes) != 0))
		l = &it->next;
	if (link)
		*link = l;
	return it;
}

bool kv_alive(const struct kv_reader *r, struct kv_item *it)
{
	u64 expires_ns = atomic_load_explicit(&it->expires_ns, memory_order_relaxed);

	return it->generation ==
		atomic_load_explicit(&r->store->generation, memory_order_relaxed) &&
	       (!expires_ns || expires_ns > r->now_ns);
}

/* ---- Items out ---- */

static u64 cost_of(u64 key_bytes, u64 value_bytes)
{
	return (sizeof(struct kv_item) + key_bytes + value_bytes + MALLOC_BYTES + 15) & ~15ULL;
}

static u64 cost(const struct kv_item *it)
{
	return cost_of(it->key_bytes, it->value_bytes);
}

void kv_hold(struct kv_item *it)
{
	atomic_fetch_add_explicit(&it->holds, 1, memory_order_relaxed);
}

void kv_drop(struct kv_store *st, struct kv_item *it)
{
	/* Release what was read of it, acquire what others have: pairs with itself. */
	if (atomic_fetch_sub_explicit(&it->holds, 1, memory_order_acq_rel) != 1)
		return;
	atomic_fetch_sub_explicit(&st->shard[it->shard].bytes, cost(it), memory_order_relaxed);
	free(it);
}

static void retire(struct kv_reader *r, struct kv_shard *sh, struct kv_item *it)
{
	it->token = rte_rcu_qsbr_start(r->store->rcu);
	it->retired = NULL;
	*sh->retired_end = it;
	sh->retired_end = &it->retired;
	sh->waiting += cost(it);
	r->shared++;
}

/*
 * Those that no thread can look at any more. DPDK's check remembers what it has found by a
 * plain variable, so one thread asks at a time; the others have another go later.
 */
static void reclaim(struct kv_reader *r, struct kv_shard *sh)
{
	struct kv_item *it;

	if (!sh->retired)
		return;
	/* This thread looks at nothing now: functions that change the store say so. */
	rte_rcu_qsbr_quiescent(r->store->rcu, r->thread);
	if (pthread_mutex_trylock(&r->store->grace))
		return;
	while ((it = sh->retired) && rte_rcu_qsbr_check(r->store->rcu, it->token, false) == 1) {
		sh->retired = it->retired;
		if (!sh->retired)
			sh->retired_end = &sh->retired;
		sh->waiting -= cost(it);
		kv_drop(r->store, it);
	}
	pthread_mutex_unlock(&r->store->grace);
	r->shared++;
}

void kv_replace(struct kv_reader *r, struct kv_shard *sh, kv_link *link, struct kv_item *to)
{
	struct kv_item *it = atomic_load_explicit(link, memory_order_relaxed);
	struct kv_item *next = atomic_load_explicit(&it->next, memory_order_relaxed);

	if (to)
		atomic_store_explicit(&to->next, next, memory_order_relaxed);
	else
		atomic_fetch_sub_explicit(&sh->items, 1, memory_order_relaxed);
	/* Release: pairs with the acquire in kv_find(). Who is at @it goes on from there. */
	atomic_store_explicit(link, to ? to : next, memory_order_release);
	retire(r, sh, it);
}

/* ---- Items in ---- */

void kv_insert(struct kv_shard *sh, kv_link *bucket, struct kv_item *it)
{
	atomic_store_explicit(&it->next, atomic_load_explicit(bucket, memory_order_relaxed),
			      memory_order_relaxed);
	/* Release: pairs with the acquire in kv_find(). */
	atomic_store_explicit(bucket, it, memory_order_release);
	atomic_fetch_add_explicit(&sh->items, 1, memory_order_relaxed);
}

/* The hand goes over one bucket. */
static void sweep(struct kv_reader *r, struct kv_shard *sh)
{
	kv_link *link = &sh->bucket[sh->hand];
	struct kv_item *it;

	sh->hand = (sh->hand + 1) & (r->store->buckets - 1);
	while ((it = atomic_load_explicit(link, memory_order_relaxed))) {
		bool alive = kv_alive(r, it);

		if (alive && atomic_load_explicit(&it->used, memory_order_relaxed)) {
			atomic_store_explicit(&it->used, 0, memory_order_relaxed);
			link = &it->next;
			continue;
		}
		kv_replace(r, sh, link, NULL);
		if (alive)
			kv_count(r, KV_evictions, 1);
	}
}

static u64 in_use(const struct kv_shard *sh)
{
	return atomic_load_explicit(&sh->bytes, memory_order_relaxed) - sh->waiting;
}

static bool fits(const struct kv_reader *r, const struct kv_shard *sh, u64 bytes)
{
	return atomic_load_explicit(&sh->bytes, memory_order_relaxed) + bytes <=
	       r->store->shard_bytes;
}

/*
 * A thread that lost its CPU within the store holds up what left the table. Nobody there
 * waits for this shard: who waits for a lock is outside.
 */
static void wait_for_others(struct kv_reader *r, struct kv_shard *sh, u64 bytes)
{
	u32 tries;

	for (tries = 0; tries < YIELDS && sh->retired && !fits(r, sh, bytes); tries++) {
		sched_yield();
		reclaim(r, sh);
	}
}

static bool make_room(struct kv_reader *r, struct kv_shard *sh, u64 bytes)
{
	u64 goal = r->store->shard_bytes - r->store->shard_bytes / 8;
	u64 left = 2ULL * r->store->buckets;

	reclaim(r, sh);
	while (in_use(sh) + bytes > goal && left-- &&
	       atomic_load_explicit(&sh->items, memory_order_relaxed))
		sweep(r, sh);
	reclaim(r, sh);
	wait_for_others(r, sh, bytes);
	return fits(r, sh, bytes);
}

struct kv_item *kv_item_new(struct kv_reader *r, const struct kv_place *at, struct kv_key key,
			    u32 value_bytes)
{
	u64 bytes = cost_of(key.bytes, value_bytes);
	struct kv_item *it = NULL;

	if (make_room(r, at->shard, bytes))
		it = malloc(sizeof(*it) + key.bytes + value_bytes);
	if (!it) {
		kv_count(r, KV_out_of_memory, 1);
		return NULL;
	}
	atomic_fetch_add_explicit(&at->shard->bytes, bytes, memory_order_relaxed);
	*it = (struct kv_item){
		.tag = at->tag, .value_bytes = value_bytes, .holds = 1,
		.shard = (u16)(at->shard - r->store->shard), .key_bytes = (u8)key.bytes,
	};
	memcpy(it->data, key.data, key.bytes);
	return it;
}

/* ---- The store ---- */

void kv_lock(struct kv_reader *r, struct kv_shard *sh)
{
	r->shared++;
	if (likely(!pthread_mutex_trylock(&sh->lock)))
		return;
	/* Who has it may wait for all others to be outside. */
	rte_rcu_qsbr_thread_offline(r->store->rcu, r->thread);
	pthread_mutex_lock(&sh->lock);
	rte_rcu_qsbr_thread_online(r->store->rcu, r->thread);
}

void kv_unlock(struct kv_shard *sh)
{
	pthread_mutex_unlock(&sh->lock);
}

static u32 power_below(u64 n)
{
	u32 p = 1;

	while (2ULL * p <= n)
		p *= 2;
	return p;
}

static bool open_shards(struct kv_store *st)
{
	u32 i;

	st->shard = aligned_alloc(64, st->shards * sizeof(*st->shard));
	if (!st->shard)
		return false;
	memset(st->shard, 0, st->shards * sizeof(*st->shard));
	for (i = 0; i < st->shards; i++) {
		struct kv_shard *sh = &st->shard[i];

		pthread_mutex_init(&sh->lock, NULL);
		sh->retired_end = &sh->retired;
		sh->bucket = calloc(st->buckets, sizeof(*sh->bucket));
		if (!sh->bucket)
			return false;
	}
	return true;
}

static bool open_readers(struct kv_store *st)
{
	size_t bytes = (rte_rcu_qsbr_get_memsize(st->threads) + 63) & ~(size_t)63;
	u32 i;

	st->rcu = aligned_alloc(64, bytes);
	st->reader = aligned_alloc(64, st->threads * sizeof(*st->reader));
	if (!st->rcu || !st->reader || rte_rcu_qsbr_init(st->rcu, st->threads))
		return false;
	memset(st->reader, 0, st->threads * sizeof(*st->reader));
	for (i = 0; i < st->threads; i++) {
		st->reader[i].store = st;
		st->reader[i].thread = i;
		/* Outside of the store until it enters. */
		rte_rcu_qsbr_thread_register(st->rcu, i);
	}
	return true;
}

struct kv_store *kv_store_new(u64 memory_bytes, u32 threads)
{
	struct kv_store *st = calloc(1, sizeof(*st));
	u64 shards = memory_bytes / KV_MEMORY_MIN, shard_bytes;

	if (!st)
		return NULL;
	st->shards = power_below(shards > SHARDS_MAX ? SHARDS_MAX : shards);
	shard_bytes = memory_bytes / st->shards;
	st->buckets = power_below(shard_bytes / BYTES_A_BUCKET);
	/* The shard is 8 bits of the hash, its tag 32. */
	if (st->buckets > 1u << 24)
		st->buckets = 1u << 24;
	st->shard_bytes = shard_bytes - st->buckets * sizeof(kv_link);
	st->limit_bytes = memory_bytes;
	st->threads = threads;
	pthread_mutex_init(&st->grace, NULL);
	randombytes_buf(st->secret, sizeof(st->secret));
	if (open_shards(st) && open_readers(st))
		return st;
	kv_store_free(st);
	return NULL;
}

static void empty(struct kv_shard *sh)
{
	struct kv_item *it;

	while ((it = sh->retired)) {
		sh->retired = it->retired;
		free(it);
	}
}

void kv_store_free(struct kv_store *st)
{
	struct kv_item *it, *next;
	u32 i, b;

	for (i = 0; st->shard && i < st->shards; i++) {
		struct kv_shard *sh = &st->shard[i];

		for (b = 0; sh->bucket && b < st->buckets; b++)
			for (it = atomic_load(&sh->bucket[b]); it; it = next) {
				next = atomic_load(&it->next);
				free(it);
			}
		empty(sh);
		free(sh->bucket);
	}
	free(st->shard);
	free(st->rcu);
	free(st->reader);
	free(st);
}

struct kv_reader *kv_enter(struct kv_store *st, u32 thread, u64 now_ns)
{
	struct kv_reader *r = &st->reader[thread];
	u64 none = 0;

	r->now_ns = now_ns;
	if (unlikely(!atomic_load_explicit(&st->start_ns, memory_order_relaxed)))
		atomic_compare_exchange_strong(&st->start_ns, &none, now_ns);
	rte_rcu_qsbr_thread_online(st->rcu, thread);
	return r;
}

void kv_leave(struct kv_reader *r)
{
	rte_rcu_qsbr_thread_offline(r->store->rcu, r->thread);
}
