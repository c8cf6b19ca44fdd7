// SPDX-License-Identifier: GPL-2.0-or-later
/* Steering by a ringpaced. */
#include "steer_ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/envelope.h"
#include "dataplane.h"

#define REPLY_BYTES	65536u
/* A daemon that does not answer for so long is taken for a dead one. */
#define PATIENCE_S	5

/* An answer mostly takes less than falling asleep and being woken. */
#define LOOKS		200u

static int send_all(int fd, const char *line, size_t bytes)
{
	while (bytes) {
		ssize_t n = send(fd, line, bytes, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EIO;
		line += n;
		bytes -= (size_t)n;
	}
	return 0;
}

/* As recv(); who is to answer may need this very CPU. */
static ssize_t receive(struct steer_ctl *c, char *buf, size_t bytes)
{
	ssize_t n;
	u32 i;

	/* Woken by the request, it may have preempted us, and answered already. */
	for (i = 0; i < LOOKS; i++) {
		n = recv(c->fd, buf, bytes, MSG_DONTWAIT);
		if (n >= 0 || errno != EAGAIN)
			return n;
		if (!rp_step_aside(&c->aside))
			break;
	}
	return recv(c->fd, buf, bytes, 0);
}

/* One line: there is one request at a time, so what comes is its reply. */
static json_t *read_reply(struct steer_ctl *c)
{
	char *buf = malloc(REPLY_BYTES);
	json_t *v = NULL;
	size_t have = 0;
	ssize_t n;

	while (buf && have < REPLY_BYTES) {
		n = receive(c, buf + have, REPLY_BYTES - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		have += (size_t)n;
		if (buf[have - 1] == '\n') {
			v = json_loadb(buf, have, 0, NULL);
			break;
		}
	}
	free(buf);
	return v;
}

static int make_connection(struct steer_ctl *c)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	strcpy(sa.sun_path, c->path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&sa, sizeof(sa))) {
		fprintf(stderr, "rp-dataplane: cannot connect to ringpaced's control socket %s: "
			"%m; is it running?\n", c->path);
		return -1;
	}
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	return 0;
}

static void disconnect(struct steer_ctl *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

/* @line ends with its newline. NULL: no answer. What may still come of it is not taken for another's. */
static json_t *exchange(struct steer_ctl *c, const char *line)
{
	json_t *reply = NULL;

	if (c->fd < 0 && make_connection(c)) {
		disconnect(c);
		return NULL;
	}
	/* At once: it is woken for each part. */
	if (!send_all(c->fd, line, strlen(line)))
		reply = read_reply(c);
	if (!reply)
		disconnect(c);
	return reply;
}

/* The result, or NULL after a line on stderr. @args, less the device, is taken. */
static json_t *call(struct steer_ctl *c, json_t *args)
{
	json_t *reply, *result;
	const char *why;
	char *line;

	json_object_set_new(args, "device", json_string(c->device));
	line = ctl_request(++c->id, "rss", args);
	reply = line ? exchange(c, line) : NULL;
	free(line);
	result = json_incref(ctl_result(reply, &why));
	if (!result)
		fprintf(stderr, "rp-dataplane: port %s is not steered by %s: %s\n", c->device,
			c->path, why);
	json_decref(reply);
	return result;
}

/* All entries for @queue, four to a digit. */
static json_t *mask_of(const struct dp_steer *s, u32 n, u32 queue)
{
	u8 digit[DP_GROUPS_MAX / 4] = { 0 };
	char text[DP_GROUPS_MAX / 4 + 1];
	u32 i, used = 0;

	for (i = 0; i < n; i++) {
		if (s[i].queue != queue)
			continue;
		digit[s[i].group / 4] |= (u8)(1u << s[i].group % 4);
		if (s[i].group / 4 >= used)
			used = s[i].group / 4 + 1u;
	}
	for (i = 0; i < used; i++)
		text[i] = "0123456789abcdef"[digit[i]];
	return json_stringn(text, used);
}

int steer_ctl_set(struct steer_ctl *c, const struct dp_steer *s, u32 n)
{
	json_t *masks = json_object(), *result;
	char key[8];
	u64 seen = 0;
	u32 i;

	for (i = 0; i < n; i++) {
		if (seen >> s[i].queue & 1)
			continue;
		seen |= 1ULL << s[i].queue;
		snprintf(key, sizeof(key), "%u", s[i].queue);
		json_object_set_new(masks, key, mask_of(s, n, s[i].queue));
	}
	result = call(c, json_pack("{s:o, s:b}", "entry_mask", masks, "brief", 1));
	if (!result)
		return -EIO;
	json_decref(result);
	return 0;
}

static int check_table(struct steer_ctl *c, u32 entries)
{
	json_t *v = call(c, json_object());
	size_t has = json_array_size(json_object_get(v, "table"));

	if (!v)
		return -1;
	json_decref(v);
	if (has == entries)
		return 0;
	fprintf(stderr, "rp-dataplane: port %s has a table of %zu entries, and there are %u flow "
		"groups: start ringpaced with rss=%u for it\n", c->device, has, entries, entries);
	return -1;
}

int steer_ctl_open(struct steer_ctl *c, const char *path, const char *device, u32 entries)
{
	*c = (struct steer_ctl){ .device = device, .path = path, .fd = -1 };
	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
		fprintf(stderr, "rp-dataplane: %s: the path is too long for a socket\n", path);
		return -1;
	}
	return check_table(c, entries);
}

void steer_ctl_close(struct steer_ctl *c)
{
	disconnect(c);
}
