// SPDX-License-Identifier: GPL-2.0-or-later
/* A virtio-net device behind vhost-user: what its session asks of it (virtio 1.2, sec. 5.1). */
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>

#include "log/log.h"
#include "net_rss.h"
#include "rarp.h"
#include "rss_guest.h"
#include "vq.h"

#define BIT(n)	(1ULL << (n))

/*
 * What QEMU has of its own (control queue, MAC filters, status) needs no
 * backend. Nothing is offered that would make us answer for the guest's peer.
 */
#define FEATURES (BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_RING_F_EVENT_IDX) |		\
		  BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VHOST_USER_F_PROTOCOL_FEATURES) | \
		  BIT(VHOST_F_LOG_ALL) |						\
		  BIT(VIRTIO_NET_F_MRG_RXBUF) | BIT(VIRTIO_NET_F_STATUS) |		\
		  BIT(VIRTIO_NET_F_GUEST_ANNOUNCE) | BIT(VIRTIO_NET_F_CTRL_VQ) |	\
		  BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_GUEST_CSUM) |		\
		  BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_HOST_TSO6) |		\
		  BIT(VIRTIO_NET_F_HOST_ECN) | BIT(VIRTIO_NET_F_GUEST_TSO4) |		\
		  BIT(VIRTIO_NET_F_GUEST_TSO6) | BIT(VIRTIO_NET_F_GUEST_ECN))

struct vhost_port {
	struct port port;
	struct session session;
	struct offloads tx_can;
	struct vq *vq;			/* 2 * pairs */
	bool suspect;			/* see struct vq */
};

static struct vhost_port *of_session(const struct session *s)
{
	return container_of(s, struct vhost_port, session);
}

static struct vhost_port *of_port(const struct port *p)
{
	return container_of(p, struct vhost_port, port);
}

static u64 features(const struct session *s)
{
	const struct port *p = &of_session(s)->port;

	return FEATURES | (p->opt.pairs > 1 ? BIT(VIRTIO_NET_F_MQ) : 0) |
	       (p->opt.mtu ? BIT(VIRTIO_NET_F_MTU) : 0) |
	       (p->opt.rss ? BIT(VIRTIO_NET_F_RSS) : 0);
}

static void get_config(const struct session *s, void *config, u32 bytes)
{
	const struct port *p = &of_session(s)->port;
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
	struct vhost_port *p = of_session(s);

	p->tx_can = (struct offloads){
		.csum = has(f, VIRTIO_NET_F_CSUM),
		.tso4 = has(f, VIRTIO_NET_F_HOST_TSO4),
		.tso6 = has(f, VIRTIO_NET_F_HOST_TSO6),
		.ecn = has(f, VIRTIO_NET_F_HOST_ECN),
	};
	p->port.rx_can = (struct offloads){
		.csum = has(f, VIRTIO_NET_F_GUEST_CSUM),
		.tso4 = has(f, VIRTIO_NET_F_GUEST_TSO4),
		.tso6 = has(f, VIRTIO_NET_F_GUEST_TSO6),
		.ecn = has(f, VIRTIO_NET_F_GUEST_ECN),
		.mergeable = has(f, VIRTIO_NET_F_MRG_RXBUF),
	};
}

/* What the guest has set. It is told if that cannot be done. */
static const char *set_rss(struct session *s, const VhostUserMsg *m, u64 *rc)
{
	struct port *p = &of_session(s)->port;
	struct vhost_user_net_rss said;
	struct rss_config c;
	const char *why;
	bool on;

	if (!has(s->vu.protocol_features, VHOST_USER_PROTOCOL_F_NET_RSS))
		return "SET_RSS without its protocol feature";
	memcpy(&said, &m->payload, sizeof(said));
	why = rss_guest_read(&said, p->opt.pairs, &c, &on);
	if (!why && net_rss_guest(p, on ? &c : NULL) < 0)
		why = "no memory";
	*rc = why != NULL;
	if (why)
		log_warn("%s: RSS of its guest refused: %s", s->name, why);
	else
		log_info("%s: %s", s->name, on ? "its guest has set RSS" : "its guest has no RSS");
	return NULL;
}

static const char *announce(struct session *s, const VhostUserMsg *m)
{
	u8 mac[6];

	memcpy(mac, &m->payload.u64, sizeof(mac));
	rarp_send(&of_session(s)->port, mac);
	return NULL;
}

/* The MTU that the frontend's user has set. Frames are not cut to it. */
static const char *set_mtu(struct session *s, const VhostUserMsg *m)
{
	if (m->payload.u64 < NET_MTU_MIN || m->payload.u64 > NET_MTU_MAX)
		return "SET_MTU: not in 68..65535";
	log_info("%s: MTU %u", s->name, (u32)m->payload.u64);
	return NULL;
}

