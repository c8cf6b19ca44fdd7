// SPDX-License-Identifier: GPL-2.0-or-later
/* vhost-user frontend: memory, handshake, rings, reconnection. */
#include "frontend.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "util.h"
#include "vumsg.h"

/* Ring parts that different cores write never share a pair of cache lines. */
#define PART_ALIGN	128u
#define PAGE_ALIGN	4096u
#define HUGE_ALIGN	(2u << 20)

#define COMMON_FEATURES	(1ULL << VIRTIO_F_VERSION_1 |			\
			 1ULL << VIRTIO_RING_F_EVENT_IDX |		\
			 1ULL << VIRTIO_RING_F_INDIRECT_DESC |		\
			 1ULL << VU_F_PROTOCOL_FEATURES)
#define PC_FEATURES	(COMMON_FEATURES | 1ULL << VIRTIO_PC_F_MQ | 1ULL << VIRTIO_PC_F_REV)
#define NET_FEATURES	(COMMON_FEATURES | 1ULL << VIRTIO_NET_F_MQ |	\
			 1ULL << VIRTIO_NET_F_MRG_RXBUF |		\
			 1ULL << VIRTIO_NET_F_CSUM | 1ULL << VIRTIO_NET_F_GUEST_CSUM | \
			 1ULL << VIRTIO_NET_F_HOST_TSO4 | 1ULL << VIRTIO_NET_F_GUEST_TSO4 | \
			 1ULL << VIRTIO_NET_F_HOST_TSO6 | 1ULL << VIRTIO_NET_F_GUEST_TSO6)
#define NEEDED_FEATURES	(1ULL << VIRTIO_F_VERSION_1 | 1ULL << VU_F_PROTOCOL_FEATURES)
#define WANTED_PROTO	(1ULL << VU_PROTO_MQ | 1ULL << VU_PROTO_REPLY_ACK |	\
			 1ULL << VU_PROTO_CONFIG)

#define error(f, ...)	(snprintf((f)->error, sizeof((f)->error), __VA_ARGS__), -1)

static u64 align_up(u64 v, u64 to)
{
	return (v + to - 1) / to * to;
}

/* ---- Memory ---- */

/* Places queue @q's ring at offset @at; returns the end. Called before there is memory, too. */
static u64 place_ring(struct fe *f, u32 q, u64 at)
{
	struct rp_vring *r = &f->queue[q].ring;

	r->num = f->opt.queue_size;
	r->desc = (void *)((uintptr_t)f->mem + at);
	at = align_up(at + rp_vring_desc_bytes(r->num), PART_ALIGN);
	r->avail = (void *)((uintptr_t)f->mem + at);
	at = align_up(at + rp_vring_avail_bytes(r->num), PART_ALIGN);
	r->used = (void *)((uintptr_t)f->mem + at);
	return align_up(at + rp_vring_used_bytes(r->num), PAGE_ALIGN);
}

static u64 place_all(struct fe *f)
{
	u64 at = 0;
	u32 q;

	for (q = 0; q < f->opt.queues; q++)
		at = place_ring(f, q, at);
	f->data = (u8 *)((uintptr_t)f->mem + at);
	return align_up(at + f->opt.data_bytes, f->opt.hugepages ? HUGE_ALIGN : PAGE_ALIGN);
}

static int make_memory(struct fe *f)
{
	u32 flags = MFD_CLOEXEC | (f->opt.hugepages ? MFD_HUGETLB : 0);
	void *mem;

	f->mem_bytes = place_all(f);
	f->mem_fd = memfd_create("ringpace", flags);
	if (f->mem_fd < 0 || ftruncate(f->mem_fd, (off_t)f->mem_bytes))
		return error(f, "cannot make %llu bytes of shared memory: %m",
			     (unsigned long long)f->mem_bytes);
	/* Populated now: a page fault in the run would be measured as work. */
	mem = mmap(NULL, f->mem_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		   f->mem_fd, 0);
	if (mem == MAP_FAILED)
		return error(f, "cannot map %llu bytes of shared memory: %m%s",
			     (unsigned long long)f->mem_bytes,
			     f->opt.hugepages ? "; are there enough huge pages?" : "");
	f->mem = mem;
	place_all(f);
	return 0;
}

static int make_eventfds(struct fe *f)
{
	u32 q;

	for (q = 0; q < f->opt.queues; q++) {
		f->queue[q].kick_fd = eventfd(0, EFD_CLOEXEC);
		f->queue[q].call_fd = eventfd(0, EFD_CLOEXEC);
		if (f->queue[q].kick_fd < 0 || f->queue[q].call_fd < 0)
			return error(f, "cannot make an eventfd for queue %u: %m", q);
	}
	return 0;
}

/* ---- Messages ---- */

