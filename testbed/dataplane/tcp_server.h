/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Servers on TCP that are measured beside each other, each with one thread on the second
 * CPU, started for a measurement and stopped behind it: one that waits for nobody still
 * takes CPU time. We are in the near namespace:
 *
 *	us ── tap rpt0, ringpaced, port b ── rp-dataplane 10.99.0.2
 *	us ── veth ── memcached 10.98.0.2, in the far namespace
 *	a guest of ours ── port a, ringpaced, port b ── rp-dataplane 10.99.0.2
 *
 * Ringpaced's pacer is on the second CPU as well: all that the server's side takes. Functions
 * return 0, or -1 after fail().
 */
#ifndef DATAPLANE_TCP_SERVER_H
#define DATAPLANE_TCP_SERVER_H

#include "dataplane/own_net.h"
#include "dataplane/rig.h"

struct tcp_server {
	pid_t pid;		/* rp-dataplane or memcached */
	pid_t port_pid;		/* ringpaced, of the former; else -1 */
	char target[40];	/* ADDRESS:PORT */
	const char *socket;	/* of port a, for a guest; NULL: over the kernel's sockets */
	char log[200];
	struct dp_rig *rig;	/* of rp-dataplane, else NULL */
};

/* Of an idle thread of rp-dataplane: one of the first two is 0. */
struct tcp_server_pacing {
	u64 sleep_ns, dmax_ns;
	u64 port_dmax_ns;	/* of ringpaced's ports; 0: as it has it */
};

enum tcp_server_way { BY_TAP, BY_PORT };

/*
 * Starts it, and waits until it takes connections; a port does without being in the near
 * namespace. @app: `echo` or `kv`. tcp_server_stop() undoes it in both cases.
 */
int tcp_server_dataplane(struct tcp_server *s, const char *app, const struct tcp_server_pacing *p,
			 enum tcp_server_way way);
int tcp_server_memcached(struct tcp_server *s, const struct own_net *net, const char *program,
			 u32 connections);
void tcp_server_stop(struct tcp_server *s);

/* Of $PATH, or what scripts/unpacked has brought into the cache; static. NULL after fail(). */
const char *tcp_server_find_memcached(void);

#endif /* DATAPLANE_TCP_SERVER_H */
