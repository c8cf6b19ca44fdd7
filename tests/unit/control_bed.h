/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ringpaced's control socket without sockets: clients whose bytes come in pieces, who read
 * or do not, end or go away, and an event loop that is turned by the caller. Every reply is
 * looked at, and counted against the lines that were sent. Included once by a program: it
 * takes the place of loop.c, sock.c and recv().
 */
#ifndef TEST_CONTROL_BED_H
#define TEST_CONTROL_BED_H

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../vhost/daemon/control.h"
#include "control_net.h"
#include "log/log.h"
#include "sock/sock.h"

#define BED_CONNS	160u
/* No descriptors of the system's: closing one does nothing. */
#define BED_FD		(1 << 24)
#define BED_LISTENERS	16
/* Every so many calls one is interrupted by a signal. */
#define BED_SIGNAL	13u
/* Replies are longer than requests. */
#define BED_WRITE_PIECES	64u
/* Turns of the loop without a byte moved, at most. */
#define BED_IDLE_MAX	100u

struct bed_conn {
	char *in, *out;			/* what the client has sent, and got */
	size_t in_bytes, in_size, in_at;	/* before ->in_at the daemon has read it */
	size_t out_bytes, out_size, out_at;	/* before ->out_at it was looked at */
	size_t room;			/* bytes that the client's end takes; ~0: it reads */
	size_t line_bytes;		/* of the line that has not ended */
	u32 lines, replies, descriptors;
	int fd;				/* a copy of the last one that was passed; 0: none was */
	enum { CONN_WAITS, CONN_SERVED, CONN_CLOSED } state;
	bool met, ended, gone;		/* met: it was in the loop */
};

static struct control_bed {
	struct loop loop;
	struct lines control;
	struct bed_source {
		struct loop_source *src;
		u32 events;
	} source[BED_CONNS + 2 * BED_LISTENERS];
	u32 sources, next;
	struct bed_conn conn[BED_CONNS];
	u32 conns;
	int listeners;
	size_t piece;			/* a call reads so many bytes, and writes BED_WRITE_PIECES times as many */
	u32 calls;
	u64 moved;
} bed;

/* ---- In place of the system ---- */

static struct bed_conn *bed_conn_of(int fd)
{
	u32 i = (u32)(fd - BED_FD - BED_LISTENERS);

	return i < bed.conns ? &bed.conn[i] : NULL;
}

static struct bed_source *bed_source_of(const struct loop_source *src)
{
	u32 i;

	for (i = 0; i < bed.sources; i++)
		if (bed.source[i].src == src)
			return &bed.source[i];
	abort();
}

int loop_add(struct loop *l, struct loop_source *src, u32 events)
{
	struct bed_conn *c = bed_conn_of(src->fd);

	bed.source[bed.sources++] = (struct bed_source){ src, events };
	if (c) {
		c->state = CONN_SERVED;
		c->met = true;
	}
	return 0;
}

int loop_mod(struct loop *l, struct loop_source *src, u32 events)
{
	bed_source_of(src)->events = events;
	return 0;
}

void loop_del(struct loop *l, struct loop_source *src)
{
	struct bed_conn *c = bed_conn_of(src->fd);
	struct bed_source *s = bed_source_of(src);

	*s = bed.source[--bed.sources];
	if (c)
		c->state = CONN_CLOSED;
	bed.moved++;
}

int sock_listen(const char *path, gid_t gid, char *why, size_t why_bytes)
{
	if (bed.listeners == BED_LISTENERS)
		abort();
	return BED_FD + bed.listeners++;
}

/* Closed, unless it is put into the loop. */
int sock_accept(int listen_fd)
{
	u32 i;

	for (i = 0; i < bed.conns && bed.conn[i].state != CONN_WAITS; i++)
		;
	if (i == bed.conns || listen_fd != bed.control.listener.fd)
		return -1;
	bed.conn[i].state = CONN_CLOSED;
	bed.moved++;
	return BED_FD + BED_LISTENERS + (int)i;
}

static bool bed_interrupted(void)
{
	if (++bed.calls % BED_SIGNAL)
		return false;
	errno = EINTR;
	return true;
}

static size_t bed_least(size_t n, size_t room, size_t piece)
{
	n = n < room ? n : room;
	return n < piece ? n : piece;
}

