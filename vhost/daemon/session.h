/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vhost-user socket, the one client behind it, and the memory that the client
 * shares: what every kind of device has in common.
 *
 * The session listens; one frontend at a time is its client. A message that
 * touches queues is processed with those queues parked; afterwards every queue
 * is told what holds now. A client that goes away or breaks the protocol loses
 * its connection, and the session listens on. All of it is the main thread's.
 *
 * Crash recovery: a device completes buffers in order and holds none while a
 * queue is parked, so used->idx says where to resume, whoever died.
 */
#ifndef RINGPACED_SESSION_H
#define RINGPACED_SESSION_H

#include <sys/types.h>

#include "loop/loop.h"
#include "queue_ring.h"
#include "vumsg.h"

#define SESSION_NAME_MAX	31

struct session;

/* A kind of device. */
struct session_ops {
	/* Virtio features, PROTOCOL_FEATURES included; fixed while there is a client. */
	u64 (*features)(const struct session *s);
	u64 protocol_features;
	/* Requests beyond every device's, by number: see vumsg_check(). */
	u64 requests;
	/* Fills in the device's configuration space; @config is zeroed. */
	void (*get_config)(const struct session *s, void *config, u32 bytes);
	/* The client has said what it takes; the queues are parked. NULL: no matter. */
	void (*features_set)(struct session *s, u64 features);
	/*
	 * One of ->requests. NULL, or why the connection must end. *@rc, if the client
	 * wants a reply: 0, or another value when what it asks for was not done.
	 */
	const char *(*message)(struct session *s, const VhostUserMsg *m, u64 *rc);
	/*
	 * Halts queue @i: its ring and descriptors are not used until sync().
	 * True if it has a ring; *@last_avail is then the next entry to take.
	 */
	bool (*park)(struct session *s, u32 i, u16 *last_avail);
	/*
	 * The queue is parked, and may run with what @ring says; NULL: it may
	 * not. @changed: the ring may have moved; otherwise only descriptors
	 * are new, and a ring keeps its state, also that of being given up.
	 */
	void (*sync)(struct session *s, u32 i, const struct queue_ring *ring, bool changed);
	/* All queues that were parked have been told: they may run. NULL: sync() did that. */
	void (*settle)(struct session *s);
	/* The client has gone: every queue ends. */
	void (*gone)(struct session *s);
};

struct session {
	const struct session_ops *ops;
	const char *name;		/* the device's, for log lines */
	const char *socket;
	u32 queue_count;
	struct loop *loop;
	struct loop_source listener;
	struct loop_source conn;	/* .fd -1: no client */
	VuDev vu;			/* while there is a client */
	struct vumsg_reader reader;
	char panic[160];		/* what the library complained about */
	struct rp_mem mem;
	int watched[RP_MEM_REGIONS_MAX];	/* sigbus ids, mem.count of them */
	struct dirty_log log;
	u8 status;			/* the device's, as the frontend has set it */
	bool status_reset;		/* to 0: no ring runs */
};

/* No socket yet. @name and @socket must outlive it. */
void session_init(struct session *s, const struct session_ops *ops, const char *name,
		  const char *socket, u32 queue_count);
/* Listens. 0, or -1 with one line of why. */
int session_listen(struct session *s, struct loop *loop, gid_t gid, char *why,
		   size_t why_bytes);
/* The client goes, and the socket. */
void session_fini(struct session *s);

static inline bool session_connected(const struct session *s)
{
	return s->conn.fd >= 0;
}

/* Closes the connection if the client took guest memory away. */
void session_check_memory(struct session *s);

/* 1 to 31 letters, digits, '-', '_' or '.'? */
bool session_name_ok(const char *name);

#endif /* RINGPACED_SESSION_H */
