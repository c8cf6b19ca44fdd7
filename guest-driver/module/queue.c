// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One virtqueue over the Linux virtio API: buffers, and notifications at a
 * threshold, for which that API has no words.
 *
 * The virtio core can ask for an interrupt at the next used buffer or at about
 * 3/4 of them. A threshold k is the field used_event of a split ring with
 * EVENT_IDX (virtio 1.2, sec. 2.7.7), which nobody but the driver writes. So
 * with EVENT_IDX the core is told once that callbacks are off, which stops it
 * from writing the field itself, and this file writes it. Without EVENT_IDX
 * there is only on and off: k is 1, by the core's functions. Packed rings are
 * refused when features are negotiated.
 */
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/virtio_config.h>

#include "vring/event.h"
#include "vpc.h"

/* Interrupt context. */
void vpc_queue_callback(struct virtqueue *vq)
{
	struct vpc_dev *dev = vq->vdev->priv;
	struct vpc_queue *q = &dev->queues[vq->index];

	WRITE_ONCE(q->called, true);
	wake_up(&q->wait);
}

static void free_slots(struct vpc_queue *q)
{
	u32 i;

	for (i = 0; q->slots && i < q->num; i++)
		kfree(q->slots[i].data);
	kvfree(q->slots);
	q->slots = NULL;
	q->free = NULL;
}

void vpc_queue_attach(struct vpc_queue *q, struct virtqueue *vq)
{
	struct virtio_device *vdev = vq->vdev;

	/* After a restore the ring may have another size. */
	if (q->num != virtqueue_get_vring_size(vq))
		free_slots(q);
	q->vq = vq;
	q->vring = virtqueue_get_vring(vq);
	q->num = virtqueue_get_vring_size(vq);
	q->event_idx = virtio_has_feature(vdev, VIRTIO_RING_F_EVENT_IDX);
	q->used = 0;
	virtqueue_disable_cb(vq);
	vpc_queue_disarm(q);
}

/* The device is reset: what it still had is ours again. */
void vpc_queue_detach(struct vpc_queue *q)
{
	struct vpc_slot *slot;

	if (!q->vq)
		return;
	while ((slot = virtqueue_detach_unused_buf(q->vq))) {
		slot->posted = false;
		if (slot != &q->clock)
			vpc_queue_put_free(q, slot);
	}
	q->inflight = 0;
	q->own = 0;
	q->vq = NULL;
	q->vring = NULL;
}

void vpc_queue_free(struct vpc_queue *q)
{
	free_slots(q);
	kfree(q->clock.data);
	vfree(q->trace);
	q->clock.data = NULL;
	q->trace = NULL;
}

static int add_slots(struct vpc_queue *q)
{
	u32 i;

	q->slots = kvcalloc(q->num, sizeof(*q->slots), GFP_KERNEL);
	if (!q->slots)
		return -ENOMEM;
	for (i = q->num; i--; )
		vpc_queue_put_free(q, &q->slots[i]);
	return 0;
}

int vpc_queue_begin(struct vpc_queue *q)
{
	struct rp_trace *trace;

	if (!q->slots && add_slots(q))
		return -ENOMEM;
	if (!q->trace) {
		trace = vzalloc(sizeof(*trace));
		if (!trace)
			return -ENOMEM;
		mutex_lock(&q->report_lock);
		q->trace = trace;
		mutex_unlock(&q->report_lock);
	}
	q->gen++;
	q->own = 0;
	WRITE_ONCE(q->called, false);
	return 0;
}

struct vpc_slot *vpc_queue_take_free(struct vpc_queue *q)
{
	struct vpc_slot *slot = q->free;

	if (slot)
		q->free = slot->next;
	return slot;
}

void vpc_queue_put_free(struct vpc_queue *q, struct vpc_slot *slot)
{
	slot->next = q->free;
	q->free = slot;
}

/* Runs differ in the size of their items; a slot only ever grows. */
bool vpc_slot_fit(struct vpc_slot *slot, u32 bytes)
{
	void *data;

	if (likely(slot->bytes >= bytes))
		return true;
	/* Zeroed: the host must not see what was there before. */
	data = kzalloc(bytes, GFP_KERNEL);
	if (!data)
		return false;
	kfree(slot->data);
	slot->data = data;
	slot->bytes = bytes;
	return true;
}

