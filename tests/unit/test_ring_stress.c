// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Driver and device in two threads. First the barriers alone; then both block
 * for each other at random thresholds: no item lost or out of order, no wake-up
 * lost, which is what a wait of 10 s is taken for.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>

#include "rand.h"
#include "ring_fixture.h"

#define SLOTS		64u
#define WAIT_S		10
#define BURST_MAX	32u

/* Enough for the indices to wrap. */
#ifdef __SANITIZE_THREAD__
#define ITEMS		80000u
#define ROUNDS		20000u
#else
#define ITEMS		300000u
#define ROUNDS		100000u
#endif

static struct guest guest;
static struct rp_drv drv;
static struct rp_dev dev;
static sem_t kick, call;
static u64 seed;
static bool event_idx;
/* NULL, or what a thread found; the other then ends too. */
static const char *failed;
static bool finished;
static u64 blocks[2];

static bool give_up(const char *why)
{
	rp_store(&failed, why);
	sem_post(&kick);
	sem_post(&call);
	return false;
}

static bool wait_for(sem_t *sem, const char *lost)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += WAIT_S;
	if (sem_clockwait(sem, CLOCK_MONOTONIC, &until))
		return give_up(lost);
	return !rp_load(&failed);
}

static u64 *item(u16 head)
{
	return (u64 *)(guest.buffers + head * 8u);
}

static bool reclaim(u64 *reclaimed)
{
	u32 written;
	u64 *token;

	while ((token = rp_drv_get_used(&drv, &written))) {
		if (*token != *reclaimed)
			return give_up("used buffers came in another order");
		(*reclaimed)++;
	}
	return drv.broken ? give_up(drv.broken) : true;
}

static u32 add(u64 seq, u32 max)
{
	u32 n;

	for (n = 0; n < max && seq + n < ITEMS && drv.num_free; n++) {
		u64 *i = item(rp_drv_next(&drv));

		*i = seq + n;
		rp_drv_add_one(&drv, i, 8, false, i);
	}
	return n;
}

/*
 * Thresholds of both sides together stay within the ring, else the two can
 * wait for each other: one for k free slots, one for k items.
 */
static bool driver_blocks(u64 *rng)
{
	bool ok = true;

	if (!rp_drv_arm(&drv, 1 + test_below(rng, SLOTS / 2))) {
		blocks[0]++;
		ok = wait_for(&call, "the driver's wake-up was lost");
	}
	rp_drv_disarm(&drv);
	return ok;
}

static void *driver(void *unused)
{
	u64 rng = seed, seq = 0, reclaimed = 0;
	u32 n;

	while (reclaim(&reclaimed) && reclaimed < ITEMS) {
		n = add(seq, 1 + test_below(&rng, BURST_MAX));
		seq += n;
		if (n) {
			rp_drv_publish(&drv);
			if (rp_drv_need_kick(&drv))
				sem_post(&kick);
		}
		if (seq == ITEMS && !rp_load(&finished)) {
			/* Fewer than the device's threshold may be left. */
			rp_store_release(&finished, true);
			sem_post(&kick);
		}
		if (!n && !driver_blocks(&rng))
			break;
	}
	return NULL;
}

static u32 take(u64 *rng, u64 *next)
{
	u32 n, max = 1 + test_below(rng, BURST_MAX);
	struct rp_buf buf[BURST_MAX];
	struct rp_chain c;
	u32 i;

	n = rp_dev_get_burst(&dev, buf, max);
	for (i = 0; i < n; i++, (*next)++) {
		if (*(u64 *)buf[i].base != *next)
			give_up("item lost or out of order");
		rp_dev_put(&dev, buf[i].head, 0);
	}
	if (!rp_dev_get(&dev, &c))
		return n;
	if (*(u64 *)c.seg[0].base != *next)
		give_up("item lost or out of order");
	(*next)++;
	rp_dev_put(&dev, c.head, 0);
	return n + 1;
}

static bool device_blocks(u64 *rng)
{
	u32 k = 1 + test_below(rng, SLOTS / 2);
	bool ok = true;

	/* At the end no more than what is there will come. */
	if (rp_load_acquire(&finished))
		k = 1;
	if (!rp_dev_arm(&dev, k)) {
		blocks[1]++;
		ok = wait_for(&kick, "the device's wake-up was lost");
	}
	rp_dev_disarm(&dev);
	return ok;
}

