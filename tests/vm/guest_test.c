// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rp-guest-test: the guest driver's character device, tested inside the guest.
 * Prints TAP. Needs a device 0 whose backend consumes; tests of rev queues
 * depend on what the device has.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "virtio_pc.h"

#define DEVICE		"/dev/virtio-pc0"
#define MODULE		"/lib/modules/virtio_pc.ko"
#define DEBUGFS		"/sys/kernel/debug/virtio_pc/virtio-pc0"
#define MS		1000000ull	/* ns */

static unsigned int count, failed;
static struct virtio_pc_info info;

static void ok(bool good, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void ok(bool good, const char *fmt, ...)
{
	va_list ap;

	failed += !good;
	printf("%sok %u - ", good ? "" : "not ", ++count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

/* @result is a system call's; checks errno, tells what it was. */
static void fails_with(int result, int want, const char *what)
{
	int got = result < 0 ? errno : 0;

	ok(got == want, "%s: %s", what, strerror(want));
	if (got != want)
		printf("# got: %s\n", got ? strerror(got) : "success");
}

static int open_device(void)
{
	return open(DEVICE, O_RDWR | O_CLOEXEC);
}

static struct virtio_pc_run good_run(void)
{
	return (struct virtio_pc_run){
		.size_bytes = sizeof(struct virtio_pc_run),
		.dir = VIRTIO_PC_DIR_FWD,
		.strategy = VIRTIO_PC_SLEEP,
		.duration_ns = 50 * MS,
		.y_ns = 100000,
	};
}

static void test_open(void)
{
	int fd = open_device();

	ok(fd >= 0, "open");
	fails_with(open_device(), EBUSY, "second open");
	close(fd);
	fd = open_device();
	ok(fd >= 0, "open after close");
	close(fd);
}

static void test_ioctls(int fd)
{
	void *nowhere = (void *)8;
	unsigned long other = _IO(VIRTIO_PC_IOC_MAGIC, 99);

	fails_with(ioctl(fd, other), ENOTTY, "unknown ioctl");
	fails_with(ioctl(fd, VIRTIO_PC_IOC_INFO, nowhere), EFAULT, "INFO to nowhere");
	fails_with(ioctl(fd, VIRTIO_PC_IOC_RUN, nowhere), EFAULT, "RUN from nowhere");
	ok(!ioctl(fd, VIRTIO_PC_IOC_INFO, &info), "INFO");
	ok(info.size_bytes == sizeof(info) && info.queue_pairs >= 1 &&
	   info.queue_len >= VIRTIO_PC_QUEUE_MIN &&
	   info.item_bytes <= info.item_max_bytes && info.tsc_hz > 1000000,
	   "INFO makes sense");
}

static void run_is_bad(int fd, struct virtio_pc_run run, const char *what)
{
	fails_with(ioctl(fd, VIRTIO_PC_IOC_RUN, &run), EINVAL, what);
}

#define BAD(field, value)						\
	do {								\
		struct virtio_pc_run bad = good_run();			\
		bad.field = (value);					\
		run_is_bad(fd, bad, #field " = " #value);		\
	} while (0)

static void test_bad_parameters(int fd)
{
	BAD(size_bytes, 0);
	BAD(size_bytes, sizeof(struct virtio_pc_run) + 8);
	BAD(pair, info.queue_pairs);
	BAD(pair, 0xffff);
	BAD(dir, 2);
	BAD(strategy, VIRTIO_PC_STRATEGIES);
	BAD(strategy, VIRTIO_PC_ADAPTIVE);	/* without a D_MAX */
	BAD(dmax_ns, 1000 * MS + 1);
	BAD(cpu_cap_percent, 101);
	BAD(w_dist, VIRTIO_PC_WORKS);
	BAD(strategy, 255);
	BAD(duration_ns, 0);
	BAD(duration_ns, MS - 1);
	BAD(duration_ns, 3600000 * MS + 1);
	BAD(duration_ns, ~0ull);
	BAD(w_ns, 1000 * MS + 1);
	BAD(y_ns, 1000 * MS + 1);
	BAD(k, info.queue_len + 1);
	BAD(burst, info.queue_len + 1);
	BAD(item_bytes, VIRTIO_PC_ITEM_MIN_BYTES - 1);
	BAD(item_bytes, info.item_max_bytes + 1);
	BAD(queue_len, info.queue_len + 1);
	BAD(trace, 2);
}

static void test_run(int fd)
{
	struct virtio_pc_run run = good_run();

	run.duration_ns = 5000 * MS;
	run.max_items = 1000;
	ok(!ioctl(fd, VIRTIO_PC_IOC_RUN, &run), "run of 1000 items");
	ok(run.stats.items == 1000 && !run.stopped, "1000 items, not stopped");
	printf("# items %llu\n", run.stats.items);
	ok(run.stats.clock_error_ns != ~0ull && run.stats.tsc_hz == info.tsc_hz,
	   "clocks were aligned");
	printf("# clock error %llu ns\n", run.stats.clock_error_ns);
}

static void test_rev_feature(int fd)
{
	struct virtio_pc_run run = good_run();

	run.dir = VIRTIO_PC_DIR_REV;
	if (info.has_rev) {
		ok(!ioctl(fd, VIRTIO_PC_IOC_RUN, &run), "rev run");
		ok(!run.stats.lost && !run.stats.reordered, "nothing lost or reordered");
	} else {
		fails_with(ioctl(fd, VIRTIO_PC_IOC_RUN, &run), EOPNOTSUPP,
			   "rev run without the feature");
	}
}

static void on_signal(int sig)
{
	(void)sig;
}

/* One run that a signal ends after @delay_ms. */
static int signalled_run(int fd, struct virtio_pc_run *run, unsigned int delay_ms)
{
	struct itimerval soon = {
		.it_value = { delay_ms / 1000, delay_ms % 1000 * 1000 },
	};

	setitimer(ITIMER_REAL, &soon, NULL);
	return ioctl(fd, VIRTIO_PC_IOC_RUN, run);
}

/* @w_ns: work so long that the signal comes in the middle of one item. */
static void stop_by_signal(int fd, unsigned int strategy, __u64 w_ns, const char *what)
{
	struct virtio_pc_run run;
	unsigned int delay_ms;
	int err;

	/* On a busy host the signal may come before the first item. */
	for (delay_ms = 100; delay_ms < 10000; delay_ms *= 2) {
		run = good_run();
		run.strategy = (__u8)strategy;
		run.duration_ns = 60000 * MS;
		run.w_ns = w_ns;
		run.y_ns = 1000 * MS;
		err = signalled_run(fd, &run, delay_ms);
		if (err || run.stats.items)
			break;
	}
	ok(!err, "%s: a signal ends the run, no error", what);
	ok(run.stopped == 1 && run.stats.duration_ns &&
	   run.stats.duration_ns < 30000 * MS && run.stats.items,
	   "%s: stopped, with statistics", what);
	printf("# %llu items in %llu ms\n", run.stats.items, run.stats.duration_ns / MS);
}

static void test_signal(int fd)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGALRM, &action, NULL);
	stop_by_signal(fd, VIRTIO_PC_NOTIFY, 0, "notify");
	stop_by_signal(fd, VIRTIO_PC_SLEEP, 0, "sleep");
	stop_by_signal(fd, VIRTIO_PC_BUSY, 0, "busy");
	stop_by_signal(fd, VIRTIO_PC_BUSY, 1000 * MS, "long work");
}

struct long_run {
	pthread_t thread;
	int fd;
	int err;
	struct virtio_pc_run run;
};

static void *long_run(void *arg)
{
	struct long_run *l = arg;

	l->run = good_run();
	l->run.duration_ns = 60000 * MS;
	do
		l->err = ioctl(l->fd, VIRTIO_PC_IOC_RUN, &l->run) ? errno : 0;
	while (l->err == EBUSY);
	return NULL;
}

/*
 * Ends a run on another thread. A signal before the ioctl would be lost: it is
 * repeated until the thread is gone.
 */
static void end_thread(pthread_t thread)
{
	struct timespec until;

	do {
		pthread_kill(thread, SIGALRM);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec++;
	} while (pthread_timedjoin_np(thread, NULL, &until) == ETIMEDOUT);
}

static void test_concurrent(int fd)
{
	struct long_run other = { .fd = fd };
	struct virtio_pc_run run;
	int i, err = 0;

	pthread_create(&other.thread, NULL, long_run, &other);
	/* The other thread may not be in yet: then short runs succeed. */
	for (i = 0; i < 1000 && !err; i++) {
		run = good_run();
		run.max_items = 1;
		err = ioctl(fd, VIRTIO_PC_IOC_RUN, &run) ? errno : 0;
		usleep(10000);
	}
	ok(err == EBUSY, "a second run on the pair: %s", strerror(EBUSY));
	end_thread(other.thread);
	ok(!other.err && other.run.stopped,
	   "the first run was not disturbed");
	run = good_run();
	ok(!ioctl(fd, VIRTIO_PC_IOC_RUN, &run), "the pair is free again");
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

/* Devices are suspended and resumed at once, the machine stays on. */
static bool suspend_devices(void)
{
	return write_file("/sys/module/suspend/parameters/pm_test_delay", "0") &&
	       write_file("/sys/power/pm_test", "devices") &&
	       write_file("/sys/power/state", "freeze");
}

static void test_suspend(int fd)
{
	struct long_run other = { .fd = fd };
	struct virtio_pc_run run = good_run();

	pthread_create(&other.thread, NULL, long_run, &other);
	usleep(100000);
	ok(suspend_devices(), "suspend and resume, with a run going on");
	end_thread(other.thread);
	ok(!other.err && other.run.stopped, "the run ended as by a signal");
	run.max_items = 100;
	run.duration_ns = 5000 * MS;
	ok(!ioctl(fd, VIRTIO_PC_IOC_RUN, &run) && run.stats.items == 100,
	   "the device works on");
}

static void test_debugfs(void)
{
	char line[128], event[32];
	unsigned int events = 0, bad = 0;
	unsigned long long tsc, last = 0, arg;
	FILE *f = fopen(DEBUGFS "/q0/trace", "r");

	while (f && fgets(line, sizeof(line), f)) {
		bad += sscanf(line, "%llu %31s %llu", &tsc, event, &arg) != 3 || tsc < last;
		last = tsc;
		events++;
	}
	if (f)
		fclose(f);
	ok(events && !bad, "trace: %u events, in order", events);
	f = fopen(DEBUGFS "/q0/stats", "r");
	ok(f && fgets(line, sizeof(line), f) && !strncmp(line, "duration_ns ", 12), "stats");
	if (f)
		fclose(f);
}

static long unload(void)
{
	return syscall(SYS_delete_module, "virtio_pc", O_NONBLOCK);
}

static long reload(void)
{
	int fd = open(MODULE, O_RDONLY | O_CLOEXEC);
	long err = syscall(SYS_finit_module, fd, "", 0);

	close(fd);
	return err;
}

static void test_unload_open(int fd)
{
	fails_with((int)unload(), EWOULDBLOCK, "unload with the device open");
	ok(!ioctl(fd, VIRTIO_PC_IOC_INFO, &info), "the device still answers");
}

static void test_reload(void)
{
	struct virtio_pc_run run = good_run();
	int fd, i;

	for (i = 0; i < 3; i++) {
		ok(!unload(), "unload");
		fails_with(open_device(), ENOENT, "no device without a driver");
		ok(!reload(), "load again");
	}
	fd = open_device();
	ok(fd >= 0, "the device is back");
	run.max_items = 100;
	run.duration_ns = 5000 * MS;
	ok(!ioctl(fd, VIRTIO_PC_IOC_RUN, &run) && run.stats.items == 100,
	   "and runs");
	close(fd);
}

int main(int argc, char **argv)
{
	int fd;

	if (argc > 1) {
		bool help = !strcmp(argv[1], "--help");

		fputs("Usage: rp-guest-test [--help]\n\nTests " DEVICE
		      " and prints TAP. Example, in the guest: rp-guest-test\n",
		      help ? stdout : stderr);
		return help ? 0 : 2;
	}
	test_open();
	fd = open_device();
	test_ioctls(fd);
	test_bad_parameters(fd);
	test_run(fd);
	test_rev_feature(fd);
	test_signal(fd);
	test_concurrent(fd);
	test_debugfs();
	test_suspend(fd);
	test_unload_open(fd);
	close(fd);
	test_reload();
	printf("1..%u\n", count);
	return failed ? 1 : 0;
}
