/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ringpaced of our own, with one virtio-pc device, in the run directory. */
#ifndef NATIVE_BACKEND_H
#define NATIVE_BACKEND_H

#include "ctl.h"
#include "lane.h"

#define BACKEND_DEVICE		"pc0"
/* For a busy host: dumping a whole trace takes a sanitized daemon seconds. */
#define BACKEND_TIMEOUT_MS	30000

struct backend {
	pid_t pid;
	struct ctl ctl;
	char socket[160];	/* of the device */
	char control[160];
	char log[160];
	const char *group;	/* may use the device's socket, too; NULL: nobody else */
};

/*
 * @group: static, see above. 0, or -1 after fail(); backend_stop() undoes it in
 * both cases.
 */
int backend_start(struct backend *b, u32 pairs, u32 item_bytes, const char *group);
void backend_stop(struct backend *b);
/* Starts a new process in place of one that has ended. */
int backend_restart(struct backend *b, u32 pairs, u32 item_bytes);
/* As ctl_call() with "device" and "queue" added to @args. */
json_t *backend_call(struct backend *b, const char *cmd, u32 queue, json_t *args);
/* The same where the result does not matter. 0 or -1. */
int backend_do(struct backend *b, const char *cmd, u32 queue, json_t *args);
/* STATS of the queue, or NULL after fail(). */
json_t *backend_stats(struct backend *b, u32 queue);
/* What `set` takes to make the device's party that of @p. */
json_t *backend_options(const struct run_params *p);
/* Waits until the queue is ready. 0, or -1 after fail(). */
int backend_wait_ready(struct backend *b, u32 queue);

#endif /* NATIVE_BACKEND_H */
