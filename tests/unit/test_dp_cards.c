// SPDX-License-Identifier: GPL-2.0-or-later
/* Several cards as one port: each by itself, and under a dataplane whose groups move. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "dataplane.h"
#include "port_cards.h"
#include "port_soft.h"
#include "rand.h"

#define CARDS		3u
#define QUEUES		2u
#define GROUPS		128u
#define SLOTS		16u
#define PACKETS		256u

struct packet {
	struct dp_pkt p;
	u32 number;
};

static struct soft_port *soft[CARDS];
static struct dp_port *port;
static struct packet packet[PACKETS];
static struct dp_list spare;
static u32 closed;

static void close_soft(struct dp_port *card)
{
	u32 i;

	for (i = 0; i < CARDS; i++)
		if (&soft[i]->port == card)
			soft_port_free(soft[i]);
	closed++;
}

static int set_up(void **state)
{
	struct dp_port *card[CARDS];
	u32 i;

	spare = (struct dp_list){ 0 };
	for (i = 0; i < PACKETS; i++)
		dp_list_add(&spare, &packet[i].p);
	for (i = 0; i < CARDS; i++) {
		soft[i] = soft_port_new(QUEUES, GROUPS, SLOTS, PACKETS, true);
		if (!soft[i])
			return -1;
		soft[i]->port.mac[0][5] = (u8)i;
		soft[i]->port.frame_bytes = 1514 - i;
		card[i] = &soft[i]->port;
	}
	closed = 0;
	port = cards_port_new(card, CARDS, GROUPS, close_soft);
	return port ? 0 : -1;
}

static int tear_down(void **state)
{
	cards_port_close(port);
	return closed == CARDS ? 0 : -1;
}

static struct packet *next(u32 hash, u32 card, u32 number)
{
	struct packet *p = (struct packet *)dp_list_pop(&spare);

	if (!p)
		return NULL;
	p->p.hash = hash;
	p->p.card = (u8)card;
	p->number = number;
	return p;
}

/* By @card, of a group whose entry is queue @queue at first. */
static void input(u32 card, u32 queue, u32 number)
{
	/* The card is the port's to tell. */
	assert_true(soft_port_input(soft[card], &next(queue, 77, number)->p));
}

static int steer_all(u32 groups, u32 queue_of_even)
{
	struct dp_steer s[GROUPS];
	u32 i;

	for (i = 0; i < groups; i++)
		s[i] = (struct dp_steer){ (u16)i, (u16)((i + queue_of_even) % QUEUES) };
	return port->ops->steer(port, s, groups);
}

/* ---- The port ---- */

static void test_one(void **state)
{
	u32 i;

	assert_int_equal(port->cards, CARDS);
	assert_int_equal(port->queues, QUEUES);
	assert_int_equal(port->slots, CARDS * SLOTS);
	assert_int_equal(port->frame_bytes, 1514 - (CARDS - 1));
	assert_true(port->fenced);
	for (i = 0; i < CARDS; i++)
		assert_int_equal(port->mac[i][5], i);
	/* Software has none. */
	assert_null(port->ops->interrupt_fd);
}

/* All that is there, of each card in its order; one that has much keeps nobody waiting. */
static void test_rx(void **state)
{
	struct dp_pkt *p[8];
	u32 seen[CARDS] = { 0 }, i, n, total = 0;

	assert_int_equal(steer_all(GROUPS, 0), 0);
	assert_int_equal(port->ops->rx(port, 0, p, 8), 0);
	for (i = 0; i < SLOTS; i++)
		input(1, 0, i);
	for (i = 0; i < 3; i++)
		input(2, 0, i);
	assert_int_equal(port->ops->depth(port, 0), SLOTS + 3);
	assert_int_equal(port->ops->depth(port, 1), 0);
	while ((n = port->ops->rx(port, 0, p, 8))) {
		for (i = 0; i < n; i++) {
			struct packet *got = (struct packet *)p[i];

			assert_int_equal(got->number, seen[got->p.card]++);
		}
		total += n;
		/* Twice at most somebody else is first. */
		assert_true(total < 3 * 8 || seen[2]);
	}
	assert_int_equal(seen[0], 0);
	assert_int_equal(seen[1], SLOTS);
	assert_int_equal(seen[2], 3);
}

