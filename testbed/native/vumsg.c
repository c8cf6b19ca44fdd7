// SPDX-License-Identifier: GPL-2.0-or-later
/* One vhost-user message and its answer over the socket. */
#include "vumsg.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "util.h"

_Static_assert(offsetof(struct vu_msg, payload) == VU_HEAD_BYTES, "head of a message");
_Static_assert(offsetof(struct vu_config, data) == VU_CONFIG_HEAD_BYTES, "head of a config");
_Static_assert(sizeof(struct vu_mem_table) == 40, "memory table of one region");

const char *vu_request_name(u32 request)
{
	static const char *const names[] = {
		[VU_GET_FEATURES] = "GET_FEATURES",
		[VU_SET_FEATURES] = "SET_FEATURES",
		[VU_SET_OWNER] = "SET_OWNER",
		[VU_SET_MEM_TABLE] = "SET_MEM_TABLE",
		[VU_SET_VRING_NUM] = "SET_VRING_NUM",
		[VU_SET_VRING_ADDR] = "SET_VRING_ADDR",
		[VU_SET_VRING_BASE] = "SET_VRING_BASE",
		[VU_SET_VRING_KICK] = "SET_VRING_KICK",
		[VU_SET_VRING_CALL] = "SET_VRING_CALL",
		[VU_GET_PROTOCOL_FEATURES] = "GET_PROTOCOL_FEATURES",
		[VU_SET_PROTOCOL_FEATURES] = "SET_PROTOCOL_FEATURES",
		[VU_GET_QUEUE_NUM] = "GET_QUEUE_NUM",
		[VU_SET_VRING_ENABLE] = "SET_VRING_ENABLE",
		[VU_GET_CONFIG] = "GET_CONFIG",
	};

	if (request < sizeof(names) / sizeof(names[0]) && names[request])
		return names[request];
	return "request";
}

static int send_msg(int fd, const struct vu_msg *m, int pass_fd)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (void *)m, VU_HEAD_BYTES + m->size };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (pass_fd >= 0) {
		struct cmsghdr *c;

		hdr.msg_control = &control;
		hdr.msg_controllen = sizeof(control.buf);
		c = CMSG_FIRSTHDR(&hdr);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &pass_fd, sizeof(int));
	}
	do {
		n = sendmsg(fd, &hdr, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n == (ssize_t)iov.iov_len)
		return 0;
	/* A blocking stream takes a message this short whole, or fails. */
	errno = n < 0 ? errno : EIO;
	return -1;
}

/* Exactly @bytes by @end_ns. -1 and errno: ETIMEDOUT, ECONNRESET, ... */
static int receive(int fd, void *to, size_t bytes, u64 end_ns)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	u8 *at = to;
	u64 now;
	ssize_t n;

	while (bytes) {
		now = now_ns();
		if (now >= end_ns) {
			errno = ETIMEDOUT;
			return -1;
		}
		if (poll(&pfd, 1, (int)((end_ns - now) / 1000000 + 1)) <= 0)
			continue;
		n = recv(fd, at, bytes, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n ? errno : ECONNRESET;
			return -1;
		}
		at += n;
		bytes -= (size_t)n;
	}
	return 0;
}

static int receive_msg(int fd, struct vu_msg *m, u32 timeout_ms)
{
	u64 end = now_ns() + timeout_ms * 1000000ULL;
	u32 request = m->request;

	if (receive(fd, m, VU_HEAD_BYTES, end))
		return -1;
	if (m->request != request || !(m->flags & VU_FLAG_REPLY) ||
	    m->size > sizeof(m->payload)) {
		errno = EPROTO;
		return -1;
	}
	return receive(fd, &m->payload, m->size, end);
}

int vu_exchange(int fd, struct vu_msg *m, int pass_fd, enum vu_wait wait, u32 timeout_ms,
		char *error, size_t error_bytes)
{
	const char *name = vu_request_name(m->request);

	m->flags = VU_VERSION | (wait == VU_ACK ? VU_FLAG_NEED_REPLY : 0);
	if (send_msg(fd, m, pass_fd)) {
		snprintf(error, error_bytes, "cannot send %s to the backend: %m", name);
		return -1;
	}
	if (wait == VU_NO_ANSWER)
		return 0;
	if (receive_msg(fd, m, timeout_ms)) {
		snprintf(error, error_bytes, "no good answer to %s from the backend: %m", name);
		return -1;
	}
	if (wait == VU_ACK && (m->size != sizeof(u64) || m->payload.num)) {
		snprintf(error, error_bytes, "the backend refuses %s; its log says why", name);
		return -1;
	}
	return 0;
}
