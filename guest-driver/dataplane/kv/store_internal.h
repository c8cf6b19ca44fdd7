/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shards: what the files of the store share. */
#ifndef DP_KV_STORE_INTERNAL_H
#define DP_KV_STORE_INTERNAL_H

#include <pthread.h>
#include <rte_rcu_qsbr.h>

#include "store.h"

typedef _Atomic(struct kv_item *) kv_link;

struct kv_shard {
	_Alignas(64) pthread_mutex_t lock;
	_Atomic u64 bytes;		/* of items that are not freed; whoever frees takes off */
	_Atomic u64 items;		/* in the table; under the lock, read by any */
	u64 waiting;			/* of ->bytes: out of the table, which still holds it */
	u64 cas;
	u32 hand;
	struct kv_item *retired, **retired_end;
	kv_link *bucket;
};

struct kv_store {
	u8 secret[16];
	u32 shards, buckets, threads;	/* powers of two; buckets of a shard */
	u64 shard_bytes, limit_bytes;
	_Atomic u32 generation;		/* items of others are dead */
	_Atomic u64 flush_ns;		/* the next one begins then; 0: never */
	_Atomic u64 start_ns;		/* of the first who entered */
	struct rte_rcu_qsbr *rcu;
	pthread_mutex_t grace;		/* who asks it whether all were outside */
	struct kv_reader *reader;
	struct kv_shard *shard;
};

/* Where a key is, if it is. */
struct kv_place {
	struct kv_shard *shard;
	kv_link *bucket;
	u32 tag;
};

struct kv_place kv_place(const struct kv_store *st, struct kv_key key);
/* Neither expired nor flushed. */
bool kv_alive(const struct kv_reader *r, struct kv_item *it);
/*
 * Dead or alive; NULL: there is none. @link, which may be NULL: what leads to it, for who
 * has the lock.
 */
struct kv_item *kv_find(const struct kv_place *at, struct kv_key key, kv_link **link);
/* A flush whose time has come. Each function that looks at items calls it first. */
void kv_flush_due(struct kv_reader *r);

/* ---- Under the shard's lock ---- */

/* This thread looks at nothing, so that it does not hold up others while it waits. */
void kv_lock(struct kv_reader *r, struct kv_shard *sh);
void kv_unlock(struct kv_shard *sh);
/* Out of the table: @to, which is not in it yet, takes its place; NULL: nothing does. */
void kv_replace(struct kv_reader *r, struct kv_shard *sh, kv_link *link, struct kv_item *to);
/* Into the table, where there is none of this key. */
void kv_insert(struct kv_shard *sh, kv_link *bucket, struct kv_item *it);
/*
 * Room made, and memory; NULL: there is none. @key's bytes are copied. What was found
 * before may have left the table, and is not to be looked at any more but by who holds it.
 */
struct kv_item *kv_item_new(struct kv_reader *r, const struct kv_place *at, struct kv_key key,
			    u32 value_bytes);

#endif /* DP_KV_STORE_INTERNAL_H */
