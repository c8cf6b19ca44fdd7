/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linux's side of tcp_opens.c: sockets of the test itself that do not block, so that one
 * thread plays both sides. Behind tcp_fixture.h and cmocka.h; of one file.
 */
#ifndef TCP_LINUX_H
#define TCP_LINUX_H

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEERS		16u
/* What one that pours sends in all. */
#define BULK_BYTES	300000u

static int listener;

/* Linux's end of a connection: answers all bytes with themselves, unless it is told not to. */
static struct peer {
	int fd;
	u8 buf[65536];
	u32 from, to;
	u64 got, poured;	/* bytes; sent by pour() */
	bool mute, pours, eof;
	int err;		/* errno of what failed */
} peer[PEERS];
static u32 peers;
static bool answer_nothing;	/* who is accepted from now on */

static void listen_at(u16 port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port),
				  .sin_addr.s_addr = end_ip(1) };
	int one = 1;

	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_false(bind(listener, (struct sockaddr *)&at, sizeof(at)));
	assert_false(listen(listener, PEERS));
}

static void peer_failed(struct peer *p)
{
	if (errno != EAGAIN)
		p->err = errno;
}

static void peer_read(struct peer *p)
{
	ssize_t n = read(p->fd, p->buf + p->to, sizeof(p->buf) - p->to);

	if (n < 0)
		peer_failed(p);
	else if (n)
		p->got += (u64)n;
	else
		p->eof = true;
	if (n > 0 && !p->pours)
		p->to += (u32)n;
}

static void peer_write(struct peer *p)
{
	ssize_t n = send(p->fd, p->buf + p->from, p->to - p->from, MSG_NOSIGNAL);

	if (n < 0)
		peer_failed(p);
	else
		p->from += (u32)n;
	if (p->from == p->to)
		p->from = p->to = 0;
}

/* Zeros, as many as it takes, up to BULK_BYTES. */
static void pour(struct peer *p)
{
	static const u8 zeros[10000];
	u64 left = BULK_BYTES - p->poured;
	ssize_t n = send(p->fd, zeros, left < sizeof(zeros) ? left : sizeof(zeros), MSG_NOSIGNAL);

	if (n < 0)
		peer_failed(p);
	else
		p->poured += (u64)n;
}

static void peer_turn(struct peer *p)
{
	if (p->fd < 0 || p->err)
		return;
	if (!p->mute && !p->eof && p->to < sizeof(p->buf))
		peer_read(p);
	if (p->pours && p->poured < BULK_BYTES)
		pour(p);
	if (p->from < p->to)
		peer_write(p);
	else if (p->eof && !p->pours)
		shutdown(p->fd, SHUT_WR);
}

static void accept_one(void)
{
	int fd = peers < PEERS ? accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC) : -1;

	if (fd < 0)
		return;
	if (answer_nothing)
		peer[peers] = (struct peer){ .pours = true, .poured = BULK_BYTES };
	peer[peers++].fd = fd;
}

#endif /* TCP_LINUX_H */
