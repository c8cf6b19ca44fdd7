// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tables of RSS that are shared with who steers: what is waited for, what is taken over,
 * what is refused, and threads that send by one while it changes all the time.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "eth/rss_page.h"
#include "rand.h"

#define ENTRIES		8u
#define PAIRS		4u
#define SENDERS		3u
/* Each has a queue of its own, so that what a sender writes there nobody else does again. */
#ifdef __SANITIZE_THREAD__
#define ROUNDS		2000u
#else
#define ROUNDS		60000u
#endif

static struct rss_config config;
static struct rss *rss;
static struct rss_page *page;

static int set_up(void **state)
{
	rss_default(&config, ENTRIES, PAIRS);
	rss = rss_new(&config);
	if (!rss || rss_share(rss))
		return -1;
	return rss_page_open(&page, rss->shared.fd, ENTRIES) ? -1 : 0;
}

static int tear_down(void **state)
{
	rss_page_close(page);
	rss_free(rss);
	return 0;
}

/* ---- What is waited for ---- */

static void test_fence(void **state)
{
	struct rss_sender a = { .index = 0 }, b = { .index = RSS_PAGE_SENDERS - 1, .turns = 6 };
	struct rss_fence f;

	rss_fence(page, &f);
	assert_true(rss_passed(page, &f));
	rss_page_enter(rss->page, &a);
	rss_page_enter(rss->page, &b);
	rss_fence(page, &f);
	assert_false(rss_passed(page, &f));
	rss_page_leave(rss->page, &a);
	rss_sender_done(&a);
	assert_false(rss_passed(page, &f));
	/* It has begun another one: that sees what was written. */
	rss_page_leave(rss->page, &b);
	rss_sender_done(&b);
	rss_page_enter(rss->page, &b);
	assert_true(rss_passed(page, &f));
	rss_fence(page, &f);
	assert_false(rss_passed(page, &f));
	rss_page_leave(rss->page, &b);
	assert_true(rss_passed(page, &f));
}

/* ---- What is taken over ---- */

static void test_take_over(void **state)
{
	assert_ptr_equal(rss->table, rss->page->pair);
	assert_memory_equal(page->pair, config.pair, ENTRIES * sizeof(config.pair[0]));
	rp_store(&page->pair[1], 3);
	rp_store(&page->pair[2], 1000);
	/* What the main thread has put elsewhere meanwhile stays there. */
	config.pair[5] = 0;
	rss_put(rss, 5, 0);
	rss_take_over(rss, &config, PAIRS);
	assert_int_equal(config.pair[0], 0);
	assert_int_equal(config.pair[1], 3);
	assert_int_equal(config.pair[2], 1000 % PAIRS);
	assert_int_equal(config.pair[5], 0);
	assert_int_equal(page->pair[5], 0);
	/* Each change once: what the main thread says after it is in force. */
	config.pair[1] = 2;
	rss_take_over(rss, &config, PAIRS);
	assert_int_equal(config.pair[1], 2);
	/* Of a table of another size it would say nothing. */
	rp_store(&page->pair[0], 3);
	config.entries = 2 * ENTRIES;
	rss_take_over(rss, &config, PAIRS);
	assert_int_equal(config.pair[0], 0);
	assert_false(rss_page_ended(page));
	rss_end_share(rss);
	assert_true(rss_page_ended(page));
}

static void test_alone(void **state)
{
	struct rss *r = rss_new(&config);

	assert_non_null(r);
	assert_null(r->page);
	rss_put(r, 3, 0);
	rss_take_over(r, &config, PAIRS);
	assert_int_equal(r->table[3], 0);
	assert_int_equal(config.pair[3], 3);
	rss_end_share(r);
	rss_free(r);
	rss_free(NULL);
	/* A second time it is the same one. */
	assert_int_equal(rss_share(rss), 0);
	assert_int_equal(page->magic, rss->page->magic);
}

/* ---- What is refused ---- */

