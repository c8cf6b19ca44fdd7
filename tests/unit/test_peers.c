// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The peers' policies: their state machines against sequences worked out by
 * hand from the sources' rules, and runs of each in the simulator.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../testbed/sim/sim.h"

#define K	7u		/* threshold of the notifications */

static struct rp_strategy strategy;
static u64 now_ns;

static void start(enum rp_strategy_id id, u64 y_ns)
{
	const struct rp_params p = {
		.strategy = id, .role = RP_CONSUMER, .queue_len = 256,
		.threshold = K, .y_ns = y_ns,
	};

	assert_null(rp_params_check(&p));
	rp_strategy_init(&strategy, &p, NULL);
	now_ns = 1000000000;
}

/* A look that finds nothing, @after_ns later. */
static struct rp_decision look(u64 after_ns)
{
	now_ns += after_ns;
	return strategy.ops->idle(&strategy, now_ns);
}

static void spins(u64 after_ns)
{
	struct rp_decision d = look(after_ns);

	assert_int_equal(d.wait, RP_WAIT_SPIN);
	assert_int_equal(d.wait_ns, 0);
}

static void blocks(u64 after_ns)
{
	struct rp_decision d = look(after_ns);

	assert_int_equal(d.wait, RP_WAIT_BLOCK);
	assert_int_equal(d.threshold, K);
	assert_int_equal(d.wait_ns, 0);
}

static void sleeps(u64 after_ns, u64 ns)
{
	struct rp_decision d = look(after_ns);

	assert_int_equal(d.wait, RP_WAIT_SLEEP);
	assert_int_equal(d.wait_ns, ns);
}

static void moved(u32 n)
{
	if (strategy.ops->batch_done)
		strategy.ops->batch_done(&strategy, n, now_ns);
}

static void woken(enum rp_wake by, u64 after_ns)
{
	now_ns += after_ns;
	if (strategy.ops->woken)
		strategy.ops->woken(&strategy, by, 1, now_ns);
}

/* A halt that polls for @poll_ns, to the ns, and is notified @block_ns later. */
static void halt(u64 poll_ns, u64 block_ns)
{
	if (poll_ns) {
		spins(100);
		spins(poll_ns - 1);
		blocks(1);
	} else {
		blocks(100);
	}
	woken(RP_WAKE_NOTIFIED, block_ns);
	moved(1);
}

/* ---- vhost-busyloop: 50 of busy_clock()'s microseconds, 1024 ns each ---- */

static void vhost(void **state)
{
	start(RP_VHOST_BUSYLOOP, 50999);
	now_ns = 1024 * 1000;
	spins(0);
	spins(50 * 1024 + 1023);	/* clock == end: not after it */
	blocks(1);
	woken(RP_WAKE_NOTIFIED, 5);
	/* A kick for nothing is polled after as well. */
	now_ns = 1024 * 2000 + 1023;
	spins(0);
	spins(50 * 1024);
	blocks(1);
	/* The second look of the arming found work; the next poll is a whole one. */
	moved(1);
	spins(0);
	spins(50 * 1024);
	moved(1);
	spins(1);
	spins(50 * 1024);
}

static void vhost_off(void **state)
{
	start(RP_VHOST_BUSYLOOP, 0);
	blocks(1);
	start(RP_VHOST_BUSYLOOP, 999);	/* 0 us */
	blocks(1);
}

/* ---- kvm-halt-poll ---- */

static void kvm_grows(void **state)
{
	start(RP_KVM_HALT_POLL, 0);
	halt(0, 1);			/* 1 > 0: 10 us */
	halt(10000, 5000);		/* 20 */
	halt(20000, 100);		/* 40 */
	halt(40000, 100);		/* 80 */
	halt(80000, 100);		/* 160 */
	halt(160000, 39999);		/* 320, which the next halt makes 200 */
	halt(200000, 0);		/* the sweet spot: halt_ns == poll_ns */
	halt(200000, 1);		/* longer than the maximum: 0 */
	halt(0, 1);
	halt(10000, 190000);		/* halt_ns == max: neither grows nor shrinks */
	halt(10000, 189999);		/* 20 */
	halt(20000, 1);			/* 40 */
}

