// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A hostile guest against the device side: each attack by name, 10000 seeded
 * mutations of a valid ring, and a guest that writes while the device walks. A
 * failure at mutation i is had again, as the first, with RP_SEED = seed + i.
 * The device reads every byte of readable segments and writes every byte of
 * writable ones; nothing else of the guest's memory may change, but the used
 * ring and the event index. Guard pages catch what leaves guest memory.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>

#include "rand.h"
#include "ring_fixture.h"

#define SLOTS		16u
#define REGION_BYTES	(2u * GUEST_PAGE)
#define BUFFER_BYTES	128u
#define MUTATIONS	10000u
#define PATTERN		0xa5

static struct guest guest;
static struct rp_dev dev;
/* What each byte of memory is, as far as the device may change it. */
static u8 before[GUEST_REGIONS][REGION_BYTES];
static bool writable[GUEST_REGIONS][REGION_BYTES];
static u64 touched;

static u64 region_gpa(u32 i)
{
	return guest.mem.region[i].gpa;
}

static u64 buffer_gpa(void)
{
	return guest_gpa(&guest, guest.buffers);
}

static void set_desc(u32 i, u64 addr, u32 len, u16 flags, u16 next)
{
	guest.ring.desc[i] = (struct vring_desc){ addr, len, flags, next };
}

/* An indirect table in the second region. */
static struct vring_desc *table(u32 i)
{
	return (struct vring_desc *)guest.mem.region[1].va + i * 8;
}

static u64 table_gpa(u32 i)
{
	return guest_gpa(&guest, table(i));
}

static void offer(u16 head)
{
	guest.ring.avail->ring[guest.ring.avail->idx % SLOTS] = head;
	guest.ring.avail->idx++;
}

static int set_up(void **state)
{
	if (!guest_init(&guest, SLOTS, REGION_BYTES))
		return -1;
	return rp_dev_init(&dev, &guest.ring, &guest.mem, true, 0);
}

static int tear_down(void **state)
{
	guest_free(&guest);
	return 0;
}

/* ---- A device that touches everything ---- */

static void note_before(void)
{
	const u8 *base = guest.mem.region[0].va;
	size_t used = (size_t)((u8 *)guest.ring.used - base);
	u32 i;

	for (i = 0; i < GUEST_REGIONS; i++)
		memcpy(before[i], guest.mem.region[i].va, REGION_BYTES);
	memset(writable, 0, sizeof(writable));
	memset(&writable[0][used], true, rp_vring_used_bytes(SLOTS));
}

static void check_after(void)
{
	u32 i, b;

	for (i = 0; i < GUEST_REGIONS; i++)
		for (b = 0; b < REGION_BYTES; b++)
			if (guest.mem.region[i].va[b] != before[i][b])
				assert_true(writable[i][b]);
}

static void touch(const struct rp_seg *s, bool write)
{
	u32 i, b;

	for (i = 0; i < GUEST_REGIONS; i++) {
		u64 off = (u64)((uintptr_t)s->base - (uintptr_t)guest.mem.region[i].va);

		if (off >= REGION_BYTES)
			continue;
		assert_in_range(s->bytes, 1, REGION_BYTES - off);
		if (write)
			memset(&writable[i][off], true, s->bytes);
		break;
	}
	assert_true(i < GUEST_REGIONS);
	if (write)
		memset(s->base, PATTERN, s->bytes);
	else
		for (b = 0; b < s->bytes; b++)
			touched += ((volatile u8 *)s->base)[b];
}

static void serve_chain(const struct rp_chain *c)
{
	u64 bytes[2] = { 0, 0 };
	u32 i;

	assert_in_range(c->n_out + c->n_in, 1, RP_CHAIN_MAX);
	assert_in_range(c->head, 0, SLOTS - 1);
	for (i = 0; i < c->n_out + c->n_in; i++) {
		touch(&c->seg[i], i >= c->n_out);
		bytes[i >= c->n_out] += c->seg[i].bytes;
	}
	assert_int_equal(bytes[0], c->out_bytes);
	assert_int_equal(bytes[1], c->in_bytes);
	rp_dev_put(&dev, c->head, c->in_bytes);
}

