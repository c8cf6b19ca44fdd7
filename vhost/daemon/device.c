// SPDX-License-Identifier: GPL-2.0-or-later
/* A virtio-pc device: its client and its queues. */
#include <errno.h>
#include <linux/sockios.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "device.h"
#include "log.h"
#include "sigbus.h"
#include "sock.h"
#include "virtio_pc.h"

/*
 * Replies are written by the library, which waits for room. A client that lets
 * so many bytes of them lie would in the end make the daemon wait.
 */
#define UNREAD_MAX_BYTES	65536

#define PROTOCOL_FEATURES (1ULL << VHOST_USER_PROTOCOL_F_MQ | \
			   1ULL << VHOST_USER_PROTOCOL_F_REPLY_ACK | \
			   1ULL << VHOST_USER_PROTOCOL_F_CONFIG | \
			   1ULL << VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS)

static struct device *of_vu(VuDev *vu)
{
	return container_of(vu, struct device, vu);
}

static u64 features(const struct device *d)
{
	u64 f = 1ULL << VIRTIO_F_VERSION_1 |
		1ULL << VIRTIO_RING_F_EVENT_IDX |
		1ULL << VIRTIO_RING_F_INDIRECT_DESC |
		1ULL << VHOST_USER_F_PROTOCOL_FEATURES |
		1ULL << VIRTIO_PC_F_REV;

	return d->opt.pairs > 1 ? f | 1ULL << VIRTIO_PC_F_MQ : f;
}

/* ---- What libvhost-user asks of a device ---- */

static void on_panic(VuDev *vu, const char *msg)
{
	struct device *d = of_vu(vu);

	/* The first complaint is the cause. */
	if (!d->panic[0])
		snprintf(d->panic, sizeof(d->panic), "%s", msg ? msg : "out of memory");
}

static bool on_read(VuDev *vu, int sock, VhostUserMsg *msg)
{
	vumsg_take(&of_vu(vu)->reader, msg);
	return true;
}

/* Kicks go to the queues' own threads: there is nothing for it to watch. */
static void on_set_watch(VuDev *vu, int fd, int condition, vu_watch_cb cb,
			 void *data)
{
}

static void on_remove_watch(VuDev *vu, int fd)
{
}

static bool in_order(VuDev *vu, int queue)
{
	return true;
}

static int get_config(VuDev *vu, uint8_t *config, uint32_t len)
{
	const struct device *d = of_vu(vu);
	struct virtio_pc_config c = {
		.version = VIRTIO_PC_CONFIG_VERSION,
		.queue_pairs = (u16)d->opt.pairs,
		.item_bytes = d->opt.item_bytes,
		.item_max_bytes = VIRTIO_PC_ITEM_MAX_BYTES,
	};

	memset(config, 0, len);
	memcpy(config, &c, len < sizeof(c) ? len : sizeof(c));
	return 0;
}

/* Read-only for the driver: a write has no effect (virtio 1.2, sec. 2.5). */
static int set_config(VuDev *vu, const uint8_t *data, uint32_t offset,
		      uint32_t size, uint32_t flags)
{
	return 0;
}

static void reply_u64(VhostUserMsg *m, u64 value, int *do_reply)
{
	m->payload.u64 = value;
	m->size = sizeof(m->payload.u64);
	m->fd_num = 0;
	*do_reply = 1;
}

/*
 * The library would write the new eventfd at once, and wait if the client has
 * filled it. The worker does that instead: it can be interrupted.
 */
static void set_call_fd(struct device *d, const VhostUserMsg *m)
{
	VuVirtq *vq = &d->vu.vq[m->payload.u64 & VHOST_USER_VRING_IDX_MASK];

	if (vq->call_fd != -1)
		close(vq->call_fd);
	vq->call_fd = m->fd_num ? m->fds[0] : -1;
}

/*
 * The library gives up when a ring that it has an address of is not in the new
 * memory. One that is stopped will get a new address before it runs.
 */
static void forget_stopped_rings(struct device *d)
{
	u32 i;

	for (i = 0; i < d->queue_count; i++)
		if (!d->vu.vq[i].started)
			d->vu.vq[i].vring.desc = NULL;
}

