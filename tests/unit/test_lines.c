// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lines in, lines out: clients of a socket by real sockets, and a device by a terminal whose
 * other end is opened and closed. Clients whose bytes come in pieces, are deaf or many are
 * played to ringpaced's own lines in test_clients.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "log/log.h"
#include "sock/lines.h"
#include "sock/sock.h"

#define ROOM		(1u << 20)
#define BIG		200000u
#define CLIENTS_MAX	3u

static char dir[] = "/tmp/test_lines.XXXXXX", path[64];
static struct loop loop;
static struct lines lines;
static char got[ROOM];
static struct lines_peer *asked[300];	/* who each order was of */
static u32 orders, gone;

/* ---- The owner: its reply to X is "<X>" ---- */

static char *answer(void *ctx, struct lines_peer *peer, const char *line, size_t bytes)
{
	char *text;

	assert_ptr_equal(ctx, &lines);
	asked[orders++ % 300] = peer;
	peer->of = peer;
	if (bytes == 4 && !memcmp(line, "none", 4))
		return NULL;
	if (bytes == 2 && !memcmp(line, "fd", 2))
		peer->fd = peer->passes ? loop.epfd : -1;
	if (bytes != 3 || memcmp(line, "big", 3)) {
		assert_true(asprintf(&text, "<%.*s>", (int)bytes, line) > 0);
		return text;
	}
	text = malloc(BIG + 1);
	memset(text, 'x', BIG);
	text[BIG] = '\0';
	return text;
}

static char *refuse(enum lines_limit limit)
{
	return strdup(limit == LINES_TOO_LONG ? "long" : "many");
}

static void on_gone(struct lines_peer *peer)
{
	gone += peer->of != NULL;
}

static const struct lines_owner owner = {
	.clients_max = CLIENTS_MAX, .answer = answer, .refuse = refuse, .gone = on_gone,
};

/* ---- Turns ---- */

static bool is_ready(s64 ns)
{
	struct pollfd p = { .fd = loop.epfd, .events = POLLIN };

	return poll(&p, 1, ns < 0 ? 0 : (int)(ns / 1000000 + 1)) > 0;
}

/* All that can be done now. */
static void turn(void)
{
	while (is_ready(-1))
		assert_int_equal(loop_step(&loop), 0);
}

/* Until @count is @n, devices that rest included. */
static void turn_until(const u32 *count, u32 n)
{
	while (*count < n) {
		s64 ns = lines_look(&lines);

		if (is_ready(ns))
			loop_step(&loop);
	}
	turn();
}

/* ---- Clients ---- */