/* Serves what is there, by either call; returns how many buffers. */
static u32 serve(bool burst)
{
	struct rp_buf buf[SLOTS];
	struct rp_chain c;
	u32 i, n = 0;

	if (burst) {
		n = rp_dev_get_burst(&dev, buf, SLOTS);
		assert_in_range(n, 0, SLOTS);
		for (i = 0; i < n; i++) {
			const struct rp_seg s = { buf[i].base, buf[i].bytes };

			assert_in_range(buf[i].head, 0, SLOTS - 1);
			touch(&s, buf[i].write);
			rp_dev_put(&dev, buf[i].head, buf[i].write ? buf[i].bytes : 0);
		}
	}
	while (rp_dev_get(&dev, &c)) {
		serve_chain(&c);
		/* No driver has more than this out; a device must not either. */
		assert_in_range(++n, 1, SLOTS);
	}
	rp_dev_publish(&dev);
	rp_dev_need_call(&dev);
	return n;
}

/* ---- Named attacks ---- */

static void refused(const char *why)
{
	struct rp_chain c;
	struct rp_buf b;

	note_before();
	assert_int_equal(serve(true), 0);
	check_after();
	assert_non_null(dev.broken);
	if (!strstr(dev.broken, why))
		fail_msg("broken because: %s; expected: %s", dev.broken, why);
	/* And so it stays, even when the guest repents. */
	memset(guest.mem.region[0].va, 0, REGION_BYTES);
	set_desc(0, buffer_gpa(), 64, 0, 0);
	guest.ring.avail->idx = (u16)(dev.last_avail + 1);
	assert_int_equal(rp_dev_avail(&dev), 0);
	assert_false(rp_dev_get(&dev, &c));
	assert_int_equal(rp_dev_get_burst(&dev, &b, 1), 0);
	assert_true(rp_dev_arm(&dev, 1));
}

/* More than is taken, or no end at all: the beginning, and the ring goes on. */
static void cut_at(u32 n_out, u32 bytes)
{
	struct rp_chain c;

	note_before();
	assert_true(rp_dev_get(&dev, &c));
	assert_true(c.cut);
	assert_int_equal(c.n_out, n_out);
	assert_int_equal(c.n_in, 0);
	assert_int_equal(c.out_bytes, n_out * bytes);
	serve_chain(&c);
	check_after();
	assert_null(dev.broken);
}

static void taken(u32 n_out, u32 n_in, u32 out_bytes, u32 in_bytes)
{
	struct rp_chain c;

	note_before();
	assert_true(rp_dev_get(&dev, &c));
	assert_int_equal(c.n_out, n_out);
	assert_int_equal(c.n_in, n_in);
	assert_int_equal(c.out_bytes, out_bytes);
	assert_int_equal(c.in_bytes, in_bytes);
	serve_chain(&c);
	rp_dev_publish(&dev);
	check_after();
	assert_null(dev.broken);
}

static void test_avail_jumps(void **state)
{
	guest.ring.avail->idx = SLOTS + 1;
	refused("available index jumps");
}

static void test_avail_goes_back(void **state)
{
	set_desc(0, buffer_gpa(), 64, 0, 0);
	offer(0);
	offer(0);
	assert_int_equal(serve(false), 2);
	guest.ring.avail->idx = 1;
	refused("available index jumps");
}

/* More than num outstanding, though never more than num new ones. */
static void test_avail_overcommits(void **state)
{
	struct rp_chain c;

	set_desc(0, buffer_gpa(), 64, 0, 0);
	guest.ring.avail->idx = SLOTS;
	assert_true(rp_dev_get(&dev, &c));
	assert_int_equal(rp_dev_avail(&dev), SLOTS - 1);
	guest.ring.avail->idx = SLOTS + 1;
	assert_int_equal(rp_dev_avail(&dev), 0);
	assert_non_null(dev.broken);
}

static void test_head_out_of_table(void **state)
{
	offer(SLOTS);
	refused("no descriptor's index");
}

static void test_next_out_of_table(void **state)
{
	set_desc(0, buffer_gpa(), 64, VRING_DESC_F_NEXT, SLOTS);
	offer(0);
	refused("not in the table");
}

