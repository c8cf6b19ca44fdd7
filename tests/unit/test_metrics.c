// SPDX-License-Identifier: GPL-2.0-or-later
/* Metrics as text: labels, values, limits, and where they may be served. */
#include "metrics/families.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "metrics/address.h"
#include "metrics/labels.h"
#include "metrics/metrics.h"
#include "net/net.h"
#include "worker.h"

static void test_labels(void **state)
{
	char text[32] = "";

	labels_add(text, sizeof(text), "a", "b\\c\"d\ne");
	assert_string_equal(text, "a=\"b\\\\c\\\"d\\ne\"");
	labels_add(text, sizeof(text), "f", "");
	assert_string_equal(text, "a=\"b\\\\c\\\"d\\ne\",f=\"\"");
}

/* Of every room: the label is there whole, or not at all. */
static void test_labels_do_not_fit(void **state)
{
	static const char whole[] = "x=\"1\",name=\"\\\"v\\\\\"";
	char text[64];
	size_t room;

	for (room = sizeof("x=\"1\""); room < sizeof(text); room++) {
		memset(text, '#', sizeof(text));
		strcpy(text, "x=\"1\"");
		labels_add(text, room, "name", "\"v\\");
		assert_string_equal(text, room < sizeof(whole) ? "x=\"1\"" : whole);
		assert_true(room == sizeof(text) || text[room] == '#');
	}
}

static const char *address(const char *text, struct metrics_address *a)
{
	static char copy[64];

	return metrics_parse_address(strcpy(copy, text), a);
}

static void test_addresses(void **state)
{
	static const char *const bad[] = { "", ":", ":80", "unix:", "127.0.0.1", "127.0.0.1:",
		"127.0.0.1:0", "127.0.0.1:65536", "127.1:80", "::1:80", "[::1:80", "[::1]", "[]:80",
		"[:80", "host:80", "127.0.0.1:80x", "]:80" };
	struct metrics_address a;
	u32 i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (!address(bad[i], &a))
			fail_msg("\"%s\" is taken", bad[i]);
	assert_null(address("unix:/x:y", &a));
	assert_string_equal(a.unix_path, "/x:y");
	assert_null(address("localhost:80", &a));
	assert_true(a.loopback);
	assert_null(address("127.255.0.1:80", &a));
	assert_true(a.loopback);
	assert_null(address("[::1]:80", &a));
	assert_true(a.loopback);
	assert_null(address("0.0.0.0:80", &a));
	assert_false(a.loopback);
	assert_null(address("[::ffff:127.0.0.1]:80", &a));
	assert_false(a.loopback);
}

/* ---- Ports without guests ---- */

static struct net_options options;
static struct net net;
static struct devices devices = { .net = &net };

static void make_ports(u32 ports, const char *more)
{
	static char arg[64][80];
	u32 i;

	memset(&options, 0, sizeof(options));
	options.cpu[0] = -1;
	options.pacer_count = 1;
	for (i = 0; i < ports; i++) {
		snprintf(arg[i], sizeof(arg[i]), "p%u,socket=/x%s", i, more);
		assert_null(net_parse_port(arg[i], &options));
	}
	assert_int_equal(net_init(&net, &options, 2000000000), 0);
}

static char *text_of(enum metrics_format format)
{
	size_t bytes;
	char *text = metrics_text(&devices, format, &bytes);

	assert_non_null(text);
	assert_int_equal(bytes, strlen(text));
	return text;
}

static void has(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("there is no \"%s\" in:\n%s", line, text);
}

static void test_text(void **state)
{
	struct port_queue *q;
	char *text;

	make_ports(1, "");
	q = net.port[0]->queue[1];
	q->packets = 12345678901234567890ull;
	q->dropped[DROP_FULL] = 7;
	text = text_of(METRICS_OPEN);
	has(text, "\n# HELP ringpace_packets Packets that");
	has(text, "\n# TYPE ringpace_packets counter\nringpace_packets_total{device=\"p0\","
		  "queue=\"1\",dir=\"tx\",backend=\"vhost-user\"} 12345678901234567890\n");
	has(text, "\",reason=\"full\"} 7\n");
	has(text, "\n# UNIT ringpace_bytes bytes\n");
	has(text, "\nringpace_build_info{version=\"");
	has(text, "\nringpace_queues_omitted 0\n");
	/* RX of a port that nobody has used, and what has no value. */
	assert_null(strstr(text, "queue=\"0\""));
	assert_null(strstr(text, "ringpace_dmax_seconds{"));
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
	free(text);
	text = text_of(METRICS_CLASSIC);
	has(text, "\n# TYPE ringpace_packets_total counter\n");
	has(text, "# TYPE ringpace_build_info gauge\n");
	has(text, "\n# TYPE ringpace_mode gauge\n");
	assert_null(strstr(text, "# UNIT"));
	assert_null(strstr(text, "# EOF"));
	free(text);
	net_fini(&net);
}

static u32 count(const char *text, const char *what)
{
	u32 n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

static void test_many_queues(void **state)
{
	u32 i, k;
	char *text;

	make_ports(20, ",pairs=64");
	for (i = 0; i < 20; i++)
		for (k = 0; k < 128; k++)
			net.port[i]->queue[k]->packets = 1;
	text = text_of(METRICS_OPEN);
	assert_int_equal(count(text, "\nringpace_packets_total{"), METRICS_QUEUES_MAX);
	has(text, "\nringpace_queues_omitted 1536\n");
	free(text);
	net_fini(&net);
}

/* What the standard asks of names, in the table. */
static void test_families(void **state)
{
	u32 i, k;

	for (i = 0; i < family_count; i++) {
		const struct family *f = &families[i];
		size_t n = strlen(f->name), unit = f->unit ? strlen(f->unit) : 0;

		assert_int_equal(strspn(f->name, "abcdefghijklmnopqrstuvwxyz0123456789_"), n);
		assert_true(!unit || (n > unit + 1 && f->name[n - unit - 1] == '_' &&
				      !strcmp(f->name + n - unit, f->unit)));
		assert_null(strstr(f->name, "_total"));
		assert_null(strpbrk(f->help, "\\\n\""));
		assert_true(f->type != FAMILY_STATESET || !strcmp(f->label, f->name));
		for (k = 0; k < i; k++)
			assert_string_not_equal(f->name, families[k].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_labels_do_not_fit),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_many_queues),
		cmocka_unit_test(test_families),
	};

	worker_setup();
	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
