// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What `ringpace perf` reads, as it was recorded: perf's output, /proc, a
 * guest's PCI device; and how counts are compared.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Before cmocka.h, which makes a macro of fail(). */
#include "json.h"
#include "perf/exits.h"
#include "perf/scene.h"
#include "perf/stat.h"
#include "perf/watch.h"

#include <cmocka.h>

/* ---- perf stat -x ';' (6.1) ---- */

static const char *parse(struct perf_stat *s, const char *text)
{
	FILE *f = fmemopen((char *)text, strlen(text), "r");
	const char *why;

	assert_non_null(f);
	why = perf_stat_parse(s, f);
	fclose(f);
	return why;
}

static struct perf_stat three_events(void)
{
	struct perf_stat s = { 0 };

	perf_stat_add(&s, "rp_perf_4711:kick_0", NULL);
	perf_stat_add(&s, "kvm:kvm_mmio", "type==2 && gpa>=0x1000");
	assert_int_equal(perf_stat_add(&s, "sched:sched_switch", NULL), 2);
	return s;
}

static void test_stat(void **state)
{
	struct perf_stat s = three_events();

	assert_null(parse(&s, "# started on Thu Nov 26 01:30:33 2026\n\n"
			  "7553;;rp_perf_4711:kick_0;410799947;100.00;;\n"
			  "0;;kvm:kvm_mmio;410801750;100.00;;\n"
			  "<not counted>;;sched:sched_switch;0;100.00;;\n"));
	assert_float_equal(s.count[0], 7553, 0);
	assert_float_equal(s.count[1], 0, 0);
	assert_float_equal(s.count[2], 0, 0);
}

static void test_stat_not_supported(void **state)
{
	struct perf_stat s = three_events();

	assert_null(parse(&s, "1;;rp_perf_4711:kick_0;5;100.00;;\n"
			  "<not supported>;;kvm:kvm_mmio;0;100.00;;\n"
			  "3;;sched:sched_switch;5;100.00;;\n"));
	assert_false(is_known(s.count[1]));
	assert_float_equal(s.count[2], 3, 0);
}

static void test_stat_broken(void **state)
{
	static const char *const bad[] = {
		"",
		"1;;rp_perf_4711:kick_0;5;100.00;;\n",
		"1;;kvm:kvm_mmio;5;100.00;;\n1;;rp_perf_4711:kick_0;5;100;;\n3;;x;5;100;;\n",
		"many;;rp_perf_4711:kick_0;5;100.00;;\n",
		"-1;;rp_perf_4711:kick_0;5;100.00;;\n",
		"Error: no permission\n",
	};
	struct perf_stat s = three_events();
	u32 i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(parse(&s, bad[i]));
}

/* ---- perf kvm stat report (6.1) ---- */

static const char *parse_exits(struct exits *e, const char *text)
{
	FILE *f = fmemopen((char *)text, strlen(text), "r");
	const char *why;

	assert_non_null(f);
	why = exits_parse(e, f);
	fclose(f);
	return why;
}

#define EXITS_HEAD "\n\nAnalyze events for all VMs, all VCPUs:\n\n             VM-EXIT    Samples" \
	"  Samples%     Time%    Min Time    Max Time         Avg time \n\n"

static const char exits_text[] = EXITS_HEAD
	"                 hlt       1201    60.05%    98.01%      5.91us  99001.00us   4321.50us"
	" ( +-   1.71% )\n"
	"                 npf        799    39.95%     1.99%     33.07us   2301.19us    120.25us"
	" ( +-   3.20% )\n\n"
	"Total Samples:2000, Total events handled time:5286187.03us.\n\n";

static void test_exits(void **state)
{
	struct exits e;
	json_t *v;

	assert_null(parse_exits(&e, exits_text));
	assert_int_equal(e.n, 2);
	assert_string_equal(e.reason[1].name, "npf");
	assert_float_equal(e.reason[1].count, 799, 0);
	assert_float_equal(e.reason[1].mean_ns, 120250, 1e-6);
	assert_float_equal(e.total, 2000, 0);
	assert_false(e.lost);
	v = exits_json(&e, 2e9);
	assert_float_equal(json_number_at(v, "per_s"), 1000, 1e-9);
	assert_int_equal(json_array_size(json_object_get(v, "reasons")), 2);
	json_decref(v);
	/* A VM that never left. */
	assert_null(parse_exits(&e, EXITS_HEAD "\nTotal Samples:0, Total events handled time:0.00us.\n"));
	assert_int_equal(e.n, 0);
}

