// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The queues of a NIC in software: frames whole and in order, shares by weight, full
 * queues, and writers and a reader in threads of their own, who sleep and are woken.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../vhost/daemon/net/egress.h"

#define QUEUES		4u
#define BYTES		EGRESS_QUEUE_BYTES_MIN
#define WAIT_MS		60000

static struct egress e;
static struct batch in, out;
static u8 frames[BATCH_PACKETS][4096];

static int setup(void **state)
{
	if (egress_init(&e, "nic", QUEUES, BYTES) < 0)
		return -1;
	egress_attach(&e, true);
	return 0;
}

static int teardown(void **state)
{
	egress_fini(&e);
	return 0;
}

static u32 any(u64 *seed, u32 n)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)(*seed >> 33) % n;
}

/* Frame @seq of @queue: its length and all of its bytes follow from that. */
static u32 length_of(u32 queue, u32 seq)
{
	u64 seed = (u64)queue << 32 | seq;

	any(&seed, 2);
	return 60 + any(&seed, 3000);
}

static void fill(u8 *frame, u32 queue, u32 seq, u32 bytes)
{
	memset(frame, (int)(queue * 50 + seq), bytes);
	memcpy(frame, &queue, 4);
	memcpy(frame + 4, &seq, 4);
}

/* A batch with @n frames of @queue from @seq on, each in three pieces. */
static void build(struct batch *b, u8 (*buffer)[4096], u32 queue, u32 seq, u32 n)
{
	u32 i, k, at, piece;

	b->n = b->n_seg = b->bytes = 0;
	for (i = 0; i < n; i++, b->n++) {
		u32 bytes = length_of(queue, seq + i);
		struct packet *p = &b->pkt[i];

		fill(buffer[i], queue, seq + i, bytes);
		*p = (struct packet){ .bytes = bytes, .n_seg = 3, .seg = &b->seg[b->n_seg] };
		p->hdr.csum_offset = (u16)seq;
		for (at = k = 0; k < 3; k++, at += piece) {
			piece = k < 2 ? bytes / 4 + k : bytes - at;
			b->seg[b->n_seg++] = (struct rp_seg){ buffer[i] + at, piece };
		}
	}
}

/* The frame as it is lent: the number that it has in its queue. */
static bool check_frame(const struct packet *p, u32 *queue, u32 *seq)
{
	static _Thread_local u8 got[PACKET_MAX_BYTES], want[4096];
	u32 i, n = 0;

	for (i = 0; i < p->n_seg; i++) {
		memcpy(got + n, p->seg[i].base, p->seg[i].bytes);
		n += p->seg[i].bytes;
	}
	memcpy(queue, got, 4);
	memcpy(seq, got + 4, 4);
	fill(want, *queue, *seq, p->bytes);
	return n == p->bytes && n == length_of(*queue, *seq) && !memcmp(got, want, n);
}

static u32 put(u32 queue, u32 seq, u32 n)
{
	struct port_queue *q = &e.queue[queue].q;

	build(&in, frames, queue, seq, n);
	return q->ops->put(q, &in, 0);
}

/* Takes up to @max and gives @keep of them not back. */
static u32 take(u32 max, u32 keep, u32 *next)
{
	u32 i, queue, seq, n;

	out.n = out.n_seg = out.bytes = 0;
	e.out.ops->get(&e.out, &out, max);
	n = out.n > keep ? out.n - keep : 0;
	for (i = 0; i < n; i++) {
		assert_true(check_frame(&out.pkt[i], &queue, &seq));
		assert_true(queue < QUEUES);
		assert_int_equal(seq, next[queue]);
		next[queue]++;
	}
	e.out.ops->done(&e.out, &out, n);
	return n;
}

/* Rings go round many times, with writers and reader at all distances. */
static void test_whole_and_in_order(void **state)
{
	u32 sent[QUEUES] = { 0 }, next[QUEUES] = { 0 }, turn, i;
	u64 seed = 1;

	for (turn = 0; turn < 20000; turn++) {
		i = any(&seed, QUEUES);
		sent[i] += put(i, sent[i], 1 + any(&seed, 20));
		take(1 + any(&seed, BATCH_PACKETS), any(&seed, 5), next);
	}
	while (take(BATCH_PACKETS, 0, next))
		;
	for (i = 0; i < QUEUES; i++) {
		assert_int_equal(next[i], sent[i]);
		assert_true(sent[i] > 10000);
		assert_int_equal(egress_waiting(&e.queue[i]), 0);
		assert_int_equal(egress_waiting_bytes(&e.queue[i]), 0);
		assert_int_equal(e.queue[i].packets, sent[i]);
	}
}

static void keep_full(u32 *sent)
{
	u32 i, n;

	for (i = 0; i < QUEUES; i++)
		do {
			n = put(i, sent[i], 30);
			sent[i] += n;
		} while (n == 30);
}

/* The first tenant offers all that its queue takes, whenever it takes something. */
static void test_shares(void **state)
{
	static const u16 weight[2][QUEUES] = { { 1, 2, 3, 4 }, { 7, 1, 1, 3 } };
	u32 sent[QUEUES] = { 0 }, next[QUEUES] = { 0 }, turn = 0, k, i;
	u64 before[QUEUES], total, sum;

	for (k = 0; k < 2; k++) {
		/* Of frames that wait none is lost by other weights: take() would see it. */
		keep_full(sent);
		drr_weigh(&e.drr, weight[k]);
		for (sum = i = 0; i < QUEUES; i++) {
			before[i] = e.queue[i].bytes;
			sum += weight[k][i];
		}
		do {
			keep_full(sent);
			take(16, turn++ % 3, next);
			for (total = i = 0; i < QUEUES; i++)
				total += e.queue[i].bytes - before[i];
		} while (total < 20000000);
		for (i = 0; i < QUEUES; i++) {
			double got = (double)(e.queue[i].bytes - before[i]) / (double)total;
			double asked = (double)weight[k][i] / (double)sum;

			assert_true(got > 0.98 * asked && got < 1.02 * asked);
		}
	}
}

