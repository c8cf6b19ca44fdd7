// SPDX-License-Identifier: GPL-2.0-or-later
/* A queue of a guest that is slow, mean with its buffers, or wants us to wait. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../vhost/daemon/net/flow.h"
#include "packet_fixture.h"

static const struct offloads all = {
	.csum = true, .tso4 = true, .tso6 = true, .ecn = true, .mergeable = true,
};
static struct pair pair;

static int begin(void **state)
{
	return pair_init(&pair, &all, &all) ? 0 : -1;
}

static int end(void **state)
{
	pair_free(&pair);
	return 0;
}

/* ---- Eventfds of a peer that wants us to wait ---- */

/* Of the RX queue, as if other pacers wrote it, too. */
static pthread_mutex_t owner = PTHREAD_MUTEX_INITIALIZER;
/* At the first alarm: could another thread own the queue? */
static enum { NOT_YET, FREE, OWNED } found;

static void on_alarm(int sig)
{
	bool free;

	if (found != NOT_YET)
		return;
	free = !pthread_mutex_trylock(&owner);
	if (free)
		pthread_mutex_unlock(&owner);
	found = free ? FREE : OWNED;
}

/* Full, and blocking. */
static int full_eventfd(void)
{
	int fd = eventfd(0, EFD_CLOEXEC);
	u64 most = UINT64_MAX - 1;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, &most, sizeof(most)), sizeof(most));
	return fd;
}

/* What the watchdog does: signals, every @ms, and no call is begun again after it. */
static void nudge_every(u32 ms)
{
	const struct sigaction sa = { .sa_handler = on_alarm };
	const struct itimerval t = {
		.it_value.tv_usec = ms * 1000, .it_interval.tv_usec = ms * 1000,
	};

	assert_int_equal(sigaction(SIGALRM, &sa, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &t, NULL), 0);
}

static u64 count_of(int fd)
{
	u64 n = 0;

	assert_int_equal(read(fd, &n, sizeof(n)), sizeof(n));
	return n;
}

/* One stall, not of others who write the queue; then neither a new ring nor another queue of the port gives the peer more. */
static void test_blocking_call(void **state)
{
	int call = full_eventfd(), err = full_eventfd();
	struct queue_ring ring;

	pair.tx.suspect = pair.rx.suspect;
	ring = pair_ring(&pair.b);
	ring.call_fd = call;
	ring.err_fd = err;
	vq_new_fds(&pair.rx, &ring);
	port_queue_share(&pair.rx.q, &owner);
	nudge_every(50);
	vq_ops.notify(&pair.rx.q);
	nudge_every(0);
	assert_int_equal(found, FREE);
	assert_int_equal(pthread_mutex_trylock(&owner), 0);
	pthread_mutex_unlock(&owner);
	port_queue_share(&pair.rx.q, NULL);
	/* From here on a wait would have no end. */
	assert_non_null(strstr(pair.rx.q.broken, "blocks"));
	vq_detach(&pair.rx);
	assert_int_equal(vq_attach(&pair.rx, &ring, &all), 0);
	assert_non_null(pair.rx.q.broken);
	assert_int_equal(vq_ops.ready(&pair.rx.q), 0);
	vq_ops.notify(&pair.rx.q);
	ring = pair_ring(&pair.a);
	ring.call_fd = call;
	ring.err_fd = err;
	vq_new_fds(&pair.tx, &ring);
	vq_ops.notify(&pair.tx.q);
	assert_null(pair.tx.q.broken);
	vq_check_broken(&pair.tx, "by the test");
	assert_int_equal(count_of(call), UINT64_MAX - 1);
	assert_int_equal(count_of(err), UINT64_MAX - 1);
	/* With room it is called as ever; the next peer begins without the past. */
	vq_ops.notify(&pair.tx.q);
	assert_int_equal(count_of(call), 1);
	vq_detach(&pair.rx);
	vq_forget(&pair.rx);
	ring = pair_ring(&pair.b);
	assert_int_equal(vq_attach(&pair.rx, &ring, &all), 0);
	assert_null(pair.rx.q.broken);
	close(call);
	close(err);
}

/* Who owns a queue does not tell of its end: who notifies next does, once. */
static void test_error_of_shared(void **state)
{
	struct queue_ring ring = pair_ring(&pair.b);
	u64 n;

	ring.err_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	vq_new_fds(&pair.rx, &ring);
	port_queue_share(&pair.rx.q, &owner);
	vq_check_broken(&pair.rx, "by the test");
	assert_non_null(pair.rx.q.broken);
	assert_int_equal(read(ring.err_fd, &n, sizeof(n)), -1);
	assert_true(port_queue_peer_wants(&pair.rx.q));
	vq_ops.notify(&pair.rx.q);
	assert_int_equal(count_of(ring.err_fd), 1);
	assert_false(port_queue_peer_wants(&pair.rx.q));
	vq_ops.notify(&pair.rx.q);
	assert_int_equal(read(ring.err_fd, &n, sizeof(n)), -1);
	close(ring.err_fd);
}

