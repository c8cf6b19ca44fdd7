/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A session's dirty log: what its frontend says of it while its guest migrates. */
#ifndef RINGPACED_SESSION_LOG_H
#define RINGPACED_SESSION_LOG_H

#include "session.h"

/* Of ->protocol_features: what goes with VHOST_F_LOG_ALL. */
#define SESSION_LOG_REQUESTS	(1ULL << VHOST_USER_SET_LOG_BASE | 1ULL << VHOST_USER_SET_LOG_FD)

static inline bool session_can_log(const struct session *s)
{
	return s->ops->protocol_features >> VHOST_USER_PROTOCOL_F_LOG_SHMFD & 1;
}

/* Does the frontend want to know what is written? */
static inline bool session_logs(const struct session *s)
{
	return s->vu.features >> VHOST_F_LOG_ALL & 1;
}

/* SET_LOG_BASE or SET_LOG_FD, which is checked; all queues are parked. NULL, or why not. */
const char *session_log_message(struct session *s, const VhostUserMsg *m);
/* May the queue run? One that is to be logged and cannot be waits. */
bool session_log_ready(const struct session *s, const VuVirtq *vq);
/* What the queue has to know. */
void session_log_tell(const struct session *s, const VuVirtq *vq, struct queue_ring *ring);

#endif /* RINGPACED_SESSION_LOG_H */
