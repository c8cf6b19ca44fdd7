// SPDX-License-Identifier: GPL-2.0-or-later
/* Files for a guest without a disk: what is in the archive is what is in the files. */
/* Before cmocka has a fail() of its own. */
#include "dataplane/guest_files.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_BYTES	110u
#define BASE		"an archive"	/* of no whole number of words */

static char dir[] = "/tmp/test_guest_files.XXXXXX";

static const char *in_dir(const char *name)
{
	static char path[4][128];
	static u32 next;
	char *p = path[next++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
	return p;
}

static void write_file(const char *name, const char *text, off_t bytes)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	assert_true(!bytes || ftruncate(fd, bytes) == 0);
	close(fd);
}

static int set_up(void **state)
{
	if (!mkdtemp(dir) || mkdir(in_dir("www"), 0700) || mkdir(in_dir("www/sub"), 0700) ||
	    symlink("/etc/passwd", in_dir("www/link")) || mkfifo(in_dir("www/fifo"), 0600) ||
	    symlink(in_dir("www"), in_dir("to_www")))
		return -1;
	write_file("base", BASE, 0);
	write_file("routes", "10.0.0.0/8 02:00:00:00:00:01\n", 0);
	write_file("www/a", "", 0);
	write_file("www/sub/b", "12345", 0);
	write_file("www/c", "1234", 0);
	return 0;
}

static int tear_down(void **state)
{
	static const char *const left[] = { "www/sub/b", "www/sub", "www/a", "www/c", "www/link",
		"www/fifo", "www/big", "www", "to_www", "routes", "base", "archive", "" };
	u32 i;

	for (i = 0; i < sizeof(left) / sizeof(left[0]); i++)
		remove(in_dir(left[i]));
	return access(dir, F_OK) ? 0 : -1;
}

static u32 field(const char *head, u32 i)
{
	char digits[9] = { 0 };

	memcpy(digits, head + 6 + 8 * i, 8);
	return (u32)strtoul(digits, NULL, 16);
}

static size_t aligned(size_t n)
{
	return (n + 3) / 4 * 4;
}

/* "NAME:TEXT NAME/ ..." of what is behind the base; static. */
static const char *listing(void)
{
	static char text[1000];
	static char all[8192];
	int fd = open(in_dir("archive"), O_RDONLY);
	ssize_t n = read(fd, all, sizeof(all));
	size_t at = aligned(strlen(BASE));

	close(fd);
	assert_true(n > 0 && !memcmp(all, BASE "\0\0", at));
	for (text[0] = '\0'; ; ) {
		const char *head = all + at, *name = head + HEAD_BYTES;
		size_t bytes = field(head, 6), used = strlen(text);

		assert_true(at + HEAD_BYTES < (size_t)n && !memcmp(head, "070701", 6));
		assert_int_equal(field(head, 11), strlen(name) + 1);
		at = aligned(at + HEAD_BYTES + strlen(name) + 1);
		if (!strcmp(name, "TRAILER!!!"))
			break;
		if (S_ISDIR(field(head, 1)))
			snprintf(text + used, sizeof(text) - used, "%s/ ", name);
		else
			snprintf(text + used, sizeof(text) - used, "%s:%.*s ", name, (int)bytes,
				 all + at);
		at = aligned(at + bytes);
	}
	assert_int_equal(at, n);
	return text;
}

static int write_all(const char *root, const char *routes, u64 *bytes)
{
	const struct guest_file files[] = {
		{ root, "srv/www" }, { routes, "srv/routes" }, { NULL, NULL },
	};

	return guest_files_write(in_dir("archive"), in_dir("base"), files, bytes);
}

static void test_tree(void **state)
{
	static const char is[] = "srv/ srv/www/ srv/www/a: srv/www/c:1234 srv/www/sub/ "
		"srv/www/sub/b:12345 srv/routes:10.0.0.0/8 02:00:00:00:00:01\n ";
	static const char *const root[] = { "www", "www/", "to_www" };
	u64 bytes;
	u32 i;

	for (i = 0; i < 3; i++) {
		assert_int_equal(write_all(in_dir(root[i]), in_dir("routes"), &bytes), 0);
		assert_int_equal(bytes, 4 + 5 + 29);
		assert_string_equal(listing(), is);
	}
	assert_int_equal(write_all(in_dir("routes"), NULL, &bytes), 0);
	assert_string_equal(listing(), "srv/ srv/www:10.0.0.0/8 02:00:00:00:00:01\n ");
}

static void refused(const char *root, const char *routes, const char *why)
{
	char line[300] = "";
	u64 bytes;

	fail_capture(line, sizeof(line));
	assert_int_equal(write_all(root, routes, &bytes), -1);
	fail_capture(NULL, 0);
	if (!strstr(line, why))
		fail_msg("\"%s\" does not tell of \"%s\"", line, why);
}

static void test_refused(void **state)
{
	refused(in_dir("none"), NULL, "/none cannot be read: No such file");
	refused(in_dir("www"), in_dir("none"), "/none cannot be read: No such file");
	write_file("www/big", "", (off_t)GUEST_FILES_MAX_BYTES);
	refused(in_dir("www"), NULL, "more than 64 MiB");
	remove(in_dir("base"));
	refused(in_dir("routes"), NULL, "/base cannot be read");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("guest_files", tests, set_up, tear_down);
}
