// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rp-agent: commands that open the device: info, run, stop.
 *
 * A device can be open once, so the runs on it share a file, which the first
 * opens and the last closes. A run is stopped by a signal to its thread, whose
 * handler does nothing: the ioctl returns. A signal that comes just before the
 * ioctl would be lost, so stop repeats it until the run has ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "pacing/status_json.h"
#include "virtio_pc.h"

#define STOP_SIGNAL	SIGUSR1
#define RUNS_MAX	256

struct run {
	bool used;
	pthread_t thread;
	struct request request;
	unsigned int device;
	struct virtio_pc_run arg;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;	/* the three below */
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
static struct run runs[RUNS_MAX];
static struct {
	int fd;
	unsigned int users;
} devices[AGENT_DEVICES_MAX];

static void on_stop(int sig)
{
	(void)sig;
}

/* Under the lock. The device's file, or -errno. */
static int device_get(unsigned int device)
{
	char path[32];
	int fd;

	if (!devices[device].users) {
		snprintf(path, sizeof(path), "/dev/virtio-pc%u", device);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		devices[device].fd = fd;
	}
	devices[device].users++;
	return devices[device].fd;
}

static void device_put(unsigned int device)
{
	if (!--devices[device].users)
		close(devices[device].fd);
}

static void reply_errno(const struct request *r, unsigned int device, int err)
{
	const char *code = err == ENODEV || err == ENOENT || err == ENXIO ? "no-device" :
			   err == EBUSY ? "busy" :
			   err == EINVAL ? "bad-value" : "failed";
	const char *why = err == EINVAL ? ": a value is out of the device's range (see info)" :
			  err == EOPNOTSUPP ? ": the device has no rev queues" :
			  err == EIO ? ": the device broke a ring" : "";

	reply_error(r, code, "%s: device %u: %s%s", r->cmd, device, strerror(err), why);
}

static bool arg_device(const struct request *r, unsigned int *device)
{
	uint64_t n = 0;

	if (!arg_u64(r, "device", AGENT_DEVICES_MAX - 1, &n))
		return false;
	*device = (unsigned int)n;
	return true;
}

void cmd_info(const struct request *r)
{
	struct virtio_pc_info info;
	unsigned int device;
	int fd, err = 0;

	if (!arg_device(r, &device))
		return;
	pthread_mutex_lock(&lock);
	fd = device_get(device);
	if (fd < 0)
		err = -fd;
	else {
		if (ioctl(fd, VIRTIO_PC_IOC_INFO, &info))
			err = errno;
		device_put(device);
	}
	pthread_mutex_unlock(&lock);
	if (err) {
		reply_errno(r, device, err);
		return;
	}
	reply_ok(r, json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}",
			      "size_bytes", (json_int_t)info.size_bytes,
			      "queue_pairs", (json_int_t)info.queue_pairs,
			      "queue_len", (json_int_t)info.queue_len,
			      "item_bytes", (json_int_t)info.item_bytes,
			      "item_max_bytes", (json_int_t)info.item_max_bytes,
			      "has_rev", (json_int_t)info.has_rev,
			      "tsc_hz", (json_int_t)info.tsc_hz));
}

static json_t *pacing_json(const struct virtio_pc_pacing *p)
{
	struct rp_status_flat flat;

	_Static_assert(rp_status_flat_is(struct virtio_pc_pacing), "the kernel writes ours");
	memcpy(&flat, p, sizeof(flat));
	return rp_status_flat_json(&flat);
}

static json_t *stats_json(const struct virtio_pc_run *arg)
{
	const struct virtio_pc_stats *s = &arg->stats;
	bool aligned = s->clock_error_ns != UINT64_MAX;
	json_t *o = json_object();

	json_object_set_new(o, "duration_ns", json_integer((json_int_t)s->duration_ns));
	json_object_set_new(o, "cpu_ns", json_integer((json_int_t)s->cpu_ns));
#define X(name) json_object_set_new(o, #name, json_integer((json_int_t)s->name));
	RP_REPORT_FIELDS(X)
#undef X
	json_object_set_new(o, "clock_offset_tsc", aligned ?
			    json_integer(s->clock_offset_tsc) : json_null());
	json_object_set_new(o, "clock_error_ns", aligned ?
			    json_integer((json_int_t)s->clock_error_ns) : json_null());
	json_object_set_new(o, "tsc_hz", json_integer((json_int_t)s->tsc_hz));
	json_object_set_new(o, "left_items", json_integer((json_int_t)arg->left_items));
	json_object_set_new(o, "pacing", pacing_json(&arg->pacing));
	return o;
}

static void run_end(struct run *run)
{
	pthread_mutex_lock(&lock);
	device_put(run->device);
	request_free(&run->request);
	run->used = false;
	pthread_cond_broadcast(&ended);
	pthread_mutex_unlock(&lock);
}

static void *run_thread(void *arg)
{
	struct run *run = arg;

	if (ioctl(devices[run->device].fd, VIRTIO_PC_IOC_RUN, &run->arg))
		reply_errno(&run->request, run->device, errno);
	else
		reply_ok(&run->request,
			 json_pack("{s:b,s:o}", "stopped", (int)run->arg.stopped,
				   "stats", stats_json(&run->arg)));
	run_end(run);
	return NULL;
}

