// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Both sides of a ring in one thread: random operations against a model that
 * counts in 64 bits and never wraps, then the single rules one by one.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>

#include "rand.h"
#include "ring_fixture.h"

static struct guest guest;
static struct rp_drv drv;
static struct rp_dev dev;
/* Tokens: any distinct addresses. */
static u8 tokens[RP_VRING_MAX_NUM];

static void open_ring(u32 num, bool event_idx)
{
	u64 bytes = 2 * GUEST_PAGE + num * 64ULL;

	bytes = (bytes + GUEST_PAGE - 1) & ~(u64)(GUEST_PAGE - 1);
	assert_true(guest_init(&guest, num, bytes));
	assert_int_equal(rp_drv_init(&drv, &guest.ring, event_idx,
				     guest_delta(&guest)), 0);
	assert_int_equal(rp_dev_init(&dev, &guest.ring, &guest.mem, event_idx, 0), 0);
	/* The call that is owed; by flags the driver can still refuse it. */
	assert_int_equal(rp_dev_need_call(&dev), event_idx);
}

static void close_ring(void)
{
	assert_null(drv.broken);
	assert_null(dev.broken);
	rp_drv_free(&drv);
	guest_free(&guest);
}

/* ---- The model ---- */

#define MODEL_CHAINS	1024u

/* What the driver added; indices count buffers from the beginning of time. */
struct model_chain {
	struct rp_seg seg[4];
	u32 n_out, n_in, written;
};

static struct {
	u64 rng;
	struct model_chain chain[MODEL_CHAINS];
	u16 head[MODEL_CHAINS];
	u64 added, published, kicked;	/* driver */
	u64 taken, put, used, called;	/* device */
	u64 reclaimed;			/* driver again */
	u64 descs;			/* outstanding */
	/* The index whose passing is to be told; ~0: disarmed. */
	u64 avail_event, used_event;
	bool event_idx;
} m;

static u32 sum(const struct rp_seg *seg, u32 n)
{
	u32 bytes = 0;

	while (n--)
		bytes += seg[n].bytes;
	return bytes;
}

static void model_add(void)
{
	struct model_chain *c = &m.chain[m.added % MODEL_CHAINS];
	u32 i, n;
	bool one, room;

	c->n_out = test_below(&m.rng, 3);
	c->n_in = test_below(&m.rng, 3);
	n = c->n_out + c->n_in;
	for (i = 0; i < n; i++) {
		c->seg[i].bytes = 1 + test_below(&m.rng, 64);
		c->seg[i].base = guest.buffers + test_below(&m.rng, 1024);
	}
	room = n && m.descs + n <= guest.ring.num;
	one = n == 1 && test_below(&m.rng, 2);
	if (one)
		assert_int_equal(room, rp_drv_add_one(&drv, c->seg[0].base,
			c->seg[0].bytes, c->n_in, &tokens[m.added % MODEL_CHAINS]));
	else
		assert_int_equal(room, rp_drv_add(&drv, c->seg, c->n_out, c->n_in,
			&tokens[m.added % MODEL_CHAINS]));
	if (!room)
		return;
	m.descs += n;
	m.added++;
}

static void model_get(void)
{
	const struct model_chain *c = &m.chain[m.taken % MODEL_CHAINS];
	struct rp_chain got;
	struct rp_buf buf;
	u32 i;

	if (test_below(&m.rng, 2) && rp_dev_get_burst(&dev, &buf, 1)) {
		assert_true(m.taken < m.published);
		assert_int_equal(c->n_out + c->n_in, 1);
		assert_int_equal(buf.write, c->n_in);
		assert_ptr_equal(buf.base, c->seg[0].base);
		assert_int_equal(buf.bytes, c->seg[0].bytes);
		m.head[m.taken++ % MODEL_CHAINS] = buf.head;
		return;
	}
	assert_int_equal(rp_dev_get(&dev, &got), m.taken < m.published);
	if (m.taken == m.published)
		return;
	assert_int_equal(got.n_out, c->n_out);
	assert_int_equal(got.n_in, c->n_in);
	assert_int_equal(got.out_bytes, sum(c->seg, c->n_out));
	assert_int_equal(got.in_bytes, sum(c->seg + c->n_out, c->n_in));
	for (i = 0; i < c->n_out + c->n_in; i++) {
		assert_ptr_equal(got.seg[i].base, c->seg[i].base);
		assert_int_equal(got.seg[i].bytes, c->seg[i].bytes);
	}
	m.head[m.taken++ % MODEL_CHAINS] = got.head;
}

