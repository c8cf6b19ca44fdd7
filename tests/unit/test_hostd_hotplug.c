// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vCPUs that are plugged and unplugged: domains of libvirt's own driver for tests, and in
 * place of its way to set their number, which always succeeds at once, a guest that lets go of
 * a vCPU, keeps it, takes long, or lets go of it afterwards.
 */
#include "virt_bed.h"

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool keeps, slow, full;
	int calls, takes;	/* all; and those that were to take some away */
} guest = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static int has(void)
{
	return virDomainGetVcpusFlags(dom, VIR_DOMAIN_AFFECT_LIVE);
}

/* As libvirt does: what fails was asked for all the same. */
int virDomainSetVcpusFlags(virDomainPtr d, unsigned int n, unsigned int flags)
{
	bool less = (int)n < has(), kept;

	assert_int_equal(flags, VIR_DOMAIN_AFFECT_LIVE);
	pthread_mutex_lock(&guest.lock);
	guest.calls++;
	guest.takes += less;
	pthread_cond_broadcast(&guest.changed);
	while (guest.slow)
		pthread_cond_wait(&guest.changed, &guest.lock);
	kept = less ? guest.keeps : guest.full;
	pthread_mutex_unlock(&guest.lock);
	return kept ? -1 : virDomainSetVcpus(d, n);
}

static void be(bool keeps, bool slow)
{
	pthread_mutex_lock(&guest.lock);
	guest.keeps = keeps;
	guest.slow = slow;
	pthread_cond_broadcast(&guest.changed);
	pthread_mutex_unlock(&guest.lock);
}

/* Until one more is asked for than @since. */
static void await_take(int since)
{
	pthread_mutex_lock(&guest.lock);
	while (guest.takes == since)
		pthread_cond_wait(&guest.changed, &guest.lock);
	pthread_mutex_unlock(&guest.lock);
}

static int takes(void)
{
	int n;

	pthread_mutex_lock(&guest.lock);
	n = guest.takes;
	pthread_mutex_unlock(&guest.lock);
	return n;
}

static int begin(void **state)
{
	be(false, false);
	guest.full = false;
	guest.calls = guest.takes = 0;
	assert_int_equal(virDomainSetVcpus(dom, 2), 0);
	bed_begin(CONF_HOTPLUG);
	return 0;
}

static int end(void **state)
{
	be(false, false);
	bed_end();
	assert_int_equal(has(), 2);
	return 0;
}

/* Is @vcpu pinned to CPU 1, where want() has it? */
static bool pinned(int vcpu)
{
	unsigned char maps[4][128] = { { 0 } };
	int n = virDomainGetVcpuPinInfo(dom, 4, maps[0], 128, 0);

	return n > vcpu && VIR_CPU_USED(maps[vcpu], 1) && !VIR_CPU_USED(maps[vcpu], 0) &&
	       !VIR_CPU_USED(maps[vcpu], 2);
}

/* ---- Tests ---- */

/* Taken away, given again, and then pinned as the other one. */
static void test_follows(void **state)
{
	char why[160];
	u32 online;

	want(0, 1, false);
	assert_int_equal(pins(0), HC_ENFORCED);
	await(HC_ENFORCED);
	assert_int_equal(has(), 1);
	assert_true(vcpus(&online, why) == HC_ENFORCED && online == 1 && !*why);
	want(0, 2, false);
	await(HC_ENFORCED);
	assert_int_equal(pins(0), HC_ENFORCED);
	assert_true(has() == 2 && pinned(0) && pinned(1));
	/* More than it can have is all. */
	want(0, 7, false);
	await(HC_ENFORCED);
	assert_int_equal(guest.calls, 2);
}

/* It waits until it may: the pins do not. */
static void test_held(void **state)
{
	want(0, 1, true);
	assert_int_equal(pins(0), HC_ENFORCED);
	usleep(20000);
	assert_true(has() == 2 && !takes());
	virt_let_vcpus(&virt, 0);
	await(HC_ENFORCED);
	assert_int_equal(has(), 1);
}

/* It is pinned all the same, and asked again, but not soon: whatever is wanted meanwhile. */
static void test_kept(void **state)
{
	be(true, false);
	virt.retry_ns = NS_S;
	want(0, 1, false);
	assert_int_equal(pins(0), HC_ENFORCED);
	await_why("cannot be unplugged");
	assert_true(has() == 2 && pinned(0) && pinned(1));
	assert_int_equal(takes(), 1);
	want(0, 2, false);
	await(HC_ENFORCED);
	want(0, 1, false);
	await_why("not asked yet");
	assert_int_equal(takes(), 1);
	be(false, false);
	pthread_mutex_lock(&virt.lock);
	virt.domain[0].vcpus.patient_ns = virt.domain[0].vcpus.look_ns = 0;
	pthread_mutex_unlock(&virt.lock);
	await(HC_ENFORCED);
	assert_true(has() == 1 && takes() == 2);
}

