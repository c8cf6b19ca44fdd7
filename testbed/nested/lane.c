// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The nested lane: the VM lane of an emulated KVM host (L1), where the kernel's
 * vhost serves a guest under KVM (L2) on any machine.
 *
 * A `ringpace serve` runs in L1 for as long as this process lives, and is told
 * by run's own options what to do; it hands back what both sides said, so that
 * merging is done here, as for every lane. The host "default", or the one that
 * RINGPACE_NESTED names, is taken when it is up (`ringpace nested up`), else one
 * of our own is started, and ended with us.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl.h"
#include "json.h"
#include "lane.h"
#include "nested/nested.h"
#include "vm/domain.h"

#define BOOT_MS		300000	/* of L2, twice, on a busy host; for the first run */
#define HOST_ENV	"RINGPACE_NESTED"
#define END_MS		60000	/* for L2's end */

static struct {
	struct nested host;
	bool own;		/* ends with us */
	pid_t pid;		/* of `nested exec`, 0: none */
	struct ctl server;
} lane;

bool nested_inside(void)
{
	return !strcmp(own_dir(), NESTED_BUILT);
}

static bool available(const char **why)
{
	static const struct vm_need needs[] = {
		{ "nested/disk.qcow2", "the nested host's image is not built: make nested" },
		{ "qemu-system-x86_64", "QEMU with virtio-pc is not built: make qemu" },
		{ "vhost_pc.ko", "vhost_pc.ko is not built: make vhost-modules" },
		{ "guest/initrd", "the guest's image is not built: make image" },
		{ NULL, NULL }
	};

	if (nested_inside())
		return lane_vm.available(why);
	return vm_built_all(needs, why);
}

/* L1 loads the module when it comes up. */
static bool kernel_available(const char **why)
{
	return !nested_inside() || lane_vm.kernel_available(why);
}

static const char *check(const struct run_params *p)
{
	return lane_vm.check(p);
}

/* ---- Up and down ---- */

/* The end of its stdin lets the server end its VM and itself. */
static void down(void)
{
	u64 end = now_ns() + END_MS * 1000000ULL;

	if (lane.pid > 0) {
		ctl_close(&lane.server);
		while (child_alive(lane.pid) && now_ns() < end)
			usleep(20000);
		child_stop(lane.pid);
	}
	lane.pid = 0;
	if (lane.own)
		nested_down(lane.host.name);
	lane.own = false;
}

static int host_up(bool progress)
{
	const char *taken = getenv(HOST_ENV);
	char name[NESTED_NAME_MAX + 1];
	struct nested_config c = { .name = name, .progress = progress };

	if (taken && *taken)
		return nested_find(&lane.host, taken);
	if (nested_load(&lane.host, NESTED_NAME) && lane.host.pid)
		return 0;
	snprintf(name, sizeof(name), "run-%d", getpid());
	if (nested_up(&lane.host, &c))
		return -1;
	lane.own = true;
	return 0;
}

int lane_nested_exec(char *const argv[], bool progress)
{
	static bool registered;
	char *command;
	int rc;

	if (!run_dir() || (!lane.own && host_up(progress)))
		return NESTED_EXIT_OURS;
	if (!registered)
		atexit(down);
	registered = true;
	command = nested_quote(argv);
	rc = command ? nested_exec(&lane.host, command, 0) : NESTED_EXIT_OURS;
	free(command);
	return rc;
}

static int serve(void)
{
	const char *self = own_program("ringpace");
	char *argv[] = {
		(char *)self, "nested", "exec", "--name", lane.host.name, "--",
		"env", "RINGPACE_ACCEL=kvm", NESTED_BUILT "/ringpace", "serve", NULL
	};
	int fds[2];

	if (!self)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return fail("nested lane: socketpair: %m");
	lane.pid = child_start_on(argv, fds[1]);
	close(fds[1]);
	ctl_attach(&lane.server, fds[0], "the nested host's ringpace");
	if (lane.pid > 0)
		return 0;
	ctl_close(&lane.server);
	return -1;
}

static int up(const struct run_params *p)
{
	static bool registered;

	if (lane.pid > 0 && child_alive(lane.pid))
		return 0;
	if (lane.pid > 0)
		ctl_close(&lane.server);
	lane.pid = 0;
	/* After the children's, hence before them. */
	if (!run_dir())
		return -1;
	if (!lane.own && host_up(p->progress))
		return -1;
	if (serve())
		return -1;
	if (!registered)
		atexit(down);
	registered = true;
	return 0;
}

/* ---- A run ---- */

static void add(json_t *args, const char *option, const char *value)
{
	json_array_append_new(args, json_string(option));
	json_array_append_new(args, json_string(value));
}

static void add_number(json_t *args, const char *option, u64 value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	add(args, option, text);
}

static void add_seconds(json_t *args, const char *option, u64 ns)
{
	char text[40];

	snprintf(text, sizeof(text), "%.9f", (double)ns / 1e9);
	add(args, option, text);
}

/* @p as options of `ringpace run`. */
static json_t *options(const struct run_params *p)
{
	json_t *args = json_array();

	add(args, "--lane", lane_vm.name);
	add(args, "--backend", run_backend_names[p->backend]);
	add(args, "--dir", run_dir_names[p->dir]);
	add(args, "--strategy-p", rp_strategy_by_id(p->strategy_p)->name);
	add(args, "--strategy-c", rp_strategy_by_id(p->strategy_c)->name);
	add_number(args, "--wp-ns", p->wp_ns);
	add_number(args, "--wc-ns", p->wc_ns);
	add(args, "--w-dist", rp_work_dist_names[p->w_dist]);
	add_number(args, "--yp-ns", p->yp_ns);
	add_number(args, "--yc-ns", p->yc_ns);
	add_number(args, "--dmax-ns", p->dmax_ns);
	add_number(args, "--cpu-cap", p->cpu_cap_percent);
	add_number(args, "--queue-len", p->queue_len);
	add_number(args, "--kp", p->kp);
	add_number(args, "--kc", p->kc);
	add_number(args, "--burst", p->burst);
	add_number(args, "--item-bytes", p->item_bytes);
	add_seconds(args, "--duration-s", p->duration_ns);
	add_seconds(args, "--warmup-s", p->warmup_ns);
	if (p->cpu_p >= 0)
		add_number(args, "--cpu-p", (u64)p->cpu_p);
	if (p->cpu_c >= 0)
		add_number(args, "--cpu-c", (u64)p->cpu_c);
	if (!p->trace)
		json_array_append_new(args, json_string("--no-trace"));
	return args;
}

static int run(const struct run_params *p, struct run_sides *out)
{
	u64 ms = (p->warmup_ns + p->duration_ns) / 1000000 + BOOT_MS;
	json_t *v;

	if (nested_inside())
		return lane_vm.run(p, out);
	if (up(p))
		return -1;
	v = ctl_call(&lane.server, "run", json_pack("{s:o}", "args", options(p)), (u32)ms);
	if (v) {
		run_sides_read(v, out);
		json_decref(v);
		return 0;
	}
	/* It may be in the middle of something: the next run gets another one. */
	down();
	return -1;
}

const struct lane_ops lane_nested = {
	.name = "nested",
	.on_demand = true,
	.available = available,
	.kernel_available = kernel_available,
	.check = check,
	.run = run,
};
