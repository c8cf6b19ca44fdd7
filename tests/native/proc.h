/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a process holds, out of /proc. 0: it has gone. */
#ifndef NATIVE_PROC_H
#define NATIVE_PROC_H

#include <sys/types.h>

#include "rp.h"

/* Was this built, and so the daemon, with a sanitizer that has much memory of its own? */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PROC_SANITIZED	1
#else
#define PROC_SANITIZED	0
#endif

/* Memory of its own that is in use: not the guests', not the program's file. */
u64 proc_memory_bytes(pid_t pid);
/* Descriptors that are open. */
u32 proc_fds(pid_t pid);
/* Of one of its threads: times that it has gone off the CPU, by itself or not. */
u64 proc_switches(pid_t pid, pid_t tid);
/* Does it sleep? */
bool proc_sleeps(pid_t pid, pid_t tid);

#endif /* NATIVE_PROC_H */
