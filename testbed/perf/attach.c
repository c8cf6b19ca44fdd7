// SPDX-License-Identifier: GPL-2.0-or-later
/* Attaches to what runs already; the counters are those of all its queues together. */
#include <unistd.h>

#include "json.h"
#include "perf/attach.h"

#define ANSWER_MS	30000
#define VHOST_PC	"/sys/kernel/debug/vhost_pc"

/* ---- A ringpaced ---- */

static int add_queue(struct attached *a, json_t *sum, const char *device, u32 queue)
{
	json_t *v = ctl_call(&a->ctl, "stats", json_pack("{s:s, s:i}", "device", device, "queue",
							 (int)queue), ANSWER_MS);

	if (!v)
		return -1;
	json_add_numbers(sum, json_object_get(v, "stats"));
	json_decref(v);
	return 0;
}

static json_t *daemon_stats(void *ctx)
{
	struct attached *a = ctx;
	json_t *list = ctl_call(&a->ctl, "list", NULL, ANSWER_MS), *sum = json_object(), *d;
	int rc = list ? 0 : -1;
	size_t i, q;

	json_array_foreach(json_object_get(list, "devices"), i, d) {
		const char *name = json_string_value(json_object_get(d, "device")) ?: "";

		for (q = 0; !rc && q < json_array_size(json_object_get(d, "queues")); q++)
			rc = add_queue(a, sum, name, (u32)q);
	}
	json_decref(list);
	if (!rc)
		return sum;
	json_decref(sum);
	return NULL;
}

static int open_daemon(struct attached *a, const char *socket)
{
	json_t *hello;

	if (ctl_open(&a->ctl, socket, 1000))
		return -1;
	hello = ctl_call(&a->ctl, "hello", NULL, ANSWER_MS);
	a->scene.device_pid = (pid_t)json_number_at(hello, "pid");
	a->scene.device_stats = daemon_stats;
	json_decref(hello);
	if (!hello)
		return -1;
	return a->scene.device_pid > 0 ? 0 :
		fail("%s: who answers there is no ringpaced", socket);
}

/* ---- The kernel's device ---- */

/* Lines "name value". */
static json_t *read_queue(const char *path)
{
	char line[128], name[64];
	json_t *v = json_object();
	FILE *f = fopen(path, "re");
	long long n;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %lld", name, &n) == 2)
			json_object_set_new(v, name, json_integer(n));
	if (f)
		fclose(f);
	return v;
}

static json_t *kernel_stats(void *ctx)
{
	const struct attached *a = ctx;
	json_t *sum = json_object(), *queue;
	char path[96];
	u32 i;

	for (i = 0; ; i++) {
		snprintf(path, sizeof(path), VHOST_PC "/%d/q%u", a->kernel_device, i);
		if (access(path, R_OK))
			break;
		queue = read_queue(path);
		json_add_numbers(sum, queue);
		json_decref(queue);
	}
	if (i)
		return sum;
	json_decref(sum);
	fail("%s is gone: the VM ended, or its device stopped", path);
	return NULL;
}

static int open_domain(struct attached *a, const char *domain)
{
	struct scene_threads t;
	pid_t vm = scene_vm_process(domain);

	if (!vm)
		return fail("no QEMU runs a domain %s; `virsh list` names those that run", domain);
	a->scene.domain = domain;
	a->scene.kvm = kvm_runs(vm);
	if (a->scene.device_pid)
		return 0;
	scene_kernel_threads(vm, &t);
	if (t.device < 0)
		return fail("the domain %s has no device in the kernel (vhost_pc); if ringpaced "
			    "serves it, name its control socket, too", domain);
	a->kernel_device = t.device;
	a->scene.device_stats = kernel_stats;
	return 0;
}

int attached_open(struct attached *a, const char *socket, const char *domain)
{
	*a = (struct attached){ .ctl.fd = -1, .kernel_device = -1, .scene.ctx = a,
				.scene.fwd = true };
	if (socket && open_daemon(a, socket))
		return -1;
	return domain ? open_domain(a, domain) : 0;
}

void attached_close(struct attached *a)
{
	ctl_close(&a->ctl);
}
