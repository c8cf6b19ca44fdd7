/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Applications with TCP, as rp-dataplane has them: their options, their station. */
#ifndef DP_STATION_H
#define DP_STATION_H

#include <argp.h>

#include "dataplane.h"
#include "net/net.h"

/* A child of the program's. */
extern const struct argp station_argp;

/* Addresses, as the options have them. */
const struct net_config *station_config(void);
/* "A.B.C.D/BITS", of a network with stations; false: it is none. */
bool station_address(const char *arg, u32 *ip, u32 *mask);

/* The application of that name; NULL: it is none of these. */
const struct dp_app *station_find(const char *name);
/* Before dp_new(): its app_arg. NULL after a line on stderr. */
void *station_open(struct dp_port *port, u32 threads, u32 groups);
/* After dp_free(). */
void station_close(void *station);

#endif /* DP_STATION_H */
