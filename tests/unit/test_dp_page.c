// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The telemetry page, read from outside: what its writer means comes over, while it writes
 * too; and whatever else is passed as one is refused, or its numbers are.
 */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "page.h"

#define THREADS	3u
#define BATCH	32u
#define SAMPLES	20000u
#define SEALS	(F_SEAL_SHRINK | F_SEAL_GROW)

static struct dp_page_file file;
static struct dp_page_view view;

static int begin(void **state)
{
	return dp_page_make(&file, THREADS, BATCH, 0) || dp_page_open(&view, file.mem.fd);
}

static int end(void **state)
{
	dp_page_close(&view);
	dp_page_unmake(&file);
	return 0;
}

/* ---- A page as it should be ---- */

static void test_read(void **state)
{
	struct dp_telemetry_all all;
	u32 i;

	for (i = 0; i < THREADS; i++)
		dp_board_write(&file.page->board[i], &(struct dp_telemetry){
			.taken_ns = 1000 + i, .queue = i + 1, .tau_ns = 10 * (i + 1), .tau_items = i + 1,
			.items = 100, .iterations = 10, .busy_ns = 50, .new_items = 4,
		});
	assert_null(dp_page_read(&view, 5000, &all));
	assert_int_equal(all.taken_ns, 1000);
	assert_int_equal(all.backlog, 6);
	assert_int_equal(all.queue, 3);
	assert_int_equal(all.tau_ns, 30);
	assert_int_equal(all.batch, BATCH);
	assert_int_equal(all.items, 300);
	/* Who rests has nothing, and is as of now. */
	dp_board_rest(&file.page->board[0], true);
	dp_board_rest(&file.page->board[2], true);
	assert_null(dp_page_read(&view, 5000, &all));
	assert_int_equal(all.taken_ns, 1001);
	assert_int_equal(all.backlog, 2);
	/* One that is ahead a little is of now. */
	assert_null(dp_page_read(&view, 900, &all));
	assert_int_equal(all.taken_ns, 900);
	/* Nobody can write to it, nor change its size. */
	assert_true(ftruncate(file.mem.fd, 1) < 0 && ftruncate(file.mem.fd, 1 << 20) < 0);
	assert_ptr_equal(mmap(NULL, file.mem.bytes, PROT_WRITE, MAP_SHARED, file.mem.fd, 0), MAP_FAILED);
}

/* By the counter of this machine: a sample of now is of now by the other clock, too. */
static void test_clock(void **state)
{
	struct dp_telemetry_all all;
	struct dp_page_file f;
	struct dp_page_view v;
	struct dp_telemetry t = { 0 };

	assert_int_equal(dp_page_make(&f, 1, BATCH, 1000000000), 0);
	assert_null(dp_page_open(&v, f.mem.fd));
	t.taken_ns = rp_tsc_to_ns(&v.clock, rp_tsc());
	dp_board_write(&f.page->board[0], &t);
	assert_null(dp_page_read(&v, UINT64_MAX / 4, &all));
	assert_in_range(all.taken_ns, UINT64_MAX / 8, UINT64_MAX / 4);
	/* Older than the clock it is told by. */
	dp_board_write(&f.page->board[0], &(struct dp_telemetry){ 0 });
	assert_null(dp_page_read(&v, 5, &all));
	assert_int_equal(all.taken_ns, 1);
	dp_page_close(&v);
	dp_page_unmake(&f);
}

/* ---- Its writer stands amid a sample, or tells what cannot be ---- */

static void test_torn(void **state)
{
	struct dp_telemetry_all all = { .queue = 77 };

	atomic_fetch_add(&file.page->board[1].seq, 1);
	assert_string_equal(dp_page_read(&view, 5000, &all), "a thread is amid its sample");
	assert_int_equal(all.queue, 77);
	atomic_fetch_add(&file.page->board[1].seq, 1);
	assert_null(dp_page_read(&view, 5000, &all));
}

static void test_absurd(void **state)
{
	const struct dp_telemetry bad[] = {
		{ .queue = 1ULL << 32 }, { .tau_items = UINT64_MAX }, { .new_items = 1ULL << 40 },
		{ .tau_ns = UINT64_MAX }, { .items = 1ULL << 53 }, { .iterations = UINT64_MAX },
		{ .busy_ns = UINT64_MAX }, { .taken_ns = 5000 + 1000000001 },
	};
	struct dp_telemetry_all all = { .queue = 77 };
	u32 i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		dp_board_write(&file.page->board[2], &bad[i]);
		assert_string_equal(dp_page_read(&view, 5000, &all), "it has numbers that cannot be");
	}
	assert_int_equal(all.queue, 77);
	/* What it does not take does not matter. */
	dp_board_write(&file.page->board[2], &(struct dp_telemetry){ .delay_ns = UINT64_MAX });
	assert_null(dp_page_read(&view, 5000, &all));
}

/* ---- What is no page ---- */

