// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads the counters of a chain. */
#include "chain/look.h"

#include "json.h"

/* Of our own ends, and of VMs by what ringpaced sees. */
static double kicks_of(const struct net_end *e, enum net_dir dir, const json_t *stats)
{
	if (!e)
		return json_number_at(stats, "kicks");
	return (double)rp_load(dir == NET_TX ? &e->tx[0].kicks : &e->rx[0].kicks);
}

static int look_at_hop(struct chain *c, u32 i, const json_t *pacers, struct hop_look *l)
{
	const struct chain_link *link = &c->link[i];
	const json_t *pacer = json_array_get(pacers, i);

	l->at_ns = now_ns();
	l->pacer_cpu_ns = json_number_at(pacer, "cpu_ns");
	l->pacer_waits = json_number_at(pacer, "waits");
	l->tx = net_daemon_stats(&c->daemon, link->tx_port, 1);
	l->rx = l->tx ? net_daemon_stats(&c->daemon, link->rx_port, 0) : NULL;
	l->tx_kicks = kicks_of(link->tx_end, NET_TX, l->tx);
	l->rx_kicks = kicks_of(link->rx_end, NET_RX, l->rx);
	return l->rx ? 0 : -1;
}

int chain_look(struct chain *c, struct chain_look *l)
{
	json_t *list = net_daemon_call(&c->daemon, "list", NULL);
	int rc = list ? 0 : -1;
	u32 i;

	l->at_ns = now_ns();
	worker_look(&c->generator.worker, &l->party[0]);
	for (i = 1; !rc && i < c->hops; i++)
		rc = c->p->lane->look(c, i, &l->party[i]);
	worker_look(&c->sink.worker, &l->party[c->hops]);
	for (i = 0; !rc && i < c->hops; i++)
		rc = look_at_hop(c, i, json_object_get(list, "pacers"), &l->hop[i]);
	json_decref(list);
	return rc;
}

void chain_look_free(struct chain_look *l)
{
	u32 i;

	for (i = 0; i < CHAIN_HOPS_MAX; i++) {
		json_decref(l->hop[i].tx);
		json_decref(l->hop[i].rx);
	}
}

/* Buffers that the device has: the later index is read last, so it is never less. */
static u16 with_device(const struct rp_vring *r)
{
	u16 used = rp_load_acquire(&r->used->idx), n;

	n = (u16)(rp_load_acquire(&r->avail->idx) - used);
	return n < r->num ? n : (u16)r->num;
}

/* A TX ring is filled by packets that the device has, an RX ring by those that it has not. */
static void add(const struct net_end *e, enum net_dir dir, struct fill *f)
{
	const struct rp_vring *r;
	u16 n;

	if (!e)
		return;
	r = &e->fe.queue[dir == NET_TX].ring;
	n = with_device(r);
	f->sum += (double)(dir == NET_TX ? n : r->num - n) / r->num;
	f->n++;
}

void chain_fill_look(const struct chain *c, struct chain_fill *f)
{
	u32 i;

	for (i = 0; i < c->hops; i++) {
		add(c->link[i].tx_end, NET_TX, &f->tx[i]);
		add(c->link[i].rx_end, NET_RX, &f->rx[i]);
	}
}
