// SPDX-License-Identifier: GPL-2.0-or-later
/* Ports without guests: options, and orders about them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>

#include "../../vhost/daemon/control.h"
#include "../../vhost/daemon/net/net_switch.h"
#include "../../vhost/daemon/worker.h"

static struct net_options options;
static struct net net;
static struct devices devices = { .net = &net };

typedef const char *parser(char *arg, struct net_options *o);

static const char *parse(parser *p, const char *text)
{
	/* Sockets' paths point into the argument: it stays. */
	static char kept[80][80];
	static u32 count;

	assert_true(count < 80 && strlen(text) < sizeof(kept[0]));
	return p(strcpy(kept[count++], text), &options);
}

static void refused(parser *p, const char *text, const char *why)
{
	const char *got = parse(p, text);

	assert_non_null(got);
	if (!strstr(got, why))
		fail_msg("%s: refused with \"%s\"", text, got);
}

static void test_options(void **state)
{
	memset(&options, 0, sizeof(options));
	assert_null(parse(net_parse_port, "a,socket=/x,pairs=8,mtu=9000,dmax-ns=50000"));
	assert_null(parse(net_parse_port, "b,socket=/y,strategy=sleep,y-ns=1000,burst=1,full-ms=0"));
	assert_int_equal(options.port[0].pacing.strategy, RP_ADAPTIVE);
	assert_int_equal(options.port[0].pacing.full_ns, 100000000);
	assert_int_equal(options.port[1].pacing.full_ns, 0);
	refused(net_parse_port, "c", "socket=PATH, tap=NAME or nic=NAME is missing");
	refused(net_parse_port, "c,tap=a23456789012345x", "1 to 15");
	refused(net_parse_port, "c,tap=t0,socket=/z", "one socket, or one tap");
	refused(net_parse_port, "c,tap=t0,mtu=1500", "mtu");
	refused(net_parse_port, "a,socket=/z", "taken");
	refused(net_parse_port, "c,socket=/z,pairs=65", "pairs");
	refused(net_parse_port, "c,socket=/z,mtu=67", "mtu");
	refused(net_parse_port, "c,socket=/z,strategy=fast", "strategy");
	refused(net_parse_port, "c,socket=/z,dmax-ns=0", "dmax");
	refused(net_parse_port, "c,socket=/z,burst=65", "burst");
	refused(net_parse_port, "c,socket=/z,rate-pps=1000000001", "rate-pps");
	refused(net_parse_port, "c,socket=/z,burst-bytes=5", "there is no rate-bps");
	refused(net_parse_port, "c,socket=/z,colour=1", "unknown key");
	refused(net_parse_port, "c,socket=/z,pacer=64", "pacer");
	refused(net_parse_port, "c,socket=/z,pacer=1+x", "pacer");
	refused(net_parse_port, "c,socket=/z,pacer=", "pacer");
	refused(net_parse_port, "c d,socket=/z", "name");
	refused(net_parse_link, "a,c", "no such port");
	refused(net_parse_link, "a,a", "another port");
	assert_null(parse(net_parse_link, "a,b"));
	refused(net_parse_link, "b,a", "one link");
	assert_null(parse(net_parse_port, "c,socket=/z,vlan=10,macs=5"));
	assert_null(parse(net_parse_port, "d,socket=/w,trunk=10+20-30,vlan=5,full-ms=7"));
	assert_null(parse(net_parse_port, "e,socket=/v"));
	refused(net_parse_port, "f,socket=/u,vlan=0", "vlan");
	refused(net_parse_port, "f,socket=/u,trunk=4095", "trunk");
	refused(net_parse_port, "f,socket=/u,vlan=7,trunk=5-9", "either untagged or tagged");
	refused(net_parse_port, "f,socket=/u,macs=0", "macs");
	refused(net_parse_port, "f,socket=/u,rss=0", "power of two");
	refused(net_parse_port, "f,socket=/u,rss=96", "power of two");
	refused(net_parse_port, "f,socket=/u,rss=1024", "power of two");
	refused(net_parse_switch, "s,ports=c", "two ports");
}

