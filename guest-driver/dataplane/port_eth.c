// SPDX-License-Identifier: GPL-2.0-or-later
/* A port of DPDK's. */
#include "port_eth.h"

#include <errno.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdlib.h>

#include "eth/rss.h"
#include "steer_ctl.h"
#include "virtio_look.h"

#define CACHE		128u
/* Of each flow group, received packets that an application has not read yet. */
#define SPARE		8u
/* What it takes to have long frames cut. */
#define SUPER		(RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_MULTI_SEGS)

struct eth_port {
	struct dp_port port;
	u16 id;
	bool started;
	bool interrupts;		/* of its receive queues */
	u16 tx_slots;
	u32 entries;
	struct rte_mempool *pool;
	u8 *key;			/* the hash's */
	u64 super_flags;		/* of mbufs that the device cuts */
	struct rss *rss;		/* for frames whose hash the device does not tell */
	struct steer_ctl ctl;		/* ->path NULL: the device steers */
	struct dp_port_ops ops;		/* of them those that this device has */
	struct eth_queue {
		struct virtio_look rx, tx;
	} *queue;			/* each its thread's */
};

static struct eth_port *eth_of(struct dp_port *port)
{
	return (struct eth_port *)((char *)port - offsetof(struct eth_port, port));
}

/* A packet is in the private area behind its mbuf's head. */
static struct rte_mbuf *mbuf_of(struct dp_pkt *p)
{
	return (struct rte_mbuf *)((char *)p - sizeof(struct rte_mbuf));
}

/* The peer may write to the frame at any time: what is hashed is a copy. */
static bool soft_hash(const struct eth_port *e, const struct rte_mbuf *m, u32 *hash)
{
	u8 front[RSS_FRONT_BYTES];
	u32 have = m->data_len < sizeof(front) ? m->data_len : sizeof(front);

	if (likely(have >= RSS_PLAIN_BYTES)) {
		memcpy(front, rte_pktmbuf_mtod(m, const u8 *), RSS_PLAIN_BYTES);
		if (likely(rss_hash_plain(e->rss, front, hash)))
			return true;
	}
	memcpy(front, rte_pktmbuf_mtod(m, const u8 *), have);
	return rss_hash_front(e->rss, front, have, hash);
}

static struct dp_pkt *packet_of(const struct eth_port *e, struct rte_mbuf *m)
{
	struct dp_pkt *p = rte_mbuf_to_priv(m);