static void model_put(void)
{
	struct model_chain *c = &m.chain[m.put % MODEL_CHAINS];

	if (m.put == m.taken)
		return;
	/* Claims of more than there is room for are cut. */
	c->written = test_below(&m.rng, 256);
	rp_dev_put(&dev, m.head[m.put++ % MODEL_CHAINS], c->written);
}

static void model_unget(void)
{
	u32 n = test_below(&m.rng, (u32)(m.taken - m.put) + 1);

	rp_dev_unget(&dev, n);
	m.taken -= n;
}

static void model_get_used(void)
{
	const struct model_chain *c = &m.chain[m.reclaimed % MODEL_CHAINS];
	u32 written, room = sum(c->seg + c->n_out, c->n_in);
	void *token = rp_drv_get_used(&drv, &written);

	if (m.reclaimed == m.used) {
		assert_null(token);
		return;
	}
	assert_ptr_equal(token, &tokens[m.reclaimed % MODEL_CHAINS]);
	assert_int_equal(written, c->written < room ? c->written : room);
	m.descs -= c->n_out + c->n_in;
	m.reclaimed++;
}

static u32 clamp_k(u32 k, u64 most)
{
	k = k < most ? k : (u32)most;
	return k && m.event_idx ? k : 1;
}

static void model_arm_drv(void)
{
	u32 asked = 1 + test_below(&m.rng, guest.ring.num);
	u32 k = clamp_k(asked, m.published - m.reclaimed);

	assert_int_equal(rp_drv_arm(&drv, asked), m.used - m.reclaimed >= k);
	m.used_event = m.reclaimed + k - 1;
}

static void model_arm_dev(void)
{
	u32 asked = 1 + test_below(&m.rng, guest.ring.num);
	u32 k = clamp_k(asked, m.used + guest.ring.num - m.taken);

	assert_int_equal(rp_dev_arm(&dev, asked), m.published - m.taken >= k);
	m.avail_event = m.taken + k - 1;
}

static bool model_told(u64 event, u64 old, u64 now)
{
	if (!m.event_idx)
		return now != old && event != ~0ULL;
	return old <= event && event < now;
}

static void model_need_kick(void)
{
	assert_int_equal(rp_drv_need_kick(&drv),
			 model_told(m.avail_event, m.kicked, m.published));
	m.kicked = m.published;
}

static void model_need_call(void)
{
	assert_int_equal(rp_dev_need_call(&dev),
			 model_told(m.used_event, m.called, m.used));
	m.called = m.used;
}

static void model_step(void)
{
	switch (test_below(&m.rng, 24)) {
	case 0 ... 5:
		model_add();
		break;
	case 6 ... 7:
		rp_drv_publish(&drv);
		m.published = m.added;
		break;
	case 8 ... 11:
		model_get();
		break;
	case 12 ... 14:
		model_put();
		break;
	case 15:
		rp_dev_publish(&dev);
		m.used = m.put;
		break;
	case 16 ... 18:
		model_get_used();
		break;
	case 19:
		model_need_kick();
		break;
	case 20:
		model_need_call();
		break;
	case 21:
		if (test_below(&m.rng, 2))
			model_arm_drv();
		else
			model_arm_dev();
		break;
	case 22:
		rp_drv_disarm(&drv);
		rp_dev_disarm(&dev);
		m.avail_event = m.used_event = ~0ULL;
		break;
	case 23:
		if (!test_below(&m.rng, 4))
			model_unget();
		assert_int_equal(rp_dev_avail(&dev), m.published - m.taken);
		assert_int_equal(rp_drv_used_count(&drv), m.used - m.reclaimed);
		break;
	}
}