static void kvm_resets(void **state)
{
	start(RP_KVM_HALT_POLL, 0);
	halt(0, 1000000);		/* too long, and nothing to shrink */
	halt(0, 199999);		/* 10 */
	halt(10000, 1);			/* 20 */
	halt(20000, 180001);		/* 200001: 0 */
	halt(0, 1);
	/* y_ns is not its business. */
	start(RP_KVM_HALT_POLL, 5000);
	halt(0, 1);
	halt(10000, 1);
}

/* A poll that finds work leaves the length alone. */
static void kvm_success(void **state)
{
	start(RP_KVM_HALT_POLL, 0);
	halt(0, 1);
	spins(100);
	spins(9999);
	moved(3);
	now_ns += 500000;
	halt(10000, 1);
	halt(20000, 1);
}

/* The arming's second look is a short halt that the poll missed: it grows. */
static void kvm_double_check(void **state)
{
	start(RP_KVM_HALT_POLL, 0);
	blocks(1);
	moved(1);
	spins(100);
	blocks(10000);
	moved(1);
	halt(20000, 1);
}

/* Being told to stop is no wake-up. */
static void kvm_stop(void **state)
{
	start(RP_KVM_HALT_POLL, 0);
	halt(0, 1);
	spins(1);
	blocks(10000);
	woken(RP_WAKE_STOP, 1000000);
	halt(10000, 1);
	halt(20000, 1);
}

/* ---- qemu-poll ---- */

static void qemu_grows(void **state)
{
	start(RP_QEMU_POLL, 0);
	halt(0, 1);			/* 4 us */
	halt(4000, 1);			/* 8 */
	halt(8000, 1);			/* 16 */
	halt(16000, 0);			/* the sweet spot */
	halt(16000, 16768);		/* 32768 == max: as it is */
	halt(16000, 16767);		/* 32 */
	halt(32000, 767);		/* 64, at most 32768 */
	halt(32768, 0);
	halt(32768, 1);			/* 32769: 0 */
	halt(0, 32769);
	halt(0, 1);
	halt(4000, 1);
}

static void qemu_resets(void **state)
{
	start(RP_QEMU_POLL, 0);
	halt(0, 1);
	halt(4000, 1);
	halt(8000, 30000);		/* 38000: 0 */
	halt(0, 1);
	spins(5);
	moved(1);			/* success */
	halt(4000, 1);
	spins(5);
	blocks(8000);
	moved(1);			/* just missed: 16 */
	halt(16000, 0);
}

/* ---- ovs-sleep ---- */

static void ovs(void **state)
{
	start(RP_OVS_SLEEP, 3999);	/* 3 us */
	spins(1);
	sleeps(1, 1000);
	sleeps(1, 2000);
	moved(15);			/* not half a burst */
	sleeps(1, 3000);
	sleeps(1, 3000);
	moved(16);
	spins(1);
	sleeps(1, 1000);
	/* Of what came without a pause, some turn had half a burst. */
	moved(8);
	moved(8);
	spins(1);
	sleeps(1, 1000);
	moved(UINT32_MAX);
	moved(1);
	spins(1);
	sleeps(1, 1000);
}

static void ovs_bounds(void **state)
{
	u32 i;

	start(RP_OVS_SLEEP, 0);		/* its default: never */
	for (i = 0; i < 100; i++)
		spins(1);
	start(RP_OVS_SLEEP, 1000000000);
	spins(1);
	for (i = 1; i < 10000; i++)
		sleeps(1, i * 1000ULL);
	sleeps(1, 10000000);
	sleeps(1, 10000000);
}

/* ---- napi ---- */

