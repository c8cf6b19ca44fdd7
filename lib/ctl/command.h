/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The serving side of docs/control.md: what each line asks for, by a table of commands. */
#ifndef RP_CTL_COMMAND_H
#define RP_CTL_COMMAND_H

#include "ctl/envelope.h"
#include "sock/lines.h"

struct ctl_request {
	void *ctx;			/* the server's */
	struct lines_peer *peer;	/* who asks; NULL: nobody who stays */
	json_t *args;			/* the whole object */
	struct ctl_error err;
	/*
	 * One more member of the result, by its key and as text of JSON, for what is too long
	 * to be built; it is freed here. NULL: none.
	 */
	const char *last_key;
	char *last;
};

struct ctl_command {
	const char *name;		/* NULL ends a table */
	const char *const *keys;	/* beside v, id and cmd; CTL_KEYS() */
	/* The result, an object; or NULL with ->err filled in, which else says that memory is out. */
	json_t *(*run)(struct ctl_request *r);
};

#define CTL_KEYS(...)	((const char *const[]){ __VA_ARGS__ __VA_OPT__(,) NULL })

/* The reply to one line, as struct lines_owner has it. */
char *ctl_answer(const struct ctl_command *commands, void *ctx, struct lines_peer *peer,
		 const char *line, size_t bytes);
/* Likewise. */
char *ctl_refuse(enum lines_limit limit);

#endif /* RP_CTL_COMMAND_H */
