// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Notifications that are really lost, on real rings: the adaptive producer finds
 * it out and repairs it, and no item is lost or comes out of order.
 *
 *   P ---kick---> relay ---> C        Each side notifies an eventfd of a relay,
 *   P <--- relay <---call--- C        which passes it on, but for one when told.
 *
 * Whether a lost one matters is the ring's to say: one that the other side did
 * not need any more harms nobody. So each test loses another as long as items
 * move, until P has counted a repair.
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bed.h"

#define DMAX_NS		1000000
#define SOME_ITEMS	500
#define LIMIT_NS	(60 * NSEC_PER_SEC)

struct relay {
	int from, to;
	bool lose;		/* the next one; the relay takes it back */
	u32 lost;
	bool stop;
	pthread_t thread;
	bool started;
};

struct lossy {
	struct bed bed;
	struct relay kick, call;	/* to the device; to the driver */
};

/* ---- Relays ---- */

static void *relay_main(void *arg)
{
	struct relay *r = arg;
	struct pollfd pfd = { .fd = r->from, .events = POLLIN };
	u64 n;

	while (!rp_load(&r->stop)) {
		if (poll(&pfd, 1, 50) <= 0 || read(r->from, &n, sizeof(n)) != sizeof(n))
			continue;
		if (__atomic_exchange_n(&r->lose, false, __ATOMIC_ACQ_REL)) {
			rp_add(&r->lost, 1);
			continue;
		}
		n = 1;
		if (write(r->to, &n, sizeof(n)) != sizeof(n))
			fail("a relay cannot write its eventfd");
	}
	return NULL;
}

/* @fd is what the driver uses; from here on it is the relay's other end. */
static int relay_start(struct relay *r, int *fd, bool driver_writes)
{
	int own = eventfd(0, EFD_CLOEXEC);

	if (own < 0)
		return fail("eventfd: %m");
	r->from = driver_writes ? own : *fd;
	r->to = driver_writes ? *fd : own;
	*fd = own;
	r->started = !pthread_create(&r->thread, NULL, relay_main, r);
	return r->started ? 0 : fail("a relay cannot be started");
}

/* The frontend gets its own eventfd back, to close it. */
static void relay_stop(struct relay *r, int *fd)
{
	int own = *fd;

	if (!r->started)
		return;
	rp_store(&r->stop, true);
	pthread_join(r->thread, NULL);
	*fd = own == r->from ? r->to : r->from;
	close(own);
}

/* ---- Set-up ---- */

static int lossy_open(struct lossy *l)
{
	struct fe_queue *q = &l->bed.fe.queue[l->bed.queue];

	return bed_open(&l->bed) || relay_start(&l->kick, &q->kick_fd, true) ||
	       relay_start(&l->call, &q->call_fd, false) || bed_start(&l->bed) ? -1 : 0;
}

static void lossy_close(struct lossy *l)
{
	struct fe_queue *q = &l->bed.fe.queue[l->bed.queue];

	party_free(&l->bed.party);
	relay_stop(&l->kick, &q->kick_fd);
	relay_stop(&l->call, &q->call_fd);
	fe_close(&l->bed.fe);
	backend_stop(&l->bed.backend);
	free(l);
}

static struct lossy *lossy_new(u32 queue, enum rp_strategy_id driver, enum rp_strategy_id device)
{
	struct lossy *l = calloc(1, sizeof(*l));

	if (!l)
		abort();
	l->bed.queue = queue;
	l->bed.driver = driver;
	l->bed.device = device;
	l->bed.dmax_ns = DMAX_NS;
	l->bed.burst = 1;
	return l;
}

/* ---- What P says ---- */

static double driver_number(struct bed *b, const char *key)
{
	json_t *v;
	double n;

	if (party_order(&b->party, PARTY_REPORT))
		return UNKNOWN;
	v = json_report(&b->party.report);
	n = json_number_at(v, key);
	json_decref(v);
	return n;
}

static double p_number(struct bed *b, const char *key)
{
	return b->queue ? bed_device_number(b, key) : driver_number(b, key);
}

static double c_number(struct bed *b, const char *key)
{
	return b->queue ? driver_number(b, key) : bed_device_number(b, key);
}

/* Is P blocked, or about to be? */
static bool p_blocks(struct bed *b)
{
	struct rp_status st;
	json_t *v;
	bool blocks;

	if (!b->queue)
		return rp_party_status(&b->party.rp, &st) && st.mode == RP_WAIT_BLOCK;
	v = backend_stats(&b->backend, b->queue);
	blocks = !strcmp(json_string_value(json_object_get(json_object_get(v, "pacing"), "mode"))
			 ?: "", "block");
	json_decref(v);
	return blocks;
}

/* ---- Losing ---- */

