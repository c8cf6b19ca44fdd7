/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP connections as an application has them: functions that are called in the thread
 * that has the connection's flow group, and run to completion.
 *
 * All functions of one connection, and all connections of a flow group, are called by
 * one thread at a time; which thread it is may change between two calls.
 */
#ifndef DP_NET_CONN_H
#define DP_NET_CONN_H

#include "rp.h"

struct conn;
struct dp_group;
struct dp_thread;

struct conn_app {
	const char *name;
	/* It stands. Not 0: it is not wanted, and reset. May be NULL. */
	int (*opened)(struct conn *c);
	/*
	 * @bytes have come. How many of them are taken; the others are shown again, with
	 * what comes meanwhile, when more could be sent. The peer is held up by its window.
	 */
	u32 (*data)(struct conn *c, const u8 *data, u32 bytes);
	/* Some of what was sent has arrived: there is room again. May be NULL. */
	void (*sent)(struct conn *c);
	/* The peer sends no more, and all of it was taken. */
	void (*ended)(struct conn *c);
	/* What conn_limit() has set is over. NULL where it is not called. */
	void (*late)(struct conn *c);
	/* It is gone, however that came: the last call. May be NULL. */
	void (*closed)(struct conn *c);
};

/* The application's own; at first what it was opened with, or the station's app_arg. */
void conn_set_state(struct conn *c, void *state);
void *conn_state(const struct conn *c);
/* How much conn_send() would take now. */
u32 conn_room(const struct conn *c);
/* Copies what it takes, from the front of @data; less than @bytes: no room, or no memory. */
u32 conn_send(struct conn *c, const u8 *data, u32 bytes);
/* The same without a copy: @data stays as it is for as long as the station is there. */
u32 conn_send_kept(struct conn *c, const u8 *data, u32 bytes);
/* ->late is called after so long, unless this is called again. 0: not at all. */
void conn_limit(struct conn *c, u32 ms);
/*
 * Once the application's function has returned. conn_close(): after what was sent, with
 * a reset if the peer has sent what was not taken, or goes on sending. conn_end(): after
 * what was sent, what the peer still sends is thrown away, until it ends, too, or 10 s
 * pass in which it takes nothing. conn_abort(): at once, by RST.
 */
void conn_close(struct conn *c);
void conn_end(struct conn *c);
void conn_abort(struct conn *c);

/*
 * Shows again what was not taken, and does what was asked for meanwhile. By the thread
 * of the group, outside of such functions.
 */
void conn_resume(struct dp_thread *t, struct conn *c);

/* Answers each byte with itself. */
extern const struct conn_app conn_echo;

/*
 * Opens a connection from this group, whose thread calls: of the port's hash the replies
 * are of the same group. NULL: no port is free, or no memory.
 */
struct conn *conn_open(struct dp_thread *t, struct dp_group *g, u32 ip, u16 port,
		       const struct conn_app *app, void *arg);

#endif /* DP_NET_CONN_H */