/* Each by its card, in order; a card that takes no more does not hold up the others. */
static void test_tx(void **state)
{
	struct dp_pkt *p[64], *got;
	u32 i, n, sent;

	for (i = 0; i < 60; i++)
		p[i] = &next(0, i % CARDS, i)->p;
	p[59]->card = 200;
	assert_int_equal(port->ops->tx(port, 0, p, 60), 60);
	for (i = 0; i < CARDS; i++) {
		u32 last = 0;

		for (n = 0; (got = soft_port_sent(soft[i], 0)); n++) {
			assert_true(!n || ((struct packet *)got)->number > last);
			last = ((struct packet *)got)->number;
			assert_int_equal(last % CARDS, last == 59 ? 2 : i);
		}
		/* Of a card that there is not: by the first one. */
		assert_int_equal(n, i == 0 ? 21 : i == 1 ? 20 : 19);
	}
	/* Card 1's ring has room for all packets but for what is in it. */
	for (n = 0; n < PACKETS; n += sent) {
		for (i = 0; i < 64; i++)
			p[i] = &packet[i].p, p[i]->card = 1;
		sent = port->ops->tx(port, 0, p, 64);
	}
	for (i = 0; i < 9; i++) {
		packet[i].number = i;
		packet[i].p.card = i % CARDS;
		p[i] = &packet[i].p;
	}
	assert_int_equal(port->ops->tx(port, 0, p, 9), 6);
	/* Those that are left are behind, in their order. */
	for (i = 6; i < 9; i++)
		assert_int_equal(((struct packet *)p[i])->number, 1 + CARDS * (i - 6));
}

static void send(u32 card, u32 n)
{
	struct dp_pkt *p[64];
	u32 i;

	for (i = 0; i < n; i++)
		p[i] = &next(0, card, i)->p;
	assert_int_equal(port->ops->tx(port, 0, p, n), n);
}

static void take(u32 card, u32 n)
{
	struct dp_pkt *p;

	while (n--) {
		p = soft_port_sent(soft[card], 0);
		assert_non_null(p);
		dp_list_add(&spare, p);
	}
}

/* What was sent before has left, whatever each card was given since. */
static void test_left(void **state)
{
	u32 i;

	send(0, 3);
	send(1, 2);
	assert_false(port->ops->left(port, 0, 0));
	assert_true(port->ops->left(port, 1, 0));
	send(1, 4);
	assert_false(port->ops->left(port, 0, 4));
	take(0, 3);
	assert_false(port->ops->left(port, 0, 4));
	take(1, 2);
	assert_true(port->ops->left(port, 0, 4));
	/* A place that is not known any more: once all that is known has left. */
	for (i = 0; i < 40; i++) {
		send(2, 1);
		port->ops->left(port, 0, 0);
	}
	assert_false(port->ops->left(port, 0, 44));
	take(1, 4);
	take(2, 39);
	assert_true(port->ops->left(port, 0, 1));
	assert_false(port->ops->left(port, 0, 0));
	take(2, 1);
	assert_true(port->ops->left(port, 0, 0));
	assert_true(port->ops->left(port, 0, ~0u));
}

/* All cards or none. */
static void test_steer(void **state)
{
	u32 i;

	assert_int_equal(steer_all(GROUPS, 0), 0);
	assert_int_equal(steer_all(64, 1), 0);
	for (i = 0; i < CARDS; i++) {
		assert_int_equal(atomic_load(&soft[i]->table[3]), 0);
		assert_int_equal(atomic_load(&soft[i]->table[65]), 1);
	}
	atomic_store(&soft[2]->refuse, EBUSY);
	assert_int_equal(steer_all(GROUPS, 0), -EBUSY);
	for (i = 0; i < CARDS; i++) {
		assert_int_equal(atomic_load(&soft[i]->table[3]), 0);
		assert_int_equal(atomic_load(&soft[i]->table[65]), 1);
	}
	atomic_store(&soft[2]->refuse, 0);
	assert_int_equal(steer_all(GROUPS, 0), 0);
	assert_int_equal(atomic_load(&soft[1]->table[3]), 1);
}

/* ---- Interrupts, of cards that have some ---- */

static int event[2];
static u32 asked;

static int soft_interrupt_fd(struct dp_port *card, u32 queue)
{
	return event[card == &soft[1]->port];
}

static void soft_interrupt(struct dp_port *card, u32 queue, bool on)
{
	asked += on;
}

static void soft_interrupt_take(struct dp_port *card, u32 queue)
{
	dp_port_take_eventfd(soft_interrupt_fd(card, queue));
}

