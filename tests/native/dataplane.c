// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rp-dataplane at a port of ringpaced: all that a guest sends comes back, once,
 * unharmed and in order, while threads come and go and flow groups move.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "dataplane/rig.h"
#include "net_bed.h"
#include "proc.h"

#define THREADS		4u
#define GROUPS		DP_RIG_GROUPS

static struct dp_rig rig;

static u64 of_thread(u32 thread, const char *key)
{
	json_t *v = dp_rig_order(&rig, "status", NULL);
	json_t *n = json_object_get(json_array_get(json_object_get(v, "threads"), thread), key);
	u64 value = json_is_boolean(n) ? json_is_true(n) : (u64)json_integer_value(n);

	json_decref(v);
	return value;
}

/* How idle threads wait. */
static bool waits(const char *how)
{
	json_t *v = dp_rig_order(&rig, "status", NULL);
	const char *is = json_string_value(json_object_get(v, "wait"));
	bool good = is && !strcmp(is, how);

	json_decref(v);
	return good;
}

/* For whoever reads the output; how long it took here is no part of the test. */
static void tell_moves(void)
{
	static const char *const phase[] = {
		"prepare_ns", "rpc_ns", "wait_ns", "deferred_ns", "total_ns", "packets",
	};
	json_t *v = dp_rig_order(&rig, "status", NULL), *h;
	u32 i;

	for (i = 0; i < sizeof(phase) / sizeof(phase[0]); i++) {
		h = json_object_get(json_object_get(v, "moves"), phase[i]);
		printf("# %s: avg %lld, p95 %lld, max %lld\n", phase[i],
		       json_integer_value(json_object_get(h, "avg")),
		       json_integer_value(json_object_get(h, "p95")),
		       json_integer_value(json_object_get(h, "max")));
	}
	json_decref(v);
}

/* Is each phase told of each move, and in order: avg and p95 below max? */
static bool evident(u64 done)
{
	static const char *const key[] = {
		"prepare_ns", "rpc_ns", "wait_ns", "deferred_ns", "total_ns", "packets", "timers",
	};
	json_t *v = dp_rig_order(&rig, "status", NULL), *moves = json_object_get(v, "moves");
	bool good = true;
	u32 i;

	for (i = 0; i < sizeof(key) / sizeof(key[0]); i++) {
		const json_t *h = json_object_get(moves, key[i]);
		double max = json_number_at(h, "max");

		good = good && json_number_at(h, "count") == (double)done &&
		       json_number_at(h, "avg") <= max && json_number_at(h, "p95") <= max;
	}
	json_decref(v);
	return good;
}

static bool refused(const char *cmd, json_t *args)
{
	json_t *v = dp_rig_order(&rig, cmd, args);

	json_decref(v);
	return !v;
}

static bool ordered(const char *cmd, json_t *args)
{
	json_t *v = dp_rig_order(&rig, cmd, args);
	bool good = v;

	json_decref(v);
	return good && dp_rig_settle(&rig);
}

static bool start(const char *app, const char *const more[])
{
	struct dp_rig_options o = { .app = app, .threads = THREADS };
	u32 i;

	for (i = 0; more && more[i]; i++)
		o.more[i] = more[i];
	return !dp_rig_open(&rig, &o);
}

static bool whole(void)
{
	if (rig.reordered || rig.bad || rig.twice)
		printf("# %llu reordered, %llu bad, %llu twice\n",
		       (unsigned long long)rig.reordered, (unsigned long long)rig.bad,
		       (unsigned long long)rig.twice);
	return !rig.bad && !rig.twice && rig.sent == rig.back;
}

/* ---- Tests ---- */

