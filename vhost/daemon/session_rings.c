// SPDX-License-Identifier: GPL-2.0-or-later
/* Where a session's rings are while regions of its memory come and go. */
#include "session_rings.h"

/*
 * The library gives up when a ring that it has an address of is not in the memory that it
 * has then. One that is stopped will get a new address before it runs.
 */
void session_rings_forget(struct session *s, const VhostUserMsg *m)
{
	u32 i;

	for (i = 0; i < s->queue_count; i++)
		if (!s->vu.vq[i].started || m->request == VHOST_USER_ADD_MEM_REG)
			s->vu.vq[i].vring.desc = NULL;
}

/* The ring's own size is checked when it begins: rp_dev_init(). */
static void *find(const VuDev *vu, u64 user_addr)
{
	u32 i;

	for (i = 0; i < vu->nregions; i++) {
		const VuDevRegion *r = &vu->regions[i];
		u64 off = user_addr - r->qva;

		if (off < r->size)
			return (void *)(uintptr_t)(r->mmap_addr + r->mmap_offset + off);
	}
	return NULL;
}

void session_rings_find(struct session *s, u32 request)
{
	u32 i;

	if (request != VHOST_USER_ADD_MEM_REG && request != VHOST_USER_REM_MEM_REG)
		return;
	for (i = 0; i < s->queue_count; i++) {
		VuVirtq *vq = &s->vu.vq[i];
		const struct vhost_vring_addr *a = &vq->vra;

		/* One that never got an address has none now. */
		if (!vq->started || !(a->desc_user_addr | a->avail_user_addr | a->used_user_addr))
			continue;
		vq->vring.desc = find(&s->vu, a->desc_user_addr);
		vq->vring.avail = find(&s->vu, a->avail_user_addr);
		vq->vring.used = find(&s->vu, a->used_user_addr);
	}
}
