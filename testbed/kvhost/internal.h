/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of kvhost share. */
#ifndef TESTBED_KVHOST_INTERNAL_H
#define TESTBED_KVHOST_INTERNAL_H

#include "kvhost/kvhost.h"
#include "vhost_pc.h"

/* One queue of the device that the control file has selected. */
struct kqueue {
	int fd;
	u32 device, queue;
};

/* An ioctl on it. 0, or -1 after fail(), which says what @cmd could not do. */
int kqueue_ioctl(const struct kqueue *q, unsigned long request, void *arg, const char *cmd);

static inline bool kqueue_is_rev(const struct kqueue *q)
{
	return q->queue & 1;
}

/* QUEUE, STATS and the result of trace (docs/control.md), or NULL after fail(). */
json_t *kqueue_describe(const struct kqueue *q);
json_t *kqueue_stats(const struct kqueue *q);
json_t *kqueue_trace(const struct kqueue *q, u32 max);
/* All of @args that `set` knows, or none. 0, or -1 after fail(). */
int kqueue_set(const struct kqueue *q, const json_t *args);

#endif /* TESTBED_KVHOST_INTERNAL_H */
