// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The forwarder of a chain's VM, between two ports of DPDK's that are rings: frames come
 * out in order, none is lost, also where the output is full.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <rte_bus_vdev.h>
#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "l2fwd.h"

#define SLOTS		64u
#define FEW		8u	/* a ring of 8 holds 7 */
#define FRAMES		1000u
#define FRAME_BYTES	60u

static struct rte_mempool *pool;

struct bed {
	struct l2fwd f;
	struct rte_ring *rx[L2FWD_PORTS], *tx[L2FWD_PORTS];
	u16 port[L2FWD_PORTS];
};

static struct rte_ring *ring(const char *what, u32 i, u32 slots)
{
	char name[16];
	struct rte_ring *r;

	snprintf(name, sizeof(name), "%s%u", what, i);
	r = rte_ring_create(name, slots, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	assert_non_null(r);
	return r;
}

static void open_bed(struct bed *b, u32 tx_slots, const struct l2fwd_options *o)
{
	char name[16];
	u32 i;
	int port;

	assert_null(l2fwd_options_check(o));
	for (i = 0; i < L2FWD_PORTS; i++) {
		b->rx[i] = ring("rx", i, SLOTS);
		b->tx[i] = ring("tx", i, tx_slots);
		snprintf(name, sizeof(name), "p%u", i);
		port = rte_eth_from_rings(name, &b->rx[i], 1, &b->tx[i], 1, SOCKET_ID_ANY);
		assert_true(port >= 0);
		b->port[i] = (u16)port;
	}
	assert_null(l2fwd_ports_start(b->port[0], b->port[1], SLOTS));
	assert_true(l2fwd_ports_up(b->port[0], b->port[1]));
	l2fwd_init(&b->f, b->port[0], b->port[1], o, NULL);
	rp_party_start(&b->f.party);
}

static void close_bed(struct bed *b)
{
	char name[16];
	u32 i;

	l2fwd_free(&b->f);
	l2fwd_ports_stop(b->port[0], b->port[1]);
	for (i = 0; i < L2FWD_PORTS; i++) {
		snprintf(name, sizeof(name), "net_ring_p%u", i);
		assert_int_equal(rte_vdev_uninit(name), 0);
		rte_ring_free(b->rx[i]);
		rte_ring_free(b->tx[i]);
	}
	rte_mempool_free(rte_mempool_lookup("l2fwd"));
	/* Every frame has been given back. */
	assert_int_equal(rte_mempool_in_use_count(pool), 0);
}

/* One into the ring of @port's; false: it is full. */
static bool put(struct bed *b, u32 port, u32 seq)
{
	struct rte_mbuf *m;
	u8 *at;

	if (rte_ring_full(b->rx[port]))
		return false;
	m = rte_pktmbuf_alloc(pool);
	assert_non_null(m);
	at = (u8 *)rte_pktmbuf_append(m, FRAME_BYTES);
	memset(at, (int)(seq & 0xff), FRAME_BYTES);
	memcpy(at + RTE_ETHER_HDR_LEN, &seq, sizeof(seq));
	assert_int_equal(rte_ring_enqueue(b->rx[port], m), 0);
	return true;
}

/* NULL: there is none. */
static struct rte_mbuf *next_of(struct rte_ring *r)
{
	void *m = NULL;

