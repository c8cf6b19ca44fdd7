// SPDX-License-Identifier: GPL-2.0-or-later
/* Descriptors that come with a message of a Unix socket. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sock/sock.h"

ssize_t sock_send(int to, const struct iovec *part, size_t parts, int fd)
{
	_Alignas(struct cmsghdr) char buf[CMSG_SPACE(sizeof(int))] = { 0 };
	struct msghdr m = { .msg_iov = (struct iovec *)part, .msg_iovlen = parts };
	struct cmsghdr *cm;

	if (fd >= 0) {
		m.msg_control = buf;
		m.msg_controllen = sizeof(buf);
		cm = CMSG_FIRSTHDR(&m);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cm), &fd, sizeof(int));
	}
	return sendmsg(to, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
}

ssize_t sock_receive(int from, void *to, size_t room, int *fd)
{
	_Alignas(struct cmsghdr) char buf[CMSG_SPACE(sizeof(int))];
	struct iovec part = { to, room };
	/* For one, not for what the buffer's padding would have room for. */
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = buf,
			    .msg_controllen = CMSG_LEN(sizeof(int)) };
	ssize_t n = recvmsg(from, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *cm = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;

	if (cm && cm->cmsg_level == SOL_SOCKET && cm->cmsg_type == SCM_RIGHTS &&
	    cm->cmsg_len == CMSG_LEN(sizeof(int))) {
		if (*fd >= 0)
			close(*fd);
		memcpy(fd, CMSG_DATA(cm), sizeof(int));
	}
	return n;
}