/* Nonzero: the message is dealt with. */
static int process_msg(VuDev *vu, VhostUserMsg *m, int *do_reply)
{
	struct device *d = of_vu(vu);
	u64 offered = m->request == VHOST_USER_SET_FEATURES ? features(d) :
		PROTOCOL_FEATURES;

	switch (m->request) {
	case VHOST_USER_GET_FEATURES:
		/* Not the library's: it offers logging and what goes with it. */
		reply_u64(m, features(d), do_reply);
		return 1;
	case VHOST_USER_GET_PROTOCOL_FEATURES:
		reply_u64(m, PROTOCOL_FEATURES, do_reply);
		return 1;
	case VHOST_USER_SET_FEATURES:
	case VHOST_USER_SET_PROTOCOL_FEATURES:
		if (!(m->payload.u64 & ~offered))
			return 0;
		on_panic(vu, "a feature that was not offered");
		vu->broken = true;
		return 1;
	case VHOST_USER_SET_VRING_CALL:
		set_call_fd(d, m);
		return 1;
	case VHOST_USER_SET_MEM_TABLE:
	case VHOST_USER_ADD_MEM_REG:
		forget_stopped_rings(d);
		return 0;
	default:
		return 0;
	}
}

static const VuDevIface iface = {
	.process_msg = process_msg,
	.queue_is_processed_in_order = in_order,
	.get_config = get_config,
	.set_config = set_config,
};

/* ---- Queues and memory, between two messages ---- */

static void park_queue(struct device *d, u32 i)
{
	struct queue *q = &d->queues[i];

	queue_park(q);
	/* The library answers GET_VRING_BASE with its own idea of it. */
	if (q->attached)
		d->vu.vq[i].last_avail_idx = q->dev.last_avail;
}

static void park_all(struct device *d)
{
	u32 i;

	for (i = 0; i < d->queue_count; i++)
		park_queue(d, i);
}

_Static_assert(VHOST_USER_MAX_RAM_SLOTS <= RP_MEM_REGIONS_MAX,
	       "every region that the library takes has its place");

static void take_memory(struct device *d)
{
	VuDev *vu = &d->vu;
	u32 i;

	for (i = 0; i < d->mem.count; i++)
		sigbus_unwatch(d->watched[i]);
	d->mem.count = vu->nregions;
	for (i = 0; i < vu->nregions; i++) {
		const VuDevRegion *r = &vu->regions[i];

		d->mem.region[i] = (struct rp_mem_region){
			.gpa = r->gpa,
			.size_bytes = r->size,
			.va = (u8 *)(uintptr_t)(r->mmap_addr + r->mmap_offset),
		};
		d->watched[i] = sigbus_watch((void *)(uintptr_t)r->mmap_addr,
					     r->size + r->mmap_offset);
	}
}

static bool ready(const struct device *d, const VuVirtq *vq)
{
	/* Without protocol features rings start enabled. */
	bool enabled = vq->enable ||
		!(d->vu.features & 1ULL << VHOST_USER_F_PROTOCOL_FEATURES);

	return vq->started && enabled && vq->kick_fd != -1 && vq->vring.num &&
		vq->vring.desc && vq->vring.avail && vq->vring.used;
}

/*
 * The queue is parked, and the message that it was parked for is processed:
 * takes over what the library knows now. A ring that stays where it is keeps
 * its state, also that of having been given up.
 */
static void sync_queue(struct device *d, u32 i, bool ring_changed)
{
	const VuVirtq *vq = &d->vu.vq[i];
	struct queue *q = &d->queues[i];
	struct queue_ring ring = {
		.vring = {
			.num = vq->vring.num,
			.desc = (void *)vq->vring.desc,
			.avail = (void *)vq->vring.avail,
			.used = (void *)vq->vring.used,
		},
		.mem = &d->mem,
		.event_idx = d->vu.features & 1ULL << VIRTIO_RING_F_EVENT_IDX,
		.resume_idx = vq->last_avail_idx,
		.kick_fd = vq->kick_fd,
		.call_fd = vq->call_fd,
		.err_fd = vq->err_fd,
	};

	if (!ready(d, vq)) {
		queue_detach(q);
		return;
	}
	if (q->attached && !ring_changed) {
		queue_new_fds(q, &ring);
	} else if (queue_attach(q, &ring) < 0) {
		queue_detach(q);
		log_error("%s: queue %u: its ring is not in the shared memory any more",
			  d->opt.name, i);
		return;
	}
	queue_resume(q);
}

static void sync_all(struct device *d)
{
	u32 i;

	take_memory(d);
	for (i = 0; i < d->queue_count; i++)
		sync_queue(d, i, true);
}

/* ---- The connection ---- */

