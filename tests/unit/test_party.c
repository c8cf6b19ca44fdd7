// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The party's loop over a fake ring, which logs what it is asked to do: one
 * letter a call, W work, P peer_wants, N notify, A arm, D disarm.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "pacing/party.h"
#include "pacing/report.h"

static struct {
	struct rp_party party;
	struct rp_trace trace;
	char log[256];
	u32 queued;		/* items that work() will find */
	u32 arrives;		/* items that come between work() and arm() */
	u32 last_max;
	u32 last_k;
	bool peer_waits;
	u32 turns;		/* rp_party_run(): turns before stopping() */
	enum rp_wake block_ends;
} fake;

static void note(char c)
{
	size_t n = strlen(fake.log);

	assert_true(n + 1 < sizeof(fake.log));
	fake.log[n] = c;
}

static u32 fake_work(struct rp_party *p, u32 max)
{
	u32 n = fake.queued < max ? fake.queued : max;

	note('W');
	fake.last_max = max;
	fake.queued -= n;
	if (n)
		p->now_tsc = rp_tsc();
	return n;
}

static bool fake_peer_wants(struct rp_party *p)
{
	note('P');
	return fake.peer_waits;
}

static void fake_notify(struct rp_party *p)
{
	note('N');
}

static bool fake_arm(struct rp_party *p, u32 k)
{
	note('A');
	fake.last_k = k;
	fake.queued += fake.arrives;
	fake.arrives = 0;
	return fake.queued >= k;
}

static void fake_disarm(struct rp_party *p)
{
	note('D');
}

static u32 fake_ready(struct rp_party *p)
{
	note('R');
	return fake.queued;
}

static const struct rp_ring_ops fake_ring = {
	.work = fake_work,
	.peer_wants = fake_peer_wants,
	.notify = fake_notify,
	.arm = fake_arm,
	.disarm = fake_disarm,
	.ready = fake_ready,
};

static bool fake_stopping(struct rp_party *p)
{
	return !fake.turns--;
}

static void fake_sleep(struct rp_party *p, u64 ns)
{
	note('s');
	assert_int_equal(ns, p->strategy.params.y_ns);
}

static enum rp_wake fake_block(struct rp_party *p, u64 timeout_ns)
{
	note('b');
	return fake.block_ends;
}

/* Gives the CPU away for as long as that lasts, or not at all. */
static u64 fake_gives_ns;

static u64 fake_aside(struct rp_party *p, u64 turn_ns)
{
	u64 begin = rp_tsc();

	note('a');
	while (rp_tsc_to_ns(&p->clock, rp_tsc() - begin) < fake_gives_ns)
		;
	return fake_gives_ns;
}

static u64 fake_cpu(struct rp_party *p)
{
	return 1000000;
}

static const struct rp_thread_ops polite_thread = {
	.stopping = fake_stopping,
	.sleep = fake_sleep,
	.block = fake_block,
	.aside = fake_aside,
	.cpu_ns = fake_cpu,
};

static const struct rp_thread_ops fake_thread = {
	.stopping = fake_stopping,
	.sleep = fake_sleep,
	.block = fake_block,
};

static void start(enum rp_strategy_id strategy, u32 k)
{
	const struct rp_params params = {
		.strategy = strategy, .role = RP_CONSUMER,
		.queue_len = 256, .threshold = k, .y_ns = 1000,
	};

	memset(&fake, 0, sizeof(fake));
	fake.party.ring = &fake_ring;
	fake.party.thread = &fake_thread;
	fake.party.burst = 32;
	fake.party.trace = &fake.trace;
	fake.trace.on = true;
	rp_party_init(&fake.party, &params, 2000000000);
	rp_party_start(&fake.party);
	assert_string_equal(fake.log, "D");
	memset(fake.log, 0, sizeof(fake.log));
}

static enum rp_next_what step(void)
{
	return rp_party_step(&fake.party).what;
}

static void test_work(void **state)
{
	start(RP_NOTIFY, 1);
	fake.queued = 40;
	assert_int_equal(step(), RP_NEXT_RUN);
	assert_int_equal(fake.last_max, 32);
	fake.peer_waits = true;
	assert_int_equal(step(), RP_NEXT_RUN);
	assert_string_equal(fake.log, "WPWPN");
	assert_int_equal(fake.party.stats.items, 40);
	assert_int_equal(fake.party.stats.batches, 2);
	assert_int_equal(fake.party.stats.suppressed, 1);
	assert_int_equal(fake.party.stats.sent, 1);
}

