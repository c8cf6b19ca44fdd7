// SPDX-License-Identifier: GPL-2.0-or-later
/* Finds the control sockets of running daemons, by their command lines. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "top/top.h"

/* A daemon with 64 devices has some 10 KiB of them. */
#define CMDLINE_MAX	65536

/* A file of /proc/PID, at most @bytes - 1, with a 0 behind. How much, or -1. */
static ssize_t read_proc(int pid, const char *name, char *to, size_t bytes)
{
	char path[64];
	size_t n = 0;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while (n < bytes - 1 && (got = read(fd, to + n, bytes - 1 - n)) > 0)
		n += (size_t)got;
	close(fd);
	to[n] = 0;
	return (ssize_t)n;
}

/* The argument of --control, however it was written, or NULL. */
static const char *control_arg(const char *arg, const char *end)
{
	const char *next = arg + strlen(arg) + 1;
	size_t name = strcspn(arg, "=");

	if (!strncmp(arg, "-c", 2) && arg[2])
		return arg + 2;
	/* The C library takes a long option's beginning for it. */
	if (strcmp(arg, "-c") && (name < 3 || strncmp(arg, "--control", name)))
		return NULL;
	if (arg[name])
		return arg + name + 1;
	return next < end ? next : NULL;
}

static void tell(int pid, const char *path, top_found found, void *ctx)
{
	char link[32], full[4400], cwd[4096];
	ssize_t n;

	if (path[0] == '/') {
		found(ctx, path, pid);
		return;
	}
	snprintf(link, sizeof(link), "/proc/%d/cwd", pid);
	n = readlink(link, cwd, sizeof(cwd) - 1);
	if (n <= 0 || strlen(path) > sizeof(full) - sizeof(cwd) - 2)
		return;
	cwd[n] = 0;
	snprintf(full, sizeof(full), "%s/%s", cwd, path);
	found(ctx, full, pid);
}

static void look_at(int pid, char *buf, top_found found, void *ctx)
{
	const char *arg, *end, *path = NULL;
	ssize_t n = read_proc(pid, "comm", buf, CMDLINE_MAX);

	if (n < 0 || strcmp(buf, "ringpaced\n"))
		return;
	n = read_proc(pid, "cmdline", buf, CMDLINE_MAX);
	end = buf + (n > 0 ? n : 0);
	for (arg = buf; arg < end && !path; arg += strlen(arg) + 1)
		path = control_arg(arg, end);
	if (path)
		tell(pid, path, found, ctx);
}

void top_find(top_found found, void *ctx)
{
	char *buf = malloc(CMDLINE_MAX);
	DIR *d = opendir("/proc");
	struct dirent *e;

	while (buf && d && (e = readdir(d)))
		if (isdigit((unsigned char)e->d_name[0]))
			look_at(atoi(e->d_name), buf, found, ctx);
	if (d)
		closedir(d);
	free(buf);
}
