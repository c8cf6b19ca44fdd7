/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP of a flow group: a context of lwIP, its thread's for as long as it has the group. */
#ifndef DP_NET_CTX_H
#define DP_NET_CTX_H

#include "net.h"

#include "lwip/priv/tcp_priv.h"
#include "lwip/tcp.h"

struct net_group {
	struct lwip_ctx lwip;
	struct net *net;
	struct dp_group *g;
	u32 held;		/* packets of the port that wait to be read */
	struct net_counts counts;
	struct net_slow slow;
};

static inline struct net_group *net_group_of(struct lwip_ctx *ctx)
{
	return (struct net_group *)((char *)ctx - offsetof(struct net_group, lwip));
}

/* Whoever calls into lwIP enters first. @t NULL: nothing is sent. */
void net_enter(struct dp_thread *t, struct net_group *ng);
/* Who has entered. */
struct dp_thread *net_thread(void);

/* conn.c: of a listener. */
err_t conn_accept(void *arg, struct tcp_pcb *pcb, err_t err);

/* super.c: into the frame before, if that goes; false: it needs one of its own. */
bool net_join(struct net *net, struct dp_thread *t, struct pbuf *p);

/* output.c: a netif's. */
err_t net_output(struct netif *nif, struct pbuf *p, const ip4_addr_t *to);

#endif /* DP_NET_CTX_H */
