/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which address is behind which port of a switch, per VLAN.
 *
 * Guests are hostile: they send from as many addresses as they like. So each
 * port has a number of entries of its own, and a new address at a port that has
 * used them all replaces the one that it has not sent from for longest. Nobody
 * else's entries go by that. An address that turns up at another port moves
 * there, as a migrated guest's must; that is what a learning switch cannot tell
 * from a lie. The hash is keyed, so that nobody can aim at a chain.
 *
 * Any thread may look and learn at any time. Mostly there is nothing to be learned,
 * and a look takes no lock: each chain has a sequence count, odd while it is changed,
 * and who has seen another one behind his walk than before it walks again. An entry
 * that was taken out of a chain may be in another one meanwhile, and is never freed,
 * so a walk may go astray and no further. Who changes anything holds ->lock; so does
 * who has walked in vain a few times, lest he spins while a writer is off its CPU.
 *
 * Times are of any clock that does not go back, but those of two CPUs may differ a little.
 */
#ifndef RINGPACED_FDB_H
#define RINGPACED_FDB_H

#include <pthread.h>

#include "rp.h"

struct fdb_entry {
	u64 key;			/* 0: it is free */
	u64 seen;
	u32 next;			/* in its chain, or of those that are free */
	u32 port;			/* for ever */
	u32 newer, older;		/* of its port; under ->lock */
};

struct fdb_chain {
	u32 first;
	u32 seq;			/* odd: a writer is at it */
};

/* Under ->lock; the counters are read relaxed. */
struct fdb_pool {
	u32 newest, oldest, free;	/* 0: none */
	u32 used, size;
	u64 learned, moved, replaced;	/* addresses: new, from another port, given up */
};

struct fdb {
	struct fdb_entry *entry;	/* 1..entries; 0 is none */
	struct fdb_chain *chain;
	u32 mask, entries;
	u32 ports;
	struct fdb_pool *pool;		/* of each port */
	u64 secret;
	u64 age;			/* an entry that is older is none */
	u64 fresh;			/* how exact ->seen is */
	/* Behind what every look reads, so that a change does not take that line away */
	pthread_mutex_t lock;		/* of all changes */
};

/* An address and a VLAN in one number, never 0 as VLANs are not. */
static inline u64 fdb_key(const u8 *mac, u16 vlan)
{
	u64 key = 0;

	memcpy(&key, mac, 6);
	return key | (u64)vlan << 48;
}

/* @size: most entries of each port. 0 or -ENOMEM; fdb_fini() undoes it in both cases. */
int fdb_init(struct fdb *f, u32 ports, const u32 *size, u64 secret);
void fdb_fini(struct fdb *f);

/* @key has sent from @port. */
void fdb_learn(struct fdb *f, u64 key, u32 port, u64 now);
/* Its port, or -1. */
int fdb_find(struct fdb *f, u64 key, u64 now);
/* Forgets what @port (-1: any) has in @vlan (0: any); how many that was. */
u32 fdb_flush(struct fdb *f, int port, u16 vlan);
/* Is entry @i in use, and young enough? Under ->lock. */
bool fdb_valid(const struct fdb *f, u32 i, u64 now);

#endif /* RINGPACED_FDB_H */
