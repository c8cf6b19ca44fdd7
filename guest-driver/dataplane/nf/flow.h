/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flows of a NAT, as a flow group has them: found by what the inside sends and by what the
 * outside sends, forgotten when nothing came for the time of their class. One owner at a
 * time, no locks.
 *
 * The flows of a class have the same time-out, so the list of a class, whose tail is the
 * flow that was used last, is in the order of their ends: one timer of the group, once a
 * second, looks at the heads alone.
 */
#ifndef DP_NF_FLOW_H
#define DP_NF_FLOW_H

#include "wheel.h"

/* Of RFC 5382, 4787 and 5508; each is at least what that asks for. */
enum flow_class {
	FLOW_TCP,		/* opened by both sides, not closed by both */
	FLOW_TCP_BRIEF,		/* otherwise */
	FLOW_UDP,
	FLOW_ICMP,
	FLOW_CLASSES
};

extern const u32 flow_seconds[FLOW_CLASSES];

/* Addresses and ports as on the wire; of ICMP echo the port of the inside is its identifier. */
struct flow_key {
	u32 inside_ip, remote_ip;
	u16 inside_port, remote_port;
	u16 outside_port;
	u8 proto;
};

struct flow {
	struct flow *in_next, *out_next;	/* of the same bucket */
	struct flow *prev, *next;		/* of the same class */
	struct flow_key key;
	u8 class;
	u8 seen;				/* FLOW_SEEN_ */
	u64 used_tick;
};

#define FLOW_SYN_OUT	1
#define FLOW_SYN_IN	2
#define FLOW_FIN_OUT	4
#define FLOW_FIN_IN	8
#define FLOW_RST	16

struct flow_list {
	struct flow *first, *last;
};

struct flow_table {
	struct dp_wheel *wheel;
	u8 secret[16];				/* of the hash: nobody outside can aim at a bucket */
	u32 buckets, count, max;
	struct flow **in, **out;
	struct flow_list list[FLOW_CLASSES];
	struct dp_timer timer;
};

/* @max a power of two. 0 or -ENOMEM. */
int flow_table_open(struct flow_table *ft, struct dp_wheel *wheel, u32 max, const u8 secret[16]);
void flow_table_close(struct flow_table *ft);

/* By the inside's part of @key, or the outside's. */
struct flow *flow_find_in(const struct flow_table *ft, const struct flow_key *key);
struct flow *flow_find_out(const struct flow_table *ft, const struct flow_key *key);
/* There is none of that key. NULL: there are as many as there may be, or no memory. */
struct flow *flow_add(struct flow_table *ft, const struct flow_key *key, enum flow_class class);
/* It was used, and is of that class from now on. */
void flow_use(struct flow_table *ft, struct flow *f, enum flow_class class);

#endif /* DP_NF_FLOW_H */
