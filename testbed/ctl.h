/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Client of the control protocols (docs/control.md): one JSON object a line,
 * over ringpaced's socket or over any other stream, such as a virtio-serial
 * port's. One request at a time; lines that answer something else are skipped.
 */
#ifndef TESTBED_CTL_H
#define TESTBED_CTL_H

#include <jansson.h>

#include "util.h"

struct ctl {
	int fd;
	u32 next_id;
	char *buf;		/* bytes received, not yet a line */
	size_t len, size;
	bool gone;		/* the peer has closed its end */
	char peer[128];		/* for messages */
};

/* Connects to @path, trying until @timeout_ms. -1 after fail(). */
int ctl_open(struct ctl *c, const char *path, u32 timeout_ms);
/* Uses an open stream; ctl_close() closes it. */
void ctl_attach(struct ctl *c, int fd, const char *peer);
void ctl_close(struct ctl *c);

/*
 * Sends {"v":1,"id":N,"cmd":@cmd, ...@args} and returns the result (a new
 * reference), or NULL after fail(). @args is an object or NULL, its reference
 * is taken. A request that the user interrupts returns NULL silently.
 */
json_t *ctl_call(struct ctl *c, const char *cmd, json_t *args, u32 timeout_ms);

/* The two halves of ctl_call(), for what takes long: the id, or -1 after fail(). */
int ctl_send(struct ctl *c, const char *cmd, json_t *args);
json_t *ctl_wait(struct ctl *c, const char *cmd, u32 id, u32 timeout_ms);

/* Is a line there, or the peer's end? Then ctl_wait() will not have to wait. */
bool ctl_pending(const struct ctl *c);

/*
 * The next line as JSON, whoever it answers (the agent's unasked "hello"), or
 * NULL when none came in @timeout_ms or the peer went away: no message.
 */
json_t *ctl_next(struct ctl *c, u32 timeout_ms);

#endif /* TESTBED_CTL_H */
