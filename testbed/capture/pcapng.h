/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes pcapng (draft-ietf-opsawg-pcapng), the parts that a capture of a port needs.
 * Blocks are in the machine's byte order, as the format has it. Errors stay in the
 * stream: ferror().
 */
#ifndef TESTBED_PCAPNG_H
#define TESTBED_PCAPNG_H

#include <stdio.h>

#include "rp.h"

enum pcapng_dir { PCAPNG_INBOUND = 1, PCAPNG_OUTBOUND = 2 };	/* of epb_flags */

struct pcapng_packet {
	u32 interface;			/* by the order of pcapng_interface() */
	u64 time_ns;			/* since 1970 */
	u32 bytes, caught;		/* of the packet, and of @data */
	const void *data;
	enum pcapng_dir dir;
	u32 queue;
	const char *comment;		/* NULL: none */
};

struct pcapng_totals {
	u32 interface;
	u64 start_ns, end_ns;		/* since 1970 */
	u64 received, lost;
};

/* First of all; @program wrote it. */
void pcapng_begin(FILE *f, const char *program);
/* An Ethernet interface whose times are nanoseconds; texts may be NULL. */
void pcapng_interface(FILE *f, const char *name, const char *description, u32 snaplen);
void pcapng_packet(FILE *f, const struct pcapng_packet *p);
void pcapng_totals(FILE *f, const struct pcapng_totals *t);

#endif /* TESTBED_PCAPNG_H */
