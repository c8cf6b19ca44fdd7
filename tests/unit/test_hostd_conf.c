// SPDX-License-Identifier: GPL-2.0-or-later
/* The host controller's file: what is taken, and what is said of what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "conf.h"
#include "cpulist.h"

static struct conf conf;
static char said[4096];

static void tell(void *ctx, const char *line)
{
	strncat(said, line, sizeof(said) - strlen(said) - 2);
	strcat(said, "\n");
}

static u32 parse(const char *text)
{
	said[0] = '\0';
	return conf_parse("f", text, strlen(text), &conf, tell, NULL);
}

static const char good[] =
	"cpus: 2-5,8\n"
	"ringpaced: /run/rp\n"
	"decide-ns: 50000000\n"
	"tenants:\n"
	"  - {name: web, class: latency, domain: vm1, ports: [a, b], bound-ns: 300000,\n"
	"     policy: consolidate, priority: 7, min-cores: 2, vcpus: hotplug, emulator: yes}\n"
	"  - {name: dp, class: latency, pidfile: /p, dataplane: /d, bound-ns: 1000, polls: yes}\n"
	"  - {name: job, class: batch, cgroup: /c, nic: up, nic-share: 3, nic-queues: [0, 63]}\n"
	"  - {name: j2, class: batch, cgroup: /d, nic: e0, nic-share: 1, nic-queues: [\"1:1f\"],\n"
	"     priority: 2, min-cores: 2, max-cores: 3}\n";

static void test_good(void **state)
{
	assert_int_equal(parse(good), 0);
	assert_string_equal(said, "");
	assert_int_equal(CPU_COUNT(&conf.cpus), 5);
	assert_true(CPU_ISSET(8, &conf.cpus));
	assert_int_equal(conf.decide_ns, 50000000);
	assert_int_equal(conf.metric_ns, 10000000);
	assert_int_equal(conf.tenants, 4);
	assert_string_equal(conf.tenant[0].port[1], "b");
	assert_int_equal(conf.tenant[0].policy, CONF_CONSOLIDATE);
	assert_int_equal(conf.tenant[0].vcpus, CONF_HOTPLUG);
	assert_int_equal(conf.tenant[0].min_cores, 2);
	assert_int_equal(conf.tenant[1].min_cores, 1);
	assert_true(conf.tenant[1].polls);
	assert_int_equal(conf.tenant[2].class, CONF_BATCH);
	assert_int_equal(conf.tenant[2].nic_share, 3);
	assert_int_equal(conf.tenant[2].nic_queues, 2);
	assert_int_equal(conf.tenant[2].nic_queue[1], 63);
	assert_int_equal(conf.tenant[3].nic_queue[0], 0x1001f);
	assert_int_equal(conf.tenant[3].max_cores, 3);
}

static void test_example(void **state)
{
	assert_int_equal(conf_read("host-ctl/hostd/ringpace-hostd.yaml", &conf, tell, NULL), 0);
	assert_true(conf.tenants >= 2);
	assert_int_equal(conf_read("/nonexistent", &conf, tell, NULL), 1);
}

#define TENANT	"cpus: 1\nringpaced: /r\ntenants:\n  - "

#define JOB	"{name: a, class: batch, pidfile: d"

static void test_bad(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "", "f:1: not a configuration" },
		{ "- a\n", "f:1: not a configuration" },
		{ "tenants: [\n", "f:2: not YAML" },
		{ "tenants: []\n", "f:1: cpus: missing" },
		{ "cpus: 1\ncpus: 2\n", "f:2: cpus: it was said before" },
		{ "cpus: 1\n---\ncpus: 2\n", "f:2: a second document" },
		{ "cpus: 1-\n", "f:1: cpus: not a list of CPUs" },
		{ "cpus: 3-1\n", "f:1: cpus: not a list of CPUs" },
		{ "cpus: 99999\n", "f:1: cpus: not a list of CPUs" },
		{ "cpus: 1\nmetrik-ns: 3\n", "f:2: \"metrik-ns\": unknown key: is it metric-ns?" },
		{ "cpus: 1\nmetric-ns: -3\n", "f:2: metric-ns: not a number in 1000000..1000000000" },
		{ "cpus: 1\nclocks: maybe\n", "f:2: clocks: none of no, yes, quota" },
		{ "cpus: 1\nclocks: no, yes\n", "f:2: clocks: none of no, yes, quota" },
		{ "clocks: quota\n" TENANT "{name: a, class: latency, pidfile: d, ports: [p], "
		  "bound-ns: 9999}\n", "say cgroup:, or clocks: no" },
		{ "cpus: 1\nsysfs: [a]\n", "f:2: sysfs: not a text" },
		{ "cpus: 1\ntenants: x\n", "f:2: tenants: not a list" },
		{ TENANT "x\n", "f:4: tenants: not an entry with a name" },
		{ TENANT "{class: batch}\n", "f:4: tenants: not an entry with a name" },
		{ TENANT "{name: a}\n", "f:4: tenants: a: class: missing" },
		{ TENANT "{name: a, class: latency}\n", "f:4: tenants: a: domain: missing" },
		{ TENANT "{name: a, class: batch, domain: d, pidfile: p}\n", "more than one" },
		{ TENANT "{name: a, class: latency, domain: d}\n", "bound-ns: missing" },
		{ TENANT "{name: a, class: latency, domain: d, bound-ns: 9999}\n",
		  "ports: missing" },
		{ TENANT "{name: a, class: batch, domain: d, bound-ns: 9999}\n",
		  "a batch tenant has none" },
		{ TENANT "{name: a, class: batch, pidfile: d, cpu-shares: 9}\n", "only of a domain" },
		{ TENANT "{name: a, class: batch, pidfile: d, cpu-quota-percent: 9}\n",
		  "only of a batch tenant" },
		{ TENANT "{name: a, class: latency, domain: d, bound-ns: 9999, ports: [p], "
		  "cpu-quota-percent: 9}\n", "only of a batch tenant" },
		{ TENANT JOB ", min-cores: 3, max-cores: 2}\n", "max-cores: less than min-cores" },
		{ TENANT "{name: a b, class: batch, pidfile: d}\n", "with a space" },
		{ TENANT "{name: a, class: batch, pidfile: d, port: x}\n", "is it ports?" },
		{ TENANT "{name: a, class: latency, pidfile: d, ports: [p], bound-ns: 9999, "
		  "min-cores: 3, max-cores: 2}\n", "max-cores: less than min-cores" },
		{ TENANT "{name: a, class: batch, pidfile: d}\n"
		  "  - {name: b, class: batch, pidfile: d}\n",
		  "f:5: tenants: b: pidfile: tenant a has the same" },
		{ TENANT JOB ", nic: up, nic-share: 101, nic-queues: [1]}\n", "not a number in 1..100" },
		{ TENANT JOB ", nic: up, nic-share: 1, nic-queues: [64]}\n", "not a list of queues" },
		{ TENANT JOB ", nic: up, nic-share: 1, nic-queues: [\"1:0\"]}\n", "of classes" },
		{ TENANT JOB ", nic: up, nic-share: 1, nic-queues: [\"1:2x\"]}\n", "of classes" },
		{ TENANT JOB ", nic: up, nic-share: 1, nic-queues: [1, 1]}\n", "one of them twice" },
		{ TENANT JOB ", nic: up, nic-share: 1, nic-queues: [1, \"1:2\"]}\n", "take one kind" },
		{ TENANT JOB ", nic: up, nic-share: 1}\n", "nic-queues: missing" },
		{ TENANT JOB ", nic: up, nic-queues: [1]}\n", "nic-share: missing" },
		{ TENANT JOB ", nic-share: 1, nic-queues: [1]}\n", "nic: missing" },
		{ TENANT JOB ", nic: up, nic-share: 1, nic-queues: [1, 2]}\n"
		  "  - {name: b, class: batch, pidfile: e, nic: up, nic-share: 1, nic-queues: [2]}\n",
		  "f:5: tenants: b: nic-queues: tenant a has the same" },
		{ "cpus: 1\ntenants: [{name: a, class: latency, pidfile: d, ports: [p], "
		  "bound-ns: 9999}]\n", "ringpaced: is missing" },
		{ TENANT "{name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, class: batch}\n",
		  "name: too long" },
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (!parse(bad[i].text) || !strstr(said, bad[i].says))
			fail_msg("%s\nsays: %s", bad[i].text, said);
		assert_int_equal(strncmp(said, "f:", 2), 0);
	}
}

static void test_cpulist(void **state)
{
	char text[CPULIST_TEXT];
	cpu_set_t set;

	assert_true(cpulist_parse("0-2,5,7-8\n", &set));
	cpulist_print(&set, text);
	assert_string_equal(text, "0-2,5,7-8");
	assert_true(cpulist_parse("", &set));
	assert_int_equal(CPU_COUNT(&set), 0);
	assert_false(cpulist_parse("1,,2", &set));
	assert_false(cpulist_parse("1 2", &set));
	assert_false(cpulist_parse(",1", &set));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good), cmocka_unit_test(test_example),
		cmocka_unit_test(test_bad), cmocka_unit_test(test_cpulist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
