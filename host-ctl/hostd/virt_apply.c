// SPDX-License-Identifier: GPL-2.0-or-later
/* Brings a domain to what is wanted of it: pins, shares, quota, running or not; and back. */
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>

#include "cpulist.h"
#include "native.h"
#include "quota.h"
#include "vhost.h"
#include "virt.h"

#define MAP_BYTES	(CPU_SETSIZE / 8)
/* libvirt tells no process; this is where its daemon of the system notes it. */
#define PIDFILES	"/run/libvirt/qemu"
/* Of a domain that runs that is what it has now, not what it is to have later. */
#define NOW		VIR_DOMAIN_AFFECT_CURRENT

struct dom {
	virDomainPtr ptr;
	struct undo *undo;
	const struct conf_tenant *conf;
};

const char *virt_because(const char *what)
{
	static __thread char why[160];
	const char *text = virGetLastErrorMessage();

	snprintf(why, sizeof(why), "%s: %s", what, text ? text : "no reason given");
	return why;
}

static void target_of(virDomainPtr dom, const char *what, char target[UNDO_TARGET_MAX])
{
	char uuid[VIR_UUID_STRING_BUFLEN];

	virDomainGetUUIDString(dom, uuid);
	snprintf(target, UNDO_TARGET_MAX, "%s/%s", uuid, what);
}

bool virt_note(struct undo *undo, const struct undo_kind *kind, const struct conf_tenant *t,
	       virDomainPtr dom, const char *what, const char *value)
{
	char target[UNDO_TARGET_MAX];

	target_of(dom, what, target);
	return undo_note(undo, kind, t->name, target, value);
}

static bool note(const struct dom *d, const char *what, const char *value)
{
	return virt_note(d->undo, &virt_kind, d->conf, d->ptr, what, value);
}

/* ---- Maps of CPUs ---- */

/* The size that libvirt accepts for this host, and the set in its form. */
static int to_map(virDomainPtr dom, const cpu_set_t *set, unsigned char map[MAP_BYTES])
{
	int cpus = virNodeGetCPUMap(virDomainGetConnect(dom), NULL, NULL, 0), i;

	if (cpus <= 0 || cpus > CPU_SETSIZE)
		cpus = CPU_SETSIZE;
	memset(map, 0, MAP_BYTES);
	for (i = 0; i < cpus; i++)
		if (CPU_ISSET(i, set))
			VIR_USE_CPU(map, i);
	return VIR_CPU_MAPLEN(cpus);
}

static void from_map(const unsigned char *map, int bytes, char text[CPULIST_TEXT])
{
	cpu_set_t set;
	int i;

	CPU_ZERO(&set);
	for (i = 0; i < bytes * 8 && i < CPU_SETSIZE; i++)
		if (VIR_CPU_USED(map, i))
			CPU_SET(i, &set);
	cpulist_print(&set, text);
}

/* ---- Pins ---- */

static const char *note_pins(const struct dom *d, int vcpus, int bytes)
{
	unsigned char *maps = calloc((size_t)vcpus, (size_t)bytes);
	char what[32], text[CPULIST_TEXT];
	const char *why = NULL;
	int n, i;

	n = maps ? virDomainGetVcpuPinInfo(d->ptr, vcpus, maps, bytes, NOW) : -1;
	if (n < 0)
		why = virt_because("its pins cannot be read");
	for (i = 0; i < n && !why; i++) {
		snprintf(what, sizeof(what), "vcpu/%d", i);
		from_map(maps + (size_t)i * (size_t)bytes, bytes, text);
		if (!note(d, what, text))
			why = "its pins cannot be noted, so they are not changed";
	}
	free(maps);
	return why;
}

static const char *pin_emulator(const struct dom *d, unsigned char *map, int bytes)
{
	unsigned char before[MAP_BYTES] = { 0 };
	char text[CPULIST_TEXT];

	if (virDomainGetEmulatorPinInfo(d->ptr, before, bytes, NOW) < 0)
		return virt_because("its emulator's pin cannot be read");
	from_map(before, bytes, text);
	if (!note(d, "emulator", text))
		return "its emulator's pin cannot be noted, so it is not changed";
	return virDomainPinEmulator(d->ptr, map, bytes, NOW) < 0 ?
		virt_because("its emulator cannot be pinned") : NULL;
}

