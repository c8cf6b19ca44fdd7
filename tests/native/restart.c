// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A daemon that is killed and started again under traffic: every item is
 * completed exactly once, in order.
 *
 * P sends without a pause. Each incarnation of ringpaced reports the number of
 * the first item that it saw; it must be the number of items that had been
 * completed when its predecessor was gone: less would repeat a completed item,
 * more would lose one. Within an incarnation the daemon counts gaps itself. With
 * --state the adaptive strategy goes on with what it had learned.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bed.h"

#define ROUNDS		6
#define W_NS		3000
#define SOME_ITEMS	500	/* of traffic before each kill */

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
	if (backend_restart(&b->backend, 1, BED_ITEM_BYTES))
		return -1;
	if (fe_reconnect(&b->fe))
		return fail("%s", b->fe.error);
	return backend_wait_ready(&b->backend, 0) || bed_set_device(b);
}

static bool one_round(struct bed *b, const char *name, u32 round)
{
	const int sig = round % 3 == 2 ? SIGTERM : SIGKILL;
	u64 completed = 0;
	char what[96];

	snprintf(what, sizeof(what), "traffic before the end number %u", round + 1);
	if (!bed_ok(bed_wait_items(b, SOME_ITEMS), name, what))
		return false;
	bed_ok(bed_device_number(b, "lost") == 0 && bed_device_number(b, "reordered") == 0, name,
	       "no gap and no step back in the numbers");
	snprintf(what, sizeof(what), "comes back after SIG%s", sig == SIGKILL ? "KILL" : "TERM");
	if (!bed_ok(!end_daemon(b, sig, &completed) && !start_again(b) && bed_wait_items(b, 1), name,
		    what))
		return false;
	snprintf(what, sizeof(what), "goes on at item %llu, the first not completed",
		 (unsigned long long)completed);
	return bed_ok(bed_device_number(b, "first_seq") == (double)completed, name, what);
}

static void fill(struct bed *b, enum rp_strategy_id strategy)
{
	b->driver = b->device = strategy;
	b->driver_w_ns = W_NS / 2;
	b->device_w_ns = W_NS;
	b->burst = 4;
	b->dmax_ns = 1000000;	/* heeded by adaptive alone */
}

static void restart_under(enum rp_strategy_id strategy)
{
	const char *name = rp_strategy_by_id(strategy)->name;
	struct bed *b = calloc(1, sizeof(*b));
	u32 i;

	if (!b)
		abort();
	fill(b, strategy);
	if (bed_ok(!bed_open(b) && !bed_start(b), name, "set up")) {
		for (i = 0; i < ROUNDS; i++)
			if (!one_round(b, name, i))
				break;
		bed_ok(bed_drains(b), name, "all items were completed in the end");
	}
	bed_close(b);
	free(b);
}

/* ---- What was learned ---- */

static double learned(struct bed *b, const char *key)
{
	json_t *v = backend_stats(&b->backend, 0);
	double n = json_number_at(json_object_get(v, "pacing"), key);

	json_decref(v);
	return n;
}

static bool wait_learned(struct bed *b)
{
	u64 end = now_ns() + 30 * NSEC_PER_SEC;

	while (!(learned(b, "w_peer_ns") > 0))
		if (now_ns() > end || !nap_ms(5))
			return false;
	return true;
}

/* The daemon writes it every few seconds while items move. */
static bool wait_written(const char *path)
{
	u64 end = now_ns() + 60 * NSEC_PER_SEC;

	while (access(path, R_OK))
		if (now_ns() > end || !nap_ms(20))
			return false;
	return true;
}

/*
 * Killed, so that only what it wrote meanwhile is left. The next one works for a
 * second on its first item: what it says of T cannot be learned from that.
 */
static bool knows_before(struct bed *b)
{
	json_t *v = backend_stats(&b->backend, 0), *pacing = json_object_get(v, "pacing");
	double t = json_number_at(pacing, "w_peer_ns"), own = json_number_at(pacing, "w_own_ns");
	bool good = json_number_at(v, "items") < 16 && t > 0 && t < 1e7 && own > 0 && own < 1e7;

	if (!good)
		printf("# after %.0f items W_P is %.0f, W_C %.0f ns\n", json_number_at(v, "items"), t,
		       own);
	json_decref(v);
	return good;
}

/* As one carries the file to another host's daemon: under a name of its own. */
static bool carry(struct bed *b)
{
	const char *to = run_path("carried");
	char *old = (char *)b->state;

	if (!to || rename(old, to))
		return false;
	b->state = b->backend.state = strdup(to);
	free(old);
	return true;
}

static void restart_learned(bool carried)
{
	const char *name = carried ? "adaptive with a state file from elsewhere" :
				     "adaptive with a state file";
	const char *state = run_path("learned");
	struct bed *b = calloc(1, sizeof(*b));
	u64 completed = 0;

	if (!b || !state)
		abort();
	fill(b, RP_ADAPTIVE);
	b->state = strdup(state);
	if (!bed_ok(!bed_open(b) && !bed_start(b), name, "set up"))
		goto out;
	bed_ok(wait_learned(b), name, "learns");
	bed_ok(wait_written(b->state), name, "keeps it while items move");
	b->device_w_ns = NSEC_PER_SEC;
	if (!bed_ok(!end_daemon(b, SIGKILL, &completed) && (!carried || carry(b)) &&
		    !backend_restart(&b->backend, 1, BED_ITEM_BYTES) && !bed_set_device(b) &&
		    !fe_reconnect(&b->fe) && !backend_wait_ready(&b->backend, 0), name,
		    "begins again after SIGKILL"))
		goto out;
	bed_ok(knows_before(b), name, "knows both W before the first items");
	b->device_w_ns = W_NS;
	bed_ok(!bed_set_device(b) && bed_wait_items(b, SOME_ITEMS), name, "goes on");
	bed_ok(bed_device_number(b, "first_seq") == (double)completed &&
	       bed_device_number(b, "lost") == 0 && bed_device_number(b, "reordered") == 0, name,
	       "at the first item not completed, without a gap");
	bed_ok(bed_drains(b), name, "all items were completed in the end");
	unlink(b->state);
out:
	bed_close(b);
	free((char *)b->state);
	free(b);
}

int main(void)
{
	catch_signals();
	restart_under(RP_NOTIFY);
	restart_under(RP_SLEEP);
	restart_under(RP_BUSY);
	restart_under(RP_ADAPTIVE);
	restart_learned(false);
	restart_learned(true);
	return bed_finish();
}