	rte_ring_dequeue(r, &m);
	return m;
}

/* What came out of @port must be number *@seq, and whole; false: nothing. */
static bool get(struct bed *b, u32 port, u32 *seq)
{
	struct rte_mbuf *m = next_of(b->tx[port]);
	u8 want[FRAME_BYTES], *at;

	if (!m)
		return false;
	assert_int_equal(rte_pktmbuf_pkt_len(m), FRAME_BYTES);
	memset(want, (int)(*seq & 0xff), sizeof(want));
	memcpy(want + RTE_ETHER_HDR_LEN, seq, sizeof(*seq));
	at = rte_pktmbuf_mtod(m, u8 *);
	if (b->f.macs)
		memcpy(want, at, 2 * RTE_ETHER_ADDR_LEN);
	assert_memory_equal(at, want, sizeof(want));
	rte_pktmbuf_free(m);
	++*seq;
	return true;
}

/* FRAMES both ways; @lazy: the outputs are emptied only when nothing moves any more. */
static void pass(struct bed *b, bool lazy)
{
	u32 put_n[L2FWD_PORTS] = { 0 }, got[L2FWD_PORTS] = { 0 }, i;

	while (got[0] < FRAMES || got[1] < FRAMES) {
		for (i = 0; i < L2FWD_PORTS; i++)
			while (put_n[i] < FRAMES && put(b, i, put_n[i]))
				put_n[i]++;
		if (rp_party_step(&b->f.party).what == RP_NEXT_RUN && lazy)
			continue;
		rp_party_resume(&b->f.party, RP_WAKE_SLEPT);
		for (i = 0; i < L2FWD_PORTS; i++)
			while (get(b, i, &got[i]))
				;
	}
	for (i = 0; i < L2FWD_PORTS; i++) {
		assert_int_equal(got[i], FRAMES);
		assert_int_equal(b->f.port[i].received, FRAMES);
		assert_int_equal(b->f.port[i].sent, FRAMES);
	}
	assert_int_equal(l2fwd_held(&b->f), 0);
	assert_int_equal(b->f.party.stats.items, 2 * FRAMES);
}

static const struct l2fwd_options sleeps = { .strategy = "sleep", .y_ns = 1000, .burst = 32 };

static void test_in_order(void **state)
{
	static const u32 bursts[] = { 1, 5, 32, L2FWD_BURST_MAX };
	struct l2fwd_options o = sleeps;
	struct bed b;
	u32 i;

	for (i = 0; i < sizeof(bursts) / sizeof(*bursts); i++) {
		o.burst = bursts[i];
		open_bed(&b, SLOTS, &o);
		pass(&b, false);
		close_bed(&b);
	}
}

/* A port that takes less than a burst: the rest is held, and goes first. */
static void test_full_output(void **state)
{
	struct bed b;

	open_bed(&b, FEW, &sleeps);
	pass(&b, true);
	close_bed(&b);
}

/* While a way holds frames it takes no more, and the other way goes on. */
static void test_holds_its_sender_up(void **state)
{
	struct bed b;
	u32 seq = 0, i;

	open_bed(&b, FEW, &sleeps);
	for (i = 0; i < SLOTS - 1; i++)
		assert_true(put(&b, 0, i));
	for (i = 0; i < 10; i++) {
		rp_party_step(&b.f.party);
		rp_party_resume(&b.f.party, RP_WAKE_SLEPT);
	}
	assert_int_equal(b.f.port[0].received, sleeps.burst);
	assert_int_equal(b.f.port[1].sent, FEW - 1);
	assert_int_equal(l2fwd_held(&b.f), sleeps.burst - (FEW - 1));
	put(&b, 1, 0);
	rp_party_step(&b.f.party);
	assert_int_equal(b.f.port[0].sent, 1);
	assert_true(get(&b, 0, &seq));
	seq = 0;
	while (get(&b, 1, &seq))
		;
	assert_int_equal(seq, FEW - 1);
	while (!rte_ring_empty(b.rx[0]))
		rte_pktmbuf_free(next_of(b.rx[0]));
	/* What is held is given back, too. */
	close_bed(&b);
}

static void test_macs(void **state)
{
	static const u8 to[] = { 2, 0, 0, 0, 0 };
	struct l2fwd_options o = sleeps;
	struct rte_mbuf *m;
	struct bed b;
	u8 *at;

	o.macs = true;
	open_bed(&b, SLOTS, &o);
	pass(&b, false);
	assert_true(put(&b, 0, 7));
	rp_party_step(&b.f.party);
	m = next_of(b.tx[1]);
	assert_non_null(m);
	at = rte_pktmbuf_mtod(m, u8 *);
	assert_memory_equal(at, to, sizeof(to));
	assert_int_equal(at[5], b.port[1]);
	assert_memory_equal(at + RTE_ETHER_ADDR_LEN, &b.f.port[1].mac, RTE_ETHER_ADDR_LEN);
	rte_pktmbuf_free(m);
	close_bed(&b);
}

/* Nothing came: what its strategy says, and never a block. */
static void test_idle(void **state)
{
	struct l2fwd_options o = { .strategy = "ovs-sleep", .y_ns = 3000, .burst = 32 };
	struct rp_next next = { 0 };
	struct bed b;
	u32 i;

	open_bed(&b, SLOTS, &o);
	for (i = 0; i < 10; i++) {
		next = rp_party_step(&b.f.party);
		assert_true(next.what == RP_NEXT_SPIN || next.what == RP_NEXT_SLEEP);
		rp_party_resume(&b.f.party, RP_WAKE_SLEPT);
	}
	assert_int_equal(next.what, RP_NEXT_SLEEP);
	assert_int_equal(next.ns, 3000);
	close_bed(&b);

	o.strategy = "busy";
	open_bed(&b, SLOTS, &o);
	assert_int_equal(rp_party_step(&b.f.party).what, RP_NEXT_SPIN);
	close_bed(&b);
}

static void test_options(void **state)
{
	struct l2fwd_options o = sleeps;

	assert_null(l2fwd_options_check(&o));
	o.burst = 0;
	assert_non_null(l2fwd_options_check(&o));
	o.burst = L2FWD_BURST_MAX + 1;
	assert_non_null(l2fwd_options_check(&o));
	o = sleeps;
	o.y_ns = 2000000000;
	assert_non_null(l2fwd_options_check(&o));
	o = sleeps;
	/* Nobody would wake it. */
	o.strategy = "notify";
	assert_non_null(l2fwd_options_check(&o));
	o.strategy = "hope";
	assert_non_null(l2fwd_options_check(&o));
}

static int start_dpdk(void **state)
{
	char *argv[] = {
		"test_l2fwd", "-l", "0", "--no-huge", "-m", "64", "--no-pci", "--no-telemetry",
		"--no-shconf", "--log-level=error",
	};

	if (rte_eal_init(sizeof(argv) / sizeof(*argv), argv) < 0)
		return -1;
	pool = rte_pktmbuf_pool_create("frames", 4 * SLOTS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
				       SOCKET_ID_ANY);
	return pool ? 0 : -1;
}

static int stop_dpdk(void **state)
{
	rte_mempool_free(pool);
	return rte_eal_cleanup();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_full_output),
		cmocka_unit_test(test_holds_its_sender_up),
		cmocka_unit_test(test_macs),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, start_dpdk, stop_dpdk);
}
