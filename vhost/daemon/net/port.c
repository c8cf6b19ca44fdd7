// SPDX-License-Identifier: GPL-2.0-or-later
/* A virtio-net port: what its vhost-user session asks of it (virtio 1.2, sec. 5.1). */
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "net.h"

#define BIT(n)	(1ULL << (n))

/*
 * What QEMU has of its own (control queue, MAC filters, status) needs no
 * backend. Nothing is offered that would make us answer for the guest's peer.
 */
#define FEATURES (BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_RING_F_EVENT_IDX) |		\
		  BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VHOST_USER_F_PROTOCOL_FEATURES) | \
		  BIT(VIRTIO_NET_F_MRG_RXBUF) | BIT(VIRTIO_NET_F_STATUS) |		\
		  BIT(VIRTIO_NET_F_GUEST_ANNOUNCE) | BIT(VIRTIO_NET_F_CTRL_VQ) |	\
		  BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_GUEST_CSUM) |		\
		  BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_HOST_TSO6) |		\
		  BIT(VIRTIO_NET_F_HOST_ECN) | BIT(VIRTIO_NET_F_GUEST_TSO4) |		\
		  BIT(VIRTIO_NET_F_GUEST_TSO6) | BIT(VIRTIO_NET_F_GUEST_ECN))

static struct port *of_session(const struct session *s)
{
	return container_of(s, struct port, session);
}

static u64 features(const struct session *s)
{
	const struct port *p = of_session(s);

	return FEATURES | (p->opt.pairs > 1 ? BIT(VIRTIO_NET_F_MQ) : 0) |
	       (p->opt.mtu ? BIT(VIRTIO_NET_F_MTU) : 0);
}

static void get_config(const struct session *s, void *config, u32 bytes)
{
	const struct port *p = of_session(s);
	struct virtio_net_config c = {
		.status = VIRTIO_NET_S_LINK_UP,
		.max_virtqueue_pairs = (u16)p->opt.pairs,
		.mtu = (u16)p->opt.mtu,
	};

	memcpy(config, &c, bytes < sizeof(c) ? bytes : sizeof(c));
}

static bool has(u64 f, u32 bit)
{
	return f >> bit & 1;
}

/* TX: what the guest may ask of the device. RX: what may be asked of the guest. */
static void features_set(struct session *s, u64 f)
{
	struct port *p = of_session(s);

	p->tx_can = (struct offloads){
		.csum = has(f, VIRTIO_NET_F_CSUM),
		.tso4 = has(f, VIRTIO_NET_F_HOST_TSO4),
		.tso6 = has(f, VIRTIO_NET_F_HOST_TSO6),
		.ecn = has(f, VIRTIO_NET_F_HOST_ECN),
	};
	p->rx_can = (struct offloads){
		.csum = has(f, VIRTIO_NET_F_GUEST_CSUM),
		.tso4 = has(f, VIRTIO_NET_F_GUEST_TSO4),
		.tso6 = has(f, VIRTIO_NET_F_GUEST_TSO6),
		.ecn = has(f, VIRTIO_NET_F_GUEST_ECN),
		.mergeable = has(f, VIRTIO_NET_F_MRG_RXBUF),
	};
}

/* The MTU that the frontend's user has set. Frames are not cut to it. */
static const char *message(struct session *s, const VhostUserMsg *m)
{
	if (m->payload.u64 < NET_MTU_MIN || m->payload.u64 > NET_MTU_MAX)
		return "SET_MTU: not in 68..65535";
	log_info("%s: MTU %u", s->name, (u32)m->payload.u64);
	return NULL;
}

static bool park(struct session *s, u32 i, u16 *last_avail)
{
	struct port *p = of_session(s);

	net_halt(p, i);
	*last_avail = p->vq[i].dev.last_avail;
	return p->vq[i].attached;
}

static void sync_queue(struct session *s, u32 i, const struct queue_ring *ring, bool changed)
{
	struct port *p = of_session(s);
	struct vq *v = &p->vq[i];

	if (!ring) {
		vq_detach(v);
	} else if (v->attached && !changed) {
		vq_new_fds(v, ring);
	} else if (vq_attach(v, ring, vq_is_rx(v) ? &p->rx_can : &p->tx_can) < 0) {
		vq_detach(v);
		log_error("%s: queue %u: its ring is not in the shared memory any more",
			  s->name, i);
	}
}

static void settle(struct session *s)
{
	net_settle(of_session(s)->net);
}

static void gone(struct session *s)
{
	struct port *p = of_session(s);
	u32 i;

	for (i = 0; i < 2 * p->opt.pairs; i++) {
		net_halt(p, i);
		vq_detach(&p->vq[i]);
	}
	settle(s);
}

static const struct session_ops ops = {
	.features = features,
	.protocol_features = BIT(VHOST_USER_PROTOCOL_F_MQ) |
		BIT(VHOST_USER_PROTOCOL_F_REPLY_ACK) |
		BIT(VHOST_USER_PROTOCOL_F_NET_MTU) |
		BIT(VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS),
	.requests = BIT(VHOST_USER_NET_SET_MTU),
	.get_config = get_config,
	.features_set = features_set,
	.message = message,
	.park = park,
	.sync = sync_queue,
	.settle = settle,
	.gone = gone,
};

int port_init(struct port *p, struct net *n, const struct port_options *o)
{
	u32 i;

	memset(p, 0, sizeof(*p));
	p->net = n;
	p->opt = *o;
	session_init(&p->session, &ops, p->opt.name, p->opt.socket, 2 * o->pairs);
	p->vq = calloc(2 * o->pairs, sizeof(*p->vq));
	p->flow = calloc(o->pairs, sizeof(*p->flow));
	if (!p->vq || !p->flow)
		return -ENOMEM;
	for (i = 0; i < 2 * o->pairs; i++)
		vq_init(&p->vq[i], p->opt.name, i);
	for (i = 0; i < o->pairs; i++)
		flow_init(&p->flow[i].flow, &p->vq[2 * i + 1].q);
	return 0;
}

void port_fini(struct port *p)
{
	free(p->vq);
	free(p->flow);
}
