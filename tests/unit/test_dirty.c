// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The dirty log: whatever a queue does, each page of its guest that changes has
 * its bit afterwards, and no page that it has only read. Random traffic is
 * seeded; see rand.h.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../vhost/daemon/net/vq_dirty.h"
#include "../../vhost/daemon/sigbus.h"
#include "packet_fixture.h"
#include "rand.h"

#define HDR		PACKET_HDR_BYTES
/* Both regions of a guest, which end below 3 GiB, and a place for used rings behind. */
#define USED_GPA	(3ULL << 30)
#define LOG_BYTES	((USED_GPA + (1 << 20)) / GUEST_PAGE / 8)

static const struct offloads all = {
	.csum = true, .tso4 = true, .tso6 = true, .ecn = true, .mergeable = true,
};
static struct pair pair;
static struct dirty_log log_a, log_b;
static u8 before[GUEST_REGIONS][PAIR_BYTES];

static int log_fd(u64 bytes)
{
	int fd = memfd_create("log", MFD_CLOEXEC);

	assert_true(fd >= 0 && !ftruncate(fd, (off_t)bytes));
	return fd;
}

static void open_log(struct dirty_log *l)
{
	int fd = log_fd(LOG_BYTES);

	memset(l, 0, sizeof(*l));
	assert_null(dirty_open(l, fd, 0, LOG_BYTES));
	close(fd);
}

static bool marked(const struct dirty_log *l, u64 gpa)
{
	u64 page = gpa / GUEST_PAGE;

	return l->bits[page / 8] >> page % 8 & 1;
}

static void attach(struct vq *v, struct guest *g, const struct dirty_log *l, u64 used_gpa)
{
	struct queue_ring r = pair_ring(g);

	r.log = l;
	r.log_used = used_gpa;
	r.log_used_gpa = used_gpa;
	assert_int_equal(vq_attach(v, &r, &all), 0);
}

static void set_up(void)
{
	assert_true(pair_init(&pair, &all, &all));
	open_log(&log_a);
	open_log(&log_b);
	attach(&pair.tx, &pair.a, &log_a, guest_gpa(&pair.a, pair.a.ring.used));
	attach(&pair.rx, &pair.b, &log_b, guest_gpa(&pair.b, pair.b.ring.used));
}

static int tear_down(void **state)
{
	dirty_close(&log_a);
	dirty_close(&log_b);
	pair_free(&pair);
	return 0;
}

/* What is there now is what the frontend has copied. */
static void copied(const struct guest *g, struct dirty_log *l)
{
	u32 i;

	for (i = 0; i < GUEST_REGIONS; i++)
		memcpy(before[i], g->mem.region[i].va, PAIR_BYTES);
	memset(l->bits, 0, l->bytes);
}

/* How many pages have changed since, all of them marked. */
static u32 check_changed(const struct guest *g, const struct dirty_log *l)
{
	u32 i, at, changed = 0;

	for (i = 0; i < GUEST_REGIONS; i++)
		for (at = 0; at < PAIR_BYTES; at += GUEST_PAGE) {
			const struct rp_mem_region *r = &g->mem.region[i];

			if (!memcmp(before[i] + at, r->va + at, GUEST_PAGE))
				continue;
			if (!marked(l, r->gpa + at))
				fail_msg("region %u, page %u: changed, not marked", i,
					 at / GUEST_PAGE);
			changed++;
		}
	return changed;
}

static u32 count_marked(const struct dirty_log *l)
{
	u32 n = 0;
	u64 i;

	for (i = 0; i < l->bytes; i++)
		n += (u32)__builtin_popcount(l->bits[i]);
	return n;
}

/* ---- The two drivers ---- */

