/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lists of ringpaced's system calls (syscalls.c). */
#ifndef RINGPACED_SYSCALLS_H
#define RINGPACED_SYSCALLS_H

#include "sandbox/sandbox.h"

/* As sandbox_begin(). */
int sandbox_init(enum sandbox_mode mode, char *why, size_t why_bytes);

#endif /* RINGPACED_SYSCALLS_H */
