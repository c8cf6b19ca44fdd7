// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/envelope.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

json_t *ctl_fail(struct ctl_error *e, const char *code, const char *fmt, ...)
{
	size_t n;
	va_list ap;

	e->code = code;
	va_start(ap, fmt);
	vsnprintf(e->message, sizeof(e->message), fmt, ap);
	va_end(ap);
	/* A cut in the middle of a UTF-8 sequence would not be JSON. */
	n = strlen(e->message);
	if (n < sizeof(e->message) - 1)
		return NULL;
	while (n && (e->message[n - 1] & 0xc0) == 0x80)
		n--;
	if (n && e->message[n - 1] & 0x80)
		n--;
	e->message[n] = '\0';
	return NULL;
}

json_t *ctl_reply(json_t *id, json_t *result, const struct ctl_error *e)
{
	json_t *v = json_pack("{s:i, s:O?, s:b}", "v", CTL_VERSION, "id", id, "ok", result != NULL);

	if (result)
		json_object_set_new(v, "result", result);
	else
		json_object_set_new(v, "error",
			json_pack("{s:s, s:s}", "code", e->code ? e->code : "failed", "message",
				  e->code ? e->message : "out of memory"));
	return v;
}

char *ctl_request(u32 id, const char *cmd, json_t *args)
{
	json_t *v = json_pack("{s:i, s:I, s:s}", "v", CTL_VERSION, "id", (json_int_t)id, "cmd", cmd);
	char *text, *line;
	size_t bytes;

	json_object_update(v, args);
	json_decref(args);
	text = json_dumps(v, JSON_COMPACT);
	json_decref(v);
	bytes = text ? strlen(text) : 0;
	line = text ? realloc(text, bytes + sizeof("\n")) : NULL;
	if (line)
		strcpy(line + bytes, "\n");
	else
		free(text);
	return line;
}

json_t *ctl_result(const json_t *reply, const char **why)
{
	json_t *result = json_object_get(reply, "result");

	if (!reply)
		*why = "no answer";
	else if (!json_is_true(json_object_get(reply, "ok")))
		*why = json_string_value(json_object_get(json_object_get(reply, "error"),
							 "message")) ? : "no reason given";
	else if (result)
		return result;
	else
		*why = "the answer has no result";
	return NULL;
}
