// SPDX-License-Identifier: GPL-2.0-or-later
/* Listening Unix sockets. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "log/log.h"
#include "sock/sock.h"

/* Is somebody listening there? Then 0, else -errno. */
static int probe(const struct sockaddr_un *sa)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) < 0)
		err = -errno;
	close(fd);
	return err == -EAGAIN ? 0 : err;	/* EAGAIN: its backlog is full */
}

static int clear_the_way(const struct sockaddr_un *sa, char *why, size_t n)
{
	const char *path = sa->sun_path;
	struct stat st;
	int err;

	if (lstat(path, &st) < 0 && errno == ENOENT)
		return 0;
	if (!S_ISSOCK(st.st_mode)) {
		snprintf(why, n, "%s exists and is not a socket: remove it or give another path",
			 path);
		return -1;
	}
	err = probe(sa);
	if (!err) {
		snprintf(why, n, "%s is in use by another process: stop it or give another path",
			 path);
		return -1;
	}
	if (err != -ECONNREFUSED) {
		snprintf(why, n, "cannot tell who uses %s: %s", path,
			 strerror(-err));
		return -1;
	}
	if (unlink(path) < 0) {
		snprintf(why, n, "cannot remove the stale socket %s: %s", path,
			 strerror(errno));
		return -1;
	}
	return 0;
}

static uid_t owner = (uid_t)-1;

void sock_set_owner(uid_t uid)
{
	owner = uid;
}

static int bind_and_listen(int fd, const struct sockaddr_un *sa, gid_t gid)
{
	/* Closed to everybody from its first moment on. */
	mode_t old = umask(0177);
	int rc = bind(fd, (const struct sockaddr *)sa, sizeof(*sa));

	umask(old);
	if (rc < 0)
		return -1;
	/* Who is that owner already needs no right to say so. */
	if ((owner != (uid_t)-1 || gid != (gid_t)-1) && chown(sa->sun_path, owner, gid) < 0)
		goto err_unlink;
	if (gid != (gid_t)-1 && chmod(sa->sun_path, 0660) < 0)
		goto err_unlink;
	if (listen(fd, 16) == 0)
		return 0;
err_unlink:
	rc = errno;
	unlink(sa->sun_path);
	errno = rc;
	return -1;
}

int sock_listen(const char *path, gid_t gid, char *why, size_t why_bytes)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(sa.sun_path)) {
		snprintf(why, why_bytes, "%s: longer than the %zu bytes that a socket's path may have",
			 path, sizeof(sa.sun_path) - 1);
		return -1;
	}
	strcpy(sa.sun_path, path);
	if (clear_the_way(&sa, why, why_bytes) < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind_and_listen(fd, &sa, gid) < 0) {
		snprintf(why, why_bytes, "cannot listen on %s: %s", path,
			 strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

/*
 * Without a free descriptor a client cannot even be turned away, and the
 * listening socket would stay readable for ever: this one is given up for it.
 */
static int spare_fd = -1;

static void turn_away(int listen_fd)
{
	close(spare_fd);
	spare_fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (spare_fd >= 0)
		close(spare_fd);
	spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int sock_accept(int listen_fd)
{
	int fd;

	if (spare_fd < 0)
		spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
		log_warn("a client was turned away: no file descriptor is left");
		turn_away(listen_fd);
	}
	return fd;
}