static void test_switch_options(void **state)
{
	const char *who;

	options.port[2].in_switch = false;	/* of the one that was refused */
	assert_string_equal(net_check(&options, &who),
			    "vlan, trunk and macs are for a port that is in a switch");
	assert_string_equal(who, "c");
	refused(net_parse_switch, "s,ports=a+c", "one link");
	refused(net_parse_switch, "s,ports=c+x", "no such port");
	options.port[2].in_switch = false;
	refused(net_parse_switch, "s,age-s=0,ports=c+d", "age-s");
	refused(net_parse_switch, "s,colour=1", "unknown key");
	assert_null(parse(net_parse_switch, "s,ports=c+d+e,age-s=60,pacer=1"));
	refused(net_parse_switch, "s,ports=a+b", "taken");
	refused(net_parse_link, "a,c", "in one switch");
	assert_int_equal(options.port[2].vlan.untagged, 10);
	assert_int_equal(options.port[2].pacing.full_ns, 1000000);
	assert_int_equal(options.port[3].vlan.untagged, 5);
	assert_int_equal(options.port[3].pacing.full_ns, 7000000);
	assert_int_equal(options.port[4].vlan.untagged, 1);
	options.pacer_count = 1;
	assert_string_equal(net_check(&options, &who), "pacer: there is no such pacer");
	assert_string_equal(who, "s");
	refused(net_parse_pacers, "x0", "1..64");
	refused(net_parse_pacers, "100000", "CPUs");
	assert_null(parse(net_parse_pacers, "x2"));
	assert_int_equal(options.pacer_count, 2);
	assert_int_equal(options.port_count, 5);
	assert_null(net_check(&options, &who));
	options.port[2].pacers = 2;
	options.port[2].pacer[1] = 2;
	assert_string_equal(net_check(&options, &who), "pacer: there is no such pacer");
	assert_string_equal(who, "c");
	options.port[2].pacers = 0;
	refused(net_parse_switch, "t,pacer=0+x", "pacer");
	refused(net_parse_switch, "t,pacer=64", "pacer");
	assert_null(parse(net_parse_port, "f,socket=/t,pairs=3,pacer=1+0"));
	assert_null(parse(net_parse_port, "g,socket=/s,pacer=2"));
	assert_string_equal(net_check(&options, &who), "pacer: there is no such pacer");
	assert_string_equal(who, "g");
	options.port_count--;
}

static json_t *ask(const char *line, bool good)
{
	char *text = control_answer(&devices, NULL, line, strlen(line));
	json_t *o = json_loads(text, 0, NULL), *v;

	if (json_is_true(json_object_get(o, "ok")) != good)
		fail_msg("%s: %s", line, text);
	free(text);
	v = json_incref(json_object_get(o, good ? "result" : "error"));
	json_decref(o);
	return v;
}

static void refuse(const char *line, const char *code)
{
	json_t *v = ask(line, false);

	assert_string_equal(json_string_value(json_object_get(v, "code")), code);
	json_decref(v);
}

/* @count pacers, from @first on, have the switch's pairs. */
static void pacers_are(const json_t *s, int first, u32 count)
{
	const json_t *pacers = json_object_get(s, "pacers"), *v;
	size_t i;

	assert_int_equal(json_array_size(pacers), count);
	json_array_foreach(pacers, i, v)
		assert_int_equal(json_integer_value(v), first + (int)i);
}

