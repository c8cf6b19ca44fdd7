/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Becoming somebody with fewer rights.
 *
 * What is per thread (no_new_privs, the bounding set of capabilities) is set before
 * there are threads, which inherit it. User and groups change later, when all is
 * open, and the C library changes them in every thread; leaving user 0 the kernel
 * clears the other sets of capabilities.
 */
#ifndef RINGPACED_PRIVS_H
#define RINGPACED_PRIVS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * No program that is ever executed gains rights; with a @user, nor has this one a way
 * back. Sockets that are made from now on belong to @user (NULL: stay as we are).
 * 0, or -1 with one line of why.
 */
int privs_begin(const char *user, char *why, size_t why_bytes);
/*
 * Without becoming another user: no program that is executed gains rights, and of those
 * that this one has only the @n capabilities @keep stay, in every thread that is started
 * later. 0, or -1 with one line of why.
 */
int privs_keep(const int *keep, size_t n, char *why, size_t why_bytes);
/* Becomes that user, also of group @gid unless that is -1. */
int privs_drop(const char *user, gid_t gid, char *why, size_t why_bytes);

#endif /* RINGPACED_PRIVS_H */
