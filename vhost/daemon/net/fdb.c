// SPDX-License-Identifier: GPL-2.0-or-later
/* A table of addresses with a share for each port. */
#include <errno.h>
#include <stdlib.h>

#include "fdb.h"

/* Walks that end before a change does, until the writer's lock is taken. */
#define WALKS	100u

static struct fdb_chain *chain_of(const struct fdb *f, u64 key)
{
	u64 h = (key ^ f->secret) * 0x9e3779b97f4a7c15ULL;

	h ^= h >> 32;
	h = (h ^ f->secret) * 0xd6e8feb86659fd93ULL;
	return &f->chain[(h >> 32) & f->mask];
}

/* ---- Looking ---- */

/* What was found of an address. */
struct hit {
	u32 i;				/* 0: nothing */
	u32 port;
	u64 seen;
};

/*
 * False: the chain was changed meanwhile. Every load of what a writer changes is an acquire:
 * one that has read what was stored after chain_begin() has the odd count before the last
 * look at ->seq, so that look sees it.
 */
static bool walk(const struct fdb *f, const struct fdb_chain *c, u64 key, struct hit *hit)
{
	u32 seq = rp_load_acquire(&c->seq), i = rp_load_acquire(&c->first);

	if (unlikely(seq & 1))
		return false;
	while (i && rp_load_acquire(&f->entry[i].key) != key) {
		i = rp_load_acquire(&f->entry[i].next);
		/* Astray it might be led round and round. */
		if (unlikely(rp_load(&c->seq) != seq))
			return false;
	}
	*hit = (struct hit){ i, f->entry[i].port, rp_load_acquire(&f->entry[i].seen) };
	return rp_load(&c->seq) == seq;
}

static struct hit find(struct fdb *f, u64 key)
{
	const struct fdb_chain *c = chain_of(f, key);
	struct hit hit = { 0 };
	u32 tries;

	for (tries = 0; tries < WALKS; tries++) {
		if (likely(walk(f, c, key, &hit)))
			return hit;
		rp_relax();
	}
	/* Nobody changes it now. */
	pthread_mutex_lock(&f->lock);
	walk(f, c, key, &hit);
	pthread_mutex_unlock(&f->lock);
	return hit;
}

static bool is_young(const struct fdb *f, u64 seen, u64 now)
{
	/* Two CPUs' clocks may differ a little. */
	return (s64)(now - seen) < (s64)f->age;
}

bool fdb_valid(const struct fdb *f, u32 i, u64 now)
{
	return f->entry[i].key && is_young(f, f->entry[i].seen, now);
}

int fdb_find(struct fdb *f, u64 key, u64 now)
{
	struct hit hit = find(f, key);

	return hit.i && is_young(f, hit.seen, now) ? (int)hit.port : -1;
}

/* ---- By age, in a port ---- */

static void unlink_age(struct fdb *f, u32 i)
{
	struct fdb_entry *e = &f->entry[i];
	struct fdb_pool *p = &f->pool[e->port];

	*(e->newer ? &f->entry[e->newer].older : &p->newest) = e->older;
	*(e->older ? &f->entry[e->older].newer : &p->oldest) = e->newer;
}

static void link_newest(struct fdb *f, u32 i)
{
	struct fdb_entry *e = &f->entry[i];
	struct fdb_pool *p = &f->pool[e->port];

	e->newer = 0;
	e->older = p->newest;
	*(p->newest ? &f->entry[p->newest].newer : &p->oldest) = i;
	p->newest = i;
}

/* ---- Entries, under ->lock ---- */

/*
 * Between these two the chain is changed, by release stores: each is after the odd count,
 * and pairs with the acquire loads in walk(). So does the last one, which is after them all.
 */
static struct fdb_chain *chain_begin(const struct fdb *f, u64 key)
{
	struct fdb_chain *c = chain_of(f, key);

	rp_store(&c->seq, c->seq + 1);
	return c;
}

static void chain_end(struct fdb_chain *c)
{
	rp_store_release(&c->seq, c->seq + 1);
}