static void test_switch_orders(void)
{
	json_t *v = ask("{\"v\":1,\"cmd\":\"list\"}", true), *s, *p;

	s = json_array_get(json_object_get(v, "switches"), 0);
	assert_string_equal(json_string_value(json_object_get(s, "switch")), "s");
	assert_int_equal(json_integer_value(json_object_get(s, "age_ns")), 60000000000);
	pacers_are(s, 1, 1);
	p = json_array_get(json_object_get(s, "ports"), 1);
	assert_string_equal(json_string_value(json_object_get(p, "port")), "d");
	assert_string_equal(json_string_value(json_object_get(p, "trunk")), "10+20-30");
	assert_int_equal(json_integer_value(json_object_get(p, "vlan")), 5);
	json_decref(v);
	json_decref(ask("{\"v\":1,\"cmd\":\"move\",\"device\":\"c\",\"pair\":0,\"pacer\":0}", true));
	v = ask("{\"v\":1,\"cmd\":\"list\"}", true);
	pacers_are(json_array_get(json_object_get(v, "switches"), 0), 0, 2);
	json_decref(v);
	v = ask("{\"v\":1,\"cmd\":\"macs\",\"switch\":\"s\"}", true);
	assert_int_equal(json_array_size(json_object_get(v, "macs")), 0);
	json_decref(v);
	v = ask("{\"v\":1,\"cmd\":\"flush\",\"switch\":\"s\",\"device\":\"d\",\"vlan\":20}", true);
	assert_int_equal(json_integer_value(json_object_get(v, "flushed")), 0);
	json_decref(v);
	refuse("{\"v\":1,\"cmd\":\"macs\",\"switch\":\"t\"}", "no-switch");
	refuse("{\"v\":1,\"cmd\":\"macs\"}", "bad-value");
	refuse("{\"v\":1,\"cmd\":\"flush\",\"switch\":\"s\",\"device\":\"a\"}", "no-device");
	refuse("{\"v\":1,\"cmd\":\"flush\",\"switch\":\"s\",\"vlan\":4095}", "bad-value");
}

/* Of ports without guests: what came, and that nobody knows what waits. */
static void test_backlog_order(void)
{
	json_t *v = ask("{\"v\":1,\"cmd\":\"backlog\",\"devices\":[\"d\",\"none\",\"c\"]}", true);
	json_t *ports = json_object_get(v, "ports"), *rx;

	assert_int_equal(json_array_size(ports), 3);
	assert_string_equal(json_string_value(json_object_get(json_array_get(ports, 0), "device")), "d");
	assert_true(json_is_null(json_array_get(ports, 1)));
	rx = json_array_get(json_object_get(json_array_get(ports, 2), "rx"), 0);
	assert_true(json_is_null(json_array_get(rx, 0)));
	assert_int_equal(json_integer_value(json_array_get(rx, 1)), 0);
	json_decref(v);
	v = ask("{\"v\":1,\"cmd\":\"backlog\"}", true);
	assert_int_equal(json_array_size(json_object_get(v, "ports")), net.port_count);
	json_decref(v);
	refuse("{\"v\":1,\"cmd\":\"backlog\",\"devices\":\"d\"}", "bad-value");
	refuse("{\"v\":1,\"cmd\":\"backlog\",\"devices\":[1]}", "bad-value");
}

static void rss_refused(const char *args)
{
	char line[300];

	snprintf(line, sizeof(line), "{\"v\":1,\"cmd\":\"rss\",\"device\":\"a\",%s}", args);
	refuse(line, "bad-value");
}

static const char *pair_of(const json_t *v, u32 entry)
{
	static char text[12];

	snprintf(text, sizeof(text), "%d",
		 (int)json_integer_value(json_array_get(json_object_get(v, "table"), entry)));
	return text;
}

