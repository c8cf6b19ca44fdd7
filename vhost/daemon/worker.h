/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Queues' threads, as queues know them. */
#ifndef RINGPACED_WORKER_H
#define RINGPACED_WORKER_H

#include "queue.h"

/* Before there are threads: the signal that gets a worker out of a wait. */
void worker_setup(void);
void worker_cond_init(pthread_cond_t *cond);
/* CPU time of the queue's present thread; 0 if it has none. */
u64 worker_cpu_ns(const struct queue *q);
/* Pins the present thread; a later one is pinned when it starts. */
int worker_pin(struct queue *q, int cpu);
/* Is @cpu one that the daemon may use? */
bool worker_cpu_ok(int cpu);

#endif /* RINGPACED_WORKER_H */
