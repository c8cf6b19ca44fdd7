// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The alignment of the counters, held against KVM's own record of it. KVM adds
 * its offset to the host's counter to get the guest's; the exchange over the
 * ring finds the host's minus the guest's: the same number, negated, when the
 * two counters run at one rate.
 */
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "perf/scene.h"

#define KVM_DEBUGFS	"/sys/kernel/debug/kvm"

/* debugfs calls a VM "PID-FD", of the process that made it. */
static bool find_vm(pid_t vm, char *name, size_t size)
{
	DIR *vms = opendir(KVM_DEBUGFS);
	char want[16];
	struct dirent *e;
	bool found = false;

	snprintf(want, sizeof(want), "%d-", vm);
	while (vms && !found && (e = readdir(vms))) {
		found = !strncmp(e->d_name, want, strlen(want));
		snprintf(name, size, "%.60s", e->d_name);
	}
	if (vms)
		closedir(vms);
	return found;
}

bool kvm_runs(pid_t vm)
{
	char name[64];

	return find_vm(vm, name, sizeof(name));
}

static bool read_value(const char *vm, const char *file, long long *value)
{
	char path[160];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), KVM_DEBUGFS "/%s/vcpu0/%s", vm, file);
	f = fopen(path, "re");
	/* Unsigned in some versions of the file, signed in others. */
	ok = f && fscanf(f, "%lli", value) == 1;
	if (f)
		fclose(f);
	return ok;
}

const char *kvm_clock_read(pid_t vm, struct kvm_clock *c)
{
	long long offset, ratio, bits;
	char name[64];

	if (!find_vm(vm, name, sizeof(name)))
		return because("KVM shows no VM of process %d in " KVM_DEBUGFS
			       "; is debugfs mounted?", vm);
	if (!read_value(name, "tsc-offset", &offset))
		return because("KVM does not show " KVM_DEBUGFS "/%s/vcpu0/tsc-offset", name);
	c->offset_tsc = offset;
	/* There is none where the CPU cannot scale. */
	c->ratio = read_value(name, "tsc-scaling-ratio", &ratio) && ratio > 0 &&
		   read_value(name, "tsc-scaling-ratio-frac-bits", &bits) &&
		   bits >= 0 && bits < 63 ? (double)ratio / (double)(1LL << bits) : 1;
	return NULL;
}

/* Ticks as ns, of this host's counter. */
static double to_ns(double ticks)
{
	return ticks * 1e9 / (double)tsc_hz();
}

static void set_comparison(json_t *v, s64 offset, double error_ns, const struct kvm_clock *c)
{
	/* The sum of two numbers that nearly cancel: exact in integers only. */
	s64 difference = (s64)((u64)offset + (u64)c->offset_tsc);
	double ns = to_ns((double)llabs(difference));

	json_object_set_new(v, "kvm_offset_tsc", json_integer(c->offset_tsc));
	json_object_set_new(v, "difference_ns", json_number_or_null(ns, 0));
	/* The bound was rounded down to whole ns. */
	json_object_set_new(v, "agrees", json_boolean(ns <= error_ns + 1));
}

json_t *clock_json(const json_t *stats, const struct kvm_clock *c, const char *why)
{
	const json_t *offset = json_object_get(stats, "clock_offset_tsc");
	double error_ns = json_number_at(stats, "clock_error_ns");
	json_t *v = json_object();

	json_object_set_new(v, "offset_tsc", json_is_integer(offset) ?
			    json_incref((json_t *)offset) : json_null());
	json_object_set_new(v, "error_ns", json_number_or_null(error_ns, 0));
	if (!json_is_integer(offset) || !is_known(error_ns))
		why = "the two sides have exchanged no clocks";
	else if (!why && c->ratio != 1)
		why = because("KVM scales the guest's counter by %.6f: the offset of the exchange is "
			      "off by %.0f ns more with each second since, and so are latencies",
			      c->ratio, fabs(c->ratio - 1) * 1e9);
	if (!why) {
		set_comparison(v, json_integer_value(offset), error_ns, c);
		return v;
	}
	json_object_set_new(v, "kvm_offset_tsc", json_null());
	json_object_set_new(v, "difference_ns", json_null());
	json_object_set_new(v, "agrees", json_null());
	json_object_set_new(v, "why", json_string(why));
	return v;
}
