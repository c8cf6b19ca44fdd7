/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ringpaced that is started by a file, with many ports, and a guest of our own at each,
 * all of them in one thread: guest i and guest i ^ 1 talk to each other.
 */
#ifndef NATIVE_CROWD_H
#define NATIVE_CROWD_H

#include "json.h"
#include "native/net_daemon.h"
#include "native/net_end.h"
#include "net_bed.h"

#define CROWD_MAX	24u

struct crowd {
	struct net_daemon daemon;
	u32 guests;
	char file[180];
	struct net_end end[CROWD_MAX];
};

/* The socket of port @i, whose name is p@i; a static buffer. */
const char *crowd_socket(u32 i);
/* A file that is to be written, or NULL after fail(); crowd_written() ends it. */
FILE *crowd_write(struct crowd *c);
/* A port of it, with @more options (", KEY: VALUE" or ""). */
void crowd_write_port(FILE *f, u32 i, const char *more);
bool crowd_written(FILE *f);
/* By the file that was written. */
bool crowd_start(struct crowd *c);
bool crowd_reload(struct crowd *c);
/* A guest at each of the first @guests ports, with frames of different sizes. */
bool crowd_enter(struct crowd *c, u32 guests);
void crowd_leave(struct crowd *c);
/* crowd_leave(), and the daemon ends. */
void crowd_stop(struct crowd *c);

/* Each of guests @from..@to is heard by all others of them: a switch knows them then. */
bool crowd_introduce(struct crowd *c, u32 from, u32 to);
/* Every guest sends @n frames, at most half a ring, to its peer, at once; do all arrive? */
bool crowd_exchange(struct crowd *c, u32 n);
/* All that came to all guests was whole, and came once, in order. */
bool crowd_clean(const struct crowd *c);
/* Frames of all guests that the daemon has dropped. */
double crowd_dropped(struct crowd *c);

#endif /* NATIVE_CROWD_H */
