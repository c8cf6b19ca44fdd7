// SPDX-License-Identifier: GPL-2.0-or-later
/* The run directory: made at first use, emptied and removed at exit. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util.h"

#define PREFIX		"ringpace."

static char dir_path[128];
static pid_t dir_owner;

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path) && errno != ENOENT;
}

/* Never follows a link out of it. */
static void remove_tree(const char *path)
{
	nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void at_exit(void)
{
	/* A child that forked from us and exits must leave it alone. */
	if (dir_path[0] && getpid() == dir_owner)
		remove_tree(dir_path);
}

/* "ringpace.PID.XXXXXX", ours, and no such process: it died without an exit. */
static bool is_stale(const char *base, const char *name)
{
	char path[384];
	struct stat st;
	pid_t pid;

	if (strncmp(name, PREFIX, strlen(PREFIX)))
		return false;
	pid = atoi(name + strlen(PREFIX));
	if (pid <= 0 || !kill(pid, 0) || errno != ESRCH)
		return false;
	snprintf(path, sizeof(path), "%s/%s", base, name);
	/* 0770: shared with the group of libvirt's QEMU. */
	return !lstat(path, &st) && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       ((st.st_mode & 0777) == 0700 || (st.st_mode & 0777) == 0770);
}

static void remove_stale(const char *base)
{
	DIR *d = opendir(base);
	struct dirent *e;
	char path[384];

	while (d && (e = readdir(d))) {
		if (!is_stale(base, e->d_name))
			continue;
		snprintf(path, sizeof(path), "%s/%s", base, e->d_name);
		remove_tree(path);
	}
	if (d)
		closedir(d);
}

const char *run_dir(void)
{
	const char *base = getenv("XDG_RUNTIME_DIR");
	char path[sizeof(dir_path)];

	if (dir_path[0])
		return dir_path;
	/* A socket's path has 108 bytes; file names in here stay under 30. */
	if (!base || !*base || strlen(base) > 48 || access(base, W_OK))
		base = "/tmp";
	remove_stale(base);
	snprintf(path, sizeof(path), "%s/" PREFIX "%d.XXXXXX", base, getpid());
	if (!mkdtemp(path)) {
		fail("cannot make a directory %s: %m", path);
		return NULL;
	}
	dir_owner = getpid();
	strcpy(dir_path, path);
	atexit(at_exit);
	return dir_path;
}

const char *run_path(const char *name)
{
	static char ring[4][192];
	static u32 next;
	const char *dir = run_dir();
	char *out = ring[next++ % 4];

	if (!dir)
		return NULL;
	snprintf(out, sizeof(ring[0]), "%s/%s", dir, name);
	return out;
}
