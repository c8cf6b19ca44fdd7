// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The vm lane of a chain: stock guests with two network cards, which pass frames from
 * one to the other by what their kernel has. Booting costs seconds, so they serve all
 * runs of a process: each run's ringpaced is another one, to which QEMU connects anew.
 *
 * What a VM does is seen from outside: what ringpaced put into its ring and took from
 * the other one, and the CPU time of its vCPU.
 */
#include <string.h>
#include <unistd.h>

#include "chain/chain.h"
#include "json.h"
#include "vm/console.h"
#include "vm/stock.h"

#define CONNECT_NS	(60 * NSEC_PER_SEC)
#define MEMORY_MIB	192
/* For l2fwd's buffers, 2 MB each. */
#define HUGEPAGES	24

struct vms {
	struct stock_vms stock;
	bool up;
	struct {
		int console;			/* of l2fwd, else -1 */
		struct l2fwd_counts before;	/* this run */
	} vm[CHAIN_VMS_MAX];
};

static struct vms the_vms;

static void down(struct vms *v)
{
	u32 i;

	for (i = 0; i < v->stock.n; i++)
		if (v->vm[i].console >= 0)
			close(v->vm[i].console);
	v->up = false;
	stock_end(&v->stock);
}

/* ---- Booting ---- */

/* What the guest's init reads. */
static void words(const struct chain_params *p, char *to, size_t size)
{
	if (chain_is_l2fwd(p))
		snprintf(to, size, "rp.nf=%s hugepages=%u%s%s%s", p->nf, HUGEPAGES,
			 p->nf_spin || p->nf_macs ? " rp.l2fwd=" : "",
			 p->nf_spin ? "--strategy=busy," : "", p->nf_macs ? "--macs" : "");
	else
		snprintf(to, size, "rp.nf=%s", p->nf);
}

static int begin(struct vms *v, struct chain *c, u32 i)
{
	char cmdline[96];
	struct vm_config vm;

	words(c->p, cmdline, sizeof(cmdline));
	vm_config_default(&vm);
	vm.template_path = vm_built("chain/domain.xml.in", "all");
	vm.guest = "chain";
	vm.cmdline = cmdline;
	vm.net_socket[0] = c->link[i].rx_socket;
	vm.net_socket[1] = c->link[i + 1].tx_socket;
	vm.memory_mib = MEMORY_MIB + (chain_is_l2fwd(c->p) ? 2 * HUGEPAGES : 0);
	vm.queue_len = c->p->queue_len;
	v->vm[i].console = -1;
	return stock_start(&v->stock, &vm);
}

static void pin(struct chain *c, virDomainPtr dom, u32 vm)
{
	int cpu = chain_cpu(c, c->hops + 1 + vm);
	unsigned char map[512] = { 0 };

	if (cpu < 0 || cpu >= (int)sizeof(map) * 8)
		return;
	map[cpu / 8] = (unsigned char)(1u << cpu % 8);
	virDomainPinVcpu(dom, 0, map, cpu / 8 + 1);
}

static int open_consoles(struct vms *v)
{
	char pty[64];
	u32 i;

	for (i = 0; i < v->stock.n; i++) {
		if (console_pty(v->stock.vm[i].dom, pty, sizeof(pty)))
			return -1;
		v->vm[i].console = l2fwd_open(pty);
		if (v->vm[i].console < 0)
			return -1;
	}
	return 0;
}

static int boot(struct vms *v, struct chain *c)
{
	u64 end = now_ns() + STOCK_BOOT_NS;
	u32 i;

	if (stock_open(&v->stock, "chain"))
		return -1;
	for (i = 0; i < c->p->vms; i++) {
		if (begin(v, c, i))
			return -1;
		pin(c, v->stock.vm[i].dom, i + 1);
	}
	for (i = 0; i < v->stock.n; i++)
		if (!stock_await(&v->stock, i, " is up, ", end))
			return -1;
	v->up = true;
	return chain_is_l2fwd(c->p) ? open_consoles(v) : 0;
}

/* ---- A run ---- */

/* Has a guest given us all queues of that port? */
static bool is_ready(const json_t *list, const char *name)
{
	const json_t *port, *queue;
	size_t i, j;

	json_array_foreach(json_object_get(list, "ports"), i, port) {
		if (strcmp(json_string_value(json_object_get(port, "device")) ?: "", name))
			continue;
		json_array_foreach(json_object_get(port, "queues"), j, queue)
			if (!json_is_true(json_object_get(queue, "ready")))
				return false;
		return true;
	}
	return false;
}

