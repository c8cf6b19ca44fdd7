// SPDX-License-Identifier: GPL-2.0-or-later
/* Network namespaces without names, and the veth between them. */
#include "dataplane/own_net.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX	24u

static int open_current(void)
{
	return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

int own_net_ip(const char *words)
{
	char copy[200], *rest = copy, *argv[WORDS_MAX] = { "ip" };
	const char *log = run_path("ip.log");
	u32 n = 1;
	int rc;

	if (!log)
		return -1;
	snprintf(copy, sizeof(copy), "%s", words);
	while (n < WORDS_MAX - 1 && (argv[n] = strsep(&rest, " ")))
		n++;
	rc = child_run(argv, log);
	return rc ? rc < 0 ? -1 : fail("`ip %s` failed: %s", words, log_tail(log)) : 0;
}

int own_net_enter(const struct own_net *n, bool far)
{
	return setns(far ? n->far : n->near, CLONE_NEWNET) ?
		fail("cannot enter a network namespace: %m") : 0;
}

static int make_one(int *fd)
{
	if (unshare(CLONE_NEWNET))
		return fail("cannot make a network namespace: %m; as root it can be done");
	*fd = open_current();
	return *fd < 0 ? fail("cannot open a network namespace: %m") : own_net_ip("link set lo up");
}

/* Is a tap possible? It goes again. */
static int try_tap(void)
{
	return own_net_ip("tuntap add rpt0 mode tap") || own_net_ip("tuntap del rpt0 mode tap") ?
		-1 : 0;
}

static int connect_them(const struct own_net *n)
{
	char words[160];

	snprintf(words, sizeof(words),
		 "link add rpv0 type veth peer name rpv1 netns /proc/%d/fd/%d", getpid(), n->far);
	if (own_net_ip(words) || own_net_ip("addr add " OWN_NET_NEAR_IP "/24 dev rpv0") ||
	    own_net_ip("link set rpv0 up") || own_net_enter(n, true))
		return -1;
	if (own_net_ip("addr add " OWN_NET_FAR_IP "/24 dev rpv1") || own_net_ip("link set rpv1 up"))
		return -1;
	return own_net_enter(n, false);
}

int own_net_open(struct own_net *n)
{
	n->near = n->far = -1;
	n->home = open_current();
	if (n->home < 0)
		return fail("cannot open our network namespace: %m");
	/* The second one first, so that we are in the near one then. */
	if (make_one(&n->far) || make_one(&n->near))
		return -1;
	return try_tap() || connect_them(n) ? -1 : 0;
}

void own_net_close(struct own_net *n)
{
	int *const fds[] = { &n->home, &n->near, &n->far };
	u32 i;

	/* Where we came from is there: its descriptor is open. */
	if (n->home >= 0 && setns(n->home, CLONE_NEWNET) && n->near >= 0)
		fail("cannot go back to our network namespace: %m");
	for (i = 0; i < 3; i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}
