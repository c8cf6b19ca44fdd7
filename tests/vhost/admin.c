// SPDX-License-Identifier: GPL-2.0-or-later
/* The event ring, and the control file: who does not hold the device. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "dev.h"
#include "vhost_test.h"

#define CONTROL	"/dev/vhost-pc-control"
#define ITEMS	200u

static struct vhost_pc_event ring[VHOST_PC_EVENTS_MAX];

static int set_trace(int fd, u32 queue, u32 flags)
{
	struct vhost_pc_trace t = { sizeof(t), queue, flags, 0 };

	return try_ioctl(fd, VHOST_PC_SET_TRACE, &t);
}

/* To ring; how many, or -1. */
static int get_events(int fd, u32 queue, u32 max)
{
	struct vhost_pc_events e = { sizeof(e), queue, max, 0, (uintptr_t)ring };

	return try_ioctl(fd, VHOST_PC_GET_EVENTS, &e) ? -1 : (int)e.count;
}

static u64 count(int n, u32 type)
{
	u64 found = 0;
	int i;

	for (i = 0; i < n; i++)
		found += ring[i].type == type;
	return found;
}

static bool ordered(int n)
{
	int i;

	for (i = 1; i < n; i++)
		if ((s64)(ring[i].tsc - ring[i - 1].tsc) < 0)
			return false;
	return n > 0;
}

/* Are items numbered 0 and up, each once? */
static bool every_item(int n, u32 type)
{
	u32 next = 0;
	int i;

	for (i = 0; i < n; i++)
		if (ring[i].type == type && ring[i].arg != next++)
			return false;
	return next == ITEMS;
}

/* Runs both directions with tracing set to @flags, and stops. */
static void trace_both(struct dev *d, u32 flags)
{
	struct vhost_pc_start run = {
		.size_bytes = sizeof(run), .queue = 1, .max_items = ITEMS,
	};
	struct received r = { 0 };
	u32 q;

	for (q = 0; q < 2; q++) {
		dev_strategy(d, q, VIRTIO_PC_NOTIFY, 0);
		dev_reset(d, q);
		if (set_trace(d->fd, q, flags))
			ok(false, "tracing is set");
	}
	dev_run(d, 1);
	drive_fwd(&d->q[0], ITEMS, 4);
	dev_wait_items(d, 0, ITEMS);
	queue_post(&d->q[1]);
	MUST(d, VHOST_PC_START, &run);
	drive_rev(&d->q[1], ITEMS, &r);
	dev_wait_items(d, 1, ITEMS);
	dev_run(d, 0);
}

static void event_ring(void)
{
	struct virtio_pc_stats s;
	struct dev d;
	int n;

	dev_open(&d, FEATURES);
	trace_both(&d, VHOST_PC_TRACE_ON);
	s = dev_stats(&d, 0).stats;
	n = get_events(d.fd, 0, VHOST_PC_EVENTS_MAX);
	ok(ordered(n) && count(n, VHOST_PC_EV_NOTIFY_START) == s.sent &&
	   count(n, VHOST_PC_EV_NOTIFY_END) == s.sent &&
	   count(n, VHOST_PC_EV_DOUBLE_CHECK) == s.double_checks &&
	   count(n, VHOST_PC_EV_BLOCK) == s.blocks &&
	   count(n, VHOST_PC_EV_ARM) == s.blocks + s.double_checks &&
	   s.blocks + s.double_checks && !count(n, VHOST_PC_EV_CONSUME),
	   "%d events of a consumer are as counted", n);
	n = get_events(d.fd, 0, 3);
	ok(n == 3 && ring[2].tsc > ring[0].tsc, "the newest ones, if few are wanted");
	ok(get_events(d.fd, 2, 10) == 0, "a queue that is not traced has none");
	dev_reset(&d, 0);
	ok(get_events(d.fd, 0, 10) == 0, "a reset clears them");
	dev_close(&d);

	dev_open(&d, FEATURES);
	trace_both(&d, VHOST_PC_TRACE_ON | VHOST_PC_TRACE_ITEMS);
	n = get_events(d.fd, 0, VHOST_PC_EVENTS_MAX);
	ok(ordered(n) && every_item(n, VHOST_PC_EV_CONSUME), "every item that was consumed");
	n = get_events(d.fd, 1, VHOST_PC_EVENTS_MAX);
	ok(every_item(n, VHOST_PC_EV_PUBLISH), "every item that was produced");
	ok(set_trace(d.fd, 0, 4) == EINVAL && set_trace(d.fd, 99, 1) == EINVAL,
	   "unknown flags and queues are refused");
	ok(!set_trace(d.fd, 1, 0) && get_events(d.fd, 1, 10) == 0, "off drops them");
	dev_close(&d);
}