/* To C: it stays blocked, P finds the ring full and nothing coming back. */
static bool lose_to_c(struct lossy *l)
{
	struct relay *r = l->bed.queue ? &l->call : &l->kick;
	u64 end = now_ns() + LIMIT_NS;
	double items, before = -1;

	while (!(p_number(&l->bed, "rekicks") >= 1 && rp_load(&r->lost))) {
		items = c_number(&l->bed, "items");
		if (items > before)
			__atomic_store_n(&r->lose, true, __ATOMIC_RELEASE);
		before = items;
		if (now_ns() > end || !nap_ms(20))
			return false;
	}
	__atomic_store_n(&r->lose, false, __ATOMIC_RELEASE);
	return true;
}

/* C does nothing, or something again. */
static int hold_c(struct bed *b, bool hold)
{
	const struct party_traffic t = { .w_ns = hold ? NSEC_PER_SEC : b->driver_w_ns };

	if (b->queue)
		return party_set_traffic(&b->party, &t);
	return kill(b->backend.pid, hold ? SIGSTOP : SIGCONT);
}

/* To P: it has blocked since nothing moved, and does not hear that C goes on. */
static bool lose_to_p(struct lossy *l)
{
	struct relay *r = l->bed.queue ? &l->kick : &l->call;
	u64 end = now_ns() + LIMIT_NS;
	double items;

	while (!(p_number(&l->bed, "repaired") >= 1 && rp_load(&r->lost))) {
		items = c_number(&l->bed, "items");
		if (hold_c(&l->bed, true))
			return false;
		while (!p_blocks(&l->bed) && now_ns() < end && nap_ms(1))
			;
		__atomic_store_n(&r->lose, true, __ATOMIC_RELEASE);
		if (hold_c(&l->bed, false))
			return false;
		while (!(c_number(&l->bed, "items") > items + BED_SLOTS) && now_ns() < end &&
		       nap_ms(5))
			;
		__atomic_store_n(&r->lose, false, __ATOMIC_RELEASE);
		if (now_ns() > end || stopped())
			return false;
	}
	return true;
}

/* ---- A lone item ---- */

/* All that C does while it has no items, in counters. */
#define DOINGS	4

static void doings(struct bed *b, double now[DOINGS])
{
	static const char *const keys[DOINGS] = { "blocks", "received", "sleeps", "spin_ns" };
	u32 i;

	for (i = 0; i < DOINGS; i++)
		now[i] = c_number(b, keys[i]);
}

/*
 * C has nothing to do, and has blocked: it does nothing at all. That it has
 * blocked more often than it was notified would not do: one that an order or
 * the time woke counts for ever.
 */
static bool c_blocks(struct bed *b)
{
	u64 end = now_ns() + LIMIT_NS;
	double before[DOINGS], now[DOINGS];

	doings(b, now);
	do {
		memcpy(before, now, sizeof(now));
		if (!nap_ms(30))
			return false;
		doings(b, now);
		if (now[0] > 0 && !memcmp(before, now, sizeof(now)))
			return true;
	} while (now_ns() < end);
	return false;
}

/*
 * P sends a single item and then has none for ever. Where C blocked its kick is
 * lost; where it did not it needed none, and there is another try.
 */
static bool lose_lone(struct lossy *l)
{
	const struct party_traffic idle = { .w_ns = l->bed.driver_w_ns, .idle = true };
	const struct party_traffic one = { .w_ns = l->bed.driver_w_ns, .burst_items = 1 };
	u64 end = now_ns() + LIMIT_NS;
	double items;

	while (!(driver_number(&l->bed, "rekicks") >= 1 && rp_load(&l->kick.lost))) {
		if (now_ns() > end || party_set_traffic(&l->bed.party, &idle) ||
		    !c_blocks(&l->bed))
			return false;
		items = c_number(&l->bed, "items");
		__atomic_store_n(&l->kick.lose, true, __ATOMIC_RELEASE);
		if (party_set_traffic(&l->bed.party, &one))
			return false;
		while (!(c_number(&l->bed, "items") > items))
			if (now_ns() > end || !nap_ms(1))
				return false;
		__atomic_store_n(&l->kick.lose, false, __ATOMIC_RELEASE);
	}
	return true;
}

/* Nothing is out: P comes to wait for its next item, and for nothing else. */
static bool p_is_quiet(struct bed *b)
{
	u64 end = now_ns() + LIMIT_NS;
	double rekicks, sent;

	do {
		rekicks = driver_number(b, "rekicks");
		sent = driver_number(b, "sent");
		if (nap_ms(100) && driver_number(b, "rekicks") == rekicks &&
		    driver_number(b, "sent") == sent && !party_outstanding(&b->party))
			return true;
	} while (now_ns() < end && !stopped());
	return false;
}

