/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two VMs with stock guests, a network card each, and somebody who forwards between them:
 * one is asked by the other, and that one tells how long it took.
 */
#ifndef PACKETS_PAIR_H
#define PACKETS_PAIR_H

#include "packets/forwarder.h"
#include "vm/stock.h"

struct pair_load {
	const char *name;
	const char *virtio_net;	/* options of that module in both guests, or NULL */
	const char *frames;	/* in words */
};

struct pair_task {
	const struct pair_load *load;
	u32 files, pings;
};

/* UNKNOWN: not measured. */
struct pair_sample {
	double stream_bits_per_s;	/* of files by TCP, one after the other */
	double rtt_ns;		/* mean of pings, each sent when the one before was answered */
	double cpu;		/* of the forwarder while files came, 0..1 and more */
};

/*
 * Boots both at @f, which forwards already, and ends them. 0, or -1 after fail() or when
 * stopped(). @v is open, and has no VM.
 */
int pair_run(struct stock_vms *v, const struct forwarder *f, const struct pair_task *t,
	     struct pair_sample *s);

/* Is there all that it needs? False: *@why is why not (static). */
bool pair_available(const char **why);

#endif /* PACKETS_PAIR_H */