static void napi(void **state)
{
	u32 i;

	start(RP_NAPI, 0);		/* its default: as notify */
	moved(5);
	blocks(1);
	start(RP_NAPI, 20000);
	blocks(1);			/* nothing was ever deferred */
	woken(RP_WAKE_NOTIFIED, 1);
	moved(5);
	for (i = 0; i < 10; i++)
		sleeps(1, 20000);
	blocks(1);
	blocks(1);
	moved(1);
	for (i = 0; i < 9; i++)
		sleeps(1, 20000);
	moved(3);			/* found by the timer: counts anew */
	for (i = 0; i < 10; i++)
		sleeps(1, 20000);
	/* A poll that took its whole budget was not the last; that one was empty. */
	moved(64);
	blocks(1);
	moved(32);
	moved(32 + 1);
	sleeps(1, 20000);
}

/* ---- metronome: V = 10 us, M = 3, T_L = 500 us ---- */

/* The sleep lasts as long as asked, then nothing is there: rho stays 0. */
static void metronome_idle(void **state)
{
	start(RP_METRONOME, 0);
	sleeps(0, 20000);		/* A at 20, B and C at 500 us */
	woken(RP_WAKE_SLEPT, 20000);
	sleeps(0, 30000);		/* M V */
	woken(RP_WAKE_SLEPT, 30000);
	sleeps(0, 30000);
	woken(RP_WAKE_SLEPT, 400000);	/* A should at 80, and does at 450 */
	sleeps(0, 30000);
	woken(RP_WAKE_SLEPT, 30000);
	/* A at 510. */
	sleeps(0, 20000);
	woken(RP_WAKE_SLEPT, 20000);
	/* B at 530. C found the lock taken: at 1000. */
	sleeps(0, 10000);
}

/* Whose sleep ended just now is not awake yet: all sleeps are too long alike. */
static void metronome_late(void **state)
{
	start(RP_METRONOME, 0);
	sleeps(0, 20000);		/* A at 20, B and C at 500 us */
	woken(RP_WAKE_SLEPT, 25000);
	moved(1);
	/* 496 us: rho = 1/4 * 471/496, so A till 519.188. B is next. */
	sleeps(471000, 4000);
	woken(RP_WAKE_SLEPT, 9000);
	moved(1);
	/* 521 us: C, awake at 505, missed it; A will be awake at 524. */
	sleeps(16000, 1);
	woken(RP_WAKE_SLEPT, 5001);
	moved(1);
	/* 1000 us: B missed it. C slept T_L, and 5 us too long, from 505 to 1010. */
	sleeps(473999, 5000);
}

/* rho = 3/4 rho + 1/4 of the last period's. */
static void metronome_load(void **state)
{
	start(RP_METRONOME, 10000);
	sleeps(0, 20000);
	woken(RP_WAKE_SLEPT, 20000);
	moved(1000);
	/* 20 us busy of 40: rho = 1/8; T_S = 30000 / (1 + 1/8 + 1/64), rounded down. */
	sleeps(20000, 26301);
	woken(RP_WAKE_SLEPT, 26301);
	moved(1000);
	/* 3/4 * 1/8 + 1/4 * 78903/105204 = 9/32; T_S = 30000 / (1 + 9/32 + 81/1024). */
	sleeps(78903, 22053);
}

/* Always busy, rho nears 1 and T_S nears V; others are then found at work. */
static void metronome_busy(void **state)
{
	u64 asked = 20000;
	u32 i;

	start(RP_METRONOME, 10000);
	sleeps(0, asked);
	for (i = 0; i < 100; i++) {
		struct rp_decision d;

		woken(RP_WAKE_SLEPT, asked);
		moved(1000);
		d = look(1000000000);
		assert_int_equal(d.wait, RP_WAIT_SLEEP);
		assert_true(d.wait_ns >= 1 && d.wait_ns <= 30000);
		asked = d.wait_ns;
	}
	assert_true(asked <= 10010);
	/* A busy period of which the arithmetic would run over is just busy. */
	woken(RP_WAKE_SLEPT, asked);
	asked = look(1ULL << 50).wait_ns;
	assert_true(asked <= 10010);
	start(RP_METRONOME, 1000000000);
	sleeps(0, 20000);
	woken(RP_WAKE_SLEPT, 20000);
	sleeps(0, 480000);		/* T_S = 3 s, but B and C wake up at 500 us */
}

/* ---- In the simulator ---- */

