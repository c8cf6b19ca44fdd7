// SPDX-License-Identifier: GPL-2.0-or-later
/* Which system calls ringpaced makes. */
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "syscalls.h"

#define CALL(name)	SCMP_SYS(name)

/* Of threads that move packets or items, and so of all. */
static const int thread_calls[] = {
	/* Kicks, calls, taps, the log; DPDK's driver of taps */
	CALL(read), CALL(write), CALL(writev), CALL(readv),
	/* Waiting */
	CALL(futex), CALL(poll), CALL(ppoll), CALL(epoll_wait), CALL(epoll_pwait),
	CALL(epoll_pwait2), CALL(clock_nanosleep), CALL(restart_syscall), CALL(sched_yield),
	CALL(getrusage),
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
	CALL(newfstatat), CALL(statx), CALL(readlink), CALL(readlinkat), CALL(lseek),
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

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))

/* Sockets of this machine's processes. */
static const int families[] = { AF_UNIX };

static const struct sandbox_rules rules = {
	.thread = { thread_calls, COUNT(thread_calls) },
	.main = { main_calls, COUNT(main_calls) },
	.family = families, .families = COUNT(families),
	.ioctl = ioctls, .ioctls = COUNT(ioctls),
};

int sandbox_init(enum sandbox_mode mode, char *why, size_t why_bytes)
{
	return sandbox_begin(mode, &rules, why, why_bytes);
}
