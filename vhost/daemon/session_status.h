/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device status that a frontend passes on, and its reset of the device
 * (vhost-user, STATUS and RESET_DEVICE), which the library does not know.
 *
 * A driver resets its device by status 0: no ring runs from then on. Their indices
 * stay, since QEMU asks for them (GET_VRING_BASE) before or, up to 7.2, after that.
 * They run again with a status that is not 0; a frontend need not come as far as
 * DRIVER_OK, which some of QEMU's devices never send. RESET_DEVICE takes features
 * and rings away, too; memory and protocol features are the connection's and stay.
 */
#ifndef RINGPACED_SESSION_STATUS_H
#define RINGPACED_SESSION_STATUS_H

#include "session.h"

/* Every session offers them. */
#define SESSION_STATUS_FEATURES	\
	(1ULL << VUMSG_PROTOCOL_F_RESET_DEVICE | 1ULL << VUMSG_PROTOCOL_F_STATUS)
#define SESSION_STATUS_REQUESTS	\
	(1ULL << VUMSG_RESET_DEVICE | 1ULL << VUMSG_SET_STATUS | 1ULL << VUMSG_GET_STATUS)

/* One of those; all queues are parked if it changes something. NULL, or why not. */
const char *session_status_message(struct session *s, const VhostUserMsg *m);

#endif /* RINGPACED_SESSION_STATUS_H */
