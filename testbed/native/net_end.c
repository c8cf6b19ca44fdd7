// SPDX-License-Identifier: GPL-2.0-or-later
/* A guest of our own at a virtio-net port: frames out, frames in. */
#include "net_end.h"

#include <linux/virtio_net.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "util.h"

#define HDR_BYTES	((u32)sizeof(struct virtio_net_hdr_v1))
#define BUFFER_ALIGN	64u
#define PIECES_MAX	4u
#define TAG_BE		0x0081	/* 0x8100 */
#define TAG_AT		12u	/* behind the addresses */
#define MTU_FRAME_BYTES	1514u

struct frame_head {
	u8 to[6], from[6];
	u16 type_be;
	u64 seq;
	u64 tsc;
	u32 bytes;
} __attribute__((packed));

_Static_assert(sizeof(struct frame_head) <= NET_FRAME_MIN_BYTES, "a head fits every frame");

static u32 tx_stride(const struct net_end_options *o)
{
	u32 bytes = o->frame_bytes + NET_TAG_BYTES + HDR_BYTES;

	return (bytes + BUFFER_ALIGN - 1) / BUFFER_ALIGN * BUFFER_ALIGN;
}

static u32 rx_stride(const struct net_end_options *o)
{
	return (o->rx_bytes + BUFFER_ALIGN - 1) / BUFFER_ALIGN * BUFFER_ALIGN;
}

static void kick(struct net_end *e, u32 queue, struct rp_drv *d, u64 *count)
{
	const u64 one = 1;

	if (!rp_drv_need_kick(d))
		return;
	rp_add(count, 1);
	if (write(e->fe.queue[queue].kick_fd, &one, sizeof(one)) < 0)
		fail("cannot kick queue %u: %m", queue);
}

/* ---- Life ---- */

/* Buffer @head of @rx's, which lies there for good. */
static bool post(struct net_end *e, struct net_rx *rx)
{
	u8 *at = rx->data + (u64)rp_drv_next(&rx->drv) * rx_stride(&e->opt);

	return rp_drv_add_one(&rx->drv, at, e->opt.rx_bytes, true, at);
}

static bool has_tx(const struct net_end_options *o, u32 pair)
{
	return !o->no_tx || pair + 1 < o->pairs;
}

static int open_pair(struct net_end *e, u32 i, u8 **at)
{
	struct net_tx *tx = &e->tx[i];
	struct net_rx *rx = &e->rx[i];
	u64 delta = fe_gpa_delta(&e->fe);

	tx->data = *at;
	rx->data = tx->data + (u64)e->opt.slots * tx_stride(&e->opt);
	*at = rx->data + (u64)e->opt.slots * rx_stride(&e->opt);
	if (rp_drv_init(&rx->drv, &e->fe.queue[2 * i].ring, fe_has(&e->fe, VIRTIO_RING_F_EVENT_IDX),
			delta) ||
	    (has_tx(&e->opt, i) &&
	     rp_drv_init(&tx->drv, &e->fe.queue[2 * i + 1].ring,
			 fe_has(&e->fe, VIRTIO_RING_F_EVENT_IDX), delta)))
		return fail("no memory for the rings of pair %u", i);
	while (post(e, rx))
		;
	rp_drv_publish(&rx->drv);
	return 0;
}

static int not_served(const struct net_end *e)
{
	return fail("ringpaced at %s: %s", e->opt.socket, e->fe.error);
}

int net_end_open(struct net_end *e, const struct net_end_options *o)
{
	const struct fe_options fo = {
		.socket = o->socket,
		.queues = 2 * o->pairs - o->no_tx,
		.queue_size = o->slots,
		.data_bytes = (u64)o->pairs * o->slots * (tx_stride(o) + rx_stride(o)),
		.timeout_ms = o->timeout_ms,
		.net = true,
		.without = o->without,
	};
	u8 *at;
	u32 i;

	memset(e, 0, sizeof(*e));
	e->opt = *o;
	e->to = 1;
	e->tx = calloc(o->pairs, sizeof(*e->tx));
	e->rx = calloc(o->pairs, sizeof(*e->rx));
	if (!e->tx || !e->rx)
		return fail("no memory for %u pairs of queues", o->pairs);
	if (fe_open(&e->fe, &fo))
		return not_served(e);
	e->open = true;
	at = e->fe.data;
	for (i = 0; i < o->pairs; i++)
		if (open_pair(e, i, &at))
			return -1;
	return fe_start(&e->fe) ? not_served(e) : 0;
}