static int connected(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	strcpy(sa.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	turn();
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* All that it has been sent, as text. */
static const char *hear(int fd)
{
	size_t n = 0;
	ssize_t more;

	do {
		turn();
		more = read(fd, got + n, ROOM - 1 - n);
		n += more > 0 ? (size_t)more : 0;
	} while (more > 0);
	got[n] = '\0';
	return got;
}

static bool has_ended(int fd)
{
	char c;

	turn();
	return !read(fd, &c, 1);
}

static int set_up(void **state)
{
	char why[200];

	orders = gone = 0;
	assert_int_equal(loop_init(&loop), 0);
	assert_int_equal(lines_open(&lines, path, (gid_t)-1, &loop, &owner, &lines, why,
				    sizeof(why)), 0);
	return 0;
}

static int tear_down(void **state)
{
	lines_close(&lines);
	assert_int_equal(lines.clients, 0);
	assert_null(lines.first);
	assert_int_not_equal(access(path, F_OK), 0);
	lines_close(&lines);
	loop_fini(&loop);
	return 0;
}

/* ---- Of a socket ---- */

static void test_order(void **state)
{
	struct stat st;
	int fd = connected();

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	say(fd, "a\nb\n\nc");
	assert_string_equal(hear(fd), "<a>\n<b>\n<>\n");
	say(fd, "d\n");
	assert_string_equal(hear(fd), "<cd>\n");
	/* Who sends no more has its replies; half a line is no order. */
	say(fd, "big\nbig\ne\nf");
	shutdown(fd, SHUT_WR);
	turn();
	assert_int_equal(strlen(hear(fd)), 2 * (BIG + 1) + 4);
	assert_true(has_ended(fd));
	assert_int_equal(gone, 1);
	close(fd);
}

/* Fifty orders of one are not all before one of another. */
static void test_fair(void **state)
{
	int a = connected(), b = connected();
	u32 i;

	for (i = 0; i < 50; i++)
		say(a, "a\n");
	say(b, "b\n");
	turn();
	assert_int_equal(orders, 51);
	for (i = 1; i < orders && asked[i] == asked[0]; i++)
		;
	assert_true(i <= LINES_AT_ONCE);
	assert_int_equal(strlen(hear(a)), 200);
	assert_string_equal(hear(b), "<b>\n");
	close(a);
	close(b);
}

static void test_deaf(void **state)
{
	int deaf = connected(), other = connected();
	u32 i;

	for (i = 0; i < 10; i++)
		say(deaf, "big\n");
	turn();
	assert_true(orders < 10);
	say(other, "a\n");
	assert_string_equal(hear(other), "<a>\n");
	for (i = 0; i < 10; i++)
		hear(deaf);
	assert_int_equal(orders, 11);
	/* And one that goes with a reply to come. */
	say(deaf, "big\nbig\n");
	turn();
	close(deaf);
	turn();
	assert_int_equal(gone, 1);
	assert_int_equal(lines.clients, 1);
	close(other);
}

static void test_limits(void **state)
{
	static char text[LINES_BYTES_MAX + 2];
	int fd[CLIENTS_MAX], one_more;
	u32 i;

	for (i = 0; i < CLIENTS_MAX; i++)
		fd[i] = connected();
	one_more = connected();
	assert_string_equal(hear(one_more), "many\n");
	assert_true(has_ended(one_more));
	close(one_more);
	close(fd[1]);
	turn();
	fd[1] = connected();
	memset(text, 'x', sizeof(text) - 1);
	say(fd[1], text);
	assert_string_equal(hear(fd[1]), "long\n");
	say(fd[1], text);
	say(fd[1], "\na\n");
	assert_string_equal(hear(fd[1]), "<a>\n");
	/* As long as one may be. */
	text[LINES_BYTES_MAX] = '\n';
	text[LINES_BYTES_MAX + 1] = '\0';
	say(fd[1], text);
	assert_int_equal(strlen(hear(fd[1])), LINES_BYTES_MAX + 3);
	for (i = 0; i < CLIENTS_MAX; i++)
		close(fd[i]);
}

static void test_no_memory(void **state)
{
	int fd = connected();

	say(fd, "none\na\n");
	turn();
	assert_int_equal(gone, 1);
	assert_int_equal(orders, 1);
	close(fd);
}

/* It comes with its reply and no other. */
static void test_descriptor(void **state)
{
	int fd = connected(), passed = -1;
	struct stat a, b;
	char text[10];

	say(fd, "fd\n");
	turn();
	assert_int_equal(sock_receive(fd, text, sizeof(text), &passed), 5);
	assert_int_equal(fstat(passed, &a), 0);
	assert_int_equal(fstat(loop.epfd, &b), 0);
	assert_true(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	close(passed);
	passed = -1;
	say(fd, "a\n");
	turn();
	assert_int_equal(sock_receive(fd, text, sizeof(text), &passed), 4);
	assert_int_equal(passed, -1);
	close(fd);
}

/* ---- Of a device ---- */

static int open_end(int device)
{
	struct termios tio;
	char name[64];
	int fd;

	assert_int_equal(ptsname_r(device, name, sizeof(name)), 0);
	fd = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(tcgetattr(fd, &tio), 0);
	cfmakeraw(&tio);
	assert_int_equal(tcsetattr(fd, TCSANOW, &tio), 0);
	return fd;
}

/* The terminal's own thread may take a while to hand over what was said. */
static void hear_end(int end, const char *last)
{
	struct pollfd p = { .fd = end, .events = POLLIN };
	size_t n = 0, bytes = strlen(last);

	while (n < bytes || strcmp(got + n - bytes, last)) {
		ssize_t more;

		poll(&p, 1, -1);
		more = read(end, got + n, ROOM - 1 - n);
		n += more > 0 ? (size_t)more : 0;
		got[n] = '\0';
	}
}

static int add_device(void)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	assert_true(fd >= 0 && !grantpt(fd) && !unlockpt(fd));
	assert_int_equal(lines_add_device(&lines, fd), 0);
	return fd;
}

static void test_device(void **state)
{
	int device = add_device(), end = open_end(device), fd[CLIENTS_MAX];
	u32 i;

	assert_true(lines_look(&lines) == -1);
	/* It takes no client's place. */
	for (i = 0; i < CLIENTS_MAX; i++) {
		fd[i] = connected();
		say(fd[i], "a\n");
		assert_string_equal(hear(fd[i]), "<a>\n");
	}
	say(end, "fd\n");
	turn_until(&orders, CLIENTS_MAX + 1);
	hear_end(end, "<fd>\n");
	assert_true(asked[0]->passes && !asked[CLIENTS_MAX]->passes);
	/* Who goes amid a line leaves nothing of it to who comes. */
	say(end, "half");
	close(end);
	turn_until(&gone, 1);
	assert_true(lines_look(&lines) > 0);
	end = open_end(device);
	say(end, "a\n");
	turn_until(&orders, CLIENTS_MAX + 2);
	hear_end(end, "<a>\n");
	assert_true(lines_look(&lines) == -1);
	close(end);
	for (i = 0; i < CLIENTS_MAX; i++)
		close(fd[i]);
}

/* What its other end does not take is given up after a while; clients do not wait for it. */
static void test_device_deaf(void **state)
{
	int device = add_device(), end = open_end(device), fd = connected();

	say(end, "big\n");
	turn_until(&orders, 1);
	assert_true(lines_look(&lines) > 0);
	say(fd, "a\n");
	assert_string_equal(hear(fd), "<a>\n");
	assert_int_equal(gone, 0);
	turn_until(&gone, 1);
	say(end, "b\n");
	turn_until(&orders, 3);
	/* Part of the other reply is in the way. */
	while (read(end, got, ROOM) > 0)
		;
	turn_until(&orders, 3);
	while (lines_look(&lines) >= 0)
		while (read(end, got, ROOM) > 0)
			;
	say(end, "c\n");
	turn_until(&orders, 4);
	hear_end(end, "<c>\n");
	close(end);
	close(fd);
}

/* One that cannot be waited for is none. */
static void test_no_device(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	assert_true(lines_add_device(&lines, fd) < 0);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_null(lines.first);
}

static void test_not_open(void **state)
{
	struct lines none = { 0 };

	lines_close(&none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_fair, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_deaf, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_descriptor, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_device, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_device_deaf, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_device, set_up, tear_down),
		cmocka_unit_test(test_not_open),
	};
	int rc;

	log_set_level(LOG_LEVEL_ERROR);
	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/ctl", dir);
	rc = cmocka_run_group_tests_name("lines", tests, NULL, NULL);
	rmdir(dir);
	return rc;
}
