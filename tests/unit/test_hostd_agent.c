// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vCPUs by the guest's agent: domains of libvirt's own driver for tests, and in place of its
 * agents, which it has not, one that does what it is asked, or is absent, silent, or lies.
 */
#include "virt_bed.h"

#include <libvirt/virterror.h>

#include "cpulist.h"

/* ---- The agent of "test", which has two vCPUs ---- */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool absent, silent, lies;
	cpu_set_t online;
	int looks, sets, limit;
} agent = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

/* With its lock, as long as it is silent; -1: it fails. */
static int answer(void)
{
	while (agent.silent)
		pthread_cond_wait(&agent.changed, &agent.lock);
	return agent.absent ? -1 : 0;
}

int virDomainGetGuestVcpus(virDomainPtr d, virTypedParameterPtr *params, unsigned int *n,
			   unsigned int flags)
{
	char text[CPULIST_TEXT];
	int max = 0, count = 0, rc;

	pthread_mutex_lock(&agent.lock);
	agent.looks++;
	pthread_cond_broadcast(&agent.changed);
	rc = answer();
	cpulist_print(&agent.online, text);
	pthread_mutex_unlock(&agent.lock);
	*params = NULL;
	if (!rc)
		rc = virTypedParamsAddString(params, &count, &max, "online", text);
	*n = (unsigned int)count;
	return rc;
}

int virDomainSetGuestVcpus(virDomainPtr d, const char *list, int state, unsigned int flags)
{
	cpu_set_t set;
	int i, rc;

	assert_true(cpulist_parse(list, &set));
	pthread_mutex_lock(&agent.lock);
	agent.sets++;
	rc = answer();
	for (i = 0; i < CPU_SETSIZE && !rc && !agent.lies; i++) {
		if (!CPU_ISSET((size_t)i, &set))
			continue;
		assert_in_range(i, 0, 1);
		if (state)
			CPU_SET((size_t)i, &agent.online);
		else
			CPU_CLR((size_t)i, &agent.online);
	}
	pthread_mutex_unlock(&agent.lock);
	return rc;
}

int virDomainAgentSetResponseTimeout(virDomainPtr d, int timeout, unsigned int flags)
{
	pthread_mutex_lock(&agent.lock);
	agent.limit = timeout;
	pthread_mutex_unlock(&agent.lock);
	return 0;
}

static void be(bool absent, bool silent, bool lies)
{
	pthread_mutex_lock(&agent.lock);
	agent.absent = absent;
	agent.silent = silent;
	agent.lies = lies;
	pthread_cond_broadcast(&agent.changed);
	pthread_mutex_unlock(&agent.lock);
}

/* As after a boot. */
static void all_on_line(void)
{
	pthread_mutex_lock(&agent.lock);
	assert_true(cpulist_parse("0-1", &agent.online));
	pthread_mutex_unlock(&agent.lock);
}

static bool is_online(size_t cpu)
{
	bool is;

	pthread_mutex_lock(&agent.lock);
	is = CPU_ISSET(cpu, &agent.online);
	pthread_mutex_unlock(&agent.lock);
	return is;
}

static int looks(void)
{
	int n;

	pthread_mutex_lock(&agent.lock);
	n = agent.looks;
	pthread_mutex_unlock(&agent.lock);
	return n;
}

/* It is asked, and not yet heard. */
static void await_look(int since)
{
	pthread_mutex_lock(&agent.lock);
	while (agent.looks == since)
		pthread_cond_wait(&agent.changed, &agent.lock);
	pthread_mutex_unlock(&agent.lock);
}

/* ---- The controller's side ---- */

static int begin(void **state)
{
	be(false, false, false);
	all_on_line();
	agent.sets = agent.limit = 0;
	bed_begin(CONF_AGENT);
	return 0;
}

static int end(void **state)
{
	be(false, false, false);
	bed_end();
	return 0;
}

/* ---- Tests ---- */

static void test_parked(void **state)
{
	char why[160];
	u32 online;

	want(0, 1, false);
	assert_int_equal(pins(0), HC_ENFORCED);
	await(HC_ENFORCED);
	assert_true(is_online(0) && !is_online(1));
	assert_int_equal(vcpus(&online, why), HC_ENFORCED);
	assert_true(online == 1 && !*why);
	assert_int_equal(agent.limit, 60);
	/* Once it is so nobody is told to do it again. */
	await_look(looks());
	assert_int_equal(agent.sets, 1);
	want(0, 2, false);
	await(HC_ENFORCED);
	assert_true(is_online(0) && is_online(1));
	/* More than it has is all. */
	want(0, 7, false);
	await(HC_ENFORCED);
	assert_int_equal(agent.sets, 2);
}