/* A frame of any shape at @at, which has room for it. */
static bool send_random(u64 *rng, u8 *at, u32 bytes)
{
	static const struct virtio_net_hdr_v1 hdr;
	u32 n = 1 + test_below(rng, 4), left = bytes + HDR, i;
	struct rp_seg seg[4];

	if (pair.da.num_free < n)
		return false;
	memcpy(at, &hdr, HDR);
	for (i = HDR; i < left; i++)
		at[i] = (u8)test_rand(rng);
	for (i = 0; i < n; i++) {
		u32 k = i + 1 < n ? 1 + test_below(rng, left / 2) : left;

		seg[i] = (struct rp_seg){ at, k };
		at += k;
		left -= k;
	}
	assert_true(rp_drv_add(&pair.da, seg, n, 0, seg[0].base));
	rp_drv_publish(&pair.da);
	return true;
}

static void post_random(u64 *rng)
{
	u32 n = test_below(rng, 20), posted = 0;

	/* Anywhere, also in another buffer: it is the guest's memory. */
	while (posted++ < n && pair.db.num_free >= 2) {
		u32 room = (u32)(pair.b.mem.region[0].va + PAIR_BYTES - pair.b.buffers) - 4096;
		u8 *at = pair.b.buffers + test_below(rng, room);
		u32 first = test_below(rng, 2) * (1 + test_below(rng, 40));
		struct rp_seg seg[2] = { { at, first ? first : 2000 }, { at + first, 2000 } };

		assert_true(rp_drv_add(&pair.db, seg, 0, first ? 2 : 1, at));
	}
	rp_drv_publish(&pair.db);
}

static void reclaim(void)
{
	u32 written;

	while (rp_drv_get_used(&pair.da, &written))
		;
	while (rp_drv_get_used(&pair.db, &written))
		;
}

/* ---- Tests ---- */

static void test_rx_traffic(void **state)
{
	u64 rng = test_seed();
	u32 round, changed = 0;

	set_up();
	for (round = 0; round < 2000; round++) {
		post_random(&rng);
		if (pair.da.num_free == PAIR_SLOTS)
			send_random(&rng, pair.a.buffers, 60 + test_below(&rng, 9000));
		copied(&pair.b, &log_b);
		pair_turn(&pair);
		if (test_below(&rng, 3) == 0)
			vq_ops.arm(&pair.rx.q, 1 + test_below(&rng, 8));
		else if (test_below(&rng, 2))
			vq_ops.disarm(&pair.rx.q);
		changed += check_changed(&pair.b, &log_b);
		reclaim();
	}
	assert_true(pair.rx.q.packets > 500 && changed > 1000);
}

static void test_tx_traffic(void **state)
{
	u64 rng = test_seed();
	u32 round, changed = 0;

	set_up();
	for (round = 0; round < 2000; round++) {
		post_random(&rng);
		while (pair.da.num_free > PAIR_SLOTS / 2 &&
		       send_random(&rng, pair.a.buffers, 60 + test_below(&rng, 9000)))
			;
		copied(&pair.a, &log_a);
		pair_turn(&pair);
		if (test_below(&rng, 3) == 0)
			vq_ops.arm(&pair.tx.q, 1 + test_below(&rng, 8));
		changed += check_changed(&pair.a, &log_a);
		/* What a guest sends is read: only the used ring is marked, 1 KiB in two pages. */
		assert_true(count_marked(&log_a) <= 2);
		reclaim();
	}
	assert_true(pair.tx.q.packets > 500 && changed > 500);
}

/* A frame into buffers that do not suffice: they were written all the same. */
static void test_not_taken(void **state)
{
	u64 rng = test_seed();
	struct rp_seg seg;
	u32 i;

	set_up();
	for (i = 0; i < 3; i++) {
		seg = (struct rp_seg){ pair.b.buffers + 8192 * i, 1000 };
		assert_true(rp_drv_add(&pair.db, &seg, 0, 1, seg.base));
	}
	rp_drv_publish(&pair.db);
	assert_true(send_random(&rng, pair.a.buffers, 9000));
	copied(&pair.b, &log_b);
	assert_int_equal(pair_turn(&pair), 0);
	assert_true(check_changed(&pair.b, &log_b) >= 3);
}

