/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network functions without TCP, as rp-dataplane has them: their options, what they are of. */
#ifndef DP_NF_FUNCTIONS_H
#define DP_NF_FUNCTIONS_H

#include <argp.h>

#include "dataplane.h"

/* A child of the program's. Addresses are the station's options. */
extern const struct argp functions_argp;

/* The application of that name; NULL: it is none of these. */
const struct dp_app *functions_find(const char *name);
/* With so many cards, and an address for each? NULL, or why not. Once all options are known. */
const char *functions_fit(const struct dp_app *app, u32 cards);
/* Of DPDK's memory, beside the packets. */
u32 functions_memory_mib(void);
/* Before dp_new(): its app_arg. NULL after a line on stderr. */
void *functions_open(struct dp_port *port, u32 threads, u32 groups);
/* After dp_free(). */
void functions_close(void *arg);

#endif /* DP_NF_FUNCTIONS_H */
