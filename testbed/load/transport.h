/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the load generator's bytes reach a server. A transport has numbered connections
 * and belongs to one thread. Nothing but wait() blocks. Errors are negative errno.
 */
#ifndef LOAD_TRANSPORT_H
#define LOAD_TRANSPORT_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "rp.h"

struct load_event {
	u32 conn;
	bool in, out;		/* there may be something to receive; room to send */
};

struct load_transport;

struct load_transport_ops {
	/* 0: begun; an event with ->out comes when it is through, or has failed. */
	int (*connect)(struct load_transport *t, u32 conn);
	/* 0: it is. -EAGAIN: not yet. */
	int (*connected)(struct load_transport *t, u32 conn);
	/* How many bytes were taken; of a datagram, all or -EAGAIN. */
	ssize_t (*send)(struct load_transport *t, u32 conn, const u8 *data, size_t n);
	/* How many came, of a datagram all that fit; -EAGAIN: none. 0 is a stream's end. */
	ssize_t (*receive)(struct load_transport *t, u32 conn, u8 *data, size_t n);
	void (*close)(struct load_transport *t, u32 conn);
	/* Are events with ->out wanted of a connection that is open? */
	void (*want_out)(struct load_transport *t, u32 conn, bool on);
	/* Events, at most @max; waits for the first @timeout_ns at most, or for less. */
	u32 (*wait)(struct load_transport *t, struct load_event *ev, u32 max, u64 timeout_ns);
	void (*free)(struct load_transport *t);
};

struct load_transport {
	const struct load_transport_ops *ops;
};

struct load_target {
	const char *name;	/* as the user gave it */
	bool datagram;
	bool spin;		/* wait() never sleeps */
	struct sockaddr_storage addr;
	socklen_t addr_bytes;
	/* Of a port, beside the address */
	const char *socket;
	u8 mac[2][6];		/* ours, the server's */
	struct in_addr own_ip;
};

/* "HOST:PORT" or "[HOST]:PORT" into @t->addr. NULL, or why not. */
const char *load_target_resolve(struct load_target *t);
#endif /* LOAD_TRANSPORT_H */