/* The used ring's pages in the log are those that the frontend has named. */
static void test_used_elsewhere(void **state)
{
	struct rp_seg seg;
	u64 rng = test_seed();

	set_up();
	attach(&pair.rx, &pair.b, &log_b, USED_GPA + 100);
	assert_true(marked(&log_b, USED_GPA));
	seg = (struct rp_seg){ pair.b.buffers + 8192, 2000 };
	assert_true(rp_drv_add(&pair.db, &seg, 0, 1, seg.base));
	rp_drv_publish(&pair.db);
	assert_true(send_random(&rng, pair.a.buffers, 100));
	memset(log_b.bits, 0, log_b.bytes);
	assert_int_equal(pair_turn(&pair), 1);
	assert_true(marked(&log_b, USED_GPA));
	assert_false(marked(&log_b, guest_gpa(&pair.b, pair.b.ring.used)));
	assert_true(marked(&log_b, guest_gpa(&pair.b, seg.base)));
	/* Not to be logged (no VHOST_VRING_F_LOG): data only. */
	attach(&pair.rx, &pair.b, &log_b, 0);
	memset(log_b.bits, 0, log_b.bytes);
	vq_ops.arm(&pair.rx.q, 1);
	assert_int_equal(count_marked(&log_b), 0);
}

/* All elements of a ring that begins anew are marked. */
static void test_wrap(void **state)
{
	u64 rng = test_seed();
	u32 i, k;

	set_up();
	for (i = 0; i < 10; i++) {
		for (k = 0; k < 48; k++) {
			struct rp_seg seg = { pair.b.buffers + 8192, 200 };

			assert_true(rp_drv_add(&pair.db, &seg, 0, 1, seg.base));
			assert_true(rp_drv_add(&pair.da, &(struct rp_seg){ pair.a.buffers, 72 }, 1,
					       0, pair.a.buffers));
		}
		rp_drv_publish(&pair.db);
		rp_drv_publish(&pair.da);
		memset(pair.a.buffers, 0, 72);
		pair.a.buffers[HDR] = (u8)test_rand(&rng);
		copied(&pair.b, &log_b);
		assert_int_equal(pair_turn(&pair), 48);
		check_changed(&pair.b, &log_b);
		reclaim();
	}
}

static void expect_page(u64 gpa, u32 *left)
{
	u8 *byte = &log_b.bits[gpa / GUEST_PAGE / 8], bit = (u8)(1u << gpa / GUEST_PAGE % 8);

	/* Each page once: those that are left over were not written. */
	*left -= *byte & bit ? 1 : 0;
	*byte &= (u8)~bit;
}

/* A used ring of many pages: those that were written, and no others. */
static void test_large_ring(void **state)
{
	const struct rp_vring *r;
	u64 rng = test_seed();
	u32 round, left, n, i, from;
	struct guest g;
	struct vq v;

	set_up();
	assert_true(guest_init(&g, 4096, 64 * GUEST_PAGE));
	r = &g.ring;
	vq_init(&v, "large", 0);
	attach(&v, &g, &log_b, guest_gpa(&g, r->used));
	for (round = 0; round < 500; round++) {
		memset(log_b.bits, 0, log_b.bytes);
		from = v.dev.used_idx;
		n = 1 + test_below(&rng, round % 2 ? 64 : 3000);
		for (i = 0; i < n; i++)
			rp_dev_put(&v.dev, (u16)i, 1);
		vq_dirty_publish(&v);
		left = count_marked(&log_b);
		assert_true(marked(&log_b, guest_gpa(&g, &r->used->idx)));
		assert_true(marked(&log_b, guest_gpa(&g, rp_avail_event(r))));
		for (i = 0; i < n; i++)
			assert_true(marked(&log_b, guest_gpa(&g, &r->used->ring[(from + i) % 4096])));
		expect_page(guest_gpa(&g, &r->used->idx), &left);
		expect_page(guest_gpa(&g, rp_avail_event(r)), &left);
		for (i = 0; i < n; i++) {
			u64 gpa = guest_gpa(&g, &r->used->ring[(from + i) % 4096]);

			expect_page(gpa, &left);
			expect_page(gpa + sizeof(r->used->ring[0]) - 1, &left);
		}
		assert_int_equal(left, 0);
	}
	guest_free(&g);
}

