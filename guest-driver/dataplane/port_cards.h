/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several cards as one port: a thread receives from its queue of each in turn, and what it
 * sends leaves by dp_pkt.card. All have the same table of flow groups, and change it together.
 */
#ifndef DP_PORT_CARDS_H
#define DP_PORT_CARDS_H

#include "port.h"

/*
 * Of @n cards with the same queues, entries and hash, which are the port's from here on, also
 * if it fails: NULL, no memory. @close ends each; cards_port_close() calls it.
 */
struct dp_port *cards_port_new(struct dp_port *const *card, u32 n, u32 entries,
			       void (*close)(struct dp_port *card));
void cards_port_close(struct dp_port *port);

#endif /* DP_PORT_CARDS_H */