static bool are_ready(const struct chain *c, const json_t *list)
{
	u32 i;

	for (i = 0; i < c->p->vms; i++)
		if (!is_ready(list, c->link[i].rx_port) || !is_ready(list, c->link[i + 1].tx_port))
			return false;
	return true;
}

static int wait_connected(struct chain *c)
{
	u64 end = now_ns() + CONNECT_NS;
	bool ready = false;
	json_t *list;

	while (!ready) {
		list = net_daemon_call(&c->daemon, "list", NULL);
		if (!list)
			return -1;
		ready = are_ready(c, list);
		json_decref(list);
		if (!ready && now_ns() > end)
			return fail("chain: the VMs did not connect to ringpaced in %u s",
				    (u32)(CONNECT_NS / NSEC_PER_SEC));
		if (!ready && !nap_ms(20))
			return -1;
	}
	return 0;
}

static int begin_counts(struct vms *v)
{
	u32 i;

	for (i = 0; i < v->stock.n; i++)
		if (v->vm[i].console >= 0 && !l2fwd_ask(v->vm[i].console, &v->vm[i].before))
			return stopped() ? -1 : fail("chain: VM %u does not tell its counters; its "
				"console's last line: %s", i + 1, log_tail(v->stock.vm[i].log));
	return 0;
}

static int start(struct chain *c)
{
	struct vms *v = &the_vms;

	c->vms = v;
	if (!v->up && boot(v, c)) {
		down(v);
		return -1;
	}
	return wait_connected(c) ? -1 : begin_counts(v);
}

static void stop(struct chain *c)
{
	/* They stay for the next run. */
	c->vms = NULL;
}

static int look(struct chain *c, u32 vm, struct worker_look *l)
{
	struct vms *v = c->vms;
	json_t *in = net_daemon_stats(&c->daemon, c->link[vm - 1].rx_port, 0);
	json_t *out = in ? net_daemon_stats(&c->daemon, c->link[vm].tx_port, 1) : NULL;
	int rc = -1;

	if (out && !vm_active(v->stock.vm[vm - 1].dom)) {
		fail("chain: VM %u ended in the run; its console's last line: %s", vm,
		     log_tail(v->stock.vm[vm - 1].log));
	} else if (out) {
		*l = (struct worker_look){
			.outside = true,
			.cpu_ns = vm_vcpu_ns(v->stock.vm[vm - 1].dom),
			.counts = {
				.received = (u64)json_number_at(in, "packets"),
				.sent = (u64)(json_number_at(out, "packets") +
					      chain_drops(out)),
			},
		};
		rc = 0;
	}
	json_decref(in);
	json_decref(out);
	return rc;
}

static json_t *tell(const struct chain *c, u32 vm)
{
	const struct vms *v = c->vms;
	struct l2fwd_counts now;

	if (v->vm[vm - 1].console < 0 || !l2fwd_ask(v->vm[vm - 1].console, &now))
		return NULL;
	return l2fwd_json(&v->vm[vm - 1].before, &now);
}

static bool available(const char **why)
{
	static const struct vm_need needs[] = {
		{ "ringpaced", "ringpaced is not built: make all" },
		{ "qemu-system-x86_64", "QEMU with virtio-pc is not built: make qemu" },
		{ "guest/vmlinuz", "the guest's image is not built: make image" },
		{ "chain/initrd", "the VMs' image is not built: make image" },
		{ NULL, NULL }
	};

	return vm_built_all(needs, why);
}

static const char *check(const struct chain_params *p)
{
	if (p->queue_len < 256 || p->queue_len > 1024)
		return "--queue-len: QEMU's network cards have 256, 512 or 1024 slots";
	if (p->nf_ns || p->nf_kick_ns || p->slow_hop || p->nf_burst != 1)
		return "--nf-ns, --nf-kick-ns, --nf-burst, --slow-hop: the VMs of the vm lane do real work, see --nf";
	return NULL;
}

const struct chain_lane_ops chain_vm = {
	.name = "vm",
	.nf = { "bridge", "firewall", CHAIN_ROUTE_NF, L2FWD_NF },
	.calm_ns = 3 * NSEC_PER_SEC,
	.available = available,
	.check = check,
	.start = start,
	.stop = stop,
	.look = look,
	.tell = tell,
};
