// SPDX-License-Identifier: GPL-2.0-or-later
/* A service manager that does not read: nobody waits for it, and it is told in the end. */
#include "devices.h"
#include "net/net.h"
#include "notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

/* A wait without end is a failure. */
#define PATIENCE_S	60u

static struct loop loop;
static struct loop_source server;
static u32 stopping, reloading;

static void on_text(struct loop_source *src, u32 events)
{
	char text[256] = "";

	assert_true(recv(src->fd, text, sizeof(text) - 1, 0) > 0);
	stopping += !strncmp(text, "STOPPING=1", 10);
	reloading += !strncmp(text, "RELOADING=1", 11);
	if (strncmp(text, "READY=1", 7))
		return;
	assert_int_equal(reloading, 1);
	loop.stop = true;
}

static void listen_as(const char *name)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t n = strlen(name);

	memcpy(sa.sun_path + 1, name + 1, n - 1);
	server.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	server.ready = on_text;
	assert_true(server.fd >= 0);
	assert_int_equal(bind(server.fd, (const struct sockaddr *)&sa,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)), 0);
}

static void test_nobody_reads(void **state)
{
	static struct net net;
	static struct devices d = { .net = &net };
	char name[64];
	u32 i;

	alarm(PATIENCE_S);
	snprintf(name, sizeof(name), "@ringpace-test-notify-%d", (int)getpid());
	listen_as(name);
	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(loop_init(&loop), 0);
	assert_int_equal(notify_init(&loop), 0);
	/* More than any queue of a socket of the kind has. */
	for (i = 0; i < 5000; i++)
		notify_stopping();
	notify_reloading();
	notify_ready(&d);
	/* It reads now: first what is in the queue, then what it is owed, in order. */
	assert_int_equal(loop_add(&loop, &server, EPOLLIN), 0);
	assert_int_equal(loop_run(&loop), 0);
	assert_in_range(stopping, 1, 4999);
	notify_fini();
	loop_fini(&loop);
	close(server.fd);
	alarm(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_reads),
	};

	return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
