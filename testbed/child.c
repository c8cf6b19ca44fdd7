// SPDX-License-Identifier: GPL-2.0-or-later
/* Child processes: started with a log, stopped at our exit at the latest. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util.h"

#define CHILDREN_MAX	16
#define STOP_NS		(2 * NSEC_PER_SEC)

static pid_t children[CHILDREN_MAX];
static pid_t children_owner;

static pid_t *slot_of(pid_t pid)
{
	u32 i;

	for (i = 0; i < CHILDREN_MAX; i++)
		if (children[i] == pid)
			return &children[i];
	return NULL;
}

static void at_exit(void)
{
	u32 i;

	if (getpid() != children_owner)
		return;
	for (i = 0; i < CHILDREN_MAX; i++)
		if (children[i])
			child_stop(children[i]);
}

/* In the child: only async-signal-safe calls until exec. */
static void become(char *const argv[], const int fds[3], pid_t parent)
{
	int i;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)	/* it died before the line above */
		_exit(1);
	/* Of its own group: Ctrl-C reaches us, and we stop it in order. */
	setpgid(0, 0);
	for (i = 0; i < 3; i++)
		dup2(fds[i], i);
	execvp(argv[0], argv);
	dprintf(2, "cannot run %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

/* With @fds as its stdin, stdout and stderr. */
static pid_t start(char *const argv[], const int fds[3])
{
	pid_t *slot = slot_of(0), parent = getpid(), pid;

	if (!slot)
		return fail("cannot run %s: too many child processes", argv[0]);
	if (!children_owner) {
		children_owner = parent;
		atexit(at_exit);
	}
	pid = fork();
	if (!pid)
		become(argv, fds, parent);
	if (pid < 0)
		return fail("cannot run %s: fork: %m", argv[0]);
	*slot = pid;
	return pid;
}

pid_t child_start(char *const argv[], const char *log)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), fd = -1;
	pid_t pid;

	if (log)
		fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (null < 0 || (log && fd < 0))
		pid = fail("cannot open %s: %m", null < 0 ? "/dev/null" : log);
	else
		pid = start(argv, (const int[]){ null, log ? fd : 1, log ? fd : 2 });
	if (null >= 0)
		close(null);
	if (fd >= 0)
		close(fd);
	return pid;
}

pid_t child_start_on(char *const argv[], int fd)
{
	return start(argv, (const int[]){ fd, fd, 2 });
}

bool child_alive(pid_t pid)
{
	pid_t *slot = pid > 0 ? slot_of(pid) : NULL;

	if (!slot)
		return false;
	if (waitpid(pid, NULL, WNOHANG) == 0)
		return true;
	*slot = 0;
	return false;
}

/* @steady: not even when stopped(). */
static int run(char *const argv[], const char *log, bool steady)
{
	struct timespec ts = { 0, 2000000 };
	pid_t pid = child_start(argv, log);
	int status;

	if (pid < 0)
		return -1;
	while (!waitpid(pid, &status, WNOHANG)) {
		clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
		if (steady || !stopped())
			continue;
		child_stop(pid);
		return -1;
	}
	*slot_of(pid) = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int child_run(char *const argv[], const char *log)
{
	return run(argv, log, false);
}

int child_run_steady(char *const argv[], const char *log)
{
	return run(argv, log, true);
}

void child_stop(pid_t pid)
{
	struct timespec ts = { 0, 2000000 };
	u64 end = now_ns() + STOP_NS;

	if (!child_alive(pid))
		return;
	kill(pid, SIGTERM);
	/* One that was stopped hears it only then. */
	kill(pid, SIGCONT);
	while (child_alive(pid)) {
		if (now_ns() > end) {
			kill(pid, SIGKILL);
			end = ~0ULL;
		}
		clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
	}
}

const char *log_tail(const char *log)
{
	static char last[256];
	char line[256];
	FILE *f = log ? fopen(log, "re") : NULL;

	last[0] = 0;
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (line[0])
			strcpy(last, line);
	}
	if (f)
		fclose(f);
	return last;
}

const char *own_dir(void)
{
	static char dir[400];
	ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	char *slash;

	dir[n > 0 ? n : 0] = 0;
	slash = strrchr(dir, '/');
	if (slash)
		*slash = 0;
	return dir;
}

const char *own_program(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", own_dir(), name);
	if (!access(path, X_OK))
		return path;
	fail("%s is not there (%m); build it with `make all`", path);
	return NULL;
}
