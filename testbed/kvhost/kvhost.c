// SPDX-License-Identifier: GPL-2.0-or-later
/* The control file: devices, and the table of commands. */
#include "kvhost/kvhost.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kvhost/internal.h"

/* ---- The file ---- */

static const char *why_not_open(int err)
{
	if (err == ENOENT || err == ENXIO || err == ENODEV)
		return KVHOST_CONTROL " is not there: vhost_pc is not loaded; make vhost-modules, "
		       "then modprobe vhost && insmod build/vhost_pc.ko";
	if (err == EACCES || err == EPERM)
		return KVHOST_CONTROL " may not be opened: be root";
	return because(KVHOST_CONTROL " does not open: %s", strerror(err));
}

bool kvhost_available(const char **why)
{
	if (!access(KVHOST_CONTROL, R_OK | W_OK))
		return true;
	*why = why_not_open(errno);
	return false;
}

int kvhost_open(void)
{
	int fd = open(KVHOST_CONTROL, O_RDWR | O_CLOEXEC);

	return fd < 0 ? fail("%s", why_not_open(errno)) : fd;
}

static const char *why_refused(int err)
{
	switch (err) {
	case ENODEV: return "the device is gone";
	case ENOTCONN: return "no driver has set it up, or its ring was given up";
	case EBUSY: return "it is producing already: stop it first";
	case EINVAL: return "no such queue, or a value that is out of range";
	case ENOTTY: return "the vhost_pc that is loaded is older than this command; load "
			    "the one that was built with it";
	default: return strerror(err);
	}
}

int kqueue_ioctl(const struct kqueue *q, unsigned long request, void *arg, const char *cmd)
{
	if (ioctl(q->fd, request, arg) >= 0)
		return 0;
	return fail("vhost_pc refuses '%s': device %u, queue %u: %s", cmd, q->device, q->queue,
		    why_refused(errno));
}

/* ---- Devices ---- */

static json_t *describe_device(int fd, const struct vhost_pc_device *dev)
{
	struct kqueue q = { .fd = fd, .device = dev->device };
	json_t *queues = json_array(), *broken = json_null(), *v;
	char name[16];

	for (q.queue = 0; q.queue < 2 * dev->queue_pairs; q.queue++) {
		v = kqueue_describe(&q);
		if (!v) {
			json_decref(queues);
			return NULL;
		}
		if (json_is_null(broken))
			broken = json_object_get(v, "broken");
		json_array_append_new(queues, v);
	}
	snprintf(name, sizeof(name), "%u", dev->device);
	return json_pack("{s:s, s:s, s:n, s:b, s:O, s:o, s:o}", "device", name, "kind", "pc",
			 "socket", "connected", dev->running, "broken", broken, "queues", queues,
			 "pid", dev->owner_pid ? json_integer(dev->owner_pid) : json_null());
}

static json_t *list(int fd)
{
	struct vhost_pc_device dev = { .size_bytes = sizeof(dev) };
	json_t *all = json_array(), *v;

	for (; !ioctl(fd, VHOST_PC_NEXT_DEVICE, &dev); dev.device++) {
		/* One that has gone since is none of the list. */
		if (ioctl(fd, VHOST_PC_SELECT, &dev.device))
			continue;
		v = describe_device(fd, &dev);
		if (!v) {
			json_decref(all);
			return NULL;
		}
		json_array_append_new(all, v);
	}
	return json_pack("{s:o}", "devices", all);
}

static int select_device(int fd, const json_t *args, struct kqueue *q)
{
	const char *name = json_string_value(json_object_get(args, "device"));
	struct vhost_pc_info info;
	unsigned long n;
	char *end;

	errno = 0;
	n = name ? strtoul(name, &end, 10) : 0;
	if (!name || *name < '0' || *name > '9' || *end || errno || n > INT32_MAX)
		return fail("vhost_pc: \"%s\" is no device's number; see the list", name ?: "");
	*q = (struct kqueue){ .fd = fd, .device = (u32)n };
	if (ioctl(fd, VHOST_PC_SELECT, &q->device))
		return fail("vhost_pc: there is no device %u; see the list", q->device);
	if (kqueue_ioctl(q, VHOST_PC_GET_INFO, &info, "list"))
		return -1;
	q->queue = (u32)json_integer_value(json_object_get(args, "queue"));
	if (q->queue >= 2 * info.queue_pairs)
		return fail("vhost_pc: queue %u: device %u has 0..%u", q->queue, q->device,
			    2 * info.queue_pairs - 1);
	return 0;
}

/* ---- Commands ---- */

static json_t *done(int rc)
{
	return rc ? NULL : json_object();
}

static json_t *run_set(const struct kqueue *q, const json_t *args)
{
	return kqueue_set(q, args) ? NULL : kqueue_describe(q);
}

static u64 number(const json_t *args, const char *key, u64 otherwise)
{
	const json_t *v = json_object_get(args, key);

	return v ? (u64)json_integer_value(v) : otherwise;
}

static json_t *run_start(const struct kqueue *q, const json_t *args)
{
	struct vhost_pc_start a = {
		.size_bytes = sizeof(a), .queue = q->queue,
		.max_items = number(args, "max_items", 0),
		.duration_ns = number(args, "duration_ns", 0),
	};

	return done(kqueue_ioctl(q, VHOST_PC_START, &a, "start"));
}

static json_t *run_stop(const struct kqueue *q, const json_t *args)
{
	u32 queue = q->queue;

	return done(kqueue_ioctl(q, VHOST_PC_STOP, &queue, "stop"));
}

static json_t *run_reset(const struct kqueue *q, const json_t *args)
{
	u32 queue = q->queue;

	return done(kqueue_ioctl(q, VHOST_PC_RESET_STATS, &queue, "reset"));
}

static json_t *run_stats(const struct kqueue *q, const json_t *args)
{
	json_t *stats = kqueue_stats(q);

	return stats ? json_pack("{s:o}", "stats", stats) : NULL;
}

static json_t *run_trace(const struct kqueue *q, const json_t *args)
{
	return kqueue_trace(q, (u32)number(args, "max", VHOST_PC_EVENTS_MAX));
}

static const struct {
	const char *name;
	bool rev;	/* for queues where the host produces */
	json_t *(*run)(const struct kqueue *q, const json_t *args);
} commands[] = {
	{ "set", false, run_set },
	{ "start", true, run_start },
	{ "stop", true, run_stop },
	{ "reset", false, run_reset },
	{ "stats", false, run_stats },
	{ "trace", false, run_trace },
};

static json_t *run(int fd, const char *cmd, const json_t *args)
{
	struct kqueue q;
	u32 i;

	if (!strcmp(cmd, "list"))
		return list(fd);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, cmd))
			continue;
		if (select_device(fd, args, &q))
			return NULL;
		if (!commands[i].rev || kqueue_is_rev(&q))
			return commands[i].run(&q, args);
		fail("vhost_pc refuses '%s': queue %u is a fwd queue, where the driver produces",
		     cmd, q.queue);
		return NULL;
	}
	fail("vhost_pc: there is no command '%s'", cmd);
	return NULL;
}

json_t *kvhost_call(int fd, const char *cmd, json_t *args)
{
	json_t *result = run(fd, cmd, args);

	json_decref(args);
	return result;
}
