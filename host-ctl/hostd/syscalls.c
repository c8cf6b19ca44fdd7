// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which system calls the controller makes, libvirt's library included. One list for all of
 * its threads, which are started after it has come into force: they wait for others, and
 * none is fast. What is not in it fails: libraries try what they can do without.
 */
#include "syscalls.h"

#include <linux/sockios.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define CALL(name)	SCMP_SYS(name)

static const int calls[] = {
	/* The loop, threads, time */
	CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_wait), CALL(epoll_pwait), CALL(poll),
	CALL(ppoll), CALL(select), CALL(pselect6), CALL(futex), CALL(timerfd_create),
	CALL(timerfd_settime), CALL(signalfd4), CALL(eventfd2), CALL(pipe2), CALL(clone),
	CALL(clone3), CALL(set_robust_list), CALL(rseq), CALL(exit), CALL(exit_group),
	CALL(clock_gettime), CALL(clock_getres), CALL(clock_nanosleep), CALL(nanosleep), CALL(restart_syscall),
	CALL(gettimeofday), CALL(sched_yield), CALL(rt_sigreturn), CALL(rt_sigprocmask),
	CALL(rt_sigaction), CALL(rt_sigtimedwait), CALL(sigaltstack), CALL(prctl),
	CALL(set_tid_address), CALL(tgkill), CALL(wait4),
	/* Memory */
	CALL(brk), CALL(munmap), CALL(mremap), CALL(madvise), CALL(getrandom),
	/* Files: configuration, state, sysfs, /proc */
	CALL(open), CALL(openat), CALL(close), CALL(read), CALL(write), CALL(readv), CALL(writev),
	CALL(pread64), CALL(pwrite64), CALL(lseek), CALL(fstat), CALL(stat), CALL(lstat),
	CALL(newfstatat), CALL(statx), CALL(fstatfs), CALL(statfs), CALL(access), CALL(faccessat),
	CALL(faccessat2), CALL(readlink), CALL(readlinkat), CALL(getdents64), CALL(fcntl),
	CALL(flock), CALL(ftruncate), CALL(fsync), CALL(rename), CALL(renameat), CALL(renameat2),
	CALL(unlink), CALL(unlinkat), CALL(mkdir), CALL(mkdirat), CALL(chmod), CALL(fchmodat),
	CALL(fchmod), CALL(umask), CALL(dup), CALL(dup2), CALL(dup3), CALL(getcwd),
	/* Sockets: control, metrics, ringpaced, dataplanes, libvirtd, netlink */
	CALL(bind), CALL(listen), CALL(accept4), CALL(connect), CALL(shutdown), CALL(sendto),
	CALL(sendmsg), CALL(sendmmsg), CALL(recvfrom), CALL(recvmsg), CALL(getsockopt),
	CALL(setsockopt), CALL(getsockname), CALL(getpeername), CALL(socketpair),
	/* Who it is, and the host */
	CALL(getpid), CALL(gettid), CALL(getppid), CALL(getuid), CALL(geteuid), CALL(getgid),
	CALL(getegid), CALL(getgroups), CALL(uname), CALL(sysinfo), CALL(getrusage),
	CALL(prlimit64), CALL(times),
	/* What it is for */
	CALL(sched_getaffinity), CALL(sched_setaffinity), CALL(kill),
};

static const int families[] = { AF_UNIX, AF_NETLINK, AF_INET, AF_INET6 };
static const unsigned long ioctls[] = { SIOCGIFINDEX, FIONBIO };

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))

static const struct sandbox_rules rules = {
	.main = { calls, COUNT(calls) }, .family = families, .families = COUNT(families),
	.ioctl = ioctls, .ioctls = COUNT(ioctls), .refuse = true,
};

int hostd_sandbox(enum sandbox_mode mode, char *why, size_t why_bytes)
{
	return sandbox_begin(mode, &rules, why, why_bytes) < 0 ? -1 :
	       sandbox_main(why, why_bytes);
}
