// SPDX-License-Identifier: GPL-2.0-or-later
/* Tables of RSS that are shared with who steers. */
#include "eth/rss_page.h"

#include <sys/mman.h>

#include "sock/sealed.h"

/* ---- The senders' main thread ---- */

int rss_share(struct rss *r)
{
	struct rss_page *p;
	int rc;

	if (r->page)
		return 0;
	rc = sealed_make(&r->shared, "ringpace-rss", sizeof(*p), false);
	if (rc)
		return rc;
	p = r->shared.mem;
	p->magic = RSS_PAGE_MAGIC;
	p->version = RSS_PAGE_VERSION;
	p->entries = r->entries;
	memcpy(p->pair, r->pair, sizeof(p->pair));
	/* Release: what is in it; pairs with the acquire in rss_page(). */
	rp_store_release(&r->page, p);
	rp_store_release(&r->table, p->pair);
	return 0;
}

void rss_end_share(struct rss *r)
{
	if (!r->page)
		return;
	rp_store(&r->page->ended, 1);
	/*
	 * Before the last look at entries; pairs with the one in rss_fence(), which is between
	 * an entry and the look at ->ended: it is seen here, or this is seen there.
	 */
	rp_mb();
}

void rss_take_over(struct rss *r, struct rss_config *c, u32 pairs)
{
	u32 i;

	for (i = 0; r->page && i < r->entries; i++) {
		u16 pair = rp_load(&r->page->pair[i]);

		if (pair == r->pair[i])
			continue;
		r->pair[i] = pair;
		if (c->entries == r->entries)
			c->pair[i] = (u16)(pair % pairs);
	}
}

void rss_put(struct rss *r, u32 entry, u32 pair)
{
	if (r->page)
		rp_store(&r->page->pair[entry], (u16)pair);
	rp_store(&r->pair[entry], (u16)pair);
}

/* ---- Who steers ---- */

const char *rss_page_open(struct rss_page **p, int fd, u32 entries)
{
	const char *why;
	size_t bytes;
	void *mem;

	why = sealed_open(fd, sizeof(**p), sizeof(**p), true, &mem, &bytes);
	if (why)
		return why;
	*p = mem;
	if (rp_load(&(*p)->magic) != RSS_PAGE_MAGIC)
		why = "it is no table of RSS";
	else if (rp_load(&(*p)->version) != RSS_PAGE_VERSION)
		why = "it is of another version";
	else if (rp_load(&(*p)->entries) != entries)
		why = "it has another number of entries";
	if (why)
		rss_page_close(*p);
	return why;
}

void rss_page_close(struct rss_page *p)
{
	if (p)
		munmap(p, sizeof(*p));
}

void rss_fence(const struct rss_page *p, struct rss_fence *f)
{
	u32 i;

	f->left = 0;
	/*
	 * Entries before the looks at turns and at ->ended; pairs with those in rss_page_enter()
	 * and rss_end_share().
	 */
	rp_mb();
	for (i = 0; i < RSS_PAGE_SENDERS; i++) {
		f->turn[i] = rp_load_acquire(&p->sender[i].turn);
		if (f->turn[i] & 1)
			f->left |= 1ULL << i;
	}
}

bool rss_passed(const struct rss_page *p, struct rss_fence *f)
{
	u64 left = f->left;

	for (; left; left &= left - 1) {
		u32 i = (u32)__builtin_ctzll(left);

		if (rp_load_acquire(&p->sender[i].turn) != f->turn[i])
			f->left &= ~(1ULL << i);
	}
	return !f->left;
}
