// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Clients of ringpaced's control socket who steer by the page of a port's table, and what
 * orders and guests do to the table meanwhile.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <unistd.h>

#include "control_bed.h"

/* Who steers ("a", at the end of a link, has 4 pairs and a table of 16) and somebody else. */
static struct bed_conn *who, *other;
static struct rss_page *page;

static int set_up(void **state)
{
	bed_open();
	who = bed_connect();
	other = bed_connect();
	page = NULL;
	return 0;
}

static int tear_down(void **state)
{
	rss_page_close(page);
	bed_settle();
	bed_close();
	return 0;
}

/* The result of an order, which is ended here. */
static json_t *order(struct bed_conn *c, const char *args)
{
	char line[1024];
	json_t *v, *result;

	snprintf(line, sizeof(line), "{\"v\":1,\"id\":1,\"cmd\":\"rss\",\"device\":\"a\"%s}", args);
	bed_say(c, line);
	bed_run();
	v = bed_reply(c, c->replies - 1);
	result = json_incref(json_object_get(v, "result"));
	json_decref(v);
	return result;
}

static void do_order(struct bed_conn *c, const char *args)
{
	json_t *v = order(c, args);

	assert_non_null(v);
	json_decref(v);
}

static void get_page(u32 entries)
{
	json_t *v = order(who, ",\"brief\":true,\"page\":true");

	assert_int_equal(json_integer_value(json_object_get(v, "page")), RSS_PAGE_VERSION);
	assert_int_equal(json_object_size(v), 1);
	json_decref(v);
	rss_page_close(page);
	assert_null(rss_page_open(&page, who->fd, entries));
}

/* What anybody is told of an entry. */
static u32 pair_of(u32 entry)
{
	json_t *v = order(other, "");
	u32 pair = (u32)json_integer_value(json_array_get(json_object_get(v, "table"), entry));

	json_decref(v);
	return pair;
}

static bool write_entry(u32 entry, u16 pair)
{
	struct rss_fence f;

	rp_store(&page->pair[entry], pair);
	rss_fence(page, &f);
	assert_true(rss_passed(page, &f));
	return !rss_page_ended(page);
}

/* Packets that @pair of "a" has got, and so many frames are sent to it. */
static u64 got_by(u32 pair)
{
	return net_find(&bed_net, "a")->queue[2 * pair]->packets;
}

static void test_steers(void **state)
{
	u64 before, sum = 0;
	u32 i;

	get_page(16);
	for (i = 0; i < 16; i++)
		assert_true(write_entry(i, 2));
	before = got_by(2);
	for (i = 0; i < 4; i++)
		sum += got_by(i);
	net_bed_play(20, 1000);
	assert_true(got_by(2) > before);
	for (i = 0; i < 4; i++)
		sum -= got_by(i);
	/* Nothing went elsewhere. */
	assert_int_equal(before - got_by(2), sum);
	for (i = 0; i < 16; i++)
		assert_int_equal(pair_of(i), 2);
	/* Nonsense is somebody's, too. */
	assert_true(write_entry(3, 0xffff));
	net_bed_play(20, 1000);
	assert_int_equal(pair_of(3), 0xffff % 4);
}

/* Orders of others that name entries do not end it, and touch no other entry. */
static void test_others(void **state)
{
	get_page(16);
	assert_true(write_entry(1, 3));
	do_order(other, ",\"entry\":{\"2\":3,\"5\":0}");
	assert_int_equal(page->pair[1], 3);
	assert_int_equal(page->pair[2], 3);
	assert_int_equal(page->pair[5], 0);
	assert_true(write_entry(2, 1));
	assert_int_equal(pair_of(2), 1);
	/* A second client has the same. */
	do_order(other, ",\"page\":true");
	assert_int_equal(other->descriptors, 1);
	do_order(other, ",\"entry_mask\":{\"0\":\"f\"}");
	assert_int_equal(page->pair[3], 0);
	assert_int_equal(page->pair[4], 0);
	assert_int_equal(page->pair[6], 2);
	assert_false(rss_page_ended(page));
}

