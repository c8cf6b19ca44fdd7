// SPDX-License-Identifier: GPL-2.0-or-later
/* Contexts of lwIP: made and unmade, entered, and what they receive. */
#include "ctx.h"

#include <errno.h>
#include <netinet/in.h>
#include <sodium/crypto_shorthash.h>
#include <sodium/randombytes.h>
#include <stdlib.h>

#include "frag.h"
#include "hooks.h"
#include "lwip/inet_chksum.h"
#include "lwip/ip.h"
#include "lwip/netif.h"
#include "mem.h"

#define ETH_BYTES	14u
#define TCP_BYTES	20u
/* Up to here a copy costs less than to hold the port's buffer. */
#define COPY_BYTES	512u

static _Thread_local struct dp_thread *thread;

void net_enter(struct dp_thread *t, struct net_group *ng)
{
	thread = t;
	lwip_ctx = &ng->lwip;
}

struct dp_thread *net_thread(void)
{
	return thread;
}

struct net_counts *net_group_counts(struct dp_group *g)
{
	struct net_group *ng = g->state;

	return &ng->counts;
}

struct net_slow *net_group_slow(struct dp_group *g)
{
	struct net_group *ng = g->state;

	return &ng->slow;
}

/* A clock of 4 us plus a secret of the connection: RFC 6528. */
u32_t dp_tcp_isn(const ip_addr_t *local_ip, u16_t local_port, const ip_addr_t *remote_ip,
		 u16_t remote_port)
{
	struct net_group *ng = net_group_of(lwip_ctx);
	struct {
		u32 ip[2];
		u16 port[2];
	} in = { { local_ip->addr, remote_ip->addr }, { local_port, remote_port } };
	u64 out;

	crypto_shorthash((u8 *)&out, (u8 *)&in, sizeof(in), ng->net->isn_key);
	return (u32)out + (u32)(ng->g->wheel.tick * (DP_TICK_NS / 4000));
}

static void timeout(struct dp_timer *tm, void *t)
{
	struct tcp_pcb *pcb = (struct tcp_pcb *)((char *)tm - offsetof(struct tcp_pcb, timer));

	net_enter(t, net_group_of(pcb->ctx));
	tcp_pcb_tmr(pcb);
}

/* ---- In ---- */

/* The end of a packet that the port wrote and TCP has not read yet. */
struct held {
	struct pbuf_custom pbuf;
	struct dp_pkt *p;
	struct net_group *ng;
};

static void let_go(struct pbuf *p)
{
	struct held *h = (struct held *)((char *)p - offsetof(struct held, pbuf.pbuf));

	h->ng->held--;
	dp_release(thread, h->p);
	dp_mem_free(h);
}

/* @bytes at @at of the packet, behind @head; false: no memory. Takes the packet if not. */
static bool hold(struct net_group *ng, struct pbuf *head, struct dp_pkt *p, u32 at, u32 bytes)
{
	struct held *h = dp_mem_alloc(sizeof(*h));
	struct pbuf *tail;

	if (!h)
		return false;
	*h = (struct held){ .pbuf.custom_free_function = let_go, .p = p, .ng = ng };
	tail = pbuf_alloced_custom(PBUF_RAW, (u16)bytes, PBUF_REF, &h->pbuf, p->data + at,
				   (u16)bytes);
	ng->held++;
	pbuf_cat(head, tail);
	return true;
}

/* TCP's header, of what was copied. 0: it is none. */
static u32 header_bytes(const struct net_frame *f)
{
	const struct tcp_hdr *th = (const void *)(f->front + ETH_BYTES + f->ip_bytes);
	u32 bytes;

	if (f->l4_bytes < TCP_BYTES)
		return 0;
	bytes = TCPH_HDRLEN_BYTES(th);
	return bytes >= TCP_BYTES && bytes <= f->l4_bytes ? bytes : 0;
}

/* The segment: its header and short data copied, long data where the port has put it. */
static struct pbuf *segment_of(struct net_group *ng, struct net_frame *f, u32 header)
{
	u32 at = ETH_BYTES + f->ip_bytes, rest = f->l4_bytes - header;
	bool copy = rest <= COPY_BYTES || ng->held >= ng->net->port->spare / ng->net->groups;
	struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16)(copy ? f->l4_bytes : header), PBUF_RAM);

	if (!p)
		return NULL;
	dp_copy_short(p->payload, f->front + at, header);
	if (copy)
		dp_copy_short((u8 *)p->payload + header, f->p->data + at + header, rest);
	else if (hold(ng, p, f->p, at + header, rest))
		f->p = NULL;
	else {
		pbuf_free(p);
		return NULL;
	}
	return p;
}

static void set_addresses(struct net *net, const struct net_frame *f)
{
	const struct ip_hdr *ip = (const void *)(f->front + ETH_BYTES);

	ip_data.current_netif = ip_data.current_input_netif = net->nif;
	ip_data.current_ip4_header = ip;
	ip_data.current_ip_header_tot_len = (u16)f->ip_bytes;
	ip_addr_copy_from_ip4(ip_data.current_iphdr_src, ip->src);
	ip_addr_copy_from_ip4(ip_data.current_iphdr_dest, ip->dest);
}

