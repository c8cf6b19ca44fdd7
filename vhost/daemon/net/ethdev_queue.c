// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames from a DPDK device, and to it. */
#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "copy.h"
#include "csum.h"
#include "ethdev_offload.h"
#include "ethdev_queue.h"
#include "frame.h"
#include "vq_fill.h"

/* The driver has a buffer for the longest frame: one piece, unless it splits headers off. */
#define PIECES_MAX	4u
/* Of a provider's tag, in front of a customer's (IEEE 802.1ad). */
#define VLAN_OUTER_TYPE	0x88a8u
/* Between two looks of one who waits: half of D_MAX, but no less. */
#define LOOK_MIN_NS	20000u
#define SECOND_NS	1000000000u

_Static_assert(BATCH_PACKETS * PIECES_MAX <= BATCH_SEGS, "a batch has room for all pieces");

static struct ethdev_queue *of_queue(struct port_queue *q)
{
	return (struct ethdev_queue *)((char *)q - offsetof(struct ethdev_queue, q));
}

/* ---- Life ---- */

int ethdev_queue_init(struct ethdev_queue *t, const char *port, u32 index, const u64 *dmax_ns)
{
	memset(t, 0, sizeof(*t));
	t->q = (struct port_queue){ .ops = &ethdev_ops, .port = port, .index = index, .kick_fd = -1 };
	t->dmax_ns = dmax_ns;
	t->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return t->timer_fd < 0 ? -errno : 0;
}

static void give_back(struct ethdev_queue *t, u32 n)
{
	t->api->release(&t->frame[t->first], n);
	t->first += n;
	t->count -= n;
}

void ethdev_queue_fini(struct ethdev_queue *t)
{
	if (t->timer_fd >= 0)
		close(t->timer_fd);
}

void ethdev_queue_set(struct ethdev_queue *t, const struct ethdev_api *api, struct ethdev *dev,
		      const struct ethdev_info *info)
{
	if (t->count)
		give_back(t, t->count);
	t->api = api;
	t->dev = dev;
	t->full = false;
	t->q.attached = dev;
	if (!dev)
		return;
	t->info = *info;
	t->q.size = info->slots[t->q.index];
	t->interrupts = t->q.index == 1 && info->interrupt_fd >= 0;
	t->q.kick_fd = t->interrupts ? info->interrupt_fd : t->timer_fd;
}

/* ---- From the device ---- */

static u32 received(struct ethdev_queue *t)
{
	if (!t->count) {
		t->first = 0;
		t->count = t->api->rx(t->dev, t->frame, BATCH_PACKETS);
	}
	return t->count;
}

static void ethdev_get(struct port_queue *q, struct batch *b, u32 max)
{
	/* It takes no frame apart from others, whose checksums it has left to us. */
	static const struct offloads none;
	struct ethdev_queue *t = of_queue(q);
	u32 i, k, n = received(t);

	for (i = 0; i < n && i < max && b->bytes < BATCH_BYTES; i++) {
		struct packet *p = &b->pkt[b->n++];
		struct rp_seg *s = &b->seg[b->n_seg];

		*p = (struct packet){ .seg = s };
		p->n_seg = (u16)t->api->pieces(t->frame[t->first + i], s, PIECES_MAX);
		for (k = 0; k < p->n_seg; k++)
			p->bytes += s[k].bytes;
		p->drop = (u8)packet_check(&p->hdr, p->bytes, &none);
		b->n_seg += p->n_seg;
		b->bytes += p->bytes;
	}
}

static void ethdev_done(struct port_queue *q, const struct batch *b, u32 n)
{
	struct port_sum sum = { 0 };
	u32 i;

	for (i = 0; i < n; i++)
		port_sum_done(&sum, q, &b->pkt[i]);
	if (n)
		give_back(of_queue(q), n);
	port_queue_add(q, &sum);
}

/* ---- To the device ---- */

/* Bytes that may stand before what the MTU is about. */
static u32 front_bytes(const struct packet *p)
{
	u8 head[VLAN_HEAD_BYTES] = { 0 };
	u32 at = VLAN_ADDRESS_BYTES;

	/* The types of two tags. */
	frame_peek(p, head, sizeof(head));
	while (at < sizeof(head) &&
	       (vlan_is_type(head + at, VLAN_TYPE) || vlan_is_type(head + at, VLAN_OUTER_TYPE)))
		at += VLAN_TAG_BYTES;
	return at + (u32)sizeof(u16);
}

