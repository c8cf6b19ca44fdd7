// SPDX-License-Identifier: GPL-2.0-or-later
/* Chooses what is counted: by who serves the device, and by whether there is a VM. */
#include "perf/sources.h"

#include <stdlib.h>
#include <string.h>

#include "ctl.h"

/*
 * Kicks that no counter of the driver's counts, at most: the clock exchange
 * (33), and one that ends a run (fwd) or hands the first buffers over (rev;
 * docs/virtio-pc.md).
 */
#define UNCOUNTED_KICKS	34
/* Orders that wake a thread, of a whole run's. */
#define UNCOUNTED_ORDERS	8
/* Events under way while counters and perf are read one after the other. */
#define UNDER_WAY	2

#define SOURCE_USDT	"ringpaced's probes"
#define SOURCE_SCHED	"sched"
#define SWITCH		"sched:sched_switch"
#define SOURCE_VHOST	"vhost_pc's tracepoints"
#define SOURCE_EXITS	"kvm's exits"
#define SOURCE_MSI	"kvm's interrupts"
#define SOURCE_REASONS	"perf kvm stat"

static const char note_sched[] =
	"what comes before the thread is asleep wakes nobody";
static const char note_taken[] =
	"kicks of a device that is awake, or has one to take already, are taken as one";

static struct use *add_use(struct perf_watch *w, enum figure figure, const char *source,
			   const struct perf_stat *stat)
{
	struct sources *s = w->sources;
	struct use *u = &s->use[s->uses++];

	if (s->uses > USES_MAX)
		abort();
	*u = (struct use){ .figure = figure, .source = source, .stat = stat };
	if (w->live)
		u->extra = u->missing = UNDER_WAY;
	if (figure == FIG_CALLS)
		u->extra += UNCOUNTED_CALLS;
	return u;
}

/* ---- The device's side in a ringpaced ---- */

static const char *const usdt_probes[] = { "kick", "wake", "block", "sleep", "call", NULL };

static void use_probe(struct perf_watch *w, enum figure figure, const char *source,
		      const char *probe, const char *plus)
{
	struct sources *s = w->sources;
	struct use *u = add_use(w, figure, source, &s->daemon);

	u->n = usdt_events(&s->usdt, probe, &s->daemon, u->at);
	if (plus)
		u->n += usdt_events(&s->usdt, plus, &s->daemon, u->at + u->n);
}

static int choose_usdt(struct perf_watch *w, const struct run_scene *scene)
{
	struct sources *s = w->sources;

	if (!scene->device_pid) {
		watch_absent(w, SOURCE_USDT, "the device is served by the kernel");
		return 0;
	}
	if (usdt_open(&s->usdt, scene->device_pid, usdt_probes))
		return -1;
	s->daemon.target = scene->device_pid;
	use_probe(w, FIG_KICKS_TAKEN, "ringpaced:kick", "kick", NULL);
	use_probe(w, FIG_CALLS, "ringpaced:call", "call", NULL);
	use_probe(w, FIG_WAKE_UPS, "ringpaced:wake + :sleep", "wake", "sleep");
	use_probe(w, FIG_BLOCKS, "ringpaced:block", "block", NULL);
	use_probe(w, FIG_SLEEPS, "ringpaced:sleep", "sleep", NULL);
	return 0;
}

/* ---- Tracepoints, of the whole host ---- */

static void use_event(struct perf_watch *w, enum figure figure, struct perf_stat *stat,
		      const char *source, const char *event, const char *filter)
{
	struct use *u = add_use(w, figure, source, stat);

	u->at[u->n++] = perf_stat_add(stat, event, filter);
}

/* The device's own perf, and the filter that leaves its threads' events. */
static struct perf_stat *of_device(struct sources *s, const struct run_scene *scene,
				   const char *field, const char **filter)
{
	*filter = scene->device_pid ? NULL : scene_filter(field, &s->threads);
	return scene->device_pid ? &s->daemon : &s->host;
}

/* Who gives up the CPU by itself, not preempted (256), is woken later. */
static void choose_sched(struct perf_watch *w, const struct run_scene *scene)
{
	static const char asleep[] = "prev_state>0 && prev_state<256";
	struct sources *s = w->sources;
	char filter[sizeof(asleep) + 32 * SCENE_THREADS_MAX];
	struct perf_stat *stat;
	const char *threads;
	struct use *u;

	if (!perf_has_tracepoint(SWITCH)) {
		watch_absent(w, SOURCE_SCHED, "the kernel has no tracepoint " SWITCH);
		return;
	}
	stat = of_device(s, scene, "prev_pid", &threads);
	/* ringpaced calls its threads "DEVICE-qN"; a queue may not have its own yet. */
	snprintf(filter, sizeof(filter), "%s && (%s)", asleep, threads ?: "prev_comm~\"*-q*\"");
	use_event(w, FIG_WAKE_UPS, stat, SWITCH, SWITCH, filter);
	u = &s->use[s->uses - 1];
	u->note = note_sched;
	u->may = -1;
	u->extra += UNCOUNTED_ORDERS;
	/* A kick wakes the kernel's thread in a sleep, too, and it lies down again. */
	if (!scene->device_pid)
		u->extra += UNCOUNTED_KICKS;
}

