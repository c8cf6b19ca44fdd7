// SPDX-License-Identifier: GPL-2.0-or-later
/* Which lanes can run here. */
#include <stdio.h>

#include "doctor/doctor.h"
#include "lane.h"
#include "vm/domain.h"

#define NESTED_MIB	4096

static void check_native(const struct host *h, struct finding *f)
{
	const char *why;

	if (!lane_native.available(&why))
		found(f, FOUND_MISSING, NULL, "%s", why);
	else if (!vm_built_find("ringpaced"))
		found(f, FOUND_MISSING, "make all", "ringpaced is not built");
	else
		found(f, FOUND_OK, NULL, "real speed; performance is judged here");
}

static void check_vm(const struct host *h, struct finding *f)
{
	const char *why;

	if (!lane_vm.available(&why))
		found(f, FOUND_MISSING, "make all", "%s", why);
	else if (!h->qemu_patched)
		found(f, FOUND_MISSING, "make qemu", "QEMU has no virtio-pc");
	else if (!h->libvirt_works)
		found(f, FOUND_MISSING, NULL, "libvirt does not open, see there");
	else if (h->kvm.usable)
		found(f, FOUND_OK, NULL, "kvm: %s", h->kvm.why);
	else
		found(f, FOUND_LIMITED, h->kvm.todo,
		      "tcg: emulated, some 100 times slower; compare counts and ratios (%s)",
		      h->kvm.why);
}

static long memory_mib(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	char line[128];
	long kib = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %ld", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib / 1024;
}

/* The lane's parts are an image of a KVM host and the memory to run it. */
static void check_nested(const struct host *h, struct finding *f)
{
	long mib = memory_mib();

	if (mib < NESTED_MIB)
		found(f, FOUND_MISSING, "free memory", "not available: needs %d MiB, %ld are free",
		      NESTED_MIB, mib);
	else if (!vm_built_find("nested/disk.qcow2"))
		found(f, FOUND_MISSING, "make nested",
		      "not available: there is no image of an emulated KVM host in build/nested");
	else
		found(f, FOUND_OK, NULL, "an emulated KVM host with vhost_pc, for counts and ratios");
}

const struct check lane_checks[] = {
	{ "native", check_native },
	{ "vm", check_vm },
	{ "nested", check_nested },
	{ NULL, NULL }
};
