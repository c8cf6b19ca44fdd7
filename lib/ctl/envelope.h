/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests and replies of docs/control.md, as both sides have them. */
#ifndef RP_CTL_ENVELOPE_H
#define RP_CTL_ENVELOPE_H

#include <jansson.h>

#include "rp.h"

#define CTL_VERSION	1

struct ctl_error {
	const char *code;	/* NULL: none yet */
	char message[600];
};

/* The message is cut to what is valid in a JSON string. NULL, for who returns a result. */
json_t *ctl_fail(struct ctl_error *e, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * The reply to the request @id, which stays the caller's (NULL: it has none), with @result,
 * which is taken; NULL: with the error @e, or that memory is out if that says nothing.
 */
json_t *ctl_reply(json_t *id, json_t *result, const struct ctl_error *e);

/* A request as a line with its end, to be freed. @args, an object or NULL, is taken. NULL: no memory. */
char *ctl_request(u32 id, const char *cmd, json_t *args);
/* The result in a reply, borrowed from it; NULL, with why: a refusal, or no reply as it should be. */
json_t *ctl_result(const json_t *reply, const char **why);

#endif /* RP_CTL_ENVELOPE_H */