/* Burst 0 means 1. */
static void test_burst_default(void **state)
{
	start(RP_BUSY, 1);
	fake.party.burst = 0;
	rp_party_init(&fake.party, &(struct rp_params){
		.strategy = RP_BUSY, .queue_len = 1, .threshold = 1 }, 1000000000);
	fake.queued = 2;
	step();
	assert_int_equal(fake.last_max, 1);
}

static void test_block_and_wake(void **state)
{
	struct rp_stats *s = &fake.party.stats;

	start(RP_NOTIFY, 17);
	assert_int_equal(step(), RP_NEXT_BLOCK);
	assert_string_equal(fake.log, "WA");
	assert_int_equal(fake.last_k, 17);
	assert_int_equal(fake.party.armed_k, 17);
	assert_int_equal(s->blocks, 1);
	fake.queued = 17;
	rp_party_resume(&fake.party, RP_WAKE_NOTIFIED);
	assert_string_equal(fake.log, "WAD");
	assert_int_equal(fake.party.armed_k, 17);
	assert_int_equal(step(), RP_NEXT_RUN);
	assert_int_equal(fake.party.armed_k, 0);
	assert_int_equal(s->received, 1);
	assert_int_equal(s->spurious, 0);
	assert_true(s->block_tsc > 0);
	assert_int_equal(s->sleep_tsc, 0);
}

/* Work came before the peer could see that we wait: never block on it. */
static void test_double_check(void **state)
{
	struct rp_stats *s = &fake.party.stats;

	start(RP_NOTIFY, 3);
	fake.arrives = 3;
	assert_int_equal(step(), RP_NEXT_RUN);
	assert_string_equal(fake.log, "WAD");
	assert_int_equal(s->double_checks, 1);
	assert_int_equal(s->blocks, 0);
	assert_int_equal(step(), RP_NEXT_RUN);
	assert_int_equal(s->items, 3);
	/* Less than the threshold is no reason to go on. */
	fake.arrives = 2;
	assert_int_equal(step(), RP_NEXT_BLOCK);
	assert_int_equal(s->double_checks, 1);
	assert_int_equal(s->blocks, 1);
}

static void test_spurious(void **state)
{
	struct rp_stats *s = &fake.party.stats;

	start(RP_NOTIFY, 1);
	assert_int_equal(step(), RP_NEXT_BLOCK);
	rp_party_resume(&fake.party, RP_WAKE_NOTIFIED);
	assert_int_equal(step(), RP_NEXT_BLOCK);
	assert_int_equal(s->received, 1);
	assert_int_equal(s->spurious, 1);
	/* One notification is spurious once. */
	rp_party_resume(&fake.party, RP_WAKE_STOP);
	assert_int_equal(step(), RP_NEXT_BLOCK);
	assert_int_equal(s->spurious, 1);
}

static void test_stop(void **state)
{
	struct rp_stats *s = &fake.party.stats;

	start(RP_NOTIFY, 1);
	step();
	rp_party_resume(&fake.party, RP_WAKE_STOP);
	assert_string_equal(fake.log, "WAD");
	assert_int_equal(s->received, 0);
	assert_int_equal(s->spurious, 0);
	/* Nobody waits: no effect, however often. */
	rp_party_resume(&fake.party, RP_WAKE_STOP);
	rp_party_resume(&fake.party, RP_WAKE_NOTIFIED);
	assert_string_equal(fake.log, "WAD");
	assert_int_equal(s->received, 0);
}

static void test_sleep(void **state)
{
	struct rp_stats *s = &fake.party.stats;
	struct rp_next next;

	start(RP_SLEEP, 1);
	next = rp_party_step(&fake.party);
	assert_int_equal(next.what, RP_NEXT_SLEEP);
	assert_int_equal(next.ns, 1000);
	rp_party_resume(&fake.party, RP_WAKE_SLEPT);
	/* A sleeper never asks to be notified. */
	assert_string_equal(fake.log, "W");
	assert_int_equal(s->sleeps, 1);
	assert_int_equal(s->sleep_max_tsc, s->sleep_tsc);
	assert_int_equal(s->block_tsc, 0);
	assert_int_equal(s->received, 0);
}

