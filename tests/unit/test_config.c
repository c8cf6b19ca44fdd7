// SPDX-License-Identifier: GPL-2.0-or-later
/* Configuration files of ringpaced: what they say, and what is told of bad ones. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../vhost/daemon/config.h"
#include "../../vhost/daemon/optval.h"
#include "../../vhost/daemon/worker.h"

static char told[16][512];
static u32 told_count;

static void tell(void *ctx, const char *line)
{
	assert_true(told_count < 16);
	snprintf(told[told_count++], sizeof(told[0]), "%s", line);
}

/* As if --config was said. */
static struct options *parse(const char *text, u32 errors)
{
	struct options *o = options_new();
	u32 n;

	o->config = "f";
	told_count = 0;
	n = config_parse("f", text, strlen(text), o, tell, NULL);
	if (n != errors)
		fail_msg("%u errors instead of %u, first \"%s\" in\n%s", n, errors,
			 n ? told[0] : "", text);
	assert_int_equal(n, told_count);
	return o;
}

static void refused(const char *text, const char *line)
{
	options_free(parse(text, 1));
	if (strncmp(told[0], line, strlen(line)))
		fail_msg("\"%s\" instead of \"%s\"", told[0], line);
}

static const char good[] =
	"# everything that there is\n"
	"control: /run/c\n"
	"devices:\n"
	"  - {name: pc0, socket: /run/pc0, pairs: 2, item-bytes: 128}\n"
	"links: [[a, b]]\n"
	"ports:\n"
	"  - name: a\n"
	"    socket: /run/a\n"
	"    pairs: 4\n"
	"    dmax-ns: 50000\n"
	"  - {name: b, tap: tap0, strategy: sleep, y-ns: 1000, burst: 8}\n"
	"  - {name: c, socket: /run/c0, trunk: [10, 20-22], macs: 5}\n"
	"  - {name: d, socket: \"/run/d=0\", vlan: 7, full-ms: 3}\n"
	"pacers: x3\n"
	"switches:\n"
	"  - {name: s, ports: [c, d], age-s: 60, pacer: 2}\n"
	"state: /var/s\n"
	"log-level: debug\n"
	"log-rate: 5\n"
	"seccomp: log\n"
	"group: root\n"
	"user: root\n";