static bool too_long(const struct ethdev_queue *t, const struct packet *p)
{
	return p->bytes > t->info.mtu + PACKET_MIN_BYTES && p->bytes > t->info.mtu + front_bytes(p);
}

/* A copy of @p, and where it begins; the first piece holds all headers that matter. */
static void *copy_frame(struct ethdev_queue *t, const struct packet *p, struct rp_seg *first)
{
	struct rp_seg piece[ETHDEV_PIECES];
	struct cursor from = { p->seg, 0 };
	void *frame = t->api->alloc(t->dev, p->bytes, piece);
	u32 i, left = p->bytes;

	for (i = 0; frame && left; left -= piece[i++].bytes)
		copy_from(&from, piece[i].base, piece[i].bytes);
	*first = piece[0];
	return frame;
}

/* By the device, or by us. */
static void complete_sum(struct ethdev_queue *t, void *frame, const struct rp_seg *s,
			 const struct virtio_net_hdr_v1 *h)
{
	struct ethdev_l4 l;

	if (t->info.sums && ethdev_offload(&l, s->base, s->bytes, s->bytes, h))
		t->api->offload(t->dev, frame, &l);
	else
		csum_complete(s->base, s->bytes, h->csum_start, h->csum_offset);
}

/* One frame behind those that are staged. False: all memory for frames is in use. */
static bool stage_frame(struct ethdev_queue *t, const struct packet *p)
{
	struct rp_seg s;
	void *frame = copy_frame(t, p, &s);

	if (!frame)
		return false;
	if (p->hdr.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		complete_sum(t, frame, &s, &p->hdr);
	t->frame[t->count++] = frame;
	return true;
}

static bool stage_segments(struct ethdev_queue *t, struct packet *p)
{
	const struct offloads can = { .csum = t->info.sums };
	struct packet s;
	struct gso g;

	if (!gso_begin(&g, p, &can)) {
		p->drop = DROP_OFFLOAD;
		return true;
	}
	while (gso_next(&g, &s)) {
		if (too_long(t, &s)) {
			p->drop = DROP_TOO_BIG;
			return true;
		}
		if (!stage_frame(t, &s))
			return false;
	}
	return true;
}

/* A large packet, for the device to segment; if that is nothing for it, for us. */
static bool stage_large(struct ethdev_queue *t, struct packet *p)
{
	struct ethdev_l4 l;
	struct rp_seg s;
	void *frame;

	if (!t->info.segments)
		return stage_segments(t, p);
	frame = copy_frame(t, p, &s);
	if (!frame)
		return false;
	if (ethdev_offload(&l, s.base, s.bytes, p->bytes, &p->hdr) &&
	    (u32)l.l3 + l.l4 + l.segment <= t->info.mtu) {
		t->api->offload(t->dev, frame, &l);
		t->frame[t->count++] = frame;
		return true;
	}
	t->api->release(&frame, 1);
	return stage_segments(t, p);
}

/* All of a packet, or nothing: it was dropped. False: nothing, as there is no memory. */
static bool stage(struct ethdev_queue *t, struct packet *p)
{
	u32 before = t->count;
	bool rc = true;

	if (p->hdr.gso_type)
		rc = stage_large(t, p);
	else if (too_long(t, p))
		p->drop = DROP_TOO_BIG;
	else
		rc = stage_frame(t, p);
	if (!rc || p->drop) {
		t->api->release(&t->frame[before], t->count - before);
		t->count = before;
	}
	return rc;
}

/* Sends what is staged; true: all of it. Drivers may take no more than so many at a time. */
static bool transmit(struct ethdev_queue *t)
{
	u32 n = 1;

	while (n && t->count) {
		n = t->api->tx(t->dev, &t->frame[t->first], t->count);
		t->first += n;
		t->count -= n;
	}
	return !t->count;
}

static void sum_put(const struct ethdev_queue *t, struct port_sum *s, const struct packet *p)
{
	if (p->drop)
		return;
	port_sum_packet(s, p);
	/* It goes in segments. */
	if (!t->info.segments)
		s->gso -= !!p->hdr.gso_type;
}

/* What of a packet is left does not wait for it any more. */
static void keep_rest(struct ethdev_queue *t, u32 begin, u32 end)
{
	u32 keep = t->first > begin ? end - t->first : 0;

	t->api->release(&t->frame[t->first + keep], t->count - keep);
	t->count = keep;
}

/*
 * As many of @b from @i on as the device takes; the next index. Of that packet some
 * segments may be on their way: the rest of it stays staged.
 */
static u32 put_some(struct ethdev_queue *t, struct batch *b, u32 i, struct port_sum *sum)
{
	u32 end[BATCH_PACKETS], n, k, begin = 0;

	t->first = 0;
	for (n = i; n < b->n && t->count <= BATCH_PACKETS; n++) {
		if (!b->pkt[n].drop && !stage(t, &b->pkt[n]))
			break;
		end[n] = t->count;
	}
	transmit(t);
	/* ->first of them were sent. */
	for (k = i; k < n && end[k] <= t->first; k++) {
		sum_put(t, sum, &b->pkt[k]);
		begin = end[k];
	}
	if (k < n)
		keep_rest(t, begin, end[k]);
	return k;
}

/* The rest of the packet at @i, unless that was given up: true, it is dealt with. */
static bool put_rest(struct ethdev_queue *t, const struct packet *p, struct port_sum *sum)
{
	if (p->drop)
		give_back(t, t->count);
	else if (!transmit(t))
		return false;
	sum_put(t, sum, p);
	return true;
}

static void drop_from(struct batch *b, u32 i)
{
	for (; i < b->n; i++)
		if (!b->pkt[i].drop)
			b->pkt[i].drop = DROP_NO_PEER;
}

static u32 ethdev_put(struct port_queue *q, struct batch *b, u32 from)
{
	struct ethdev_queue *t = of_queue(q);
	struct port_sum sum = { 0 };
	u32 i = from, n;

	/* What it was given would wait until it is up, and everybody with it. */
	if (!t->api->link_up(t->dev))
		drop_from(b, from);
	if (t->count && i < b->n)
		i += put_rest(t, &b->pkt[i], &sum);
	while (!t->count && i < b->n) {
		n = put_some(t, b, i, &sum);
		if (n == i)
			break;
		i = n;
	}
	t->full = i < b->n;
	port_queue_add(q, &sum);
	return i;
}

/* ---- Waiting ---- */

static u32 ethdev_ready(struct port_queue *q)
{
	struct ethdev_queue *t = of_queue(q);
	u32 n;

	if (port_queue_is_rx(q))
		return t->full ? 0 : q->size;
	n = received(t);
	return n ? n : t->api->waiting(t->dev);
}

/* A device is told of frames when it is given them. */
static bool ethdev_peer_wants(struct port_queue *q)
{
	return false;
}

static void ethdev_notify(struct port_queue *q)
{
}

static void set_timer(const struct ethdev_queue *t)
{
	u64 ns = *t->dmax_ns / 2;
	struct itimerspec once = { 0 };

	if (ns < LOOK_MIN_NS)
		ns = LOOK_MIN_NS;
	once.it_value.tv_sec = (time_t)(ns / SECOND_NS);
	once.it_value.tv_nsec = (long)(ns % SECOND_NS);
	/* Each time it goes off is an edge, read or not; it cannot fail with these values. */
	timerfd_settime(t->timer_fd, 0, &once, NULL);
}

static bool ethdev_arm(struct port_queue *q, u32 k)
{
	struct ethdev_queue *t = of_queue(q);

	if (port_queue_is_rx(q)) {
		set_timer(t);
		return false;
	}
	if (t->interrupts)
		t->api->interrupt(t->dev, true);
	else
		set_timer(t);
	/*
	 * Enabled before the look at the ring. Pairs with the device, which writes a frame
	 * before it looks whether to interrupt: one that came too early for that is seen here.
	 */
	rp_mb();
	return ethdev_ready(q);
}

/* A timer goes off once, which nobody minds. */
static void ethdev_disarm(struct port_queue *q)
{
	struct ethdev_queue *t = of_queue(q);

	if (t->interrupts)
		t->api->interrupt(t->dev, false);
}

const struct rp_port_ops ethdev_ops = {
	.get = ethdev_get,
	.done = ethdev_done,
	.put = ethdev_put,
	.ready = ethdev_ready,
	.peer_wants = ethdev_peer_wants,
	.notify = ethdev_notify,
	.arm = ethdev_arm,
	.disarm = ethdev_disarm,
};
