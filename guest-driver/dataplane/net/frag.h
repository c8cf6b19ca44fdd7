/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets of IPv4 that come in pieces. All pieces between two hosts are the flow group's of
 * the two addresses (net_app sends them there), which puts them together; the whole packet
 * then goes to the group of its own hash. What is not whole yet moves with its group.
 *
 * Pieces are hostile: a packet is dropped, all of it, as soon as two of its pieces disagree on
 * a byte or on where it ends (RFC 5722); one that comes twice is ignored. A packet waits for
 * 15 s; its sender is told then, if it was the first piece that came (RFC 1122, sec. 3.3.2).
 *
 * Each packet has a buffer of 66 KiB until it was processed. There are at most FRAG_BUFFERS
 * of them in the station, and FRAG_OF_GROUP in a group wait for more; the oldest one has to go
 * for a new one. Of the station: ->frag_buffers, which all threads count in; nothing else.
 */
#ifndef DP_NET_FRAG_H
#define DP_NET_FRAG_H

#include <netinet/ip.h>

#include "net.h"

#define FRAG_BUFFERS	128u
#define FRAG_OF_GROUP	8u

static inline bool frag_is_piece(const struct iphdr *ip)
{
	return ip->frag_off & htons(IP_OFFMASK | IP_MF);
}

/*
 * A piece, whose header @ip is good, of packets to this station: takes it. The packet, if it
 * is whole now; net_frag_hash() says where it belongs.
 */
struct dp_pkt *net_frag_add(struct dp_thread *t, struct dp_group *g, struct net_frame *f,
			    const struct iphdr *ip);
/* The hash of such a packet, as if it had come in one frame. */
u32 net_frag_hash(struct dp_port *port, const struct dp_pkt *whole);
/* Of a group that ends: what is not whole goes. */
void net_frag_close(struct dp_group *g);

/*
 * Sends a packet of IPv4 without options, behind Ethernet's header, in as many pieces as it
 * takes. Takes it. Its id is the sender's to choose.
 */
void net_send_whole(struct net *net, struct dp_thread *t, struct dp_group *g, struct dp_pkt *p);

#endif /* DP_NET_FRAG_H */