static void test_good(void **state)
{
	struct options *o = parse(good, 0);

	assert_int_equal(o->dev_count, 1);
	assert_string_equal(o->dev[0].socket, "/run/pc0");
	assert_int_equal(o->dev[0].item_bytes, 128);
	assert_int_equal(o->net.port_count, 4);
	assert_string_equal(o->net.port[0].name, "a");
	assert_int_equal(o->net.port[0].pairs, 4);
	assert_int_equal(o->net.port[0].pacing.dmax_ns, 50000);
	assert_int_equal(o->net.port[1].pacing.burst, 8);
	assert_true(vlan_allowed(&o->net.port[2].vlan, 21));
	assert_false(vlan_allowed(&o->net.port[2].vlan, 23));
	assert_string_equal(o->net.port[3].address, "/run/d=0");
	assert_int_equal(o->net.link_count, 1);
	assert_int_equal(o->net.link[0][1], 1);
	assert_int_equal(o->net.sw[0].pacers, 1);
	assert_int_equal(o->net.sw[0].pacer[0], 2);
	assert_int_equal(o->net.pacer_count, 3);
	assert_string_equal(o->control, "/run/c");
	assert_string_equal(o->state, "/var/s");
	assert_int_equal(o->log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(o->log_rate, 5);
	assert_int_equal(o->seccomp, SANDBOX_LOG);
	assert_int_equal(o->gid, 0);
	options_free(o);
}

static void test_empty(void **state)
{
	options_free(parse("", 0));
	options_free(parse("# nothing\n", 0));
	options_free(parse("ports: []\n", 0));
}

static void test_shape(void **state)
{
	refused("ports: [", "f:2: not YAML: ");
	refused("a\n", "f:1: not a configuration: ");
	refused("- a\n", "f:1: not a configuration: ");
	refused("ports: a\n", "f:1: ports: not a list");
	refused("ports:\n  - a\n", "f:2: ports: not an entry with a name: ");
	refused("ports:\n  - {socket: /a}\n", "f:2: ports: not an entry with a name: ");
	refused("ports:\n  - {name: a,socket: {b: c}}\n", "f:2: ports: a: socket: neither a text ");
	refused("ports:\n  - name: a\n    socket: \"/a,pairs=3\"\n", "f:3: ports: a: socket: ");
	refused("ports:\n  - name: a\n    socket: [\"/a,pairs=3\"]\n", "f:3: ports: a: socket: ");
	refused("ports:\n  - name: a\n    \"socket=/a,pairs\": 3\n", "f:3: ports: a: socket=/a,");
	refused("ports:\n  - {name: \"a,socket=/a\"}\n", "f:2: ports: not an entry with a name");
	refused("state: \"a\\0b\"\n", "f:1: state: not a text");
	refused("state: [a]\n", "f:1: state: not a text");
	refused("state: a\n--- {}\n", "f:2: a second document");
	refused("state: a\ncontrol: b\nstate: c\n", "f:3: state: it was said before");
	refused("ports:\n  - name: a\n    socket: /a\n    socket: /b\n",
		"f:4: ports: a: socket: it was said before");
	refused("links: [{a: b}]\n", "f:1: links: not a list of texts");
}

static void test_keys(void **state)
{
	refused("\nsate: a\n", "f:2: \"sate\": unknown key: is it state? only devices, ports, ");
	refused("known: a\n", "f:1: \"known\": unknown key: ");
	refused("config: a\n", "f:1: \"config\": unknown key: ");
	refused("[a]: b\n", "f:1: \"\": unknown key: ");
	refused("ports:\n  - name: a\n    socket: /a\n    colour: 3\n",
		"f:4: ports: a: \"colour\": unknown key: only socket, ");
	refused("devices:\n  - {name: a,\n     socket: /a,\n     pair: 3}\n",
		"f:4: devices: a: \"pair\": unknown key: is it pairs? ");
	refused("switches:\n  - {name: s, prots: [a, b]}\n",
		"f:2: switches: s: \"prots\": unknown key: is it ports? ");
}

#define A_AND_B	"ports:\n  - {name: a, socket: /a}\n  - {name: b, socket: /b}\n"

static void test_values(void **state)
{
	refused("ports:\n  - name: a\n    socket: /a\n    pairs: 65\n",
		"f:4: ports: a: pairs: not in 1..64");
	refused("ports:\n  - name: a\n    socket: /a\n    dmax-ns: 0\n",
		"f:4: ports: a: dmax_ns: 0; ");
	refused("ports:\n  - name: a\n    socket: /a\n    pairs:\n", "f:4: ports: a: pairs: not");
	refused("ports:\n  - name: a\n", "f:2: ports: a: socket=PATH, tap=NAME or nic=NAME is missing");
	refused("ports:\n  - name: a b\n    socket: /a\n", "f:2: ports: a b: the name must be ");
	refused("ports:\n  - name: a\n    vlan: 5\n    socket: /a\n", "f:3: a: vlan, trunk ");
	refused(A_AND_B "  - {name: a, socket: /c}\n", "f:4: ports: a: the name is taken");
	refused(A_AND_B "links:\n  - [a, b]\n  - [b, a]\n", "f:6: links: a port has one link");
	refused(A_AND_B "links:\n  - [a, z]\n", "f:5: links: there is no such port");
	refused(A_AND_B "switches:\n  - name: s\n    ports: [a, b]\n    pacer: 1\n",
		"f:7: s: pacer: there is no such pacer");
	refused(A_AND_B "switches:\n  - name: s\n    ports: [a, z]\n",
		"f:6: switches: s: ports: there is no such port");
	refused(A_AND_B "devices:\n  - {name: b, socket: /c}\n", "f:3: b: the name of a ");
	refused("pacers: x0\n", "f:1: pacers: expected x and a number");
	refused("pacers: [a, b]\n", "f:1: pacers: expected CPUs");
	refused("log-level: loud\n", "f:1: log-level: none of error, warn, info, debug");
	refused("log-rate: -1\n", "f:1: log-rate: not a number of lines in ");
	refused("seccomp: maybe\n", "f:1: seccomp: none of on, off, log");
	refused("user: no-such-user-here\n", "f:1: user: there is no such user");
	refused("group: no-such-group-here\n", "f:1: group: there is no such group");
	refused("control: \"\"\n", "f:1: control: no path");
}

/* All of them in one go; but nothing is said of links of ports that were refused. */
static void test_many(void **state)
{
	options_free(parse("stat: a\nports:\n  - {name: a, socket: /a, pairs: x}\n"
			   "  - {name: b}\nlinks:\n  - [a, b]\nlog-level: x\n", 4));
	assert_ptr_equal(strstr(told[0], "f:1: "), told[0]);
	assert_ptr_equal(strstr(told[1], "f:3: "), told[1]);
	assert_ptr_equal(strstr(told[2], "f:4: "), told[2]);
	assert_ptr_equal(strstr(told[3], "f:7: "), told[3]);
}

/* What the command line says the file may not. */
static void test_said_twice(void **state)
{
	struct options *o = options_new();
	u32 control;

	told_count = 0;
	for (control = 0; strcmp(option_defs[control].name, "control"); control++)
		;
	assert_null(options_say(o, control, "/c", SAID_ARGS));
	assert_int_equal(config_parse("f", "control: /d\n", 12, o, tell, NULL), 1);
	assert_non_null(strstr(told[0], "f:1: control: it is said on the command line, too"));
	assert_string_equal(o->control, "/c");
	options_free(o);
}

static void test_file(void **state)
{
	char path[] = "/tmp/test_config.XXXXXX";
	struct options *o = options_new();
	int fd = mkstemp(path), i;

	assert_true(fd >= 0);
	told_count = 0;
	for (i = 0; i <= (int)(CONFIG_MAX_BYTES / 64); i++)
		assert_int_equal(write(fd, "################################"
				       "###############################\n", 64), 64);
	close(fd);
	assert_int_equal(config_read(path, o, tell, NULL), 1);
	assert_non_null(strstr(told[0], "longer than"));
	unlink(path);
	assert_int_equal(config_read(path, o, tell, NULL), 1);
	assert_non_null(strstr(told[1], "cannot be read: No such file"));
	options_free(o);
}

static void test_nearest(void **state)
{
	static const char list[] = "only socket, pairs, y-ns are known";
	char nearest[OPT_WORD_MAX];
	bool exact;

	assert_true(opt_nearest(list, "pairs", nearest, &exact) && exact);
	assert_true(opt_nearest(list, "pars", nearest, &exact) && !exact);
	assert_string_equal(nearest, "pairs");
	assert_true(opt_nearest(list, "Sockets", nearest, &exact) && !exact);
	assert_string_equal(nearest, "socket");
	assert_false(opt_nearest(list, "colour", nearest, &exact) || exact);
	assert_false(opt_nearest(list, "", nearest, &exact) || exact);
	assert_false(opt_nearest("", "pairs", nearest, &exact) || exact);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_said_twice),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_nearest),
	};

	worker_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