static const char *pin_vhost(const struct dom *d, const cpu_set_t *cpus)
{
	static __thread char why[96];
	pid_t process = vhost_process(PIDFILES, virDomainGetName(d->ptr));
	int rc = process ? vhost_confine(d->undo, d->conf->name, process, cpus) : 0;

	native_forget_gone(d->undo, d->conf->name);
	snprintf(why, sizeof(why), "its vhost threads cannot be moved: %s", strerror(-rc));
	return rc ? why : NULL;
}

static const char *pin(const struct dom *d, const cpu_set_t *cpus)
{
	unsigned char map[MAP_BYTES];
	int bytes = to_map(d->ptr, cpus, map), i;
	int vcpus = virDomainGetVcpusFlags(d->ptr, VIR_DOMAIN_AFFECT_LIVE);
	const char *why;

	if (vcpus <= 0 || vcpus > VIRT_VCPUS_MAX)
		return virt_because("its vCPUs cannot be counted");
	why = note_pins(d, vcpus, bytes);
	for (i = 0; i < vcpus && !why; i++)
		if (virDomainPinVcpuFlags(d->ptr, (unsigned int)i, map, bytes, NOW) < 0)
			why = virt_because("a vCPU cannot be pinned");
	if (why || !d->conf->emulator)
		return why;
	why = pin_emulator(d, map, bytes);
	return why ? why : pin_vhost(d, cpus);
}

/* ---- Shares and quota ---- */

#define SCHED_PARAMS	16	/* the most that libvirtd is asked for at once */
/* The kernel's period where a domain has none of its own, in us, and its least quota. */
#define PERIOD_US	100000
#define QUOTA_MIN_US	1000

/* A parameter of the scheduler, named in notes; .also: another driver's word for the same. */
struct sched {
	const char *name, *field, *also;
};

static const struct sched sched_shares = { "shares", VIR_DOMAIN_SCHEDULER_CPU_SHARES,
					   VIR_DOMAIN_SCHEDULER_WEIGHT };
static const struct sched sched_quota = { "quota", VIR_DOMAIN_SCHEDULER_VCPU_QUOTA, "" };
static const struct sched sched_period = { "period", VIR_DOMAIN_SCHEDULER_VCPU_PERIOD, "" };
/* Of all of its threads together. */
static const struct sched sched_limit = { "limit", VIR_DOMAIN_SCHEDULER_GLOBAL_QUOTA, "" };
static const struct sched sched_limit_period = { "limit-period",
						  VIR_DOMAIN_SCHEDULER_GLOBAL_PERIOD, "" };

static virTypedParameterPtr find_param(virTypedParameterPtr params, int n, const struct sched *s)
{
	int i;

	for (i = 0; i < n; i++)
		if (!strcmp(params[i].field, s->field) || !strcmp(params[i].field, s->also))
			return &params[i];
	return NULL;
}

static s64 get(const virTypedParameter *p)
{
	switch (p->type) {
	case VIR_TYPED_PARAM_ULLONG:
		return (s64)p->value.ul;
	case VIR_TYPED_PARAM_LLONG:
		return p->value.l;
	case VIR_TYPED_PARAM_INT:
		return p->value.i;
	default:
		return p->value.ui;
	}
}

static void put(virTypedParameterPtr p, s64 value)
{
	switch (p->type) {
	case VIR_TYPED_PARAM_ULLONG:
		p->value.ul = (unsigned long long)value;
		break;
	case VIR_TYPED_PARAM_LLONG:
		p->value.l = value;
		break;
	case VIR_TYPED_PARAM_INT:
		p->value.i = (int)value;
		break;
	default:
		p->value.ui = (unsigned int)value;
	}
}