void vpc_queue_posted(struct vpc_queue *q, struct vpc_slot *slot)
{
	slot->gen = q->gen;
	slot->posted = true;
	q->inflight++;
	if (slot != &q->clock)
		q->own++;
}

/* Puts the event out of the used index's reach. */
static void put_event_far(struct vpc_queue *q)
{
	q->far = q->used;
	WRITE_ONCE(vring_used_event(q->vring),
		   cpu_to_virtio16(q->vq->vdev, rp_event_far(q->used)));
}

void vpc_queue_keep_far(struct vpc_queue *q)
{
	if (q->event_idx && !q->armed &&
	    unlikely(rp_event_stale(q->far, q->used, q->num)))
		put_event_far(q);
}

bool vpc_queue_post(struct vpc_queue *q, struct vpc_slot *slot, u32 bytes, bool out)
{
	struct scatterlist sg;
	int err;

	vpc_queue_keep_far(q);
	sg_init_one(&sg, slot->data, bytes);
	if (out)
		err = virtqueue_add_outbuf(q->vq, &sg, 1, slot, GFP_KERNEL);
	else
		err = virtqueue_add_inbuf(q->vq, &sg, 1, slot, GFP_KERNEL);
	if (err)
		return false;
	vpc_queue_posted(q, slot);
	return true;
}

struct vpc_slot *vpc_queue_get(struct vpc_queue *q, u32 *written_bytes)
{
	struct vpc_slot *slot = virtqueue_get_buf(q->vq, written_bytes);

	if (!slot)
		return NULL;
	q->used++;
	q->inflight--;
	if (slot->gen == q->gen && slot != &q->clock)
		q->own--;
	slot->posted = false;
	return slot;
}

void vpc_queue_reclaim(struct vpc_queue *q)
{
	struct vpc_slot *slot;
	u32 written;

	while ((slot = vpc_queue_get(q, &written)))
		if (slot != &q->clock)
			vpc_queue_put_free(q, slot);
}

u16 vpc_queue_pending(const struct vpc_queue *q)
{
	return (u16)(virtio16_to_cpu(q->vq->vdev, READ_ONCE(q->vring->used->idx)) -
		     q->used);
}

bool vpc_queue_arm(struct vpc_queue *q, u32 k)
{
	/* More than the device holds would never come. */
	k = min(k, q->inflight);
	if (!k)
		return true;
	q->armed = true;
	if (q->event_idx) {
		WRITE_ONCE(vring_used_event(q->vring),
			   cpu_to_virtio16(q->vq->vdev, (u16)(q->used + k - 1)));
	} else {
		virtqueue_enable_cb_prepare(q->vq);
		k = 1;
	}
	/*
	 * The device writes its used index, then reads our event; we write the
	 * event, then read the index. Pairs with the device's full barrier
	 * (virtio 1.2, sec. 2.7.7.2): one of the two sees the other.
	 */
	virt_mb();
	return vpc_queue_pending(q) >= k;
}

void vpc_queue_disarm(struct vpc_queue *q)
{
	q->armed = false;
	if (q->event_idx)
		put_event_far(q);
	else
		virtqueue_disable_cb(q->vq);
}

bool vpc_queue_owes_kick(const struct vpc_queue *q, u32 *wish)
{
	struct virtio_device *vdev = q->vq->vdev;
	u16 used = virtio16_to_cpu(vdev, READ_ONCE(q->vring->used->idx)), event;

	if (!q->event_idx || !q->inflight || vpc_queue_pending(q) >= q->inflight)
		return false;
	event = virtio16_to_cpu(vdev, READ_ONCE(vring_avail_event(q->vring)));
	*wish = (u32)event << 16 | used;
	return rp_event_due(event, (u16)(q->used + q->inflight), q->num);
}

bool vpc_ring_peer_wants(struct rp_party *p)
{
	return virtqueue_kick_prepare(vpc_run_of(p)->q->vq);
}

void vpc_ring_notify(struct rp_party *p)
{
	virtqueue_notify(vpc_run_of(p)->q->vq);
}

bool vpc_ring_arm(struct rp_party *p, u32 k)
{
	struct vpc_queue *q = vpc_run_of(p)->q;

	/* One that came too late for its block, and the party is idle again. */
	if (xchg(&q->called, false)) {
		p->stats.received++;
		p->stats.spurious++;
	}
	return vpc_queue_arm(q, k);
}

void vpc_ring_disarm(struct rp_party *p)
{
	vpc_queue_disarm(vpc_run_of(p)->q);
}