/* ---- The log itself ---- */

static void test_bounds(void **state)
{
	struct dirty_log l = { 0 };
	int fd = log_fd(2 * GUEST_PAGE);

	/* The last byte of the file is the log's last one; behind it is no memory. */
	assert_null(dirty_open(&l, fd, GUEST_PAGE, GUEST_PAGE));
	assert_true(dirty_covers(&l, 0, GUEST_PAGE * 8ULL * GUEST_PAGE));
	assert_false(dirty_covers(&l, 1, GUEST_PAGE * 8ULL * GUEST_PAGE));
	assert_false(dirty_covers(&l, UINT64_MAX, 2));
	assert_false(dirty_covers(&l, 0, 0));
	dirty_mark(&l, GUEST_PAGE * 8ULL * GUEST_PAGE - 1, 3 * GUEST_PAGE);
	dirty_mark(&l, UINT64_MAX - GUEST_PAGE, 10);
	assert_int_equal(count_marked(&l), 1);
	assert_int_equal(l.bits[GUEST_PAGE - 1], 0x80);
	dirty_mark(&l, GUEST_PAGE - 1, 2);
	assert_int_equal(l.bits[0], 3);
	dirty_close(&l);
	dirty_close(&l);
	close(fd);
}

static void test_refused(void **state)
{
	struct dirty_log l = { 0 };
	int fd = log_fd(GUEST_PAGE), pipes[2];

	assert_non_null(dirty_open(&l, fd, 0, 0));
	assert_non_null(dirty_open(&l, fd, 0, GUEST_PAGE + 1));
	assert_non_null(dirty_open(&l, fd, 1, GUEST_PAGE));
	assert_non_null(dirty_open(&l, fd, UINT64_MAX, 2));
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_non_null(dirty_open(&l, pipes[0], 0, 8));
	assert_null(l.bits);
	assert_null(dirty_open(&l, fd, 0, GUEST_PAGE));
	/* One that is refused leaves the one before. */
	l.bits[7] = 1;
	assert_non_null(dirty_open(&l, pipes[0], 0, 8));
	assert_int_equal(l.bits[7], 1);
	dirty_close(&l);
	close(fd);
	close(pipes[0]);
	close(pipes[1]);
}

/* Where no huge page is free, which is so on most machines, each mark would be a fault. */
static void test_huge_pages(void **state)
{
	int fd = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB);
	struct dirty_log l = { 0 };

	if (fd < 0)
		skip();		/* no huge pages in this kernel */
	assert_int_equal(ftruncate(fd, 2 << 20), 0);
	assert_non_null(dirty_open(&l, fd, 0, GUEST_PAGE));
	assert_non_null(dirty_open(&l, fd, 0, 2 << 20));
	assert_null(l.bits);
	close(fd);
}

/* A log whose loss would not be noticed is none. */
static void test_not_watched(void **state)
{
	static u8 page[SIGBUS_REGIONS];
	static int id[SIGBUS_REGIONS];
	struct dirty_log l = { 0 };
	int fd = log_fd(GUEST_PAGE);
	u32 i;

	for (i = 0; i < SIGBUS_REGIONS; i++) {
		id[i] = sigbus_watch(&page[i], 1);
		assert_true(id[i] >= 0);
	}
	assert_int_equal(sigbus_watch(page, 1), -1);
	assert_non_null(dirty_open(&l, fd, 0, GUEST_PAGE));
	assert_null(l.bits);
	sigbus_unwatch(id[7]);
	assert_null(dirty_open(&l, fd, 0, GUEST_PAGE));
	dirty_close(&l);
	for (i = 0; i < SIGBUS_REGIONS; i++)
		sigbus_unwatch(id[i]);
	close(fd);
}

#define CASE(f) cmocka_unit_test_teardown(f, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_rx_traffic), CASE(test_tx_traffic), CASE(test_not_taken),
		CASE(test_used_elsewhere), CASE(test_wrap), CASE(test_large_ring),
		cmocka_unit_test(test_bounds), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_huge_pages), cmocka_unit_test(test_not_watched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
