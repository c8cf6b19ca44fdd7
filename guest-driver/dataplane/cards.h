/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What rp-dataplane is at: ports of ringpaced, network cards, virtual devices; one or several. */
#ifndef DP_CARDS_H
#define DP_CARDS_H

#include <argp.h>

#include "port_eth.h"

/* Most arguments by which DPDK is told of them. */
#define CARDS_ARGS_MAX	(8u + 2 * DP_CARDS_MAX)

/* Their options: a child of the program's. */
extern const struct argp cards_argp;

/* Once all options are known. */
u32 cards_count(void);
/*
 * Appends to @argv what DPDK is to find, with @threads queues of @queue_len slots each, and with
 * which memory: @memory_mib, where that is not hugepages, as many as it takes. How many.
 */
u32 cards_arguments(char **argv, u32 threads, u32 queue_len, u32 memory_mib);
/*
 * EAL is up: opens all, each as @o says that is of no card. NULL after a line on stderr;
 * cards_close() undoes it.
 */
struct dp_port *cards_open(const struct eth_options *o);
void cards_close(struct dp_port *port);
/* Their names, as they were given, on stdout. */
void cards_print(void);

#endif /* DP_CARDS_H */