static void test_exits_bad(void **state)
{
	struct exits e;

	assert_non_null(parse_exits(&e, ""));
	assert_non_null(parse_exits(&e, "incompatible file format (rerun with -v to learn more)\n"));
	/* A line that is not understood is missed in the sum. */
	assert_non_null(parse_exits(&e, EXITS_HEAD
		"      npf  many  1.00%  1.00%  1.00us  1.00us  1.00us ( +- 1.00% )\n"
		"Total Samples:3, Total events handled time:0.00us.\n"));
	assert_null(parse_exits(&e, "Processed 7 events and lost 2 chunks!\n"
				"Total Samples:0, Total events handled time:0.00us.\n"));
	assert_true(e.lost);
}

/* ---- perf probe -D ---- */

static void test_place(void **state)
{
	char place[64];

	assert_true(usdt_parse_place("p:sdt_ringpaced/kick /usr/bin/ringpaced:0x97a2 "
				     "arg1=+8(%bx):u32 arg2=+416(%bx):u64\n", place, sizeof(place)));
	assert_string_equal(place, "/usr/bin/ringpaced:0x97a2");
	assert_true(usdt_parse_place("p:sdt_x/y /a:0x1\n", place, sizeof(place)));
	assert_string_equal(place, "/a:0x1");
	assert_false(usdt_parse_place("Error: event \"kick\" is not found.\n", place, sizeof(place)));
	assert_false(usdt_parse_place("p:sdt_x/y\n", place, sizeof(place)));
	assert_false(usdt_parse_place("p:sdt_x/y relative:0x1\n", place, sizeof(place)));
	assert_false(usdt_parse_place("p:sdt_ringpaced/kick /usr/bin/ringpaced:0x97a2", place, 9));
}

/* ---- /proc ---- */

static void test_vm(void **state)
{
	static const char args[] = "/usr/bin/qemu-system-x86_64\0-name\0"
				   "guest=ringpace-run-7,debug-threads=on\0-S";

	assert_true(scene_is_vm(args, sizeof(args), "ringpace-run-7"));
	assert_false(scene_is_vm(args, sizeof(args), "ringpace-run"));
	assert_false(scene_is_vm(args, sizeof(args), "ringpace-run-77"));
	assert_false(scene_is_vm("virsh\0guest=a", sizeof("virsh\0guest=a"), "a"));
	assert_true(scene_is_vm("q\0-name\0guest=a", sizeof("q\0-name\0guest=a"), "a"));
	assert_false(scene_is_vm("", 0, "a"));
}

static void test_filter(void **state)
{
	struct scene_threads t = { .tid = { 7, 4194303 }, .n = 2 };
	u32 i;

	assert_string_equal(scene_filter("pid", &t), "pid==7||pid==4194303");
	for (t.n = SCENE_THREADS_MAX, i = 0; i < t.n; i++)
		t.tid[i] = 4194303;
	assert_string_equal(strrchr(scene_filter("common_pid", &t), '|'), "|common_pid==4194303");
}

static void test_interrupts(void **state)
{
	assert_float_equal(scene_interrupts_parse(" 29:          0          1   PCI-MSI 524289-edge"
						  "      virtio1-pc"), 1, 0);
	assert_float_equal(scene_interrupts_parse(" 24:       2305   PCI-MSIX-0000:00:10.0   1-edge"
						  "      virtio0-pc"), 2305, 0);
	assert_float_equal(scene_interrupts_parse("NMI:  3  4   Non-maskable interrupts"), 7, 0);
	assert_false(is_known(scene_interrupts_parse("           CPU0       CPU1")));
	assert_false(is_known(scene_interrupts_parse("")));
}

/* ---- The guest's PCI device, of QEMU's virtio-pc-pci ---- */

static const char config[] =
	"f41a7f10070510000100ff000000000000000000000020fe00000000000000000c0080fe0000000000000000"
	"f41a001100000000dc000000000000000a010000100002000080001000000000110400000000110000000000"
	"0000000000000000000000000000300000000000000000000000000000000000000000000140030000000000"
	"097c100104000000000000000010000009841003040000000010000000100000099410040400000000200000"
	"0010000009a414020400000000300000001000000400000009b4140500000000000000000000000000000000"
	"11c804800100000001080000000000000000000000000000000000000000000000000000";

#define NO_BAR	"0x0000000000000000 0x0000000000000000 0x0000000000000000\n"