static void test_busy(void **state)
{
	start(RP_BUSY, 1);
	assert_int_equal(step(), RP_NEXT_SPIN);
	assert_int_equal(step(), RP_NEXT_SPIN);
	assert_string_equal(fake.log, "WW");
	assert_true(fake.party.stats.spin_tsc > 0);
	assert_int_equal(fake.party.stats.blocks + fake.party.stats.sleeps, 0);
}

static void run(enum rp_strategy_id strategy, u32 turns, enum rp_wake ends,
		const char *log)
{
	start(strategy, 1);
	fake.turns = turns;
	fake.block_ends = ends;
	rp_party_run(&fake.party);
	assert_string_equal(fake.log, log);
	assert_false(fake.party.armed);
}

/* Each run begins with a disarm and ends disarmed. */
static void test_run(void **state)
{
	run(RP_NOTIFY, 0, RP_WAKE_STOP, "D");
	run(RP_NOTIFY, 2, RP_WAKE_NOTIFIED, "DWAbDWAbD");
	run(RP_NOTIFY, 1, RP_WAKE_STOP, "DWAbD");
	run(RP_SLEEP, 2, RP_WAKE_STOP, "DWsWs");
	run(RP_BUSY, 2, RP_WAKE_STOP, "DWW");
}

static void run_politely(enum rp_strategy_id strategy, u64 gives_ns, const char *log)
{
	start(strategy, 1);
	fake.party.thread = &polite_thread;
	fake.party.hands_pauses = true;
	fake.turns = 2;
	fake_gives_ns = gives_ns;
	rp_party_run(&fake.party);
	assert_string_equal(fake.log, log);
}

/* Only a spin steps aside; what it gives away is a part of it, and no time that others stole. */
static void test_aside(void **state)
{
	struct rp_stats *s = &fake.party.stats;
	struct rp_totals t;

	run_politely(RP_SLEEP, 50000, "DWsWs");
	assert_int_equal(s->aside_tsc, 0);
	run_politely(RP_BUSY, 0, "DWaWa");
	assert_int_equal(s->aside_tsc, 0);
	run_politely(RP_BUSY, 50000, "DWaWa");
	assert_int_equal(s->aside_tsc, 2 * rp_ns_to_tsc(&fake.party.clock, 50000));
	assert_true(s->spin_tsc >= s->aside_tsc);
	fake.party.strategy.env->totals(&fake.party.strategy, &t, true);
	assert_in_range(t.cpu_ns, 1099990, 1100000);
}

static void test_trace(void **state)
{
	static const u32 expected[] = {
		RP_EV_ARM, RP_EV_BLOCK, RP_EV_WAKE, RP_EV_NOTIFY_START,
		RP_EV_NOTIFY_END, RP_EV_ARM, RP_EV_DOUBLE_CHECK,
	};
	struct rp_event ev[16];
	u32 i;

	start(RP_NOTIFY, 1);
	step();
	rp_party_resume(&fake.party, RP_WAKE_NOTIFIED);
	fake.queued = 1;
	fake.peer_waits = true;
	step();
	fake.arrives = 1;
	step();
	assert_int_equal(rp_trace_snapshot(&fake.trace, ev, 16), 7);
	for (i = 0; i < 7; i++) {
		assert_int_equal(ev[i].type, expected[i]);
		assert_true(!i || ev[i].tsc >= ev[i - 1].tsc);
	}
	assert_int_equal(ev[6].arg, 0);
	assert_int_equal(ev[4].arg, 1);
}

static void test_seq(void **state)
{
	struct rp_party *p = &fake.party;

	start(RP_BUSY, 1);
	rp_party_seq(p, 7, false);	/* joined late: nothing is known */
	rp_party_seq(p, 8, false);
	assert_int_equal(p->stats.lost + p->stats.reordered, 0);
	rp_party_seq(p, 11, false);
	assert_int_equal(p->stats.lost, 2);
	rp_party_seq(p, 9, false);
	assert_int_equal(p->stats.reordered, 1);
	rp_party_seq(p, 0, true);
	rp_party_seq(p, 1, false);
	assert_int_equal(p->stats.lost, 2);
	assert_int_equal(p->stats.reordered, 1);
	/* Numbers of a hostile peer: the sum neither wraps nor becomes negative. */
	rp_party_seq(p, 1ULL << 63, false);
	rp_party_seq(p, ~0ULL - 1, false);
	assert_int_equal(p->stats.lost, INT64_MAX);
	rp_party_seq(p, ~0ULL, false);
	rp_party_seq(p, 5, false);	/* the number after the last is 0 */
	assert_int_equal(p->stats.lost, INT64_MAX);
}

