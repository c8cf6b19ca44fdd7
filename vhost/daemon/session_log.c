// SPDX-License-Identifier: GPL-2.0-or-later
/* Dirty logging of a session: the frontend's log, and which queues use it. */
#include <unistd.h>

#include "log/log.h"
#include "session_log.h"

static bool logs_used_ring(const VuVirtq *vq)
{
	return vq->vring.flags & 1u << VHOST_VRING_F_LOG;
}

static bool covers_memory(const struct session *s)
{
	u32 i;

	for (i = 0; i < s->mem.count; i++)
		if (!dirty_covers(&s->log, s->mem.region[i].gpa, s->mem.region[i].size_bytes))
			return false;
	return true;
}

static const char *set_base(struct session *s, const VhostUserMsg *m)
{
	const VhostUserLog log = m->payload.log;
	const char *why = dirty_open(&s->log, m->fds[0], log.mmap_offset, log.mmap_size);

	if (!why && !covers_memory(s))
		log_warn("%s: its dirty log of %llu bytes is too small for its memory: logged queues "
			 "stand until it is larger", s->name, (unsigned long long)log.mmap_size);
	return why;
}

/*
 * An eventfd that "may be used to inform" the frontend. It looks at the log anyway,
 * and an eventfd of its own could make a pacer wait.
 */
const char *session_log_message(struct session *s, const VhostUserMsg *m)
{
	const char *why = m->request == VHOST_USER_SET_LOG_BASE ? set_base(s, m) : NULL;
	int i;

	for (i = 0; i < m->fd_num; i++)
		close(m->fds[i]);
	return why;
}

bool session_log_ready(const struct session *s, const VuVirtq *vq)
{
	if (!session_logs(s))
		return true;
	return covers_memory(s) && s->log.bits &&
	       (!logs_used_ring(vq) || dirty_covers(&s->log, vq->vring.log_guest_addr,
						    rp_vring_used_bytes(vq->vring.num)));
}

void session_log_tell(const struct session *s, const VuVirtq *vq, struct queue_ring *ring)
{
	if (!session_logs(s))
		return;
	ring->log = &s->log;
	ring->log_used = logs_used_ring(vq);
	ring->log_used_gpa = vq->vring.log_guest_addr;
}
