// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The VM lane: the guest's driver is one party, ringpaced or vhost_pc the other.
 *
 * The guest's party counts over its whole run, since only the guest can reset
 * it; the device's over the measured time, which lies within that run. Rates
 * and means are each party's own, so that the warm-up is in the guest's means
 * and nowhere else.
 *
 * The guest party's CPU time is that of the vCPU's thread, as the host
 * sees it over the measured time: it contains the cost of exits and of
 * interrupts, which the guest cannot see, and not the time in which the host
 * ran somebody else, which the guest would count.
 */
#include "lane.h"

#include "json.h"
#include "kvhost/kvhost.h"
#include "perf/scene.h"
#include "virtio_pc.h"
#include "vm/domain.h"
#include "vm/machine.h"

#define START_MS	30000	/* until the first item, clock exchange included */
#define STOP_MS		20000
#define SLACK_NS	(60 * NSEC_PER_SEC)	/* a guest that hears no stop ends then */
#define TRACE_MAX	8192	/* events a side: the guest's come over a serial port */

struct vm_run {
	const struct run_params *p;
	struct machine *m;
	u32 queue;
	int request;		/* of the guest's run, or -1 */
	double vcpu_ns;		/* in the measured time */
	double measured_ns;
	double sent;		/* rev: items that P numbered in the guest's run */
};

static bool available(const char **why)
{
	static const struct vm_need needs[] = {
		{ "ringpaced", "ringpaced is not built: make all" },
		{ "qemu-system-x86_64", "QEMU with virtio-pc is not built: make qemu" },
		{ "guest/vmlinuz", "the guest's image is not built: make image" },
		{ "guest/initrd", "the guest's image is not built: make image" },
		{ NULL, NULL }
	};

	return vm_built_all(needs, why);
}

static const char *check(const struct run_params *p)
{
	_Static_assert(VM_QUEUE_MAX == 1024, "as the message says");
	if (p->queue_len > VM_QUEUE_MAX)
		return "--queue-len: the vm lane takes at most 1024 slots";
	return NULL;
}

static json_t *guest_options(const struct run_params *p)
{
	bool fwd = p->dir == RUN_FWD;
	u32 k = fwd ? run_threshold(RP_PRODUCER, p->kc, p->queue_len) :
		      run_threshold(RP_CONSUMER, p->kp, p->queue_len);

	return json_pack("{s:s, s:s, s:I, s:I, s:s, s:I, s:I, s:i, s:i, s:i, s:i, s:i}",
			 "dir", run_dir_names[p->dir],
			 "strategy", rp_strategy_by_id(fwd ? p->strategy_p : p->strategy_c)->name,
			 "duration_ns", (json_int_t)(p->warmup_ns + p->duration_ns + SLACK_NS),
			 "w_ns", (json_int_t)(fwd ? p->wp_ns : p->wc_ns),
			 "w_dist", rp_work_dist_names[p->w_dist],
			 "y_ns", (json_int_t)(fwd ? p->yp_ns : p->yc_ns),
			 "dmax_ns", (json_int_t)p->dmax_ns,
			 "cpu_cap_percent", (int)p->cpu_cap_percent,
			 "k", (int)k, "burst", (int)p->burst, "item_bytes", (int)p->item_bytes,
			 "queue_len", (int)p->queue_len);
}

static json_t *device_stats(void *ctx)
{
	struct vm_run *r = ctx;

	return backend_stats_both(&r->m->backend);
}

static struct run_scene scene(struct vm_run *r)
{
	return (struct run_scene) {
		.device_pid = r->m->backend.kernel ? 0 : r->m->backend.pid,
		.domain = virDomainGetName(r->m->dom),
		.kvm = r->m->kvm,
		.agent = &r->m->agent,
		.fwd = r->p->dir == RUN_FWD,
		.device_stats = device_stats,
		.ctx = r,
	};
}

static int watch_begin(struct vm_run *r)
{
	const struct run_scene s = scene(r);

	if (!r->p->watch)
		return 0;
	return r->p->watch->begin(r->p->watch, &s) || backend_reset_both(&r->m->backend) ? -1 : 0;
}

static int watch_end(struct vm_run *r, const json_t *guest)
{
	const struct run_scene s = scene(r);

	if (!r->p->watch)
		return 0;
	return backend_rest(&r->m->backend, r->queue) ||
	       r->p->watch->end(r->p->watch, &s, guest) ? -1 : 0;
}