static void test_loop_on_itself(void **state)
{
	set_desc(0, buffer_gpa(), 64, VRING_DESC_F_NEXT, 0);
	offer(0);
	cut_at(RP_CHAIN_MAX, 64);
}

static void test_loop_of_many(void **state)
{
	u16 i;

	for (i = 0; i < SLOTS; i++)
		set_desc(i, buffer_gpa(), 64, VRING_DESC_F_NEXT, (u16)((i + 1) % SLOTS));
	offer(3);
	cut_at(RP_CHAIN_MAX, 64);
}

/* The rest of the chain was never written: length 0. */
static void test_truncated_chain(void **state)
{
	set_desc(0, buffer_gpa(), 64, VRING_DESC_F_NEXT, 1);
	offer(0);
	refused("length 0");
}

static void test_length_0(void **state)
{
	set_desc(0, buffer_gpa(), 0, 0, 0);
	offer(0);
	refused("length 0");
}

static void outside(u64 addr, u32 len, const char *why)
{
	tear_down(NULL);
	assert_int_equal(set_up(NULL), 0);
	set_desc(0, addr, len, 0, 0);
	offer(0);
	refused(why);
}

static void test_outside_memory(void **state)
{
	u64 end = region_gpa(0) + REGION_BYTES;

	outside(0, 64, "outside guest memory");
	outside(region_gpa(0) - 1, 64, "outside guest memory");
	outside(end, 1, "outside guest memory");
	outside(end - 1, 2, "outside guest memory");
	outside(region_gpa(0), REGION_BYTES + 1, "outside guest memory");
	outside(region_gpa(0), UINT32_MAX, "outside guest memory");
	outside(UINT64_MAX, 1, "outside guest memory");
}

static void test_address_wraps(void **state)
{
	outside(UINT64_MAX, 2, "wraps around");
	outside(UINT64_MAX - 62, 64, "wraps around");
	/* It would come out inside. */
	outside(0 - region_gpa(0), UINT32_MAX, "wraps around");
}

static void test_last_byte(void **state)
{
	set_desc(0, region_gpa(1) + REGION_BYTES - 1, 1, VRING_DESC_F_WRITE, 0);
	offer(0);
	taken(0, 1, 0, 1);
}

static void test_readable_after_writable(void **state)
{
	set_desc(0, buffer_gpa(), 64, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 1);
	set_desc(1, buffer_gpa(), 64, 0, 0);
	offer(0);
	refused("readable descriptor after");
}

/* All of a chain must fit 32 bits; a region as large is only pretended. */
static void test_total_overflow(void **state)
{
	guest.mem.region[1].size_bytes = 1ULL << 33;
	set_desc(0, region_gpa(1), UINT32_MAX, VRING_DESC_F_NEXT, 1);
	set_desc(1, region_gpa(1), 1, 0, 0);
	offer(0);
	refused("4 GiB");
}

static void test_total_overflow_mixed(void **state)
{
	guest.mem.region[1].size_bytes = 1ULL << 33;
	set_desc(0, region_gpa(1), 1u << 31, VRING_DESC_F_NEXT, 1);
	set_desc(1, region_gpa(1), 1u << 31, VRING_DESC_F_WRITE, 0);
	offer(0);
	refused("4 GiB");
}

static void test_indirect(void **state)
{
	table(0)[0] = (struct vring_desc){ buffer_gpa(), 8, VRING_DESC_F_NEXT, 2 };
	table(0)[2] = (struct vring_desc){ buffer_gpa(), 16, VRING_DESC_F_WRITE, 0 };
	set_desc(5, table_gpa(0), 48, VRING_DESC_F_INDIRECT, 0);
	offer(5);
	taken(1, 1, 8, 16);
}

/* Plain descriptors may lead to an indirect one (sec. 2.7.5.3.2). */
static void test_indirect_last(void **state)
{
	table(0)[0] = (struct vring_desc){ buffer_gpa() + 64, 16, VRING_DESC_F_WRITE, 0 };
	set_desc(4, buffer_gpa(), 8, VRING_DESC_F_NEXT, 5);
	set_desc(5, table_gpa(0), 16, VRING_DESC_F_INDIRECT, 0);
	offer(4);
	taken(1, 1, 8, 16);
}

