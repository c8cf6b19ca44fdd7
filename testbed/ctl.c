// SPDX-License-Identifier: GPL-2.0-or-later
/* Client of the line-by-line JSON protocols. */
#include "ctl.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/envelope.h"

/* A trace of 2^16 events is some 3 MB; nobody's answer is longer than this. */
#define LINE_MAX_BYTES	(16u << 20)

void ctl_attach(struct ctl *c, int fd, const char *peer)
{
	memset(c, 0, sizeof(*c));
	c->fd = fd;
	snprintf(c->peer, sizeof(c->peer), "%s", peer);
}

int ctl_open(struct ctl *c, const char *path, u32 timeout_ms)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	u64 end = now_ns() + timeout_ms * 1000000ULL;
	const u32 patience_ms = timeout_ms > 500 ? timeout_ms : 500;
	const struct timeval patience = { patience_ms / 1000, patience_ms % 1000 * 1000 };
	int fd;

	if (strlen(path) >= sizeof(sa.sun_path))
		return fail("control socket %s: the path has more than %zu bytes", path,
			    sizeof(sa.sun_path) - 1);
	strcpy(sa.sun_path, path);
	for (;;) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0)
			return fail("control socket %s: %m", path);
		/* A daemon that hangs neither accepts nor reads. */
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
		if (!connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
			break;
		close(fd);
		if (now_ns() >= end || (errno != ENOENT && errno != ECONNREFUSED))
			return fail("cannot connect to the control socket %s: %m; is the daemon "
				    "running?", path);
		if (!nap_ms(5))
			return -1;
	}
	ctl_attach(c, fd, path);
	return 0;
}

void ctl_close(struct ctl *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->buf);
	memset(c, 0, sizeof(*c));
	c->fd = -1;
}

static int send_all(struct ctl *c, const char *data, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(c->fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		/* It may have said why it has ended: that is read. */
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return 0;
		if (n <= 0)
			return fail("%s: cannot send a request: %m", c->peer);
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Cuts the first line off the buffer and parses it; NULL: no whole line yet. */
static json_t *take_line(struct ctl *c, bool *found)
{
	char *nl = c->len ? memchr(c->buf, '\n', c->len) : NULL;
	size_t used;
	json_t *v;

	*found = nl;
	if (!nl)
		return NULL;
	v = json_loadb(c->buf, (size_t)(nl - c->buf), 0, NULL);
	used = (size_t)(nl - c->buf) + 1;
	memmove(c->buf, c->buf + used, c->len - used);
	c->len -= used;
	return v;
}

/* Receives some bytes. False: timeout, end, stopped, or a line without end. */
static bool receive(struct ctl *c, u64 end)
{
	struct pollfd pfd = { .fd = c->fd, .events = POLLIN };
	u64 now = now_ns();
	ssize_t n;
	int rc;

	if (c->len == c->size) {
		c->size = c->size ? 2 * c->size : 65536;
		if (c->size > LINE_MAX_BYTES)
			return false;
		c->buf = realloc(c->buf, c->size);
		if (!c->buf)
			abort();
	}
	if (now >= end || stopped())
		return false;
	rc = poll(&pfd, 1, (int)((end - now) / 1000000 + 1));
	if (rc < 0)
		return errno == EINTR;
	if (!rc)
		return false;
	n = read(c->fd, c->buf + c->len, c->size - c->len);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	c->gone = n <= 0;
	if (c->gone)
		return false;
	c->len += (size_t)n;
	return true;
}

json_t *ctl_next(struct ctl *c, u32 timeout_ms)
{
	u64 end = now_ns() + timeout_ms * 1000000ULL;
	bool found;
	json_t *v;

	for (;;) {
		v = take_line(c, &found);
		if (v)
			return v;
		/* A line that is no JSON (a boot message) is skipped. */
		if (!found && !receive(c, end))
			return NULL;
	}
}

bool ctl_pending(const struct ctl *c)
{
	struct pollfd pfd = { .fd = c->fd, .events = POLLIN };

	return (c->len && memchr(c->buf, '\n', c->len)) || poll(&pfd, 1, 0) > 0;
}

/* A line that was no request, or this client, for whom there is no room. */
static bool refuses_all(const json_t *v)
{
	return json_is_null(json_object_get(v, "id")) && json_is_false(json_object_get(v, "ok"));
}

static json_t *answer(struct ctl *c, const char *cmd, u32 id, u32 timeout_ms)
{
	u64 end = now_ns() + timeout_ms * 1000000ULL, now;
	json_t *v;

	for (;;) {
		now = now_ns();
		v = ctl_next(c, now < end ? (u32)((end - now) / 1000000) : 0);
		if (!v && c->gone && !stopped())
			fail("%s: the peer (ringpaced, or a guest's agent) ended before it "
			     "answered '%s'; see its log", c->peer, cmd);
		else if (!v && !stopped())
			fail("%s: no answer to '%s' in %u ms; see its log", c->peer, cmd,
			     timeout_ms);
		if (!v)
			return NULL;
		if (json_integer_value(json_object_get(v, "id")) == id || refuses_all(v))
			return v;
		json_decref(v);
	}
}

int ctl_send(struct ctl *c, const char *cmd, json_t *args)
{
	char *line = ctl_request(++c->next_id, cmd, args);
	int rc = send_all(c, line, strlen(line));

	free(line);
	return rc ? -1 : (int)c->next_id;
}

json_t *ctl_wait(struct ctl *c, const char *cmd, u32 id, u32 timeout_ms)
{
	json_t *v = answer(c, cmd, id, timeout_ms), *result;
	const char *why;

	if (!v)
		return NULL;
	result = json_incref(ctl_result(v, &why));
	if (!result)
		fail("%s refuses '%s': %s", c->peer, cmd, why);
	json_decref(v);
	return result;
}

json_t *ctl_call(struct ctl *c, const char *cmd, json_t *args, u32 timeout_ms)
{
	int id = ctl_send(c, cmd, args);

	return id < 0 ? NULL : ctl_wait(c, cmd, (u32)id, timeout_ms);
}
