// SPDX-License-Identifier: GPL-2.0-or-later
/* The load generator's connections as the kernel's sockets, non-blocking, waited for by epoll. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "load/load.h"

#define EVENTS_MAX	256u
/* Beside the connections: what a thread, and the program, have open. */
#define OTHER_FDS	64u

struct sockets {
	struct load_transport t;
	const struct load_target *target;
	u32 conns;
	int epoll_fd;
	int *fd;		/* -1: none */
};

static struct sockets *of(struct load_transport *t)
{
	return (struct sockets *)t;
}

/* ---- Where to ---- */

/* Splits "HOST:PORT" and "[HOST]:PORT"; false: it is neither. */
static bool split(char *text, char **host, char **port)
{
	char *colon = strrchr(text, ':');

	if (!colon || !colon[1] || colon == text)
		return false;
	*colon = 0;
	*host = text;
	*port = colon + 1;
	if (*text == '[') {
		if (colon[-1] != ']' || colon - text < 3)
			return false;
		colon[-1] = 0;
		*host = text + 1;
		return true;
	}
	return !strchr(text, ':');
}

const char *load_target_resolve(struct load_target *t)
{
	const struct addrinfo hints = {
		.ai_socktype = t->datagram ? SOCK_DGRAM : SOCK_STREAM,
	};
	char text[300], *host, *port;
	struct addrinfo *found;
	int rc;

	if ((size_t)snprintf(text, sizeof(text), "%s", t->name) >= sizeof(text) ||
	    !split(text, &host, &port))
		return "not HOST:PORT, nor [HOST]:PORT";
	rc = getaddrinfo(host, port, &hints, &found);
	if (rc)
		return gai_strerror(rc);
	memcpy(&t->addr, found->ai_addr, found->ai_addrlen);
	t->addr_bytes = found->ai_addrlen;
	freeaddrinfo(found);
	return NULL;
}

/* ---- Connections ---- */

static void drop(struct load_transport *t, u32 conn)
{
	struct sockets *s = of(t);

	if (s->fd[conn] >= 0)
		close(s->fd[conn]);
	s->fd[conn] = -1;
}

static int watch(struct sockets *s, int op, u32 conn, u32 events)
{
	struct epoll_event ev = { .events = events, .data = { .u32 = conn } };

	return epoll_ctl(s->epoll_fd, op, s->fd[conn], &ev) ? -errno : 0;
}

static int begin(struct sockets *s, u32 conn)
{
	const int one = 1, fd = s->fd[conn];

	if (!s->target->datagram)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (const struct sockaddr *)&s->target->addr, s->target->addr_bytes) &&
	    errno != EINPROGRESS)
		return -errno;
	return watch(s, EPOLL_CTL_ADD, conn, EPOLLIN | EPOLLOUT);
}

static int connect_one(struct load_transport *t, u32 conn)
{
	struct sockets *s = of(t);
	int rc;

	s->fd[conn] = socket(s->target->addr.ss_family, SOCK_CLOEXEC | SOCK_NONBLOCK |
			     (s->target->datagram ? SOCK_DGRAM : SOCK_STREAM), 0);
	if (s->fd[conn] < 0)
		return -errno;
	rc = begin(s, conn);
	if (rc)
		drop(t, conn);
	return rc;
}

static int connected(struct load_transport *t, u32 conn)
{
	int err = 0;
	socklen_t n = sizeof(err);

	if (getsockopt(of(t)->fd[conn], SOL_SOCKET, SO_ERROR, &err, &n))
		return -errno;
	return -err;
}

static ssize_t or_errno(ssize_t n)
{
	/* EINTR: nothing was done, and an event will come again. */
	return n >= 0 ? n : errno == EINTR ? -EAGAIN : -errno;
}

static ssize_t send_some(struct load_transport *t, u32 conn, const u8 *data, size_t n)
{
	return or_errno(send(of(t)->fd[conn], data, n, MSG_NOSIGNAL));
}

static ssize_t receive(struct load_transport *t, u32 conn, u8 *data, size_t n)
{
	return or_errno(recv(of(t)->fd[conn], data, n, 0));
}

static void want_out(struct load_transport *t, u32 conn, bool on)
{
	/* Of a descriptor that is there, this cannot fail. */
	watch(of(t), EPOLL_CTL_MOD, conn, on ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* ---- Waiting ---- */

static u32 wait_some(struct load_transport *t, struct load_event *ev, u32 max, u64 timeout_ns)
{
	struct sockets *s = of(t);
	struct epoll_event got[EVENTS_MAX];
	const struct timespec ts = {
		(time_t)(timeout_ns / NSEC_PER_SEC), (long)(timeout_ns % NSEC_PER_SEC),
	};
	const struct timespec zero = { 0, 0 };
	int i, n;

	n = epoll_pwait2(s->epoll_fd, got, max < EVENTS_MAX ? (int)max : (int)EVENTS_MAX,
			 s->target->spin ? &zero : &ts, NULL);
	for (i = 0; i < n; i++)
		ev[i] = (struct load_event){
			.conn = got[i].data.u32,
			/* Errors and ends are found by trying. */
			.in = got[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP),
			.out = got[i].events & (EPOLLOUT | EPOLLERR | EPOLLHUP),
		};
	return n > 0 ? (u32)n : 0;
}

/* ---- Life ---- */

static void free_all(struct load_transport *t)
{
	struct sockets *s = of(t);
	u32 i;

	for (i = 0; s->fd && i < s->conns; i++)
		drop(t, i);
	if (s->epoll_fd >= 0)
		close(s->epoll_fd);
	free(s->fd);
	free(s);
}

static const struct load_transport_ops ops = {
	.connect = connect_one, .connected = connected, .send = send_some, .receive = receive,
	.close = drop, .want_out = want_out, .wait = wait_some, .free = free_all,
};

int load_sockets_allow(u32 conns)
{
	struct rlimit lim;
	u64 need = (u64)conns + OTHER_FDS;

	if (getrlimit(RLIMIT_NOFILE, &lim))
		return fail("cannot read the limit of open files: %m");
	if (lim.rlim_cur >= need)
		return 0;
	if (lim.rlim_max < need)
		return fail("%u connections need %llu open files, and %llu are allowed; raise "
			    "`ulimit -Hn`, or take fewer", conns, (unsigned long long)need,
			    (unsigned long long)lim.rlim_max);
	lim.rlim_cur = need;
	return setrlimit(RLIMIT_NOFILE, &lim) ? fail("cannot raise the limit of open files: %m") : 0;
}

static struct load_transport *make(const struct load_target *target, u32 conns)
{
	struct sockets *s = calloc(1, sizeof(*s));
	u32 i;

	if (!s)
		abort();
	s->t.ops = &ops;
	s->target = target;
	s->conns = conns;
	s->fd = calloc(conns, sizeof(*s->fd));
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	for (i = 0; s->fd && i < conns; i++)
		s->fd[i] = -1;
	if (s->fd && s->epoll_fd >= 0)
		return &s->t;
	fail("cannot make an epoll instance for %u connections: %m", conns);
	free_all(&s->t);
	return NULL;
}

const struct load_transport_kind load_transport_sockets = {
	.name = "sockets", .threads_max = LOAD_THREADS_MAX + 1, .make = make,
};