/* true, false, 1 or 0. */
static bool arg_flag(const struct request *r, const char *key, uint32_t *to)
{
	const json_t *value = json_object_get(r->args, key);
	uint64_t n = 0;

	if (json_is_boolean(value)) {
		*to = json_is_true(value);
		return true;
	}
	if (!arg_u64(r, key, 1, &n))
		return false;
	*to = (uint32_t)n;
	return true;
}

static bool parse_run(const struct request *r, struct virtio_pc_run *arg)
{
	static const char *const dirs[] = { "fwd", "rev", NULL };
	static const char *const strategies[] = {
		"notify", "sleep", "busy", "adaptive", "vhost-busyloop", "kvm-halt-poll",
		"ovs-sleep", "qemu-poll", "napi", "metronome", NULL
	};
	static const char *const dists[] = { "const", "exp", NULL };
	uint64_t pair = 0, k = 0, burst = 0, cap = 0, item_bytes = 0, queue_len = 0;
	unsigned int dir, strategy, dist = VIRTIO_PC_WORK_CONST;

	memset(arg, 0, sizeof(*arg));
	if (!arg_name(r, "dir", dirs, &dir) ||
	    !arg_name(r, "strategy", strategies, &strategy) ||
	    (json_object_get(r->args, "w_dist") && !arg_name(r, "w_dist", dists, &dist)) ||
	    !arg_u64(r, "pair", VIRTIO_PC_PAIRS_MAX - 1, &pair) ||
	    !arg_u64(r, "duration_ns", 3600000000000, (uint64_t *)&arg->duration_ns) ||
	    !arg_u64(r, "w_ns", 1000000000, (uint64_t *)&arg->w_ns) ||
	    !arg_u64(r, "y_ns", 1000000000, (uint64_t *)&arg->y_ns) ||
	    !arg_u64(r, "dmax_ns", 1000000000, (uint64_t *)&arg->dmax_ns) ||
	    !arg_u64(r, "cpu_cap_percent", 100, &cap) ||
	    !arg_u64(r, "max_items", INT64_MAX, (uint64_t *)&arg->max_items) ||
	    !arg_u64(r, "k", VIRTIO_PC_QUEUE_MAX, &k) ||
	    !arg_u64(r, "burst", VIRTIO_PC_QUEUE_MAX, &burst) ||
	    !arg_u64(r, "item_bytes", VIRTIO_PC_ITEM_MAX_BYTES, &item_bytes) ||
	    !arg_u64(r, "queue_len", VIRTIO_PC_QUEUE_MAX, &queue_len))
		return false;
	if (!arg->duration_ns) {
		reply_error(r, "bad-value", "run: duration_ns: missing or 0");
		return false;
	}
	arg->size_bytes = sizeof(*arg);
	arg->pair = (uint16_t)pair;
	arg->dir = (uint8_t)dir;
	arg->strategy = (uint8_t)strategy;
	arg->w_dist = dist;
	arg->k = (uint32_t)k;
	arg->cpu_cap_percent = (uint32_t)cap;
	arg->burst = (uint32_t)burst;
	arg->item_bytes = (uint32_t)item_bytes;
	arg->queue_len = (uint32_t)queue_len;
	return arg_flag(r, "trace", &arg->trace);
}

static struct run *run_alloc(void)
{
	unsigned int i;

	for (i = 0; i < RUNS_MAX; i++)
		if (!runs[i].used)
			return &runs[i];
	return NULL;
}

/* Under the lock. The thread, detached, or an errno. */
static int run_start(struct run *run)
{
	int fd = device_get(run->device), err;

	if (fd < 0)
		return -fd;
	run->used = true;
	err = pthread_create(&run->thread, NULL, run_thread, run);
	if (err) {
		run->used = false;
		device_put(run->device);
		return err;
	}
	pthread_detach(run->thread);
	return 0;
}

bool cmd_run(struct request *r)
{
	struct sigaction action = { .sa_handler = on_stop };
	struct virtio_pc_run arg;
	unsigned int device;
	struct run *run;
	int err = EBUSY;

	if (!arg_device(r, &device) || !parse_run(r, &arg))
		return false;
	/* No SA_RESTART: the signal must end the ioctl. */
	sigaction(STOP_SIGNAL, &action, NULL);
	pthread_mutex_lock(&lock);
	run = run_alloc();
	if (run) {
		run->request = *r;
		run->device = device;
		run->arg = arg;
		err = run_start(run);
	}
	pthread_mutex_unlock(&lock);
	if (err)
		reply_errno(r, device, err);
	return !err;
}

/* Under the lock. How many runs are on the device; signals them. */
static unsigned int signal_runs(int device)
{
	unsigned int i, n = 0;

	for (i = 0; i < RUNS_MAX; i++)
		if (runs[i].used && (device < 0 || runs[i].device == (unsigned int)device)) {
			pthread_kill(runs[i].thread, STOP_SIGNAL);
			n++;
		}
	return n;
}

/* device -1: all */
static void stop_runs(int device)
{
	struct timespec until;

	pthread_mutex_lock(&lock);
	while (signal_runs(device)) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 50000000;
		if (until.tv_nsec >= 1000000000) {
			until.tv_nsec -= 1000000000;
			until.tv_sec++;
		}
		pthread_cond_timedwait(&ended, &lock, &until);
	}
	pthread_mutex_unlock(&lock);
}

void cmd_stop(const struct request *r)
{
	unsigned int device;

	if (!arg_device(r, &device))
		return;
	stop_runs((int)device);
	reply_ok(r, json_object());
}

void runs_stop_all(void)
{
	stop_runs(-1);
}
