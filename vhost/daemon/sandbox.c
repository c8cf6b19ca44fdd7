// SPDX-License-Identifier: GPL-2.0-or-later
/* Which system calls are let through. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/log.h"
#include "sandbox.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED	1
#else
#define SANITIZED	0
#endif

#define CALL(name)	SCMP_SYS(name)

/* Of threads that move packets or items, and so of all. */
static const int thread_calls[] = {
	/* Kicks, calls, taps, the log */
	CALL(read), CALL(write), CALL(writev),
	/* Waiting */
	CALL(futex), CALL(poll), CALL(ppoll), CALL(epoll_wait), CALL(epoll_pwait),
	CALL(epoll_pwait2), CALL(clock_nanosleep), CALL(restart_syscall), CALL(sched_yield),
	/* Flows that come and go, the watchdog */
	CALL(epoll_ctl), CALL(timerfd_settime),
	/* Time, where the vDSO has none: of threads */
	CALL(clock_gettime),
	/* The nudge, the loss of memory; the end of a thread, and that by a signal */
	CALL(rt_sigreturn), CALL(rt_sigprocmask), CALL(rt_sigaction), CALL(getpid), CALL(gettid),
	CALL(tgkill), CALL(exit), CALL(exit_group), CALL(madvise), CALL(munmap), CALL(brk),
};

/* Of the main thread, too. */
static const int main_calls[] = {
	/* Sessions, control clients, the service manager */
	CALL(recvmsg), CALL(recvfrom), CALL(sendmsg), CALL(sendto), CALL(accept4), CALL(bind),
	CALL(listen), CALL(connect), CALL(shutdown), CALL(getsockopt), CALL(setsockopt),
	CALL(getsockname), CALL(getpeername),
	/* Configuration, state, sockets' files */
	CALL(open), CALL(openat), CALL(close), CALL(fstat), CALL(fstatfs), CALL(lstat),
	CALL(newfstatat), CALL(statx), CALL(readlink), CALL(readlinkat), CALL(lseek), CALL(readv),
	CALL(pread64), CALL(fcntl), CALL(rename), CALL(renameat), CALL(unlink), CALL(unlinkat),
	CALL(fsync), CALL(chmod), CALL(fchmodat), CALL(chown), CALL(fchownat), CALL(umask),
	/* Queues and pacers, captures */
	CALL(eventfd2), CALL(epoll_create1), CALL(timerfd_create), CALL(clone), CALL(clone3),
	CALL(set_robust_list), CALL(rseq), CALL(sched_getaffinity), CALL(sched_setaffinity),
	CALL(prctl), CALL(memfd_create), CALL(ftruncate), CALL(mremap), CALL(getrandom),
	CALL(prlimit64), CALL(sigaltstack),
};

static const unsigned long ioctls[] = {
	SIOCOUTQ, TUNSETIFF, TUNSETVNETHDRSZ, TUNSETOFFLOAD,
};

static struct sock_fprog main_prog, thread_prog;
static enum sandbox_mode sandbox;
static bool begun;		/* relaxed */

int sandbox_mode_by_name(const char *name)
{
	static const char *const names[] = {
		[SANDBOX_OFF] = "off", [SANDBOX_ON] = "on", [SANDBOX_LOG] = "log",
	};
	u32 i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(names[i], name))
			return (int)i;
	return -1;
}

/* ---- The lists ---- */

static int allow(scmp_filter_ctx f, const int *calls, size_t n)
{
	int rc = 0;

	for (; n && rc == 0; n--)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, *calls++, 0);
	return rc;
}

/* Memory, but none to run code in. */
static int allow_memory(scmp_filter_ctx f)
{
	const struct scmp_arg_cmp no_code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	int rc = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, CALL(mmap), 1, &no_code);

	return rc ? rc : seccomp_rule_add_array(f, SCMP_ACT_ALLOW, CALL(mprotect), 1, &no_code);
}

