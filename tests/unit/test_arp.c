// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of neighbours. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include <stdlib.h>

#include "net/arp.h"

#define NEIGHBOURS	250u

static u32 ip_of(u32 i)
{
	return htonl(0xc0a80101 + i);
}

/* All stations of a network have a place. */
static void test_network(void **state)
{
	struct arp_table *a = malloc(sizeof(*a));
	u8 mac[6] = { 2 };
	u32 i;

	assert_non_null(a);
	arp_init(a);
	for (i = 0; i < NEIGHBOURS; i++) {
		mac[5] = (u8)i;
		arp_learn(a, ip_of(i), mac, true, 1000);
	}
	for (i = 0; i < NEIGHBOURS; i++) {
		assert_int_equal(arp_find(a, ip_of(i), mac, 2000), ARP_KNOWN);
		assert_int_equal(mac[5], i);
	}
	free(a);
}

/* One caller asks, the others wait; an old entry is asked again, and used meanwhile. */
static void test_asking(void **state)
{
	struct arp_table *a = malloc(sizeof(*a));
	u8 mac[6] = { 2 };
	u64 now = ARP_ASK_NS;

	assert_non_null(a);
	arp_init(a);
	assert_int_equal(arp_find(a, ip_of(0), mac, now), ARP_ASK);
	assert_int_equal(arp_find(a, ip_of(0), mac, now + 1), ARP_WAIT);
	assert_int_equal(arp_find(a, ip_of(0), mac, now + ARP_ASK_NS), ARP_ASK);
	arp_learn(a, ip_of(0), mac, false, now);
	assert_int_equal(arp_find(a, ip_of(0), mac, now), ARP_KNOWN);
	now += ARP_FRESH_NS + 1;
	assert_int_equal(arp_find(a, ip_of(0), mac, now), ARP_KNOWN_ASK);
	assert_int_equal(arp_find(a, ip_of(0), mac, now), ARP_KNOWN);
	/* Who was not asked for is not learned. */
	arp_learn(a, ip_of(1), mac, false, now);
	assert_int_equal(arp_find(a, ip_of(1), mac, now), ARP_ASK);
	free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_asking),
	};

	return cmocka_run_group_tests_name("arp", tests, NULL, NULL);
}