/* Nothing says that a table is aligned. */
static void test_indirect_unaligned(void **state)
{
	const struct vring_desc d = { buffer_gpa(), 8, 0, 0 };

	memcpy((u8 *)table(0) + 3, &d, sizeof(d));
	set_desc(0, table_gpa(0) + 3, 16, VRING_DESC_F_INDIRECT, 0);
	offer(0);
	taken(1, 0, 8, 0);
}

static void indirect(u64 addr, u32 len, u16 flags, const char *why)
{
	set_desc(0, addr, len, flags | VRING_DESC_F_INDIRECT, 1);
	set_desc(1, buffer_gpa(), 64, 0, 0);
	offer(0);
	refused(why);
	tear_down(NULL);
	assert_int_equal(set_up(NULL), 0);
}

static void test_indirect_refused(void **state)
{
	indirect(table_gpa(0), 16, VRING_DESC_F_NEXT, "with a next one");
	indirect(table_gpa(0), 0, 0, "multiple of 16");
	indirect(table_gpa(0), 24, 0, "multiple of 16");
	indirect(table_gpa(0), UINT32_MAX - 15, 0, "table outside");
	indirect(region_gpa(1) + REGION_BYTES - 16, 32, 0, "table outside");
	indirect(0, 16, 0, "table outside");
	indirect(UINT64_MAX - 15, 32, 0, "table outside");
}

static void test_indirect_nested(void **state)
{
	table(0)[0] = (struct vring_desc){ table_gpa(0), 16, VRING_DESC_F_INDIRECT, 0 };
	set_desc(0, table_gpa(0), 16, VRING_DESC_F_INDIRECT, 0);
	offer(0);
	refused("inside an indirect table");
}

static void test_indirect_next_out_of_table(void **state)
{
	table(0)[0] = (struct vring_desc){ buffer_gpa(), 8, VRING_DESC_F_NEXT, 2 };
	set_desc(0, table_gpa(0), 32, VRING_DESC_F_INDIRECT, 0);
	offer(0);
	refused("not in the table");
}

static void test_indirect_loop(void **state)
{
	table(0)[0] = (struct vring_desc){ buffer_gpa(), 8, VRING_DESC_F_NEXT, 1 };
	table(0)[1] = (struct vring_desc){ buffer_gpa(), 8, VRING_DESC_F_NEXT, 0 };
	set_desc(0, table_gpa(0), 32, VRING_DESC_F_INDIRECT, 0);
	offer(0);
	cut_at(RP_CHAIN_MAX, 8);
}

static void long_chain(u32 n)
{
	struct vring_desc *t = table(0);
	u32 i;

	for (i = 0; i < n; i++)
		t[i] = (struct vring_desc){ buffer_gpa(), 8,
			i + 1 < n ? VRING_DESC_F_NEXT : 0, (u16)(i + 1) };
	set_desc(0, table_gpa(0), n * 16, VRING_DESC_F_INDIRECT, 0);
	offer(0);
}

static void test_longest_chain(void **state)
{
	long_chain(RP_CHAIN_MAX);
	taken(RP_CHAIN_MAX, 0, RP_CHAIN_MAX * 8, 0);
	long_chain(RP_CHAIN_MAX + 1);
	cut_at(RP_CHAIN_MAX, 8);
}

/* Regions that are neighbours in guest memory but not here. */
static void test_spans_regions(void **state)
{
	guest.mem.region[1].gpa = region_gpa(0) + REGION_BYTES;
	set_desc(0, region_gpa(1) - 8, 24, VRING_DESC_F_WRITE, 0);
	offer(0);
	taken(0, 2, 0, 24);
	set_desc(0, region_gpa(1) - 8, REGION_BYTES + 9, VRING_DESC_F_WRITE, 0);
	offer(0);
	refused("outside guest memory");
}

/* ---- Mutations ---- */

