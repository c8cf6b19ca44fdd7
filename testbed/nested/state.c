// SPDX-License-Identifier: GPL-2.0-or-later
/* The directory of an L1: what is known of it, who runs it, its end. */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "nested/state.h"
#include "vm/conn.h"

#define END_MS	10000	/* a QEMU that was killed is gone after this */

static int make_dir(const char *path)
{
	if (mkdir(path, 0700) && errno != EEXIST)
		return fail("cannot make the directory %s: %m", path);
	return 0;
}

const char *nested_root(void)
{
	const char *root = vm_cache_path("nested");

	return root && !make_dir(root) ? root : NULL;
}

const char *nested_path(const struct nested *n, const char *leaf)
{
	static char ring[8][224];
	static u32 next;
	char *out = ring[next++ % 8];

	snprintf(out, sizeof(ring[0]), "%s/%s", n->dir, leaf);
	return out;
}

const char *nested_name_check(const char *name)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

	if (!*name || strlen(name) > NESTED_NAME_MAX || name[0] == '-' ||
	    strspn(name, ok) != strlen(name))
		return because("a name is 1 to %d letters, digits, - and _", NESTED_NAME_MAX);
	return NULL;
}

int nested_name_set(struct nested *n, const char *name)
{
	const char *root = nested_root();

	memset(n, 0, sizeof(*n));
	if (!root)
		return -1;
	snprintf(n->name, sizeof(n->name), "%s", name);
	if (snprintf(n->dir, sizeof(n->dir), "%s/%s", root, name) > NESTED_DIR_MAX)
		return fail("the directory %s/%s has more than %d bytes, too many for the sockets "
			    "in it; set XDG_CACHE_HOME to a shorter path", root, name,
			    NESTED_DIR_MAX);
	return 0;
}

pid_t nested_qemu(const struct nested *n)
{
	const char *pidfile = nested_path(n, "qemu.pid");
	char path[32], args[8192];
	FILE *f = fopen(pidfile, "re");
	pid_t pid = 0;
	size_t len;

	if (!f || fscanf(f, "%d", &pid) != 1 || pid <= 0)
		pid = 0;
	if (f)
		fclose(f);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	f = pid ? fopen(path, "re") : NULL;
	len = f ? fread(args, 1, sizeof(args), f) : 0;
	if (f)
		fclose(f);
	return memmem(args, len, pidfile, strlen(pidfile) + 1) ? pid : 0;
}

void nested_progress(const struct nested_config *c, const char *what, u64 start_ns)
{
	if (c->progress)
		fprintf(stderr, "\r%s, %u s\033[K", what,
			(u32)((now_ns() - start_ns) / NSEC_PER_SEC));
}

void nested_progress_end(const struct nested_config *c)
{
	if (c->progress)
		fprintf(stderr, "\r\033[K");
}

int nested_make(const struct nested *n)
{
	if (mkdir(n->dir, 0700))
		return fail("cannot make the directory %s: %m", n->dir);
	return 0;
}

int nested_store(const struct nested *n)
{
	json_t *v = json_pack("{s:i, s:i, s:b}", "port", n->port, "boot_ms", n->boot_ms,
			      "restored", n->restored);
	int rc = v ? json_dump_file(v, nested_path(n, "state.json"), JSON_INDENT(1)) : -1;

	json_decref(v);
	return rc ? fail("cannot write %s: %m", nested_path(n, "state.json")) : 0;
}

bool nested_load(struct nested *n, const char *name)
{
	int restored = 0;
	json_t *v;

	if (nested_name_set(n, name) || access(n->dir, F_OK))
		return false;
	v = json_load_file(nested_path(n, "state.json"), 0, NULL);
	/* Without a whole file it is one whose start did not end. */
	if (!json_unpack(v, "{s:i, s:i, s:b}", "port", &n->port, "boot_ms", &n->boot_ms,
			 "restored", &restored))
		n->pid = nested_qemu(n);
	n->restored = restored;
	json_decref(v);
	return true;
}

int nested_find(struct nested *n, const char *name)
{
	if (!nested_load(n, name))
		return fail("there is no nested host %s; start it: ringpace nested up --name %s",
			    name, name);
	if (!n->pid)
		return fail("the nested host %s has died; its log is %s; remove it: ringpace nested "
			    "down --name %s", name, nested_path(n, "serial.log"), name);
	return 0;
}

static int kill_qemu(const struct nested *n)
{
	pid_t pid = nested_qemu(n);
	int fd = pid ? (int)syscall(SYS_pidfd_open, pid, 0) : -1, rc = 0;
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	if (fd < 0)
		return 0;
	/* The descriptor stands for one process for good: is it still that one? */
	if (nested_qemu(n) == pid) {
		syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
		if (poll(&pfd, 1, END_MS) != 1)
			rc = fail("QEMU, process %d, was killed and is still there", pid);
	}
	close(fd);
	return rc;
}

static int remove_files(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	return rmdir(dir) && errno != ENOENT ? fail("cannot remove %s: %m", dir) : 0;
}

int nested_end(const struct nested *n)
{
	return kill_qemu(n) ? -1 : remove_files(n->dir);
}

int nested_down(const char *name)
{
	struct nested n;

	if (!nested_load(&n, name))
		return fail("there is no nested host %s", name);
	return nested_end(&n);
}
