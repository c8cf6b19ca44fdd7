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
#include "../../vhost/daemon/net/net.h"
#include "../../vhost/daemon/worker.h"

static struct net_options options;
static struct net net;
static struct devices devices = { .net = &net };

typedef const char *parser(char *arg, struct net_options *o);

static const char *parse(parser *p, const char *text)
{
	/* Sockets' paths point into the argument: it stays. */
	static char kept[32][80];
	static u32 count;

	assert_true(count < 32 && strlen(text) < sizeof(kept[0]));
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
	refused(net_parse_port, "c", "socket=PATH is missing");
	refused(net_parse_port, "a,socket=/z", "taken");
	refused(net_parse_port, "c,socket=/z,pairs=65", "pairs");
	refused(net_parse_port, "c,socket=/z,mtu=67", "mtu");
	refused(net_parse_port, "c,socket=/z,strategy=fast", "strategy");
	refused(net_parse_port, "c,socket=/z,dmax-ns=0", "dmax");
	refused(net_parse_port, "c,socket=/z,burst=65", "burst");
	refused(net_parse_port, "c,socket=/z,colour=1", "unknown key");
	refused(net_parse_port, "c d,socket=/z", "name");
	refused(net_parse_link, "a,c", "no such port");
	refused(net_parse_link, "a,a", "another port");
	assert_null(parse(net_parse_link, "a,b"));
	refused(net_parse_link, "b,a", "one link");
	refused(net_parse_pacers, "x0", "1..64");
	refused(net_parse_pacers, "100000", "CPUs");
	assert_null(parse(net_parse_pacers, "x2"));
	assert_int_equal(options.pacer_count, 2);
	assert_int_equal(options.port_count, 2);
}

static json_t *ask(const char *line, bool good)
{
	char *text = control_handle(&devices, line, strlen(line));
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

static void test_orders(void **state)
{
	json_t *v, *a;

	assert_int_equal(net_init(&net, &options, 2000000000), 0);
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
	refuse("{\"v\":1,\"cmd\":\"stats\",\"device\":\"a\",\"queue\":16}", "bad-value");
	refuse("{\"v\":1,\"cmd\":\"stats\",\"device\":\"c\",\"queue\":0}", "no-device");
	refuse("{\"v\":1,\"cmd\":\"set\",\"device\":\"a\",\"w_ns\":5}", "unknown-key");
	refuse("{\"v\":1,\"cmd\":\"set\",\"device\":\"a\",\"burst\":65}", "bad-value");
	refuse("{\"v\":1,\"cmd\":\"set\",\"device\":\"a\",\"dmax_ns\":0}", "bad-value");
	refuse("{\"v\":1,\"cmd\":\"move\",\"device\":\"a\",\"pair\":8,\"pacer\":0}", "bad-value");
	refuse("{\"v\":1,\"cmd\":\"move\",\"device\":\"a\",\"pair\":0,\"pacer\":2}", "bad-value");
	refuse("{\"v\":1,\"cmd\":\"move\",\"device\":\"c\",\"pair\":0,\"pacer\":0}", "no-device");
	net_fini(&net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_orders),
	};

	worker_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