static const char *offer(const struct rss_page *p, size_t bytes, int seals)
{
	int fd = memfd_create("page", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct rss_page *view;
	const char *why;

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	if (bytes >= sizeof(*p))
		assert_int_equal(pwrite(fd, p, sizeof(*p), 0), sizeof(*p));
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	why = rss_page_open(&view, fd, ENTRIES);
	if (!why)
		rss_page_close(view);
	close(fd);
	return why;
}

static void test_refused(void **state)
{
	const int sealed = F_SEAL_SHRINK | F_SEAL_GROW;
	struct rss_page *p = malloc(sizeof(*p)), *view;
	int dev = open("/dev/null", O_RDWR | O_CLOEXEC);

	*p = *page;
	assert_null(offer(p, sizeof(*p), sealed));
	assert_string_equal(offer(p, sizeof(*p), F_SEAL_GROW),
			    "it is not sealed against changes of its size");
	assert_string_equal(offer(p, sizeof(*p) - 1, sealed), "it is too short");
	assert_string_equal(offer(p, sizeof(*p) + 1, sealed), "it is too long");
	p->entries = 2 * ENTRIES;
	assert_string_equal(offer(p, sizeof(*p), sealed), "it has another number of entries");
	p->version = 2;
	assert_string_equal(offer(p, sizeof(*p), sealed), "it is of another version");
	p->magic = 2;
	assert_string_equal(offer(p, sizeof(*p), sealed), "it is no table of RSS");
	assert_string_equal(rss_page_open(&view, dev, ENTRIES), "it is no memfd");
	close(dev);
	free(p);
	/* Who has it cannot take it away. */
	assert_true(ftruncate(rss->shared.fd, 1) < 0 && ftruncate(rss->shared.fd, 1 << 20) < 0);
}

/* ---- Threads ---- */

static struct thread {
	pthread_t thread;
	struct rss_sender sender;
	u64 sent;
	u64 got[ROUNDS + 1];		/* into each queue: its own until the fence */
} threads[SENDERS];
static u32 began;			/* threads that have */
static u32 stop;			/* relaxed */

static void *send_all(void *arg)
{
	struct thread *t = arg;
	u64 rng = test_seed() + t->sender.index;
	u32 n;

	__atomic_fetch_add(&began, 1, __ATOMIC_RELAXED);
	do {
		rss_page_enter(rss->page, &t->sender);
		for (n = 1 + test_below(&rng, 3); n; n--) {
			u16 queue = rp_load(&rp_load(&rss->table)[0]);

			if (!test_below(&rng, 500))
				sched_yield();
			t->got[queue]++;
			t->sent++;
		}
		rss_page_leave(rss->page, &t->sender);
		rss_sender_done(&t->sender);
	} while (!rp_load(&stop));
	return NULL;
}

/*
 * Once a fence is passed nothing more comes into the old queue: what is there then (TSan would
 * find who reads it too early) is what is there in the end.
 */
static void test_threads(void **state)
{
	static u64 seen[ROUNDS][SENDERS];
	u64 sent = 0, got = 0;
	/* Where the senders have it: TSan knows places by their addresses. */
	struct rss_page *p = rss->page;
	struct rss_fence f;
	u32 i, r;

	rp_store(&p->pair[0], 0);
	for (i = 0; i < SENDERS; i++) {
		threads[i].sender.index = i;
		assert_int_equal(pthread_create(&threads[i].thread, NULL, send_all, &threads[i]), 0);
	}
	/* All are there; on a busy machine this one might be done before. */
	while (rp_load(&began) < SENDERS)
		sched_yield();
	for (r = 0; r < ROUNDS; r++) {
		rp_store(&p->pair[0], (u16)(r + 1));
		rss_fence(p, &f);
		while (!rss_passed(p, &f))
			sched_yield();
		for (i = 0; i < SENDERS; i++)
			seen[r][i] = threads[i].got[r];
	}
	rp_store(&stop, 1);
	for (i = 0; i < SENDERS; i++) {
		pthread_join(threads[i].thread, NULL);
		sent += threads[i].sent;
	}
	for (r = 0; r <= ROUNDS; r++)
		for (i = 0; i < SENDERS; i++) {
			got += threads[i].got[r];
			if (r < ROUNDS)
				assert_int_equal(seen[r][i], threads[i].got[r]);
		}
	assert_int_equal(got, sent);
	assert_true(sent >= SENDERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fence, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_take_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_threads, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