/* Each vCPU's part of a CPU as time in the domain's own period. */
static s64 quota_us(virTypedParameterPtr params, int n, s64 percent)
{
	const virTypedParameter *period = find_param(params, n, &sched_period);
	s64 us = (period && get(period) > 0 ? get(period) : PERIOD_US) * percent / 100;

	return us > QUOTA_MIN_US ? us : QUOTA_MIN_US;
}

/* Sets it, noted before unless @d is NULL. A quota of @d's is in percent. */
static const char *exchange(virDomainPtr dom, const struct sched *s, s64 value, const struct dom *d)
{
	virTypedParameter params[SCHED_PARAMS];
	virTypedParameterPtr p;
	int n = SCHED_PARAMS;
	char text[24];

	if (virDomainGetSchedulerParameters(dom, params, &n) < 0)
		return virt_because("its shares and quota cannot be read");
	p = find_param(params, n, s);
	if (!p)
		return s == &sched_shares ? "it has no shares that could be set" :
		       "it has no quota that could be set";
	snprintf(text, sizeof(text), "%lld", (long long)get(p));
	if (d && !note(d, s->name, text))
		return "its shares and quota cannot be noted, so they are not changed";
	put(p, d && s == &sched_quota ? quota_us(params, n, value) : value);
	return virDomainSetSchedulerParametersFlags(dom, p, 1, NOW) < 0 ?
		virt_because("its shares or quota cannot be set") : NULL;
}

/* Gives one note back. */
static enum undo_done give_back(const struct dom *d, const char *what)
{
	char target[UNDO_TARGET_MAX];

	target_of(d->ptr, what, target);
	return undo_one(d->undo, &virt_kind, target);
}

/* The period comes first, and is given back last. */
static const char *limit(const struct dom *d, u32 percent)
{
	const char *why;

	if (!percent)
		return give_back(d, sched_limit.name) == UNDO_FAILED ||
		       give_back(d, sched_limit_period.name) == UNDO_FAILED ?
			"its quota in place of a clock cannot be lifted" : NULL;
	why = exchange(d->ptr, &sched_limit_period, QUOTA_PERIOD_US, d);
	return why ? why : exchange(d->ptr, &sched_limit, (s64)QUOTA_PERIOD_US * percent / 100, d);
}

/* ---- All of it ---- */

static const char *run_or_not(const struct dom *d, const struct virt_want *want, int state)
{
	if (want->suspend && state != VIR_DOMAIN_PAUSED) {
		if (!note(d, "suspended", "run"))
			return "that it runs cannot be noted, so it is not suspended";
		return virDomainSuspend(d->ptr) < 0 ? virt_because("it cannot be suspended") : NULL;
	}
	/* Only who was suspended by us. */
	if (want->resume && give_back(d, "suspended") == UNDO_FAILED)
		return virt_because("it cannot be resumed");
	return NULL;
}

static const char *apply_to(const struct dom *d, const struct virt_want *want, int state)
{
	const char *why = NULL;

	if (want->confine)
		why = pin(d, &want->cpus);
	if (!why && want->shares)
		why = exchange(d->ptr, &sched_shares, want->shares, d);
	if (!why && want->quota_percent)
		why = exchange(d->ptr, &sched_quota, want->quota_percent, d);
	if (!why && want->limit)
		why = limit(d, want->limit_percent);
	return why ? why : run_or_not(d, want, state);
}

const char *virt_apply(virConnectPtr conn, struct undo *undo, const struct conf_tenant *t,
		       const struct virt_want *want, int *id)
{
	struct dom d = { .undo = undo, .conf = t };
	const char *why = NULL;
	int state = VIR_DOMAIN_NOSTATE, reason;

	d.ptr = virDomainLookupByName(conn, t->domain);
	if (!d.ptr && virGetLastErrorCode() != VIR_ERR_NO_DOMAIN)
		return virt_because("it cannot be looked up");
	*id = d.ptr ? (int)virDomainGetID(d.ptr) : -1;
	if (*id >= 0) {
		virDomainGetState(d.ptr, &state, &reason, 0);
		why = apply_to(&d, want, state);
	}
	if (d.ptr)
		virDomainFree(d.ptr);
	return why;
}

