/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The arithmetic of event indices (VIRTIO_RING_F_EVENT_IDX), for whoever
 * reads and writes a ring: user space, or the kernel's vhost device.
 */
#ifndef RP_VRING_EVENT_H
#define RP_VRING_EVENT_H

#include "rp.h"

/* Did an index that moved from @old to @now pass @event? (sec. 2.7.7.2) */
static inline bool rp_need_event(u16 event, u16 now, u16 old)
{
	return (u16)(now - event - 1) < (u16)(now - old);
}

/*
 * Has an index that is at @now passed @event, which the peer has left there? One
 * that was put far away it never has.
 */
static inline bool rp_event_due(u16 event, u16 now, u32 num)
{
	return (u16)(now - event - 1) < num;
}

/*
 * "No notification, please" with EVENT_IDX: the event index is put half the
 * number circle ahead of @base, the reader's index. The peer's index is never
 * more than num ahead of the reader's, so it cannot pass the event as long as
 * the event is moved on in time. Each side does that before it publishes,
 * since only what it publishes lets the peer's index move further.
 */
static inline u16 rp_event_far(u16 base)
{
	return (u16)(base + 0x8000u);
}

/* Is it time to move an event that was put far from @placed? */
static inline bool rp_event_stale(u16 placed, u16 base, u32 num)
{
	return (u16)(base - placed) + num >= 0x8000u;
}

#endif /* RP_VRING_EVENT_H */
