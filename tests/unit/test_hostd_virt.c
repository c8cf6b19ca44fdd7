// SPDX-License-Identifier: GPL-2.0-or-later
/* Domains of libvirt's own driver for tests, which keeps them in this process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "virt.h"

#define URI	"test:///default"
#define NS_S	1000000000ULL

static const struct undo_kind *const kinds[] = { &virt_kind, NULL };
static const struct undo_where where = { .libvirt = URI };
static struct undo undo;
static struct virt virt;
static virConnectPtr conn;
static virDomainPtr dom;
static struct conf_tenant conf;

/* ---- A scheduler in place of that driver's, which forgets what it is told ---- */

static struct {
	bool has_quota, fails;
	unsigned long long shares, period, limit_period;
	long long quota, limit;
} sched;

static void tell(virTypedParameterPtr p, const char *field, int type, unsigned long long value)
{
	memset(p, 0, sizeof(*p));
	snprintf(p->field, sizeof(p->field), "%s", field);
	p->type = type;
	p->value.ul = value;
}

int virDomainGetSchedulerParameters(virDomainPtr d, virTypedParameterPtr params, int *n)
{
	tell(&params[0], VIR_DOMAIN_SCHEDULER_CPU_SHARES, VIR_TYPED_PARAM_ULLONG, sched.shares);
	tell(&params[1], VIR_DOMAIN_SCHEDULER_VCPU_PERIOD, VIR_TYPED_PARAM_ULLONG, sched.period);
	tell(&params[2], VIR_DOMAIN_SCHEDULER_VCPU_QUOTA, VIR_TYPED_PARAM_LLONG,
	     (unsigned long long)sched.quota);
	tell(&params[3], VIR_DOMAIN_SCHEDULER_GLOBAL_PERIOD, VIR_TYPED_PARAM_ULLONG,
	     sched.limit_period);
	tell(&params[4], VIR_DOMAIN_SCHEDULER_GLOBAL_QUOTA, VIR_TYPED_PARAM_LLONG,
	     (unsigned long long)sched.limit);
	assert_true(*n <= 16);	/* libvirtd refuses more; the driver for tests takes any */
	*n = sched.has_quota ? 5 : 1;
	return 0;
}

int virDomainSetSchedulerParametersFlags(virDomainPtr d, virTypedParameterPtr p, int n,
					 unsigned int flags)
{
	if (n != 1 || sched.fails)
		return -1;
	if (!strcmp(p->field, VIR_DOMAIN_SCHEDULER_CPU_SHARES))
		sched.shares = p->value.ul;
	else if (!strcmp(p->field, VIR_DOMAIN_SCHEDULER_VCPU_QUOTA))
		sched.quota = p->value.l;
	else if (!strcmp(p->field, VIR_DOMAIN_SCHEDULER_GLOBAL_PERIOD))
		sched.limit_period = p->value.ul;
	else if (!strcmp(p->field, VIR_DOMAIN_SCHEDULER_GLOBAL_QUOTA))
		sched.limit = p->value.l;
	else
		return -1;
	return 0;
}

/* ---- Statistics in place of that driver's, which has none of vCPUs ---- */

static unsigned long long vcpu_ns[2];	/* 0: it is not there */

int virConnectGetAllDomainStats(virConnectPtr c, unsigned int stats, virDomainStatsRecordPtr **all,
				unsigned int flags)
{
	virDomainStatsRecordPtr r;
	int max = 0;

	*all = calloc(2, sizeof(**all));
	if (virDomainIsActive(dom) != 1)
		return 0;
	r = **all = calloc(1, sizeof(*r));
	virDomainRef(dom);
	r->dom = dom;
	virTypedParamsAddInt(&r->params, &r->nparams, &max, "state.state", VIR_DOMAIN_RUNNING);
	virTypedParamsAddUInt(&r->params, &r->nparams, &max, "vcpu.maximum", 2);
	virTypedParamsAddULLong(&r->params, &r->nparams, &max, "vcpu.0.time", vcpu_ns[0]);
	if (vcpu_ns[1])
		virTypedParamsAddULLong(&r->params, &r->nparams, &max, "vcpu.1.time", vcpu_ns[1]);
	return 1;
}

static void start(const char *uri, const char *domain)
{
	conf = (struct conf_tenant){ .name = "web", .emulator = true, .vcpus = CONF_HOTPLUG };
	snprintf(conf.domain, sizeof(conf.domain), "%s", domain);
	undo_init(&undo, NULL, kinds, &where);
	virt_init(&virt, uri, 60 * NS_S, &undo);
	virt.retry_ns = NS_S / 100;
	virt_add(&virt, &conf);
	assert_int_equal(virt_start(&virt), 0);
}

static void stop(void)
{
	assert_true(virt_stop(&virt, 20000));
	virt_fini(&virt);
	undo_fini(&undo);
}