/* ---- Back ---- */

static int repin(virDomainPtr dom, const char *what, const char *value)
{
	unsigned char map[MAP_BYTES];
	cpu_set_t set;
	int bytes;

	if (!cpulist_parse(value, &set))
		return -1;
	bytes = to_map(dom, &set, map);
	if (!strcmp(what, "emulator"))
		return virDomainPinEmulator(dom, map, bytes, NOW);
	return virDomainPinVcpuFlags(dom, (unsigned int)atoi(what + strlen("vcpu/")), map, bytes,
				     NOW);
}

static const struct sched *sched_of(const char *what)
{
	static const struct sched *const all[] = { &sched_shares, &sched_quota, &sched_limit,
						   &sched_limit_period };
	u32 i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!strcmp(all[i]->name, what))
			return all[i];
	return NULL;
}

bool virt_is_limit(const char *target)
{
	const char *what = strchr(target, '/');

	return what && (!strcmp(what + 1, sched_limit.name) ||
			!strcmp(what + 1, sched_limit_period.name));
}

/* Those that have come since go at last: virt_hotplug_kind. */
static int plug_again(virDomainPtr dom, int vcpus)
{
	int has = virDomainGetVcpusFlags(dom, VIR_DOMAIN_AFFECT_LIVE);

	return vcpus <= 0 || has <= 0 ? -1 : has >= vcpus ? 0 :
	       virDomainSetVcpusFlags(dom, (unsigned int)vcpus, VIR_DOMAIN_AFFECT_LIVE);
}

static int restore_one(virDomainPtr dom, const char *what, const char *value)
{
	if (sched_of(what))
		return exchange(dom, sched_of(what), strtoll(value, NULL, 10), NULL) ? -1 : 0;
	if (!strcmp(what, "emulator") || !strncmp(what, "vcpu/", strlen("vcpu/")))
		return repin(dom, what, value);
	if (!strcmp(what, "vcpus"))
		return plug_again(dom, atoi(value));
	if (!strcmp(what, "suspended"))
		return virDomainResume(dom);
	return -1;
}

/* A vCPU that is not there any more has no pin to be given back. */
static bool is_moot(virDomainPtr dom, const char *what)
{
	return !strncmp(what, "vcpu/", strlen("vcpu/")) &&
	       atoi(what + strlen("vcpu/")) >= virDomainGetVcpusFlags(dom, VIR_DOMAIN_AFFECT_LIVE);
}

enum undo_done virt_restore(const struct undo_where *w, const char *target, const char *value,
			    int (*one)(virDomainPtr dom, const char *what, const char *value))
{
	char uuid[VIR_UUID_STRING_BUFLEN];
	const char *what = strchr(target, '/');
	enum undo_done done = UNDO_FAILED;
	virConnectPtr conn;
	virDomainPtr dom;

	if (!what || (size_t)(what - target) >= sizeof(uuid))
		return UNDO_GONE;
	snprintf(uuid, sizeof(uuid), "%.*s", (int)(what - target), target);
	conn = virConnectOpen(w->libvirt);
	if (!conn)
		return UNDO_FAILED;
	dom = virDomainLookupByUUIDString(conn, uuid);
	if (!dom && virGetLastErrorCode() == VIR_ERR_NO_DOMAIN)
		done = UNDO_GONE;
	/* Of a domain that has ended all was live, and ended with it. */
	if (dom && (virDomainIsActive(dom) == 0 || is_moot(dom, what + 1)))
		done = UNDO_GONE;
	else if (dom && one(dom, what + 1, value) == 0)
		done = UNDO_DONE;
	if (dom)
		virDomainFree(dom);
	virConnectClose(conn);
	return done;
}

static enum undo_done restore(const struct undo_where *w, const char *target, const char *value)
{
	return virt_restore(w, target, value, restore_one);
}

const struct undo_kind virt_kind = { .name = "domain", .restore = restore, .slow = true };
