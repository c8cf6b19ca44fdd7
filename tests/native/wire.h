/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's end of a tap, in a network namespace of our own. */
#ifndef NATIVE_WIRE_H
#define NATIVE_WIRE_H

/*
 * Brings the interface up, without anything that the kernel would send by itself, and
 * opens a packet socket of our EtherType on it: -1: it cannot be done.
 */
int wire_open(const char *ifname);

#endif /* NATIVE_WIRE_H */
