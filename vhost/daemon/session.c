// SPDX-License-Identifier: GPL-2.0-or-later
/* A vhost-user session: libvhost-user on one side, a kind of device on the other. */
#include <errno.h>
#include <linux/sockios.h>
#include <linux/virtio_ring.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log/log.h"
#include "session.h"
#include "session_log.h"
#include "session_rings.h"
#include "session_status.h"
#include "sigbus.h"
#include "sock/sock.h"

/*
 * Replies are written by the library, which waits for room. A client that lets
 * so many bytes of them lie would in the end make the daemon wait.
 */
#define UNREAD_MAX_BYTES	65536

static struct session *of_vu(VuDev *vu)
{
	return container_of(vu, struct session, vu);
}

/* ---- What libvhost-user asks of a device ---- */

static void on_panic(VuDev *vu, const char *msg)
{
	struct session *s = of_vu(vu);

	/* The first complaint is the cause. */
	if (!s->panic[0])
		snprintf(s->panic, sizeof(s->panic), "%s", msg ? msg : "out of memory");
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
	struct session *s = of_vu(vu);

	memset(config, 0, len);
	s->ops->get_config(s, config, len);
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
 * filled it. The queue's thread does that instead: it can be interrupted.
 */
static void set_call_fd(struct session *s, const VhostUserMsg *m)
{
	VuVirtq *vq = &s->vu.vq[m->payload.u64 & VHOST_USER_VRING_IDX_MASK];

	if (vq->call_fd != -1)
		close(vq->call_fd);
	vq->call_fd = m->fd_num ? m->fds[0] : -1;
}

/* Refuses the message: the connection will end. */
static int refuse(struct session *s, const char *why)
{
	on_panic(&s->vu, why);
	s->vu.broken = true;
	return 1;
}

/* Requests that not every session offers. */
static u64 extra_requests(const struct session *s)
{
	return s->ops->requests | SESSION_STATUS_REQUESTS |
	       (session_can_log(s) ? SESSION_LOG_REQUESTS : 0);
}

static u64 protocol_features(const struct session *s)
{
	return s->ops->protocol_features | SESSION_STATUS_FEATURES;
}

static int check_features(struct session *s, const VhostUserMsg *m)
{
	u64 offered = m->request == VHOST_USER_SET_FEATURES ?
		s->ops->features(s) : protocol_features(s);

	if (m->payload.u64 & ~offered)
		return refuse(s, "a feature that was not offered");
	if (m->request == VHOST_USER_SET_FEATURES && s->ops->features_set)
		s->ops->features_set(s, m->payload.u64);
	return 0;
}

static const char *extra_message(struct session *s, const VhostUserMsg *m, u64 *rc)
{
	u64 bit = 1ULL << m->request;

	if (bit & SESSION_LOG_REQUESTS)
		return session_log_message(s, m);
	if (bit & SESSION_STATUS_REQUESTS)
		return session_status_message(s, m);
	return s->ops->message(s, m, rc);
}

/* One of extra_requests(), which are not the library's. */
static int own_message(struct session *s, VhostUserMsg *m, int *do_reply)
{
	u64 rc = 0;
	const char *why = extra_message(s, m, &rc);

	if (why)
		return refuse(s, why);
	if ((u32)m->request == VUMSG_GET_STATUS)
		reply_u64(m, s->status, do_reply);
	/* SET_LOG_BASE is answered in any case. */
	else if (m->request == VHOST_USER_SET_LOG_BASE || m->flags & VHOST_USER_NEED_REPLY_MASK)
		reply_u64(m, rc, do_reply);
	/* QEMU takes no reply that has it. */
	m->flags &= ~(u32)VHOST_USER_NEED_REPLY_MASK;
	return 1;
}

/* Nonzero: the message is dealt with. */
static int process_msg(VuDev *vu, VhostUserMsg *m, int *do_reply)
{
	struct session *s = of_vu(vu);

	if (extra_requests(s) >> m->request & 1)
		return own_message(s, m, do_reply);
	switch (m->request) {
	case VHOST_USER_GET_FEATURES:
		/* Not the library's: it offers logging and what goes with it. */
		reply_u64(m, s->ops->features(s), do_reply);
		return 1;
	case VHOST_USER_GET_PROTOCOL_FEATURES:
		reply_u64(m, protocol_features(s), do_reply);
		return 1;
	case VHOST_USER_SET_FEATURES:
	case VHOST_USER_SET_PROTOCOL_FEATURES:
		return check_features(s, m);
	case VHOST_USER_SET_VRING_CALL:
		set_call_fd(s, m);
		return 1;
	case VHOST_USER_SET_MEM_TABLE:
	case VHOST_USER_ADD_MEM_REG:
		session_rings_forget(s, m);
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

static void park_queue(struct session *s, u32 i)
{
	u16 last_avail;

	/* The library answers GET_VRING_BASE with its own idea of it. */
	if (s->ops->park(s, i, &last_avail))
		s->vu.vq[i].last_avail_idx = last_avail;
}

static void park_all(struct session *s)
{
	u32 i;

	for (i = 0; i < s->queue_count; i++)
		park_queue(s, i);
}

_Static_assert(VHOST_USER_MAX_RAM_SLOTS <= RP_MEM_REGIONS_MAX,
	       "every region that the library takes has its place");

static void drop_memory(struct session *s)
{
	u32 i;

	for (i = 0; i < s->mem.count; i++)
		sigbus_unwatch(s->watched[i]);
	s->mem.count = 0;
}

/* False: some of it could not be watched, and none is taken. */
static bool take_memory(struct session *s)
{
	VuDev *vu = &s->vu;
	u32 i;

	drop_memory(s);
	for (i = 0; i < vu->nregions; i++) {
		const VuDevRegion *r = &vu->regions[i];

		s->mem.region[i] = (struct rp_mem_region){
			.gpa = r->gpa,
			.size_bytes = r->size,
			.va = (u8 *)(uintptr_t)(r->mmap_addr + r->mmap_offset),
		};
		s->watched[i] = sigbus_watch((void *)(uintptr_t)r->mmap_addr,
					     r->size + r->mmap_offset);
		if (s->watched[i] < 0) {
			drop_memory(s);
			return false;
		}
		s->mem.count++;
	}
	return true;
}

static bool ready(const struct session *s, const VuVirtq *vq)
{
	/* Without protocol features rings start enabled. */
	bool enabled = vq->enable ||
		!(s->vu.features & 1ULL << VHOST_USER_F_PROTOCOL_FEATURES);

	return vq->started && enabled && !s->status_reset && vq->kick_fd != -1 && vq->vring.num &&
		vq->vring.desc && vq->vring.avail && vq->vring.used &&
		session_log_ready(s, vq);
}

/* The queue is parked, and the message that it was parked for is processed. */
static void sync_queue(struct session *s, u32 i, bool ring_changed)
{
	const VuVirtq *vq = &s->vu.vq[i];
	struct queue_ring ring = {
		.vring = {
			.num = vq->vring.num,
			.desc = (void *)vq->vring.desc,
			.avail = (void *)vq->vring.avail,
			.used = (void *)vq->vring.used,
		},
		.mem = &s->mem,
		.event_idx = s->vu.features & 1ULL << VIRTIO_RING_F_EVENT_IDX,
		.resume_idx = vq->last_avail_idx,
		.kick_fd = vq->kick_fd,
		.call_fd = vq->call_fd,
		.err_fd = vq->err_fd,
	};

	session_log_tell(s, vq, &ring);
	s->ops->sync(s, i, ready(s, vq) ? &ring : NULL, ring_changed);
}

/* NULL, or why the connection must end. */
static const char *sync_all(struct session *s)
{
	u32 i;

	if (!take_memory(s))
		return "more memory regions than can be watched";
	for (i = 0; i < s->queue_count; i++)
		sync_queue(s, i, true);
	return NULL;
}

/* ---- The connection ---- */

static void close_connection(struct session *s, const char *why)
{
	s->ops->gone(s);
	drop_memory(s);
	dirty_close(&s->log);
	loop_del(s->loop, &s->conn);
	vumsg_reset(&s->reader);
	vu_deinit(&s->vu);	/* closes the socket, too */
	s->conn.fd = -1;
	if (why)
		log_warn("%s: connection closed: %s", s->name, why);
	else
		log_info("%s: frontend disconnected", s->name);
}

/* NULL, or why the connection must end. */
static const char *handle_message(struct session *s)
{
	u32 queue, request = (u32)s->reader.msg.request;
	enum vumsg_scope scope;
	const char *why;
	int unread = 0;

	why = vumsg_check(&s->vu, &s->reader.msg, extra_requests(s), &scope, &queue);
	if (why)
		return why;
	if (ioctl(s->conn.fd, SIOCOUTQ, &unread) == 0 &&
	    unread > UNREAD_MAX_BYTES)
		return "it does not read its replies";
	log_debug("%s: %s", s->name,
		  vu_request_to_string(s->reader.msg.request));
	if (scope == VUMSG_ALL_QUEUES)
		park_all(s);
	else if (scope != VUMSG_NO_QUEUE)
		park_queue(s, queue);
	s->panic[0] = '\0';
	if (!vu_dispatch(&s->vu) || s->vu.broken)
		return s->panic[0] ? s->panic : "the message could not be processed";
	session_rings_find(s, request);
	if (scope == VUMSG_ALL_QUEUES)
		why = sync_all(s);
	else if (scope != VUMSG_NO_QUEUE)
		sync_queue(s, queue, scope == VUMSG_RING);
	if (why)
		return why;
	if (scope != VUMSG_NO_QUEUE && s->ops->settle)
		s->ops->settle(s);
	return NULL;
}

static void conn_ready(struct loop_source *src, u32 events)
{
	struct session *s = container_of(src, struct session, conn);
	const char *why = NULL;

	switch (vumsg_read(&s->reader, src->fd, &why)) {
	case VUMSG_MORE:
		break;
	case VUMSG_CLOSED:
		close_connection(s, NULL);
		break;
	case VUMSG_COMPLETE:
		why = handle_message(s);
		/* fall through */
	case VUMSG_BAD:
		if (why)
			close_connection(s, why);
		break;
	}
}

/* Has the present client gone, although its event was not seen yet? */
static bool client_gone(const struct session *s)
{
	char byte;

	return recv(s->conn.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void listener_ready(struct loop_source *src, u32 events)
{
	struct session *s = container_of(src, struct session, listener);
	int fd = sock_accept(src->fd), rc;

	if (fd < 0)
		return;
	if (session_connected(s) && client_gone(s))
		close_connection(s, NULL);
	if (session_connected(s)) {
		log_warn("%s: a second frontend was turned away", s->name);
		close(fd);
		return;
	}
	if (!vu_init(&s->vu, (u16)s->queue_count, fd, on_panic, on_read,
		     on_set_watch, on_remove_watch, &iface)) {
		log_error("%s: no memory for a connection", s->name);
		close(fd);
		return;
	}
	vumsg_init(&s->reader);
	s->status = 0;
	s->status_reset = false;
	s->conn.fd = fd;
	s->conn.ready = conn_ready;
	rc = loop_add(s->loop, &s->conn, EPOLLIN);
	if (rc < 0)
		close_connection(s, strerror(-rc));
	else
		log_info("%s: frontend connected", s->name);
}

void session_check_memory(struct session *s)
{
	u32 i;

	for (i = 0; session_connected(s) && i < s->mem.count; i++)
		if (sigbus_lost(s->watched[i]))
			close_connection(s, "the frontend truncated guest memory");
	if (session_connected(s) && dirty_lost(&s->log))
		close_connection(s, "the frontend truncated its dirty log");
}

/* ---- Life ---- */

bool session_name_ok(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

	return n && n <= SESSION_NAME_MAX && !name[n];
}

void session_init(struct session *s, const struct session_ops *ops, const char *name,
		  const char *socket, u32 queue_count)
{
	memset(s, 0, sizeof(*s));
	s->ops = ops;
	s->name = name;
	s->socket = socket;
	s->queue_count = queue_count;
	s->listener.fd = s->conn.fd = -1;
}

int session_listen(struct session *s, struct loop *loop, gid_t gid, char *why,
		   size_t why_bytes)
{
	int rc;

	s->loop = loop;
	s->listener.fd = sock_listen(s->socket, gid, why, why_bytes);
	if (s->listener.fd < 0)
		return -1;
	s->listener.ready = listener_ready;
	rc = loop_add(loop, &s->listener, EPOLLIN);
	if (rc < 0)
		snprintf(why, why_bytes, "cannot watch %s: %s", s->socket,
			 strerror(-rc));
	return rc < 0 ? -1 : 0;
}

void session_fini(struct session *s)
{
	if (session_connected(s))
		close_connection(s, NULL);
	if (s->listener.fd >= 0) {
		close(s->listener.fd);
		unlink(s->socket);
	}
	s->listener.fd = -1;
}
