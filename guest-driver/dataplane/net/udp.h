/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UDP as an application has it: datagrams that are answered where they lie, in the thread of
 * the flow group of their addresses and ports. Nothing is kept from one to the next.
 *
 * Only the port that the station listens to has an application. Who sends to another one is
 * told by ICMP that nobody is there. Datagrams from ports below 1024 are not answered, so that
 * two services cannot be made to talk to each other for ever.
 */
#ifndef DP_NET_UDP_H
#define DP_NET_UDP_H

#include "rp.h"

/* Reserved for services, below this one. */
#define UDP_PORT_MIN	1024u

struct udp_app {
	const char *name;
	/*
	 * @bytes of @data, which the peer may still write to. The answer replaces it: how long
	 * that is, at most @bytes; -1: there is none.
	 */
	int (*answer)(void *app_arg, u8 *data, u32 bytes);
};

/* The same again. */
extern const struct udp_app udp_echo;

#endif /* DP_NET_UDP_H */