static void *device(void *unused)
{
	u64 rng = ~seed, next = 0;
	u32 n;

	while (next < ITEMS && !rp_load(&failed)) {
		n = take(&rng, &next);
		if (dev.broken)
			give_up(dev.broken);
		if (!n) {
			if (!device_blocks(&rng))
				break;
			continue;
		}
		rp_dev_publish(&dev);
		if (rp_dev_need_call(&dev))
			sem_post(&call);
	}
	/* Fewer than the driver's threshold may have been left. */
	sem_post(&call);
	return NULL;
}

static void open_ring(bool with_event_idx)
{
	event_idx = with_event_idx;
	assert_true(guest_init(&guest, SLOTS, 2 * GUEST_PAGE));
	assert_int_equal(rp_drv_init(&drv, &guest.ring, event_idx,
				     guest_delta(&guest)), 0);
	assert_int_equal(rp_dev_init(&dev, &guest.ring, &guest.mem, event_idx, 0), 0);
}

static void close_ring(void)
{
	rp_drv_free(&drv);
	guest_free(&guest);
}

static void stress(bool with_event_idx)
{
	pthread_t thread[2];

	seed = test_seed();
	failed = NULL;
	finished = false;
	blocks[0] = blocks[1] = 0;
	sem_init(&kick, 0, 0);
	sem_init(&call, 0, 0);
	open_ring(with_event_idx);
	assert_int_equal(pthread_create(&thread[0], NULL, driver, NULL), 0);
	assert_int_equal(pthread_create(&thread[1], NULL, device, NULL), 0);
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
	printf("# blocked: driver %llu, device %llu\n",
	       (unsigned long long)blocks[0], (unsigned long long)blocks[1]);
	if (failed)
		fail_msg("%s", failed);
	assert_int_equal(dev.used_idx, (u16)ITEMS);
	assert_int_equal(drv.last_used, (u16)ITEMS);
	close_ring();
}

/*
 * The barriers: one side publishes and asks whether to notify while the other
 * arms and looks. At least one of them must see the other, in every round.
 */
static u32 go, done;
static bool device_told;

static void await(const u32 *at, u32 value)
{
	u32 spins;

	for (spins = 0; rp_load_acquire(at) != value; spins++)
		if (spins % 2048 == 2047)
			sched_yield();
}

/* Lets the two meet at all distances. */
static void jitter(u64 *rng)
{
	volatile u32 n = test_below(rng, 64);

	while (n)
		n--;
}

static void *meeting_device(void *unused)
{
	struct rp_chain c;
	u64 rng = ~seed;
	u32 r;

	for (r = 0; r < 2 * ROUNDS; r += 2) {
		await(&go, r + 1);
		jitter(&rng);
		device_told = rp_dev_arm(&dev, 1);
		rp_store_release(&done, r + 1);

		await(&go, r + 2);
		rp_dev_disarm(&dev);
		if (rp_dev_get(&dev, &c))
			rp_dev_put(&dev, c.head, 0);
		jitter(&rng);
		rp_dev_publish(&dev);
		device_told = rp_dev_need_call(&dev);
		rp_store_release(&done, r + 2);
	}
	return NULL;
}

static void meet(bool with_event_idx)
{
	u32 r, written, missed = 0;
	pthread_t thread;
	u64 rng;
	bool told;

	rng = seed = test_seed();
	go = done = 0;
	open_ring(with_event_idx);
	rp_dev_need_call(&dev);		/* the one that is owed */
	assert_int_equal(pthread_create(&thread, NULL, meeting_device, NULL), 0);
	for (r = 0; r < 2 * ROUNDS; r += 2) {
		add(r / 2, 1);
		rp_store_release(&go, r + 1);
		jitter(&rng);
		rp_drv_publish(&drv);
		told = rp_drv_need_kick(&drv);
		await(&done, r + 1);
		missed += !told && !device_told;

		rp_store_release(&go, r + 2);
		jitter(&rng);
		told = rp_drv_arm(&drv, 1);
		await(&done, r + 2);
		missed += !told && !device_told;
		rp_drv_disarm(&drv);
		rp_drv_get_used(&drv, &written);
	}
	pthread_join(thread, NULL);
	assert_int_equal(missed, 0);
	assert_int_equal(drv.last_used, (u16)ROUNDS);
	close_ring();
}