static int open_control(void)
{
	int fd = open(CONTROL, O_RDWR | O_CLOEXEC);

	ok(fd >= 0, CONTROL " opens");
	return fd;
}

static struct vhost_pc_device next_device(int fd, u32 from)
{
	struct vhost_pc_device a = { .size_bytes = sizeof(a), .device = from };

	if (try_ioctl(fd, VHOST_PC_NEXT_DEVICE, &a))
		a.size_bytes = 0;
	return a;
}

static bool steers(int fd, struct dev *d)
{
	struct vhost_pc_params p = { .size_bytes = sizeof(p), .queue = 0 };
	struct vhost_pc_stats s = { .size_bytes = sizeof(s), .queue = 0 };
	struct vhost_pc_queue q = { .size_bytes = sizeof(q), .queue = 0 };

	if (try_ioctl(fd, VHOST_PC_GET_PARAMS, &p))
		return false;
	p.strategy = VIRTIO_PC_SLEEP;
	p.queue_len = RING / 2;
	if (try_ioctl(fd, VHOST_PC_SET_PARAMS, &p) ||
	    dev_params(d, 0).strategy != VIRTIO_PC_SLEEP ||
	    try_ioctl(fd, VHOST_PC_GET_STATS, &s) || s.stats.items != ITEMS ||
	    try_ioctl(fd, VHOST_PC_GET_QUEUE, &q))
		return false;
	return q.flags == VHOST_PC_STATS_READY && q.ring_len == RING &&
	       q.queue_len == RING / 2 && q.k == 1 && q.tid > 0 && !q.broken[0];
}

static void control_file(void)
{
	int fd = open_control(), run = 0;
	struct vhost_pc_device first, second;
	struct vhost_pc_info info;
	struct dev d, other;

	ok(!next_device(fd, 0).size_bytes && errno == ENOENT, "no devices to list");
	ok(try_ioctl(fd, VHOST_PC_GET_INFO, &info) == ENODEV, "none is selected");
	dev_open(&d, FEATURES);
	dev_open(&other, FEATURES);
	dev_run(&d, 1);
	first = next_device(fd, 0);
	second = next_device(fd, first.device + 1);
	ok(first.owner_pid == getpid() && first.running && !second.running &&
	   second.size_bytes && !next_device(fd, second.device + 1).size_bytes,
	   "two devices are listed");
	ok(!try_ioctl(fd, VHOST_PC_SELECT, &first.device), "one is selected");
	drive_fwd(&d.q[0], ITEMS, 4);
	dev_wait_items(&d, 0, ITEMS);
	ok(steers(fd, &d), "and told what to do");
	ok(try_ioctl(fd, VHOST_PC_SET_RUNNING, &run) == ENOTTY &&
	   try_ioctl(fd, VHOST_SET_OWNER, NULL) == ENOTTY, "but not stopped or taken over");
	dev_close(&d);
	ok(try_ioctl(fd, VHOST_PC_GET_INFO, &info) == ENODEV &&
	   try_ioctl(fd, VHOST_PC_SELECT, &first.device) == ENODEV,
	   "it ends with its own file");
	dev_open(&d, FEATURES);
	ok(next_device(fd, second.device + 1).device != first.device,
	   "its number is not given away at once");
	dev_close(&d);
	dev_close(&other);
	close(fd);
}

/* Until the strategy says what is wanted, and then what that is. */
static struct virtio_pc_pacing wait_pacing(struct dev *d, bool known)
{
	struct virtio_pc_pacing p = { 0 };
	u32 i;