static void choose_vhost(struct perf_watch *w, const struct run_scene *scene)
{
	struct sources *s = w->sources;
	char device[32];
	struct use *u;

	if (scene->device_pid) {
		watch_absent(w, SOURCE_VHOST, "the device is served by ringpaced, not by the kernel");
		return;
	}
	if (!perf_has_tracepoint("vhost_pc:vhost_pc_kick")) {
		watch_absent(w, SOURCE_VHOST, "vhost_pc.ko is not loaded");
		return;
	}
	snprintf(device, sizeof(device), "device==%d", s->threads.device);
	use_event(w, FIG_KICKS_SENT, &s->host, "vhost_pc_kick", "vhost_pc:vhost_pc_kick", device);
	s->use[s->uses - 1].extra += UNCOUNTED_KICKS;
	use_event(w, FIG_KICKS_TAKEN, &s->host, "vhost_pc_wake", "vhost_pc:vhost_pc_wake", device);
	use_event(w, FIG_CALLS, &s->host, "vhost_pc_call", "vhost_pc:vhost_pc_call", device);
	use_event(w, FIG_BLOCKS, &s->host, "vhost_pc_block", "vhost_pc:vhost_pc_block", device);
	use_event(w, FIG_SLEEPS, &s->host, "vhost_pc_sleep", "vhost_pc:vhost_pc_sleep", device);
	u = add_use(w, FIG_WAKE_UPS, "vhost_pc_wake + _sleep", &s->host);
	u->at[u->n++] = s->use[s->uses - 5].at[0];
	u->at[u->n++] = s->use[s->uses - 2].at[0];
}

/* ---- KVM ---- */

/*
 * A write to a notification address leaves the guest. On Intel an ioeventfd is
 * found before the instruction is looked at (kvm_fast_mmio), on AMD after
 * (kvm_mmio): never both, so their sum is right on either.
 */
static int choose_exits(struct perf_watch *w, const struct run_scene *scene)
{
	/* Type 2 is a write. */
	static const struct { const char *name, *and; } events[] = {
		{ "kvm:kvm_mmio", "type==2 && " }, { "kvm:kvm_fast_mmio", "" },
	};
	struct sources *s = w->sources;
	struct scene_notify at;
	json_t *pci = ctl_call(scene->agent, "pci", NULL, 30000);
	const char *why;
	char filter[160];
	struct use *u;
	u32 i;

	if (!pci)
		return -1;
	why = scene_notify_parse(json_string_value(json_object_get(pci, "config")),
				 json_string_value(json_object_get(pci, "resource")), &at);
	json_decref(pci);
	if (why) {
		watch_absent(w, SOURCE_EXITS, why);
		return 0;
	}
	u = add_use(w, FIG_KICKS_SENT, "kvm_mmio + kvm_fast_mmio", &s->vm);
	u->extra += UNCOUNTED_KICKS;
	for (i = 0; i < 2; i++) {
		snprintf(filter, sizeof(filter), "%sgpa>=0x%llx && gpa<0x%llx", events[i].and,
			 (unsigned long long)at.begin, (unsigned long long)at.end);
		if (perf_has_tracepoint(events[i].name))
			u->at[u->n++] = perf_stat_add(&s->vm, events[i].name, filter);
	}
	s->vm.target = s->vm_pid;
	return 0;
}

static void choose_reasons(struct perf_watch *w)
{
	struct sources *s = w->sources;

	if (!perf_has_tracepoint("kvm:kvm_exit") || !perf_has_tracepoint("kvm:kvm_entry")) {
		watch_absent(w, SOURCE_REASONS, "the kernel has no tracepoints kvm_exit and kvm_entry");
		return;
	}
	s->exits.exits = true;
	s->exits.target = s->vm_pid;
}

static const char *no_kvm(const struct sources *s, const struct run_scene *scene)
{
	if (!scene->domain)
		return "there is no VM";
	if (!scene->kvm)
		return "the VM is emulated (TCG), not run by KVM";
	if (!s->vm_pid)
		return "QEMU's process is not found";
	return perf_has_tracepoint("kvm:kvm_mmio") ? NULL : "the kernel has no tracepoints of KVM";
}

/* An interrupt is injected in the context of the thread that signals its irqfd. */
static int choose_kvm(struct perf_watch *w, const struct run_scene *scene)
{
	struct sources *s = w->sources;
	const char *why = no_kvm(s, scene), *filter;
	struct perf_stat *stat;

	if (why) {
		watch_absent(w, SOURCE_EXITS, why);
		watch_absent(w, SOURCE_MSI, why);
		watch_absent(w, SOURCE_REASONS, why);
		return 0;
	}
	choose_reasons(w);
	stat = of_device(s, scene, "common_pid", &filter);
	use_event(w, FIG_CALLS, stat, "kvm_msi_set_irq", "kvm:kvm_msi_set_irq", filter);
	if (scene->agent)
		return choose_exits(w, scene);
	watch_absent(w, SOURCE_EXITS, "only a run of our own asks the guest for the addresses");
	return 0;
}

/* ---- All ---- */

/* Where the driver's counter cannot be asked, the device's has to do. */
static void compare_with_device(struct sources *s)
{
	u32 i;

	for (i = 0; i < s->uses; i++)
		if (s->use[i].figure == FIG_KICKS_SENT) {
			s->use[i].figure = FIG_KICKS_TAKEN;
			s->use[i].note = note_taken;
			s->use[i].may = 1;
		}
}

int sources_choose(struct perf_watch *w, const struct run_scene *scene)
{
	struct sources *s = w->sources;

	s->vm_pid = scene->domain ? scene_vm_process(scene->domain) : 0;
	scene_kernel_threads(scene->device_pid ? 0 : s->vm_pid, &s->threads);
	if (!scene->device_pid && !s->threads.n)
		return fail("no thread of vhost_pc.ko serves process %d; is the VM running, and "
			    "debugfs mounted?", s->vm_pid);
	if (choose_usdt(w, scene) || choose_kvm(w, scene))
		return -1;
	choose_vhost(w, scene);
	choose_sched(w, scene);
	if (w->live)
		compare_with_device(s);
	return 0;
}
