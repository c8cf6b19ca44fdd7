// SPDX-License-Identifier: GPL-2.0-or-later
/* Gathers vhost-user messages from a socket. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vumsg.h"

#define FDS_MAX VHOST_MEMORY_BASELINE_NREGIONS

void vumsg_init(struct vumsg_reader *r)
{
	memset(r, 0, sizeof(*r));
}

void vumsg_reset(struct vumsg_reader *r)
{
	int i;

	for (i = 0; i < r->msg.fd_num; i++)
		close(r->msg.fds[i]);
	vumsg_init(r);
}

void vumsg_take(struct vumsg_reader *r, VhostUserMsg *to)
{
	*to = r->msg;
	vumsg_init(r);
}

/* Descriptors belong to the message whose bytes they came with. */
static bool take_fds(struct vumsg_reader *r, struct msghdr *mh)
{
	struct cmsghdr *c;
	bool ok = !(mh->msg_flags & MSG_CTRUNC);
	int fd, i, n;

	for (c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (r->msg.fd_num < FDS_MAX) {
				r->msg.fds[r->msg.fd_num++] = fd;
			} else {
				close(fd);
				ok = false;
			}
		}
	}
	return ok;
}

static u32 wanted_bytes(const struct vumsg_reader *r)
{
	if (r->have_bytes < VHOST_USER_HDR_SIZE)
		return VHOST_USER_HDR_SIZE;
	return VHOST_USER_HDR_SIZE + r->msg.size;
}

static enum vumsg_read read_part(struct vumsg_reader *r, int fd, const char **why)
{
	char control[CMSG_SPACE(FDS_MAX * sizeof(int))];
	struct iovec iov = {
		.iov_base = (char *)&r->msg + r->have_bytes,
		.iov_len = wanted_bytes(r) - r->have_bytes,
	};
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return VUMSG_MORE;
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return VUMSG_CLOSED;
	if (n < 0) {
		*why = strerror(errno);
		return VUMSG_BAD;
	}
	if (!take_fds(r, &mh)) {
		*why = "more file descriptors than a message may have, or than we can open";
		return VUMSG_BAD;
	}
	r->have_bytes += n;
	return VUMSG_COMPLETE;
}

enum vumsg_read vumsg_read(struct vumsg_reader *r, int fd, const char **why)
{
	enum vumsg_read rc;

	do {
		rc = read_part(r, fd, why);
		if (rc != VUMSG_COMPLETE)
			return rc;
		if (r->have_bytes >= VHOST_USER_HDR_SIZE &&
		    r->msg.size > sizeof(r->msg.payload)) {
			*why = "a message longer than any request's";
			return VUMSG_BAD;
		}
	} while (r->have_bytes < wanted_bytes(r));
	return VUMSG_COMPLETE;
}
