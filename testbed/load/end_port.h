/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest of our own (net_end.h) as a port of the dataplane's station, so that the load
 * generator has its TCP without a kernel: one queue, one thread.
 */
#ifndef LOAD_END_PORT_H
#define LOAD_END_PORT_H

#include "native/net_end.h"
#include "port.h"

#define END_PORT_FRAME_BYTES	1514u

struct end_frame {
	struct dp_pkt p;
	u8 data[END_PORT_FRAME_BYTES];
};

struct end_port {
	struct dp_port port;
	struct net_end end;
	struct end_frame *frame;
	struct dp_list spare;
	u32 unsent;		/* frames in the ring that are not published */
};

/*
 * Connects to @socket, as the station of address @mac, with @slots in each ring. 0, or -1
 * after fail(); end_port_close() undoes it in both cases.
 */
int end_port_open(struct end_port *ep, const char *socket, const u8 mac[6], u32 slots,
		  u32 timeout_ms);
void end_port_close(struct end_port *ep);
/* What was sent is seen by the other side from here on. */
void end_port_publish(struct end_port *ep);

#endif /* LOAD_END_PORT_H */
