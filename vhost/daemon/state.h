/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the queues' strategies have learned, in a file, so that it outlives the
 * daemon. A cache: without it, strategies learn again. The main thread's.
 *
 * The file is one JSON object, written anew as a whole and renamed into place:
 * {"program","version","queues":[{"device","queue","strategy","learned"}...],
 * "checksum"}, with the strategy's own bytes in hex.
 */
#ifndef RINGPACED_STATE_H
#define RINGPACED_STATE_H

#include "control.h"

struct state {
	const char *path;		/* NULL: none is kept */
	struct devices *devices;
	struct loop_source timer;	/* .fd -1: none */
	u64 written;			/* checksum of what the file has */
	bool complained;		/* that it cannot be written */
};

/*
 * Gives the queues, which have not run yet, what the file has for them. One
 * that is not there is none; one that is no good is ignored, with a warning.
 */
void state_load(struct state *s);
/* Looks every few seconds, from now on. 0 or -errno. */
int state_watch(struct state *s, struct loop *loop);
/* Writes the file if something has changed. */
void state_save(struct state *s);
void state_fini(struct state *s, struct loop *loop);

#endif /* RINGPACED_STATE_H */
