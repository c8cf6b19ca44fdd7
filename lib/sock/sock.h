/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listening Unix sockets. */
#ifndef RP_SOCK_H
#define RP_SOCK_H

#include <sys/types.h>

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

#endif /* RP_SOCK_H */