static void take_out(struct fdb *f, struct fdb_chain *c, u32 i)
{
	struct fdb_entry *e = &f->entry[i];
	struct fdb_pool *p = &f->pool[e->port];
	u32 *at = &c->first;

	while (*at != i)
		at = &f->entry[*at].next;
	rp_store_release(at, e->next);
	rp_store_release(&e->key, 0);
	rp_store_release(&e->next, p->free);
	unlink_age(f, i);
	p->free = i;
	rp_add(&p->used, (u32)-1);
}

static void put_in(struct fdb *f, struct fdb_chain *c, u64 key, u32 port, u64 now)
{
	struct fdb_pool *p = &f->pool[port];
	u32 i = p->free;
	struct fdb_entry *e = &f->entry[i];

	p->free = e->next;
	rp_store_release(&e->seen, now);
	rp_store_release(&e->next, c->first);
	rp_store_release(&e->key, key);
	rp_store_release(&c->first, i);
	link_newest(f, i);
	rp_add(&p->used, 1);
}

static void drop(struct fdb *f, u32 i)
{
	struct fdb_chain *c = chain_begin(f, f->entry[i].key);

	take_out(f, c, i);
	chain_end(c);
}

static void learn(struct fdb *f, u64 key, u32 port, u64 now)
{
	struct fdb_pool *p = &f->pool[port];
	struct fdb_chain *c = chain_of(f, key);
	struct hit hit = { 0 };

	walk(f, c, key, &hit);
	if (hit.i && hit.port == port) {
		rp_store_release(&f->entry[hit.i].seen, now);
		unlink_age(f, hit.i);
		link_newest(f, hit.i);
		return;
	}
	rp_add(hit.i ? &p->moved : &p->learned, 1);
	if (!p->free) {
		drop(f, p->oldest);
		rp_add(&p->replaced, 1);
	}
	/* One change: nobody finds it nowhere on its way. */
	chain_begin(f, key);
	if (hit.i)
		take_out(f, c, hit.i);
	put_in(f, c, key, port, now);
	chain_end(c);
}

void fdb_learn(struct fdb *f, u64 key, u32 port, u64 now)
{
	struct hit hit = find(f, key);

	if (likely(hit.i && hit.port == port && (s64)(now - hit.seen) < (s64)f->fresh))
		return;
	pthread_mutex_lock(&f->lock);
	learn(f, key, port, now);
	pthread_mutex_unlock(&f->lock);
}

static u32 flush_port(struct fdb *f, u32 port, u16 vlan)
{
	u32 i = f->pool[port].newest, n = 0, older;

	for (; i; i = older) {
		older = f->entry[i].older;
		if (vlan && f->entry[i].key >> 48 != vlan)
			continue;
		drop(f, i);
		n++;
	}
	return n;
}

u32 fdb_flush(struct fdb *f, int port, u16 vlan)
{
	u32 i, n = 0;

	pthread_mutex_lock(&f->lock);
	for (i = 0; i < f->ports; i++)
		if (port < 0 || i == (u32)port)
			n += flush_port(f, i, vlan);
	pthread_mutex_unlock(&f->lock);
	return n;
}

/* ---- Life ---- */

static void fill_pools(struct fdb *f, const u32 *size)
{
	u32 port, k, i = 0;

	for (port = 0; port < f->ports; port++) {
		struct fdb_pool *p = &f->pool[port];

		p->size = size[port];
		for (k = 0; k < size[port]; k++) {
			f->entry[++i].port = port;
			f->entry[i].next = p->free;
			p->free = i;
		}
	}
}

int fdb_init(struct fdb *f, u32 ports, const u32 *size, u64 secret)
{
	u32 i, chains = 1;

	memset(f, 0, sizeof(*f));
	f->lock = (pthread_mutex_t)PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
	f->ports = ports;
	f->secret = secret;
	f->age = INT64_MAX;
	for (i = 0; i < ports; i++)
		f->entries += size[i];
	while (chains < f->entries)
		chains *= 2;
	f->mask = chains - 1;
	f->pool = calloc(ports, sizeof(*f->pool));
	f->chain = calloc(chains, sizeof(*f->chain));
	f->entry = calloc((size_t)f->entries + 1, sizeof(*f->entry));
	if (!f->pool || !f->chain || !f->entry)
		return -ENOMEM;
	fill_pools(f, size);
	return 0;
}

void fdb_fini(struct fdb *f)
{
	free(f->pool);
	free(f->chain);
	free(f->entry);
	memset(f, 0, sizeof(*f));
}
