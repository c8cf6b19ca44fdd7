/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a session's rings are while regions of its memory come and go one by one.
 *
 * The library looks for rings in the regions that it has counted. But in ADD_MEM_REG it
 * does so before it counts the new one, and gives up when a running ring is in there, as
 * it is after a frontend has taken the region away and brought it back; and REM_MEM_REG
 * leaves it with a pointer to where the ring was. So both are done here.
 */
#ifndef RINGPACED_SESSION_RINGS_H
#define RINGPACED_SESSION_RINGS_H

#include "session.h"

/* Before the library processes @m, which is about memory; all queues are parked. */
void session_rings_forget(struct session *s, const VhostUserMsg *m);
/* After it: rings that run have an address if they lie in the memory that is there now. */
void session_rings_find(struct session *s, u32 request);

#endif /* RINGPACED_SESSION_RINGS_H */
