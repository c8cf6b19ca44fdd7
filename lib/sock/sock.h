/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unix sockets: those that listen, and descriptors that are passed over one. */
#ifndef RP_SOCK_H
#define RP_SOCK_H

#include <sys/types.h>
#include <sys/uio.h>

/* Sockets that are made from now on are this user's. */
void sock_set_owner(uid_t uid);
/*
 * Listens on @path, mode 0600, or 0660 for group @gid unless that is -1. A
 * socket that a dead process left behind is replaced, a living one's is not.
 * Returns the descriptor; or -1 with one line of why in @why.
 */
int sock_listen(const char *path, gid_t gid, char *why, size_t why_bytes);
/* Accepts without waiting; -1 when there is nobody. */
int sock_accept(int listen_fd);
/*
 * sendmsg() without waiting nor signals, with @fd, which stays the caller's, by SCM_RIGHTS
 * with the first byte; -1: with none.
 */
ssize_t sock_send(int to, const struct iovec *part, size_t parts, int fd);
/*
 * recv() without waiting, with the first descriptor that comes by SCM_RIGHTS, if any does: it
 * is *@fd then, close-on-exec, in place of what was there (-1: nothing), which is closed. More
 * than that one are never taken.
 */
ssize_t sock_receive(int from, void *to, size_t room, int *fd);

#endif /* RP_SOCK_H */
