/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A station with an address of IPv4, as an application of the dataplane: Ethernet,
 * ARP and ICMP for all threads, TCP by a context of lwIP in each flow group.
 *
 * What is here is written before the threads run, but for the table of neighbours.
 * The peers are hostile, and may write to a frame while it is looked at: headers are
 * copied once, and checked in the copy.
 */
#ifndef DP_NET_NET_H
#define DP_NET_NET_H

#include "arp.h"
#include "conn.h"
#include "dataplane.h"
#include "icmp_tell.h"
#include "udp.h"

/* So long a packet of IPv4 may be on any path (RFC 791); longer ones of TCP are not cut. */
#define NET_MTU_MIN		576u
/* Ethernet, IPv4 with options, TCP with options. */
#define NET_FRONT_BYTES		(14u + 60u + 60u)

struct netif;

/* Addresses as they are on the wire. */
struct net_config {
	u32 ip, mask, gateway;		/* gateway 0: none */
	u16 port;			/* that the application listens to; 0: none */
	const struct conn_app *app;
	const struct udp_app *udp;	/* at the same port; NULL: none */
	void *app_arg;			/* of both */
};

struct net {
	struct net_config cfg;
	struct dp_port *port;
	u8 card;			/* of it; with TCP it has one */
	struct netif *nif;		/* lwIP's */
	u32 groups;
	u8 isn_key[16];
	u64 hash_key;
	struct arp_table arp;
	_Atomic u32 frag_buffers;	/* frag.h: so many are in use */
};

/* What a flow group counts; relaxed. */
struct net_counts {
	_Atomic u64 malformed;		/* frames: too short, wrong lengths or checksums */
	_Atomic u64 no_memory;
	_Atomic u64 no_neighbour;	/* not sent, as the neighbour was not known */
	_Atomic u64 opened, closed;	/* connections */
	_Atomic u64 pieces, whole;	/* fragments, packets that they made */
	_Atomic u64 broken;		/* packets that will not be whole */
	_Atomic u64 errors_soft;	/* of ICMP, about connections that go on */
	_Atomic u64 errors_ignored;	/* about none, or about nothing that is on its way */
	_Atomic u64 shortened;		/* a connection's segments, for the sake of its path */
	_Atomic u64 joined;		/* segments that left in the frame of another */
	_Atomic u64 datagrams, refused;	/* of UDP: answered; not, as nobody wants it */
};

/* For a dataplane of @groups, which is not there yet; one at a time. NULL: no memory. */
struct net *net_new(const struct net_config *cfg, struct dp_port *port, u32 groups);
/* After dp_free(). */
void net_free(struct net *net);

/* As dp_config.app, with a struct net as app_arg. */
extern const struct dp_app net_app;

/* ---- Between the files of this directory ---- */

/* A frame as its headers were once; the rest is the packet's. */
struct net_frame {
	struct dp_pkt *p;
	u8 front[NET_FRONT_BYTES];
	u32 have;			/* of it */
	u32 ip_bytes, l4_bytes;		/* IPv4's header, what follows it */
};

/* What a flow group has for what comes seldom. */
struct net_slow {
	struct net_told told;
	struct frag *frags;		/* not whole yet, the oldest first */
	u32 frag_count;
};

/* A segment of TCP that ICMP is about, as it quotes it. */
struct net_quoted {
	u8 type, code;
	u16 mtu;			/* that the next hop has; 0: it was not said */
	u32 remote_ip;			/* as on the wire, as are the ports */
	u16 port[2];			/* of this side, of the other */
	u32 seq;
	u32 ip_bytes;			/* of the packet, as it was sent */
};

/* Of a frame with IPv4. */
static inline void net_ethernet(u8 *at, const u8 to[6], const u8 from[6])
{
	memcpy(at, to, 6);
	memcpy(at + 6, from, 6);
	at[12] = 0x08;
	at[13] = 0x00;
}

/* Longest packet of IPv4 in a frame. */
static inline u32 net_mtu(const struct net *net)
{
	return net->port->frame_bytes < 1514 ? net->port->frame_bytes - 14 : 1500;
}

/* Of the internet's checksum: the sum of @bytes at @data, to go on with, and its end. */
u32 net_sum(const u8 *data, u32 bytes, u32 sum);
u16 net_sum_end(u32 sum);
/* The sum of the pseudo header of @bytes of @protocol between the addresses of IPv4's header @ip. */
u32 net_pseudo_sum(const u8 *ip, u8 protocol, u32 bytes);

/* arp_frames.c. Takes the packet. */
void net_arp_input(struct net *net, struct dp_thread *t, struct dp_pkt *p);
/* To whom a packet for @ip goes; false: it is not known, and is asked for. */
bool net_neighbour(struct net *net, struct dp_thread *t, u32 ip, u8 mac[6]);

/* icmp.c, udp.c. Take the packet; @g may be NULL of ICMP. */
void net_icmp_input(struct net *net, struct dp_thread *t, struct dp_group *g, struct net_frame *f);
void net_udp_input(struct net *net, struct dp_thread *t, struct dp_group *g, struct net_frame *f);
/* The packet goes back to its sender, with @l4_bytes behind a new header of IPv4. */
void net_send_back(struct net *net, struct dp_thread *t, struct dp_group *g, struct net_frame *f,
		   u32 l4_bytes);
/* path.c. By the thread of the group to which the replies of the quoted segment hash. */
void net_tcp_error(struct dp_thread *t, struct dp_group *g, const struct net_quoted *q);

/* ctx.c: TCP of a flow group. Takes the packet. */
void net_tcp_input(struct dp_thread *t, struct dp_group *g, struct net_frame *f);
/* ahead.c: of the connections that frames are of. As dp_app.ahead. */
void net_ahead(struct dp_group **g, struct dp_pkt **p, u32 n);
int net_group_open(struct dp *dp, struct dp_group *g);
void net_group_close(struct dp *dp, struct dp_group *g);
struct net_counts *net_group_counts(struct dp_group *g);
struct net_slow *net_group_slow(struct dp_group *g);

#endif /* DP_NET_NET_H */