static void reflects(void)
{
	u32 rounds = getenv("RINGPACE_LONG") ? 10000 / GROUPS + 2 : 10;
	const char *name = "reflect";
	u64 done;
	u32 i;
	bool good;

	if (!ok(start("reflect", NULL), name, "is set up"))
		return;
	ok(waits("sleep"), name, "idle threads sleep");
	ok(dp_rig_pass(&rig, 5000), name, "all frames come back");
	for (i = 0, good = true; i < THREADS; i++)
		good = good && of_thread(i, "processed") > 0;
	ok(good, name, "all threads take part");
	ok(!of_thread(0, "shared") && !dp_rig_moves(&rig, "done"), name, "and share nothing");
	for (i = 1, good = true; i <= rounds && good; i++)
		good = dp_rig_shift(&rig, i, THREADS);
	ok(good, name, "all groups move, many times, under load");
	tell_moves();
	done = dp_rig_moves(&rig, "done");
	ok(done >= (rounds - 1) * GROUPS && !dp_rig_moves(&rig, "turned_back") &&
	   !dp_rig_moves(&rig, "refused"), name, "each move is done");
	ok(evident(done), name, "with the length of each of its phases");
	ok(!dp_rig_moves(&rig, "dropped"), name, "none of their packets is dropped");
	ok(!dp_rig_moves(&rig, "overtaken") && !rig.reordered, name,
	   "none of the answers is overtaken");
	ok(dp_rig_threads(&rig, 1), name, "one thread is left");
	ok(of_thread(0, "groups") == GROUPS, name, "it has all groups");
	for (i = 1, good = true; i < THREADS; i++)
		good = good && of_thread(i, "parked");
	ok(good, name, "the others are parked");
	ok(dp_rig_threads(&rig, 3) && of_thread(1, "groups") && of_thread(2, "groups") &&
	   of_thread(3, "parked"), name, "three threads");
	ok(ordered("park", json_pack("{s:i}", "thread", 1)) && of_thread(1, "parked") &&
	   !of_thread(2, "parked"), name, "any one of them parks");
	ok(refused("migrate", json_pack("{s:[i], s:i}", "groups", 1, "to", 1)), name,
	   "and gets no group");
	ok(ordered("unpark", json_pack("{s:i}", "thread", 1)) && of_thread(1, "groups"), name,
	   "and comes back");
	ok(dp_rig_threads(&rig, 4) && of_thread(3, "groups") == GROUPS / 4, name,
	   "and all of them again");
	ok(dp_rig_pass(&rig, 5000), name, "all frames come back");
	ok(whole() && !rig.reordered, name, "whole, once, in order");
	for (i = 0, done = 0; i < THREADS; i++)
		done += of_thread(i, "late") + of_thread(i, "unsent");
	ok(!done, name, "none was late or unsent");
	dp_rig_close(&rig);
}

/*
 * ringpaced looks seldom, so that much is in the send queues when groups move: what
 * the new owner sends must not be taken before it. Groups go down the threads, whose
 * queues are looked at in the order of their numbers.
 */
static void keeps_order(void)
{
	struct dp_rig_options o = {
		.app = "reflect", .threads = THREADS, .pacing = "strategy=sleep,y-ns=3000000",
	};
	const char *name = "a host that takes its time";
	u32 i;

	if (ok(!dp_rig_open(&rig, &o) && dp_rig_pass(&rig, 2000), name, "is set up")) {
		for (i = 3 * 3; i && dp_rig_shift(&rig, i, THREADS); i--)
			;
		ok(!i, name, "all groups move, again and again");
		ok(whole() && !rig.reordered && !dp_rig_moves(&rig, "overtaken"), name,
		   "and all answers come in order");
	}
	dp_rig_close(&rig);
}

static void echoes(void)
{
	const char *name = "udp-echo";

	if (ok(start("udp-echo", NULL), name, "is set up")) {
		ok(dp_rig_pass(&rig, 2000) && dp_rig_threads(&rig, 2) && dp_rig_pass(&rig, 2000),
		   name, "all datagrams come back");
		ok(whole() && !rig.reordered, name, "whole, once, in order");
	}
	dp_rig_close(&rig);
}

