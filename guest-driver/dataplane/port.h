/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports: where packets come from and go to. A port has as many receive and send
 * queues as there are threads, and steers what it receives by a table with an
 * entry for each flow group (RSS: hash modulo entries).
 *
 * What a port must keep: packets of a group come out of one queue in the order in
 * which they arrived. Once an entry has changed the port puts all that follow
 * into the new queue, and what went before is in the old one by then. So the
 * first packet in the new queue says that the old one gets no more.
 */
#ifndef DP_PORT_H
#define DP_PORT_H

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "pkt.h"

#define DP_CARDS_MAX	4u

struct dp_port;

struct dp_steer {
	u16 group, queue;
};

struct dp_port_ops {
	const char *name;
	/*
	 * Up to @max packets of the queue, which only this thread receives from. Less
	 * than @max: it was empty. The packets are the caller's.
	 */
	u32 (*rx)(struct dp_port *port, u32 queue, struct dp_pkt **p, u32 max);
	/* How many were sent, the first ones; the others are still the caller's. */
	u32 (*tx)(struct dp_port *port, u32 queue, struct dp_pkt **p, u32 n);
	/* By any thread that has a queue, with its own one. */
	void (*release)(struct dp_port *port, u32 queue, struct dp_pkt *p);
	/*
	 * Changes @n entries, all or none. 0 or -errno. May take long: the control
	 * thread calls it. With ->fenced: all that went by the old entries is in the
	 * old queues, to be received, when it returns.
	 */
	int (*steer)(struct dp_port *port, const struct dp_steer *s, u32 n);
	/*
	 * By the queue's thread: have all packets left the send queue, but for the
	 * last @since ones? Then what another queue sends comes after them. NULL: it
	 * cannot be told.
	 */
	bool (*left)(struct dp_port *port, u32 queue, u32 since);
	/* By the queue's thread: packets that wait in the receive queue. NULL: not known. */
	u32 (*depth)(struct dp_port *port, u32 queue);
	/*
	 * By the queue's thread, NULL: there are none. An interrupt makes @fd readable
	 * once packets come after it was asked for; they may have come before.
	 */
	int (*interrupt_fd)(struct dp_port *port, u32 queue);
	void (*interrupt)(struct dp_port *port, u32 queue, bool on);
	/* @fd is not readable any more, until the next one. */
	void (*interrupt_take)(struct dp_port *port, u32 queue);
	/*
	 * A packet to fill with up to ->frame_bytes and to send or release, by a thread that
	 * has a queue, with its own one. NULL: none is left.
	 */
	struct dp_pkt *(*alloc)(struct dp_port *port, u32 queue);
	/*
	 * With ->super_bytes: what is in @next comes after what is in @head and was joined to
	 * it, in one frame; @next goes where @head goes. ->bytes is what each of them has.
	 */
	void (*join)(struct dp_port *port, struct dp_pkt *head, struct dp_pkt *next);
	/* As it steers TCP and UDP over IPv4 that it receives; addresses and ports as on the wire. */
	u32 (*hash)(struct dp_port *port, u32 src_ip, u32 dst_ip, u16 src_port, u16 dst_port);
	/* The same of what has no ports, as ICMP. */
	u32 (*hash_ip)(struct dp_port *port, u32 src_ip, u32 dst_ip);
};

struct dp_port {
	const struct dp_port_ops *ops;
	u32 queues;
	u32 slots;		/* most packets that a receive queue can hold */
	bool fenced;
	bool sums;		/* it computes TCP's checksum of what it sends */
	u32 cards;		/* most ports are of one */
	u8 mac[DP_CARDS_MAX][6];
	u32 frame_bytes;	/* longest frame, from Ethernet's header on */
	/* Longest frame that is joined, and cut by the port; needs ->sums. 0: it cuts none. */
	u32 super_bytes;
	u32 spare;		/* so many received packets may be kept for long, in all */
};

/* As `interrupt_take` of a port whose interrupts are an eventfd's. */
static inline void dp_port_take_eventfd(int fd)
{
	u64 taken;

	if (fd >= 0 && read(fd, &taken, sizeof(taken)) < 0 && errno != EAGAIN && errno != EINTR)
		perror("rp-dataplane: an eventfd cannot be read");
}

/* ->hash of a port without hardware: any that spreads will do. */
static inline u32 dp_port_mix(u32 src_ip, u32 dst_ip, u16 src_port, u16 dst_port)
{
	u64 v = ((u64)src_ip << 32 | dst_ip) * 0x9e3779b97f4a7c15ULL;

	v = (v ^ v >> 29 ^ ((u32)src_port << 16 | dst_port)) * 0xbf58476d1ce4e5b9ULL;
	return (u32)(v >> 32);
}

#endif /* DP_PORT_H */