static int start_both(struct vm_run *r)
{
	struct backend *b = &r->m->backend;

	if (backend_wait_ready(b, r->queue) || watch_begin(r) ||
	    backend_do(b, "set", r->queue, backend_options(r->p)) ||
	    (!r->p->watch && backend_do(b, "reset", r->queue, NULL)))
		return -1;
	r->request = ctl_send(&r->m->agent, "run", guest_options(r->p));
	if (r->request < 0)
		return -1;
	return r->p->dir == RUN_REV ? backend_do(b, "start", r->queue, NULL) : 0;
}

/* Why the guest refuses the run, if it has answered already. */
static int guest_refused(struct vm_run *r)
{
	json_t *v = ctl_wait(&r->m->agent, "run", (u32)r->request, STOP_MS);

	json_decref(v);
	r->request = -1;
	return v ? fail("vm lane: the guest ended its run at once") : -1;
}

static bool guest_answered(const struct vm_run *r)
{
	return ctl_pending(&r->m->agent);
}

/* Items must flow before the clock of the run starts. */
static int wait_flow(struct vm_run *r)
{
	u64 end = now_ns() + START_MS * 1000000ULL;
	double items = 0;
	json_t *stats;

	while (!(items > 0)) {
		if (guest_answered(r))
			return guest_refused(r);
		if (!nap_ms(5) || machine_check(r->m))
			return -1;
		if (now_ns() > end)
			return fail("vm lane: no item came in %d s; %s; the guest: %s",
				    START_MS / 1000, backend_says(&r->m->backend),
				    log_tail(run_path("serial.log")));
		stats = backend_stats(&r->m->backend, r->queue);
		if (!stats)
			return -1;
		items = json_number_at(stats, "items");
		json_decref(stats);
	}
	return 0;
}

static int work_for(struct vm_run *r, u64 ns, u64 done_ns)
{
	u64 begin = now_ns(), now, left;

	while ((now = now_ns()) - begin < ns) {
		run_progress(r->p, done_ns + now - begin);
		left = (ns - (now - begin)) / 1000000;
		if (!nap_ms(left > 100 ? 100 : (u32)left + 1) || machine_check(r->m))
			return -1;
		if (guest_answered(r))
			return guest_refused(r);
	}
	return 0;
}

static int measure(struct vm_run *r, json_t **dev)
{
	struct backend *b = &r->m->backend;
	double cpu;
	u64 begin;

	if (!r->p->watch && (work_for(r, r->p->warmup_ns, 0) ||
			     backend_do(b, "reset", r->queue, NULL)))
		return -1;
	begin = now_ns();
	cpu = vm_vcpu_ns(r->m->dom);
	if (work_for(r, r->p->duration_ns, r->p->watch ? 0 : r->p->warmup_ns))
		return -1;
	r->vcpu_ns = vm_vcpu_ns(r->m->dom) - cpu;
	r->measured_ns = (double)(now_ns() - begin);
	*dev = backend_stats(b, r->queue);
	return *dev ? 0 : -1;
}

/* The device's trace first: it goes on, and would overwrite what we want. */
static int device_trace(struct vm_run *r, json_t **trace)
{
	if (r->p->trace)
		*trace = backend_call(&r->m->backend, "trace", r->queue,
				      json_pack("{s:i}", "max", TRACE_MAX));
	return r->p->trace && !*trace ? -1 : 0;
}

static int guest_trace(struct vm_run *r, json_t **trace)
{
	if (r->p->trace)
		*trace = ctl_call(&r->m->agent, "trace",
				  json_pack("{s:s, s:i}", "dir", run_dir_names[r->p->dir],
					    "max", TRACE_MAX), STOP_MS);
	return r->p->trace && !*trace ? -1 : 0;
}

/* fwd: with P stopped, C must get to the last item that P numbered. */
static int drain(struct vm_run *r, const json_t *stats_p, double *lost)
{
	u64 end = now_ns() + STOP_MS * 1000000ULL;
	double sent = json_number_at(stats_p, "items"), next;
	json_t *stats;

	do {
		stats = backend_stats(&r->m->backend, r->queue);
		if (!stats)
			return -1;
		next = json_number_at(stats, "next_seq");
		json_decref(stats);
		*lost = sent - next;
	} while (*lost > 0 && now_ns() < end && nap_ms(10));
	return 0;
}