static void test_interrupts(void **state)
{
	struct dp_port *card[2], *both;
	struct dp_port_ops ops = *soft[0]->port.ops;
	struct pollfd p = { .events = POLLIN };
	u64 one = 1;
	u32 i;

	ops.interrupt_fd = soft_interrupt_fd;
	ops.interrupt = soft_interrupt;
	ops.interrupt_take = soft_interrupt_take;
	for (i = 0; i < 2; i++) {
		event[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		soft[i]->port.ops = &ops;
		card[i] = &soft[i]->port;
	}
	both = cards_port_new(card, 2, GROUPS, close_soft);
	assert_non_null(both);
	assert_non_null(both->ops->interrupt_fd);
	p.fd = both->ops->interrupt_fd(both, 1);
	both->ops->interrupt(both, 1, true);
	assert_int_equal(asked, 2);
	for (i = 0; i < 2; i++) {
		assert_int_equal(poll(&p, 1, 0), 0);
		assert_int_equal(write(event[i], &one, sizeof(one)), sizeof(one));
		assert_int_equal(poll(&p, 1, 0), 1);
		both->ops->interrupt_take(both, 1);
	}
	assert_int_equal(poll(&p, 1, 0), 0);
	/* Its cards are the other port's, too. */
	both->cards = 0;
	cards_port_close(both);
	for (i = 0; i < 2; i++)
		close(event[i]);
}

/* ---- A dataplane ---- */

static u64 clock_ns = 1000 * DP_TICK_NS;

static u64 now(void *arg)
{
	return clock_ns;
}

/* By the next card, with the same number. */
static void reflect(struct dp_thread *t, struct dp_group *g, struct dp_pkt *p)
{
	p->card = (u8)((p->card + 1) % CARDS);
	dp_send(t, p);
}

static const struct dp_app app = { .name = "cross", .packet = reflect };

static u32 in_number[GROUPS][CARDS], out_number[GROUPS][CARDS];

static void collect(u32 card, u32 queue)
{
	struct dp_pkt *p;
	u32 from = (card + CARDS - 1) % CARDS;

	while ((p = soft_port_sent(soft[card], queue))) {
		u32 g = p->hash % GROUPS;

		assert_int_equal(((struct packet *)p)->number, out_number[g][from]++);
		dp_list_add(&spare, p);
	}
}

/*
 * Groups move between two threads while each card brings packets of all of them: what a group
 * gets by a card leaves in that order, by whichever thread.
 */
static void test_moves(void **state)
{
	const char *why;
	struct dp *dp = dp_new(&(struct dp_config){
		.threads = QUEUES, .groups = GROUPS, .batch = 8, .stall_ns = 60000000000ULL,
		.port = port, .app = &app, .now_ns = now,
	}, &why);
	u64 rng = test_seed();
	struct packet *p;
	u32 i, k, g, ordered = 0, total = 0;

	assert_non_null(dp);
	for (i = 0; i < 400000; i++) {
		clock_ns += 200;
		g = test_below(&rng, GROUPS);
		k = test_below(&rng, CARDS);
		p = next(g, 0, in_number[g][k]);
		if (p && soft_port_input(soft[k], &p->p))
			in_number[g][k]++, total++;
		else if (p)
			dp_list_add(&spare, &p->p);
		if (!test_below(&rng, 20))
			ordered += !dp_move(dp, test_below(&rng, GROUPS),
					    test_below(&rng, QUEUES));
		if (test_below(&rng, 3))
			dp_thread_turn(dp, test_below(&rng, QUEUES));
		if (test_below(&rng, 2))
			dp_control_turn(dp);
		/* Rings are emptied now and then, so that something is in them. */
		if (!test_below(&rng, 4))
			collect(test_below(&rng, CARDS), test_below(&rng, QUEUES));
	}
	for (i = 0; i < 1000; i++) {
		clock_ns += 100000;
		dp_thread_turn(dp, i % QUEUES);
		dp_control_turn(dp);
		for (k = 0; k < CARDS; k++)
			collect(k, i % QUEUES);
	}
	assert_true(ordered >= 1000 && total >= 50000);
	assert_true(dp->moves.ended[DP_DONE] >= 500);
	assert_int_equal(dp->moves.dropped, 0);
	assert_int_equal(dp->moves.forced + dp->moves.overtaken, 0);
	assert_memory_equal(in_number, out_number, sizeof(in_number));
	assert_int_equal(dp_missing(dp), 0);
	dp_free(dp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rx, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tx, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_left, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_steer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_interrupts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_moves, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
