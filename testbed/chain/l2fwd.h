/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the forwarder on DPDK in a VM counts; it is asked on the VM's serial console. */
#ifndef CHAIN_L2FWD_H
#define CHAIN_L2FWD_H

#include <jansson.h>

#include "util.h"

#define L2FWD_NF	"l2fwd"		/* of --nf */

/* Since it started. By port: the first is that of what comes in. */
struct l2fwd_counts {
	u64 received[2], sent[2];
	u64 batches, sleeps;
};

/* The pty of a running VM's console, for l2fwd_ask(); to be closed. -1 after fail(). */
int l2fwd_open(const char *pty);
/* False: no answer in some seconds, or none that makes sense. */
bool l2fwd_ask(int fd, struct l2fwd_counts *c);
/* From @a to @b. */
json_t *l2fwd_json(const struct l2fwd_counts *a, const struct l2fwd_counts *b);

#endif /* CHAIN_L2FWD_H */
