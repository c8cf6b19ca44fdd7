// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory that others take away, of small pages and of huge ones. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../vhost/daemon/sigbus.h"

#define SMALL_BYTES	4096u
#define HUGE_BYTES	(2u << 20)

static int told = -1;

static int set_up(void **state)
{
	told = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return told < 0 ? -1 : 0;
}

static void *map(int fd, size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	return p;
}

/* The region is lost by the first access, and reads as zeros up to its end. */
static void expect_lost(void *at, size_t bytes)
{
	volatile u8 *p = at;
	int id = sigbus_watch(at, bytes);
	u64 times = 0;

	/* In every test: cmocka takes the signal for itself before each. */
	assert_int_equal(sigbus_setup(told), 0);
	assert_true(id >= 0);
	assert_false(sigbus_lost(id));
	p[bytes - 1] |= 1;
	assert_true(sigbus_lost(id));
	assert_int_equal(p[0], 0);
	assert_int_equal(p[bytes - 1], 1);
	assert_int_equal(read(told, &times, sizeof(times)), sizeof(times));
	sigbus_unwatch(id);
}

static void test_truncated(void **state)
{
	int fd = memfd_create("small", MFD_CLOEXEC);
	void *p;

	assert_true(fd >= 0 && !ftruncate(fd, 3 * SMALL_BYTES));
	p = map(fd, 3 * SMALL_BYTES);
	assert_int_equal(ftruncate(fd, SMALL_BYTES), 0);
	expect_lost(p, 3 * SMALL_BYTES);
	assert_int_equal(munmap(p, 3 * SMALL_BYTES), 0);
	close(fd);
}

/* A length that ends in a huge page: it can only be replaced as far as that goes. */
static void test_part_of_huge(void **state)
{
	int fd = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB);
	void *p;

	if (fd < 0)
		skip();		/* no huge pages in this kernel */
	assert_int_equal(ftruncate(fd, HUGE_BYTES), 0);
	p = map(fd, SMALL_BYTES);
	/* None is free on most machines; on all of them there is none of a file that ended. */
	assert_int_equal(ftruncate(fd, 0), 0);
	expect_lost(p, SMALL_BYTES);
	assert_int_equal(munmap(p, HUGE_BYTES), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truncated), cmocka_unit_test(test_part_of_huge),
	};

	return cmocka_run_group_tests_name("sigbus", tests, set_up, NULL);
}