/* What it keeps is asked for again by itself. */
static void test_asked_again(void **state)
{
	be(true, false);
	virt.retry_ns = NS_S / 1000;
	want(0, 1, false);
	await_take(0);
	await_take(1);
	await_why("cannot be unplugged");
	be(false, false);
	await(HC_ENFORCED);
	assert_int_equal(has(), 1);
}

/* It holds up its own domain alone, which is brought to its place as soon as that ends. */
static void test_slow(void **state)
{
	char why[160];
	u32 online;

	be(true, true);
	want(0, 1, false);
	assert_int_equal(pins(0), HC_ENFORCED);
	await_take(0);
	assert_int_equal(vcpus(&online, why), HC_PENDING);
	want(1, 1, false);
	assert_int_equal(pins(1), HC_ENFORCED);
	want(0, 2, false);
	usleep(20000);
	assert_int_equal(virt_state(&virt, 0, why), HC_PENDING);
	virt.timeout_ns = 1;
	assert_int_equal(virt_state(&virt, 0, why), HC_FAILED);
	assert_non_null(strstr(why, "waits for its guest"));
	virt.timeout_ns = 60 * NS_S;
	be(true, false);
	assert_int_equal(pins(0), HC_ENFORCED);
	await(HC_ENFORCED);
	assert_int_equal(has(), 2);
}

/* Too late for the time-out, and in time for libvirt. */
static void test_late(void **state)
{
	be(false, true);
	want(0, 1, false);
	await_take(0);
	virt.timeout_ns = 1;
	await_why("not let go of a vCPU in time");
	be(false, false);
	await(HC_ENFORCED);
	assert_int_equal(has(), 1);
}

/* It lets go afterwards, when the vCPU is wanted again: so it is plugged again. */
static void test_let_go_afterwards(void **state)
{
	be(true, false);
	want(0, 1, false);
	await_why("cannot be unplugged");
	want(0, 2, false);
	await(HC_ENFORCED);
	assert_int_equal(virDomainSetVcpus(dom, 1), 0);
	while (has() != 2)
		usleep(1000);
	await(HC_ENFORCED);
	assert_true(pinned(1));
}

/* Where none can be plugged those that are there have their place. */
static void test_not_plugged(void **state)
{
	assert_int_equal(virDomainSetVcpus(dom, 1), 0);
	guest.full = true;
	want(0, 2, false);
	assert_int_equal(pins(0), HC_ENFORCED);
	await_why("cannot be plugged");
	assert_true(has() == 1 && pinned(0));
	guest.full = false;
	await(HC_ENFORCED);
	assert_true(has() == 2 && pinned(1));
	assert_int_equal(virt_stop(&virt, 20000), true);
	assert_int_equal(undo_some(&undo, NULL, NULL, true), 0);
	assert_int_equal(has(), 1);
	assert_int_equal(virDomainSetVcpus(dom, 2), 0);
}

/* All else is given back before, and it is asked again. */
static void test_kept_at_the_end(void **state)
{
	assert_int_equal(virDomainSetVcpus(dom, 1), 0);
	want(0, 2, false);
	await(HC_ENFORCED);
	assert_true(pinned(0) && pinned(1));
	assert_true(virt_stop(&virt, 20000));
	be(true, false);
	assert_int_equal(undo_some(&undo, NULL, NULL, true), 1);
	assert_true(undo.count == 1 && undo.note[0].kind == &virt_hotplug_kind);
	assert_true(has() == 2 && !pinned(0) && !pinned(1));
	be(false, false);
	assert_int_equal(undo_some(&undo, NULL, NULL, true), 0);
	assert_int_equal(has(), 1);
	assert_int_equal(virDomainSetVcpus(dom, 2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_follows, begin, end),
		cmocka_unit_test_setup_teardown(test_held, begin, end),
		cmocka_unit_test_setup_teardown(test_kept, begin, end),
		cmocka_unit_test_setup_teardown(test_asked_again, begin, end),
		cmocka_unit_test_setup_teardown(test_slow, begin, end),
		cmocka_unit_test_setup_teardown(test_late, begin, end),
		cmocka_unit_test_setup_teardown(test_let_go_afterwards, begin, end),
		cmocka_unit_test_setup_teardown(test_not_plugged, begin, end),
		cmocka_unit_test_setup_teardown(test_kept_at_the_end, begin, end),
	};

	if (!bed_connect())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
