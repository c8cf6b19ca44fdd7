// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A daemon that is killed and started again under traffic: every item is
 * completed exactly once, in order.
 *
 * P sends without a pause. Each incarnation of ringpaced reports the number of
 * the first item that it saw; it must be the number of items that had been
 * completed when its predecessor was gone: less would repeat a completed item,
 * more would lose one. Within an incarnation the daemon counts gaps itself.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "json.h"
#include "native/backend.h"
#include "native/party.h"

#define ROUNDS		6
#define SLOTS		64
#define ITEM_BYTES	64
#define W_NS		3000
#define SOME_ITEMS	500	/* of traffic before each kill */

struct bed {
	struct backend backend;
	struct fe fe;
	struct party party;
	enum rp_strategy_id strategy;
};

static u32 tests, failures;

static bool ok(bool good, const char *strategy, const char *what)
{
	printf("%sok %u - %s: %s\n", good ? "" : "not ", ++tests, strategy, what);
	fflush(stdout);
	failures += !good;
	return good;
}

static int set_device(struct bed *b)
{
	return backend_do(&b->backend, "set", 0, json_pack("{s:s, s:i, s:i, s:i, s:i}",
			  "strategy", rp_strategy_by_id(b->strategy)->name, "w_ns", W_NS,
			  "y_ns", 50000, "k", 1, "burst", 4));
}

static double device_number(struct bed *b, const char *key)
{
	json_t *v = backend_call(&b->backend, "stats", 0, NULL);
	double number = json_number_at(json_object_get(v, "stats"), key);

	json_decref(v);
	return number;
}

/* Waits until the daemon has consumed @items since it came. */
static bool wait_items(struct bed *b, double items)
{
	u64 end = now_ns() + 20 * NSEC_PER_SEC;

	while (!(device_number(b, "items") >= items))
		if (now_ns() > end || !nap_ms(5))
			return false;
	return true;
}

static int set_up(struct bed *b)
{
	const struct party_options o = {
		.pacing = {
			.strategy = b->strategy,
			.role = RP_PRODUCER,
			.queue_len = SLOTS,
			.threshold = rp_default_threshold(RP_PRODUCER, SLOTS),
			.y_ns = 50000,
		},
		.traffic.w_ns = W_NS / 2,
		.burst = 4,
		.item_bytes = ITEM_BYTES,
		.cpu = -1,
	};
	struct fe_options fo = {
		.socket = b->backend.socket,
		.queues = 2,
		.queue_size = SLOTS,
		.data_bytes = party_data_bytes(SLOTS, ITEM_BYTES),
		.timeout_ms = BACKEND_TIMEOUT_MS,
	};

	if (backend_start(&b->backend, 1, ITEM_BYTES, NULL))
		return -1;
	if (fe_open(&b->fe, &fo))
		return fail("%s", b->fe.error);
	if (party_init(&b->party, &b->fe, 0, b->fe.data, &o))
		return -1;
	if (fe_start(&b->fe))
		return fail("%s", b->fe.error);
	return backend_wait_ready(&b->backend, 0) || set_device(b) || party_start(&b->party);
}

/* Ends the daemon by @sig and tells how many items have been completed, ever. */
static int end_daemon(struct bed *b, int sig, u64 *completed)
{
	u64 end = now_ns() + 10 * NSEC_PER_SEC;

	kill(b->backend.pid, sig);
	while (child_alive(b->backend.pid))
		if (now_ns() > end || !nap_ms(1))
			return fail("ringpaced does not end by signal %d", sig);
	if (fe_alive(&b->fe))
		return fail("the frontend does not see that ringpaced has gone");
	if (party_order(&b->party, PARTY_REPORT))
		return -1;
	*completed = b->party.done;
	return 0;
}

static int start_again(struct bed *b)
{
	if (backend_restart(&b->backend, 1, ITEM_BYTES))
		return -1;
	if (fe_reconnect(&b->fe))
		return fail("%s", b->fe.error);
	return backend_wait_ready(&b->backend, 0) || set_device(b);
}

static bool one_round(struct bed *b, const char *name, u32 round)
{
	const int sig = round % 3 == 2 ? SIGTERM : SIGKILL;
	u64 completed = 0;
	char what[96];

	snprintf(what, sizeof(what), "traffic before the end number %u", round + 1);
	if (!ok(wait_items(b, SOME_ITEMS), name, what))
		return false;
	ok(device_number(b, "lost") == 0 && device_number(b, "reordered") == 0, name,
	   "no gap and no step back in the numbers");
	snprintf(what, sizeof(what), "comes back after SIG%s", sig == SIGKILL ? "KILL" : "TERM");
	if (!ok(!end_daemon(b, sig, &completed) && !start_again(b) && wait_items(b, 1), name, what))
		return false;
	snprintf(what, sizeof(what), "goes on at item %llu, the first not completed",
		 (unsigned long long)completed);
	return ok(device_number(b, "first_seq") == (double)completed, name, what);
}

/* With P stopped, all that it published is completed, and no more. */
static bool drains(struct bed *b)
{
	u64 end = now_ns() + 10 * NSEC_PER_SEC;

	if (party_order(&b->party, PARTY_STOP))
		return false;
	while (party_outstanding(&b->party)) {
		party_kick(&b->party);
		if (now_ns() > end || !nap_ms(2))
			return false;
	}
	return device_number(b, "next_seq") == (double)b->party.posted;
}

static void restart_under(enum rp_strategy_id strategy)
{
	const char *name = rp_strategy_by_id(strategy)->name;
	struct bed *b = calloc(1, sizeof(*b));
	u32 i;

	if (!b)
		abort();
	b->strategy = strategy;
	if (ok(!set_up(b), name, "set up")) {
		for (i = 0; i < ROUNDS; i++)
			if (!one_round(b, name, i))
				break;
		ok(drains(b), name, "all items were completed in the end");
	}
	party_free(&b->party);
	fe_close(&b->fe);
	backend_stop(&b->backend);
	free(b);
}

int main(void)
{
	catch_signals();
	restart_under(RP_NOTIFY);
	restart_under(RP_SLEEP);
	restart_under(RP_BUSY);
	printf("1..%u\n", tests);
	return failures ? 1 : 0;
}
