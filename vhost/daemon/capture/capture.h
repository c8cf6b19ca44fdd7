/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Captures of ports' packets, for clients of the control socket (docs/capture.md).
 *
 * Theory of operation. The order `capture` makes a ring in shared memory for each queue
 * that it names, and shows it to the queue; the reply carries the memory's descriptor. The
 * capture ends with the connection. Then the queue forgets the ring, each pacer is made to
 * finish the turn that may have seen it, and only then it goes. A client can change the
 * memory but not its size. All of it is the main thread's.
 */
#ifndef RINGPACED_CAPTURE_H
#define RINGPACED_CAPTURE_H

#include "args.h"
#include "net/net.h"
#include "sock/lines.h"

#define CAPTURES_MAX	8u

/*
 * The order. The result, or NULL with @e filled in. The capture is ->of @peer then, and its
 * memory goes with the reply. @peer NULL: who cannot capture.
 */
json_t *capture_begin(struct net *n, const json_t *args, struct lines_peer *peer,
		      struct ctl_error *e);
/* The client has gone, if it was capturing at all. */
void capture_end(struct lines_peer *peer);

#endif /* RINGPACED_CAPTURE_H */
