/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests of ports have in common: TAP, a rig of several guests that are all
 * this thread, and streams of frames between them.
 */
#ifndef NATIVE_NET_BED_H
#define NATIVE_NET_BED_H

#include "json.h"
#include "native/net_rig.h"

#define SLOTS		128u
#define WAIT_NS		(60 * NSEC_PER_SEC)
/* On a busy machine a receiver of ours may stop for long. */
#define NEVER_MS	3600000u

/* A line of TAP; @good. */
bool ok(bool good, const char *name, const char *what);
/* The plan; the exit status. */
int tests_done(void);

/* One pair each, 2 KiB buffers; not open. */
struct net_rig *make_rig(u32 ports, u32 frame_bytes);
void close_rig(struct net_rig *r);

/* Receives on @pair until @e has had @packets there. False: they do not come. */
bool await(struct net_end *e, u32 pair, u64 packets);
/* @n frames from @from to @to on one pair, as fast as both can. */
bool stream(struct net_end *from, struct net_end *to, u32 pair, u64 n);
/* Whole, once, in order? */
bool clean(const struct net_end *e, u32 pair);
/* Everything that was sent has been given back. */
bool reclaimed(struct net_end *e, u32 pair);
/* Waits until the daemon has seen that the guest at port @i has come, or gone. */
bool await_link(struct net_rig *r, u32 i, bool up);

#endif /* NATIVE_NET_BED_H */
