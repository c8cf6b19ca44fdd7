/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A port of DPDK's: any ethdev with as many queues as there are threads. It steers
 * by the device's own table, or by that of the ringpaced whose port it is at.
 */
#ifndef DP_PORT_ETH_H
#define DP_PORT_ETH_H

#include "port.h"

struct eth_options {
	const char *name;		/* of the device, as DPDK has it */
	u32 queues, entries;
	u32 queue_len;			/* slots of each ring, a power of two; a card may have fewer */
	/* ringpaced's control socket and its port there; NULL: the device steers. */
	const char *steer_socket, *steer_port;
	bool interrupts;		/* where the device has them */
	bool sums;			/* TCP's checksums are the device's where it has them */
};

/* EAL is up. NULL after a line on stderr; eth_port_close() undoes it. */
struct dp_port *eth_port_open(const struct eth_options *o);
void eth_port_close(struct dp_port *port);

#endif /* DP_PORT_ETH_H */
