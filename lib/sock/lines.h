/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who gives orders to a daemon: clients of a Unix socket, and character devices beside it.
 * A line in, a line out.
 *
 * Theory of operation. A client has a buffer of input and one reply at most. A line that is
 * whole is answered by the owner, and until the reply is written no further line of that
 * client is looked at, and nothing more is read from it: who writes slowly, or never reads,
 * costs a line and a reply, and nobody waits for it. After LINES_AT_ONCE lines of one client
 * the others have their turn. A line that is too long is refused as soon as it is, and read
 * on to its end. Each byte is moved and looked at about once, however short the pieces are
 * that it comes in. A client that sends no more still gets the replies to what it has sent;
 * half a line is no order. Who may connect is the socket's mode.
 *
 * A device is there for good, whoever comes and goes at its other end. While nobody is there
 * it would be ready all the time, with nothing: it is not in the loop then, and looked at
 * every LINES_AWAY_NS. A reply is offered to it every LINES_RETRY_NS until it is taken, for
 * LINES_PATIENCE_NS: that nobody is there is no reason to give up at once, as a virtio-serial
 * port tells of who comes and goes later than it hands over what they send.
 *
 * All of it is the thread's that turns the loop; nothing waits.
 */
#ifndef RP_LINES_H
#define RP_LINES_H

#include <sys/types.h>

#include "loop/loop.h"

#define LINES_BYTES_MAX		65536u	/* of a line, without its end */
#define LINES_AT_ONCE		16u
#define LINES_AWAY_NS		100000000ull
#define LINES_RETRY_NS		1000000ull
#define LINES_PATIENCE_NS	1000000000ull

/* What the owner knows a client by. */
struct lines_peer {
	void *of;		/* the owner's, NULL at first */
	/*
	 * Set by ->answer(), a copy goes with the first byte of that reply; -1: none does. It
	 * stays the owner's.
	 */
	int fd;
	bool passes;		/* it can get descriptors, which a device cannot */
};

enum lines_limit {
	LINES_TOO_LONG,		/* a line of more than LINES_BYTES_MAX */
	LINES_TOO_MANY,		/* clients: this one is turned away */
};

/* Replies are text without an end of line, to be freed here; NULL, no memory, ends the client. */
struct lines_owner {
	u32 clients_max;
	char *(*answer)(void *ctx, struct lines_peer *peer, const char *line, size_t bytes);
	char *(*refuse)(enum lines_limit limit);
	/* The client has gone, or, of a device, who was at its other end. NULL: nothing to do. */
	void (*gone)(struct lines_peer *peer);
};

struct lines_client;

struct lines {
	struct loop *loop;
	const struct lines_owner *owner;
	void *ctx;
	struct loop_source listener;
	const char *path;
	struct lines_client *first;
	u32 clients;			/* devices are none */
};

/*
 * Listens on @path, as sock_listen() has it; @path and @owner stay the caller's, until
 * lines_close(). 0, or -1 with one line of why.
 */
int lines_open(struct lines *l, const char *path, gid_t gid, struct loop *loop,
	       const struct lines_owner *owner, void *ctx, char *why, size_t why_bytes);
/* Takes orders from the device @fd, too, which does not block, and closes it. 0 or -errno. */
int lines_add_device(struct lines *l, int fd);
/* Sees to devices that are not in the loop. When to do so again, in ns from now; -1: no need. */
s64 lines_look(struct lines *l);
/* Harmless when @l is all zero, when lines_open() failed, and twice. */
void lines_close(struct lines *l);

#endif /* RP_LINES_H */
