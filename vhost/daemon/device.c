// SPDX-License-Identifier: GPL-2.0-or-later
/* A virtio-pc device: what its session asks of it. */
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "log/log.h"
#include "virtio_pc.h"

static struct device *of_session(const struct session *s)
{
	return container_of(s, struct device, session);
}

static u64 features(const struct session *s)
{
	u64 f = 1ULL << VIRTIO_F_VERSION_1 |
		1ULL << VIRTIO_RING_F_EVENT_IDX |
		1ULL << VIRTIO_RING_F_INDIRECT_DESC |
		1ULL << VHOST_USER_F_PROTOCOL_FEATURES |
		1ULL << VIRTIO_PC_F_REV;

	return of_session(s)->opt.pairs > 1 ? f | 1ULL << VIRTIO_PC_F_MQ : f;
}

static void get_config(const struct session *s, void *config, u32 bytes)
{
	const struct device *d = of_session(s);
	struct virtio_pc_config c = {
		.version = VIRTIO_PC_CONFIG_VERSION,
		.queue_pairs = (u16)d->opt.pairs,
		.item_bytes = d->opt.item_bytes,
		.item_max_bytes = VIRTIO_PC_ITEM_MAX_BYTES,
	};

	memcpy(config, &c, bytes < sizeof(c) ? bytes : sizeof(c));
}

static bool park(struct session *s, u32 i, u16 *last_avail)
{
	struct queue *q = &of_session(s)->queues[i];

	queue_park(q);
	*last_avail = q->dev.last_avail;
	return q->attached;
}

static void sync_queue(struct session *s, u32 i, const struct queue_ring *ring,
		       bool changed)
{
	struct queue *q = &of_session(s)->queues[i];

	if (!ring) {
		queue_detach(q);
		return;
	}
	if (q->attached && !changed) {
		queue_new_fds(q, ring);
	} else if (queue_attach(q, ring) < 0) {
		queue_detach(q);
		log_error("%s: queue %u: its ring is not in the shared memory any more",
			  s->name, i);
		return;
	}
	queue_resume(q);
}

static void gone(struct session *s)
{
	struct device *d = of_session(s);
	u32 i;

	for (i = 0; i < d->queue_count; i++) {
		queue_end_thread(&d->queues[i]);
		queue_detach(&d->queues[i]);
	}
}

static const struct session_ops ops = {
	.features = features,
	.protocol_features = 1ULL << VHOST_USER_PROTOCOL_F_MQ |
		1ULL << VHOST_USER_PROTOCOL_F_REPLY_ACK |
		1ULL << VHOST_USER_PROTOCOL_F_CONFIG |
		1ULL << VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS,
	.get_config = get_config,
	.park = park,
	.sync = sync_queue,
	.gone = gone,
};

int device_init(struct device *d, const struct device_options *opt)
{
	struct queue_params params = {
		.strategy = RP_NOTIFY,
		.burst = 1,
		.item_bytes = opt->item_bytes,
		.cpu = -1,
	};
	int rc;

	memset(d, 0, sizeof(*d));
	d->opt = *opt;
	d->opt.socket = strdup(opt->socket);
	if (!d->opt.socket)
		return -ENOMEM;
	session_init(&d->session, &ops, d->opt.name, d->opt.socket, 2 * opt->pairs);
	d->queues = calloc(2 * opt->pairs, sizeof(*d->queues));
	if (!d->queues)
		return -ENOMEM;
	for (; d->queue_count < 2 * opt->pairs; d->queue_count++) {
		rc = queue_init(&d->queues[d->queue_count], d->opt.name,
				d->queue_count, &params, VIRTIO_PC_ITEM_MAX_BYTES);
		if (rc < 0)
			return rc;
	}
	return 0;
}

void device_fini(struct device *d)
{
	u32 i;

	session_fini(&d->session);
	for (i = 0; i < d->queue_count; i++)
		queue_fini(&d->queues[i]);
	free(d->queues);
	free((char *)d->opt.socket);
}
