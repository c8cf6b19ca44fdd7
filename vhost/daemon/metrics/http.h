/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The metrics' endpoint: GET /metrics over HTTP, and nothing else.
 *
 * Theory of operation. libmicrohttpd has no thread: its epoll descriptor is a source
 * of the main loop, and so is a timer for its time-outs. So an answer is made by the
 * thread that answers the control socket, never by one that moves packets. A client
 * that is slow costs one answer's memory, and goes after METRICS_TIMEOUT_S.
 */
#ifndef RINGPACED_METRICS_HTTP_H
#define RINGPACED_METRICS_HTTP_H

#include <sys/types.h>

#include "loop/loop.h"
#include "metrics/address.h"
#include "metrics/format.h"

#define METRICS_CLIENTS_MAX	16u
#define METRICS_TIMEOUT_S	10u

struct MHD_Daemon;

struct metrics_http {
	struct loop *loop;
	metrics_maker *make;
	const void *of;
	const char *unix_path;
	struct MHD_Daemon *mhd;		/* NULL: not served */
	struct loop_source events;
	struct loop_source timer;	/* .fd -1: none */
};

/* Listens, and answers in @loop with what @make makes of @of. 0, or -1 with one line of why; then as if never called. */
int metrics_http_start(struct metrics_http *h, const struct metrics_address *a,
		       struct loop *loop, metrics_maker *make, const void *of, gid_t gid, char *why,
		       size_t why_bytes);
void metrics_http_stop(struct metrics_http *h);

#endif /* RINGPACED_METRICS_HTTP_H */
