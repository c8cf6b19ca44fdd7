// SPDX-License-Identifier: GPL-2.0-or-later
/* Which system calls may be made, ringpaced's lists first: in children, which die of others. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../vhost/daemon/syscalls.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED	1
#else
#define SANITIZED	0
#endif

enum who { MAIN, THREAD };

static char said[512];

/* The child's, under the filter. */
static int in_sandbox(enum who who, enum sandbox_mode mode, int (*what)(void))
{
	char why[256];

	if (prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) ||
	    sandbox_init(mode, why, sizeof(why)) < 0)
		return 100;
	/* What a thread has that was started by a main thread. */
	if (sandbox_main(why, sizeof(why)) < 0)
		return 101;
	if (who == THREAD)
		sandbox_thread();
	return what();
}

/* How it ended; what it wrote to stderr is in @said. */
static int status_of(enum who who, enum sandbox_mode mode, int (*what)(void))
{
	int err[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(err), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		dup2(err[1], STDERR_FILENO);
		_exit(in_sandbox(who, mode, what));
	}
	close(err[1]);
	n = read(err[0], said, sizeof(said) - 1);
	said[n > 0 ? n : 0] = '\0';
	close(err[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void allowed(enum who who, int (*what)(void))
{
	int status = status_of(who, SANDBOX_ON, what);

	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail_msg("status %#x, \"%s\"", status, said);
}

static void forbidden(enum who who, int (*what)(void), int call)
{
	int status = status_of(who, SANDBOX_ON, what);
	char line[80];

	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
		fail_msg("status %#x, \"%s\"", status, said);
	snprintf(line, sizeof(line), "seccomp: system call %d is not let through", call);
	if (!strstr(said, line))
		fail_msg("\"%s\" instead of \"%s\"", said, line);
}

static int run_program(void)
{
	execl("/bin/true", "true", NULL);
	return 1;
}

static int inet_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) < 0;
}

static int unix_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) < 0;
}

static int open_file(void)
{
	return open("/dev/null", O_RDWR) < 0;
}

static int map_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
		MAP_FAILED;
}

static int map_data(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
		MAP_FAILED;
}

static int become_another(void)
{
	return setuid(0);
}

static int write_something(void)
{
	return write(STDERR_FILENO, "x", 1) != 1;
}

static void test_main(void **state)
{
	allowed(MAIN, write_something);
	allowed(MAIN, open_file);
	allowed(MAIN, unix_socket);
	allowed(MAIN, map_data);
	forbidden(MAIN, run_program, SYS_execve);
	forbidden(MAIN, inet_socket, SYS_socket);
	forbidden(MAIN, map_code, SYS_mmap);
	forbidden(MAIN, become_another, SYS_setuid);
}

static void test_thread(void **state)
{
	allowed(THREAD, write_something);
	allowed(THREAD, map_data);
	forbidden(THREAD, run_program, SYS_execve);
	forbidden(THREAD, unix_socket, SYS_socket);
	forbidden(THREAD, open_file, SYS_openat);
	forbidden(THREAD, map_code, SYS_mmap);
}

/* Off, and in a build with a sanitizer. */
static void test_off(void **state)
{
	int status = status_of(MAIN, SANITIZED ? SANDBOX_ON : SANDBOX_OFF, inet_socket);

	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
}

static void test_log(void **state)
{
	int status = status_of(THREAD, SANDBOX_LOG, inet_socket);

	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
}

/* Of a program that would rather go without. */
static int refused_program(void)
{
	static const int calls[] = { SYS_write, SYS_exit_group };
	static const int families[] = { AF_UNIX };
	static const struct sandbox_rules rules = {
		.main = { calls, 2 }, .family = families, .families = 1, .refuse = true,
	};
	char why[256];

	if (sandbox_begin(SANDBOX_ON, &rules, why, sizeof(why)) < 0 ||
	    sandbox_main(why, sizeof(why)) < 0)
		return 1;
	if (socket(AF_UNIX, SOCK_STREAM, 0) < 0)
		return 2;
	if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM)
		return 3;
	return getppid() != -1 || errno != EPERM ? 4 : 0;
}

static void test_refuse(void **state)
{
	int status = status_of(MAIN, SANDBOX_OFF, refused_program);

	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail_msg("status %#x, \"%s\"", status, said);
}

static void test_names(void **state)
{
	assert_int_equal(sandbox_mode_by_name("on"), SANDBOX_ON);
	assert_int_equal(sandbox_mode_by_name("off"), SANDBOX_OFF);
	assert_int_equal(sandbox_mode_by_name("log"), SANDBOX_LOG);
	assert_int_equal(sandbox_mode_by_name(""), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_main),
		cmocka_unit_test(test_thread),
		cmocka_unit_test(test_refuse),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_names),
	};

	/*
	 * A sanitizer's own calls are not let through: the first three are left out then, and not
	 * skipped, which cmocka's TAP tells as a failure.
	 */
	const size_t first = SANITIZED ? 3 : 0;

	return _cmocka_run_group_tests("tests", tests + first,
				       sizeof(tests) / sizeof(*tests) - first, NULL, NULL);
}