static u64 samples_of(u32 thread)
{
	json_t *v = dp_rig_order(&rig, "telemetry", NULL);
	u64 at = (u64)json_integer_value(json_object_get(
		json_array_get(json_object_get(v, "threads"), thread), "taken_ns"));

	json_decref(v);
	return at;
}

/* Thread 0 takes @n samples more, while it has work. */
static bool pass_samples(u32 n)
{
	u64 last = samples_of(0);

	while (n) {
		if (!dp_rig_pass(&rig, 200))
			return false;
		if (samples_of(0) != last)
			n--;
		last = samples_of(0);
	}
	return true;
}

static void parks(const char *name, const char *const more[])
{
	u64 switches[THREADS], turns[THREADS];
	bool good = true;
	u32 i;

	if (!ok(start("reflect", more) && dp_rig_pass(&rig, 2000) && dp_rig_threads(&rig, 1), name,
		"three of four threads park"))
		goto out;
	for (i = 1; i < THREADS; i++) {
		pid_t tid = (pid_t)of_thread(i, "tid");

		/* It says that it parks just before it lies down. */
		while ((!of_thread(i, "parked") || !proc_sleeps(rig.pid, tid)) && nap_ms(1))
			;
		turns[i] = of_thread(i, "turns");
		switches[i] = proc_switches(rig.pid, tid);
	}
	ok(pass_samples(20), name, "the one that is left works on");
	for (i = 1; i < THREADS; i++) {
		good = good && of_thread(i, "turns") == turns[i] &&
		       proc_switches(rig.pid, (pid_t)of_thread(i, "tid")) == switches[i];
		good = good && of_thread(i, "parked");
	}
	ok(good, name, "the others have not had the CPU once since");
	ok(dp_rig_threads(&rig, THREADS) && dp_rig_pass(&rig, 1000) && whole() && !rig.reordered,
	   name, "and come back");
out:
	dp_rig_close(&rig);
}

/* Idle threads of a port with interrupts block, and are woken by packets. */
static void adapts(void)
{
	static const char *const more[] = { "--dmax-ns", "1000000", NULL };
	const char *name = "adaptive";
	u64 end = now_ns() + DP_RIG_WAIT_NS, interrupts = 0;
	u32 i;

	if (!ok(start("reflect", more), name, "is set up"))
		goto out;
	ok(waits("interrupt"), name, "idle threads wait for interrupts");
	/* Between bursts they find that nothing moves. */
	do {
		if (!dp_rig_pass(&rig, 4) || !nap_ms(50))
			break;
		for (i = 0, interrupts = 0; i < THREADS; i++)
			interrupts += of_thread(i, "interrupts");
	} while (!interrupts && now_ns() < end);
	ok(interrupts > 0, name, "idle threads are woken by interrupts");
	for (i = 1; i <= 4; i++)
		if (!dp_rig_shift(&rig, i, THREADS))
			break;
	ok(i == 5 && whole() && !rig.reordered, name, "and move groups as others do");
out:
	dp_rig_close(&rig);
}

/* ---- Telemetry ---- */

static bool tells(void)
{
	json_t *v, *all, *threads;
	u64 sum = 0, items;
	size_t i;
	json_t *n;
	bool good;

	/* What was counted last is told when the threads have taken their next sample. */
	do {
		u64 before = samples_of(0), after;

		do
			after = samples_of(0);
		while (after == before && nap_ms(1));
		v = dp_rig_order(&rig, "telemetry", json_pack("{s:b}", "groups", 1));
		items = (u64)json_integer_value(json_object_get(json_object_get(v, "all"),
								"items"));
		if (items < rig.back)
			json_decref(v);
	} while (items < rig.back && v && nap_ms(1));
	all = json_object_get(v, "all");
	threads = json_object_get(v, "threads");
	json_array_foreach(json_object_get(v, "group_packets"), i, n)
		sum += (u64)json_integer_value(n);
	good = json_integer_value(json_object_get(v, "version")) == 1 &&
	       json_array_size(threads) == THREADS && sum == rig.back &&
	       items == rig.back && json_number_at(all, "busy_ns") > 0 &&
	       json_number_at(all, "iterations") > 0 &&
	       json_number_at(all, "iterations") <= json_number_at(all, "items") &&
	       json_number_at(all, "batch") == 32 &&
	       json_array_size(json_object_get(json_array_get(threads, 0),
					       "queue_milli_avg")) == 3;
	json_decref(v);
	return good;
}

