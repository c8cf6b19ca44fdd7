/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The controller's system calls (syscalls.c). */
#ifndef HOSTD_SYSCALLS_H
#define HOSTD_SYSCALLS_H

#include "sandbox/sandbox.h"

/*
 * From now on this thread and those that it starts make only calls of the list. no_new_privs
 * was set before. 0, or -1 with one line of why.
 */
int hostd_sandbox(enum sandbox_mode mode, char *why, size_t why_bytes);

#endif /* HOSTD_SYSCALLS_H */
