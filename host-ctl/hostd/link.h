/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection to another daemon's control socket (docs/control.md).
 *
 * The loop tells that the other end has hung up, and nothing else: an answer that woke it
 * would cost more than the answer. Who asks comes back for it with link_take(), once for all
 * that came meanwhile. Nothing waits: a request that does not fit into the socket ends the
 * connection, and one that is not answered in time, too. It is made again every
 * LINK_RETRY_NS. Replies are matched by the request's id, which is its slot's number and a
 * count; a slot has one request under way at most.
 */
#ifndef HOSTD_LINK_H
#define HOSTD_LINK_H

#include <jansson.h>

#include "loop/loop.h"
#include "scan.h"

#define LINK_RETRY_NS	1000000000ULL
#define LINK_LINE_MAX	(1u << 20)
#define LINK_SLOTS	16u

struct link;

/* @result: borrowed; NULL: refused, with its @code. */
typedef void link_reply(void *ctx, const json_t *result, const char *code);
/* The same of what comes so often that it is not built. @result: .at NULL: refused. */
typedef void link_scan(void *ctx, struct scan result, const char *code);

struct link_slot {
	link_reply *reply;
	link_scan *scan;		/* instead */
	void *ctx;
	u32 count;
	bool waiting;
};

struct link {
	struct loop_source src;		/* .fd -1: not connected */
	struct loop *loop;
	const char *path;
	u64 timeout_ns, tried_ns, sent_ns;	/* sent: since when an answer is waited for */
	char *in;
	size_t in_bytes, in_size;
	u32 slots, waiting;
	struct link_slot slot[LINK_SLOTS];
	bool takes_fd;			/* one is asked for: others are closed as they come */
	int passed;			/* it has come, and is not taken yet; -1: none */
	u64 lost;			/* connections */
	bool told;
};

/* @loop: NULL: that it was hung up is seen by link_take() only. */
void link_init(struct link *l, const char *path, u64 timeout_ns, struct loop *loop);
void link_fini(struct link *l);
/* A new slot, or -1: there is none left. */
int link_slot(struct link *l, link_reply *reply, void *ctx);
int link_scan_slot(struct link *l, link_scan *scan, void *ctx);
/*
 * @args: members of a JSON object as text, without its braces; NULL: none. False: not sent, as
 * there is no connection or the one before is under way.
 */
bool link_send(struct link *l, u32 slot, const char *cmd, const char *args);
/* That text of an object, which it takes; to be freed. NULL: no memory. */
char *link_args(json_t *args);
/* Connects, or ends what has not answered. Call it every tick, before anything is sent. */
void link_tick(struct link *l, u64 now);
/*
 * The same, for an answer that a descriptor comes with, which link_take_fd() hands over to
 * the caller in the slot's function; -1: none has come.
 */
bool link_send_for_fd(struct link *l, u32 slot, const char *cmd);
int link_take_fd(struct link *l);
/* Hands out the answers that have come, if any is waited for. */
void link_take(struct link *l);
static inline bool link_up(const struct link *l)
{
	return l->src.fd >= 0;
}

#endif /* HOSTD_LINK_H */