static void test_lone(enum rp_strategy_id c)
{
	struct lossy *l = lossy_new(0, RP_ADAPTIVE, c);
	char subject[64];

	l->bed.driver_w_ns = 2000;
	l->bed.device_w_ns = 1000;
	snprintf(subject, sizeof(subject), "a lone item, adaptive to %s",
		 rp_strategy_by_id(c)->name);
	if (bed_ok(!lossy_open(l), subject, "set up")) {
		if (!bed_ok(lose_lone(l), subject, "its lost kick is found and repaired"))
			printf("# rekicks %.0f, lost %u, outstanding %llu; C: items %.0f, blocks %.0f, "
			       "received %.0f\n", driver_number(&l->bed, "rekicks"),
			       rp_load(&l->kick.lost),
			       (unsigned long long)party_outstanding(&l->bed.party),
			       c_number(&l->bed, "items"), c_number(&l->bed, "blocks"),
			       c_number(&l->bed, "received"));
		bed_ok(p_is_quiet(&l->bed), subject, "then P is quiet");
		bed_ok(bed_drains(&l->bed), subject, "nothing is missing");
	}
	lossy_close(l);
}

/* ---- Tests ---- */

/* Items go on, in order; in the end nothing is missing. */
static bool goes_on(struct bed *b)
{
	double items = c_number(b, "items");
	u64 end = now_ns() + LIMIT_NS;

	while (!(c_number(b, "items") >= items + SOME_ITEMS))
		if (now_ns() > end || !nap_ms(5))
			return false;
	return c_number(b, "lost") == 0 && c_number(b, "reordered") == 0;
}

static void test(struct lossy *l, const char *subject, bool (*lose)(struct lossy *l),
		 const char *what)
{
	static const char *const keys[] = { "rekicks", "repaired" };
	struct bed *b = &l->bed;
	u32 i;

	if (!bed_ok(!lossy_open(l), subject, "set up")) {
		lossy_close(l);
		return;
	}
	if (!b->queue) {
		/* Pauses in which a C of any strategy comes to block. */
		const struct party_traffic t = {
			.w_ns = b->driver_w_ns, .burst_items = 4 * BED_SLOTS, .gap_ns = 30000000,
		};

		if (lose == lose_to_c)
			party_set_traffic(&b->party, &t);
	}
	if (!bed_ok(lose(l), subject, what))
		for (i = 0; i < 2; i++)
			printf("# P counted %.0f %s; lost: kicks %u, calls %u\n",
			       p_number(b, keys[i]), keys[i], rp_load(&l->kick.lost),
			       rp_load(&l->call.lost));
	bed_ok(goes_on(b), subject, "items go on, none is lost or out of order");
	if (!b->queue)
		bed_ok(bed_drains(b), subject, "all are completed in the end");
	lossy_close(l);
}

static void test_fwd(enum rp_strategy_id c, bool to_c)
{
	struct lossy *l = lossy_new(0, RP_ADAPTIVE, c);
	char subject[64];

	l->bed.driver_w_ns = 2000;
	l->bed.device_w_ns = 1000;
	snprintf(subject, sizeof(subject), "fwd, adaptive to %s", rp_strategy_by_id(c)->name);
	test(l, subject, to_c ? lose_to_c : lose_to_p,
	     to_c ? "a lost kick is found and repaired" : "a lost call is found and repaired");
}

static void test_rev(enum rp_strategy_id c, bool to_c)
{
	struct lossy *l = lossy_new(1, c, RP_ADAPTIVE);
	char subject[64];

	/* Longer than others poll before they block. */
	l->bed.driver_w_ns = 1000;
	l->bed.device_w_ns = 400000;
	snprintf(subject, sizeof(subject), "rev, adaptive to %s", rp_strategy_by_id(c)->name);
	test(l, subject, to_c ? lose_to_c : lose_to_p,
	     to_c ? "a lost call is found and repaired" : "a lost kick is found and repaired");
}

int main(void)
{
	/* Those that block, sooner or later. */
	static const enum rp_strategy_id to_c[] = {
		RP_NOTIFY, RP_ADAPTIVE, RP_VHOST_BUSYLOOP, RP_KVM_HALT_POLL, RP_QEMU_POLL, RP_NAPI,
	};
	u32 i;

	catch_signals();
	for (i = 0; i < sizeof(to_c) / sizeof(to_c[0]); i++)
		test_fwd(to_c[i], true);
	for (i = 0; i < sizeof(to_c) / sizeof(to_c[0]); i++)
		test_lone(to_c[i]);
	test_fwd(RP_NOTIFY, false);
	test_fwd(RP_ADAPTIVE, false);
	test_fwd(RP_BUSY, false);
	test_rev(RP_NOTIFY, true);
	test_rev(RP_KVM_HALT_POLL, true);
	test_rev(RP_NOTIFY, false);
	return bed_finish();
}