/* Sockets of this machine's processes, and what is asked of sockets and taps. */
static int allow_some(scmp_filter_ctx f)
{
	const struct scmp_arg_cmp is_unix = SCMP_A0(SCMP_CMP_EQ, AF_UNIX);
	int rc = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, CALL(socket), 1, &is_unix);
	u32 i;

	for (i = 0; i < sizeof(ioctls) / sizeof(*ioctls) && rc == 0; i++) {
		/* The kernel looks at 32 bits of it. */
		const struct scmp_arg_cmp is = SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, ioctls[i]);

		rc = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, CALL(ioctl), 1, &is);
	}
	return rc;
}

/* The library writes a program to a file only. */
static int export(scmp_filter_ctx f, struct sock_fprog *prog)
{
	int fd = memfd_create("seccomp", MFD_CLOEXEC), rc;
	struct stat st;

	if (fd < 0)
		return -errno;
	rc = seccomp_export_bpf(f, fd);
	if (rc == 0 && fstat(fd, &st) < 0)
		rc = -errno;
	prog->filter = rc == 0 ? malloc((size_t)st.st_size) : NULL;
	if (rc == 0 && (!prog->filter ||
			pread(fd, prog->filter, (size_t)st.st_size, 0) != st.st_size))
		rc = -ENOMEM;
	if (rc == 0)
		prog->len = (unsigned short)((size_t)st.st_size / sizeof(*prog->filter));
	close(fd);
	return rc;
}

static int compile(struct sock_fprog *prog, bool is_main)
{
	scmp_filter_ctx f = seccomp_init(sandbox == SANDBOX_LOG ? SCMP_ACT_LOG : SCMP_ACT_TRAP);
	int rc;

	if (!f)
		return -ENOMEM;
	/* A tree instead of a chain of comparisons. */
	rc = seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (rc == 0)
		rc = allow(f, thread_calls, sizeof(thread_calls) / sizeof(*thread_calls));
	if (rc == 0)
		rc = allow_memory(f);
	if (rc == 0 && is_main)
		rc = allow(f, main_calls, sizeof(main_calls) / sizeof(*main_calls));
	if (rc == 0 && is_main)
		rc = allow_some(f);
	if (rc == 0)
		rc = export(f, prog);
	seccomp_release(f);
	return rc;
}

/* ---- What happens to the others ---- */

/* The call was not made. Dies of the signal, once the handler has returned. */
static void on_forbidden(int sig, siginfo_t *info, void *context)
{
	char line[120];
	int n = snprintf(line, sizeof(line), "ringpaced: error: seccomp: system call %d is not "
			 "let through: ending (see --seccomp)\n", info->si_syscall);

	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		n = 0;
	signal(SIGSYS, SIG_DFL);
	raise(SIGSYS);
}

int sandbox_init(enum sandbox_mode mode, char *why, size_t why_bytes)
{
	struct sigaction sa = { .sa_sigaction = on_forbidden, .sa_flags = SA_SIGINFO };
	int rc;

	sandbox = SANITIZED ? SANDBOX_OFF : mode;
	if (sandbox == SANDBOX_OFF)
		return 0;
	rc = compile(&main_prog, true);
	if (rc == 0)
		rc = compile(&thread_prog, false);
	if (rc == 0 && sigaction(SIGSYS, &sa, NULL) < 0)
		rc = -errno;
	if (rc < 0)
		snprintf(why, why_bytes, "cannot set up seccomp: %s: without it, --seccomp off",
			 strerror(-rc));
	return rc < 0 ? -1 : 0;
}

int sandbox_main(char *why, size_t why_bytes)
{
	if (sandbox == SANDBOX_OFF)
		return 0;
	rp_store(&begun, true);
	if (!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &main_prog))
		return 0;
	snprintf(why, why_bytes, "cannot use seccomp: %s: without it, --seccomp off",
		 strerror(errno));
	return -1;
}

void sandbox_thread(void)
{
	static _Thread_local bool done;

	if (!rp_load(&begun) || done)
		return;
	done = true;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &thread_prog))
		log_error("seccomp: a thread goes on without: %s", strerror(errno));
}