/* One to four descriptors, direct or in a table of their own. */
static u16 valid_chain(u64 *rng, u16 first, u32 *used)
{
	u32 n = 1 + test_below(rng, 4), n_out = test_below(rng, n + 1), i;
	bool in_table = test_below(rng, 3) == 0;
	struct vring_desc *d = in_table ? table(first) : guest.ring.desc + first;

	if (!in_table && first + n > SLOTS)
		n = n_out = 1;
	for (i = 0; i < n; i++)
		d[i] = (struct vring_desc){
			.addr = region_gpa(1) + GUEST_PAGE +
				test_below(rng, GUEST_PAGE - BUFFER_BYTES),
			.len = 1 + test_below(rng, BUFFER_BYTES),
			.flags = (u16)((i + 1 < n ? VRING_DESC_F_NEXT : 0) |
				       (i >= n_out ? VRING_DESC_F_WRITE : 0)),
			.next = (u16)((in_table ? 0 : first) + i + 1),
		};
	if (in_table)
		set_desc(first, table_gpa(first), n * 16, VRING_DESC_F_INDIRECT, 0);
	*used = in_table ? 1 : n;
	return first;
}

static void valid_ring(u64 *rng)
{
	u16 start = (u16)test_rand(rng);
	u32 i = 0, used;

	memset(guest.mem.region[0].va, 0, REGION_BYTES);
	guest.ring.avail->idx = start;
	guest.ring.used->idx = start;
	*rp_used_event(&guest.ring) = (u16)test_rand(rng);
	assert_int_equal(rp_dev_init(&dev, &guest.ring, &guest.mem,
				     test_below(rng, 4), start), 0);
	for (i = 0; i < SLOTS; i += used)
		offer(valid_chain(rng, (u16)i, &used));
}

/* Values where checks have their edges. */
static u64 edge(u64 *rng)
{
	const u64 edges[] = {
		0, 1, 15, 16, SLOTS - 1, SLOTS, 0x7fff, 0x8000, 0xffff,
		0x7fffffff, 0xffffffff, UINT64_MAX, UINT64_MAX - 15,
		region_gpa(0), region_gpa(0) + REGION_BYTES - 1, region_gpa(0) - 1,
		region_gpa(1), region_gpa(1) + REGION_BYTES, table_gpa(3),
		guest_gpa(&guest, guest.ring.desc), guest_gpa(&guest, guest.ring.used),
		test_rand(rng), test_below(rng, 256),
	};

	return edges[test_below(rng, sizeof(edges) / sizeof(*edges))];
}

static void mutate_desc(u64 *rng, struct vring_desc *d)
{
	switch (test_below(rng, 4)) {
	case 0:
		d->addr = edge(rng);
		break;
	case 1:
		d->len = (u32)edge(rng);
		break;
	case 2:
		d->flags ^= (u16)(1 << test_below(rng, 4));
		break;
	default:
		d->next = (u16)edge(rng);
		break;
	}
}

static void mutate(u64 *rng)
{
	switch (test_below(rng, 7)) {
	case 0 ... 1:
		mutate_desc(rng, &guest.ring.desc[test_below(rng, SLOTS)]);
		break;
	case 2 ... 3:
		mutate_desc(rng, &table(0)[test_below(rng, SLOTS * 8)]);
		break;
	case 4:
		guest.ring.avail->ring[test_below(rng, SLOTS)] = (u16)edge(rng);
		break;
	case 5:
		guest.ring.avail->idx = (u16)(guest.ring.avail->idx + edge(rng));
		break;
	default:
		guest.mem.region[test_below(rng, GUEST_REGIONS)]
			.va[test_below(rng, REGION_BYTES)] ^= (u8)(1 + test_below(rng, 255));
		break;
	}
}

/* Returns whether the device saw through it. */
static bool attack(u64 seed)
{
	u32 turns, edits;
	u64 rng = seed;

	valid_ring(&rng);
	for (turns = 1 + test_below(&rng, 3); turns; turns--) {
		for (edits = test_below(&rng, 8); edits; edits--)
			mutate(&rng);
		note_before();
		serve(test_below(&rng, 2));
		rp_dev_unget(&dev, 0);
		rp_dev_arm(&dev, 1 + test_below(&rng, SLOTS));
		rp_dev_disarm(&dev);
		check_after();
	}
	return dev.broken;
}

