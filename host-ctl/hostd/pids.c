// SPDX-License-Identifier: GPL-2.0-or-later
#include "pids.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT		16384u	/* more than PIDS_MAX of them */
/* A file that is younger may change again and bear the same time. */
#define SETTLED_S	2

bool pids_may_touch(long pid)
{
	return pid > 1 && pid <= INT_MAX && pid != getpid();
}

/* One number that has no end is left out. False: there is none to be read. */
static bool read_text(const char *path, char text[TEXT])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t bytes = 0;
	ssize_t n = -1;

	if (fd < 0)
		return false;
	while (bytes < TEXT - 1 && (n = read(fd, text + bytes, TEXT - 1 - bytes)) > 0)
		bytes += (size_t)n;
	close(fd);
	while (n > 0 && bytes && !isspace((unsigned char)text[bytes - 1]))
		bytes--;
	text[bytes] = '\0';
	return true;
}

static u32 read_pids(const char *path, pid_t pid[PIDS_MAX])
{
	char text[TEXT], *at = text, *end;
	u32 n = 0;

	if (!read_text(path, text))
		return 0;
	for (; n < PIDS_MAX; at = end) {
		long one = strtol(at, &end, 10);

		if (end == at)
			break;
		if (pids_may_touch(one))
			pid[n++] = (pid_t)one;
	}
	return n;
}

static bool is_untouched(const struct pids *p, const struct stat *st)
{
	return p->inode && p->inode == st->st_ino && p->device == st->st_dev &&
	       p->bytes == st->st_size && p->changed.tv_sec == st->st_ctim.tv_sec &&
	       p->changed.tv_nsec == st->st_ctim.tv_nsec;
}

/* Before it is read: what changes meanwhile is then another. */
static void remember(struct pids *p, const struct stat *st)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	p->device = st->st_dev;
	p->inode = st->st_ctim.tv_sec + SETTLED_S < now.tv_sec ? st->st_ino : 0;
	p->bytes = st->st_size;
	p->changed = st->st_ctim;
}

bool pids_look(struct pids *p, const struct conf_tenant *t)
{
	char path[CONF_PATH_MAX + 16];
	pid_t pid[PIDS_MAX];
	struct stat st = { 0 };
	bool same;
	u32 n;

	snprintf(path, sizeof(path), "%s%s", *t->cgroup ? t->cgroup : t->pidfile,
		 *t->cgroup ? "/cgroup.procs" : "");
	if (!*t->cgroup && !stat(path, &st) && is_untouched(p, &st))
		return false;
	remember(p, &st);
	n = read_pids(path, pid);
	same = n == p->count && !memcmp(pid, p->pid, n * sizeof(*pid));
	memcpy(p->pid, pid, n * sizeof(*pid));
	p->count = n;
	return !same;
}