static void test_rss_orders(void)
{
	json_t *v = ask("{\"v\":1,\"cmd\":\"rss\",\"device\":\"a\"}", true);

	assert_true(json_is_false(json_object_get(v, "enabled")));
	assert_int_equal(json_array_size(json_object_get(v, "table")), 128);
	assert_int_equal(json_array_size(json_object_get(v, "packets")), 128);
	assert_string_equal(pair_of(v, 9), "1");
	json_decref(v);
	v = ask("{\"v\":1,\"cmd\":\"rss\",\"device\":\"a\",\"enabled\":true,\"entries\":256,"
		"\"entry\":{\"255\":2,\"0\":5},\"types\":[\"ipv4\",\"tcpv6\"],\"unclassified\":7}", true);
	assert_true(json_is_true(json_object_get(v, "enabled")));
	assert_string_equal(json_string_value(json_object_get(v, "set_by")), "host");
	assert_int_equal(json_array_size(json_object_get(v, "table")), 256);
	assert_string_equal(pair_of(v, 255), "2");
	assert_string_equal(pair_of(v, 0), "5");
	assert_string_equal(pair_of(v, 1), "1");
	assert_int_equal(json_array_size(json_object_get(v, "types")), 2);
	assert_int_equal(json_integer_value(json_object_get(v, "unclassified")), 7);
	json_decref(v);
	/* One bad value, and nothing is set. */
	rss_refused("\"entry\":{\"0\":1,\"256\":0}");
	rss_refused("\"entry\":{\"0\":8}");
	rss_refused("\"entry\":{\"-1\":0}");
	rss_refused("\"entry\":{\"\":0}");
	rss_refused("\"entry\":[0]");
	rss_refused("\"table\":[0,1,2]");
	rss_refused("\"table\":[]");
	rss_refused("\"table\":[0,8]");
	rss_refused("\"table\":[0,\"1\"]");
	rss_refused("\"table\":[0,1],\"entries\":2");
	rss_refused("\"entries\":100");
	rss_refused("\"key\":\"00\"");
	rss_refused("\"key\":5");
	rss_refused("\"types\":[\"ipv5\"]");
	rss_refused("\"types\":[4]");
	rss_refused("\"types\":\"ipv4\"");
	rss_refused("\"unclassified\":8");
	rss_refused("\"enabled\":1");
	v = ask("{\"v\":1,\"cmd\":\"rss\",\"device\":\"a\",\"table\":[3,4]}", true);
	assert_int_equal(json_array_size(json_object_get(v, "packets")), 2);
	assert_string_equal(pair_of(v, 1), "4");
	assert_int_equal(json_array_size(json_object_get(v, "types")), 2);
	json_decref(v);
	refuse("{\"v\":1,\"cmd\":\"rss\",\"device\":\"z\"}", "no-device");
	refuse("{\"v\":1,\"cmd\":\"rss\"}", "bad-value");
	json_decref(ask("{\"v\":1,\"cmd\":\"rss\",\"device\":\"c\",\"enabled\":true}", true));
}

static void test_places(void)
{
	static const u32 where[] = { 1, 0, 1 };
	struct port *p = net_find(&net, "f");
	struct port_options other = p->opt;
	u32 i;

	for (i = 0; i < 3; i++)
		assert_int_equal(p->flow[i].pacer, where[i]);
	assert_int_equal(net_move(p, 1, 1), 0);
	other.pacers = 0;
	net_place(p, &other);
	assert_int_equal(p->flow[1].pacer, 1);
	other.pacers = 1;
	other.pacer[0] = 0;
	net_place(p, &other);
	for (i = 0; i < 3; i++)
		assert_int_equal(p->flow[i].pacer, 0);
}

/* In a switch pairs are its pacers' in turn, port by port, but of ports that name their own. */
static void test_switch_places(void)
{
	static const u32 where[] = { 1, 0, 1 }, own[] = { 1, 1, 0 };
	struct switch_options o = options.sw[0];
	struct port *d = net_find(&net, "d");
	struct port_options none;
	u32 i;

	o.pacers = 2;
	o.pacer[0] = 1;
	o.pacer[1] = 0;
	net_switch_place(net.sw[0], &o);
	for (i = 0; i < 3; i++)
		assert_int_equal(net.sw[0]->port[i]->flow[0].pacer, where[i]);
	d->opt.pacers = 1;
	d->opt.pacer[0] = 1;
	net_switch_place(net.sw[0], &o);
	for (i = 0; i < 3; i++)
		assert_int_equal(net.sw[0]->port[i]->flow[0].pacer, own[i]);
	none = d->opt;
	none.pacers = 0;
	net_place(d, &none);
	assert_int_equal(d->flow[0].pacer, where[1]);
}