/* For the debugger, and for the message of a failure. */
static u64 last_seed;

static int tell_seed(void **state)
{
	printf("# last mutation: RP_SEED=%llu\n", (unsigned long long)last_seed);
	return tear_down(state);
}

static void test_mutations(void **state)
{
	u64 seed = test_seed();
	u32 i, broken = 0;

	for (i = 0; i < MUTATIONS; i++)
		broken += attack(last_seed = seed + i);
	printf("# %u mutations, %u broke the ring\n", MUTATIONS, broken);
	/* Neither all nor none: else the mutations would test nothing. */
	assert_in_range(broken, MUTATIONS / 20, MUTATIONS - MUTATIONS / 20);
}

#ifndef __SANITIZE_THREAD__
/* ---- A guest that changes its mind while we look ---- */

#define RACES	20000u

static bool race_over;

static void *racing_guest(void *unused)
{
	struct vring_desc *d = guest.ring.desc, *t = table(0);
	u64 rng = 1;

	while (!rp_load(&race_over)) {
		rp_store(&d[0].addr, test_below(&rng, 2) ? table_gpa(0) : edge(&rng));
		rp_store(&d[0].len, test_below(&rng, 2) ? 32 : (u32)edge(&rng));
		rp_store(&d[0].flags, (u16)test_below(&rng, 8));
		rp_store(&t[0].len, test_below(&rng, 2) ? 64 : UINT32_MAX);
		rp_store(&t[0].addr, test_below(&rng, 2) ? buffer_gpa() : 0);
		rp_store(&t[0].flags, (u16)test_below(&rng, 8));
		rp_store(&t[0].next, (u16)test_below(&rng, 3));
		rp_store(&guest.ring.avail->ring[0], (u16)(test_below(&rng, 2) * 0xffff));
	}
	return NULL;
}

/*
 * What is handed out was checked, not what memory said a moment before. Not
 * under ThreadSanitizer, which would report just this race.
 */
static void test_racing_guest(void **state)
{
	u32 i, got = 0;
	pthread_t thread;

	rp_store(&race_over, false);
	assert_int_equal(pthread_create(&thread, NULL, racing_guest, NULL), 0);
	for (i = 0; i < RACES || (!got && i < 1000 * RACES); i++) {
		struct rp_chain c;
		struct rp_buf b;
		u32 k;

		assert_int_equal(rp_dev_init(&dev, &guest.ring, &guest.mem, true, 0), 0);
		guest.ring.avail->idx = 1;
		if (i % 2 && rp_dev_get_burst(&dev, &b, 1)) {
			touch(&(struct rp_seg){ b.base, b.bytes }, false);
			got++;
		} else if (rp_dev_get(&dev, &c)) {
			for (k = 0; k < c.n_out + c.n_in; k++)
				touch(&c.seg[k], false);
			got++;
		}
	}
	rp_store(&race_over, true);
	pthread_join(thread, NULL);
	assert_true(got > 0);
}

#endif /* __SANITIZE_THREAD__ */

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_avail_jumps),
		CASE(test_avail_goes_back),
		CASE(test_avail_overcommits),
		CASE(test_head_out_of_table),
		CASE(test_next_out_of_table),
		CASE(test_loop_on_itself),
		CASE(test_loop_of_many),
		CASE(test_truncated_chain),
		CASE(test_length_0),
		CASE(test_outside_memory),
		CASE(test_address_wraps),
		CASE(test_last_byte),
		CASE(test_readable_after_writable),
		CASE(test_total_overflow),
		CASE(test_total_overflow_mixed),
		CASE(test_indirect),
		CASE(test_indirect_last),
		CASE(test_indirect_unaligned),
		CASE(test_indirect_refused),
		CASE(test_indirect_nested),
		CASE(test_indirect_next_out_of_table),
		CASE(test_indirect_loop),
		CASE(test_longest_chain),
		CASE(test_spans_regions),
		cmocka_unit_test_setup_teardown(test_mutations, set_up, tell_seed),
#ifndef __SANITIZE_THREAD__
		CASE(test_racing_guest),
#endif
	};

	return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