static enum hc_enforced wait_for_end(void)
{
	enum hc_enforced e;
	char why[160];

	while ((e = virt_state(&virt, 0, why)) == HC_PENDING)
		usleep(1000);
	return e;
}

static void wait_for_vcpus(void)
{
	char why[160];
	u32 online;

	while (virt_vcpus_state(&virt, 0, &online, why) != HC_ENFORCED)
		usleep(1000);
}

static bool pinned_to(int vcpu, u32 cpu)
{
	unsigned char maps[16][128] = { { 0 } };
	int n = virDomainGetVcpuPinInfo(dom, 16, maps[0], 128, 0), i;

	for (i = 0; i < 1024; i++)
		if (VIR_CPU_USED(maps[vcpu], i) && (u32)i != cpu && i < 16)
			return false;
	return n > vcpu && VIR_CPU_USED(maps[vcpu], cpu);
}

static int state_of(void)
{
	int state, reason;

	assert_int_equal(virDomainGetState(dom, &state, &reason, 0), 0);
	return state;
}

static bool has_note(const char *what)
{
	u32 i;

	for (i = 0; i < undo.count; i++)
		if (strstr(undo.note[i].target, what))
			return true;
	return false;
}

static void test_placed(void **state)
{
	struct virt_want want = { .confine = true, .vcpus = 1, .shares = 77 };
	int vcpus = virDomainGetVcpusFlags(dom, VIR_DOMAIN_AFFECT_LIVE);

	sched.shares = 1024;
	start(URI, "test");
	CPU_ZERO(&want.cpus);
	CPU_SET(3, &want.cpus);
	assert_int_equal(virt_want(&virt, 0, &want), HC_PENDING);
	assert_int_equal(wait_for_end(), HC_ENFORCED);
	assert_true(pinned_to(0, 3));
	wait_for_vcpus();
	assert_int_equal(virDomainGetVcpusFlags(dom, VIR_DOMAIN_AFFECT_LIVE), 1);
	assert_int_equal(sched.shares, 77);
	assert_true(has_note("emulator"));
	assert_int_equal(undo_some(&undo, NULL, NULL, true), 0);
	assert_false(pinned_to(0, 3));
	assert_int_equal(virDomainGetVcpusFlags(dom, VIR_DOMAIN_AFFECT_LIVE), vcpus);
	assert_int_equal(undo.count, 0);
	assert_int_equal(sched.shares, 1024);
	stop();
}

/* A quota in the domain's own period, and back to none; one that it has not is told. */
static void test_quota(void **state)
{
	struct virt_want want = { .quota_percent = 25, .shares = 10 };
	char why[160];

	memset(&sched, 0, sizeof(sched));
	sched.has_quota = true;
	sched.shares = 512;
	sched.period = 40000;
	sched.quota = -1;
	start(URI, "test");
	virt_want(&virt, 0, &want);
	assert_int_equal(wait_for_end(), HC_ENFORCED);
	assert_int_equal(sched.quota, 10000);
	assert_int_equal(sched.shares, 10);
	/* Changed again it keeps what was there at first. */
	want.quota_percent = 1;
	virt_want(&virt, 0, &want);
	assert_int_equal(wait_for_end(), HC_ENFORCED);
	assert_int_equal(sched.quota, 1000);
	sched.period = 0;
	want.quota_percent = 50;
	virt_want(&virt, 0, &want);
	assert_int_equal(wait_for_end(), HC_ENFORCED);
	assert_int_equal(sched.quota, 50000);
	sched.fails = true;
	assert_int_equal(undo_some(&undo, NULL, NULL, true), 2);
	sched.fails = false;
	assert_int_equal(undo_some(&undo, NULL, NULL, true), 0);
	assert_true(sched.quota == -1 && sched.shares == 512);
	assert_int_equal(undo.count, 0);
	sched.has_quota = false;
	virt.timeout_ns = 1;
	virt_want(&virt, 0, &want);
	do
		usleep(1000);
	while (virt_state(&virt, 0, why) != HC_FAILED || !strstr(why, "no quota"));
	undo_some(&undo, NULL, NULL, true);
	stop();
}

/* In place of a clock: of all of the domain, and none at the highest clock. */
static void test_limit(void **state)
{
	struct virt_want want = { .limit = true, .limit_percent = 120 };

	memset(&sched, 0, sizeof(sched));
	sched.has_quota = true;
	sched.limit_period = 100000;
	sched.limit = sched.quota = -1;
	start(URI, "test");
	virt_want(&virt, 0, &want);
	assert_int_equal(wait_for_end(), HC_ENFORCED);
	assert_true(sched.limit == 12000 && sched.limit_period == 10000 && sched.quota == -1);
	want.limit_percent = 50;
	virt_want(&virt, 0, &want);
	assert_int_equal(wait_for_end(), HC_ENFORCED);
	assert_int_equal(sched.limit, 5000);
	assert_true(undo.count == 2 && virt_is_limit(undo.note[0].target) &&
		    virt_is_limit(undo.note[1].target));
	want.limit_percent = 0;
	virt_want(&virt, 0, &want);
	assert_int_equal(wait_for_end(), HC_ENFORCED);
	assert_true(sched.limit == -1 && sched.limit_period == 100000);
	assert_int_equal(undo.count, 0);
	assert_false(virt_is_limit("uuid/quota"));
	stop();
}