static const char resource[] =
	NO_BAR "0x00000000fe200000 0x00000000fe200fff 0x0000000000040200\n" NO_BAR NO_BAR
	"0x00000000fe800000 0x00000000fe803fff 0x000000000014220c\n" NO_BAR;

static void test_notify(void **state)
{
	struct scene_notify n;

	assert_null(scene_notify_parse(config, resource, &n));
	assert_int_equal(n.begin, 0xfe803000);
	assert_int_equal(n.end, 0xfe804000);
}

/* A guest may say anything. @at: a byte of the configuration space. */
static const char *with_byte(u32 at, const char *hex, struct scene_notify *n)
{
	char changed[sizeof(config)];

	memcpy(changed, config, sizeof(config));
	memcpy(changed + 2 * at, hex, 2);
	return scene_notify_parse(changed, resource, n);
}

static void test_notify_hostile(void **state)
{
	struct scene_notify n;

	assert_non_null(scene_notify_parse(NULL, NULL, &n));
	assert_non_null(scene_notify_parse("f41a", resource, &n));
	assert_non_null(scene_notify_parse("zz", resource, &n));
	assert_non_null(scene_notify_parse(config, "", &n));
	assert_non_null(scene_notify_parse(config, NO_BAR NO_BAR NO_BAR NO_BAR NO_BAR, &n));
	assert_non_null(with_byte(0x06, "00", &n));	/* no capabilities */
	assert_non_null(with_byte(0x34, "00", &n));	/* none is first */
	assert_non_null(with_byte(0x34, "fc", &n));	/* the first is beyond the end */
	assert_non_null(with_byte(0xc9, "c8", &n));	/* a loop without it */
	assert_non_null(with_byte(0xb8, "07", &n));	/* no such BAR */
	assert_non_null(with_byte(0xbd, "40", &n));	/* beyond its BAR */
	assert_non_null(with_byte(0xc3, "ff", &n));
}

/* ---- Clock ---- */

static json_t *clock_of(s64 offset, s64 error_ns, s64 kvm_offset)
{
	const struct kvm_clock c = { .offset_tsc = kvm_offset, .ratio = 1 };
	json_t *stats = json_pack("{s:I, s:I}", "clock_offset_tsc", (json_int_t)offset,
				  "clock_error_ns", (json_int_t)error_ns), *v;

	v = clock_json(stats, &c, NULL);
	json_decref(stats);
	return v;
}

static void test_clock(void **state)
{
	json_t *v = clock_of(1078288146315838, 7699, -1078288146315000);

	assert_true(json_is_true(json_object_get(v, "agrees")));
	assert_true(json_number_at(v, "difference_ns") > 0);
	json_decref(v);
	v = clock_of(1078288146315838, 10, -1078288146215838);
	assert_true(json_is_false(json_object_get(v, "agrees")));
	json_decref(v);
}

static void test_clock_unknown(void **state)
{
	const struct kvm_clock scaled = { .ratio = 1.25 };
	json_t *stats = json_pack("{s:i, s:i}", "clock_offset_tsc", 1, "clock_error_ns", 1), *v;

	v = clock_json(stats, &scaled, NULL);
	assert_true(json_is_null(json_object_get(v, "agrees")));
	assert_non_null(strstr(json_string_value(json_object_get(v, "why")), "off by 250000000 ns"));
	json_decref(v);
	v = clock_json(stats, NULL, "there is none");
	assert_string_equal(json_string_value(json_object_get(v, "why")), "there is none");
	json_decref(v);
	v = clock_json(NULL, &scaled, NULL);
	assert_true(json_is_null(json_object_get(v, "offset_tsc")));
	json_decref(v);
	json_decref(stats);
}

/* ---- Comparing ---- */

static enum verdict verdict(double count, double least, double most)
{
	const struct finding f = { .count = count, .least = least, .most = most };

	return finding_verdict(&f);
}

