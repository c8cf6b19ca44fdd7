// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What errors of ICMP mean to a connection. Anybody can send one: it is believed only if it
 * quotes a segment that is on its way (RFC 5927, sec. 4), and never ends a connection that
 * stands (sec. 5.2). A path that is too narrow for a segment has the connection send shorter
 * ones (RFC 1191), and again what is on its way.
 */
#include "ctx.h"
#include "mem.h"

#include <netinet/ip_icmp.h>

#define HEADERS_BYTES	40u

/* Of routers that do not say how long a packet may be: the next of RFC 1191, sec. 7. */
static u32 plateau_below(u32 ip_bytes)
{
	static const u16 plateau[] = { 1492, 1006, NET_MTU_MIN };
	u32 i;

	for (i = 0; i + 1 < sizeof(plateau) / sizeof(plateau[0]) && plateau[i] >= ip_bytes; i++)
		;
	return plateau[i];
}

/* From what is not acknowledged yet to what was sent last. */
static bool is_on_its_way(const struct tcp_pcb *pcb, u32 seq)
{
	return TCP_SEQ_GEQ(seq, pcb->lastack) && TCP_SEQ_LT(seq, pcb->snd_nxt);
}

/* Shorter ones than IPv4 allows to expect everywhere leave without DF (output.c). */
static bool is_too_long(struct tcp_pcb *pcb, const struct net_quoted *q)
{
	u32 mtu = q->mtu ? q->mtu : plateau_below(q->ip_bytes);

	if (pcb->state < ESTABLISHED || q->ip_bytes <= mtu ||
	    q->ip_bytes > pcb->mss + HEADERS_BYTES)
		return false;
	mtu = mtu < NET_MTU_MIN ? NET_MTU_MIN : mtu;
	if (mtu - HEADERS_BYTES >= pcb->mss)
		return false;
	tcp_path_mss(pcb, (u16_t)(mtu - HEADERS_BYTES));
	return true;
}

static bool is_hard(const struct net_quoted *q)
{
	return q->type == ICMP_DEST_UNREACH &&
	       (q->code == ICMP_PROT_UNREACH || q->code == ICMP_PORT_UNREACH);
}

void net_tcp_error(struct dp_thread *t, struct dp_group *g, const struct net_quoted *q)
{
	struct net_group *ng = g->state;
	const ip_addr_t local = { ng->net->cfg.ip }, remote = { q->remote_ip };
	u64 trips = dp_mem_trips();
	struct tcp_pcb *pcb;

	net_enter(t, ng);
	pcb = tcp_find(&local, lwip_ntohs(q->port[0]), &remote, lwip_ntohs(q->port[1]));
	if (!pcb || !is_on_its_way(pcb, q->seq))
		dp_count(&ng->counts.errors_ignored, 1);
	else if (q->type == ICMP_DEST_UNREACH && q->code == ICMP_FRAG_NEEDED)
		dp_count(is_too_long(pcb, q) ? &ng->counts.shortened : &ng->counts.errors_ignored, 1);
	else if (is_hard(q) && pcb->state == SYN_SENT)
		tcp_abandon(pcb, 0);	/* nobody is there: sends nothing, tells the application */
	else
		dp_count(&ng->counts.errors_soft, 1);
	dp_count(&t->counts.shared, dp_mem_trips() - trips);
}
