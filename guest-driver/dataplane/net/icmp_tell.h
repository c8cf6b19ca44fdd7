/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors of ICMP that are sent: to whoever sent a packet that cannot be delivered. By the
 * thread of the group that has the packet, which allows itself so many in a second.
 */
#ifndef DP_NET_ICMP_TELL_H
#define DP_NET_ICMP_TELL_H

#include <arpa/inet.h>
#include <netinet/ip.h>

#include "dataplane.h"

/* Of each group, in a second. */
#define NET_ERRORS_MAX		16u
/* Of what follows IPv4's header of the packet that is quoted. */
#define NET_QUOTED_BYTES	8u

/* A flow group's: how many there were in this second. */
struct net_told {
	u64 second;
	u32 errors;
};

struct net_error {
	u8 type, code;		/* ICMP's */
	u32 own_ip;		/* who says it, as on the wire */
	const u8 *to_mac;	/* from where the packet came */
	u8 card;		/* by which */
	struct iphdr ip;	/* of the packet, as it was received; its options are not quoted */
	const u8 *l4;		/* what follows, ->l4_bytes of it */
	u32 l4_bytes;
};

/*
 * Tells the sender; false: not, as nothing is said of such packets (RFC 1122, sec. 3.2.2), as
 * that was too often, or as no frame was left. The packet went to this station alone.
 */
bool net_icmp_tell(struct dp_thread *t, struct net_told *told, const struct net_error *e);

#endif /* DP_NET_ICMP_TELL_H */
