// SPDX-License-Identifier: GPL-2.0-or-later
/* What others see of the device: tracepoints and debugfs. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dev.h"
#include "vhost_test.h"

static bool write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	bool good = f && fputs(text, f) >= 0;

	return f && !fclose(f) && good;
}

static u32 count_lines(const char *path, const char *word)
{
	FILE *f = fopen(path, "r");
	char line[512];
	u32 n = 0;

	while (f && fgets(line, sizeof(line), f))
		n += strstr(line, word) != NULL;
	if (f)
		fclose(f);
	return n;
}

static u32 only_device(void)
{
	struct vhost_pc_device a = { .size_bytes = sizeof(a) };
	int fd = open("/dev/vhost-pc-control", O_RDWR | O_CLOEXEC);

	must(fd, VHOST_PC_NEXT_DEVICE, &a, "the only device");
	close(fd);
	return a.device;
}

/* A line of a file that debugfs has of the only device. */
static bool debugfs_tells(const char *file, const char *line)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/kernel/debug/vhost_pc/%u/%s", only_device(), file);
	return count_lines(path, line) == 1;
}

#define TRACEFS	"/sys/kernel/tracing/"

/* Events of queue 0; there is but one device. */
static u32 events(const char *name)
{
	char word[64];

	snprintf(word, sizeof(word), "vhost_pc_%s: device=%u queue=0 ", name,
		 only_device());
	return count_lines(TRACEFS "trace", word);
}

static bool trace_on(void)
{
	return write_file(TRACEFS "events/vhost_pc/enable", "1") &&
	       write_file(TRACEFS "trace", "");
}

static bool trace_off(void)
{
	return write_file(TRACEFS "events/vhost_pc/enable", "0");
}

static void traced(void)
{
	struct virtio_pc_stats s;
	u32 calls, i;
	struct dev d;

	ok(trace_on(), "tracepoints are there");
	dev_open(&d, FEATURES);
	dev_strategy(&d, 0, VIRTIO_PC_NOTIFY, 0);
	dev_run(&d, 1);
	drive_fwd(&d.q[0], 200, 4);
	dev_wait_items(&d, 0, 200);
	/* As QEMU does it when the guest masks the vector: no new strategy. */
	calls = events("call");
	dev_call(&d, 0);
	for (i = 0; i < PATIENCE_MS && events("call") == calls; i++)
		usleep(1000);
	dev_run(&d, 0);
	s = dev_stats(&d, 0).stats;
	trace_off();
	ok(events("kick") == d.q[0].kicks && events("wake") == s.received &&
	   events("block") == s.blocks && events("double_check") == s.double_checks,
	   "kicks, wakes, blocks and double checks are as counted");
	/* Of two no item tells: at the begin of service, and to the eventfd set anew. */
	ok(events("call") == s.sent + 2 && events("mode") == 1,
	   "calls and modes, too");
	ok(debugfs_tells("q0", "items 200") && debugfs_tells("q0", "strategy notify") &&
	   debugfs_tells("state", "owned 1"),
	   "debugfs tells the same");
	dev_close(&d);
}

static void sleeps_are_traced(void)
{
	struct virtio_pc_stats s;
	struct dev d;

	ok(trace_on(), "tracepoints, for a party that sleeps");
	dev_open(&d, FEATURES);
	dev_strategy(&d, 0, VIRTIO_PC_SLEEP, 0);
	dev_run(&d, 1);
	drive_fwd(&d.q[0], 200, 4);
	dev_wait_items(&d, 0, 200);
	dev_run(&d, 0);
	s = dev_stats(&d, 0).stats;
	trace_off();
	printf("# %u sleeps traced, %llu counted\n", events("sleep"), (unsigned long long)s.sleeps);
	/* The stop may end one before it is over. */
	ok(s.sleeps && events("sleep") - s.sleeps <= 1 && !events("block") && !events("wake"),
	   "sleeps are as counted, and nothing blocks");
	dev_close(&d);
}

/* False: never. */
static bool wait_event(const char *name)
{
	u32 i;

	for (i = 0; i < PATIENCE_MS; i++) {
		if (events(name))
			return true;
		usleep(1000);
	}
	return false;
}

/* An index that jumps by more than the ring has slots, found by a party that is woken. */
static void breaks_are_traced(void)
{
	struct queue *q;
	struct dev d;
	bool found;

	ok(trace_on(), "tracepoints, for a ring that is broken");
	dev_open(&d, FEATURES);
	dev_run(&d, 1);
	found = wait_event("block");
	q = &d.q[0];
	q->drv.avail_idx = (u16)(q->drv.avail_idx + RING + 1);
	rp_drv_publish(&q->drv);
	queue_kick(q);
	found &= wait_event("broken");
	trace_off();
	ok(found && events("broken") == 1 && count_lines(TRACEFS "trace", "why=a bad index, or ") == 1 &&
	   debugfs_tells("q0", "broken a bad index, or "), "so is a ring given up, and why");
	dev_close(&d);
}

/*
 * Adaptive leaves the mode it begins with: under a bound that no sleep keeps and
 * a cap on the CPU's time it may neither sleep nor spin.
 */
static void mode_is_traced(void)
{
	struct vhost_pc_params p;
	struct dev d;
	u32 i;

	ok(trace_on(), "tracepoints, once more");
	dev_open(&d, FEATURES);
	p = dev_params(&d, 0);
	p.strategy = VIRTIO_PC_ADAPTIVE;
	p.dmax_ns = 1;
	p.cpu_cap_percent = 50;
	MUST(&d, VHOST_PC_SET_PARAMS, &p);
	dev_run(&d, 1);
	for (i = 0; i < 200 && !events("mode_change"); i++) {
		drive_fwd(&d.q[0], 200, 4);
		usleep(1000);
	}
	printf("# %u rounds, %u mode changes\n", i, events("mode_change"));
	ok(i < 200, "adaptive's own changes of mode are traced");
	trace_off();
	dev_close(&d);
}

void test_observe(void)
{
	traced();
	sleeps_are_traced();
	breaks_are_traced();
	mode_is_traced();
}
