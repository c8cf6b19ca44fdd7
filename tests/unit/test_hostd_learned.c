// SPDX-License-Identifier: GPL-2.0-or-later
/* Tables that were refined, in their file and out of it, on a host of files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "fake_host.h"
#include "learned.h"

static const struct undo_kind *const kinds[] = { NULL };
static struct undo undo;
static char path[128];

static int begin(void **state)
{
	const struct undo_where where = { .sysfs = fake_root };

	fake_host();
	snprintf(path, sizeof(path), "%s/learned", fake_root);
	undo_init(&undo, NULL, kinds, &where);
	return 0;
}

static int end(void **state)
{
	undo_fini(&undo);
	fake_end();
	return 0;
}

static struct world *make(u32 max_cores)
{
	char text[512], why[200];
	static struct conf conf;
	struct world *w;
	int n = snprintf(text, sizeof(text),
		"cpus: 0-7\nsysfs: %s\nrapl: no\ntenants:\n  - {name: web, class: latency, pidfile: /none,\n"
		"     dataplane: /none, bound-ns: 300000, max-cores: %u}\n", fake_root, max_cores);

	assert_int_equal(conf_parse("f", text, (size_t)n, &conf, NULL, NULL), 0);
	w = world_new(&conf, &undo, NULL, why, sizeof(why));
	assert_non_null(w);
	return w;
}

/* Of a world that reads the file: the gain of step 2. */
static double gain_of(u32 max_cores)
{
	struct world *w = make(max_cores);
	double gain;

	learned_load(w, path);
	gain = w->hc.tenant[0].cap.gain[2];
	world_free(w);
	return gain;
}

static void test_kept(void **state)
{
	struct world *w = make(4);
	struct hc_capacity *cap = &w->hc.tenant[0].cap;
	json_t *table;

	learned_save(w, path);
	assert_int_equal(access(path, F_OK), -1);	/* nothing was learned */
	cap->gain[2] = 1.25;
	cap->refined[2] = 3;
	learned_save(w, path);
	table = learned_table(&w->tenant[0]);
	assert_int_equal(json_array_size(table), w->tenant[0].policy.steps);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(table, 2), "refined")), 3);
	json_decref(table);
	/* As nothing has come since, it is not written again. */
	remove(path);
	learned_save(w, path);
	assert_int_equal(access(path, F_OK), -1);
	cap->refined[2]++;
	learned_save(w, path);
	world_free(w);
	assert_true(gain_of(4) > 1.2499 && gain_of(4) < 1.2501);
	/* Other steps: another table. */
	assert_true(gain_of(3) >= 1 && gain_of(3) <= 1);
}

static void put(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* What no host has, and what is no table. */
static void test_wrong(void **state)
{
	struct world *w = make(4);
	json_t *v;
	char *text;

	v = json_pack("{s:i,s:{s:o}}", "version", 1, "tenants", "web", learned_table(&w->tenant[0]));
	json_object_set_new(json_array_get(json_object_get(json_object_get(v, "tenants"), "web"), 2),
			    "gain", json_real(1e9));
	text = json_dumps(v, 0);
	put(text);
	free(text);
	json_decref(v);
	world_free(w);
	assert_true(gain_of(4) >= 1 && gain_of(4) <= 1);
	put("{\"version\":1,\"tenants\":{\"web\":[7,null]}}");
	assert_true(gain_of(4) >= 1 && gain_of(4) <= 1);
	put("{\"version\":");
	assert_true(gain_of(4) >= 1 && gain_of(4) <= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kept, begin, end),
		cmocka_unit_test_setup_teardown(test_wrong, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
