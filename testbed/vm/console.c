// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A VM's serial console on this terminal. It goes to the pty and not through
 * libvirt: the embedded driver has one user at a time, and an open console
 * must not keep `ringpace vm destroy` out.
 */
#include "vm/console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "vm/conn.h"
#include "vm/domain.h"

#define DETACH	0x1d	/* Ctrl-] */

int console_pty(virDomainPtr dom, char *path, size_t size)
{
	static const char key[] = " tty='";
	char *xml = virDomainGetXMLDesc(dom, 0);
	char *tty = xml ? strstr(xml, key) : NULL;

	if (tty) {
		tty += strlen(key);
		snprintf(path, size, "%.*s", (int)strcspn(tty, "'"), tty);
	}
	free(xml);
	if (tty)
		return 0;
	return fail("the VM %s has no serial console on a pty; is it running, and does its "
		    "template have one?", vm_name(dom));
}

static int write_all(int fd, const char *p, ssize_t n)
{
	ssize_t done;

	while (n > 0) {
		done = write(fd, p, (size_t)n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return -1;
		p += done;
		n -= done;
	}
	return 0;
}

/* Copies what is there. False at the end, or at a Ctrl-] when @watch. */
static bool copy(int from, int to, bool watch)
{
	char buf[4096], *stop;
	ssize_t n = read(from, buf, sizeof(buf));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	stop = watch && n ? memchr(buf, DETACH, (size_t)n) : NULL;
	if (write_all(to, buf, stop ? stop - buf : n))
		return false;
	return n && !stop;
}

static void relay(int pty)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = pty, .events = POLLIN },
	};

	while (!stopped()) {
		if (poll(fds, 2, 200) < 0)
			continue;
		if (fds[1].revents && !copy(pty, STDOUT_FILENO, false))
			return;
		if (fds[0].revents && !copy(STDIN_FILENO, pty, true))
			return;
	}
}

int console_attach(const char *path)
{
	struct termios old, raw;
	bool terminal = !tcgetattr(STDIN_FILENO, &old);
	int pty = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (pty < 0)
		return fail("cannot open the console %s: %m", path);
	if (terminal) {
		fprintf(stderr, "console %s; Ctrl-] leaves it\r\n", path);
		raw = old;
		cfmakeraw(&raw);
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	relay(pty);
	if (terminal)
		tcsetattr(STDIN_FILENO, TCSANOW, &old);
	close(pty);
	return 0;
}
