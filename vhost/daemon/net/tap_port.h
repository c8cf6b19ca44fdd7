/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every kind of port does that has a tap behind it. */
#ifndef RINGPACED_TAP_PORT_H
#define RINGPACED_TAP_PORT_H

#include "tap_queue.h"

bool tap_name_ok(const char *name);
/* A descriptor of the interface, made if it is not there; @one: a single queue will do. Or -errno. */
int tap_open(const char *name, bool one);
/* What to do about it. */
const char *tap_advice(int error);
/*
 * Tells the kernel what those can take that it sends to: it segments, and completes
 * checksums, where they could not. @told: TUN_F_... that it knows.
 */
void tap_tell_offloads(const struct tap_queue *q, unsigned int *told, const struct offloads *can);

#endif /* RINGPACED_TAP_PORT_H */
