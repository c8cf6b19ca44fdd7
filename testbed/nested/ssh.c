// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands in L1, by the system's ssh. The key exchange of an emulated CPU takes
 * a second, so there is one connection (ssh's "master") that commands share.
 */
#include "nested/ssh.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "nested/state.h"

#define ARGS_MAX	40
#define GRACE_S		30	/* L1 ends a command itself; this is for a dead L1 */
#define END_S		10	/* for the request to end one */

struct ssh_args {
	char *argv[ARGS_MAX];
	u32 n;
	char port[12], key[256], hosts[256], control[256];
};

static void add(struct ssh_args *a, const char *arg)
{
	a->argv[a->n++] = (char *)arg;
	a->argv[a->n] = NULL;
}

/* The user's own configuration has no say. */
static void ssh_args(struct ssh_args *a, const struct nested *n)
{
	static const char *const fixed[] = {
		"ssh", "-F", "none", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
		"-o", "StrictHostKeyChecking=yes", "-o", "HostKeyAlias=ringpace-nested",
		"-o", "GlobalKnownHostsFile=none", "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=20",
		"-l", "root",
	};
	u32 i;

	memset(a, 0, sizeof(*a));
	for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		add(a, fixed[i]);
	snprintf(a->port, sizeof(a->port), "%u", n->port);
	snprintf(a->key, sizeof(a->key), "IdentityFile=\"%s\"", nested_path(n, "key"));
	snprintf(a->hosts, sizeof(a->hosts), "UserKnownHostsFile=\"%s\"",
		 nested_path(n, "known_hosts"));
	snprintf(a->control, sizeof(a->control), "ControlPath=\"%s\"", nested_path(n, "ssh"));
	add(a, "-p");
	add(a, a->port);
	add(a, "-o");
	add(a, a->key);
	add(a, "-o");
	add(a, a->hosts);
	add(a, "-o");
	add(a, a->control);
}

bool ssh_open(const struct nested *n)
{
	struct ssh_args a;

	ssh_args(&a, n);
	/* Into the background when the connection stands. */
	add(&a, "-MNf");
	add(&a, "127.0.0.1");
	return !child_run(a.argv, nested_path(n, "ssh.log"));
}

/* ---- Commands ---- */

/* 'it'\''s': the one way to quote that has no exceptions. */
static char *quote_word(char *p, const char *word)
{
	*p++ = '\'';
	for (; *word; word++) {
		if (*word == '\'')
			p = stpcpy(p, "'\\'");
		*p++ = *word;
	}
	*p++ = '\'';
	*p = 0;
	return p;
}

char *nested_quote(char *const argv[])
{
	size_t size = 1;
	char *line, *p;
	u32 i;

	for (i = 0; argv[i]; i++)
		size += 4 * strlen(argv[i]) + 3;
	line = p = malloc(size);
	for (i = 0; line && argv[i]; i++) {
		if (i)
			*p++ = ' ';
		p = quote_word(p, argv[i]);
	}
	if (line)
		*p = 0;
	return line;
}

/*
 * sshd makes every command's shell the leader of a process group; its number is
 * kept, so that the group can be ended when the user asks for it.
 */
static char *remote_line(const char *command, u32 timeout_s)
{
	char *quoted = nested_quote((char *[]) { (char *)command, NULL }), *line = NULL;
	char limit[64] = "";

	if (timeout_s)
		snprintf(limit, sizeof(limit), "timeout --kill-after=5 %u ", timeout_s);
	if (!quoted || asprintf(&line, "echo $$ > /run/ringpace-exec.%d; exec %ssh -c %s",
				getpid(), limit, quoted) < 0)
		line = NULL;
	free(quoted);
	return line;
}

/* As child_start(), but with our descriptors, in our process group: a terminal is ours. */
static pid_t spawn(char *const argv[])
{
	pid_t parent = getpid(), pid = fork();

	if (pid)
		return pid > 0 ? pid : fail("cannot run %s: fork: %m", argv[0]);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	signal(SIGPIPE, SIG_DFL);
	execvp(argv[0], argv);
	fail("cannot run %s: %m; it is in Debian's openssh-client", argv[0]);
	_exit(NESTED_EXIT_OURS);
}

/* Its wait status, or -1 when it took too long, or until stopped() if that counts. */
static int wait_for(pid_t pid, u64 end, bool stoppable)
{
	struct timespec ts = { 0, 5000000 };
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (now_ns() < end && !(stoppable && stopped())) {
			clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
			continue;
		}
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		return -1;
	}
	return status;
}

static void end_remote(const struct nested *n)
{
	struct ssh_args a;
	char line[96];
	pid_t pid;

	ssh_args(&a, n);
	snprintf(line, sizeof(line), "kill -- -$(cat /run/ringpace-exec.%d)", getpid());
	add(&a, "127.0.0.1");
	add(&a, line);
	pid = spawn(a.argv);
	if (pid > 0)
		wait_for(pid, now_ns() + END_S * NSEC_PER_SEC, false);
}

int nested_exec(const struct nested *n, const char *command, u32 timeout_s)
{
	char *line = remote_line(command, timeout_s);
	struct nested now;
	struct ssh_args a;
	int status;
	pid_t pid;
	u64 end;

	if (!line)
		return NESTED_EXIT_OURS;
	ssh_args(&a, n);
	add(&a, "127.0.0.1");
	add(&a, line);
	pid = spawn(a.argv);
	end = timeout_s ? now_ns() + (timeout_s + GRACE_S) * NSEC_PER_SEC : ~0ULL;
	status = pid > 0 ? wait_for(pid, end, true) : -1;
	free(line);
	if (stopped()) {
		end_remote(n);
		return EXIT_STOPPED;
	}
	if (status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) != 255)
		return WEXITSTATUS(status);
	/* 255 is ssh's own, or the command's. */
	if (!nested_load(&now, n->name) || now.pid != n->pid)
		fail("the nested host %s died while the command ran; its log was %s", n->name,
		     nested_path(n, "serial.log"));
	else if (status >= 0 && WIFEXITED(status))
		return 255;
	else
		fail("the nested host %s did not end the command after %u s", n->name, timeout_s);
	return NESTED_EXIT_OURS;
}

int nested_shell(const struct nested *n)
{
	struct ssh_args a;

	ssh_args(&a, n);
	add(&a, "-t");
	add(&a, "127.0.0.1");
	execvp(a.argv[0], a.argv);
	return fail("cannot run ssh: %m; it is in Debian's openssh-client");
}