	for (i = 0; i < PATIENCE_MS; i++) {
		p = dev_stats(d, 0).pacing;
		if (known ? p.w_peer_ns : !p.known)
			break;
		usleep(1000);
	}
	return p;
}

static void adaptive(struct dev *d)
{
	struct vhost_pc_params p = dev_params(d, 0);

	p.strategy = VIRTIO_PC_ADAPTIVE;
	p.dmax_ns = 100000000;
	MUST(d, VHOST_PC_SET_PARAMS, &p);
}

/* Items until there is something learned. 0: there never was. */
static u32 learn(struct dev *d, struct vhost_pc_learned *l)
{
	u32 i;

	l->bytes = 0;
	for (i = 0; i < 200 && !l->bytes; i++) {
		drive_fwd(&d->q[0], ITEMS, 4);
		MUST(d, VHOST_PC_GET_LEARNED, l);
	}
	return l->bytes;
}

static void learned(void)
{
	struct vhost_pc_learned l = { .size_bytes = sizeof(l), .queue = 0 }, bad;
	struct virtio_pc_pacing p;
	struct dev d;

	dev_open(&d, FEATURES);
	adaptive(&d);
	dev_run(&d, 1);
	ok(learn(&d, &l) && l.strategy == VIRTIO_PC_ADAPTIVE, "a strategy learns");
	p = dev_stats(&d, 0).pacing;
	ok(p.conf_w_own > 0 && p.conf_w_own <= 100 && p.batch_milli >= 1000,
	   "and says how far to trust it, and what comes");
	bad = l;
	bad.bytes = sizeof(bad.data) + 1;
	ok(try_ioctl(d.fd, VHOST_PC_SET_LEARNED, &bad) == EINVAL &&
	   try_ioctl(d.fd, VHOST_PC_SET_LEARNED, &l) == EBUSY, "and is not told while it runs");
	dev_strategy(&d, 0, VIRTIO_PC_NOTIFY, 1);
	ok(!wait_pacing(&d, false).known, "another one says nothing of it");
	dev_reset(&d, 0);
	adaptive(&d);
	ok(wait_pacing(&d, true).w_peer_ns && !dev_stats(&d, 0).stats.items,
	   "its successor knows before the first item");
	dev_close(&d);
	dev_open(&d, FEATURES);
	MUST(&d, VHOST_PC_SET_LEARNED, &l);
	adaptive(&d);
	dev_run(&d, 1);
	ok(wait_pacing(&d, true).w_peer_ns && !dev_stats(&d, 0).stats.items,
	   "and so does one on another device that is told");
	dev_close(&d);
}

/* Orders to whatever device there is, while devices come and go. */
static void *order_all(void *arg)
{
	bool *stop = arg;
	int fd = open(CONTROL, O_RDWR | O_CLOEXEC);
	u32 n = 0;

	while (!rp_load_acquire(stop)) {
		struct vhost_pc_device a = next_device(fd, 0);

		if (!a.size_bytes || try_ioctl(fd, VHOST_PC_SELECT, &a.device))
			continue;
		set_trace(fd, 0, n++ % 3 ? VHOST_PC_TRACE_ON | VHOST_PC_TRACE_ITEMS : 0);
		get_events(fd, 0, VHOST_PC_EVENTS_MAX);
	}
	close(fd);
	return NULL;
}

static void come_and_go(void)
{
	bool stop = false, good = true;
	pthread_t thread;
	struct dev d;
	u32 i;

	if (pthread_create(&thread, NULL, order_all, &stop)) {
		ok(false, "a thread");
		return;
	}
	for (i = 0; i < 20; i++) {
		dev_open(&d, FEATURES);
		dev_run(&d, 1);
		good &= drive_fwd(&d.q[0], ITEMS, 4);
		dev_close(&d);
	}
	rp_store_release(&stop, true);
	pthread_join(thread, NULL);
	ok(good, "orders to devices that come and go");
}

void test_admin(void)
{
	event_ring();
	control_file();
	learned();
	come_and_go();
}