/* Long enough for the 16-bit indices to wrap several times. */
static void test_model(void **state)
{
	static const u32 sizes[] = { 1, 2, 8, 64, 256 };
	u64 seed = test_seed();
	u32 i, event_idx, step;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		for (event_idx = 0; event_idx < 2; event_idx++) {
			memset(&m, 0, sizeof(m));
			m.rng = seed + i;
			m.event_idx = event_idx;
			m.avail_event = m.used_event = ~0ULL;
			open_ring(sizes[i], event_idx);
			for (step = 0; step < 2000000; step++)
				model_step();
			assert_true(sizes[i] < 8 || m.reclaimed > 0x10000);
			close_ring();
		}
}

/* ---- The rules, one by one ---- */

/* Moves @n buffers of 64 bytes to the device, published at once. */
static void send(u32 n)
{
	while (n--)
		assert_true(rp_drv_add_one(&drv, guest.buffers, 64, false, tokens));
	rp_drv_publish(&drv);
}

/* The device takes and returns @n. */
static void complete(u32 n)
{
	struct rp_chain c;

	while (n--) {
		assert_true(rp_dev_get(&dev, &c));
		rp_dev_put(&dev, c.head, 0);
	}
	rp_dev_publish(&dev);
}

static void reclaim(u32 n)
{
	u32 written;

	while (n--)
		assert_non_null(rp_drv_get_used(&drv, &written));
}

static void test_init(void **state)
{
	static const u32 bad[] = { 0, 3, 100, 65536 };
	struct rp_vring r;
	u32 i;

	open_ring(64, true);
	r = guest.ring;
	for (i = 0; i < 4; i++) {
		struct rp_drv other;

		r.num = bad[i];
		assert_int_equal(rp_drv_init(&other, &r, true, 0), -EINVAL);
		assert_int_equal(rp_dev_init(&dev, &r, &guest.mem, true, 0), -EINVAL);
	}
	r = guest.ring;
	r.desc = (void *)((u8 *)r.desc + 8);
	assert_int_equal(rp_dev_init(&dev, &r, &guest.mem, true, 0), -EINVAL);
	r = guest.ring;
	r.used = (void *)((u8 *)r.used + 2);
	assert_int_equal(rp_dev_init(&dev, &r, &guest.mem, true, 0), -EINVAL);
	/* The last part lies in memory but for its last bytes. */
	r = guest.ring;
	r.used = (void *)(guest.mem.region[0].va + guest.bytes -
			  rp_vring_used_bytes(64) + 4 - 2);
	assert_int_equal((uintptr_t)r.used % 4, 0);
	assert_int_equal(rp_dev_init(&dev, &r, &guest.mem, true, 0), -EINVAL);
	r.used = (void *)((u8 *)r.used - 4);
	assert_int_equal(rp_dev_init(&dev, &r, &guest.mem, true, 0), 0);
	close_ring();
}

/* What does not change is not written: the lines stay shared. */
static void test_steady_state(void **state)
{
	static u8 before[64 * sizeof(struct vring_desc)];
	u32 i;

	open_ring(64, true);
	for (i = 0; i < 1000; i++) {
		u16 head = rp_drv_next(&drv);

		assert_int_equal(head, i % 64);
		if (i == 64)
			memcpy(before, guest.ring.desc, sizeof(before));
		assert_true(rp_drv_add_one(&drv, guest.buffers + head * 8, 8, false,
					   tokens));
		rp_drv_publish(&drv);
		assert_int_equal(guest.ring.avail->ring[i % 64], head);
		complete(1);
		reclaim(1);
	}
	assert_memory_equal(before, guest.ring.desc, sizeof(before));
	close_ring();
}

static void test_threshold(void **state)
{
	open_ring(16, true);
	assert_false(rp_dev_arm(&dev, 5));
	send(4);
	assert_false(rp_drv_need_kick(&drv));
	assert_false(rp_dev_arm(&dev, 5));
	send(1);
	assert_true(rp_drv_need_kick(&drv));
	assert_false(rp_drv_need_kick(&drv));
	assert_true(rp_dev_arm(&dev, 5));
	send(1);
	assert_false(rp_drv_need_kick(&drv));	/* once passed, told once */

	assert_false(rp_drv_arm(&drv, 3));
	complete(2);
	assert_false(rp_dev_need_call(&dev));
	complete(1);
	assert_true(rp_dev_need_call(&dev));
	assert_true(rp_drv_arm(&drv, 3));
	reclaim(3);
	assert_false(rp_drv_arm(&drv, 1));
	close_ring();
}

