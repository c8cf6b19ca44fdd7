// SPDX-License-Identifier: GPL-2.0-or-later
/* A capture at a ringpaced: the order, its memory, packets by their time. */
#include "capture/source.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MS	30000

static u64 clock_now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (u64)ts.tv_sec * 1000000000u + (u64)ts.tv_nsec;
}

/* The descriptor that comes with the answer's first byte, which stays to be read. -1: none. */
static int peek_fd(const struct ctl *c)
{
	struct pollfd pfd = { .fd = c->fd, .events = POLLIN };
	char byte, buf[CMSG_SPACE(sizeof(int))];
	struct iovec part = { &byte, 1 };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = buf,
			    .msg_controllen = sizeof(buf) };
	struct cmsghdr *cm;
	int fd = -1;

	if (poll(&pfd, 1, ANSWER_MS) != 1 || recvmsg(c->fd, &m, MSG_PEEK | MSG_CMSG_CLOEXEC) != 1)
		return -1;
	cm = CMSG_FIRSTHDR(&m);
	if (cm && cm->cmsg_level == SOL_SOCKET && cm->cmsg_type == SCM_RIGHTS &&
	    cm->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(cm), sizeof(int));
	return fd;
}

static int map(struct source *s, int fd)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fail("capture: the daemon sent no memory: is it of another version?");
	s->mem = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (s->mem == MAP_FAILED) {
		s->mem = NULL;
		return fail("capture: cannot map the daemon's memory: %m");
	}
	s->bytes = (size_t)st.st_size;
	return 0;
}

static int open_ring(struct source *s, u32 i, const json_t *v)
{
	json_int_t at = json_integer_value(json_object_get(v, "at_bytes"));
	json_int_t bytes = json_integer_value(json_object_get(s->said, "ring_bytes"));
	const char *dir = json_string_value(json_object_get(v, "dir"));

	s->ring[i].queue = (u32)json_integer_value(json_object_get(v, "queue"));
	s->ring[i].tx = dir && !strcmp(dir, "tx");
	if (at < 0 || bytes < 0 || (size_t)at > s->bytes || (size_t)bytes > s->bytes - (size_t)at ||
	    at % CAPTURE_ALIGN ||
	    !capture_reader_init(&s->ring[i].reader, s->mem + at, (size_t)bytes))
		return fail("capture: the daemon's memory is of another kind: is it of another "
			    "version?");
	return 0;
}

static int open_rings(struct source *s)
{
	const json_t *rings = json_object_get(s->said, "rings"), *v;
	size_t i;

	s->count = (u32)json_array_size(rings);
	s->ring = calloc(s->count ? s->count : 1, sizeof(*s->ring));
	if (!s->ring)
		abort();
	json_array_foreach(rings, i, v)
		if (open_ring(s, (u32)i, v))
			return -1;
	return s->count ? 0 : fail("capture: the daemon has no queue for us");
}

int source_open(struct source *s, const char *socket, const char *port, int queue, u32 snaplen)
{
	json_t *args = json_pack("{s:s, s:i}", "device", port, "snaplen_bytes", (int)snaplen);
	int id, fd, rc = -1;

	memset(s, 0, sizeof(*s));
	if (queue >= 0)
		json_object_set_new(args, "queue", json_integer(queue));
	if (ctl_open(&s->ctl, socket, 0)) {
		json_decref(args);
		return -1;
	}
	s->open = true;
	id = ctl_send(&s->ctl, "capture", args);
	if (id < 0)
		return -1;
	fd = peek_fd(&s->ctl);
	s->said = ctl_wait(&s->ctl, "capture", (u32)id, ANSWER_MS);
	if (s->said)
		rc = map(s, fd);
	if (fd >= 0)
		close(fd);
	s->to_real_ns = clock_now_ns(CLOCK_REALTIME) - clock_now_ns(CLOCK_MONOTONIC);
	return rc ? -1 : open_rings(s);
}

void source_close(struct source *s)
{
	if (s->open)
		ctl_close(&s->ctl);
	if (s->mem)
		munmap(s->mem, s->bytes);
	free(s->ring);
	json_decref(s->said);
	memset(s, 0, sizeof(*s));
}

const struct capture_record *source_next(struct source *s, u64 before_ns,
					 struct source_ring **ring, bool *broken)
{
	const struct capture_record *oldest = NULL, *rec;
	u32 i;

	for (i = 0; i < s->count; i++) {
		rec = capture_peek(&s->ring[i].reader, broken);
		if (*broken) {
			fail("capture: queue %u: what the daemon wrote makes no sense",
			     s->ring[i].queue);
			return NULL;
		}
		if (!rec || rec->time_ns >= before_ns ||
		    (oldest && oldest->time_ns <= rec->time_ns))
			continue;
		oldest = rec;
		*ring = &s->ring[i];
	}
	return oldest;
}

void source_done(struct source_ring *ring)
{
	capture_next(&ring->reader);
}

bool source_gone(const struct source *s)
{
	char byte;
	ssize_t n = recv(s->ctl.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

const char *source_reason(const struct source *s, u8 reason)
{
	return json_string_value(json_array_get(json_object_get(s->said, "reasons"), reason));
}