	p->data = rte_pktmbuf_mtod(m, u8 *);
	p->bytes = m->data_len;
	p->hash = m->hash.rss;
	p->sound = (m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD ||
		   (m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_NONE;
	p->sum_from = 0;
	p->seg_bytes = 0;
	p->card = 0;
	p->drop = NULL;
	p->loose = !(m->ol_flags & RTE_MBUF_F_RX_RSS_HASH) && !soft_hash(e, m, &p->hash);
	return p;
}

/*
 * Drivers may return fewer than there are, for the sake of cache lines, so that
 * only 0 says that a queue is empty.
 */
static u32 eth_rx(struct dp_port *port, u32 queue, struct dp_pkt **p, u32 max)
{
	struct eth_port *e = eth_of(port);
	struct virtio_look *l = &e->queue[queue].rx;
	struct rte_mbuf *m[64];
	u32 n = 0, got, i;

	do {
		u32 room = max - n < 64 ? max - n : 64;
		u16 used = l->used ? rp_load(l->used) : 0;

		got = rte_eth_rx_burst(e->id, (u16)queue, m, (u16)room);
		for (i = 0; i < got; i++)
			rte_prefetch0(rte_pktmbuf_mtod(m[i], u8 *));
		for (i = 0; i < got; i++) {
			l->taken += m[i]->nb_segs;
			p[n++] = packet_of(e, m[i]);
		}
		/* Whatever the driver has dropped itself: all was taken. */
		if (!got)
			l->taken = used;
	} while (got && n < max);
	return n;
}

/* ---- What waits, and what has left ---- */

static bool virtio_left(struct dp_port *port, u32 queue, u32 since)
{
	return virtio_look_out(&eth_of(port)->queue[queue].tx) <= since;
}

static u32 virtio_depth(struct dp_port *port, u32 queue)
{
	return virtio_look_in(&eth_of(port)->queue[queue].rx);
}

/* The descriptor that was written @since packets ago; those before it were done first. */
static bool eth_left(struct dp_port *port, u32 queue, u32 since)
{
	const struct eth_port *e = eth_of(port);

	return since + 1u >= e->tx_slots ||
	       rte_eth_tx_descriptor_status(e->id, (u16)queue, (u16)(e->tx_slots - 1 - since)) ==
	       RTE_ETH_TX_DESC_DONE;
}

static u32 eth_depth(struct dp_port *port, u32 queue)
{
	int n = rte_eth_rx_queue_count(eth_of(port)->id, (u16)queue);

	return n > 0 ? (u32)n : 0;
}

static int eth_interrupt_fd(struct dp_port *port, u32 queue)
{
	return rte_eth_dev_rx_intr_ctl_q_get_fd(eth_of(port)->id, (u16)queue);
}

static void eth_interrupt(struct dp_port *port, u32 queue, bool on)
{
	if (on)
		rte_eth_dev_rx_intr_enable(eth_of(port)->id, (u16)queue);
	else
		rte_eth_dev_rx_intr_disable(eth_of(port)->id, (u16)queue);
}

static void eth_interrupt_take(struct dp_port *port, u32 queue)
{
	dp_port_take_eventfd(eth_interrupt_fd(port, queue));
}

static void eth_join(struct dp_port *port, struct dp_pkt *head, struct dp_pkt *next)
{
	struct rte_mbuf *m = mbuf_of(head), *n = mbuf_of(next);

	if (m->nb_segs == 1)
		m->data_len = (u16)(m->pkt_len = head->bytes);
	n->data_len = (u16)(n->pkt_len = next->bytes);
	rte_pktmbuf_chain(m, n);
}

static struct rte_mbuf *to_send(const struct eth_port *e, struct dp_pkt *p)
{
	struct rte_mbuf *m = mbuf_of(p);

	/* One that was received in pieces goes as it came. */
	if (m->nb_segs == 1)
		m->data_len = (u16)(m->pkt_len = p->bytes);
	if (!p->sum_from)
		return m;
	/* All fields at once: one that is set beside another is waited for when it is read. */
	m->tx_offload = rte_mbuf_tx_offload(RTE_ETHER_HDR_LEN, p->sum_from - RTE_ETHER_HDR_LEN,
					    sizeof(struct rte_tcp_hdr), p->seg_bytes, 0, 0, 0);
	m->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM;
	if (p->seg_bytes)
		m->ol_flags |= e->super_flags;
	return m;
}

static u32 eth_tx(struct dp_port *port, u32 queue, struct dp_pkt **p, u32 n)
{
	struct eth_port *e = eth_of(port);
	struct rte_mbuf *m[64];
	u32 sent = 0, i;

	while (sent < n) {
		u32 part = n - sent < 64 ? n - sent : 64, took = part;
		bool cuts = false;

		for (i = 0; i < part; i++) {
			m[i] = to_send(e, p[sent + i]);
			cuts |= p[sent + i]->seg_bytes;
		}
		/* Checksums of what is cut are as the device needs them. */
		if (unlikely(cuts))
			took = rte_eth_tx_prepare(e->id, (u16)queue, m, (u16)part);
		took = rte_eth_tx_burst(e->id, (u16)queue, m, (u16)took);
		sent += took;
		if (took < part)
			break;
	}
	return sent;
}

static void eth_release(struct dp_port *port, u32 queue, struct dp_pkt *p)
{
	rte_pktmbuf_free(mbuf_of(p));
}

static int eth_steer(struct dp_port *port, const struct dp_steer *s, u32 n)
{
	struct rte_eth_rss_reta_entry64 reta[RSS_ENTRIES_MAX / RTE_ETH_RETA_GROUP_SIZE] = { 0 };
	struct eth_port *e = eth_of(port);
	u32 i;

	if (e->ctl.path)
		return steer_ctl_set(&e->ctl, s, n);
	for (i = 0; i < n; i++) {
		struct rte_eth_rss_reta_entry64 *r = &reta[s[i].group / RTE_ETH_RETA_GROUP_SIZE];

		r->mask |= 1ULL << s[i].group % RTE_ETH_RETA_GROUP_SIZE;
		r->reta[s[i].group % RTE_ETH_RETA_GROUP_SIZE] = s[i].queue;
	}
	return rte_eth_dev_rss_reta_update(e->id, reta, (u16)e->entries);
}

static struct dp_pkt *eth_alloc(struct dp_port *port, u32 queue)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(eth_of(port)->pool);
	struct dp_pkt *p;

	if (!m)
		return NULL;
	p = rte_mbuf_to_priv(m);
	*p = (struct dp_pkt){ .data = rte_pktmbuf_mtod(m, u8 *) };
	return p;
}

static u32 eth_hash(struct dp_port *port, u32 src_ip, u32 dst_ip, u16 src_port, u16 dst_port)
{
	const struct {
		u32 ip[2];
		u16 port[2];
	} in = { { src_ip, dst_ip }, { src_port, dst_port } };

	return rss_hash(eth_of(port)->rss, (const u8 *)&in, sizeof(in));
}

static u32 eth_hash_ip(struct dp_port *port, u32 src_ip, u32 dst_ip)
{
	const u32 ip[2] = { src_ip, dst_ip };

	return rss_hash(eth_of(port)->rss, (const u8 *)ip, sizeof(ip));
}

static const struct dp_port_ops eth_ops = {
	.name = "eth",
	.rx = eth_rx,
	.tx = eth_tx,
	.release = eth_release,
	.steer = eth_steer,
	.alloc = eth_alloc,
	.join = eth_join,
	.hash = eth_hash,
	.hash_ip = eth_hash_ip,
};

/* Of a device that was started: what it can tell. */
static void add_ops(struct eth_port *e, const struct eth_options *o)
{
	bool looks = true;
	u32 i;

	for (i = 0; i < o->queues; i++)
		looks = looks && virtio_look_open(&e->queue[i].rx, e->id, 2 * i, e->port.slots) &&
			virtio_look_open(&e->queue[i].tx, e->id, 2 * i + 1,
					 e->port.slots);
	if (looks) {
		e->ops.left = virtio_left;
		e->ops.depth = virtio_depth;
	} else {
		memset(e->queue, 0, o->queues * sizeof(*e->queue));
		if (rte_eth_tx_descriptor_status(e->id, 0, 0) >= 0)
			e->ops.left = eth_left;
		if (rte_eth_rx_queue_count(e->id, 0) >= 0)
			e->ops.depth = eth_depth;
	}
	if (e->interrupts && e->ops.depth && eth_interrupt_fd(&e->port, 0) >= 0) {
		e->ops.interrupt_fd = eth_interrupt_fd;
		e->ops.interrupt = eth_interrupt;
		e->ops.interrupt_take = eth_interrupt_take;
	}
}

static int wrong(const char *name, const char *what, int err)
{
	fprintf(stderr, "rp-dataplane: device %s: %s: %s\n", name, what, strerror(-err));
	return -1;
}

static void add_sums(struct eth_port *e, const struct rte_eth_dev_info *info,
		     struct rte_eth_conf *conf)
{
	conf->rxmode.offloads |= info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_TCP_CKSUM;
	e->port.sums = info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_TCP_CKSUM;
	if (!e->port.sums)
		return;
	conf->txmode.offloads |= RTE_ETH_TX_OFFLOAD_TCP_CKSUM;
	if ((info->tx_offload_capa & SUPER) != SUPER)
		return;
	e->port.super_bytes = RTE_ETHER_HDR_LEN + UINT16_MAX;
	e->super_flags = RTE_MBUF_F_TX_TCP_SEG;
	conf->txmode.offloads |= SUPER;
	if (info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM) {
		e->super_flags |= RTE_MBUF_F_TX_IP_CKSUM;
		conf->txmode.offloads |= RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
	}
}

static void get_mac(struct eth_port *e)
{
	struct rte_ether_addr mac;

	if (!rte_eth_macaddr_get(e->id, &mac))
		memcpy(e->port.mac[0], mac.addr_bytes, sizeof(e->port.mac[0]));
}

/*
 * Interrupts as far as there are any: uio has none of a card's queues, and vfio has them if
 * the card has vectors for all. Of a device that failed to have them DPDK still tells files.
 */
static int configure(struct eth_port *e, struct rte_eth_conf *conf)
{
	u16 queues = (u16)e->port.queues;
	int rc = rte_eth_dev_configure(e->id, queues, queues, conf);

	e->interrupts = !rc && conf->intr_conf.rxq;
	if (!rc || !conf->intr_conf.rxq)
		return rc;
	conf->intr_conf.rxq = 0;
	return rte_eth_dev_configure(e->id, queues, queues, conf);
}

/*
 * virtio's driver, by default, takes back what was sent only when the ring is nearly full: each
 * buffer has left the caches by then. The most that it takes is 4 less than the ring has.
 */
static int set_up_sending(struct eth_port *e, const struct rte_eth_dev_info *info, u16 queue)
{
	struct rte_eth_txconf tx = info->default_txconf;
	if (virtio_look_slots(e->id, 2 * queue + 1u))
		tx.tx_free_thresh = (u16)(e->tx_slots - 4);
	return rte_eth_tx_queue_setup(e->id, queue, e->tx_slots, SOCKET_ID_ANY, &tx);
}

/* virtio's driver knows no limit until it has a ring. */
static u16 at_most(u16 slots, u32 ring)
{
	return ring && ring < slots ? (u16)ring : slots;
}

static int set_up_queues(struct eth_port *e, const struct rte_eth_dev_info *info)
{
	u16 i, rx = at_most((u16)e->port.slots, virtio_look_slots(e->id, 0));
	int rc;

	e->tx_slots = at_most((u16)e->port.slots, virtio_look_slots(e->id, 1));
	rc = rte_eth_dev_adjust_nb_rx_tx_desc(e->id, &rx, &e->tx_slots);
	e->port.slots = rx;
	for (i = 0; !rc && i < e->port.queues; i++)
		rc = rte_eth_rx_queue_setup(e->id, i, rx, SOCKET_ID_ANY, NULL, e->pool) ? :
		     set_up_sending(e, info, i);
	return rc;
}

static int set_up(struct eth_port *e, const struct eth_options *o)
{
	struct rte_eth_conf conf = { 0 };
	struct rte_eth_dev_info info;
	int rc;

	rc = rte_eth_dev_info_get(e->id, &info);
	if (rc)
		return wrong(o->name, "no information", rc);
	if (info.max_rx_queues < o->queues || info.max_tx_queues < o->queues) {
		fprintf(stderr, "rp-dataplane: device %s has %u queues, and there are %u threads\n",
			o->name, info.max_rx_queues, o->queues);
		return -1;
	}
	if (!e->ctl.path) {
		if (info.reta_size != o->entries) {
			fprintf(stderr, "rp-dataplane: device %s has a table of %u entries, and "
				"there are %u flow groups: use --groups, or --steer\n", o->name,
				info.reta_size, o->entries);
			return -1;
		}
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf = info.flow_type_rss_offloads;
		if (info.hash_key_size == RSS_KEY_BYTES) {
			conf.rx_adv_conf.rss_conf.rss_key = e->key;
			conf.rx_adv_conf.rss_conf.rss_key_len = RSS_KEY_BYTES;
		}
		conf.rxmode.offloads = info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_RSS_HASH;
	}
	conf.intr_conf.rxq = o->interrupts;
	if (o->sums)
		add_sums(e, &info, &conf);
	rc = configure(e, &conf);
	rc = rc ? : set_up_queues(e, &info);
	if (rc)
		return wrong(o->name, "its queues cannot be set up", rc);
	rc = rte_eth_dev_start(e->id);
	if (rc)
		return wrong(o->name, "it does not start", rc);
	e->started = true;
	add_ops(e, o);
	get_mac(e);
	return 0;
}

static int make_rss(struct eth_port *e, const struct eth_options *o)
{
	struct rss_config *c = calloc(1, sizeof(*c));

	if (c) {
		rss_default(c, o->entries, o->queues);
		e->key = malloc(RSS_KEY_BYTES);
		if (e->key)
			memcpy(e->key, c->key, RSS_KEY_BYTES);
		e->rss = rss_new(c);
	}
	free(c);
	return e->rss && e->key ? 0 : -1;
}

struct dp_port *eth_port_open(const struct eth_options *o)
{
	struct eth_port *e = calloc(1, sizeof(*e));
	/* In rings both ways, in caches, and in hands. */
	u32 mbufs = o->queues * (2 * o->queue_len + 2 * CACHE + 256) + SPARE * o->entries;
	char pool[RTE_MEMPOOL_NAMESIZE];
	int rc;

