/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clients of the control socket.
 *
 * A client that writes slowly or never reads costs one line of input and one
 * reply: no request of its is looked at while a reply is still to be written.
 */
#ifndef RINGPACED_CLIENTS_H
#define RINGPACED_CLIENTS_H

#include "control.h"
#include "loop/loop.h"

#define CLIENTS_MAX	64u

struct client;

struct clients {
	struct loop *loop;
	struct devices *devices;
	struct loop_source listener;	/* .fd -1: none */
	const char *path;
	struct client *first;
	u32 count;
};

/* 0, or -1 with one line of why. */
int clients_listen(struct clients *cs, const char *path, struct loop *loop,
		   struct devices *devices, gid_t gid, char *why,
		   size_t why_bytes);
void clients_fini(struct clients *cs);

#endif /* RINGPACED_CLIENTS_H */
