// SPDX-License-Identifier: GPL-2.0-or-later
#include "link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "log/log.h"
#include "now.h"
#include "sock/sock.h"

#define IDS	1000000u	/* of each slot, so that an id tells its slot */

static void close_passed(struct link *l)
{
	if (l->passed >= 0)
		close(l->passed);
	l->passed = -1;
}

static void forget_requests(struct link *l)
{
	u32 i;

	close_passed(l);
	l->takes_fd = false;

	for (i = 0; i < l->slots; i++)
		l->slot[i].waiting = false;
	l->waiting = 0;
	l->in_bytes = 0;
}

static void unplug(struct link *l)
{
	if (l->loop)
		loop_del(l->loop, &l->src);
	close(l->src.fd);
	l->src.fd = -1;
}

static void hang_up(struct link *l, const char *why)
{
	unplug(l);
	l->lost++;
	forget_requests(l);
	if (!l->told)
		log_warn("%s: %s; it is tried again every second", l->path, why);
	l->told = true;
}

/* ---- Replies ---- */

/* What a line has of the envelope. */
struct reply {
	double id;
	bool ok;
	struct scan result, error;
};

static bool read_reply(struct scan line, struct reply *r)
{
	struct scan key;

	*r = (struct reply){ .id = -1 };
	if (!scan_enter(&line, '{'))
		return false;
	while (scan_member(&line, &key)) {
		if (scan_is(&key, "id"))
			r->id = scan_number(&line);
		else if (scan_is(&key, "ok"))
			r->ok = scan_true(&line);
		else if (scan_is(&key, "result"))
			r->result = scan_skip(&line);
		else if (scan_is(&key, "error"))
			r->error = scan_skip(&line);
		else
			scan_skip(&line);
	}
	return true;
}

static json_t *build(const struct scan *text)
{
	return text->at ? json_loadb(text->at, (size_t)(text->end - text->at), JSON_DECODE_ANY, NULL) :
			  NULL;
}

static void hand_out(const struct link_slot *s, const struct reply *r)
{
	json_t *result = r->ok && !s->scan ? build(&r->result) : NULL, *error = NULL;
	const char *code = NULL;

	if (!r->ok) {
		error = build(&r->error);
		code = json_string_value(json_object_get(error, "code")) ?: "failed";
	}
	if (s->scan)
		s->scan(s->ctx, r->ok ? r->result : (struct scan){ NULL, NULL }, code);
	else
		s->reply(s->ctx, result, code);
	json_decref(result);
	json_decref(error);
}

/* False: a line that is no reply. */
static bool take_reply(struct link *l, const char *line, size_t bytes)
{
	struct link_slot *s;
	struct reply r;

	if (!read_reply(scan_of(line, bytes), &r))
		return false;
	if (!(r.id >= 0 && r.id < (double)l->slots * IDS))
		return true;
	s = &l->slot[(u32)r.id / IDS];
	if (!s->waiting || (u32)r.id % IDS != s->count)
		return true;
	s->waiting = false;
	l->waiting--;
	l->sent_ns = now_ns();
	l->told = false;
	hand_out(s, &r);
	return true;
}