/* ---- Thresholds ---- */

static void post(u32 n)
{
	u8 *at = pair.b.buffers + 8192;

	for (; n; n--, at += 128)
		assert_true(rp_drv_add(&pair.db, &(struct rp_seg){ at, 128 }, 0, 1, at));
	rp_drv_publish(&pair.db);
}

static void send(u32 bytes)
{
	static const struct virtio_net_hdr_v1 hdr;
	struct rp_seg seg = { pair.a.buffers + 8192, bytes + PACKET_HDR_BYTES };

	memcpy(seg.base, &hdr, sizeof(hdr));
	assert_true(rp_drv_add(&pair.da, &seg, 1, 0, seg.base));
	rp_drv_publish(&pair.da);
}

static u32 received(void)
{
	u32 n = 0, written;

	while (rp_drv_get_used(&pair.db, &written))
		n++;
	return n;
}

static void use_all(u32 n)
{
	u32 i, written;

	for (i = 0; i < n; i++)
		send(60);
	while (pair_turn(&pair))
		;
	assert_int_equal(received(), n);
	for (i = 0; i < n; i++)
		assert_non_null(rp_drv_get_used(&pair.da, &written));
}

/* A driver that once had many buffers there and keeps few from now on is waited for, too. */
static void test_fewer_buffers(void **state)
{
	const u32 k = PAIR_SLOTS * 3 / 4;
	u32 waits, i;

	post(100);
	assert_int_equal(vq_ops.ready(&pair.rx.q), 100);
	/* What comes as it did is waited for as before. */
	for (i = 0; i < 20; i++) {
		use_all(100);
		assert_false(vq_ops.arm(&pair.rx.q, k));
		post(75);
		vq_ops.disarm(&pair.rx.q);
		post(25);
	}
	assert_int_equal(pair.rx.posted, 100);
	use_all(100);
	post(8);
	for (waits = 0; !vq_ops.arm(&pair.rx.q, k); waits++) {
		assert_true(waits < 8);
		vq_ops.disarm(&pair.rx.q);
	}
	vq_ops.disarm(&pair.rx.q);
	assert_true(waits > 0);
	/* It keeps many again. */
	post(92);
	assert_int_equal(vq_ops.ready(&pair.rx.q), 100);
	use_all(100);
	post(74);
	assert_false(vq_ops.arm(&pair.rx.q, k));
	post(1);
	assert_true(vq_ops.arm(&pair.rx.q, k));
}

/* ---- Chains of more descriptors than are taken ---- */

static void set_chain(struct guest *g, u32 n, u16 flags, u16 last)
{
	u32 i;

	for (i = 0; i < n; i++)
		g->ring.desc[i] = (struct vring_desc){
			guest_gpa(g, g->buffers) + 64 * i, 64,
			(u16)(flags | (i + 1 < n || last ? VRING_DESC_F_NEXT : 0)),
			(u16)(i + 1 < n ? i + 1 : 0),
		};
	g->ring.avail->ring[g->ring.avail->idx % PAIR_SLOTS] = 0;
	g->ring.avail->idx++;
}

/* A frame of so many is dropped, a chain without an end, too; the next one goes. */
static void test_long_tx(void **state)
{
	post(1);
	set_chain(&pair.a, RP_CHAIN_MAX + 1, 0, false);
	set_chain(&pair.a, PAIR_SLOTS, 0, false);
	set_chain(&pair.a, PAIR_SLOTS, 0, true);
	assert_int_equal(pair_turn(&pair), 3);
	assert_int_equal(pair.tx.q.dropped[DROP_SIZE], 3);
	assert_null(pair.tx.q.broken);
	set_chain(&pair.a, 2, 0, false);
	memset(pair.a.buffers, 0, 128);
	assert_int_equal(pair_turn(&pair), 1);
	assert_int_equal(received(), 1);
}

/* A buffer of so many is as large as what is taken of it. */
static void test_long_rx(void **state)
{
	set_chain(&pair.b, PAIR_SLOTS, VRING_DESC_F_WRITE, false);
	send(60 * RP_CHAIN_MAX);
	assert_int_equal(pair_turn(&pair), 1);
	assert_null(pair.rx.q.broken);
	assert_int_equal(pair.rx.q.packets, 1);
	assert_int_equal(pair.b.ring.used->ring[0].len, 60 * RP_CHAIN_MAX + PACKET_HDR_BYTES);
}

/* ---- Receivers that have no buffer for too long ---- */

/* Two that need more than there is, two that do not: these two arrive. */
static void offer_mixed(void)
{
	post(2);
	send(1000);
	send(60);
	send(1000);
	send(60);
}

