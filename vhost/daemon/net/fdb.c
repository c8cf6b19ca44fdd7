// SPDX-License-Identifier: GPL-2.0-or-later
/* A table of addresses with a share for each port. */
#include <errno.h>
#include <stdlib.h>

#include "fdb.h"

static u32 *chain_of(const struct fdb *f, u64 key)
{
	u64 h = (key ^ f->secret) * 0x9e3779b97f4a7c15ULL;

	h ^= h >> 32;
	h = (h ^ f->secret) * 0xd6e8feb86659fd93ULL;
	return &f->chain[(h >> 32) & f->mask];
}

static u32 find(const struct fdb *f, u64 key)
{
	u32 i = *chain_of(f, key);

	while (i && f->entry[i].key != key)
		i = f->entry[i].next;
	return i;
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

/* ---- Entries ---- */

static void drop(struct fdb *f, u32 i)
{
	struct fdb_entry *e = &f->entry[i];
	struct fdb_pool *p = &f->pool[e->port];
	u32 *at = chain_of(f, e->key);

	while (*at != i)
		at = &f->entry[*at].next;
	*at = e->next;
	unlink_age(f, i);
	e->key = 0;
	e->next = p->free;
	p->free = i;
	rp_add(&p->used, (u32)-1);
}

static void add(struct fdb *f, u64 key, u32 port, u64 now)
{
	struct fdb_pool *p = &f->pool[port];
	struct fdb_entry *e;
	u32 *at, i;

	if (!p->free) {
		drop(f, p->oldest);
		rp_add(&p->replaced, 1);
	}
	i = p->free;
	e = &f->entry[i];
	p->free = e->next;
	at = chain_of(f, key);
	e->key = key;
	e->seen = now;
	e->next = *at;
	*at = i;
	link_newest(f, i);
	rp_add(&p->used, 1);
}

void fdb_learn(struct fdb *f, u64 key, u32 port, u64 now)
{
	u32 i = find(f, key);
	struct fdb_entry *e = &f->entry[i];

	if (likely(i && e->port == port)) {
		if ((s64)(now - e->seen) < (s64)f->fresh)
			return;
		e->seen = now;
		unlink_age(f, i);
		link_newest(f, i);
		return;
	}
	if (i)
		drop(f, i);
	rp_add(i ? &f->pool[port].moved : &f->pool[port].learned, 1);
	add(f, key, port, now);
}

bool fdb_valid(const struct fdb *f, u32 i, u64 now)
{
	const struct fdb_entry *e = &f->entry[i];

	/* Two CPUs' clocks may differ a little. */
	return e->key && (s64)(now - e->seen) < (s64)f->age;
}

int fdb_find(const struct fdb *f, u64 key, u64 now)
{
	u32 i = find(f, key);

	return i && fdb_valid(f, i, now) ? (int)f->entry[i].port : -1;
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

	if (port >= 0)
		return flush_port(f, (u32)port, vlan);
	for (i = 0; i < f->ports; i++)
		n += flush_port(f, i, vlan);
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
