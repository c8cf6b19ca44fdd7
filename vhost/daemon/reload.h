/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the file again, and doing what it says now: virtio-pc devices here, ports
 * by net_reload.h. A file that is wrong, or says what cannot be changed while the
 * daemon runs, changes nothing; nor does a new device or port that cannot be opened.
 */
#ifndef RINGPACED_RELOAD_H
#define RINGPACED_RELOAD_H

#include "options.h"

struct reload {
	struct options *first;		/* of the start: the caller's */
	struct options *options;	/* what is in effect */
	struct devices *devices;
	struct loop *loop;
	/* Told by the last one */
	u32 added, removed, changed;	/* devices and ports */
	char why[512];			/* what is wrong: the first of it */
	u32 errors;
};

/* @first is in effect. reload_fini() undoes it. */
void reload_init(struct reload *r, struct options *first, struct devices *d, struct loop *loop);
void reload_fini(struct reload *r);
/* 0; or -1 with ->why and ->errors, also logged; ->added and so on may then still be some. */
int reload_run(struct reload *r);

#endif /* RINGPACED_RELOAD_H */
