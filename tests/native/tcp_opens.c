// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Connections that the dataplane opens to Linux, and how either side ends them:
 *
 *	end 0, 10.0.0.1 ══ wire of tcp_fixture.h ══ the tap that is named, 10.0.0.2
 *
 * End 1 of the fixture only lends its queues: what comes there goes to the tap. Linux's
 * side are sockets of this program, so that one thread plays all. Time is the machine's,
 * and what a test puts on it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <time.h>

#include "tcp_streams.h"
#include "tcp_linux.h"

#define STREAMS		PEERS
#define STREAM_BYTES	200000u
#define LIMIT_NS	(60 * 1000000000ULL)
/* Of connections at rest until a probe is sent, and between probes (lwIP's, RFC 9293). */
#define KEEP_IDLE_NS	(7200 * 1000000000ULL)
#define KEEP_BETWEEN_NS	(75 * 1000000000ULL)

static const char *tap_name;
static int tap;
static struct wire *w;
static u64 skew_ns, used;
static bool cut;
static struct stream stream[STREAMS];

static u64 real_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000ULL + (u64)ts.tv_nsec;
}

/* ---- The tap ---- */

static void open_tap(void)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };

	tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_true(tap >= 0);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", tap_name);
	assert_false(ioctl(tap, TUNSETIFF, &ifr));
}

static void to_linux(void)
{
	struct dp_port *port = &w->end[1].sp->port;
	struct dp_pkt *p;

	while (port->ops->rx(port, 0, &p, 1)) {
		/* What the tap does not take is lost, as on any wire. */
		if (!cut && write(tap, p->data, p->bytes) < 0)
			w->lost++;
		dp_list_add(&w->spare, p);
	}
}

static void from_linux(void)
{
	struct frame *f;
	ssize_t n;

	while ((f = (struct frame *)dp_list_pop(&w->spare))) {
		n = read(tap, f->data, sizeof(f->data));
		if (n <= 0 || cut) {
			dp_list_add(&w->spare, &f->p);
			if (n <= 0)
				return;
			continue;
		}
		f->p.bytes = (u32)n;
		f->p.sum_from = 0;
		wire_carry(w, 0, f);
	}
}

static void turn(void)
{
	u32 i;

	atomic_store(&w->clock_ns, real_ns() + skew_ns);
	accept_one();
	for (i = 0; i < peers; i++)
		peer_turn(&peer[i]);
	from_linux();
	dp_thread_turn(w->end[0].dp, 0);
	wire_turn(w);
	to_linux();
}

/* Until it is so, or for too long. */
#define until(condition) do {						\
	u64 end_ns_ = real_ns() + LIMIT_NS;				\
									\
	while (!(condition) && real_ns() < end_ns_)			\
		turn();							\
	assert_true(condition);						\
} while (0)

static void turns_for(u64 ns)
{
	u64 end_ns = real_ns() + ns;

	while (real_ns() < end_ns)
		turn();
}

/* ---- Before and after ---- */

static int begin(void **state)
{
	u32 i;

	for (i = 0; i < STREAMS; i++)
		peer[i] = (struct peer){ .fd = -1 };
	peers = 0;
	skew_ns = 0;
	cut = answer_nothing = false;
	used = dp_mem_used();
	w = wire_new(1, &stream_app, &conn_echo, wire_now);
	w->rng = test_seed();
	open_tap();
	listen_at(SERVICE);
	turn();
	return 0;
}

static int end(void **state)
{
	u32 i;

	for (i = 0; i < peers; i++)
		close(peer[i].fd);
	close(listener);
	close(tap);
	wire_free(w);
	return dp_mem_used() == used ? 0 : -1;
}

/* ---- What the dataplane does ---- */

static void resume(struct stream *s)
{
	conn_resume(&w->end[0].dp->threads[0], s->c);
}

static bool all_closed(u32 n)
{
	while (n--)
		if (!atomic_load(&stream[n].closed))
			return false;
	return true;
}

static void run_streams(void)
{
	u32 i;

	for (i = 0; i < STREAMS; i++)
		assert_true(stream_open(w, &stream[i], i * 7 % GROUPS, STREAM_BYTES));
	until(all_closed(STREAMS));
	for (i = 0; i < STREAMS; i++) {
		assert_false(stream[i].wrong);
		assert_int_equal(stream[i].got, STREAM_BYTES);
	}
}

/* One that stands, and that has sent @bytes and had them back. */
static struct stream *one(u64 bytes)
{
	static _Atomic bool never;

	assert_true(stream_open(w, &stream[0], 3, bytes));
	stream[0].mute = true;
	until(peers == 1 && stream[0].sent == bytes && peer[0].got == bytes);
	/* Without it the stream would end here. */
	stream[0].enough = &never;
	stream[0].goal = 0;
	return &stream[0];
}

/* ---- Tests ---- */

static void test_streams(void **state)
{
	run_streams();
	until(peer[0].eof && peer[STREAMS - 1].eof);
	assert_int_equal(peer[0].err, 0);
}

static void test_bad_wire(void **state)
{
	w->lose = 10;
	w->twice = 10;
	w->overtake = 30;
	run_streams();
	assert_true(w->lost > 0);
}

static void test_refused(void **state)
{
	close(listener);
	listener = -1;
	assert_true(stream_open(w, &stream[0], 3, 1));
	until(all_closed(1));
	assert_false(stream[0].opened);
}

static void test_resets(void **state)
{
	struct stream *s = one(1000);

	conn_abort(s->c);
	resume(s);
	until(peer[0].err);
	assert_int_equal(peer[0].err, ECONNRESET);
	assert_true(all_closed(1));
}

