// SPDX-License-Identifier: GPL-2.0-or-later
/* Device status and reset of a session. */
#include <unistd.h>

#include "session_status.h"

#define STATUS_MAX	0xffu

static void close_fd(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

static void forget_ring(VuVirtq *vq)
{
	close_fd(&vq->kick_fd);
	close_fd(&vq->call_fd);
	close_fd(&vq->err_fd);
	vq->started = false;
	vq->enable = 0;
	vq->vring.desc = NULL;
	vq->vring.num = 0;
	vq->last_avail_idx = vq->shadow_avail_idx = vq->used_idx = 0;
}

static void reset_device(struct session *s)
{
	u32 i;

	for (i = 0; i < s->queue_count; i++)
		forget_ring(&s->vu.vq[i]);
	s->vu.features = 0;
	s->status = 0;
	s->status_reset = false;
	if (s->ops->features_set)
		s->ops->features_set(s, 0);
}

const char *session_status_message(struct session *s, const VhostUserMsg *m)
{
	if ((u32)m->request == VUMSG_RESET_DEVICE) {
		reset_device(s);
		return NULL;
	}
	if ((u32)m->request == VUMSG_GET_STATUS)
		return NULL;
	if (m->payload.u64 > STATUS_MAX)
		return "SET_STATUS: more than a byte";
	s->status = (u8)m->payload.u64;
	s->status_reset = !s->status;
	return NULL;
}