/* A threshold that can never be reached is brought down to what can. */
static void test_threshold_clamped(void **state)
{
	open_ring(8, true);
	send(2);
	assert_false(rp_drv_arm(&drv, 8));
	complete(2);
	assert_true(rp_dev_need_call(&dev));
	reclaim(2);
	send(3);
	rp_drv_need_kick(&drv);
	complete(1);
	assert_false(rp_dev_arm(&dev, 100));
	reclaim(1);
	send(6);
	assert_true(rp_drv_need_kick(&drv));
	close_ring();
}

/* Nobody asked, over several turns of the 16-bit circle, in any burst. */
static void never_told(u32 num, u32 burst)
{
	u64 i;

	open_ring(num, true);
	for (i = 0; i < 4 * 0x10000; i += burst) {
		send(burst);
		assert_false(rp_drv_need_kick(&drv));
		complete(burst);
		assert_false(rp_dev_need_call(&dev));
		reclaim(burst);
	}
	close_ring();
}

static void test_disarmed_never_fires(void **state)
{
	never_told(1, 1);
	never_told(256, 1);
	never_told(256, 256);
	never_told(256, 37);
	never_told(32768, 1000);
	never_told(32768, 20000);
	never_told(32768, 32768);
}

static void test_flags_fallback(void **state)
{
	open_ring(8, false);
	assert_true(guest.ring.used->flags & VRING_USED_F_NO_NOTIFY);
	assert_true(guest.ring.avail->flags & VRING_AVAIL_F_NO_INTERRUPT);
	send(1);
	assert_false(rp_drv_need_kick(&drv));
	complete(1);
	assert_false(rp_dev_need_call(&dev));
	assert_false(rp_dev_arm(&dev, 4));
	assert_true(rp_drv_arm(&drv, 4));
	reclaim(1);
	assert_false(rp_drv_arm(&drv, 4));
	send(1);
	assert_true(rp_drv_need_kick(&drv));
	assert_false(rp_drv_need_kick(&drv));	/* nothing new */
	complete(1);
	assert_true(rp_dev_need_call(&dev));
	assert_false(rp_dev_need_call(&dev));
	rp_dev_disarm(&dev);
	rp_drv_disarm(&drv);
	reclaim(1);
	send(1);
	assert_false(rp_drv_need_kick(&drv));
	complete(1);
	assert_false(rp_dev_need_call(&dev));
	close_ring();
}

/* A new device goes on where used->idx says; what was taken comes again. */
static void resume(u32 before)
{
	struct rp_chain c;
	u32 i;

	open_ring(8, true);
	for (i = 0; i < before; i++) {
		send(1);
		complete(1);
		reclaim(1);
	}
	send(5);
	complete(2);
	assert_false(rp_drv_arm(&drv, 5));
	assert_true(rp_dev_get(&dev, &c));
	memset(&dev, 0xff, sizeof(dev));

	assert_int_equal(rp_dev_init(&dev, &guest.ring, &guest.mem, true,
				     guest.ring.used->idx), 0);
	/* Its predecessor may not have lived to call. */
	assert_true(rp_dev_need_call(&dev));
	assert_false(rp_dev_need_call(&dev));
	assert_int_equal(rp_dev_avail(&dev), 3);
	complete(2);
	assert_false(rp_dev_need_call(&dev));
	complete(1);
	assert_true(rp_dev_need_call(&dev));
	reclaim(5);
	close_ring();
}

static void test_resume(void **state)
{
	resume(0);
	resume(0xfffe);		/* used->idx is 0 when the device dies */
	resume(0x10003);
}

static void test_unget(void **state)
{
	struct rp_buf buf[8];
	struct rp_chain c;

	open_ring(8, true);
	send(6);
	assert_int_equal(rp_dev_get_burst(&dev, buf, 8), 6);
	rp_dev_unget(&dev, 4);
	assert_int_equal(rp_dev_avail(&dev), 4);
	rp_dev_put(&dev, buf[0].head, 0);
	rp_dev_put(&dev, buf[1].head, 0);
	rp_dev_publish(&dev);
	/* The threshold counts from the next to take. */
	assert_false(rp_dev_arm(&dev, 5));
	assert_true(rp_dev_arm(&dev, 4));
	assert_true(rp_dev_get(&dev, &c));
	assert_int_equal(c.head, buf[2].head);
	rp_dev_unget(&dev, 1);
	complete(4);
	assert_int_equal(rp_drv_used_count(&drv), 6);
	reclaim(6);
	close_ring();
}

