/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a NIC in software (nic_port.c) has as its wire: a queue to it, which its egress
 * sends into, and one from it, which is the TX queue of the port's first pair. What kind
 * of wire it is follows from the port's address.
 *
 * All of it is the main thread's; while it opens or closes one no pacer has the queues.
 */
#ifndef RINGPACED_NIC_WIRE_H
#define RINGPACED_NIC_WIRE_H

#include "net.h"

struct nic_wire {
	const struct nic_wire_kind *kind;
	struct port_queue *to, *from;	/* of index 0 and 1, detached */
};

struct nic_wire_kind {
	/* The address and what else it concerns. NULL, or one line of what is wrong. */
	const char *(*check)(const struct port_options *o);
	/* Not open; @o stays where it is and may change. NULL: no memory. */
	struct nic_wire *(*create)(const struct port_options *o);
	void (*destroy)(struct nic_wire *w);
	/* Attaches both queues. 0, or -1 with one line of why. */
	int (*open)(struct nic_wire *w, char *why, size_t why_bytes);
	/* Detaches both. Also of one that is not open. */
	void (*close)(struct nic_wire *w);
	bool (*link_up)(const struct nic_wire *w);
	/* What it was opened on has gone, and may be there again. NULL: that is not known. */
	bool (*gone)(const struct nic_wire *w);
	/* All that the port sends to takes these. NULL: nothing from here asks for any. */
	void (*peers_can)(struct nic_wire *w, const struct offloads *can);
	struct offloads rx_can;		/* what it can be given */
};

extern const struct nic_wire_kind tap_wire_kind, ethdev_wire_kind;

#endif /* RINGPACED_NIC_WIRE_H */