static void test_latency(void **state)
{
	static struct rp_hist hist;
	struct rp_party *p = &fake.party;
	struct rp_report r;

	start(RP_BUSY, 1);
	rp_party_latency(p, 0, 1000);	/* nowhere to put it */
	p->latency = &hist;
	p->clock_offset_tsc = 500;
	rp_party_latency(p, 1000, 1600);
	rp_party_latency(p, 1000, 1400);	/* an error of the clocks */
	assert_int_equal(hist.count, 2);
	assert_int_equal(hist.max, 100);
	rp_party_report(p, &r);
	assert_int_equal(r.lat_count, 2);
	assert_int_equal(r.lat_p50_ns, 0);
	assert_in_range(r.lat_max_ns, 49, 50);
	rp_party_stats_reset(p);
	assert_int_equal(hist.count, 0);
}

/* What a strategy wants to know before it would have asked. */
static void test_news(void **state)
{
	static struct rp_hist hist;
	struct rp_party *p = &fake.party;

	start(RP_BUSY, 1);
	rp_hist_reset(&hist);
	p->latency = &hist;
	p->dmax_tsc = 1000;
	rp_party_latency(p, 1000, 2000);
	assert_false(p->strategy.news);
	rp_party_latency(p, 1000, 2001);
	assert_true(p->strategy.news);
	assert_int_equal(p->stats.late, 1);
	p->strategy.news = false;
	rp_party_peer_waited(p);
	assert_true(p->strategy.news);
	assert_int_equal(p->stats.peer_waits, 1);
}

/* A block that ended by itself: what was lost, the call to us or ours? */
static void test_repair(void **state)
{
	struct rp_party *p = &fake.party;

	start(RP_NOTIFY, 1);
	p->strategy.params.role = RP_PRODUCER;
	assert_int_equal(step(), RP_NEXT_BLOCK);
	fake.queued = 1;
	rp_party_resume(p, RP_WAKE_TIMEOUT);
	assert_string_equal(fake.log, "WADR");
	assert_int_equal(p->stats.repaired, 1);
	assert_int_equal(p->stats.rekicks, 0);
	/* Nothing came back: the consumer is told again, asked for or not. */
	start(RP_NOTIFY, 1);
	p->strategy.params.role = RP_PRODUCER;
	assert_int_equal(step(), RP_NEXT_BLOCK);
	rp_party_resume(p, RP_WAKE_TIMEOUT);
	assert_string_equal(fake.log, "WADRN");
	assert_int_equal(p->stats.rekicks, 1);
	/* Less than it asked for: nobody owed it a notification. */
	start(RP_NOTIFY, 3);
	p->strategy.params.role = RP_PRODUCER;
	assert_int_equal(step(), RP_NEXT_BLOCK);
	fake.queued = 2;
	rp_party_resume(p, RP_WAKE_TIMEOUT);
	assert_string_equal(fake.log, "WADR");
	assert_int_equal(p->stats.repaired + p->stats.rekicks, 0);
	/* A consumer has nobody to tell. */
	start(RP_NOTIFY, 1);
	assert_int_equal(step(), RP_NEXT_BLOCK);
	rp_party_resume(p, RP_WAKE_TIMEOUT);
	assert_string_equal(fake.log, "WADR");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_work),
		cmocka_unit_test(test_burst_default),
		cmocka_unit_test(test_block_and_wake),
		cmocka_unit_test(test_double_check),
		cmocka_unit_test(test_spurious),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_sleep),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_aside),
		cmocka_unit_test(test_trace),
		cmocka_unit_test(test_seq),
		cmocka_unit_test(test_latency),
		cmocka_unit_test(test_news),
		cmocka_unit_test(test_repair),
	};

	return cmocka_run_group_tests_name("party", tests, NULL, NULL);
}