void net_end_close(struct net_end *e)
{
	u32 i;

	for (i = 0; e->tx && e->rx && i < e->opt.pairs; i++) {
		rp_drv_free(&e->tx[i].drv);
		rp_drv_free(&e->rx[i].drv);
	}
	free(e->tx);
	free(e->rx);
	e->tx = NULL;
	e->rx = NULL;
	if (e->open)
		fe_close(&e->fe);
	e->open = false;
}

int net_end_reconnect(struct net_end *e)
{
	return fe_reconnect(&e->fe) ? fail("%s", e->fe.error) : 0;
}

/* ---- Sending ---- */

/* A tag into the frame of @bytes; how many it has then. */
static u32 tag_frame(u8 *frame, u32 bytes, u16 vlan)
{
	const u8 tag[NET_TAG_BYTES] = { 0x81, 0, (u8)(vlan >> 8), (u8)vlan };

	memmove(frame + TAG_AT + sizeof(tag), frame + TAG_AT, bytes - TAG_AT);
	memcpy(frame + TAG_AT, tag, sizeof(tag));
	return bytes + (u32)sizeof(tag);
}

/* Header and frame; how many bytes the frame has. */
static u32 write_frame(const struct net_end *e, u32 pair, u8 *at, u64 seq)
{
	struct virtio_net_hdr_v1 hdr = { 0 };
	struct frame_head head = {
		.to = { 2, 0, 0, 0, 0, e->to },
		.from = { 2, 0, 0, 0, (u8)pair, e->opt.station },
		.type_be = NET_ETHERTYPE_BE, .seq = seq, .tsc = rp_tsc(),
		.bytes = e->opt.frame_bytes,
	};

	if (e->opt.frame_bytes > MTU_FRAME_BYTES && fe_has(&e->fe, VIRTIO_NET_F_HOST_TSO4))
		hdr = (struct virtio_net_hdr_v1){
			.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			.gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 1448,
			.csum_start = 34, .csum_offset = 16, .hdr_len = 66,
		};
	if (e->to == NET_ALL)
		memset(head.to, 0xff, sizeof(head.to));
	memcpy(at, &hdr, sizeof(hdr));
	at += HDR_BYTES;
	memcpy(at, &head, sizeof(head));
	if (e->opt.check_all)
		net_pattern_write(at, sizeof(head), e->opt.frame_bytes, seq);
	return e->vlan ? tag_frame(at, e->opt.frame_bytes, e->vlan) : e->opt.frame_bytes;
}

/* The first pieces are header and 20 bytes each, the last is the rest. */
static bool add_pieces(const struct net_end *e, struct net_tx *tx, u8 *at, u32 left)
{
	u32 n;
	struct rp_seg seg[PIECES_MAX];
	u8 *token = at;

	for (n = 0; n + 1 < e->opt.pieces; n++) {
		seg[n] = (struct rp_seg){ at, n ? 20 : HDR_BYTES };
		at += seg[n].bytes;
		left -= seg[n].bytes;
	}
	seg[n++] = (struct rp_seg){ at, left };
	return rp_drv_add(&tx->drv, seg, n, 0, token);
}

u32 net_reclaim(struct net_end *e, u32 pair)
{
	struct net_tx *tx = &e->tx[pair];
	u32 written;

	while (rp_drv_get_used(&tx->drv, &written))
		tx->done++;
	return (u32)(tx->sent - tx->done);
}

