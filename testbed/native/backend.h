/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device's side of an experiment: a ringpaced of our own, with one virtio-pc
 * device, in the run directory; or a device of the kernel's vhost_pc, which a
 * VM of ours holds.
 */
#ifndef NATIVE_BACKEND_H
#define NATIVE_BACKEND_H

#include "lane.h"
#include "orders.h"

#define BACKEND_DEVICE		"pc0"
/* For a busy host: dumping a whole trace takes a sanitized daemon seconds. */
#define BACKEND_TIMEOUT_MS	30000

struct backend {
	bool kernel;		/* then only ->orders and ->device count */
	pid_t pid;
	struct orders orders;
	char device[32];	/* its name in orders */
	char socket[160];	/* of the device */
	char control[160];
	char log[160];
	const char *group;	/* may use the device's socket, too; NULL: nobody else */
	const char *state;	/* its --state file, or NULL */
};

/*
 * @group: static, see above. 0, or -1 after fail(); backend_stop() undoes it in
 * both cases.
 */
int backend_start(struct backend *b, u32 pairs, u32 item_bytes, const char *group);
/* The same, keeping what strategies learn in the file @state (static; NULL: none). */
int backend_start_state(struct backend *b, u32 pairs, u32 item_bytes, const char *group,
			const char *state);
/* The kernel's, no device chosen yet. Likewise. */
int backend_start_kernel(struct backend *b);
/* Takes the device whose VMM's process is one that @is_ours. 0, or -1 after fail(). */
int backend_choose_kernel(struct backend *b, bool (*is_ours)(pid_t pid));
void backend_stop(struct backend *b);
/* 0, or -1 after fail(): the daemon has ended. */
int backend_check(struct backend *b);
/* What to look at when the device does not what it should; static. */
const char *backend_says(const struct backend *b);
/* Starts a new process in place of one that has ended. */
int backend_restart(struct backend *b, u32 pairs, u32 item_bytes);
/* As ctl_call() with "device" and "queue" added to @args. */
json_t *backend_call(struct backend *b, const char *cmd, u32 queue, json_t *args);
/* The same where the result does not matter. 0 or -1. */
int backend_do(struct backend *b, const char *cmd, u32 queue, json_t *args);
/* STATS of the queue, or NULL after fail(). */
json_t *backend_stats(struct backend *b, u32 queue);
/* The numbers of both queues' STATS added up, or NULL after fail(). */
json_t *backend_stats_both(struct backend *b);
/* Begins both queues' statistics anew. 0 or -1. */
int backend_reset_both(struct backend *b);
/* What `set` takes to make the device's party that of @p. */
json_t *backend_options(const struct run_params *p);
/* Has the queue's party block when there is nothing to do, whatever it did. 0 or -1. */
int backend_rest(struct backend *b, u32 queue);
/* Waits until the queue is ready. 0, or -1 after fail(). */
int backend_wait_ready(struct backend *b, u32 queue);

#endif /* NATIVE_BACKEND_H */