/*
 * One barrier for two rings: the device publishes in both, and looks at both events
 * behind a single one, while either driver arms. So it is between two ports, where what
 * is one ring's used buffer has been the other's.
 */
struct lane {
	struct guest guest;
	struct rp_drv drv;
	struct rp_dev dev;
	bool told;		/* the device was */
};

static struct lane lanes[2];

static void lane_open(struct lane *l, bool with_event_idx)
{
	assert_true(guest_init(&l->guest, SLOTS, 2 * GUEST_PAGE));
	assert_int_equal(rp_drv_init(&l->drv, &l->guest.ring, with_event_idx,
				     guest_delta(&l->guest)), 0);
	assert_int_equal(rp_dev_init(&l->dev, &l->guest.ring, &l->guest.mem, with_event_idx, 0),
			 0);
	rp_dev_need_call(&l->dev);	/* the one that is owed */
}

static void *device_of_two(void *unused)
{
	struct rp_chain c;
	u64 rng = ~seed;
	u32 r, i, wish;

	for (r = 0; r < 2 * ROUNDS; r += 2) {
		await(&go, r + 1);
		for (i = 0; i < 2; i++) {
			if (rp_dev_get(&lanes[i].dev, &c))
				rp_dev_put(&lanes[i].dev, c.head, 0);
			/* The event's line is here then, and a look would be fast, if let. */
			rp_dev_owes_call(&lanes[i].dev, &wish);
		}
		rp_store_release(&done, r + 1);

		await(&go, r + 2);
		jitter(&rng);
		rp_dev_publish(&lanes[0].dev);
		rp_dev_publish(&lanes[1].dev);
		/* Pairs with the barriers in both drivers' arm. */
		rp_mb();
		for (i = 0; i < 2; i++)
			lanes[i].told = rp_dev_wants_call(&lanes[i].dev);
		rp_store_release(&done, r + 2);
	}
	return NULL;
}

static void meet_two(bool with_event_idx)
{
	u32 r, i, k, written, missed = 0;
	pthread_t thread;
	bool told[2];
	u64 rng;

	rng = seed = test_seed();
	go = done = 0;
	for (i = 0; i < 2; i++)
		lane_open(&lanes[i], with_event_idx);
	assert_int_equal(pthread_create(&thread, NULL, device_of_two, NULL), 0);
	for (r = 0; r < 2 * ROUNDS; r += 2) {
		for (i = 0; i < 2; i++) {
			assert_true(rp_drv_add_one(&lanes[i].drv, lanes[i].guest.buffers, 8, false,
						   lanes[i].guest.buffers));
			rp_drv_publish(&lanes[i].drv);
		}
		rp_store_release(&go, r + 1);
		await(&done, r + 1);

		rp_store_release(&go, r + 2);
		jitter(&rng);
		for (k = 0; k < 2; k++) {
			i = (k + r / 2) & 1;
			told[i] = rp_drv_arm(&lanes[i].drv, 1);
		}
		await(&done, r + 2);
		for (i = 0; i < 2; i++) {
			missed += !told[i] && !lanes[i].told;
			rp_drv_disarm(&lanes[i].drv);
			rp_drv_get_used(&lanes[i].drv, &written);
		}
	}
	pthread_join(thread, NULL);
	assert_int_equal(missed, 0);
	for (i = 0; i < 2; i++) {
		assert_int_equal(lanes[i].drv.last_used, (u16)ROUNDS);
		rp_drv_free(&lanes[i].drv);
		guest_free(&lanes[i].guest);
	}
}

static void test_one_barrier(void **state)
{
	meet_two(true);
	meet_two(false);
}

static void test_barriers(void **state)
{
	meet(true);
	meet(false);
}

static void test_event_idx(void **state)
{
	stress(true);
}

static void test_flags(void **state)
{
	stress(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_barriers),
		cmocka_unit_test(test_one_barrier),
		cmocka_unit_test(test_event_idx),
		cmocka_unit_test(test_flags),
	};

	return cmocka_run_group_tests_name("ring_stress", tests, NULL, NULL);
}