u32 net_send(struct net_end *e, u32 pair, u32 n)
{
	struct net_tx *tx = &e->tx[pair];
	u32 i, bytes;
	u8 *at;

	if (tx->drv.num_free < n * e->opt.pieces)
		net_reclaim(e, pair);
	for (i = 0; i < n && tx->drv.num_free >= e->opt.pieces; i++, tx->sent++) {
		at = tx->data + (u64)rp_drv_next(&tx->drv) * tx_stride(&e->opt);
		bytes = HDR_BYTES + write_frame(e, pair, at, tx->sent);
		if (!(e->opt.pieces > 1 ? add_pieces(e, tx, at, bytes) :
		      rp_drv_add_one(&tx->drv, at, bytes, false, at)))
			break;
	}
	if (i)
		net_tx_publish(e, pair);
	return i;
}

u8 *net_tx_next(struct net_end *e, u32 pair)
{
	struct net_tx *tx = &e->tx[pair];

	if (!tx->drv.num_free)
		net_reclaim(e, pair);
	if (!tx->drv.num_free)
		return NULL;
	return tx->data + (u64)rp_drv_next(&tx->drv) * tx_stride(&e->opt) + HDR_BYTES;
}

void net_tx_sum(struct net_end *e, u32 from, u32 at)
{
	e->sum_from = (u16)from;
	e->sum_at = (u16)at;
}

void net_tx_add(struct net_end *e, u32 pair, u32 bytes)
{
	const struct virtio_net_hdr_v1 hdr = {
		.flags = e->sum_from ? VIRTIO_NET_HDR_F_NEEDS_CSUM : 0,
		.csum_start = e->sum_from, .csum_offset = e->sum_at,
	};
	struct net_tx *tx = &e->tx[pair];
	u8 *at = tx->data + (u64)rp_drv_next(&tx->drv) * tx_stride(&e->opt);

	memcpy(at, &hdr, sizeof(hdr));
	rp_drv_add_one(&tx->drv, at, bytes + HDR_BYTES, false, at);
	tx->sent++;
}

void net_tx_publish(struct net_end *e, u32 pair)
{
	struct net_tx *tx = &e->tx[pair];

	rp_drv_publish(&tx->drv);
	kick(e, 2 * pair + 1, &tx->drv, &tx->kicks);
}

/* ---- Receiving ---- */

static bool content_ok(const struct net_end *e, const u8 *frame, const struct frame_head *h,
		       u32 bytes)
{
	if (bytes < NET_FRAME_MIN_BYTES || h->type_be != NET_ETHERTYPE_BE || h->bytes != bytes)
		return false;
	return !e->opt.check_all || net_pattern_ok(frame, sizeof(*h), bytes, h->seq);
}

/* Takes a tag out of the frame, which is in our buffer; where that begins now. */
static u8 *untag(struct net_rx *rx, u8 *frame, u32 *bytes)
{
	u16 tag[2];

	if (*bytes < NET_FRAME_MIN_BYTES + NET_TAG_BYTES)
		return frame;
	memcpy(tag, frame + TAG_AT, sizeof(tag));
	if (tag[0] != TAG_BE)
		return frame;
	rx->tagged++;
	rx->vlan = (u16)(tag[1] >> 8 | tag[1] << 8);
	memmove(frame + sizeof(tag), frame, TAG_AT);
	*bytes -= NET_TAG_BYTES;
	return frame + sizeof(tag);
}

static void note(const struct net_end *e, struct net_rx *rx, u8 *frame, u32 bytes)
{
	struct frame_head h;
	u64 *next;

	frame = untag(rx, frame, &bytes);
	memcpy(&h, frame, sizeof(h));
	rx->packets++;
	rx->bytes += bytes;
	if (!content_ok(e, frame, &h, bytes)) {
		rx->bad++;
		return;
	}
	next = &rx->next_seq[net_source(h.from[5], h.from[4])];
	if (h.seq > *next)
		rx->lost += h.seq - *next;
	else if (h.seq < *next)
		rx->reordered++;
	*next = h.seq + 1;
}

/* The rest of a frame that took @n buffers; false: the device has lied. */
static bool merge(struct net_rx *rx, u32 n, u32 *bytes)
{
	u32 written, i;
	u8 *at;

	for (i = 1; i < n; i++) {
		at = rp_drv_get_used(&rx->drv, &written);
		if (!at || *bytes + written > sizeof(rx->frame))
			return false;
		memcpy(rx->frame + *bytes, at, written);
		*bytes += written;
	}
	return true;
}

