// SPDX-License-Identifier: GPL-2.0-or-later
/* Steering by a ringpaced. */
#include "steer_ctl.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "ctl/envelope.h"
#include "dataplane.h"
#include "sock/sock.h"

#define REPLY_BYTES	65536u
/* A daemon that does not answer for so long is taken for a dead one. */
#define PATIENCE_S	5
/* A turn that takes so long is held up by a guest: the daemon, if asked, ends it. */
#define TURN_NS		20000000u
/* How often a turn is looked after where yields take long. */
#define NAP_US		20u

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

/* As sock_receive(), but waits; who is to answer may need this very CPU. */
static ssize_t receive(struct steer_ctl *c, char *buf, size_t bytes, int *passed)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	ssize_t n;
	int rc;
	u32 i;

	/* Woken by the request, it may have preempted us, and answered already. */
	for (i = 0; i < LOOKS; i++) {
		n = sock_receive(c->fd, buf, bytes, passed);
		if (n >= 0 || errno != EAGAIN)
			return n;
		if (!rp_step_aside(&c->aside))
			break;
	}
	do
		rc = poll(&p, 1, PATIENCE_S * 1000);
	while (rc < 0 && errno == EINTR);
	return rc > 0 ? sock_receive(c->fd, buf, bytes, passed) : rc;
}

/* One line: there is one request at a time, so what comes is its reply, and what it passes. */
static json_t *read_reply(struct steer_ctl *c, int *passed)
{
	char *buf = malloc(REPLY_BYTES);
	json_t *v = NULL;
	size_t have = 0;
	ssize_t n;

	while (buf && have < REPLY_BYTES) {
		n = receive(c, buf + have, REPLY_BYTES - have, passed);
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
	setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	return 0;
}

static void drop_page(struct steer_ctl *c)
{
	rss_page_close(c->page);
	c->page = NULL;
}

/* The page was that daemon's. */
static void disconnect(struct steer_ctl *c)
{
	drop_page(c);
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

/* @line ends with its newline. NULL: no answer. What may still come of it is not taken for another's. */
static json_t *exchange(struct steer_ctl *c, const char *line, int *passed)
{
	json_t *reply = NULL;

	if (c->fd < 0 && make_connection(c)) {
		disconnect(c);
		return NULL;
	}
	/* At once: it is woken for each part. */
	if (!send_all(c->fd, line, strlen(line)))
		reply = read_reply(c, passed);
	if (!reply)
		disconnect(c);
	return reply;
}

/* What came with a reply, -1: nothing, and is closed here. */
static void take_page(struct steer_ctl *c, int passed)
{
	const char *why = "it was not passed";

	if (passed >= 0) {
		why = rss_page_open(&c->page, passed, c->entries);
		close(passed);
	}
	if (why && !c->without)
		fprintf(stderr, "rp-dataplane: port %s is steered by orders, which takes longer: the "
			"page of its table: %s\n", c->device, why);
	if (why)
		c->page = NULL;
	c->without = why;
}

/*
 * The result, or NULL after a line on stderr. @args, less the device, is taken. If they ask for
 * a page there is one afterwards, or none can be had.
 */
static json_t *call(struct steer_ctl *c, json_t *args)
{
	json_t *reply, *result;
	bool asks = json_object_get(args, "page");
	int passed = -1;
	const char *why;
	char *line;

	json_object_set_new(args, "device", json_string(c->device));
	drop_page(c);
	line = ctl_request(++c->id, "rss", args);
	reply = line ? exchange(c, line, &passed) : NULL;
	free(line);
	result = json_incref(ctl_result(reply, &why));
	if (result && asks) {
		take_page(c, passed);
	} else if (!result) {
		fprintf(stderr, "rp-dataplane: port %s is not steered by %s: %s\n", c->device,
			c->path, why);
		if (passed >= 0)
			close(passed);
	}
	json_decref(reply);
	return result;
}

/* All entries for @queue, four to a digit. */
static json_t *mask_of(const struct dp_steer *s, u32 n, u32 queue)
{
	u8 digit[DP_GROUPS_MAX / 4] = { 0 };
	char text[DP_GROUPS_MAX / 4 + 1] = "";
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

static int set_by_order(struct steer_ctl *c, const struct dp_steer *s, u32 n)
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
	result = call(c, json_pack("{s:o, s:b, s:b}", "entry_mask", masks, "brief", 1, "page", 1));
	if (!result)
		return -EIO;
	json_decref(result);
	return 0;
}

/* Whose page it is: else nobody goes by it any more. */
static bool is_there(const struct steer_ctl *c)
{
	char byte;

	return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* Waits for senders; they may need this very CPU. false: one has not ended its turn. */
static bool pass(struct steer_ctl *c)
{
	u64 until = clock_ns(CLOCK_MONOTONIC) + TURN_NS;
	struct rss_fence f;

	rss_fence(c->page, &f);
	while (!rss_passed(c->page, &f)) {
		if (clock_ns(CLOCK_MONOTONIC) > until)
			return false;
		if (!rp_step_aside(&c->aside))
			usleep(NAP_US);
	}
	return true;
}

/* false: to be said by an order, of the same entries. */
static bool set_by_page(struct steer_ctl *c, const struct dp_steer *s, u32 n)
{
	bool passed;
	u32 i;

	for (i = 0; i < n; i++)
		rp_store(&c->page->pair[s[i].group], s[i].queue);
	passed = pass(c);
	if (!is_there(c))
		disconnect(c);
	return passed && c->page && !rss_page_ended(c->page);
}

int steer_ctl_set(struct steer_ctl *c, const struct dp_steer *s, u32 n)
{
	if (c->page && set_by_page(c, s, n))
		return 0;
	return set_by_order(c, s, n);
}

static int check_table(struct steer_ctl *c)
{
	json_t *v = call(c, json_object());
	size_t has = json_array_size(json_object_get(v, "table"));

	if (!v)
		return -1;
	json_decref(v);
	if (has == c->entries) {
		/* Nothing is to be changed: only the page is asked for. */
		set_by_order(c, NULL, 0);
		return 0;
	}
	fprintf(stderr, "rp-dataplane: port %s has a table of %zu entries, and there are %u flow "
		"groups: start ringpaced with rss=%u for it\n", c->device, has, c->entries,
		c->entries);
	return -1;
}

int steer_ctl_open(struct steer_ctl *c, const char *path, const char *device, u32 entries)
{
	*c = (struct steer_ctl){ .device = device, .path = path, .fd = -1, .entries = entries };
	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
		fprintf(stderr, "rp-dataplane: %s: the path is too long for a socket\n", path);
		return -1;
	}
	return check_table(c);
}

void steer_ctl_close(struct steer_ctl *c)
{
	disconnect(c);
}
