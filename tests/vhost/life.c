// SPDX-License-Identifier: GPL-2.0-or-later
/* Owners that die, the module's coming and going, and what the kernel said. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dev.h"
#include "vhost_test.h"

#define MODULE	"/lib/modules/vhost_pc.ko"

static u32 count_entries(const char *path)
{
	DIR *dir = opendir(path);
	u32 n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n < 2 ? 0 : n - 2;	/* but for . and .. */
}

/* The kernel's threads that are called vhost-*; the last one's pid. */
static u32 find_threads(pid_t *pid)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	u32 n = 0;

	while (proc && (e = readdir(proc))) {
		char path[300], name[32] = "";
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%s/comm", e->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		if (fgets(name, sizeof(name), f) && !strncmp(name, "vhost-", 6)) {
			*pid = atoi(e->d_name);
			n++;
		}
		fclose(f);
	}
	if (proc)
		closedir(proc);
	return n;
}

static u32 count_threads(void)
{
	pid_t pid;

	return find_threads(&pid);
}

/* One that has stopped stays in /proc for a moment. */
static bool threads_are(u32 n)
{
	u32 i;

	for (i = 0; i < PATIENCE_MS && count_threads() != n; i++)
		usleep(1000);
	return count_threads() == n;
}

static int users(void)
{
	FILE *f = fopen("/sys/module/vhost_pc/refcnt", "r");
	int n = -1;

	if (f && fscanf(f, "%d", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

static bool nothing_left(void)
{
	u32 i;

	for (i = 0; i < PATIENCE_MS; i++) {
		if (!count_threads() && !users() &&
		    !count_entries("/sys/kernel/debug/vhost_pc"))
			return true;
		usleep(1000);
	}
	printf("# %u threads, %d users\n", count_threads(), users());
	return false;
}

static void *send_all(void *arg)
{
	drive_fwd(arg, UINT32_MAX, 8);
	return NULL;
}

/* Both directions under load; tells when they are, and goes on for ever. */
static void owner(int tell, u32 strategy, u32 threads)
{
	struct vhost_pc_start run = { .size_bytes = sizeof(run), .queue = 1 };
	struct received r = { 0 };
	pthread_t thread;
	struct dev d;
	u32 i;

	dev_open(&d, FEATURES);
	MUST(&d, VHOST_PC_SET_THREADS, &threads);
	for (i = 0; i < QUEUES; i++)
		dev_strategy(&d, i, strategy, 0);
	dev_run(&d, 1);
	pthread_create(&thread, NULL, send_all, &d.q[0]);
	queue_post(&d.q[1]);
	MUST(&d, VHOST_PC_START, &run);
	if (!dev_wait_items(&d, 0, 100) || !drive_rev(&d.q[1], 100, &r) ||
	    write(tell, "", 1) < 0)
		_exit(1);
	drive_rev(&d.q[1], UINT32_MAX, &r);
	_exit(1);
}

static bool kill_owner(u32 strategy, u32 threads)
{
	int pipe_fd[2], status;
	pid_t child;
	char c;
	bool good;

	if (pipe(pipe_fd))
		return false;
	child = fork();
	if (!child)
		owner(pipe_fd[1], strategy, threads);
	close(pipe_fd[1]);
	good = read(pipe_fd[0], &c, 1) == 1 && users() == 1 && count_threads();
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	close(pipe_fd[0]);
	return good && WIFSIGNALED(status) && nothing_left();
}

static void dying_owners(void)
{
	u32 s, t;
	bool good = true;

	fflush(stdout);
	for (s = VIRTIO_PC_NOTIFY; s <= VIRTIO_PC_BUSY; s++)
		for (t = VHOST_PC_THREAD_QUEUE; good && t <= VHOST_PC_THREAD_DEVICE; t++)
			good &= kill_owner(s, t);
	ok(good, "an owner that is killed under load leaves nothing behind");
}

/* Threads are where and what one expects. */
static void threads(void)
{
	u32 kind = VHOST_PC_THREAD_PAIR;
	struct dev d;

	dev_open(&d, FEATURES);
	dev_run(&d, 1);
	ok(threads_are(QUEUES), "a thread for each queue");
	dev_run(&d, 0);
	ok(threads_are(0), "none when stopped");
	MUST(&d, VHOST_PC_SET_THREADS, &kind);
	dev_run(&d, 1);
	ok(threads_are(QUEUES / 2), "one for each pair");
	MUST(&d, VHOST_RESET_OWNER, NULL);
	ok(threads_are(0), "a reset ends them");
	dev_close(&d);
	ok(nothing_left(), "a closed device leaves nothing behind");
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

static bool same_file(const char *a, const char *b)
{
	char text[2][256] = { "", "" };
	const char *path[2] = { a, b };
	u32 i;

	for (i = 0; i < 2; i++) {
		FILE *f = fopen(path[i], "r");

		if (!f || !fread(text[i], 1, sizeof(text[i]) - 1, f))
			return false;
		fclose(f);
	}
	return !strcmp(text[0], text[1]);
}

static void *start_device(void *d)
{
	dev_run(d, 1);
	return NULL;
}

/* As a vCPU's thread starts it when the driver is ready. */
static void run_by_another_thread(struct dev *d)
{
	pthread_t other;

	pthread_create(&other, NULL, start_device, d);
	pthread_join(other, NULL);
}

static bool is_called_after_us(pid_t pid)
{
	char path[64], name[64] = "";
	int number = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	f = fopen(path, "r");
	if (f && !fgets(name, sizeof(name), f))
		name[0] = 0;
	if (f)
		fclose(f);
	return sscanf(name, "vhost-%d-", &number) == 1 && number == getpid();
}

/* The owner's end is the device's, and nothing else: not even a stray SIGKILL. */
static bool signals_do_no_harm(struct dev *d, pid_t pid)
{
	static const int all[] = { SIGTERM, SIGINT, SIGSTOP, SIGKILL };
	u32 i, q;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (kill(pid, all[i]))
			return false;
	for (q = 0; q < QUEUES; q += 2)
		if (!drive_fwd(&d->q[q], 200, 4))
			return false;
	return threads_are(QUEUES);
}

/* Threads belong to the owner's cgroup, may be moved and pinned, and freeze. */
static void scheduling(void)
{
	char path[64], text[16];
	cpu_set_t set;
	struct dev d;
	pid_t pid = 0;
	u32 i;

	ok(!mkdir("/tmp/cgroup", 0700) && !mount("none", "/tmp/cgroup", "cgroup2", 0, NULL) &&
	   !mkdir("/tmp/cgroup/vm", 0700) &&
	   write_file("/tmp/cgroup/vm/cgroup.procs", "0"), "a cgroup of our own");
	dev_open(&d, FEATURES);
	for (i = 0; i < QUEUES; i++)
		dev_strategy(&d, i, i % 3, 0);
	run_by_another_thread(&d);
	find_threads(&pid);
	ok(is_called_after_us(pid), "threads are called after the owner, whoever starts them");
	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	ok(pid && same_file(path, "/proc/self/cgroup"), "its threads are in it, too");
	snprintf(text, sizeof(text), "%d", pid);
	ok(!mkdir("/tmp/cgroup/other", 0700) &&
	   write_file("/tmp/cgroup/other/cgroup.procs", text) &&
	   !same_file(path, "/proc/self/cgroup"), "a thread may be moved to another one");
	CPU_ZERO(&set);
	CPU_SET(1, &set);
	ok(!sched_setaffinity(pid, sizeof(set), &set), "a thread may be pinned");
	ok(signals_do_no_harm(&d, pid), "a thread takes no signals, and goes on");
	/* Freezes all, waits, thaws; fails if a freezable thread does not come. */
	ok(write_file("/sys/module/suspend/parameters/pm_test_delay", "1") &&
	   write_file("/sys/power/pm_test", "freezer") &&
	   write_file("/sys/power/state", "freeze"), "the system freezes with them");
	ok(drive_fwd(&d.q[0], 500, 4) && drive_fwd(&d.q[2], 500, 4), "and thaw");
	dev_close(&d);
	ok(nothing_left() && write_file("/tmp/cgroup/cgroup.procs", "0") &&
	   !rmdir("/tmp/cgroup/vm") && !rmdir("/tmp/cgroup/other"), "the cgroup is empty in the end");
}

/* Pages that the kernel holds, in KiB. */
static long kernel_kib(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128];
	long sum = 0, kib;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Slab: %ld", &kib) == 1 ||
		    sscanf(line, "KernelStack: %ld", &kib) == 1 ||
		    sscanf(line, "PageTables: %ld", &kib) == 1 ||
		    sscanf(line, "VmallocUsed: %ld", &kib) == 1)
			sum += kib;
	if (f)
		fclose(f);
	return sum;
}

/* A leak of one structure a device, or of a thread's stack, would show. */
static void memory(void)
{
	const int rounds = 200;
	long before = 0, grown;
	struct dev d;
	int i;

	for (i = -20; i < rounds; i++) {
		if (!i)
			before = kernel_kib();
		dev_open(&d, FEATURES);
		dev_run(&d, 1);
		drive_fwd(&d.q[0], 10, 1);
		dev_close(&d);
	}
	grown = kernel_kib() - before;
	printf("# %ld KiB more after %d devices\n", grown, rounds);
	ok(grown < 10 * rounds, "devices that are gone hold no memory");
}

static int unload(void)
{
	return syscall(SYS_delete_module, "vhost_pc", O_NONBLOCK) ? errno : 0;
}

static int load(const char *params)
{
	int fd = open(MODULE, O_RDONLY | O_CLOEXEC), err;

	err = syscall(SYS_finit_module, fd, params, 0) ? errno : 0;
	close(fd);
	return err;
}

static void module_life(void)
{
	struct dev d;

	dev_open(&d, FEATURES);
	dev_run(&d, 1);
	ok(unload() == EAGAIN, "unloading is refused while a device is open");
	ok(drive_fwd(&d.q[0], 100, 1), "and does it no harm");
	dev_close(&d);
	ok(!unload() && access("/dev/vhost-pc", F_OK), "then the module goes");
	ok(load("pairs=65") == EINVAL, "a bad parameter is refused");
	ok(!load("pairs=2 threads=2"), "and comes back");
	dev_open(&d, FEATURES);
	dev_run(&d, 1);
	ok(threads_are(1) && drive_fwd(&d.q[0], 100, 1),
	   "with one thread for all queues");
	dev_close(&d);
}

/* Whatever is wrong in the kernel, it says so. */
static void complaints(void)
{
	static const char *const words[] = {
		"WARNING:", "BUG:", "Oops", "rcu: INFO", "blocked for more than",
		"Call Trace", "general protection", "vhost_pc: queue",
	};
	int size = klogctl(10, NULL, 0);
	char *text = calloc(1, size + 1);
	bool good = klogctl(3, text, size) > 0;
	u32 i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char *at = strstr(text, words[i]);

		good &= !at;
		if (at)
			printf("# %.200s\n", at);
	}
	ok(good, "the kernel has nothing to complain about");
	free(text);
}

void test_life(void)
{
	threads();
	dying_owners();
	scheduling();
	memory();
	module_life();
	complaints();
}
