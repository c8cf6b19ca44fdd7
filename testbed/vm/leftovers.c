// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a run that was killed left behind: recognised by the mark of its owner,
 * a process number with the time that process started at, so that a number
 * that was given out again is not taken for it.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vm/domain.h"

#define ENVIRON_MAX	65536

static ssize_t read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -1;
	while (len < size - 1 && (n = read(fd, buf + len, size - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	buf[len] = 0;
	return n < 0 ? -1 : (ssize_t)len;
}

/* Field 22 of /proc/PID/stat, in clock ticks since boot; 0: no such process. */
static unsigned long long start_ticks(pid_t pid)
{
	char path[32], stat[1024], *p;
	unsigned long long ticks;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (read_file(path, stat, sizeof(stat)) <= 0)
		return 0;
	/* The name, field 2, may hold blanks and brackets. */
	p = strrchr(stat, ')');
	if (!p || sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
			 "%*d %*d %*d %*d %llu", &ticks) != 1)
		return 0;
	/* A zombie is dead already. */
	return p[1] && p[2] == 'Z' ? 0 : ticks;
}

const char *vm_owner_self(void)
{
	static char mark[48];

	snprintf(mark, sizeof(mark), "%d:%llu", getpid(), start_ticks(getpid()));
	return mark;
}

bool vm_owner_dead(const char *owner)
{
	unsigned long long ticks;
	int pid;

	if (sscanf(owner, "%d:%llu", &pid, &ticks) != 2 || pid <= 0)
		return false;
	return start_ticks(pid) != ticks;
}

/* @env: room for ENVIRON_MAX bytes. The mark in it, or NULL. */
static const char *owner_of(pid_t pid, char *env)
{
	char path[32];
	const char *p;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	if (read_file(path, env, ENVIRON_MAX) <= 0 || strncmp(env, "qemu-system", 11))
		return NULL;
	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	n = read_file(path, env, ENVIRON_MAX);
	for (p = env; n > 0 && p < env + n; p += strlen(p) + 1)
		if (!strncmp(p, VM_OWNER_ENV "=", strlen(VM_OWNER_ENV) + 1))
			return p + strlen(VM_OWNER_ENV) + 1;
	return NULL;
}

bool vm_process_owner(pid_t pid, char *owner, size_t size)
{
	char *env = malloc(ENVIRON_MAX);
	const char *mark = env && pid > 0 ? owner_of(pid, env) : NULL;

	if (mark)
		snprintf(owner, size, "%s", mark);
	free(env);
	return mark;
}

static bool is_leftover(pid_t pid, char *env)
{
	const char *mark = owner_of(pid, env);

	return mark && vm_owner_dead(mark);
}

u32 vm_clean_processes(void)
{
	char *env = malloc(ENVIRON_MAX);
	DIR *d = opendir("/proc");
	struct dirent *e;
	u32 n = 0;
	pid_t pid;

	while (d && env && (e = readdir(d))) {
		pid = atoi(e->d_name);
		if (pid > 0 && is_leftover(pid, env) && !kill(pid, SIGKILL))
			n++;
	}
	if (d)
		closedir(d);
	free(env);
	return n;
}

u32 vm_clean_domains(virConnectPtr conn)
{
	virDomainPtr *doms;
	char owner[64];
	int i, count = virConnectListAllDomains(conn, &doms, 0);
	u32 n = 0;

	for (i = 0; i < count; i++) {
		if (vm_metadata(doms[i], "owner", owner, sizeof(owner)) && vm_owner_dead(owner)) {
			vm_destroy(doms[i]);
			/* A transient one is gone by now. */
			virDomainUndefineFlags(doms[i], VIR_DOMAIN_UNDEFINE_NVRAM);
			n++;
		}
		virDomainFree(doms[i]);
	}
	if (count >= 0)
		free(doms);
	return n;
}