ssize_t recv(int fd, void *to, size_t room, int flags)
{
	struct bed_conn *c = bed_conn_of(fd);
	size_t n;

	if (!c || c->state != CONN_SERVED || !room)
		abort();
	if (bed_interrupted())
		return -1;
	n = bed_least(c->in_bytes - c->in_at, room, bed.piece);
	if (!n && !c->ended && !c->gone) {
		errno = EAGAIN;
		return -1;
	}
	bed.moved++;
	if (n)
		memcpy(to, c->in + c->in_at, n);
	c->in_at += n;
	return (ssize_t)n;
}

static void bed_append(char **text, size_t *bytes, size_t *size, const void *more, size_t n)
{
	if (*bytes + n > *size) {
		*size = 2 * (*bytes + n);
		*text = realloc(*text, *size);
		if (!*text)
			abort();
	}
	if (n)
		memcpy(*text + *bytes, more, n);
	*bytes += n;
}

/* ---- Replies ---- */

static bool bed_is_error(const json_t *e)
{
	const char *code = json_string_value(json_object_get(e, "code"));
	const char *message = json_string_value(json_object_get(e, "message"));

	return code && *code && message && *message;
}

static void bed_check_reply(const char *line, size_t bytes)
{
	json_t *v = json_loadb(line, bytes, JSON_REJECT_DUPLICATES, NULL);
	const json_t *ok = json_object_get(v, "ok");

	if (json_integer_value(json_object_get(v, "v")) != 1 || !json_object_get(v, "id") ||
	    !json_is_boolean(ok) || json_object_size(v) != 4 ||
	    !(json_is_true(ok) ? json_is_object(json_object_get(v, "result")) :
	      bed_is_error(json_object_get(v, "error"))))
		abort();
	json_decref(v);
}

static void bed_look(struct bed_conn *c)
{
	const char *end;

	while ((end = memchr(c->out + c->out_at, '\n', c->out_bytes - c->out_at))) {
		bed_check_reply(c->out + c->out_at, (size_t)(end - c->out) - c->out_at);
		c->out_at = (size_t)(end - c->out) + 1;
		if (++c->replies > c->lines)
			abort();
	}
}

/* Who is turned away is told so, once. */
static ssize_t bed_turn_away(struct bed_conn *c, const struct iovec *part, size_t parts)
{
	size_t i, n = 0;

	for (i = 0; i < parts; i++) {
		bed_append(&c->out, &c->out_bytes, &c->out_size, part[i].iov_base,
			   part[i].iov_len);
		n += part[i].iov_len;
	}
	if (c->replies++ || c->out[c->out_bytes - 1] != '\n')
		abort();
	bed_check_reply(c->out, c->out_bytes - 1);
	c->out_at = c->out_bytes;
	return (ssize_t)n;
}

ssize_t sock_send(int to, const struct iovec *part, size_t parts, int fd)
{
	struct bed_conn *c = bed_conn_of(to);
	size_t n;

	if (c && c->state == CONN_CLOSED && !c->met)
		return bed_turn_away(c, part, parts);
	if (!c || c->state != CONN_SERVED || parts != 1 || !part->iov_len)
		abort();
	if (bed_interrupted())
		return -1;
	if (c->gone || !c->room) {
		errno = c->gone ? EPIPE : EAGAIN;
		return -1;
	}
	if (fd >= 0 && fcntl(fd, F_GETFD) < 0)
		abort();
	if (fd >= 0) {
		c->descriptors++;
		if (c->fd)
			close(c->fd);
		c->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	}
	n = bed_least(part->iov_len, c->room, BED_WRITE_PIECES * bed.piece);
	bed_append(&c->out, &c->out_bytes, &c->out_size, part->iov_base, n);
	c->room -= c->room == SIZE_MAX ? 0 : n;
	bed.moved++;
	bed_look(c);
	return (ssize_t)n;
}

/* ---- The loop ---- */

static u32 bed_events(const struct bed_source *s)
{
	const struct bed_conn *c = bed_conn_of(s->src->fd);
	u32 i, events = 0;

	for (i = 0; s->src == &bed.control.listener && i < bed.conns; i++)
		if (bed.conn[i].state == CONN_WAITS)
			return EPOLLIN;
	if (!c)
		return 0;
	if (c->in_at < c->in_bytes || c->ended || c->gone)
		events |= EPOLLIN;
	if (c->room || c->gone)
		events |= EPOLLOUT;
	return (events & s->events) | (c->gone ? EPOLLHUP : 0);
}

