/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a thread of any process has done so far, out of /proc (proc(5)). */
#ifndef BENCH_THREAD_LOOK_H
#define BENCH_THREAD_LOOK_H

#include <stdbool.h>
#include <sys/types.h>

struct thread_look {
	bool sleeps;		/* at this moment */
	double switches;	/* voluntary context switches: as often it has waited */
	double cpu_ns;		/* of its turns on a CPU that are over */
};

/* 0, or -1 after fail(). */
int thread_look(pid_t pid, pid_t tid, struct thread_look *to);

#endif /* BENCH_THREAD_LOOK_H */
