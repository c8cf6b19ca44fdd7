// SPDX-License-Identifier: GPL-2.0-or-later
/* QEMU's monitor, over the line-by-line JSON of the other control sockets. */
#include "nested/qmp.h"

#include <stdlib.h>
#include <unistd.h>

#define ANSWER_MS	30000

int qmp_open(struct ctl *c, const char *path)
{
	json_t *hello;

	if (ctl_open(c, path, ANSWER_MS))
		return -1;
	hello = ctl_next(c, ANSWER_MS);
	if (!hello) {
		ctl_close(c);
		return stopped() ? -1 : fail("QEMU's monitor %s says nothing", path);
	}
	json_decref(hello);
	if (!qmp_do(c, "qmp_capabilities", NULL))
		return 0;
	ctl_close(c);
	return -1;
}

static int send_request(struct ctl *c, const char *cmd, json_t *args)
{
	json_t *req = json_pack("{s:s, s:o*}", "execute", cmd, "arguments", args);
	char *line = req ? json_dumps(req, JSON_COMPACT) : NULL;
	int n = line ? dprintf(c->fd, "%s\n", line) : -1;

	free(line);
	json_decref(req);
	return n > 0 ? 0 : fail("cannot send %s to QEMU's monitor: %m", cmd);
}

/* Is @v the answer, and not an event? Its result, or NULL after fail(). */
static bool is_answer(json_t *v, const char *cmd, json_t **result)
{
	json_t *error = json_object_get(v, "error");
	const char *why = json_string_value(json_object_get(error, "desc"));

	*result = json_incref(json_object_get(v, "return"));
	if (error)
		fail("QEMU's monitor: %s: %s", cmd, why ? why : "?");
	return error || *result;
}

json_t *qmp_call(struct ctl *c, const char *cmd, json_t *args)
{
	json_t *v, *result;
	bool found;

	if (send_request(c, cmd, args))
		return NULL;
	while ((v = ctl_next(c, ANSWER_MS))) {
		found = is_answer(v, cmd, &result);
		json_decref(v);
		if (found)
			return result;
	}
	if (!stopped())
		fail("QEMU's monitor: %s: no answer in %d s", cmd, ANSWER_MS / 1000);
	return NULL;
}

int qmp_do(struct ctl *c, const char *cmd, json_t *args)
{
	json_t *result = qmp_call(c, cmd, args);

	json_decref(result);
	return result ? 0 : -1;
}