/* The next source of which there is something to tell; false: of none. */
static bool bed_step(void)
{
	u32 i;

	for (i = 0; i < bed.sources; i++) {
		u32 k = (bed.next + i) % bed.sources;
		struct bed_source s = bed.source[k];
		u32 events = bed_events(&s);

		if (!events)
			continue;
		bed.next = k + 1;
		s.src->ready(s.src, events);
		return true;
	}
	return false;
}

/* Until there is nothing to do. It must not do nothing for ever. */
static void bed_run(void)
{
	u32 idle = 0;
	u64 moved;

	do {
		moved = bed.moved;
		if (!bed_step())
			break;
		idle = bed.moved == moved ? idle + 1 : 0;
	} while (idle < BED_IDLE_MAX);
	if (idle == BED_IDLE_MAX || bed.control.clients > CONTROL_CLIENTS_MAX)
		abort();
	net_bed_check();
}

/* ---- Clients ---- */

/* NULL: there have been too many. */
static struct bed_conn *bed_connect(void)
{
	struct bed_conn *c = bed.conns < BED_CONNS ? &bed.conn[bed.conns++] : NULL;

	if (c)
		*c = (struct bed_conn){ .room = SIZE_MAX };
	return c;
}

static void bed_send(struct bed_conn *c, const void *text, size_t bytes)
{
	const char *at = text;
	size_t i;

	bed_append(&c->in, &c->in_bytes, &c->in_size, text, bytes);
	/* One that is too long is answered when it is, and not at its end. */
	for (i = 0; i < bytes; i++) {
		if (at[i] == '\n') {
			c->lines += c->line_bytes <= LINES_BYTES_MAX;
			c->line_bytes = 0;
		} else {
			c->lines += ++c->line_bytes == LINES_BYTES_MAX + 1;
		}
	}
}

static inline void bed_say(struct bed_conn *c, const char *line)
{
	bed_send(c, line, strlen(line));
	bed_send(c, "\n", 1);
}

/* A reply of the client's, from 0 on; new reference. */
static inline json_t *bed_reply(const struct bed_conn *c, u32 i)
{
	const char *at = c->out;

	if (i >= c->replies)
		abort();
	while (i--)
		at = strchr(at, '\n') + 1;
	return json_loadb(at, (size_t)(strchr(at, '\n') - at), 0, NULL);
}

/* "", or the error's code. */
static inline const char *bed_code(const struct bed_conn *c, u32 i)
{
	static char code[32];
	json_t *v = bed_reply(c, i);
	const char *is = json_string_value(json_object_get(json_object_get(v, "error"), "code"));

	snprintf(code, sizeof(code), "%s", is ? is : "");
	json_decref(v);
	return code;
}

/* ---- Life ---- */

static inline void bed_open(void)
{
	char why[320];

	memset(&bed, 0, sizeof(bed));
	bed.piece = 4096;
	log_set_level(LOG_LEVEL_ERROR);
	net_bed_open(&bed.loop);
	if (lines_open(&bed.control, "/nowhere/ctl", (gid_t)-1, &bed.loop, &control_owner,
		       &bed_devices, why, sizeof(why)))
		abort();
	net_bed_check();
}

/* Everybody reads and ends: all have their replies, and who comes now is served. */
static inline void bed_settle(void)
{
	struct bed_conn *last;
	u32 i;

	for (i = 0; i < bed.conns; i++) {
		bed.conn[i].room = SIZE_MAX;
		bed.conn[i].ended = true;
	}
	bed_run();
	if (bed.control.clients)
		abort();
	for (i = 0; i < bed.conns; i++) {
		struct bed_conn *c = &bed.conn[i];

		/* Of one that was turned away nothing was read. */
		if (c->state != CONN_CLOSED ||
		    (!c->gone && (c->out_at != c->out_bytes ||
				  (c->in_at && c->replies != c->lines))))
			abort();
	}
	last = bed_connect();
	if (!last)
		return;
	bed_say(last, "{\"v\":1,\"cmd\":\"hello\"}");
	bed_run();
	if (last->replies != 1 || *bed_code(last, 0))
		abort();
}

static inline void bed_close(void)
{
	u32 i;

	lines_close(&bed.control);
	net_bed_close();
	for (i = 0; i < bed.conns; i++) {
		free(bed.conn[i].in);
		free(bed.conn[i].out);
		if (bed.conn[i].fd > 0)
			close(bed.conn[i].fd);
	}
}

#endif /* TEST_CONTROL_BED_H */