/* What has another hash is another table; what was written before is in it. */
static void test_ends(void **state)
{
	static const char *const orders[] = {
		",\"types\":[\"udpv4\"]", ",\"unclassified\":1", ",\"enabled\":false",
		",\"enabled\":true",
	};
	u32 i;

	for (i = 0; i < 3; i++) {
		get_page(16);
		assert_true(write_entry(i, 3));
		do_order(other, orders[i]);
		assert_true(rss_page_ended(page));
		assert_int_equal(pair_of(i), 3);
		/* Nobody looks at it any more. */
		assert_false(write_entry(i, 0));
		net_bed_play(8, 8);
		assert_int_equal(pair_of(i), 3);
	}
	/* Nothing to steer by: there is no page, and that is no error. */
	i = who->descriptors;
	do_order(who, ",\"page\":true");
	assert_int_equal(who->descriptors, i);
	do_order(other, orders[3]);
	get_page(16);
	assert_true(write_entry(4, 3));
	do_order(other, ",\"entries\":32");
	assert_true(rss_page_ended(page));
	get_page(32);
	assert_int_equal(page->pair[4], 0);
	assert_true(write_entry(31, 0));
	assert_int_equal(pair_of(31), 0);
}

/* What is written while an order is being read is neither lost nor undone by it. */
static void test_meanwhile(void **state)
{
	struct port *p = net_find(&bed_net, "a");
	struct rss_config c;

	get_page(16);
	c = *net_rss_config(p);
	c.pair[1] = 0;
	assert_true(write_entry(2, 0));
	assert_int_equal(net_rss_set(p, &c, true), 0);
	assert_false(rss_page_ended(page));
	assert_int_equal(pair_of(1), 0);
	assert_int_equal(pair_of(2), 0);
	c = *net_rss_config(p);
	c.unclassified = 1;
	assert_true(write_entry(3, 0));
	assert_int_equal(net_rss_set(p, &c, true), 0);
	assert_true(rss_page_ended(page));
	assert_int_equal(pair_of(2), 0);
	assert_int_equal(pair_of(3), 0);
	assert_int_equal(p->rss->made->table[3], 0);
}

/* A guest's table is another one; the host's is as it was left when that goes. */
static void test_guest(void **state)
{
	struct port *p = net_find(&bed_net, "a");
	struct rss_config guest;

	rss_default(&guest, 16, 2);
	get_page(16);
	assert_true(write_entry(2, 1));
	assert_int_equal(net_rss_guest(p, &guest), 0);
	assert_true(rss_page_ended(page));
	assert_int_equal(pair_of(2), 0);
	get_page(16);
	assert_true(write_entry(3, 3));
	assert_int_equal(pair_of(3), 3);
	/* The guest changes entries: its own alone. */
	guest.pair[5] = 0;
	assert_int_equal(net_rss_guest(p, &guest), 0);
	assert_false(rss_page_ended(page));
	assert_int_equal(page->pair[5], 0);
	/* It says all of them, also what was moved meanwhile. */
	assert_true(write_entry(7, 3));
	assert_int_equal(net_rss_guest(p, &guest), 0);
	assert_int_equal(page->pair[7], guest.pair[7]);
	assert_int_equal(pair_of(7), guest.pair[7]);
	assert_true(write_entry(3, 3));
	assert_int_equal(net_rss_guest(p, NULL), 0);
	assert_true(rss_page_ended(page));
	/* And the host's are as they were left. */
	assert_int_equal(pair_of(2), 1);
	assert_int_equal(pair_of(3), 3);
	assert_int_equal(pair_of(5), 1);
	assert_int_equal(pair_of(7), 3);
}

static void test_args(void **state)
{
	json_t *v = order(who, ",\"page\":1");

	assert_null(v);
	assert_string_equal(bed_code(who, who->replies - 1), "bad-value");
	/* Who asks for nothing gets nothing. */
	do_order(who, ",\"page\":false");
	assert_int_equal(who->descriptors, 0);
	/* Bad orders: no page is made of them. */
	assert_null(order(who, ",\"page\":true,\"entry\":{\"99\":0}"));
	assert_int_equal(who->descriptors, 0);
	assert_null(net_find(&bed_net, "a")->rss->made->page);
}

/* The table is set, and its page comes, by one order. */
static void test_both(void **state)
{
	json_t *v = order(who, ",\"page\":true,\"entries\":64,\"brief\":true");

	assert_int_equal(json_integer_value(json_object_get(v, "page")), RSS_PAGE_VERSION);
	json_decref(v);
	assert_null(rss_page_open(&page, who->fd, 64));
	/* Who has it keeps it, whatever becomes of the connection. */
	who->gone = true;
	bed_run();
	assert_true(write_entry(63, 0));
	assert_int_equal(pair_of(63), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_steers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_others, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ends, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_meanwhile, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_guest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_args, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_both, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
