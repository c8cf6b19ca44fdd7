// SPDX-License-Identifier: GPL-2.0-or-later
/* rp-vhost-test: the kernel's vhost device, tested inside a VM. Prints TAP. */
#include <stdarg.h>
#include <stdio.h>

#include "vhost_test.h"

static unsigned int count, failed;

void ok(bool good, const char *fmt, ...)
{
	va_list ap;

	failed += !good;
	printf("%sok %u - ", good ? "" : "not ", ++count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

int main(void)
{
	test_work();
	test_counters();
	test_lost();
	test_observe();
	test_admin();
	test_migration();
	test_hostile();
	test_life();
	printf("1..%u\n", count);
	return failed != 0;
}