/* What was off line before is off line afterwards; and libvirt's patience is as it was. */
static void test_given_back(void **state)
{
	CPU_CLR(1, &agent.online);
	want(0, 2, false);
	await(HC_ENFORCED);
	assert_true(is_online(1));
	assert_true(virt_stop(&virt, 20000));
	assert_int_equal(undo_some(&undo, NULL, NULL, true), 0);
	assert_true(is_online(0) && !is_online(1));
	assert_int_equal(agent.limit, VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK);
	assert_int_equal(undo.count, 0);
}

/* Pins do not depend on it, and when it is there it is asked. */
static void test_absent(void **state)
{
	be(true, false, false);
	want(0, 1, false);
	assert_int_equal(pins(0), HC_ENFORCED);
	await_why("does not tell of its vCPUs");
	assert_true(is_online(1) && undo.count > 0);
	be(false, false, false);
	await(HC_ENFORCED);
	assert_false(is_online(1));
	/* One that goes away later is told, too; and not waited for. */
	be(true, false, false);
	await(HC_FAILED);
	want(0, 2, false);
	await_why("does not tell of its vCPUs");
}

/* It holds up nobody: not its own pins, not another domain. */
static void test_silent(void **state)
{
	int before = looks();
	char why[160];
	u32 online;

	be(false, true, false);
	want(0, 1, false);
	assert_int_equal(pins(0), HC_ENFORCED);
	assert_int_equal(vcpus(&online, why), HC_PENDING);
	await_look(before);
	want(1, 1, false);
	assert_int_equal(pins(1), HC_ENFORCED);
	want(0, 1, false);
	assert_int_equal(pins(0), HC_ENFORCED);
	virt.timeout_ns = 1;
	await_why("not answered in time");
	virt.timeout_ns = 60 * NS_S;
	be(false, false, false);
	await(HC_ENFORCED);
	assert_false(is_online(1));
}

/* What was wanted before, and is not any more, is not done by one that answers late. */
static void test_late(void **state)
{
	int before = looks();

	be(false, true, false);
	want(0, 1, false);
	await_look(before);
	want(0, 2, false);
	be(false, false, false);
	await(HC_ENFORCED);
	assert_true(is_online(1));
	assert_int_equal(agent.sets, 0);
}

static void test_lies(void **state)
{
	be(false, false, true);
	want(0, 1, false);
	await_why("says that it is done");
	be(false, false, false);
	await(HC_ENFORCED);
	/* A guest that boots anew has all on line. */
	all_on_line();
	while (is_online(1))
		usleep(1000);
}

/* What the guest says is noted and compared as far as it can be. */
static void test_odd(void **state)
{
	pthread_mutex_lock(&agent.lock);
	assert_true(cpulist_parse("0-1,3,9-1000", &agent.online));
	pthread_mutex_unlock(&agent.lock);
	want(0, 1, false);
	await(HC_ENFORCED);
	assert_false(is_online(1));
	assert_string_equal(undo.note[undo.count - 1].value, "0-1");
}

/* It waits until it may: the pins do not. */
static void test_held(void **state)
{
	int before = looks();
	char why[160];
	u32 online;

	want(0, 1, true);
	assert_int_equal(pins(0), HC_ENFORCED);
	/* More than once it would have been asked by then. */
	usleep(20000);
	assert_true(is_online(1) && looks() == before);
	assert_int_equal(vcpus(&online, why), HC_PENDING);
	virt_let_vcpus(&virt, 0);
	await(HC_ENFORCED);
	assert_false(is_online(1));
}

/* It ends while it is asked: nothing has failed, and the next run of it is brought there. */
static void test_ends(void **state)
{
	int before = looks();
	char why[160];
	u32 online;

	be(true, true, false);
	want(0, 1, false);
	await_look(before);
	assert_int_equal(virDomainDestroy(dom), 0);
	be(true, false, false);
	virt_look(&virt);
	await(HC_NOBODY);
	assert_int_equal(vcpus(&online, why), HC_NOBODY);
	assert_int_equal(*why, 0);
	be(false, false, false);
	agent.limit = 0;
	assert_int_equal(virDomainCreate(dom), 0);
	do {
		virt_look(&virt);
		virt_again(&virt);
		usleep(1000);
	} while (vcpus(&online, why) != HC_ENFORCED);
	assert_false(is_online(1));
	assert_int_equal(agent.limit, 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_parked, begin, end),
		cmocka_unit_test_setup_teardown(test_given_back, begin, end),
		cmocka_unit_test_setup_teardown(test_absent, begin, end),
		cmocka_unit_test_setup_teardown(test_silent, begin, end),
		cmocka_unit_test_setup_teardown(test_late, begin, end),
		cmocka_unit_test_setup_teardown(test_lies, begin, end),
		cmocka_unit_test_setup_teardown(test_odd, begin, end),
		cmocka_unit_test_setup_teardown(test_held, begin, end),
		cmocka_unit_test_setup_teardown(test_ends, begin, end),
	};

	if (!bed_connect())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
