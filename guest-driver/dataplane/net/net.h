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

/* Ethernet, IPv4 with options, TCP with options. */
#define NET_FRONT_BYTES		(14u + 60u + 60u)

struct netif;

/* Addresses as they are on the wire. */
struct net_config {
	u32 ip, mask, gateway;		/* gateway 0: none */
	u16 port;			/* that the application listens to; 0: none */
	const struct conn_app *app;
	void *app_arg;
};

struct net {
	struct net_config cfg;
	struct dp_port *port;
	struct netif *nif;		/* lwIP's */
	u32 groups;
	u8 isn_key[16];
	u64 hash_key;
	struct arp_table arp;
};

/* What a flow group counts; relaxed. */
struct net_counts {
	_Atomic u64 malformed;		/* frames: too short, wrong lengths or checksums */
	_Atomic u64 no_memory;
	_Atomic u64 no_neighbour;	/* not sent, as the neighbour was not known */
	_Atomic u64 opened, closed;	/* connections */
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

/* Of the internet's checksum: the sum of @bytes at @data, to go on with, and its end. */
u32 net_sum(const u8 *data, u32 bytes, u32 sum);
u16 net_sum_end(u32 sum);

/* arp_frames.c. Takes the packet. */
void net_arp_input(struct net *net, struct dp_thread *t, struct dp_pkt *p);
/* To whom a packet for @ip goes; false: it is not known, and is asked for. */
bool net_neighbour(struct net *net, struct dp_thread *t, u32 ip, u8 mac[6]);

/* ctx.c: TCP of a flow group. Takes the packet. */
void net_tcp_input(struct dp_thread *t, struct dp_group *g, struct net_frame *f);
/* ahead.c: of the connections that frames are of. As dp_app.ahead. */
void net_ahead(struct dp_group **g, struct dp_pkt **p, u32 n);
int net_group_open(struct dp *dp, struct dp_group *g);
void net_group_close(struct dp *dp, struct dp_group *g);
struct net_counts *net_group_counts(struct dp_group *g);

#endif /* DP_NET_NET_H */