static void test_full(void **state)
{
	struct port_queue *q = &e.queue[1].q;
	u32 next[QUEUES] = { 0 }, sent = 0, n;

	do {
		n = put(1, sent, 10);
		sent += n;
	} while (n == 10);
	assert_int_equal(put(1, sent, 1), 0);
	assert_int_equal(egress_waiting(&e.queue[1]), sent);
	/* Others are not concerned. */
	assert_int_equal(put(2, 0, 1), 1);
	assert_false(q->ops->arm(q, 1));
	assert_false(e.out.ops->peer_wants(&e.out));
	take(4, 0, next);
	assert_false(e.out.ops->peer_wants(&e.out));
	while (!e.out.ops->peer_wants(&e.out))
		assert_true(take(BATCH_PACKETS, 0, next));
	/* Half of it is free, and the writer is called once. */
	assert_true(egress_waiting_bytes(&e.queue[1]) <= BYTES / 2);
	e.out.ops->notify(&e.out);
	assert_false(e.out.ops->peer_wants(&e.out));
	assert_true(q->ops->arm(q, 1));
	q->ops->disarm(q);
	/* One that the wire does not take is told of. */
	out.n = out.n_seg = 0;
	e.out.ops->get(&e.out, &out, 1);
	out.pkt[0].drop = DROP_HOST;
	e.out.ops->done(&e.out, &out, 1);
	assert_int_equal(e.queue[1].lost + e.queue[2].lost, 1);
	assert_int_equal(e.out.dropped[DROP_HOST], 1);
	/* What waits when the port is closed is lost, and the queues begin anew. */
	egress_attach(&e, false);
	assert_int_equal(egress_waiting(&e.queue[1]), 0);
	egress_attach(&e, true);
	next[1] = 0;
	assert_int_equal(put(1, 0, 5), 5);
	assert_int_equal(take(64, 0, next), 5);
}

/* The longest frame that there is, at every place of a ring. */
static void test_longest(void **state)
{
	static u8 frame[PACKET_MAX_BYTES];
	struct port_queue *q = &e.queue[0].q;
	u32 i;

	for (i = 0; i < 300; i++) {
		in.n = in.n_seg = 1;
		in.seg[0] = (struct rp_seg){ frame, PACKET_MAX_BYTES - i * 13 };
		in.pkt[0] = (struct packet){ .bytes = in.seg[0].bytes, .n_seg = 1, .seg = in.seg };
		memset(frame, (int)i, sizeof(frame));
		assert_int_equal(q->ops->put(q, &in, 0), 1);
		out.n = out.n_seg = 0;
		e.out.ops->get(&e.out, &out, 1);
		assert_int_equal(out.n, 1);
		assert_int_equal(out.pkt[0].bytes, in.seg[0].bytes);
		assert_int_equal(*(const u8 *)out.pkt[0].seg[out.pkt[0].n_seg - 1].base, (u8)i);
		e.out.ops->done(&e.out, &out, 1);
	}
}

/* ---- Threads ---- */

#define FRAMES		20000u

/* False: it was not woken, though it asked for it. */
static bool sleep_on(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	u64 n;

	return poll(&p, 1, WAIT_MS) == 1 && read(fd, &n, sizeof(n)) == sizeof(n);
}

static void *writer(void *arg)
{
	struct port_queue *q = arg;
	struct batch *b = calloc(1, sizeof(*b));
	u8 (*buffer)[4096] = calloc(BATCH_PACKETS, sizeof(*buffer));
	u32 queue = q->index / 2, seq = 0, n;
	bool good = b && buffer;
	u64 seed = queue;

	while (good && seq < FRAMES) {
		u32 left = FRAMES - seq, most = 1 + any(&seed, BATCH_PACKETS);

		build(b, buffer, queue, seq, most < left ? most : left);
		n = q->ops->put(q, b, 0);
		seq += n;
		/* Before peer_wants(), as in flow_turn(): pairs with out_arm()'s. */
		rp_mb();
		if (q->ops->peer_wants(q))
			q->ops->notify(q);
		if (!n) {
			good = q->ops->arm(q, 1) || sleep_on(q->kick_fd);
			q->ops->disarm(q);
		}
	}
	free(b);
	free(buffer);
	return good ? NULL : arg;
}

static void read_all(void)
{
	u32 next[QUEUES] = { 0 }, total = 0, turn = 0, n;

	while (total < QUEUES * FRAMES) {
		n = take(BATCH_PACKETS, turn++ % 3, next);
		total += n;
		/* Before peer_wants(), as in flow_turn(): pairs with queue_arm()'s. */
		rp_mb();
		if (e.out.ops->peer_wants(&e.out))
			e.out.ops->notify(&e.out);
		if (n || e.count)
			continue;
		assert_true(e.out.ops->arm(&e.out, 1) || sleep_on(e.out.kick_fd));
		e.out.ops->disarm(&e.out);
	}
}

static void test_threads(void **state)
{
	pthread_t thread[QUEUES];
	void *failed;
	u32 i;

	for (i = 0; i < QUEUES; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, writer, &e.queue[i].q), 0);
	read_all();
	for (i = 0; i < QUEUES; i++) {
		pthread_join(thread[i], &failed);
		assert_null(failed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whole_and_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shares, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_longest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