/* What came in the buffer @at, of which @written bytes are; NULL: nothing good. */
static u8 *whole_frame(struct net_rx *rx, u8 *at, u32 written, u32 *bytes)
{
	struct virtio_net_hdr_v1 hdr;

	memcpy(&hdr, at, sizeof(hdr));
	*bytes = written - HDR_BYTES;
	if (written <= HDR_BYTES || *bytes > sizeof(rx->frame))
		return NULL;
	if (hdr.num_buffers == 1)
		return at + HDR_BYTES;
	memcpy(rx->frame, at + HDR_BYTES, *bytes);
	return merge(rx, hdr.num_buffers, bytes) ? rx->frame : NULL;
}

static bool receive_one(struct net_end *e, struct net_rx *rx)
{
	u32 written, bytes;
	u8 *at = rp_drv_get_used(&rx->drv, &written), *frame;

	if (!at)
		return false;
	frame = whole_frame(rx, at, written, &bytes);
	if (frame)
		note(e, rx, frame, bytes);
	else
		rx->bad++;
	return true;
}

const u8 *net_rx_take(struct net_end *e, u32 pair, u32 *bytes)
{
	struct net_rx *rx = &e->rx[pair];
	u8 *at, *frame;
	u32 written;

	while ((at = rp_drv_get_used(&rx->drv, &written))) {
		frame = whole_frame(rx, at, written, bytes);
		if (frame)
			return frame;
		rx->bad++;
	}
	return NULL;
}

void net_rx_publish(struct net_end *e, u32 pair)
{
	struct net_rx *rx = &e->rx[pair];

	while (post(e, rx))
		;
	rp_drv_publish(&rx->drv);
	kick(e, 2 * pair, &rx->drv, &rx->kicks);
}

u32 net_receive(struct net_end *e, u32 pair, u32 max)
{
	struct net_rx *rx = &e->rx[pair];
	u32 n = 0;

	while (n < max && receive_one(e, rx))
		n++;
	if (n)
		net_rx_publish(e, pair);
	return n;
}

/* ---- Waiting ---- */

/* @call_fd was called; that is taken. @limit NULL: there is none. */
static bool called(int call_fd, int stop_fd, const struct timespec *limit)
{
	struct pollfd pfd[2] = {
		{ .fd = call_fd, .events = POLLIN }, { .fd = stop_fd, .events = POLLIN },
	};
	u64 count;

	if (ppoll(pfd, 2, limit, NULL) < 1 || !(pfd[0].revents & POLLIN))
		return false;
	if (read(call_fd, &count, sizeof(count)) < 0)
		fail("cannot read a call: %m");
	return true;
}

static bool wait_for(struct net_end *e, u32 pair, enum net_dir dir, u32 k, int stop_fd,
		     const struct timespec *limit)
{
	struct rp_drv *d = dir == NET_TX ? &e->tx[pair].drv : &e->rx[pair].drv;
	int call_fd = e->fe.queue[2 * pair + (dir == NET_TX)].call_fd;
	bool there = rp_drv_arm(d, k);

	if (!there && called(call_fd, stop_fd, limit))
		there = rp_drv_used_count(d);
	rp_drv_disarm(d);
	return there;
}

bool net_wait_for(struct net_end *e, u32 pair, enum net_dir dir, u32 k, int stop_fd,
		  int timeout_ms)
{
	const struct timespec limit = { timeout_ms / 1000, timeout_ms % 1000 * 1000000L };

	return wait_for(e, pair, dir, k, stop_fd, timeout_ms < 0 ? NULL : &limit);
}

bool net_wait_ns(struct net_end *e, u32 pair, u64 timeout_ns)
{
	const struct timespec limit = {
		(time_t)(timeout_ns / NSEC_PER_SEC), (long)(timeout_ns % NSEC_PER_SEC),
	};

	return wait_for(e, pair, NET_RX, 1, -1, &limit);
}

bool net_wait(struct net_end *e, u32 pair, u32 timeout_ms)
{
	return net_wait_for(e, pair, NET_RX, 1, -1, (int)timeout_ms);
}
