/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queues of a DPDK device whose plug-in is a fake: what it takes, has and can is a test's to
 * say. Included once by a test program.
 */
#ifndef TEST_ETHDEV_FAKE_H
#define TEST_ETHDEV_FAKE_H

#include <stdlib.h>
#include <unistd.h>

#include "../../vhost/daemon/net/ethdev_queue.h"

#define MTU		1500u
#define FRAME_BYTES	(MTU + 22)
#define LOG		4096u

/* ---- The fake ---- */

struct fake_frame {
	struct fake_frame *next;	/* the next piece */
	struct ethdev_l4 l4;		/* what the device is asked for */
	u32 bytes;
	u8 data[FRAME_BYTES];
};

struct ethdev {
	bool up, enabled, soon;
	u32 room;			/* frames that it takes */
	u32 most;			/* at a time */
	u32 memory;			/* frames that there may be */
	u32 made;
	/* What has come, and what goes with the next interrupt(true) */
	struct fake_frame *in[LOG], *late;
	u32 come, taken;
	/* What was sent */
	struct fake_frame *out[LOG];
	u32 sent;
};

static struct ethdev dev;

static bool fake_up(const struct ethdev *d)
{
	return d->up;
}

static struct fake_frame *make_frame(struct ethdev *d, u32 bytes)
{
	struct fake_frame *f = d->made < d->memory ? malloc(sizeof(*f)) : NULL;

	assert_true(bytes <= FRAME_BYTES);
	if (!f)
		return NULL;
	d->made++;
	f->next = NULL;
	f->l4 = (struct ethdev_l4){ 0 };
	f->bytes = bytes;
	return f;
}

static void free_frame(struct ethdev *d, struct fake_frame *f)
{
	for (struct fake_frame *next; f; f = next) {
		next = f->next;
		free(f);
		d->made--;
	}
}

static u32 fake_rx(struct ethdev *d, void **frame, u32 max)
{
	u32 n = 0;

	while (n < max && d->taken < d->come)
		frame[n++] = d->in[d->taken++];
	return n;
}

static u32 fake_pieces(const void *frame, struct rp_seg *seg, u32 max)
{
	const struct fake_frame *f;
	u32 n = 0;

	for (f = frame; f; f = f->next) {
		if (n == max)
			return 0;
		seg[n++] = (struct rp_seg){ (u8 *)f->data, f->bytes };
	}
	return n;
}

static bool fake_waiting(const struct ethdev *d)
{
	return d->soon;
}

static void fake_interrupt(struct ethdev *d, bool on)
{
	d->enabled = on;
	if (on && d->late) {
		d->in[d->come++] = d->late;
		d->late = NULL;
	}
}

static void *fake_alloc(struct ethdev *d, u32 bytes, struct rp_seg *piece)
{
	u32 n = bytes < FRAME_BYTES ? bytes : FRAME_BYTES;
	struct fake_frame *f = make_frame(d, n);

	if (!f)
		return NULL;
	*piece = (struct rp_seg){ f->data, n };
	if (n < bytes)
		f->next = fake_alloc(d, bytes - n, piece + 1);
	if (f->next || n == bytes)
		return f;
	free_frame(d, f);
	return NULL;
}

static void fake_offload(struct ethdev *d, void *frame, const struct ethdev_l4 *l)
{
	((struct fake_frame *)frame)->l4 = *l;
}

static u32 fake_tx(struct ethdev *d, void **frame, u32 n)
{
	u32 i;

	assert_true(d->up);
	for (i = 0; i < n && i < d->most && d->room; i++, d->room--) {
		assert_true(d->sent < LOG);
		d->out[d->sent++] = frame[i];
	}
	return i;
}

static void fake_release(void **frame, u32 n)
{
	while (n--)
		free_frame(&dev, frame[n]);
}

static const struct ethdev_api api = {
	.version = ETHDEV_API_VERSION,
	.link_up = fake_up, .rx = fake_rx, .pieces = fake_pieces, .waiting = fake_waiting,
	.interrupt = fake_interrupt,
	.alloc = fake_alloc, .offload = fake_offload, .tx = fake_tx, .release = fake_release,
};

/* ---- The bed ---- */

static struct ethdev_queue to, from;
static struct batch b;
static u64 dmax_ns;
static int interrupt_fd[2];
static u8 memory[2 * BATCH_PACKETS][PACKET_MAX_BYTES];

static inline int setup(void **state)
{
	struct ethdev_info info = { .mtu = MTU, .slots = { 512, 256 }, .interrupt_fd = -1 };

	memset(&dev, 0, sizeof(dev));
	dev = (struct ethdev){ .up = true, .room = LOG, .most = LOG, .memory = LOG };
	dmax_ns = 100000;
	if (pipe(interrupt_fd) < 0 || ethdev_queue_init(&to, "up", 0, &dmax_ns) < 0 ||
	    ethdev_queue_init(&from, "up", 1, &dmax_ns) < 0)
		return -1;
	info.interrupt_fd = interrupt_fd[0];
	ethdev_queue_set(&to, &api, &dev, &info);
	ethdev_queue_set(&from, &api, &dev, &info);
	return 0;
}

static inline int teardown(void **state)
{
	ethdev_queue_set(&to, &api, NULL, NULL);
	ethdev_queue_set(&from, &api, NULL, NULL);
	while (dev.sent)
		free_frame(&dev, dev.out[--dev.sent]);
	while (dev.come > dev.taken)
		free_frame(&dev, dev.in[--dev.come]);
	assert_int_equal(dev.made, 0);
	ethdev_queue_fini(&to);
	ethdev_queue_fini(&from);
	return close(interrupt_fd[0]) || close(interrupt_fd[1]);
}

static inline void empty(void)
{
	b.n = b.n_seg = b.bytes = 0;
}

/* A packet of @bytes in three pieces behind those of the batch; its bytes follow from @seq. */
static inline struct packet *add(u32 seq, u32 bytes)
{
	u8 *data = memory[b.n];
	struct packet *p = &b.pkt[b.n++];
	u32 at = 0, i;

	memset(data, (int)seq, bytes);
	memcpy(data, &seq, sizeof(seq));
	*p = (struct packet){ .bytes = bytes, .n_seg = 3, .seg = &b.seg[b.n_seg] };
	for (i = 0; i < 3; i++) {
		u32 n = i < 2 ? bytes / 4 + i : bytes - at;

		b.seg[b.n_seg++] = (struct rp_seg){ data + at, n };
		at += n;
	}
	return p;
}

/* A large segment of TCP over IPv4. */
static inline struct packet *add_large(u32 seq, u32 payload, u16 size)
{
	static const u8 front[54] = {
		[12] = 8, [14] = 0x45, [23] = 6, [46] = 0x50,
	};
	struct packet *p = add(seq, (u32)sizeof(front) + payload);

	memcpy(memory[b.n - 1], front, sizeof(front));
	memcpy(memory[b.n - 1] + sizeof(front), &seq, sizeof(seq));
	p->hdr = (struct virtio_net_hdr_v1){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 16,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = size,
	};
	return p;
}

#endif /* TEST_ETHDEV_FAKE_H */