static void test_only_what_finds_none(void **state)
{
	static const struct flow_params now = {
		.strategy = RP_BUSY, .burst = BATCH_PACKETS, .cpu_cap_percent = 100,
	};
	struct flow f;

	flow_init(&f, &pair.tx.q);
	f.rx = &pair.rx.q;
	f.owns_rx = true;
	flow_begin(&f, &now, &now, 1000000000);
	flow_start(&f);
	offer_mixed();
	flow_turn(&f, &pair.batch, rp_tsc());
	assert_int_equal(received(), 2);
	assert_int_equal(pair.tx.q.dropped[DROP_FULL], 2);
	assert_int_equal(pair.tx.q.packets, 2);
	/* There is nothing: all of them. */
	send(60);
	send(60);
	flow_turn(&f, &pair.batch, rp_tsc());
	assert_int_equal(received(), 0);
	assert_int_equal(pair.tx.q.dropped[DROP_FULL], 4);
	flow_stop(&f);
}

/* ---- Turns of several batches ---- */

static void begin_flow(struct flow *f, u32 burst)
{
	const struct flow_params set = {
		.strategy = RP_BUSY, .burst = burst, .cpu_cap_percent = 100, .full_ns = 1000000000,
	};

	flow_init(f, &pair.tx.q);
	f->rx = &pair.rx.q;
	f->owns_rx = true;
	flow_begin(f, &set, &set, 1000000000);
	flow_start(f);
}

static u32 given_back(void)
{
	u32 n = 0, written;

	while (rp_drv_get_used(&pair.da, &written))
		n++;
	return n;
}

/* Short batches share a turn while they are whole, BATCH_PACKETS at most; each is published. */
static void test_short_batches(void **state)
{
	static const u32 bursts[] = { 1, 3, 24, BATCH_PACKETS };
	const u32 sent = PAIR_SLOTS - 8;
	u32 i, k, turns, most;
	struct flow f;

	for (k = 0; k < sizeof(bursts) / sizeof(*bursts); k++) {
		begin_flow(&f, bursts[k]);
		most = BATCH_PACKETS / bursts[k] * bursts[k];
		post(sent);
		for (i = 0; i < sent; i++)
			send(60);
		for (turns = 0; i; turns++) {
			flow_turn(&f, &pair.batch, rp_tsc());
			assert_int_equal(f.state, FLOW_RUNS);
			assert_int_equal(received(), i < most ? i : most);
			assert_int_equal(given_back(), i < most ? i : most);
			i -= i < most ? i : most;
		}
		assert_int_equal(f.c.stats.batches, turns);
		assert_int_equal(f.c.stats.items, sent);
		assert_int_equal(f.p.stats.items, sent);
		flow_stop(&f);
	}
}

/* RX is full in the midst of a turn: what was moved counts, the rest stays. */
static void test_full_between_batches(void **state)
{
	struct flow f;
	u32 i;

	begin_flow(&f, 2);
	post(5);
	for (i = 0; i < 9; i++)
		send(60);
	flow_turn(&f, &pair.batch, rp_tsc());
	assert_int_equal(received(), 5);
	assert_int_equal(given_back(), 5);
	flow_turn(&f, &pair.batch, rp_tsc());
	assert_ptr_equal(f.waiting, &f.p);
	assert_int_equal(received(), 0);
	post(8);
	flow_turn(&f, &pair.batch, rp_tsc());
	assert_int_equal(received(), 4);
	assert_int_equal(given_back(), 4);
	assert_int_equal(pair.tx.q.packets, 9);
	assert_int_equal(pair.tx.q.dropped[DROP_FULL], 0);
	flow_stop(&f);
}

static void test_only_what_finds_none_spread(void **state)
{
	struct spread s = { .pairs = 1, .rx[0].q = &pair.rx.q };
	struct batch *b = &pair.batch;
	struct rss_sender by = { 0 };
	struct rss_config config;

	rss_default(&config, 1, 1);
	s.rss = rss_new(&config);
	assert_non_null(s.rss);
	offer_mixed();
	b->n = b->n_seg = b->bytes = 0;
	vq_ops.get(&pair.tx.q, b, BATCH_PACKETS);
	assert_int_equal(b->n, 4);
	assert_int_equal(spread_deliver(&s, &by, b, 1), 4);
	vq_ops.done(&pair.tx.q, b, 4);
	assert_int_equal(received(), 2);
	assert_int_equal(pair.tx.q.dropped[DROP_FULL], 2);
	rss_free(s.rss);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_blocking_call),
		CASE(test_error_of_shared),
		CASE(test_fewer_buffers),
		CASE(test_long_tx),
		CASE(test_long_rx),
		CASE(test_only_what_finds_none),
		CASE(test_only_what_finds_none_spread),
		CASE(test_short_batches),
		CASE(test_full_between_batches),
	};

	return cmocka_run_group_tests_name("vq", tests, NULL, NULL);
}