/* With the bytes of a good one, then changed by @head. */
static const char *offer(const struct dp_page *head, size_t bytes, int flags, int seals)
{
	struct dp_page_view v;
	const char *why;
	int fd = memfd_create("page", MFD_CLOEXEC | flags);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	if (bytes >= sizeof(*head))
		assert_int_equal(pwrite(fd, head, sizeof(*head), 0), sizeof(*head));
	if (seals)
		assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	why = dp_page_open(&v, fd);
	assert_true(why ? !v.page : !!v.page);
	dp_page_close(&v);
	close(fd);
	return why;
}

static void test_refused(void **state)
{
	const struct dp_page good = *file.page;
	const struct {
		size_t at, bytes;
		u64 value;
		const char *why;
	} heads[] = {
		{ offsetof(struct dp_page, magic), 8, 7, "it is no telemetry page" },
		{ offsetof(struct dp_page, version), 4, 2, "it is of another version" },
		{ offsetof(struct dp_page, threads), 4, 0, "it has no threads, or too many" },
		{ offsetof(struct dp_page, threads), 4, UINT32_MAX, "it has no threads, or too many" },
		{ offsetof(struct dp_page, threads), 4, 64, "it is too short for its threads" },
		{ offsetof(struct dp_page, batch), 4, 0, "its batch cannot be" },
		{ offsetof(struct dp_page, batch), 4, UINT32_MAX, "its batch cannot be" },
		{ offsetof(struct dp_page, tsc_hz), 8, 1, "its clock cannot be" },
		{ offsetof(struct dp_page, tsc_hz), 8, UINT64_MAX, "its clock cannot be" },
	};
	struct dp_page head;
	int dev;
	u32 i;

	assert_null(offer(&good, file.mem.bytes, MFD_ALLOW_SEALING, SEALS | F_SEAL_SEAL));
	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		head = good;
		memcpy((char *)&head + heads[i].at, &heads[i].value, heads[i].bytes);
		assert_string_equal(offer(&head, file.mem.bytes, MFD_ALLOW_SEALING, SEALS), heads[i].why);
	}
	assert_string_equal(offer(&good, 0, MFD_ALLOW_SEALING, SEALS), "it is too short");
	assert_string_equal(offer(&good, 63, MFD_ALLOW_SEALING, SEALS), "it is too short");
	assert_string_equal(offer(&good, 1 << 20, MFD_ALLOW_SEALING, SEALS), "it is too long");
	assert_string_equal(offer(&good, file.mem.bytes, MFD_ALLOW_SEALING, F_SEAL_GROW),
			    "it is not sealed against changes of its size");
	assert_string_equal(offer(&good, file.mem.bytes, 0, 0),
			    "it is not sealed against changes of its size");
	dev = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_string_equal(dp_page_open(&(struct dp_page_view){ 0 }, dev), "it is no memfd");
	close(dev);
}

/* ---- A reader while the owner writes ---- */

static _Atomic bool written;

/* Of sample k: k in every field that is looked at. */
static void *write_samples(void *unused)
{
	u64 k;

	for (k = 1; k <= SAMPLES; k++) {
		dp_board_write(&file.page->board[0], &(struct dp_telemetry){
			.taken_ns = k, .queue = k, .tau_ns = k, .tau_items = k, .items = k,
			.iterations = k, .busy_ns = k,
		});
		if (!(k % 16))
			sched_yield();
	}
	atomic_store(&written, true);
	return NULL;
}

static void test_while_written(void **state)
{
	/* At the writer's own address: so a sanitizer sees both. */
	struct dp_page_view v;
	struct dp_telemetry_all all = { 0 };
	pthread_t thread;

	assert_null(dp_page_check(&v, file.page, file.mem.bytes));
	dp_board_rest(&file.page->board[1], true);
	dp_board_rest(&file.page->board[2], true);
	atomic_store(&written, false);
	assert_int_equal(pthread_create(&thread, NULL, write_samples, NULL), 0);
	while (!atomic_load(&written) || all.queue < SAMPLES) {
		u64 last = all.queue;

		if (dp_page_read(&v, SAMPLES, &all))
			continue;
		assert_true(all.queue >= last);
		assert_true(all.items == all.queue && all.iterations == all.queue &&
			    all.busy_ns == all.queue && all.tau_ns == all.queue &&
			    all.tau_items == all.queue);
		if (all.queue)
			assert_int_equal(all.taken_ns, all.queue);
	}
	pthread_join(thread, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_read, begin, end),
		cmocka_unit_test(test_clock),
		cmocka_unit_test_setup_teardown(test_torn, begin, end),
		cmocka_unit_test_setup_teardown(test_absurd, begin, end),
		cmocka_unit_test_setup_teardown(test_refused, begin, end),
		cmocka_unit_test_setup_teardown(test_while_written, begin, end),
	};

	return cmocka_run_group_tests_name("dp_page", tests, NULL, NULL);
}
