/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys and values that all threads share: global and read-mostly.
 *
 * Theory of operation. The store is cut into shards by the hash of the key (SipHash
 * under a secret of the process, so that nobody can aim at one bucket). A shard is a
 * table of chains of items. An item never changes once it is in the table, but for
 * when it expires and whether it was used; another value is another item in its place.
 *
 * Who looks up takes no lock, and writes nothing that others read, but for the mark that
 * an item was used, which is written only where it is not set yet. Who changes a
 * shard holds its lock. What leaves the table may still be looked at: it is kept until
 * every thread has been outside of the store once since (DPDK's rte_rcu_qsbr), then the
 * table's hold on it ends. A reader that needs an item for longer holds it, too; whoever
 * lets go last frees it. All memory of items counts until it is freed.
 *
 * Memory. A shard has an even part of what is allowed. When that is short, a hand goes
 * round over its buckets (CLOCK): what is dead, or was not used since the last round,
 * goes. An eighth is kept for what has left the table and is not freed yet.
 *
 * Context: kv_enter() to kv_leave() by one thread at a time for each @thread number, and
 * all functions that take a reader between them.
 */
#ifndef DP_KV_STORE_H
#define DP_KV_STORE_H

#include <stdatomic.h>

#include "rp.h"

#define KV_KEY_MAX		250u
#define KV_VALUE_MAX		(1u << 20)
/* A store can be no smaller. */
#define KV_MEMORY_MIN		(8u << 20)

struct kv_store;

/* What is counted; the names are memcached's. */
#define KV_COUNTS(X) \
	X(curr_connections) X(total_connections) X(cmd_get) X(cmd_set) X(cmd_flush) X(cmd_touch) \
	X(get_hits) X(get_misses) X(delete_hits) X(delete_misses) X(evictions) X(out_of_memory)

enum kv_count {
#define X(name) KV_##name,
	KV_COUNTS(X)
#undef X
	KV_COUNT_N
};

/* A thread in the store. */
struct kv_reader {
	_Alignas(64) struct kv_store *store;
	u32 thread;
	u64 now_ns;
	u64 shared;			/* locks taken, and writes to what threads share */
	_Atomic u64 count[KV_COUNT_N];	/* by this thread alone; relaxed */
};

struct kv_item {
	_Atomic(struct kv_item *) next;
	struct kv_item *retired;	/* the next one that has left the table */
	u64 token;			/* when it left: rte_rcu_qsbr's */
	_Atomic u64 expires_ns;		/* 0: never */
	u64 cas;
	u32 tag, generation;		/* of the hash; of the store, when it came in */
	u32 flags;			/* the client's */
	u32 value_bytes;
	_Atomic u32 holds;
	u16 shard;
	u8 key_bytes;
	_Atomic u8 used;
	u8 data[];			/* key, value */
};

static inline const u8 *kv_value(const struct kv_item *it)
{
	return it->data + it->key_bytes;
}

enum kv_status {
	KV_OK,
	KV_MISS,
	KV_EXISTS,		/* with another cas */
	KV_NOT_STORED,
	KV_TOO_LARGE,
	KV_NO_MEMORY,
	KV_NOT_A_NUMBER,
};

enum kv_how { KV_SET, KV_ADD, KV_REPLACE, KV_APPEND, KV_PREPEND };

struct kv_key {
	const u8 *data;
	u32 bytes;		/* 1 to KV_KEY_MAX */
};

/*
 * For threads 0..@threads-1. @memory_bytes, at least KV_MEMORY_MIN, bounds tables and
 * items, with what malloc() adds to each, without fragmentation. NULL: no memory.
 */
struct kv_store *kv_store_new(u64 memory_bytes, u32 threads);
/* Nobody is in it, or holds anything of it, any more. */
void kv_store_free(struct kv_store *st);

/* @now_ns: any clock that is the same for all threads. */
struct kv_reader *kv_enter(struct kv_store *st, u32 thread, u64 now_ns);
void kv_leave(struct kv_reader *r);

/*
 * When something expires whose time is given as memcached's clients do: 0 never, up to
 * 30 days from now, else seconds since 1970; below 0: at once.
 */
u64 kv_expiry(const struct kv_reader *r, s64 seconds);

/* NULL: there is none. Good until kv_leave(), or the next function that changes the store. */
struct kv_item *kv_get(struct kv_reader *r, struct kv_key key);
/* Good until kv_drop(), which needs no reader. */
void kv_hold(struct kv_item *it);
void kv_drop(struct kv_store *st, struct kv_item *it);

/*
 * An item to fill, at kv_fill(): the caller's until kv_put() or kv_drop(). Makes room by
 * taking others out. KV_TOO_LARGE, KV_NO_MEMORY.
 */
enum kv_status kv_prepare(struct kv_reader *r, struct kv_key key, u64 value_bytes,
			  struct kv_item **it);
static inline u8 *kv_fill(struct kv_item *it)
{
	return it->data + it->key_bytes;
}

/*
 * Takes the item in, whatever comes of it. @cas: only in place of one with this number;
 * 0: of any. An item that is appended or prepended keeps flags and expiry of what
 * there was. With KV_OK its number is at @cas_now.
 */
enum kv_status kv_put(struct kv_reader *r, struct kv_item *it, enum kv_how how, u64 cas,
		      u64 *cas_now);
enum kv_status kv_delete(struct kv_reader *r, struct kv_key key, u64 cas);

struct kv_delta {
	u64 by;
	bool down;		/* stops at 0; upwards goes round */
	bool creates;		/* with @initial and @expires_ns, where there is none */
	u64 initial, expires_ns;
	u64 cas;		/* as of kv_put() */
};

/* Changes a decimal number below 2^64: what it is then. */
enum kv_status kv_add(struct kv_reader *r, struct kv_key key, const struct kv_delta *d,
		      u64 *value, u64 *cas_now);
/* As kv_get(), with another expiry from now on. */
struct kv_item *kv_touch(struct kv_reader *r, struct kv_key key, u64 expires_ns);
/* All that is there at that time is gone then; 0: now. Takes back what was said before. */
void kv_flush(struct kv_reader *r, u64 at_ns);

struct kv_sums {
	u64 items, bytes, limit_bytes;	/* in the tables; of items, freed or not; allowed */
	u64 uptime_s, wall_s;
	u32 threads;
	u64 count[KV_COUNT_N];
};

void kv_sum(struct kv_reader *r, struct kv_sums *sums);

void kv_count(struct kv_reader *r, enum kv_count what, s64 n);

#endif /* DP_KV_STORE_H */