static int stop_device(struct vm_run *r)
{
	json_t *stats;

	if (backend_do(&r->m->backend, "stop", r->queue, NULL))
		return -1;
	stats = backend_stats(&r->m->backend, r->queue);
	r->sent = json_number_at(stats, "next_seq");
	json_decref(stats);
	return stats ? 0 : -1;
}

/* The answer to `run` comes before that to `stop`, which needs no waiting. */
static int stop_guest(struct vm_run *r, json_t **stats)
{
	json_t *v;

	if (r->p->dir == RUN_REV && stop_device(r))
		return -1;
	if (ctl_send(&r->m->agent, "stop", NULL) < 0)
		return -1;
	v = ctl_wait(&r->m->agent, "run", (u32)r->request, STOP_MS);
	r->request = -1;
	*stats = json_incref(json_object_get(v, "stats"));
	json_decref(v);
	return *stats ? 0 : stopped() ? -1 : fail("vm lane: the guest gives no statistics");
}

/*
 * rev: did C get to the last item that P numbered? It cannot be waited for: the
 * guest tells its count only when its run ends, and idle time before that
 * would be in its rates. P had stopped by then, so the guest counted what lay
 * in the ring. A guest that tells of more than was sent tells nothing.
 */
static double lost_at_end_rev(const struct vm_run *r, const json_t *stats_c)
{
	double lost = r->sent - json_number_at(stats_c, "items") -
		      json_number_at(stats_c, "lost") - json_number_at(stats_c, "left_items");

	return lost >= 0 ? lost : UNKNOWN;
}

static void set_number(json_t *obj, const char *key, double v)
{
	json_object_set_new(obj, key, json_number_or_null(v, 0));
}

/* Where there is KVM: is the exchange of clocks within its bound? */
static json_t *check_clock(const struct vm_run *r, const json_t *consumer)
{
	struct kvm_clock c;
	const char *why;
	pid_t vm;

	if (!r->m->kvm)
		return NULL;
	vm = scene_vm_process(virDomainGetName(r->m->dom));
	why = vm ? kvm_clock_read(vm, &c) : "QEMU's process is not found";
	return clock_json(consumer, &c, why);
}

/* What the guest cannot see, and what nobody can. */
static void complete_stats(const struct vm_run *r, json_t *guest, json_t *consumer)
{
	double duration = json_number_at(guest, "duration_ns");

	set_number(guest, "cpu_ns", r->vcpu_ns / r->measured_ns * duration);
	/* Times from one clock to another mean nothing before they are aligned. */
	if (!is_known(json_number_at(consumer, "clock_offset_tsc")))
		set_number(consumer, "lat_count", 0);
}

static int run_vm(struct vm_run *r, struct run_sides *out)
{
	bool fwd = r->p->dir == RUN_FWD;
	json_t **guest = fwd ? &out->stats_p : &out->stats_c;
	json_t **dev = fwd ? &out->stats_c : &out->stats_p;

	if (start_both(r) || wait_flow(r) || measure(r, dev) ||
	    device_trace(r, fwd ? &out->trace_c : &out->trace_p) ||
	    stop_guest(r, guest) || guest_trace(r, fwd ? &out->trace_p : &out->trace_c))
		return -1;
	if (fwd && drain(r, *guest, &out->lost_at_end))
		return -1;
	if (!fwd)
		out->lost_at_end = lost_at_end_rev(r, *guest);
	if (watch_end(r, *guest))
		return -1;
	complete_stats(r, *guest, out->stats_c);
	out->clock = check_clock(r, out->stats_c);
	return 0;
}

static int run(const struct run_params *p, struct run_sides *out)
{
	struct vm_run r = {
		.p = p,
		.m = machine_up(p->queue_len, p->backend, p->progress),
		.queue = p->dir == RUN_FWD ? VIRTIO_PC_FWD(0) : VIRTIO_PC_REV(0),
		.request = -1,
	};

	if (!r.m)
		return -1;
	snprintf(out->accel, sizeof(out->accel), "%s", r.m->kvm ? "kvm" : "tcg");
	if (!run_vm(&r, out))
		return 0;
	/* Neither side may be in the way of the next run. */
	machine_down();
	return -1;
}

const struct lane_ops lane_vm = {
	.name = "vm",
	.available = available,
	.kernel_available = kvhost_available,
	.check = check,
	.run = run,
};
