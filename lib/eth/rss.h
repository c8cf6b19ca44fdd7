/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Receive-side scaling: which of a port's RX queues a frame goes to, as virtio 1.2,
 * sec. 5.1.6.4.3 and 5.1.6.5.7 have it.
 *
 * The Toeplitz hash of the frame's addresses and ports, as far as the types that
 * are enabled allow, picks an entry of the table, and the entry names a pair of
 * queues; a frame that has no hash goes to ->unclassified. So a flow stays in
 * order as long as its entry says the same.
 *
 * A configuration is the main thread's. The pacers that write the port's RX
 * queues have a struct rss made of it, which is replaced as a whole while none has. Meanwhile
 * only its counters change, which are the pacers', and the pairs that entries name, one
 * by one, which are the main thread's, or also those of who steers if the table is shared
 * (rss_page.h).
 */
#ifndef RP_RSS_H
#define RP_RSS_H

#include <linux/virtio_net.h>

#include "rp.h"
#include "sock/sealed.h"

#define RSS_KEY_BYTES		40u
#define RSS_ENTRIES_MAX		512u
#define RSS_ENTRIES_DEFAULT	128u
/* Two addresses of IPv6, two ports. */
#define RSS_INPUT_BYTES		36u
/* What is looked at of a frame: Ethernet, a tag, IPv6, 64 bytes of extensions, ports. */
#define RSS_FRONT_BYTES		126u
/* And of a plain one: Ethernet, IPv4 without options, ports. */
#define RSS_PLAIN_BYTES		38u

/* The frame types that have a hash: VIRTIO_NET_RSS_HASH_TYPE_ but those with _EX. */
#define RSS_TYPES		(VIRTIO_NET_RSS_HASH_TYPE_IPv4 | VIRTIO_NET_RSS_HASH_TYPE_TCPv4 | \
				 VIRTIO_NET_RSS_HASH_TYPE_UDPv4 | VIRTIO_NET_RSS_HASH_TYPE_IPv6 | \
				 VIRTIO_NET_RSS_HASH_TYPE_TCPv6 | VIRTIO_NET_RSS_HASH_TYPE_UDPv6)

struct rss_page;

struct rss_config {
	u32 types;			/* of RSS_TYPES */
	u32 entries;			/* a power of two, 1..RSS_ENTRIES_MAX */
	u16 unclassified;		/* pair */
	u16 pair[RSS_ENTRIES_MAX];
	u8 key[RSS_KEY_BYTES];
};

struct rss {
	u32 types;
	u32 entries;
	u16 unclassified;
	/* Read relaxed, as what is in it: ->pair, or the page's; may be any number then. */
	u16 *table;
	struct rss_page *page;		/* NULL: it is not shared; released */
	struct sealed shared;		/* its memory, the main thread's */
	/* Of a table that is shared: what the main thread has last seen there. */
	u16 pair[RSS_ENTRIES_MAX];
	/* What each half of each byte of the input adds to the hash. */
	u32 part[2 * RSS_INPUT_BYTES][16];
	/* Read relaxed: packets by each entry, and last those without a hash. */
	u64 packets[RSS_ENTRIES_MAX + 1];
};

/* All types, the key that Microsoft has published, @entries over @pairs in turn. */
void rss_default(struct rss_config *c, u32 entries, u32 pairs);
/* Fit for a port of @pairs? NULL, or one line of what is wrong. */
const char *rss_check(const struct rss_config *c, u32 pairs);

/* Of a configuration that was checked. NULL: no memory. */
struct rss *rss_new(const struct rss_config *c);
void rss_free(struct rss *r);
u32 rss_hash(const struct rss *r, const u8 *input, u32 bytes);
/*
 * The hash of a frame of which @front has the first @have bytes, a private copy;
 * false: it has none. A fragment has no ports, nor has a frame whose ports lie
 * behind RSS_FRONT_BYTES.
 */
bool rss_hash_front(const struct rss *r, const u8 *front, u32 have, u32 *hash);
/*
 * The same for most frames, at less cost: IPv4 without a tag, options and pieces, of TCP or
 * UDP whose hash is enabled. false: it is no such frame, and may have a hash.
 */
bool rss_hash_plain(const struct rss *r, const u8 front[RSS_PLAIN_BYTES], u32 *hash);

#endif /* RP_RSS_H */
