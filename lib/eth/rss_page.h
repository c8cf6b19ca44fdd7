/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table of RSS in memory that is shared by those who send by it, a daemon's threads, and
 * who steers, another process, which moves entries without asking anybody.
 *
 * Theory of operation. Who steers writes entries, and then waits for each sender that is in a
 * turn in which it may have read what was there before (rss_fence(), rss_passed()). A sender
 * tells of a turn by its own number: odd within one, even between two. Either it is seen to be
 * in a turn, or its next one sees the new entries: each side writes, has a barrier, and reads.
 * So when rss_passed() says so, all that went by the old entries is where it was to go, and
 * nobody was woken or asked.
 *
 * Senders trust nothing of it. What an entry names is taken modulo the pairs that there are,
 * and each keeps its own number: who steers can only deceive itself.
 *
 * A page is of one table (struct rss). When that is replaced the page has ended: entries that
 * were written before are taken over, and who has written one and does not find the page ended
 * after that can be sure of it. Otherwise it has to say so in another way, and ask for another
 * page.
 *
 * Numbers are the machine's own, in its byte order.
 */
#ifndef RP_RSS_PAGE_H
#define RP_RSS_PAGE_H

#include <stddef.h>

#include "eth/rss.h"

#define RSS_PAGE_MAGIC		0x737372007072ULL	/* "rp\0rss" */
/* Grows when anything of the page changes its place or meaning. */
#define RSS_PAGE_VERSION	1u
#define RSS_PAGE_SENDERS	64u

struct rss_page {
	u64 magic;
	u32 version;
	u32 entries;			/* of ->pair[] */
	u32 ended;			/* 1: nobody goes by it any more */
	u8 unused[44];
	struct {
		u64 turn;
		u8 unused[56];		/* a cache line each */
	} sender[RSS_PAGE_SENDERS];
	u16 pair[RSS_ENTRIES_MAX];	/* relaxed */
};

_Static_assert(offsetof(struct rss_page, sender) == 64 &&
	       offsetof(struct rss_page, pair) == 64 * (1 + RSS_PAGE_SENDERS),
	       "the layout is fixed");

/* ---- Senders ---- */

/* A thread that sends by tables, of any number of pages. */
struct rss_sender {
	u32 index;			/* in pages */
	u64 turns;			/* even */
};

static inline void rss_page_enter(struct rss_page *p, const struct rss_sender *s)
{
	/* Release: who waits for the turn before may see no more of its end than this. */
	rp_store_release(&p->sender[s->index].turn, s->turns + 1);
	/* Its turn before what it reads of the table; pairs with the one in rss_fence(). */
	rp_mb();
}

static inline void rss_page_leave(struct rss_page *p, const struct rss_sender *s)
{
	/* Release: what it has sent before that; pairs with the acquires of who steers. */
	rp_store_release(&p->sender[s->index].turn, s->turns + 2);
}

/* After it has left all pages that it had entered. */
static inline void rss_sender_done(struct rss_sender *s)
{
	s->turns += 2;
}

/* ---- Their main thread ---- */

/*
 * Has @r, which is in use and goes on as it is, share its table. 0 or -errno. The page is for
 * others only when all senders have ended the turns in which they were.
 */
int rss_share(struct rss *r);
/* Of one that nobody sends by any more: its page, if it has one, has ended. */
void rss_end_share(struct rss *r);
/*
 * Has @c, from which @r was made, say what who steers has written since, modulo @pairs. An
 * entry that was not written keeps what @c says.
 */
void rss_take_over(struct rss *r, struct rss_config *c, u32 pairs);
/* Puts @entry to @pair, for senders and for rss_take_over(). */
void rss_put(struct rss *r, u32 entry, u32 pair);

/* ---- Who steers ---- */

/* Senders that are waited for. */
struct rss_fence {
	u64 left;			/* a bit each */
	u64 turn[RSS_PAGE_SENDERS];
};

/* Maps what has been passed, of @entries. NULL, or why not. rss_page_close() undoes it. */
const char *rss_page_open(struct rss_page **p, int fd, u32 entries);
void rss_page_close(struct rss_page *p);
/* Entries have been written, relaxed. */
void rss_fence(const struct rss_page *p, struct rss_fence *f);
/* Has everybody ended its turn who was waited for? */
bool rss_passed(const struct rss_page *p, struct rss_fence *f);
/* After rss_fence(): is it no good for what was written? */
static inline bool rss_page_ended(const struct rss_page *p)
{
	return rp_load_acquire(&p->ended);
}

#endif /* RP_RSS_PAGE_H */
