// SPDX-License-Identifier: GPL-2.0-or-later
/* Brings the VM of an experiment up, and everything down again. */
#include "vm/machine.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vm/accel.h"
#include "vm/agent.h"
#include "vm/conn.h"
#include "vm/domain.h"

#define QUEUE_LEN_MIN	1024	/* room for the runs that follow */
#define ITEM_BYTES	64	/* what the device suggests; a run may differ */

static struct machine the_machine;

/* ---- Logs ---- */

static void copy_log(const char *from, const char *dir, const char *name)
{
	char path[512], buf[65536];
	FILE *in = from ? fopen(from, "re") : NULL, *out;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	out = in ? fopen(path, "we") : NULL;
	while (out && (n = fread(buf, 1, sizeof(buf), in)) > 0)
		fwrite(buf, 1, n, out);
	if (out)
		fclose(out);
	if (in)
		fclose(in);
}

static void keep_logs(const struct machine *m)
{
	const char *dir = getenv(VM_LOG_DIR_ENV);

	if (!dir || !*dir)
		return;
	copy_log(run_path("serial.log"), dir, "vm-serial.log");
	copy_log(m->backend.log, dir, "ringpaced.log");
	copy_log(vm_libvirt_log(), dir, "libvirt.log");
	if (m->dom)
		copy_log(vm_qemu_log(virDomainGetName(m->dom)), dir, "qemu.log");
}

/* ---- Up and down ---- */

static u32 power_of_two(u32 n)
{
	u32 v = QUEUE_LEN_MIN;

	while (v < n)
		v *= 2;
	return v;
}

static int define(struct machine *m)
{
	struct vm_config c;
	char name[VM_NAME_MAX];

	vm_config_default(&c);
	snprintf(name, sizeof(name), "run-%d", getpid());
	c.name = name;
	c.dir = run_dir();
	c.device_socket = m->backend.kernel ? NULL : m->backend.socket;
	c.kvm = m->kvm;
	c.owned = true;
	c.queue_len = m->queue_len;
	c.item_bytes = ITEM_BYTES;
	m->dom = vm_define(m->conn, &c);
	return m->dom ? 0 : -1;
}

/*
 * The vCPU on the first CPU, the daemon's thread takes the second. Not fatal:
 * a host may forbid it.
 */
static void pin_vcpu(const struct machine *m)
{
	int cpu = nth_cpu(0);
	unsigned char map[512] = { 0 };

	if (cpu < 0 || cpu >= (int)sizeof(map) * 8)
		return;
	map[cpu / 8] = (unsigned char)(1u << cpu % 8);
	virDomainPinVcpu(m->dom, 0, map, cpu / 8 + 1);
}

static bool is_ours(pid_t pid)
{
	char owner[64];

	return vm_process_owner(pid, owner, sizeof(owner)) && !strcmp(owner, vm_owner_self());
}

static int start_backend(struct machine *m, enum run_backend_id id)
{
	if (id == RUN_KERNEL)
		return backend_start_kernel(&m->backend);
	return backend_start(&m->backend, 1, ITEM_BYTES, vm_conn_group());
}

static int start_once(struct machine *m, u32 timeout_ms)
{
	if (vm_start(m->dom))
		return -1;
	pin_vcpu(m);
	if (m->backend.kernel && backend_choose_kernel(&m->backend, is_ours))
		return -1;
	return agent_open(&m->agent, m->dom, run_dir(), timeout_ms);
}

/*
 * A guest of an emulated KVM host stands still at boot now and then, or goes off
 * (docs/nested.md): with KVM it is so fast otherwise that it is worth another start.
 */
static int start(struct machine *m)
{
	if (!m->kvm)
		return start_once(m, VM_BOOT_MS);
	if (!start_once(m, VM_BOOT_KVM_MS))
		return 0;
	if (stopped())
		return -1;
	fprintf(stderr, "the VM is started anew\n");
	return vm_destroy(m->dom) ? -1 : start_once(m, VM_BOOT_KVM_MS);
}

static int boot(struct machine *m, enum run_backend_id backend, bool progress)
{
	u64 begin = now_ns();

	vm_clean_processes();
	if (accel_choose(NULL, &m->kvm))
		return -1;
	if (progress)
		fprintf(stderr, "booting the VM (%s) ...", m->kvm ? "kvm" : "tcg");
	m->conn = vm_connect(NULL, VM_STATE_RUN);
	if (!m->conn || vm_conn_share_dir(run_dir()) ||
	    start_backend(m, backend))
		return -1;
	if (vm_conn_is_remote())
		vm_clean_domains(m->conn);
	if (define(m) || start(m))
		return -1;
	if (progress)
		fprintf(stderr, "\r\033[Kbooted the VM (%s) in %.1f s\n", m->kvm ? "kvm" : "tcg",
			(double)(now_ns() - begin) / 1e9);
	return 0;
}

struct machine *machine_up(u32 queue_len, enum run_backend_id backend, bool progress)
{
	struct machine *m = &the_machine;
	static bool registered;

	if (m->up && m->queue_len >= queue_len &&
	    m->backend.kernel == (backend == RUN_KERNEL) && vm_active(m->dom))
		return m;
	machine_down();
	if (!run_dir())
		return NULL;
	/* After the run directory's and the children's, hence before them. */
	if (!registered)
		atexit(machine_down);
	registered = true;
	memset(m, 0, sizeof(*m));
	m->agent.fd = -1;
	orders_init(&m->backend.orders);
	m->queue_len = power_of_two(queue_len);
	m->up = true;
	if (!boot(m, backend, progress))
		return m;
	if (progress)
		fprintf(stderr, "\n");
	machine_down();
	return NULL;
}

void machine_down(void)
{
	struct machine *m = &the_machine;

	if (!m->up)
		return;
	m->up = false;
	keep_logs(m);
	ctl_close(&m->agent);
	if (m->dom) {
		if (vm_active(m->dom))
			vm_destroy(m->dom);
		vm_undefine(m->dom);
		virDomainFree(m->dom);
	}
	vm_disconnect(m->conn);
	if (m->backend.kernel || m->backend.log[0])
		backend_stop(&m->backend);
}

int machine_check(struct machine *m)
{
	if (backend_check(&m->backend))
		return -1;
	if (!vm_active(m->dom))
		return fail("the VM ended in the run; its console's last line: %s",
			    log_tail(run_path("serial.log")));
	return 0;
}