void net_tcp_input(struct dp_thread *t, struct dp_group *g, struct net_frame *f)
{
	struct net_group *ng = g->state;
	u32 header = header_bytes(f);
	u64 trips = dp_mem_trips();
	struct pbuf *p = NULL;
	bool sound = f->p->sound;

	net_enter(t, ng);
	set_addresses(ng->net, f);
	if (header)
		p = segment_of(ng, f, header);
	if (f->p)
		dp_release(t, f->p);
	if (!header) {
		dp_count(&ng->counts.malformed, 1);
	} else if (!p) {
		dp_count(&ng->counts.no_memory, 1);
	} else if (!sound && ip_chksum_pseudo(p, IPPROTO_TCP, p->tot_len, ip_current_src_addr(),
					      ip_current_dest_addr())) {
		dp_count(&ng->counts.malformed, 1);
		pbuf_free(p);
	} else {
		tcp_input(p, ng->net->nif);
	}
	dp_count(&t->counts.shared, dp_mem_trips() - trips);
}

/* ---- Groups ---- */

static int listen_in(struct net_group *ng)
{
	struct tcp_pcb *pcb, *lpcb;
	err_t err;

	if (!ng->net->cfg.port)
		return 0;
	pcb = tcp_new();
	if (!pcb)
		return -ENOMEM;
	err = tcp_bind(pcb, IP_ANY_TYPE, ng->net->cfg.port);
	lpcb = tcp_listen_with_backlog_and_err(pcb, 0, &err);
	if (!lpcb) {
		tcp_abort(pcb);
		return -ENOMEM;
	}
	tcp_arg(lpcb, ng);
	tcp_accept(lpcb, conn_accept);
	return 0;
}

int net_group_open(struct dp *dp, struct dp_group *g)
{
	struct net *net = dp->cfg.app_arg;
	struct net_group *ng = calloc(1, sizeof(*ng));

	if (!ng || lwip_ctx_init(&ng->lwip, net->hash_key, &g->wheel, timeout)) {
		free(ng);
		return -ENOMEM;
	}
	ng->lwip.netif = net->nif;
	ng->net = net;
	ng->g = g;
	g->state = ng;
	net_enter(NULL, ng);
	if (!listen_in(ng))
		return 0;
	net_group_close(dp, g);
	return -ENOMEM;
}

/* Connections go without a word: there is nobody who would send it. */
void net_group_close(struct dp *dp, struct dp_group *g)
{
	struct net_group *ng = g->state;

	net_enter(&dp->threads[0], ng);
	net_frag_close(g);
	while (ng->lwip.active_pcbs)
		tcp_abandon(ng->lwip.active_pcbs, 0);
	while (ng->lwip.tw_pcbs)
		tcp_abandon(ng->lwip.tw_pcbs, 0);
	while (ng->lwip.listen_pcbs.pcbs)
		tcp_close(ng->lwip.listen_pcbs.pcbs);
	lwip_ctx_fini(&ng->lwip);
	g->state = NULL;
	free(ng);
}

/* ---- The station ---- */

static err_t init_nif(struct netif *nif)
{
	struct net *net = nif->state;

	nif->name[0] = 'd';
	nif->name[1] = 'p';
	nif->mtu = (u16)net_mtu(net);
	nif->output = net_output;
	nif->flags |= NETIF_FLAG_BROADCAST | NETIF_FLAG_LINK_UP;
	if (net->port->sums)
		NETIF_SET_CHECKSUM_CTRL(nif, NETIF_CHECKSUM_ENABLE_ALL &
					     ~NETIF_CHECKSUM_GEN_TCP);
	return ERR_OK;
}

struct net *net_new(const struct net_config *cfg, struct dp_port *port, u32 groups)
{
	const ip4_addr_t ip = { cfg->ip }, mask = { cfg->mask }, gateway = { cfg->gateway };
	struct lwip_ctx some = { 0 };
	struct net *net = calloc(1, sizeof(*net));

	if (!net)
		return NULL;
	net->cfg = *cfg;
	net->port = port;
	net->groups = groups;
	net->nif = calloc(1, sizeof(*net->nif));
	if (!net->nif) {
		free(net);
		return NULL;
	}
	randombytes_buf(net->isn_key, sizeof(net->isn_key));
	randombytes_buf(&net->hash_key, sizeof(net->hash_key));
	arp_init(&net->arp);
	/* Any will do. */
	lwip_ctx = &some;
	netif_add(net->nif, &ip, &mask, &gateway, net, init_nif, NULL);
	netif_set_up(net->nif);
	lwip_ctx = NULL;
	return net;
}

void net_free(struct net *net)
{
	free(net->nif);
	free(net);
}
