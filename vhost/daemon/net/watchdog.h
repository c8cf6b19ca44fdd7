/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds a pacer that does not come out of a call.
 *
 * A peer's call eventfd may be one that blocks, and full: the peer shares it.
 * The pacer would hang there with everybody's flows. So while a pacer is busy
 * the main thread looks every WATCHDOG_NS whether it has made a turn, and if not
 * signals it out of the call; the queue is then given up until its connection ends,
 * whatever rings are set up, and from then on the port's eventfds are looked at before
 * each write. So a peer has one stall of two looks; another one needs a counter that it
 * fills between look and write, and costs its queue again. When no pacer is busy
 * there is no timer: a pacer that becomes busy starts it.
 *
 *	pacer: busy := 1		main: armed := 0
 *	       full barrier	pairs with    full barrier
 *	       armed? else start it	      a pacer busy? then start it
 */
#ifndef RINGPACED_WATCHDOG_H
#define RINGPACED_WATCHDOG_H

#include "rp.h"

#define WATCHDOG_NS	100000000L

struct watchdog {
	int fd;			/* timerfd, or -1 */
	u32 armed;		/* read relaxed: the timer runs */
};

/* 0 or -errno. */
int watchdog_init(struct watchdog *d);
void watchdog_fini(struct watchdog *d);
/* By any thread: the timer goes off once, WATCHDOG_NS from now. */
void watchdog_start(struct watchdog *d);

#endif /* RINGPACED_WATCHDOG_H */
