// SPDX-License-Identifier: GPL-2.0-or-later
/* Domain templates: words, escapes, and identifiers that stay the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Before cmocka.h, whose fail() is a macro. */
#include "vm/xml.h"

#include <cmocka.h>

static const struct xml_var vars[] = {
	{ "NAME", "a&b<'\">" },
	{ "N", "7" },
	{ "LONG_NAME_2", "x" },
	{ NULL, NULL }
};

static void fills(const char *text, const char *want)
{
	char unknown[32];
	char *got = xml_fill(text, vars, unknown);

	assert_non_null(got);
	assert_string_equal(got, want);
	assert_string_equal(unknown, "");
	free(got);
}

static void test_words(void **state)
{
	fills("", "");
	fills("<v n='@N@'>@LONG_NAME_2@@N@</v>", "<v n='7'>x7</v>");
}

static void test_escapes(void **state)
{
	fills("@NAME@", "a&amp;b&lt;&apos;&quot;&gt;");
}

/* An @ that begins no word is text: addresses, a lone one, one at the end. */
static void test_other_ats(void **state)
{
	fills("me@host @ @n@ @N", "me@host @ @n@ @N");
	fills("@@", "@@");
	fills("@@N@", "@7");
}

static void refuses(const char *text, const char *word)
{
	char unknown[32];

	assert_null(xml_fill(text, vars, unknown));
	assert_string_equal(unknown, word);
}

static void test_unknown_words(void **state)
{
	refuses("@N@ @NOPE@ @OTHER@", "NOPE");
	refuses("@NA@", "NA");
	refuses("@NAMES@", "NAMES");
	refuses("@ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@", "ABCDEFGHIJKLMNOPQRSTUVWXYZ01234");
}

static void test_uuid(void **state)
{
	char a[37], b[37];

	xml_uuid("ringpace-a", a);
	xml_uuid("ringpace-a", b);
	assert_string_equal(a, b);
	assert_int_equal(strlen(a), 36);
	/* Version 8, variant 10: what libvirt and others may check. */
	assert_int_equal(a[14], '8');
	assert_int_equal(a[19], '8');
	xml_uuid("ringpace-b", b);
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_other_ats),
		cmocka_unit_test(test_unknown_words),
		cmocka_unit_test(test_uuid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