static void test_verdict(void **state)
{
	struct finding f = { .count = 134, .least = 100, .most = 100, .extra = 34 };
	struct finding many = { .count = 1710, .least = 1700, .most = 1700, .extra = 34 };

	assert_int_equal(verdict(1000, 1000, 1000), AGREES);
	assert_int_equal(verdict(1019, 1000, 1000), AGREES);
	assert_int_equal(verdict(981, 1000, 1000), AGREES);
	assert_int_equal(verdict(1021, 1000, 1000), DIFFERS);
	assert_int_equal(verdict(979, 1000, 1000), DIFFERS);
	assert_int_equal(verdict(0, 0, 0), AGREES);
	assert_int_equal(verdict(1, 0, 0), DIFFERS);
	assert_int_equal(verdict(1, 0, 2), UNDECIDED);
	assert_int_equal(verdict(1000, 990, 1020), UNDECIDED);
	assert_int_equal(verdict(1200, 990, 1020), DIFFERS);
	assert_int_equal(verdict(UNKNOWN, 1, 1), UNCOUNTED);
	assert_int_equal(verdict(1, UNKNOWN, UNKNOWN), UNCOUNTED);
	/* Of 134 kicks 34 may be the clock's, or none: a third may be missing. */
	assert_int_equal(finding_verdict(&f), UNDECIDED);
	f.count = 100;
	assert_int_equal(finding_verdict(&f), UNDECIDED);
	f.count = 150;
	assert_int_equal(finding_verdict(&f), DIFFERS);
	f.may = 1;
	assert_int_equal(finding_verdict(&f), MAY_DIFFER);
	f.count = 50;
	assert_int_equal(finding_verdict(&f), DIFFERS);
	f.missing = 50;
	assert_int_equal(finding_verdict(&f), UNDECIDED);
	/* From 1700 on 34 are 2 %. */
	assert_int_equal(finding_verdict(&many), AGREES);
	many.least = many.most = 1699;
	assert_int_equal(finding_verdict(&many), UNDECIDED);
}

/* Where nobody has seen anything, nothing is in doubt. */
static void test_verdict_none(void **state)
{
	struct finding f = { .extra = 34, .missing = 2 };

	assert_int_equal(finding_verdict(&f), AGREES);
	assert_float_equal(finding_slack(&f), 0, 0);
	f.count = 2;
	assert_int_equal(finding_verdict(&f), UNDECIDED);
	assert_float_equal(finding_slack(&f), 2, 0);
	f.count = 35;
	assert_int_equal(finding_verdict(&f), DIFFERS);
}

static void test_counters(void **state)
{
	json_t *device = json_pack("{s:i, s:i, s:i, s:i}", "items", 5, "received", 2, "sleeps", 3,
				   "sent", 7);
	struct counters c;

	counters_read(&c, device, NULL);
	assert_float_equal(c.v[FIG_ITEMS], 5, 0);
	assert_float_equal(c.v[FIG_WAKE_UPS], 5, 0);
	assert_float_equal(c.v[FIG_CALLS], 7, 0);
	assert_false(is_known(c.v[FIG_KICKS_SENT]));
	assert_false(is_known(c.v[FIG_BLOCKS]));
	json_decref(device);
}

/* What programs see: one that differs makes the whole differ. */
static void test_json(void **state)
{
	struct perf_watch w = {
		.finding = {
			{ .figure = FIG_CALLS, .source = "a", .count = 10, .least = 10, .most = 10 },
			{ .figure = FIG_WAKE_UPS, .source = "b", .count = 5, .least = 10,
			  .most = 10, .may = -1, .note = "why" },
		},
		.findings = 2, .absent = { { "c", "none" } }, .absents = 1, .window_ns = 5e8,
	};
	json_t *v = perf_watch_json(&w), *f = json_array_get(json_object_get(v, "figures"), 0);

	assert_true(json_is_true(json_object_get(v, "agrees")));
	assert_float_equal(json_number_at(v, "undecided"), 0, 0);
	assert_float_equal(json_number_at(f, "per_s"), 20, 1e-9);
	assert_string_equal(json_string_value(json_object_get(f, "counter")), "device sent");
	assert_int_equal(json_array_size(json_object_get(v, "not_available")), 1);
	json_decref(v);
	w.finding[1].may = 0;
	v = perf_watch_json(&w);
	assert_true(json_is_false(json_object_get(v, "agrees")));
	json_decref(v);
	/* None is decided, and that is said. */
	w.finding[0].extra = 5;
	w.finding[1].missing = 5;
	v = perf_watch_json(&w);
	assert_true(json_is_null(json_object_get(v, "agrees")));
	assert_float_equal(json_number_at(v, "undecided"), 2, 0);
	json_decref(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stat),
		cmocka_unit_test(test_stat_not_supported),
		cmocka_unit_test(test_stat_broken),
		cmocka_unit_test(test_exits),
		cmocka_unit_test(test_exits_bad),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_vm),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_interrupts),
		cmocka_unit_test(test_notify),
		cmocka_unit_test(test_notify_hostile),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_clock_unknown),
		cmocka_unit_test(test_verdict),
		cmocka_unit_test(test_verdict_none),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