static const char *message(struct session *s, const VhostUserMsg *m, u64 *rc)
{
	if ((u32)m->request == VHOST_USER_NET_SET_RSS)
		return set_rss(s, m, rc);
	return m->request == VHOST_USER_SEND_RARP ? announce(s, m) : set_mtu(s, m);
}

static bool park(struct session *s, u32 i, u16 *last_avail)
{
	struct vhost_port *p = of_session(s);

	net_halt(&p->port, i);
	*last_avail = p->vq[i].dev.last_avail;
	return p->vq[i].q.attached;
}

static void sync_queue(struct session *s, u32 i, const struct queue_ring *ring, bool changed)
{
	struct vhost_port *p = of_session(s);
	struct vq *v = &p->vq[i];

	if (!ring) {
		vq_detach(v);
	} else if (v->q.attached && !changed) {
		vq_new_fds(v, ring);
	} else if (vq_attach(v, ring, port_queue_is_rx(&v->q) ? &p->port.rx_can : &p->tx_can) < 0) {
		vq_detach(v);
		log_error("%s: queue %u: its ring is not in the shared memory any more",
			  s->name, i);
	}
}

static void settle(struct session *s)
{
	net_settle(of_session(s)->port.net);
}

static void gone(struct session *s)
{
	struct vhost_port *p = of_session(s);
	u32 i;

	for (i = 0; i < 2 * p->port.opt.pairs; i++) {
		net_halt(&p->port, i);
		vq_detach(&p->vq[i]);
		vq_forget(&p->vq[i]);
	}
	net_link_down(&p->port);
	if (net_rss_guest(&p->port, NULL) < 0)
		log_error("%s: the table of a guest that has gone stays: no memory", s->name);
	settle(s);
}

#define PORT_OPS(more_features, more_requests) {		\
	.features = features,					\
	.protocol_features = BIT(VHOST_USER_PROTOCOL_F_MQ) |	\
		BIT(VHOST_USER_PROTOCOL_F_REPLY_ACK) |		\
		BIT(VHOST_USER_PROTOCOL_F_NET_MTU) |		\
		BIT(VHOST_USER_PROTOCOL_F_LOG_SHMFD) |		\
		BIT(VHOST_USER_PROTOCOL_F_RARP) |		\
		BIT(VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS) | (more_features),	\
	.requests = BIT(VHOST_USER_NET_SET_MTU) |		\
		BIT(VHOST_USER_SEND_RARP) | (more_requests),	\
	.get_config = get_config,				\
	.features_set = features_set,				\
	.message = message,					\
	.park = park,						\
	.sync = sync_queue,					\
	.settle = settle,					\
	.gone = gone,						\
}

static const struct session_ops plain_ops = PORT_OPS(0, 0);
/* Of a port that steers: its guest may say how. */
static const struct session_ops rss_ops = PORT_OPS(BIT(VHOST_USER_PROTOCOL_F_NET_RSS),
						   BIT(VHOST_USER_NET_SET_RSS));

static const char *check(const struct port_options *o)
{
	return *o->address ? NULL : "socket: no path";
}

static void destroy(struct port *port)
{
	struct vhost_port *p = of_port(port);

	port_fini(port);
	free(p->vq);
	free(p);
}

static struct port *create(const struct port_options *o)
{
	struct vhost_port *p = calloc(1, sizeof(*p));
	u32 i;

	if (!p)
		return NULL;
	p->vq = calloc(2 * o->pairs, sizeof(*p->vq));
	if (!port_init(&p->port, o) || !p->vq) {
		destroy(&p->port);
		return NULL;
	}
	session_init(&p->session, o->rss ? &rss_ops : &plain_ops, p->port.opt.name,
		     p->port.opt.address, 2 * o->pairs);
	for (i = 0; i < 2 * o->pairs; i++) {
		vq_init(&p->vq[i], p->port.opt.name, i);
		p->vq[i].suspect = &p->suspect;
		p->port.queue[i] = &p->vq[i].q;
	}
	port_begin(&p->port);
	return &p->port;
}

static int start(struct port *port, struct loop *loop, gid_t gid, char *why, size_t why_bytes)
{
	return session_listen(&of_port(port)->session, loop, gid, why, why_bytes);
}

static void end(struct port *port)
{
	session_fini(&of_port(port)->session);
}

static bool link_up(const struct port *port)
{
	return session_connected(&of_port(port)->session);
}

static void check_memory(struct port *port)
{
	session_check_memory(&of_port(port)->session);
}

const struct port_kind vhost_port_kind = {
	.name = "vhost-user",
	.address = "socket",
	.check = check,
	.create = create,
	.destroy = destroy,
	.open = start,
	.close = end,
	.link_up = link_up,
	.check_memory = check_memory,
};
