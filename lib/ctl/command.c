// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/command.h"

#include <stdio.h>
#include <stdlib.h>

#include "ctl/args.h"

static json_t *unknown(struct ctl_error *e, const struct ctl_command *c, const char *name)
{
	char all[300] = "";
	size_t n = 0;

	for (; c->name && n < sizeof(all); c++)
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s", n ? ", " : "", c->name);
	/* The name is anybody's, and the end may be cut. */
	return ctl_fail(e, "unknown-command", "cmd: one of %s is needed; there is no \"%s\"", all,
			name);
}

static bool keys_ok(struct ctl_request *r, const struct ctl_command *c)
{
	static const char *const envelope[] = { "v", "id", "cmd", NULL };
	const char *key;
	json_t *value;

	json_object_foreach(r->args, key, value) {
		if (args_known(key, envelope) || args_known(key, c->keys))
			continue;
		ctl_fail(&r->err, "unknown-key", "%s: it has no argument \"%s\"", c->name, key);
		return false;
	}
	return true;
}

static json_t *run(const struct ctl_command *commands, struct ctl_request *r)
{
	const json_t *v = json_object_get(r->args, "v");
	const struct ctl_command *c;
	const char *name;

	if (!json_is_integer(v) || json_integer_value(v) != CTL_VERSION)
		return ctl_fail(&r->err, "bad-version", "v: only version %d is spoken", CTL_VERSION);
	name = args_string(r->args, "cmd", &r->err);
	if (!name)
		return NULL;
	for (c = commands; c->name; c++)
		if (!strcmp(c->name, name))
			return keys_ok(r, c) ? c->run(r) : NULL;
	return unknown(&r->err, commands, name);
}

/* Takes @text, a reply: its object and that of the result end where it does. */
static char *add_last(char *text, const char *key, const char *value)
{
	size_t n = strlen(text);
	char *line = realloc(text, n + strlen(",\"\":") + strlen(key) + strlen(value) + 1);

	if (line)
		sprintf(line + n - strlen("}}"), ",\"%s\":%s}}", key, value);
	else
		free(text);
	return line;
}

/* Takes @reply. */
static char *text_of(json_t *reply)
{
	char *text = json_dumps(reply, JSON_COMPACT);

	json_decref(reply);
	return text;
}

char *ctl_answer(const struct ctl_command *commands, void *ctx, struct lines_peer *peer,
		 const char *line, size_t bytes)
{
	struct ctl_request r = { .ctx = ctx, .peer = peer };
	json_error_t where;
	json_t *result = NULL;
	char *text;

	r.args = json_loadb(line, bytes, JSON_REJECT_DUPLICATES, &where);
	if (!r.args)
		ctl_fail(&r.err, "bad-json", "%s, at column %d", where.text, where.column);
	else if (!json_is_object(r.args))
		ctl_fail(&r.err, "bad-json", "the line is not an object");
	else
		result = run(commands, &r);
	/* What is none has no id. */
	text = text_of(ctl_reply(json_object_get(r.args, "id"), result, &r.err));
	if (text && result && r.last)
		text = add_last(text, r.last_key, r.last);
	free(r.last);
	json_decref(r.args);
	return text;
}

char *ctl_refuse(enum lines_limit limit)
{
	struct ctl_error e;

	if (limit == LINES_TOO_LONG)
		ctl_fail(&e, "bad-json", "the line is longer than %u bytes", LINES_BYTES_MAX);
	else
		ctl_fail(&e, "busy", "there are as many clients as there can be: try again later");
	return text_of(ctl_reply(NULL, NULL, &e));
}