static void close_connection(struct device *d, const char *why)
{
	u32 i;

	for (i = 0; i < d->queue_count; i++) {
		queue_end_thread(&d->queues[i]);
		queue_detach(&d->queues[i]);
	}
	for (i = 0; i < d->mem.count; i++)
		sigbus_unwatch(d->watched[i]);
	d->mem.count = 0;
	loop_del(d->loop, &d->conn);
	vumsg_reset(&d->reader);
	vu_deinit(&d->vu);	/* closes the socket, too */
	d->conn.fd = -1;
	if (why)
		log_warn("%s: connection closed: %s", d->opt.name, why);
	else
		log_info("%s: frontend disconnected", d->opt.name);
}

/* NULL, or why the connection must end. */
static const char *handle_message(struct device *d)
{
	enum vumsg_scope scope;
	const char *why;
	int unread = 0;
	u32 queue;

	why = vumsg_check(&d->vu, &d->reader.msg, &scope, &queue);
	if (why)
		return why;
	if (ioctl(d->conn.fd, SIOCOUTQ, &unread) == 0 &&
	    unread > UNREAD_MAX_BYTES)
		return "it does not read its replies";
	log_debug("%s: %s", d->opt.name,
		  vu_request_to_string(d->reader.msg.request));
	if (scope == VUMSG_ALL_QUEUES)
		park_all(d);
	else if (scope != VUMSG_NO_QUEUE)
		park_queue(d, queue);
	d->panic[0] = '\0';
	if (!vu_dispatch(&d->vu) || d->vu.broken)
		return d->panic[0] ? d->panic : "the message could not be processed";
	if (scope == VUMSG_ALL_QUEUES)
		sync_all(d);
	else if (scope != VUMSG_NO_QUEUE)
		sync_queue(d, queue, scope == VUMSG_RING);
	return NULL;
}

static void conn_ready(struct loop_source *src, u32 events)
{
	struct device *d = container_of(src, struct device, conn);
	const char *why = NULL;

	switch (vumsg_read(&d->reader, src->fd, &why)) {
	case VUMSG_MORE:
		break;
	case VUMSG_CLOSED:
		close_connection(d, NULL);
		break;
	case VUMSG_COMPLETE:
		why = handle_message(d);
		/* fall through */
	case VUMSG_BAD:
		if (why)
			close_connection(d, why);
		break;
	}
}

/* Has the present client gone, although its event was not seen yet? */
static bool client_gone(const struct device *d)
{
	char byte;

	return recv(d->conn.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void listener_ready(struct loop_source *src, u32 events)
{
	struct device *d = container_of(src, struct device, listener);
	int fd = sock_accept(src->fd), rc;

	if (fd < 0)
		return;
	if (device_connected(d) && client_gone(d))
		close_connection(d, NULL);
	if (device_connected(d)) {
		log_warn("%s: a second frontend was turned away", d->opt.name);
		close(fd);
		return;
	}
	if (!vu_init(&d->vu, (u16)d->queue_count, fd, on_panic, on_read,
		     on_set_watch, on_remove_watch, &iface)) {
		log_error("%s: no memory for a connection", d->opt.name);
		close(fd);
		return;
	}
	vumsg_init(&d->reader);
	d->conn.fd = fd;
	d->conn.ready = conn_ready;
	rc = loop_add(d->loop, &d->conn, EPOLLIN);
	if (rc < 0)
		close_connection(d, strerror(-rc));
	else
		log_info("%s: frontend connected", d->opt.name);
}

void device_check_memory(struct device *d)
{
	u32 i;

	for (i = 0; device_connected(d) && i < d->mem.count; i++)
		if (sigbus_lost(d->watched[i]))
			close_connection(d, "the frontend truncated guest memory");
}

/* ---- Life ---- */

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
	d->listener.fd = d->conn.fd = -1;
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

int device_listen(struct device *d, struct loop *loop, gid_t gid, char *why,
		  size_t why_bytes)
{
	int rc;

	d->loop = loop;
	d->listener.fd = sock_listen(d->opt.socket, gid, why, why_bytes);
	if (d->listener.fd < 0)
		return -1;
	d->listener.ready = listener_ready;
	rc = loop_add(loop, &d->listener, EPOLLIN);
	if (rc < 0)
		snprintf(why, why_bytes, "cannot watch %s: %s", d->opt.socket,
			 strerror(-rc));
	return rc < 0 ? -1 : 0;
}

void device_fini(struct device *d)
{
	u32 i;

	if (device_connected(d))
		close_connection(d, NULL);
	if (d->listener.fd >= 0) {
		close(d->listener.fd);
		unlink(d->opt.socket);
	}
	for (i = 0; i < d->queue_count; i++)
		queue_fini(&d->queues[i]);
	free(d->queues);
}