/* A pseudo terminal, in place of a virtio-serial port. */
static void by_device(void)
{
	const char *name = "a device for orders";
	int pty = posix_openpt(O_RDWR | O_NOCTTY);
	const char *more[3] = { "--serial", NULL, NULL };
	struct ctl c = { .fd = -1 };
	json_t *v = NULL;

	if (pty >= 0 && !grantpt(pty) && !unlockpt(pty))
		more[1] = ptsname(pty);
	if (ok(more[1] && start("reflect", more), name, "is opened")) {
		ctl_attach(&c, pty, "the pseudo terminal");
		v = ctl_call(&c, "telemetry", json_pack("{s:b}", "groups", 1),
			     NET_DAEMON_TIMEOUT_MS);
		ok(json_array_size(json_object_get(v, "group_packets")) == GROUPS, name,
		   "telemetry comes by it");
		json_decref(v);
		v = ctl_call(&c, "threads", json_pack("{s:i}", "threads", 2),
			     NET_DAEMON_TIMEOUT_MS);
		ok(v && dp_rig_settle(&rig) && of_thread(2, "parked"), name, "and orders go by it");
		json_decref(v);
		ctl_close(&c);
		/* Nobody is at its other end now. */
		ok(dp_rig_pass(&rig, 500) && !dp_rig_moves(&rig, "under_way"), name,
		   "that it is closed harms nobody");
	} else if (pty >= 0) {
		close(pty);
	}
	dp_rig_close(&rig);
}

static void bad_orders(void)
{
	const char *name = "orders that are no good";

	if (ok(start("reflect", NULL), name, "set up")) {
		ok(refused("threads", json_pack("{s:i}", "threads", 0)) &&
		   refused("threads", json_pack("{s:i}", "threads", 5)) &&
		   refused("threads", json_pack("{s:s}", "threads", "2")) &&
		   refused("migrate", json_pack("{s:[i], s:i}", "groups", 128, "to", 1)) &&
		   refused("migrate", json_pack("{s:[i], s:i}", "groups", -1, "to", 1)) &&
		   refused("migrate", json_pack("{s:[i, i], s:i}", "groups", 1, 999, "to", 1)) &&
		   refused("migrate", json_pack("{s:[], s:i}", "groups", "to", 1)) &&
		   refused("migrate", json_pack("{s:[i], s:i}", "groups", 1, "to", 4)) &&
		   refused("park", json_pack("{s:i}", "thread", 0)) &&
		   refused("park", json_pack("{s:i}", "thread", 4)) &&
		   refused("unpark", json_pack("{s:s}", "thread", "all")) &&
		   refused("telemetry", json_pack("{s:i}", "groups", 1)) &&
		   refused("status", json_pack("{s:i}", "more", 1)) &&
		   refused("no such thing", NULL), name, "are refused");
		ok(dp_rig_pass(&rig, 500) && !dp_rig_moves(&rig, "done"), name, "and do nothing");
		ok(tells(), "telemetry", "tells what has passed, of threads and groups");
	}
	dp_rig_close(&rig);
}

int main(void)
{
	static const char *const by_interrupts[] = { "--dmax-ns", "1000000", NULL };
	const char *program = own_program("rp-dataplane");

	if (!program || access(program, X_OK)) {
		printf("1..0 # SKIP rp-dataplane was not built: DPDK is missing\n");
		return 0;
	}
	catch_signals();
	reflects();
	keeps_order();
	echoes();
	parks("parked, others sleep", NULL);
	parks("parked, others adapt", by_interrupts);
	adapts();
	bad_orders();
	by_device();
	return tests_done();
}