static void test_orders(void **state)
{
	json_t *v, *a;

	assert_int_equal(net_init(&net, &options, 2000000000), 0);
	test_places();
	v = ask("{\"v\":1,\"cmd\":\"list\"}", true);
	assert_int_equal(json_array_size(json_object_get(v, "devices")), 0);
	assert_int_equal(json_array_size(json_object_get(v, "pacers")), 2);
	a = json_array_get(json_object_get(v, "ports"), 0);
	assert_string_equal(json_string_value(json_object_get(a, "peer")), "b");
	assert_true(json_is_false(json_object_get(a, "connected")));
	assert_int_equal(json_array_size(json_object_get(a, "queues")), 16);
	json_decref(v);
	v = ask("{\"v\":1,\"cmd\":\"stats\",\"device\":\"a\",\"queue\":15}", true);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(v, "stats"),
							    "packets")), 0);
	json_decref(v);
	v = ask("{\"v\":1,\"cmd\":\"set\",\"device\":\"b\",\"strategy\":\"busy\",\"burst\":8}", true);
	a = json_object_get(v, "pacing");
	assert_string_equal(json_string_value(json_object_get(a, "strategy")), "busy");
	assert_int_equal(json_integer_value(json_object_get(a, "burst")), 8);
	json_decref(v);
	json_decref(ask("{\"v\":1,\"cmd\":\"move\",\"device\":\"a\",\"pair\":7,\"pacer\":1}", true));
	v = ask("{\"v\":1,\"cmd\":\"set\",\"device\":\"a\",\"rate_pps\":1000,\"burst_packets\":5}", true);
	a = json_object_get(v, "limit");
	assert_int_equal(json_integer_value(json_object_get(a, "rate_pps")), 1000);
	assert_int_equal(json_integer_value(json_object_get(a, "burst_packets")), 5);
	assert_int_equal(json_integer_value(json_object_get(a, "rate_bps")), 0);
	json_decref(v);
	refuse("{\"v\":1,\"cmd\":\"set\",\"device\":\"a\",\"rate_pps\":0}", "bad-value");
	refuse("{\"v\":1,\"cmd\":\"set\",\"device\":\"a\",\"rate_bps\":-1}", "bad-value");
	refuse("{\"v\":1,\"cmd\":\"set\",\"device\":\"a\",\"burst_bytes\":9}", "bad-value");
	refuse("{\"v\":1,\"cmd\":\"stats\",\"device\":\"a\",\"queue\":16}", "bad-value");
	refuse("{\"v\":1,\"cmd\":\"stats\",\"device\":\"z\",\"queue\":0}", "no-device");
	refuse("{\"v\":1,\"cmd\":\"set\",\"device\":\"a\",\"w_ns\":5}", "unknown-key");
	refuse("{\"v\":1,\"cmd\":\"set\",\"device\":\"a\",\"burst\":65}", "bad-value");
	refuse("{\"v\":1,\"cmd\":\"set\",\"device\":\"a\",\"dmax_ns\":0}", "bad-value");
	refuse("{\"v\":1,\"cmd\":\"move\",\"device\":\"a\",\"pair\":8,\"pacer\":0}", "bad-value");
	refuse("{\"v\":1,\"cmd\":\"move\",\"device\":\"a\",\"pair\":0,\"pacer\":2}", "bad-value");
	refuse("{\"v\":1,\"cmd\":\"move\",\"device\":\"z\",\"pair\":0,\"pacer\":0}", "no-device");
	test_switch_orders();
	test_backlog_order();
	test_rss_orders();
	test_switch_places();
	net_fini(&net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_switch_options),
		cmocka_unit_test(test_orders),
	};

	worker_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