static const struct sim_config *config(enum rp_strategy_id id, u64 wp_ns, u64 wc_ns, u64 y_ns)
{
	static struct sim_config c;

	/* The paper's Table 4 and the queue of its sec. 5.2. */
	c = (struct sim_config){
		.model = {
			.mode = RP_NOTIFY, .wp_ns = wp_ns, .wc_ns = wc_ns, .np_ns = 1100,
			.nc_ns = 580, .sp_ns = 28000, .sc_ns = 420, .yp_ns = y_ns,
			.yc_ns = y_ns, .ye_ns = 2500, .queue_len = 512, .kp = 1, .kc = 384,
		},
		.strategy_p = id, .strategy_c = id, .stages = 2,
		.w_ns = { wp_ns, wc_ns }, .items = 20000, .warmup = 5000, .seed = 1,
	};
	return &c;
}

/*
 * All items arrive, and not before the slower party could have made them. With
 * Y of at most 50 us and 512 slots, waiting costs less than one W on top.
 */
static void run(enum rp_strategy_id id, u64 wp_ns, u64 wc_ns, u64 y_ns)
{
	const struct sim_config *c = config(id, wp_ns, wc_ns, y_ns);
	u64 w_ns = wp_ns > wc_ns ? wp_ns : wc_ns;
	static struct sim_result r;

	assert_null(sim_check(c));
	assert_null(sim_run(c, &r));
	assert_int_equal(r.items, c->items);
	assert_int_equal(r.latency.count, c->items);
	assert_in_range(r.time_ps / c->items, w_ns * 999, w_ns * 2000);
}

static void simulated(void **state)
{
	static const u64 y_ns[] = { 0, 5000, 50000 };
	u32 id, i;

	for (id = RP_VHOST_BUSYLOOP; id < RP_STRATEGIES; id++) {
		for (i = 0; i < 3; i++) {
			run(id, 2300, 2000, y_ns[i]);
			run(id, 2000, 2300, y_ns[i]);
			run(id, 20000, 200, y_ns[i]);
			run(id, 200, 20000, y_ns[i]);
		}
	}
}

/* Is what it is for seen? A consumer that polls is not notified. */
static void fewer_kicks(void **state)
{
	static struct sim_result notify, r;
	u32 id;

	assert_null(sim_run(config(RP_NOTIFY, 2300, 2000, 50000), &notify));
	assert_true(notify.queue[0].kicks > notify.items / 10);
	for (id = RP_VHOST_BUSYLOOP; id < RP_STRATEGIES; id++) {
		assert_null(sim_run(config(id, 2300, 2000, 50000), &r));
		assert_true(r.queue[0].kicks < notify.queue[0].kicks / 10);
	}
	/* What upstream switches off by default is off. */
	assert_null(sim_run(config(RP_VHOST_BUSYLOOP, 2300, 2000, 0), &r));
	assert_int_equal(r.queue[0].kicks, notify.queue[0].kicks);
	assert_null(sim_run(config(RP_NAPI, 2300, 2000, 0), &r));
	assert_int_equal(r.queue[0].kicks, notify.queue[0].kicks);
	assert_null(sim_run(config(RP_OVS_SLEEP, 2300, 2000, 0), &r));
	assert_int_equal(r.queue[0].sleeps_p + r.queue[0].sleeps_c, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vhost), cmocka_unit_test(vhost_off),
		cmocka_unit_test(kvm_grows), cmocka_unit_test(kvm_resets),
		cmocka_unit_test(kvm_success), cmocka_unit_test(kvm_double_check),
		cmocka_unit_test(kvm_stop),
		cmocka_unit_test(qemu_grows), cmocka_unit_test(qemu_resets),
		cmocka_unit_test(ovs), cmocka_unit_test(ovs_bounds),
		cmocka_unit_test(napi),
		cmocka_unit_test(metronome_idle), cmocka_unit_test(metronome_late),
		cmocka_unit_test(metronome_load), cmocka_unit_test(metronome_busy),
		cmocka_unit_test(simulated), cmocka_unit_test(fewer_kicks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
