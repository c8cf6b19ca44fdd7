// SPDX-License-Identifier: GPL-2.0-or-later
/* Moves frames from either port to the other. */
#include "l2fwd.h"

#include <rte_cycles.h>
#include <rte_mbuf.h>

/* A ring is at least so long; parameters must name one. */
#define QUEUE_LEN	256u

static void take(struct l2fwd_way *w, u32 max)
{
	w->next = 0;
	w->n = rte_eth_rx_burst(w->from->id, 0, w->held, (u16)max);
	rp_add(&w->from->received, w->n);
}

static void set_macs(const struct l2fwd_way *w)
{
	struct rte_ether_hdr *h;
	u16 i;

	for (i = 0; i < w->n; i++) {
		if (rte_pktmbuf_data_len(w->held[i]) < sizeof(*h))
			continue;
		h = rte_pktmbuf_mtod(w->held[i], struct rte_ether_hdr *);
		h->dst_addr = (struct rte_ether_addr){ { 2, 0, 0, 0, 0, (u8)w->to->id } };
		h->src_addr = w->to->mac;
	}
}

static u16 give(struct l2fwd_way *w)
{
	u16 n = rte_eth_tx_burst(w->to->id, 0, w->held + w->next, w->n - w->next);

	w->next += n;
	rp_add(&w->to->sent, n);
	return n;
}

static u32 move(struct l2fwd *f, struct l2fwd_way *w, u32 max)
{
	if (w->next == w->n) {
		take(w, max);
		if (f->macs)
			set_macs(w);
	}
	return w->n > w->next ? give(w) : 0;
}

static u32 work(struct rp_party *p, u32 max)
{
	struct l2fwd *f = p->ctx;
	u32 i, n = 0;

	for (i = 0; i < L2FWD_PORTS; i++)
		n += move(f, &f->way[i], max);
	if (n)
		p->now_tsc = rp_tsc();
	return n;
}

/* The driver of a port notifies its device itself, in rte_eth_tx_burst(). */
static bool peer_wants(struct rp_party *p)
{
	return false;
}

static void disarm(struct rp_party *p)
{
}

/* No notify, arm and ready: of these the strategies that l2fwd_options_check() lets pass use none. */
static const struct rp_ring_ops ring_ops = {
	.work = work,
	.peer_wants = peer_wants,
	.disarm = disarm,
};

static struct rp_params params_of(const struct l2fwd_options *o)
{
	return (struct rp_params){
		.strategy = (enum rp_strategy_id)rp_strategy_id_by_name(o->strategy),
		.role = RP_CONSUMER,
		.queue_len = QUEUE_LEN,
		.threshold = 1,
		.y_ns = o->y_ns,
	};
}

const char *l2fwd_options_check(const struct l2fwd_options *o)
{
	struct rp_params p = params_of(o);

	if (p.strategy != RP_SLEEP && p.strategy != RP_BUSY && p.strategy != RP_OVS_SLEEP)
		return "the strategy is not one of sleep, busy, ovs-sleep";
	if (!o->burst || o->burst > L2FWD_BURST_MAX)
		return "the burst is not in 1..64 frames";
	return rp_params_check(&p);
}

void l2fwd_init(struct l2fwd *f, u16 a, u16 b, const struct l2fwd_options *o,
		const struct rp_thread_ops *thread)
{
	const struct rp_params p = params_of(o);
	u32 i;

	memset(f, 0, sizeof(*f));
	f->port[0].id = a;
	f->port[1].id = b;
	for (i = 0; i < L2FWD_PORTS; i++) {
		rte_eth_macaddr_get(f->port[i].id, &f->port[i].mac);
		f->way[i].from = &f->port[i];
		f->way[i].to = &f->port[1 - i];
	}
	f->macs = o->macs;
	f->party.ring = &ring_ops;
	f->party.thread = thread;
	f->party.burst = o->burst;
	f->party.ctx = f;
	rp_party_init(&f->party, &p, rte_get_tsc_hz());
}

u32 l2fwd_held(const struct l2fwd *f)
{
	return (u32)(f->way[0].n - f->way[0].next) + (u32)(f->way[1].n - f->way[1].next);
}

void l2fwd_free(struct l2fwd *f)
{
	u32 i;

	for (i = 0; i < L2FWD_PORTS; i++) {
		struct l2fwd_way *w = &f->way[i];

		rte_pktmbuf_free_bulk(w->held + w->next, w->n - w->next);
		w->next = w->n;
	}
}