	if (!e)
		return NULL;
	e->ctl.fd = -1;
	e->entries = o->entries;
	e->ops = eth_ops;
	e->port = (struct dp_port){
		.ops = &e->ops, .cards = 1, .queues = o->queues, .slots = o->queue_len,
		.fenced = o->steer_socket, .spare = SPARE * o->entries,
		.frame_bytes = RTE_ETHER_MAX_LEN - RTE_ETHER_CRC_LEN,
	};
	rc = rte_eth_dev_get_port_by_name(o->name, &e->id);
	if (rc) {
		wrong(o->name, "DPDK does not have it", rc);
		goto fail;
	}
	e->queue = calloc(o->queues, sizeof(*e->queue));
	if (!e->queue || make_rss(e, o))
		goto fail;
	snprintf(pool, sizeof(pool), "packets%u", e->id);
	e->pool = rte_pktmbuf_pool_create(pool, mbufs, CACHE,
					  RTE_ALIGN(sizeof(struct dp_pkt), RTE_MBUF_PRIV_ALIGN),
					  RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (!e->pool) {
		wrong(o->name, "no memory for packets", -rte_errno);
		goto fail;
	}
	if (o->steer_socket && steer_ctl_open(&e->ctl, o->steer_socket, o->steer_port, o->entries))
		goto fail;
	if (set_up(e, o))
		goto fail;
	return &e->port;
fail:
	eth_port_close(&e->port);
	return NULL;
}

void eth_port_close(struct dp_port *port)
{
	struct eth_port *e = eth_of(port);

	if (e->started) {
		rte_eth_dev_stop(e->id);
		rte_eth_dev_close(e->id);
	}
	steer_ctl_close(&e->ctl);
	rte_mempool_free(e->pool);
	rss_free(e->rss);
	free(e->queue);
	free(e->key);
	free(e);
}
