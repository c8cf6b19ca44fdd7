/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest of our own at a virtio-net port: it sends numbered frames on each of
 * its pairs of queues, and checks what it receives there. Or it sends and
 * receives frames of the caller's, one by one, that it knows nothing of.
 *
 * Numbered frames are Ethernet's, of the local experimental EtherType, with number, time
 * stamp and size behind the head; the rest is a pattern of the number. A tag (IEEE
 * 802.1Q) comes on top of the size. Each pair has an address, and counts for
 * itself. One thread at a time per pair, and another one for its other direction.
 * Functions return 0, or -1 after fail().
 */
#ifndef NATIVE_NET_END_H
#define NATIVE_NET_END_H

#include "frontend.h"

#define NET_ETHERTYPE_BE	0xb588	/* 0x88b5: local experimental (IEEE 802) */
/* Head, number, time stamp, size. */
#define NET_FRAME_MIN_BYTES	60u
#define NET_FRAME_MAX_BYTES	65549u
#define NET_TAG_BYTES		4u
/* Addresses that a receiver tells apart: see net_source(). */
#define NET_SOURCES		64u

struct net_end_options {
	const char *socket;
	u32 pairs;
	u32 slots;		/* of each queue */
	u8 station;		/* its address is 02:00:00:00:PAIR:STATION */
	u32 frame_bytes;	/* 60..65549; above 1514 it is sent as a GSO frame */
	u32 rx_bytes;		/* of a receive buffer, header included */
	u32 pieces;		/* of a frame that is sent: 1..4 */
	bool check_all;		/* every byte, not the head only */
	bool no_tx;		/* of the last pair: it only receives there */
	u64 without;		/* features, see fe_options */
	u32 timeout_ms;
};

#define NET_ALL		0xffu

/* Its number among those that a receiver tells apart: station and pair below 16 and 4. */
static inline u32 net_source(u32 station, u32 pair)
{
	return (pair * 16 + station) % NET_SOURCES;
}

struct net_tx {
	struct rp_drv drv;
	u8 *data;
	u64 sent, done;		/* frames published, and given back */
	u64 kicks;
};

struct net_rx {
	struct rp_drv drv;
	u8 *data;
	u64 next_seq[NET_SOURCES];	/* by net_source() */
	u64 packets, bytes;
	u64 lost, reordered, bad;
	u64 tagged;
	u16 vlan;		/* of the last tag */
	u64 kicks;
	/* A frame that has come in part. */
	u8 frame[NET_FRAME_MAX_BYTES + NET_TAG_BYTES];
};

struct net_end {
	struct net_end_options opt;
	/* Of what is sent from now on */
	u8 to;			/* station; NET_ALL: all */
	u16 vlan;		/* its tag; 0: none */
	u16 sum_from, sum_at;	/* net_tx_sum() */
	struct fe fe;
	struct net_tx *tx;
	struct net_rx *rx;
	bool open;
};

/* Connects and posts all receive buffers. net_end_close() undoes it, in both cases. */
int net_end_open(struct net_end *e, const struct net_end_options *o);
void net_end_close(struct net_end *e);
/* After the daemon's death: goes on where it was. */
int net_end_reconnect(struct net_end *e);

/* Sends up to @n frames, as many as there is room for; how many. Kicks if asked to. */
u32 net_send(struct net_end *e, u32 pair, u32 n);
/* Takes back what has been sent: how many are still out. */
u32 net_reclaim(struct net_end *e, u32 pair);
/* Receives what is there, up to @max frames, and posts the buffers again; how many. */
u32 net_receive(struct net_end *e, u32 pair, u32 max);
/* Blocks until there is something to receive, at most @timeout_ms. False: nothing. */
bool net_wait(struct net_end *e, u32 pair, u32 timeout_ms);
/* The same, of nanoseconds. */
bool net_wait_ns(struct net_end *e, u32 pair, u64 timeout_ns);

/* ---- Frames of the caller's, for a thread that has both directions of the pair ---- */

/* Where the next frame is to be written, ->opt.frame_bytes at most; NULL: no room. */
u8 *net_tx_next(struct net_end *e, u32 pair);
/*
 * Of the frame that is added next: the sum from @from on is left to the device, or to the
 * receiver, which finds what it begins with @at bytes behind (VIRTIO_NET_F_CSUM). @from 0: none is.
 */
void net_tx_sum(struct net_end *e, u32 from, u32 at);
/* It is there, and has @bytes. */
void net_tx_add(struct net_end *e, u32 pair, u32 bytes);
/* Sends what was added. Kicks if asked to. */
void net_tx_publish(struct net_end *e, u32 pair);
/* The next frame that has come, valid until net_rx_publish(); NULL: none. */
const u8 *net_rx_take(struct net_end *e, u32 pair, u32 *bytes);
/* Posts the buffers of what was taken again. Kicks if asked to. */
void net_rx_publish(struct net_end *e, u32 pair);

enum net_dir { NET_RX, NET_TX };

/*
 * Blocks until the device has done @k buffers of that queue (fewer if fewer are
 * out), or @stop_fd can be read (-1: there is none), at most @timeout_ms (-1: no
 * limit). Is there something?
 */
bool net_wait_for(struct net_end *e, u32 pair, enum net_dir dir, u32 k, int stop_fd,
		  int timeout_ms);

/* ---- The pattern of number @seq, in bytes @from..@to of a frame ---- */

static inline u8 net_pattern(u64 seq, u32 at)
{
	return (u8)(seq * 31 + at);
}

static inline void net_pattern_write(u8 *frame, u32 from, u32 to, u64 seq)
{
	u32 i;

	for (i = from; i < to; i++)
		frame[i] = net_pattern(seq, i);
}

static inline bool net_pattern_ok(const u8 *frame, u32 from, u32 to, u64 seq)
{
	u32 i;

	for (i = from; i < to; i++)
		if (frame[i] != net_pattern(seq, i))
			return false;
	return true;
}

#endif /* NATIVE_NET_END_H */
