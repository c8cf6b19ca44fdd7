// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames out of a tap, and into it. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "log/log.h"
#include "tap_queue.h"

#define FRAME_BYTES	(PACKET_HDR_BYTES + PACKET_MAX_BYTES)
/* As many bytes as a batch may have, and the last frame whole. */
#define BUFFER_BYTES	(BATCH_BYTES + FRAME_BYTES)
#define ALIGN		64u
#define IOV_MAX_SEGS	(RP_CHAIN_MAX + 4)

static struct tap_queue *of_queue(struct port_queue *q)
{
	return (struct tap_queue *)((char *)q - offsetof(struct tap_queue, q));
}

int tap_queue_init(struct tap_queue *t, const char *port, u32 index)
{
	memset(t, 0, sizeof(*t));
	t->q.ops = &tap_ops;
	t->q.port = port;
	t->q.index = index;
	t->q.size = TAP_QUEUE_LEN;
	tap_queue_set(t, -1);
	if (port_queue_is_rx(&t->q))
		return 0;
	t->buffer = malloc(BUFFER_BYTES);
	return t->buffer ? 0 : -ENOMEM;
}

void tap_queue_fini(struct tap_queue *t)
{
	free(t->buffer);
}

void tap_queue_set(struct tap_queue *t, int fd)
{
	t->fd = fd;
	t->q.kick_fd = port_queue_is_rx(&t->q) ? -1 : fd;
	t->q.attached = fd >= 0;
	t->count = 0;
}

/* ---- Of the thread that has the queue ---- */

/* The interface was deleted: the descriptor is of no use any more. */
static void give_up(struct tap_queue *t)
{
	if (t->q.broken)
		return;
	rp_store(&t->q.broken, "its interface has gone");
	log_error("%s: queue %u: given up: %s", t->q.port, t->q.index, t->q.broken);
}

static bool readable(const struct tap_queue *t)
{
	struct pollfd p = { .fd = t->fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLIN);
}

/* Reads up to @max frames into the empty buffer. */
static void fill(struct tap_queue *t, u32 max)
{
	ssize_t n;

	t->first = t->used = 0;
	while (t->count < max && t->used < BATCH_BYTES) {
		n = read(t->fd, t->buffer + t->used, FRAME_BYTES);
		if (n < 0 && errno == EBADFD)
			give_up(t);
		if (n <= (ssize_t)PACKET_HDR_BYTES)
			return;
		t->frame[t->count++] = (struct tap_frame){ t->used, (u32)n };
		t->used += ((u32)n + ALIGN - 1) / ALIGN * ALIGN;
	}
}

/* The kernel has made the header, by what TUNSETOFFLOAD said when it did. */
static const struct offloads all = {
	.csum = true, .tso4 = true, .tso6 = true, .ecn = true,
};

static void tap_get(struct port_queue *q, struct batch *b, u32 max)
{
	struct tap_queue *t = of_queue(q);
	u32 i;

	if (!t->count)
		fill(t, max);
	for (i = 0; i < t->count && i < max; i++) {
		const struct tap_frame *f = &t->frame[t->first + i];
		struct packet *p = &b->pkt[b->n++];
		struct rp_seg *s = &b->seg[b->n_seg++];

		*s = (struct rp_seg){ t->buffer + f->at + PACKET_HDR_BYTES,
				      f->bytes - PACKET_HDR_BYTES };
		*p = (struct packet){ .bytes = s->bytes, .n_seg = 1, .seg = s };
		memcpy(&p->hdr, t->buffer + f->at, sizeof(p->hdr));
		p->drop = (u8)packet_check(&p->hdr, p->bytes, &all);
		b->bytes += p->bytes;
	}
}

static void tap_done(struct port_queue *q, const struct batch *b, u32 n)
{
	struct tap_queue *t = of_queue(q);
	struct port_sum sum = { 0 };
	u32 i;

	for (i = 0; i < n; i++)
		port_sum_done(&sum, q, &b->pkt[i]);
	t->first += n;
	t->count -= n;
	port_queue_add(q, &sum);
}

/* Why the kernel did not take a frame. */
static enum drop refused(struct tap_queue *t, int error)
{
	switch (error) {
	case EBADFD:
		give_up(t);
		return DROP_NO_PEER;
	case EIO:			/* the interface is down */
		return DROP_NO_PEER;
	case EINVAL:			/* offloads that make no sense to it */
		return DROP_HEADER;
	case EAGAIN:
		return DROP_FULL;
	default:
		return DROP_HOST;
	}
}

static enum drop write_packet(struct tap_queue *t, const struct packet *p)
{
	struct virtio_net_hdr_v1 hdr = p->hdr;
	struct iovec iov[IOV_MAX_SEGS];
	u32 i;

	if (p->n_seg >= IOV_MAX_SEGS)
		return DROP_HOST;
	iov[0] = (struct iovec){ &hdr, sizeof(hdr) };
	for (i = 0; i < p->n_seg; i++)
		iov[i + 1] = (struct iovec){ p->seg[i].base, p->seg[i].bytes };
	return writev(t->fd, iov, (int)p->n_seg + 1) < 0 ? refused(t, errno) : DROP_NONE;
}

static u32 tap_put(struct port_queue *q, struct batch *b, u32 from)
{
	struct tap_queue *t = of_queue(q);
	struct port_sum sum = { 0 };
	u32 i;

	for (i = from; i < b->n; i++) {
		struct packet *p = &b->pkt[i];

		if (!p->drop)
			p->drop = (u8)write_packet(t, p);
		if (!p->drop)
			port_sum_packet(&sum, p);
	}
	port_queue_add(q, &sum);
	return b->n;
}

static u32 tap_ready(struct port_queue *q)
{
	const struct tap_queue *t = of_queue(q);

	if (port_queue_is_rx(q))
		return q->size;
	return t->count ? t->count : readable(t);
}

/* The kernel polls for nothing: it never waits to be told. */
static bool tap_peer_wants(struct port_queue *q)
{
	return false;
}

static void tap_notify(struct port_queue *q)
{
}

/* Every frame is an edge of the descriptor: what is there already was one before. */
static bool tap_arm(struct port_queue *q, u32 k)
{
	return port_queue_is_rx(q) || tap_ready(q);
}

static void tap_disarm(struct port_queue *q)
{
}

const struct rp_port_ops tap_ops = {
	.get = tap_get,
	.done = tap_done,
	.put = tap_put,
	.ready = tap_ready,
	.peer_wants = tap_peer_wants,
	.notify = tap_notify,
	.arm = tap_arm,
	.disarm = tap_disarm,
};
