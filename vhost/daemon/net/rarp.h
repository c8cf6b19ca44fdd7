/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tells the network that an address is now behind a port (RFC 903), for a guest
 * that has migrated and does not do so itself. The main thread's.
 */
#ifndef RINGPACED_RARP_H
#define RINGPACED_RARP_H

#include "net.h"

#define RARP_BYTES	60u

/* A request of @mac about itself, to all. */
void rarp_write(u8 frame[RARP_BYTES], const u8 mac[6]);
/* As if the guest at @p had sent that on its first queue. It is lost if nobody has room. */
void rarp_send(struct port *p, const u8 mac[6]);

#endif /* RINGPACED_RARP_H */