static int exchange(struct fe *f, struct vu_msg *m, int pass_fd, enum vu_wait wait)
{
	/* Without REPLY_ACK a refused message shows as a lost connection. */
	if (wait == VU_ACK && !(f->protocol_features & 1ULL << VU_PROTO_REPLY_ACK))
		wait = VU_NO_ANSWER;
	return vu_exchange(f->fd, m, pass_fd, wait, f->opt.timeout_ms, f->error,
			   sizeof(f->error));
}

static int get_num(struct fe *f, u32 request, u64 *num)
{
	struct vu_msg m = { .request = request };

	if (exchange(f, &m, -1, VU_ANSWER))
		return -1;
	if (m.size != sizeof(u64))
		return error(f, "the backend's answer to %s has %u bytes, not 8",
			     vu_request_name(request), m.size);
	*num = m.payload.num;
	return 0;
}

static int set_num(struct fe *f, u32 request, u64 num, int pass_fd)
{
	struct vu_msg m = { .request = request, .size = sizeof(u64), .payload.num = num };

	return exchange(f, &m, pass_fd, VU_ACK);
}

static int set_state(struct fe *f, u32 request, u32 q, u32 num)
{
	struct vu_msg m = {
		.request = request,
		.size = sizeof(m.payload.state),
		.payload.state = { .index = q, .num = num },
	};

	return exchange(f, &m, -1, VU_ACK);
}

static int set_addr(struct fe *f, u32 q)
{
	const struct rp_vring *r = &f->queue[q].ring;
	struct vu_msg m = {
		.request = VU_SET_VRING_ADDR,
		.size = sizeof(m.payload.addr),
		.payload.addr = {
			.index = q,
			.desc_user_addr = (uintptr_t)r->desc,
			.avail_user_addr = (uintptr_t)r->avail,
			.used_user_addr = (uintptr_t)r->used,
		},
	};

	return exchange(f, &m, -1, VU_ACK);
}

static int set_mem_table(struct fe *f)
{
	struct vu_msg m = {
		.request = VU_SET_MEM_TABLE,
		.size = sizeof(m.payload.mem),
		.payload.mem = {
			.count = 1,
			.region[0] = {
				.gpa = FE_GPA,
				.size_bytes = f->mem_bytes,
				.user_addr = (uintptr_t)f->mem,
			},
		},
	};

	return exchange(f, &m, f->mem_fd, VU_ACK);
}

static int get_config(struct fe *f)
{
	struct vu_msg m = {
		.request = VU_GET_CONFIG,
		.size = VU_CONFIG_HEAD_BYTES + sizeof(f->config),
		.payload.config.size = sizeof(f->config),
	};

	if (exchange(f, &m, -1, VU_ANSWER))
		return -1;
	if (m.size < VU_CONFIG_HEAD_BYTES + sizeof(f->config))
		return error(f, "the backend has no virtio-pc configuration");
	memcpy(&f->config, m.payload.config.data, sizeof(f->config));
	if (f->config.version != VIRTIO_PC_CONFIG_VERSION)
		return error(f, "the backend's configuration has version %u, not %u: the two "
			     "are of different releases", f->config.version,
			     VIRTIO_PC_CONFIG_VERSION);
	return 0;
}

/* ---- Handshake ---- */

