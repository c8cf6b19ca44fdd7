// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vCPUs that are plugged and unplugged. A new one is there at once, and the guest's to use;
 * one that is to go is the guest's to let go of (ACPI's eject request). libvirt waits for
 * that for five seconds, in which it does nothing else with the domain, and notices, too, when it
 * is let go of later. So a guest that keeps a vCPU is left alone for a minute.
 */
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <stdlib.h>

#include "now.h"
#include "virt.h"

/* In times of what is waited after a failure. */
#define PATIENCE	60

/* Twice: those that were taken come back before pins are given back, those that came go at last. */
static bool note(const struct virt_try *t)
{
	struct undo *u = t->of->virt->undo;
	char before[16];

	snprintf(before, sizeof(before), "%u", t->has);
	return virt_note(u, &virt_kind, t->of->conf, t->dom, "vcpus", before) &&
	       virt_note(u, &virt_hotplug_kind, t->of->conf, t->dom, "vcpus", before);
}

static bool set(struct virt_try *t, u32 vcpus)
{
	if (virDomainSetVcpusFlags(t->dom, vcpus, VIR_DOMAIN_AFFECT_LIVE) < 0)
		return false;
	t->added |= vcpus > t->has;
	t->has = vcpus;
	return true;
}

/* One by one: each takes its time, and perhaps it is not wanted any more. */
static const char *take_away(struct virt_try *t)
{
	struct virt_vcpus *v = &t->of->vcpus;

	if (now_ns() < v->patient_ns)
		return *v->why ? v->why : "its guest has kept a vCPU lately, and is not asked yet";
	while (t->has > t->want && virt_is_wanted(t)) {
		if (set(t, t->has - 1))
			continue;
		v->patient_ns = now_ns() + PATIENCE * t->of->virt->retry_ns;
		return virt_because("a vCPU cannot be unplugged");
	}
	return NULL;
}

static const char *bring(struct virt_try *t)
{
	int most = virDomainGetVcpusFlags(t->dom, VIR_DOMAIN_AFFECT_LIVE |
						  VIR_DOMAIN_VCPU_MAXIMUM);

	if (most <= 0)
		return virt_because("its vCPUs cannot be counted");
	if (t->want > (u32)most)
		t->want = (u32)most;
	if (t->has == t->want)
		return NULL;
	if (!note(t))
		return "its vCPUs cannot be noted, so they are not changed";
	if (t->has > t->want)
		return take_away(t);
	while (t->has < t->want)
		if (!set(t, t->has + 1))
			return virt_because("a vCPU cannot be plugged");
	return NULL;
}

const struct virt_vcpus_ops virt_hotplug_ops = {
	.name = "hotplug", .bring = bring, .exclusive = true,
	.late = "its guest has not let go of a vCPU in time"
};

/* ---- Back ---- */

static int give_back(virDomainPtr dom, const char *what, const char *value)
{
	int has = virDomainGetVcpusFlags(dom, VIR_DOMAIN_AFFECT_LIVE), before = atoi(value);

	return before <= 0 || has <= 0 ? -1 : has <= before ? 0 :
	       virDomainSetVcpusFlags(dom, (unsigned int)before, VIR_DOMAIN_AFFECT_LIVE);
}

static enum undo_done restore(const struct undo_where *w, const char *target, const char *value)
{
	return virt_restore(w, target, value, give_back);
}

const struct undo_kind virt_hotplug_kind = { .name = "hotplug", .restore = restore, .slow = true,
					     .last = true };
