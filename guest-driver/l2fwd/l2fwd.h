/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A forwarder between two ports of DPDK's, in bursts.
 *
 * Theory of operation. There are two ways, from either port to the other. What a way has
 * taken and its port did not take from it is held and goes first; until then the way takes
 * nothing more. So a full ring holds its sender up: nothing is lost and nothing overtakes.
 * Both ways together are a party (pacing/party.h): one that found nothing to move on
 * either spins or sleeps, as its strategy says. There is nothing to block on, since such
 * ports have their notifications off.
 *
 * Context: one thread steps; counters may be read by others at any time.
 */
#ifndef L2FWD_H
#define L2FWD_H

#include <rte_ethdev.h>
#include <rte_ether.h>

#include "pacing/party.h"

#define L2FWD_PORTS		2u
#define L2FWD_BURST_MAX		64u

struct l2fwd_port {
	u16 id;
	struct rte_ether_addr mac;
	u64 received, sent;	/* frames */
};

struct l2fwd_way {
	struct l2fwd_port *from, *to;
	struct rte_mbuf *held[L2FWD_BURST_MAX];
	u16 next, n;		/* of ->held: the first that is left, and their end */
};

struct l2fwd {
	struct rp_party party;
	struct l2fwd_port port[L2FWD_PORTS];
	struct l2fwd_way way[L2FWD_PORTS];
	/* As DPDK's l2fwd: to 02:00:00:00:00:PORT, from the port's own address. */
	bool macs;
};

struct l2fwd_options {
	const char *strategy;	/* one that never blocks */
	u64 y_ns;		/* of its sleeps */
	u32 burst;		/* frames, 1..L2FWD_BURST_MAX */
	bool macs;		/* rewrite both addresses of each frame */
};

/* NULL when @o is good, else why not. */
const char *l2fwd_options_check(const struct l2fwd_options *o);

/*
 * Between the ports @a and @b, which are started. @o was checked. @thread is that of
 * rp_party_run(&f->party).
 */
void l2fwd_init(struct l2fwd *f, u16 a, u16 b, const struct l2fwd_options *o,
		const struct rp_thread_ops *thread);
/* Drops what is held. */
void l2fwd_free(struct l2fwd *f);

/* Frames that are held now; the thread's own question. */
u32 l2fwd_held(const struct l2fwd *f);

/*
 * Configures and starts both ports: one queue pair each, as many of @slots as they have,
 * buffers of a pool of their own. NULL, or what failed; rte_errno says why.
 */
const char *l2fwd_ports_start(u16 a, u16 b, u16 slots);
void l2fwd_ports_stop(u16 a, u16 b);
/* Do both have their carrier? */
bool l2fwd_ports_up(u16 a, u16 b);

#endif /* L2FWD_H */