static bool take_lines(struct link *l)
{
	char *at = l->in, *end;

	while ((end = memchr(at, '\n', l->in_bytes - (size_t)(at - l->in)))) {
		if (!take_reply(l, at, (size_t)(end - at)))
			return false;
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

/* Without room for descriptors the kernel closes what comes. */
static ssize_t receive(struct link *l, void *to, size_t room)
{
	return l->takes_fd ? sock_receive(l->src.fd, to, room, &l->passed) :
			     recv(l->src.fd, to, room, MSG_DONTWAIT);
}

/* False: there is no more, for now or for good. */
static bool take_some(struct link *l)
{
	bool ends = l->takes_fd;	/* what is passed ends a read */
	size_t room;
	ssize_t n;

	if (!make_room(l)) {
		hang_up(l, "an answer without an end");
		return false;
	}
	room = l->in_size - l->in_bytes;
	n = receive(l, l->in + l->in_bytes, room);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		hang_up(l, n ? strerror(errno) : "the connection was ended");
		return false;
	}
	l->in_bytes += (size_t)n;
	if (!take_lines(l)) {
		hang_up(l, "an answer that is no JSON object");
		return false;
	}
	return (size_t)n == room || ends;
}

void link_take(struct link *l)
{
	while (link_up(l) && l->waiting && take_some(l))
		;
}

/* ---- Requests ---- */

int link_slot(struct link *l, link_reply *reply, void *ctx)
{
	if (l->slots == LINK_SLOTS)
		return -1;
	l->slot[l->slots] = (struct link_slot){ .reply = reply, .ctx = ctx };
	return (int)l->slots++;
}

int link_scan_slot(struct link *l, link_scan *scan, void *ctx)
{
	int slot = link_slot(l, NULL, ctx);

	if (slot >= 0)
		l->slot[slot].scan = scan;
	return slot;
}

/* The envelope with @args, as one line. */
static bool send_line(struct link *l, u32 id, const char *cmd, const char *args)
{
	char head[96];
	int n = snprintf(head, sizeof(head), "{\"v\":1,\"id\":%u,\"cmd\":\"%s\"%s", id, cmd,
			 args ? "," : "");
	struct iovec part[3] = {
		{ head, (size_t)n }, { (char *)args, args ? strlen(args) : 0 }, { "}\n", 2 },
	};
	const struct msghdr m = { .msg_iov = part, .msg_iovlen = 3 };
	size_t bytes = part[0].iov_len + part[1].iov_len + part[2].iov_len;

	return sendmsg(l->src.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)bytes;
}

bool link_send(struct link *l, u32 slot, const char *cmd, const char *args)
{
	struct link_slot *s = &l->slot[slot];

	if (!link_up(l) || s->waiting)
		return false;
	s->count = (s->count + 1) % IDS;
	if (!send_line(l, slot * IDS + s->count, cmd, args)) {
		hang_up(l, "it does not read its requests");
		return false;
	}
	if (!l->waiting++)
		l->sent_ns = now_ns();
	s->waiting = true;
	return true;
}

char *link_args(json_t *args)
{
	char *text = json_dumps(args, JSON_COMPACT);

	json_decref(args);
	if (text) {
		text[strlen(text) - 1] = '\0';
		memmove(text, text + 1, strlen(text));
	}
	return text;
}

bool link_send_for_fd(struct link *l, u32 slot, const char *cmd)
{
	bool sent = link_send(l, slot, cmd, NULL);

	l->takes_fd |= sent;
	return sent;
}

int link_take_fd(struct link *l)
{
	int fd = l->passed;

	l->passed = -1;
	l->takes_fd = false;
	return fd;
}

/* ---- Life ---- */

/* What came before is taken first. */
static void on_hang_up(struct loop_source *src, u32 events)
{
	struct link *l = container_of(src, struct link, src);

	link_take(l);
	if (link_up(l))
		hang_up(l, "the connection was ended");
}

void link_init(struct link *l, const char *path, u64 timeout_ns, struct loop *loop)
{
	*l = (struct link){ .path = path, .timeout_ns = timeout_ns, .loop = loop,
			    .src = { .fd = -1, .ready = on_hang_up }, .passed = -1 };
}

void link_fini(struct link *l)
{
	if (link_up(l))
		unplug(l);
	close_passed(l);
	free(l->in);
	l->in = NULL;
}

/* For no event: that nobody is there any more is told in any case. 0, or -1 with errno. */
static int watch(struct link *l)
{
	int rc = l->loop ? loop_add(l->loop, &l->src, 0) : 0;

	errno = -rc;
	return rc ? -1 : 0;
}

static void connect_to(struct link *l)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return;
	l->src.fd = fd;
	strncpy(sa.sun_path, l->path, sizeof(sa.sun_path) - 1);
	/* Of a Unix socket it succeeds at once, or fails: also when the peer's queue is full. */
	if (!connect(fd, (struct sockaddr *)&sa, sizeof(sa)) && !watch(l))
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
	/* What was too late for the last turn. */
	link_take(l);
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