static int connect_once(struct fe *f)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	if (strlen(f->opt.socket) >= sizeof(sa.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(sa.sun_path, f->opt.socket);
	f->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (f->fd < 0)
		return -1;
	if (!connect(f->fd, (struct sockaddr *)&sa, sizeof(sa)))
		return 0;
	close(f->fd);
	f->fd = -1;
	return -1;
}

static int connect_backend(struct fe *f)
{
	u64 end = now_ns() + f->opt.timeout_ms * 1000000ULL;
	struct timespec pause = { 0, 2000000 };

	/* A backend that is just starting has no socket yet, or nobody behind it. */
	while (connect_once(f)) {
		if ((errno != ENOENT && errno != ECONNREFUSED) || now_ns() >= end)
			return error(f, "cannot connect to the backend at %s: %m", f->opt.socket);
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
	}
	return 0;
}

static int negotiate_protocol(struct fe *f)
{
	u64 have, queues = f->opt.queues;

	if (get_num(f, VU_GET_PROTOCOL_FEATURES, &have))
		return -1;
	f->protocol_features = 0;	/* no acknowledgement of this message */
	have &= WANTED_PROTO;
	if (set_num(f, VU_SET_PROTOCOL_FEATURES, have, -1))
		return -1;
	f->protocol_features = have;
	if ((have & 1ULL << VU_PROTO_MQ) && get_num(f, VU_GET_QUEUE_NUM, &queues))
		return -1;
	if (queues < f->opt.queues)
		return error(f, "the backend has %llu queues, not %u",
			     (unsigned long long)queues, f->opt.queues);
	f->backend_queues = (u32)queues;
	return !f->opt.net && have & 1ULL << VU_PROTO_CONFIG ? get_config(f) : 0;
}

/* @must: the features to end with, or 0 at the first handshake. */
static int handshake(struct fe *f, u64 must)
{
	struct vu_msg owner = { .request = VU_SET_OWNER };
	u64 have;

	if (connect_backend(f) || get_num(f, VU_GET_FEATURES, &have))
		return -1;
	if ((have & NEEDED_FEATURES) != NEEDED_FEATURES)
		return error(f, "the backend at %s lacks VERSION_1 or PROTOCOL_FEATURES (it has "
			     "%#llx)", f->opt.socket, (unsigned long long)have);
	have &= must ? must : (f->opt.net ? NET_FEATURES : PC_FEATURES) & ~f->opt.without;
	/* The rings are laid out and in use: their features cannot change. */
	if (must && have != must)
		return error(f, "the backend came back without features %#llx",
			     (unsigned long long)(must & ~have));
	f->features = have;
	if (negotiate_protocol(f) || exchange(f, &owner, -1, VU_ACK))
		return -1;
	return set_num(f, VU_SET_FEATURES, have, -1);
}

static int start_queue(struct fe *f, u32 q, u16 base)
{
	const struct fe_queue *fq = &f->queue[q];

	if (set_state(f, VU_SET_VRING_NUM, q, fq->ring.num) ||
	    set_state(f, VU_SET_VRING_BASE, q, base) || set_addr(f, q) ||
	    set_num(f, VU_SET_VRING_CALL, q, fq->call_fd) ||
	    set_num(f, VU_SET_VRING_KICK, q, fq->kick_fd))
		return -1;
	return set_state(f, VU_SET_VRING_ENABLE, q, 1);
}

static int start_all(struct fe *f, bool resume)
{
	u32 q;

	if (set_mem_table(f))
		return -1;
	for (q = 0; q < f->opt.queues; q++)
		if (start_queue(f, q, resume ? rp_load_acquire(&f->queue[q].ring.used->idx) : 0))
			return -1;
	return 0;
}

/* ---- The interface ---- */

int fe_open(struct fe *f, const struct fe_options *opt)
{
	u32 q;

	memset(f, 0, sizeof(*f));
	f->opt = *opt;
	f->fd = f->mem_fd = -1;
	for (q = 0; q < FE_QUEUES_MAX; q++)
		f->queue[q].kick_fd = f->queue[q].call_fd = -1;
	if (!opt->queues || opt->queues > FE_QUEUES_MAX)
		return error(f, "%u queues: not in 1..%u", opt->queues, FE_QUEUES_MAX);
	if (!opt->queue_size || opt->queue_size > RP_VRING_MAX_NUM ||
	    opt->queue_size & (opt->queue_size - 1))
		return error(f, "queue size %u: not a power of two in 1..%u", opt->queue_size,
			     RP_VRING_MAX_NUM);
	if (make_memory(f) || make_eventfds(f) || handshake(f, 0)) {
		char why[sizeof(f->error)];

		memcpy(why, f->error, sizeof(why));
		fe_close(f);
		memcpy(f->error, why, sizeof(why));
		return -1;
	}
	return 0;
}

int fe_start(struct fe *f)
{
	return start_all(f, false);
}

int fe_reconnect(struct fe *f)
{
	const u64 one = 1;
	u32 q;

	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	if (handshake(f, f->features) || start_all(f, true))
		return -1;
	for (q = 0; q < f->opt.queues; q++)
		if (write(f->queue[q].kick_fd, &one, sizeof(one)) < 0 ||
		    write(f->queue[q].call_fd, &one, sizeof(one)) < 0)
			return error(f, "cannot notify queue %u: %m", q);
	return 0;
}

bool fe_alive(const struct fe *f)
{
	struct pollfd pfd = { .fd = f->fd, .events = POLLRDHUP };

	return f->fd >= 0 && poll(&pfd, 1, 0) == 0;
}

void fe_close(struct fe *f)
{
	u32 q;

	if (f->fd >= 0)
		close(f->fd);
	for (q = 0; q < FE_QUEUES_MAX; q++) {
		if (f->queue[q].kick_fd >= 0)
			close(f->queue[q].kick_fd);
		if (f->queue[q].call_fd >= 0)
			close(f->queue[q].call_fd);
		f->queue[q].kick_fd = f->queue[q].call_fd = -1;
	}
	if (f->mem)
		munmap(f->mem, f->mem_bytes);
	if (f->mem_fd >= 0)
		close(f->mem_fd);
	f->mem = NULL;
	f->fd = f->mem_fd = -1;
}
