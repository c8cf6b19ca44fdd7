/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes by DPDK's table of longest prefixes, which is read by all threads and does not change. */
#ifndef DP_NF_ROUTES_H
#define DP_NF_ROUTES_H

#include "forward.h"

/* The table itself, of DPDK's memory. */
#define ROUTES_MIB	68u

struct routes;

/*
 * A file with a route in each line: prefix, MAC of the next hop, and which of @cards that is at,
 * counted from 0 (without: 0), "10.1.0.0/16 02:00:00:00:00:01 1"; # begins a comment. After EAL
 * has started. NULL after a line on stderr.
 */
struct routes *routes_open(const char *path, u32 cards);
void routes_close(struct routes *r);

/* As forward.find. */
bool routes_find(const void *routes, u32 ip, struct forward_hop *hop);

#endif /* DP_NF_ROUTES_H */
