/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Neighbours: which station has an address of IPv4. One table for all threads, read
 * with each frame that is sent and written when a neighbour says something new.
 *
 * An entry is written under the table's lock between two counts of ->version, and read
 * without; a reader that has met a writer reads again (a sequence lock).
 */
#ifndef DP_NET_ARP_H
#define DP_NET_ARP_H

#include <pthread.h>
#include <stdatomic.h>

#include "rp.h"

#define ARP_ENTRIES	1024u
#define ARP_WAYS	4u
/* One that was confirmed so long ago is asked again, and used until it answers. */
#define ARP_FRESH_NS	60000000000ULL
/*
 * A second (RFC 1122, 2.3.2.1), less the two ticks by which a timer of a second may be early: the
 * second try of a SYN asks again if the first one's question was lost.
 */
#define ARP_ASK_NS	980000000ULL

struct arp_entry {
	_Atomic u32 version;		/* odd: somebody writes */
	_Atomic u32 ip;			/* as it is on the wire; 0: none */
	_Atomic u64 mac;		/* in the low bytes; 0: not known yet */
	_Atomic u64 since_ns;		/* confirmed */
	_Atomic u64 asked_ns;
};

struct arp_table {
	pthread_mutex_t lock;
	struct arp_entry entry[ARP_ENTRIES];
};

void arp_init(struct arp_table *a);

enum arp_answer {
	ARP_KNOWN,		/* @mac is set */
	ARP_KNOWN_ASK,		/* it is, and it is time to ask again */
	ARP_ASK,		/* it is not, ask */
	ARP_WAIT,		/* it is not, and was asked for a short time ago */
};

/* Any thread. Whoever is told to ask does so: nobody else is for a second. */
enum arp_answer arp_find(struct arp_table *a, u32 ip, u8 mac[6], u64 now_ns);
/* @ip is at @mac. Without @always only if the table has the address already. */
void arp_learn(struct arp_table *a, u32 ip, const u8 mac[6], bool always, u64 now_ns);

#endif /* DP_NET_ARP_H */