/* Suspended, and resumed only if that was ours. */
static void test_suspended(void **state)
{
	struct virt_want off = { .suspend = true }, on = { .resume = true };

	start(URI, "test");
	virt_want(&virt, 0, &on);
	assert_int_equal(wait_for_end(), HC_ENFORCED);
	assert_int_equal(state_of(), VIR_DOMAIN_RUNNING);
	virt_want(&virt, 0, &off);
	assert_int_equal(wait_for_end(), HC_ENFORCED);
	assert_int_equal(state_of(), VIR_DOMAIN_PAUSED);
	virt_want(&virt, 0, &on);
	assert_int_equal(wait_for_end(), HC_ENFORCED);
	assert_int_equal(state_of(), VIR_DOMAIN_RUNNING);
	assert_int_equal(undo.count, 0);
	/* Somebody else's. */
	virDomainSuspend(dom);
	virt_want(&virt, 0, &on);
	assert_int_equal(wait_for_end(), HC_ENFORCED);
	assert_int_equal(state_of(), VIR_DOMAIN_PAUSED);
	virDomainResume(dom);
	stop();
}

static struct virt_stats look(unsigned long long first, unsigned long long second)
{
	struct virt_stats before, s;

	virt_stats(&virt, 0, &before);
	vcpu_ns[0] = first;
	vcpu_ns[1] = second;
	do {
		virt_look(&virt);
		usleep(1000);
		virt_stats(&virt, 0, &s);
	} while (s.taken_ns == before.taken_ns);
	return s;
}

/* What a vCPU has used that goes stays used, and who comes in its place begins anew. */
static void test_statistics(void **state)
{
	struct virt_stats s;

	start(URI, "test");
	s = look(1000, 100);
	assert_true(s.running && s.vcpus == 2);
	assert_int_equal(s.id, (int)virDomainGetID(dom));
	assert_int_equal(s.cpu_ns, 1100);
	assert_int_equal(look(1300, 0).cpu_ns, 1400);
	assert_int_equal(look(1300, 50).cpu_ns, 1450);
	assert_int_equal(look(1300, 70).cpu_ns, 1470);
	/* It began anew between two looks. */
	assert_int_equal(look(1300, 60).cpu_ns, 1530);
	stop();
}

/* It goes, is nobody, and comes again: then it is brought where it should be. */
static void test_goes_away(void **state)
{
	struct virt_want want = { .confine = true, .vcpus = 1 };
	struct virt_stats s;

	start(URI, "test");
	CPU_ZERO(&want.cpus);
	CPU_SET(2, &want.cpus);
	assert_int_equal(virDomainDestroy(dom), 0);
	virt_want(&virt, 0, &want);
	assert_int_equal(wait_for_end(), HC_NOBODY);
	assert_int_equal(virDomainCreate(dom), 0);
	do {
		virt_look(&virt);
		virt_again(&virt);
		usleep(1000);
		virt_stats(&virt, 0, &s);
	} while (!s.running || s.id != virt.domain[0].at || wait_for_end() != HC_ENFORCED);
	assert_true(pinned_to(0, 2));
	/* Notes of a domain that does not run are moot. */
	assert_int_equal(virDomainDestroy(dom), 0);
	assert_int_equal(undo_some(&undo, NULL, NULL, true), 0);
	assert_int_equal(undo.count, 0);
	assert_int_equal(virDomainCreate(dom), 0);
	stop();
}

/* No such domain is nobody; no libvirtd is a failure that is tried on. */
static void test_unreachable(void **state)
{
	struct virt_want want = { .confine = true };
	char why[160];

	start(URI, "no such domain");
	virt_want(&virt, 0, &want);
	assert_int_equal(wait_for_end(), HC_NOBODY);
	stop();

	start("qemu+unix:///system?socket=/nonexistent", "test");
	virt.timeout_ns = 1;
	virt_want(&virt, 0, &want);
	do
		usleep(1000);
	while (virt_state(&virt, 0, why) != HC_FAILED || !strstr(why, "does not answer"));
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_placed), cmocka_unit_test(test_quota), cmocka_unit_test(test_limit),
		cmocka_unit_test(test_suspended),
		cmocka_unit_test(test_statistics), cmocka_unit_test(test_goes_away),
		cmocka_unit_test(test_unreachable),
	};

	conn = virConnectOpen(URI);
	dom = conn ? virDomainLookupByName(conn, "test") : NULL;
	if (!dom)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
