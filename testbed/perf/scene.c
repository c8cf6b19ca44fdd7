// SPDX-License-Identifier: GPL-2.0-or-later
/* Finds processes, threads, addresses and interrupts of an experiment. */
#include "perf/scene.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VHOST_PC	"/sys/kernel/debug/vhost_pc"
#define ARGS_BYTES	65536

/* ---- QEMU's process ---- */

bool scene_is_vm(const char *args, size_t bytes, const char *name)
{
	const char *p, *end = args + bytes;
	size_t len = strlen(name);
	bool named = false;

	/* libvirt writes "-name guest=NAME,debug-threads=on". */
	for (p = args; p < end; p += strnlen(p, (size_t)(end - p)) + 1) {
		if (named && (size_t)(end - p) > 6 + len && !strncmp(p, "guest=", 6) &&
		    !strncmp(p + 6, name, len) && (!p[6 + len] || p[6 + len] == ','))
			return true;
		named = !strcmp(p, "-name");
	}
	return false;
}

static bool runs_vm(pid_t pid, const char *name, char *buf)
{
	char path[32];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	n = fread(buf, 1, ARGS_BYTES - 1, f);
	fclose(f);
	buf[n] = 0;
	return scene_is_vm(buf, n, name);
}

pid_t scene_vm_process(const char *name)
{
	static char buf[ARGS_BYTES];
	DIR *proc = opendir("/proc");
	struct dirent *e;
	pid_t pid, found = 0;

	while (proc && !found && (e = readdir(proc))) {
		pid = atoi(e->d_name);
		if (pid > 0 && pid != getpid() && runs_vm(pid, name, buf))
			found = pid;
	}
	if (proc)
		closedir(proc);
	return found;
}

/* ---- Threads ---- */

static bool thread_name(pid_t pid, pid_t tid, char *name, size_t size)
{
	char path[64];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", pid, tid);
	f = fopen(path, "re");
	ok = f && fgets(name, (int)size, f);
	if (ok)
		name[strcspn(name, "\n")] = 0;
	if (f)
		fclose(f);
	return ok;
}

static void add_thread(struct scene_threads *t, pid_t tid)
{
	if (t->n < SCENE_THREADS_MAX)
		t->tid[t->n++] = tid;
}

/* The kernel calls it "vhost-PID-N", of the process that owns the device. */
static bool serves_vm(pid_t tid, pid_t vm)
{
	char name[64];
	int owner;

	return thread_name(tid, tid, name, sizeof(name)) &&
	       sscanf(name, "vhost-%d", &owner) == 1 && owner == vm;
}

/* Its file has a line "thread TID" for each. */
static bool read_kernel_device(const char *device, pid_t vm, struct scene_threads *t)
{
	char path[96], line[128];
	FILE *f;
	int tid;

	snprintf(path, sizeof(path), VHOST_PC "/%.16s/state", device);
	f = fopen(path, "re");
	t->n = 0;
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "thread %d", &tid) == 1 && serves_vm(tid, vm))
			add_thread(t, tid);
	if (f)
		fclose(f);
	t->device = atoi(device);
	return t->n;
}

void scene_kernel_threads(pid_t vm, struct scene_threads *t)
{
	DIR *devices = opendir(VHOST_PC);
	struct dirent *e;
	bool found = false;

	while (devices && !found && (e = readdir(devices)))
		found = isdigit((unsigned char)e->d_name[0]) &&
			read_kernel_device(e->d_name, vm, t);
	if (devices)
		closedir(devices);
	if (!found)
		*t = (struct scene_threads){ .device = -1 };
}

const char *scene_filter(const char *field, const struct scene_threads *t)
{
	static char filter[32 * SCENE_THREADS_MAX];
	size_t len = 0;
	u32 i;

	filter[0] = 0;
	for (i = 0; i < t->n && len < sizeof(filter) - 32; i++)
		len += (size_t)snprintf(filter + len, sizeof(filter) - len, "%s%s==%d",
					i ? "||" : "", field, t->tid[i]);
	return filter;
}

/* ---- The guest's view ---- */

double scene_interrupts_parse(const char *line)
{
	const char *p = strchr(line, ':');
	double sum = 0;
	u32 cpus = 0;
	char *end;

	/* " 29:   0   1   PCI-MSI 524289-edge   virtio1-pc" */
	for (p = p ? p + 1 : line; ; p = end, cpus++) {
		double n = strtod(p, &end);

		if (end == p || !isspace((unsigned char)*end))
			break;
		sum += n;
	}
	return cpus ? sum : UNKNOWN;
}

/* Virtio 1.2, sec. 4.1.4: vendor capabilities; those of PCI are linked by offsets. */
#define PCI_STATUS		0x06
#define PCI_STATUS_CAP_LIST	0x10
#define PCI_CAP_POINTER		0x34
#define PCI_CAP_VENDOR		0x09
#define VIRTIO_CAP_BYTES	16
#define VIRTIO_CAP_NOTIFY	2
#define CONFIG_BYTES		256

static u32 le32(const u8 *p)
{
	return p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

static u32 from_hex(const char *hex, u8 *out, u32 size)
{
	unsigned int byte;
	u32 n = 0;

	while (n < size && sscanf(hex + 2 * n, "%2x", &byte) == 1 && hex[2 * n + 1])
		out[n++] = (u8)byte;
	return n;
}

/* The capability of the notification addresses, or NULL; a loop ends, too. */
static const u8 *find_notify(const u8 *config)
{
	u32 at = config[PCI_STATUS] & PCI_STATUS_CAP_LIST ? config[PCI_CAP_POINTER] & ~3u : 0;
	u32 left;

	for (left = CONFIG_BYTES / 4; at >= 0x40 && left; left--) {
		if (at + VIRTIO_CAP_BYTES <= CONFIG_BYTES && config[at] == PCI_CAP_VENDOR &&
		    config[at + 3] == VIRTIO_CAP_NOTIFY)
			return config + at;
		at = config[at + 1] & ~3u;
	}
	return NULL;
}

/* The first and last address of line @bar of sysfs's resource file. */
static bool read_bar(const char *resource, u32 bar, u64 *first, u64 *last)
{
	unsigned long long a, b;
	u32 i;

	for (i = 0; i < bar && resource; i++) {
		resource = strchr(resource, '\n');
		resource = resource ? resource + 1 : NULL;
	}
	if (!resource || sscanf(resource, "%llx %llx", &a, &b) != 2 || !a || b <= a)
		return false;
	*first = a;
	*last = b;
	return true;
}

const char *scene_notify_parse(const char *config_hex, const char *resource,
			       struct scene_notify *n)
{
	u8 config[CONFIG_BYTES];
	u64 first, last;
	const u8 *cap;
	u32 offset, bytes;

	if (!config_hex || !resource ||
	    from_hex(config_hex, config, sizeof(config)) != sizeof(config))
		return "the guest does not show its PCI device";
	cap = find_notify(config);
	if (!cap)
		return "the guest's device has no notification capability";
	offset = le32(cap + 8);
	bytes = le32(cap + 12);
	if (cap[4] > 5 || !read_bar(resource, cap[4], &first, &last) || !bytes ||
	    (u64)offset + bytes > last - first + 1)
		return "the guest's notification addresses lie in no BAR";
	n->begin = first + offset;
	n->end = n->begin + bytes;
	return NULL;
}