/* The driver stays in bounds whatever the device says. */
static void device_lies(u16 idx, u32 id, const char *why)
{
	u32 written;

	open_ring(8, true);
	send(2);
	guest.ring.used->ring[0].id = id;
	guest.ring.used->idx = idx;
	assert_null(rp_drv_get_used(&drv, &written));
	assert_non_null(drv.broken);
	assert_non_null(strstr(drv.broken, why));
	guest.ring.used->ring[0].id = 0;
	guest.ring.used->idx = 1;
	assert_null(rp_drv_get_used(&drv, &written));
	assert_int_equal(rp_drv_used_count(&drv), 0);
	assert_true(rp_drv_arm(&drv, 1));
	assert_false(rp_drv_need_kick(&drv));
	assert_false(rp_drv_add_one(&drv, guest.buffers, 8, false, tokens));
	drv.broken = NULL;
	close_ring();
}

static void test_device_lies(void **state)
{
	device_lies(1, 8, "not outstanding");
	device_lies(1, UINT32_MAX, "not outstanding");
	device_lies(1, 5, "not outstanding");
	device_lies(3, 0, "runs ahead");
	device_lies(0xffff, 0, "runs ahead");
}

static void backlog_is(u32 most, u32 told)
{
	u32 m0 = ~0u, t0 = ~0u;

	assert_true(rp_dev_backlog(&dev, &m0, &t0));
	assert_int_equal(m0, most);
	assert_int_equal(t0, told);
}

static void waiting_are(u32 n)
{
	u32 got = ~0u;

	assert_true(rp_dev_waiting(&dev, &got));
	assert_int_equal(got, n);
}

static void use(u32 n)
{
	struct rp_buf buf;

	for (; n; n--) {
		assert_int_equal(rp_dev_get_burst(&dev, &buf, 1), 1);
		rp_dev_put(&dev, buf.head, 0);
	}
	rp_dev_publish(&dev);
}

/* What the driver has not looked at: by the buffers that are free, by its event index. */
static void test_backlog(void **state)
{
	u32 round, i, most, told;

	open_ring(8, true);
	/* Also where the indices wrap. */
	for (round = 0; round < 9000; round++) {
		for (i = 0; i < 8; i++)
			assert_true(rp_drv_add_one(&drv, guest.buffers + 64 * i, 64, true, tokens));
		rp_drv_publish(&drv);
		rp_drv_arm(&drv, 1);
		backlog_is(0, 0);
		waiting_are(8);
		use(5);
		backlog_is(5, 5);
		waiting_are(3);
		for (i = 0; i < 3; i++)
			assert_non_null(rp_drv_get_used(&drv, &most));
		/* It has read three, and posted none. */
		backlog_is(5, 5);
		rp_drv_arm(&drv, 1);
		backlog_is(5, 2);
		rp_drv_disarm(&drv);
		backlog_is(5, 5);
		use(3);
		while (rp_drv_get_used(&drv, &most))
			;
	}
	/* Indices that make no sense. */
	rp_store(&guest.ring.avail->idx, (u16)(guest.ring.used->idx + 9));
	assert_false(rp_dev_backlog(&dev, &most, &told));
	assert_false(rp_dev_waiting(&dev, &most));
	close_ring();
	open_ring(8, false);
	use(0);
	backlog_is(8, 8);
	close_ring();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_steady_state),
		cmocka_unit_test(test_threshold),
		cmocka_unit_test(test_threshold_clamped),
		cmocka_unit_test(test_disarmed_never_fires),
		cmocka_unit_test(test_flags_fallback),
		cmocka_unit_test(test_resume),
		cmocka_unit_test(test_unget),
		cmocka_unit_test(test_backlog),
		cmocka_unit_test(test_device_lies),
	};

	return cmocka_run_group_tests_name("vring", tests, NULL, NULL);
}
