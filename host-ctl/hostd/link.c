// SPDX-License-Identifier: GPL-2.0-or-later
#include "link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log/log.h"
#include "now.h"

#define IDS	1000000u	/* of each slot, so that an id tells its slot */

static void forget_requests(struct link *l)
{
	u32 i;

	for (i = 0; i < l->slots; i++)
		l->slot[i].waiting = false;
	l->waiting = 0;
	l->in_bytes = 0;
}

static void hang_up(struct link *l, const char *why)
{
	loop_del(l->loop, &l->src);
	close(l->src.fd);
	l->src.fd = -1;
	l->lost++;
	forget_requests(l);
	if (!l->told)
		log_warn("%s: %s; it is tried again every second", l->path, why);
	l->told = true;
}

/* ---- Replies ---- */

static void take_reply(struct link *l, const json_t *v)
{
	json_int_t id = json_integer_value(json_object_get(v, "id"));
	const json_t *result = json_object_get(v, "result");
	const json_t *error = json_object_get(v, "error");
	struct link_slot *s;

	if (id < 0 || id / IDS >= l->slots)
		return;
	s = &l->slot[id / IDS];
	if (!s->waiting || id % IDS != s->count)
		return;
	s->waiting = false;
	l->waiting--;
	l->sent_ns = now_ns();
	l->told = false;
	if (json_is_true(json_object_get(v, "ok")))
		s->reply(s->ctx, result, NULL);
	else
		s->reply(s->ctx, NULL, json_string_value(json_object_get(error, "code")) ?: "failed");
}

/* False: a line that is no reply. */
static bool take_lines(struct link *l)
{
	char *at = l->in, *end;
	json_t *v;

	while ((end = memchr(at, '\n', l->in_bytes - (size_t)(at - l->in)))) {
		v = json_loadb(at, (size_t)(end - at), 0, NULL);
		if (!json_is_object(v)) {
			json_decref(v);
			return false;
		}
		take_reply(l, v);
		json_decref(v);
		at = end + 1;
	}
	l->in_bytes -= (size_t)(at - l->in);
	memmove(l->in, at, l->in_bytes);
	return true;
}

static bool make_room(struct link *l)
{
	size_t size = l->in_size ? 2 * l->in_size : 16384;
	char *in;

	if (l->in_bytes < l->in_size)
		return true;
	if (size > LINK_LINE_MAX)
		return false;
	in = realloc(l->in, size);
	if (!in)
		return false;
	l->in = in;
	l->in_size = size;
	return true;
}

static void on_input(struct loop_source *src, u32 events)
{
	struct link *l = container_of(src, struct link, src);
	ssize_t n;

	if (!make_room(l)) {
		hang_up(l, "an answer without an end");
		return;
	}
	n = recv(src->fd, l->in + l->in_bytes, l->in_size - l->in_bytes, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		hang_up(l, n ? strerror(errno) : "the connection was ended");
		return;
	}
	l->in_bytes += (size_t)n;
	if (!take_lines(l))
		hang_up(l, "an answer that is no JSON");
}

/* ---- Requests ---- */

int link_slot(struct link *l, link_reply *reply, void *ctx)
{
	if (l->slots == LINK_SLOTS)
		return -1;
	l->slot[l->slots] = (struct link_slot){ .reply = reply, .ctx = ctx };
	return (int)l->slots++;
}

static bool send_line(struct link *l, json_t *request)
{
	char *line = json_dumps(request, JSON_COMPACT);
	size_t bytes = line ? strlen(line) : 0;
	bool sent;

	if (!line)
		return false;
	line[bytes] = '\n';	/* in place of its end: sent by its length */
	sent = send(l->src.fd, line, bytes + 1, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)bytes + 1;
	free(line);
	return sent;
}

bool link_send(struct link *l, u32 slot, const char *cmd, json_t *args)
{
	struct link_slot *s = &l->slot[slot];
	json_t *request;
	bool sent;

	if (!link_up(l) || s->waiting) {
		json_decref(args);
		return false;
	}
	s->count = (s->count + 1) % IDS;
	request = json_pack("{s:i, s:I, s:s}", "v", 1, "id", (json_int_t)slot * IDS + s->count,
			    "cmd", cmd);
	if (args)
		json_object_update(request, args);
	sent = send_line(l, request);
	json_decref(request);
	json_decref(args);
	if (!sent) {
		hang_up(l, "it does not read its requests");
		return false;
	}
	if (!l->waiting++)
		l->sent_ns = now_ns();
	s->waiting = true;
	return true;
}

/* ---- Life ---- */

void link_init(struct link *l, const char *path, struct loop *loop, u64 timeout_ns)
{
	*l = (struct link){ .path = path, .loop = loop, .timeout_ns = timeout_ns,
			    .src = { .fd = -1, .ready = on_input } };
}

void link_fini(struct link *l)
{
	if (link_up(l)) {
		loop_del(l->loop, &l->src);
		close(l->src.fd);
	}
	l->src.fd = -1;
	free(l->in);
	l->in = NULL;
}

static void connect_to(struct link *l)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return;
	strncpy(sa.sun_path, l->path, sizeof(sa.sun_path) - 1);
	/* Of a Unix socket it succeeds at once, or fails: also when the peer's queue is full. */
	l->src.fd = fd;
	if (!connect(fd, (struct sockaddr *)&sa, sizeof(sa)) &&
	    !loop_add(l->loop, &l->src, EPOLLIN))
		return;
	if (!l->told)
		log_warn("%s: cannot connect: %s; it is tried again every second", l->path,
			 strerror(errno));
	l->told = true;
	close(fd);
	l->src.fd = -1;
}

void link_tick(struct link *l, u64 now)
{
	if (link_up(l)) {
		if (l->waiting && now > l->sent_ns && now - l->sent_ns > l->timeout_ns)
			hang_up(l, "it does not answer");
		return;
	}
	if (l->tried_ns && now - l->tried_ns < LINK_RETRY_NS)
		return;
	l->tried_ns = now;
	connect_to(l);
}
