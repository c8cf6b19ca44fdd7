// SPDX-License-Identifier: GPL-2.0-or-later
/* Asks the forwarder on DPDK in a VM for its counters. */
#include "chain/l2fwd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define ASK_MS		30000
#define ANSWER		"chain: l2fwd counters: "

/*
 * Open as long as the VM runs: QEMU looks only once a second whether somebody has opened
 * the pty.
 */
int l2fwd_open(const char *pty)
{
	int fd = open(pty, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	struct termios raw;

	if (fd < 0)
		return fail("chain: cannot open the VM's console %s: %m", pty);
	if (!tcgetattr(fd, &raw)) {
		cfmakeraw(&raw);
		tcsetattr(fd, TCSANOW, &raw);
	}
	return fd;
}

/* The guest may say anything: six numbers and the end of the line, or it is no answer. */
static bool parse(const char *line, struct l2fwd_counts *c)
{
	char end;

	return !strncmp(line, ANSWER, strlen(ANSWER)) &&
		sscanf(line + strlen(ANSWER), "received %" SCNu64 " %" SCNu64 " sent %" SCNu64
		       " %" SCNu64 " batches %" SCNu64 " sleeps %" SCNu64 "%c", &c->received[0],
		       &c->received[1], &c->sent[0], &c->sent[1], &c->batches, &c->sleeps,
		       &end) == 7 && end == '\r';
}

/* Takes whole lines from the begin of @buf; true: one of them was the answer. */
static bool take_lines(char *buf, size_t *len, struct l2fwd_counts *c)
{
	bool found = false;
	char *nl;

	while (!found && (nl = memchr(buf, '\n', *len))) {
		*nl = 0;
		found = parse(buf, c);
		*len -= (size_t)(nl + 1 - buf);
		memmove(buf, nl + 1, *len);
	}
	return found;
}

bool l2fwd_ask(int fd, struct l2fwd_counts *c)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	u64 end = now_ns() + ASK_MS * (NSEC_PER_SEC / 1000);
	char buf[512];
	size_t len = 0;
	ssize_t n;

	/* What it said before is not asked for. */
	tcflush(fd, TCIFLUSH);
	if (write(fd, "\n", 1) != 1)
		return false;
	while (now_ns() < end && !stopped()) {
		if (poll(&p, 1, 100) <= 0)
			continue;
		n = read(fd, buf + len, sizeof(buf) - len);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			return false;
		len += (size_t)n;
		if (take_lines(buf, &len, c))
			return true;
		if (len == sizeof(buf))
			len = 0;
	}
	return false;
}

static json_t *ports(const u64 a[2], const u64 b[2])
{
	return json_pack("[I, I]", (json_int_t)(b[0] - a[0]), (json_int_t)(b[1] - a[1]));
}

json_t *l2fwd_json(const struct l2fwd_counts *a, const struct l2fwd_counts *b)
{
	return json_pack("{s:o, s:o, s:I, s:I}", "received", ports(a->received, b->received),
			 "sent", ports(a->sent, b->sent), "batches",
			 (json_int_t)(b->batches - a->batches), "sleeps",
			 (json_int_t)(b->sleeps - a->sleeps));
}