static void test_is_reset(void **state)
{
	const struct linger none = { .l_onoff = 1 };

	one(1000);
	setsockopt(peer[0].fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	close(peer[0].fd);
	peer[0].fd = -1;
	until(all_closed(1));
}

/* Linux sends on, and is not reset for it. */
static void test_ends_first(void **state)
{
	struct stream *s = one(1000);

	peer[0].mute = true;
	conn_end(s->c);
	resume(s);
	peer[0].pours = true;
	until(peer[0].poured == BULK_BYTES);
	peer[0].mute = false;
	until(peer[0].eof);
	assert_false(all_closed(1));
	shutdown(peer[0].fd, SHUT_WR);
	until(all_closed(1));
	assert_int_equal(peer[0].err, 0);
}

/* The dataplane sends on after Linux's FIN. */
static bool told_end;

static void note_end(struct conn *c)
{
	told_end = true;
}

static void test_is_ended_first(void **state)
{
	const struct conn_app app = {
		.name = "half", .opened = stream_opened, .data = stream_data, .sent = stream_room,
		.ended = note_end, .closed = stream_closed,
	};
	struct stream *s = &stream[0];
	struct dp *dp = w->end[0].dp;

	*s = (struct stream){ .goal = 1000 };
	told_end = false;
	answer_nothing = true;
	s->c = conn_open(&dp->threads[0], &dp->groups[3], end_ip(1), SERVICE, &app, s);
	assert_non_null(s->c);
	until(peers == 1);
	shutdown(peer[0].fd, SHUT_WR);
	until(told_end);
	s->goal = BULK_BYTES;
	resume(s);
	until(s->sent == BULK_BYTES && peer[0].got == BULK_BYTES);
	conn_close(s->c);
	resume(s);
	until(peer[0].eof);
	assert_int_equal(peer[0].err, 0);
	assert_true(all_closed(1));
}

/* Nothing is read here; Linux probes the window and goes on once it opens. */
static void test_closed_window(void **state)
{
	struct stream *s = &stream[0];
	u64 seen;

	assert_true(stream_open(w, s, 3, 10 * BULK_BYTES));
	s->mute = true;
	until(peers == 1);
	/* Until both ways are full: for so long nothing more was sent. */
	do {
		seen = s->sent;
		turns_for(500000000);
	} while (s->sent != seen);
	assert_int_equal(s->got, 0);
	assert_true(s->sent < 10 * BULK_BYTES);
	turns_for(2000000000);
	s->mute = false;
	resume(s);
	until(all_closed(1));
	assert_int_equal(s->got, 10 * BULK_BYTES);
	assert_false(s->wrong);
}

/* Linux does not read: its window is probed here. */
static void test_is_held_up(void **state)
{
	struct stream *s = &stream[0];
	u64 seen;

	assert_true(stream_open(w, s, 3, 10 * BULK_BYTES));
	until(peers == 1);
	peer[0].mute = true;
	do {
		seen = s->sent;
		turns_for(500000000);
	} while (s->sent != seen);
	assert_true(s->sent < 10 * BULK_BYTES);
	turns_for(2000000000);
	assert_false(all_closed(1));
	peer[0].mute = false;
	until(all_closed(1));
	assert_int_equal(s->got, 10 * BULK_BYTES);
	assert_false(s->wrong);
}

/* A clock that goes forward by hours, in steps that the peer has time to answer. */
static void pass(u64 ns, u64 step_ns)
{
	for (; ns > step_ns; ns -= step_ns) {
		skew_ns += step_ns;
		turns_for(50000000);
	}
	skew_ns += ns;
}

static void test_keepalive(void **state)
{
	u64 passed;
	u32 i;

	one(1000);
	/* The answer is what makes it live on. */
	for (i = 0; i < 3; i++) {
		/* Linux answers one probe in half a second. */
		turns_for(1000000000);
		passed = w->passed;
		skew_ns += KEEP_IDLE_NS + KEEP_BETWEEN_NS / 2;
		until(w->passed >= passed + 2);
		turns_for(100000000);
		assert_false(all_closed(1));
	}
	cut = true;
	pass(KEEP_IDLE_NS + 8 * KEEP_BETWEEN_NS, KEEP_BETWEEN_NS * 10);
	turns_for(50000000);
	assert_false(all_closed(1));
	pass(3 * KEEP_BETWEEN_NS, KEEP_BETWEEN_NS / 2);
	until(all_closed(1));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_streams, begin, end),
		cmocka_unit_test_setup_teardown(test_bad_wire, begin, end),
		cmocka_unit_test_setup_teardown(test_refused, begin, end),
		cmocka_unit_test_setup_teardown(test_resets, begin, end),
		cmocka_unit_test_setup_teardown(test_is_reset, begin, end),
		cmocka_unit_test_setup_teardown(test_ends_first, begin, end),
		cmocka_unit_test_setup_teardown(test_is_ended_first, begin, end),
		cmocka_unit_test_setup_teardown(test_closed_window, begin, end),
		cmocka_unit_test_setup_teardown(test_is_held_up, begin, end),
		cmocka_unit_test_setup_teardown(test_keepalive, begin, end),
	};

	if (argc != 2) {
		fprintf(stderr, "Usage: test-tcp-opens TAP\n");
		return 2;
	}
	tap_name = argv[1];
	return cmocka_run_group_tests_name("tcp_opens", tests, NULL, NULL);
}
