// SPDX-License-Identifier: GPL-2.0-or-later
#include "vhost.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "native.h"
#include "sysfs.h"

#define PF_KTHREAD	0x00200000u	/* of the flags in stat; not in the kernel's API */

pid_t vhost_process(const char *dir, const char *domain)
{
	char file[192], text[SYSFS_TEXT];
	long pid;

	snprintf(file, sizeof(file), "%s.pid", domain);
	if (strchr(domain, '/') || sysfs_read(dir, file, text))
		return 0;
	pid = strtol(text, NULL, 10);
	return pid > 1 && pid < INT32_MAX ? (pid_t)pid : 0;
}

/* Anybody may name a thread so: of those that are not the process's own only the kernel's are taken. */
static bool is_vhost(const char *stat, pid_t process, bool own)
{
	const char *name = strchr(stat, '('), *behind = strrchr(stat, ')');
	unsigned int flags;
	char want[32];

	snprintf(want, sizeof(want), "(vhost-%d)", process);
	if (!name || !behind || (size_t)(behind + 1 - name) != strlen(want) ||
	    strncmp(name, want, strlen(want)))
		return false;
	return own || (sscanf(behind + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) == 1 &&
		       flags & PF_KTHREAD);
}

/* Those in a directory of /proc. */
static int confine_in(struct undo *undo, const char *owner, const char *path, pid_t process,
		      bool own, const cpu_set_t *cpus)
{
	char file[64], stat[SYSFS_TEXT];
	DIR *dir = opendir(path);
	struct dirent *e;
	int rc = 0;

	while (dir && !rc && (e = readdir(dir))) {
		pid_t tid = atoi(e->d_name);

		snprintf(file, sizeof(file), "%d/stat", tid);
		if (tid <= 0 || sysfs_read(path, file, stat) || !is_vhost(stat, process, own))
			continue;
		rc = native_confine_thread(undo, owner, tid, cpus);
		rc = rc == -ESRCH ? 0 : rc;
	}
	if (dir)
		closedir(dir);
	return rc;
}

int vhost_confine(struct undo *undo, const char *owner, pid_t process, const cpu_set_t *cpus)
{
	char path[64];
	int rc;

	snprintf(path, sizeof(path), "/proc/%d/task", process);
	rc = confine_in(undo, owner, path, process, true, cpus);
	return rc ? rc : confine_in(undo, owner, "/proc", process, false, cpus);
}
