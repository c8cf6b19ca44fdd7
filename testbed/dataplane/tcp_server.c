// SPDX-License-Identifier: GPL-2.0-or-later
/* Starts and stops rp-dataplane behind a tap, and memcached behind a veth. */
#include "dataplane/tcp_server.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "vm/conn.h"

#define TAP		"rpt0"
#define TAP_IP		"10.99.0.1"
#define DATAPLANE_IP	"10.99.0.2"
#define ECHO_PORT	7
#define KV_PORT		11211
#define START_NS	(60 * NSEC_PER_SEC)

static void clear(struct tcp_server *s)
{
	memset(s, 0, sizeof(*s));
	s->pid = s->port_pid = -1;
}

/* ---- Until it takes connections ---- */

static bool connects(const char *ip, u16 port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	const struct timeval second = { .tv_sec = 1 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool good;

	inet_pton(AF_INET, ip, &to.sin_addr);
	good = fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof(second)) &&
		!connect(fd, (const struct sockaddr *)&to, sizeof(to));
	if (fd >= 0)
		close(fd);
	return good;
}

static int await(struct tcp_server *s, const char *who, const char *ip, u16 port)
{
	u64 end = now_ns() + START_NS;

	snprintf(s->target, sizeof(s->target), "%s:%u", ip, port);
	while (!connects(ip, port)) {
		if (!child_alive(s->pid) || now_ns() > end)
			return fail("%s does not take connections at %s: %s", who, s->target,
				    log_tail(s->log));
		if (!nap_ms(5))
			return -1;
	}
	return 0;
}

/* ---- rp-dataplane ---- */

/* Whoever connects asks for it by ARP, and waits. */
static int at_port(struct tcp_server *s, u16 port)
{
	s->socket = s->rig->socket[0];
	snprintf(s->target, sizeof(s->target), DATAPLANE_IP ":%u", port);
	return 0;
}

int tcp_server_dataplane(struct tcp_server *s, const char *app, const struct tcp_server_pacing *p,
			 enum tcp_server_way way)
{
	u16 port = strcmp(app, "echo") ? KV_PORT : ECHO_PORT;
	char cpu[16], wait[24];
	const struct dp_rig_options o = {
		.app = app, .threads = 1, .pacers = cpu, .tap = way == BY_TAP ? TAP : NULL,
		.bare = way == BY_PORT, .dmax_ns = p->port_dmax_ns,
		.more = {
			"--address", DATAPLANE_IP "/24", "--cpus", cpu,
			p->dmax_ns ? "--dmax-ns" : "--sleep-ns", wait,
		},
	};

	clear(s);
	snprintf(cpu, sizeof(cpu), "%d", nth_cpu(1));
	snprintf(wait, sizeof(wait), "%llu",
		 (unsigned long long)(p->dmax_ns ? p->dmax_ns : p->sleep_ns));
	s->rig = calloc(1, sizeof(*s->rig));
	if (!s->rig)
		abort();
	if (dp_rig_open(s->rig, &o))
		return -1;
	s->pid = s->rig->pid;
	s->port_pid = s->rig->daemon.pid;
	snprintf(s->log, sizeof(s->log), "%s", s->rig->log);
	if (way == BY_PORT)
		return at_port(s, port);
	if (own_net_ip("addr add " TAP_IP "/24 dev " TAP) || own_net_ip("link set " TAP " up"))
		return -1;
	return await(s, "rp-dataplane", DATAPLANE_IP, port);
}

/* ---- memcached ---- */

const char *tcp_server_find_memcached(void)
{
	const char *in_cache;

	if (!system("command -v memcached >/dev/null 2>&1"))
		return "memcached";
	in_cache = vm_cache_path("memcached/usr/bin/memcached");
	if (in_cache && !access(in_cache, X_OK))
		return in_cache;
	fail("memcached is not there: run make setup");
	return NULL;
}

int tcp_server_memcached(struct tcp_server *s, const struct own_net *net, const char *program,
			 u32 connections)
{
	char cpu[16], port[16], most[16];
	/* One worker thread, and no more memory than rp-dataplane's 64 MiB. */
	char *argv[] = {
		"taskset", "-c", cpu, (char *)program, "-t", "1", "-l", OWN_NET_FAR_IP, "-p", port,
		"-U", "0", "-m", "64", "-c", most, "-u", "root", NULL
	};
	const char *log = run_path("memcached.log");

	clear(s);
	if (!log)
		return -1;
	snprintf(s->log, sizeof(s->log), "%s", log);
	snprintf(cpu, sizeof(cpu), "%d", nth_cpu(1));
	snprintf(port, sizeof(port), "%d", KV_PORT);
	/* The one that tries whether it is there may not have been closed yet. */
	snprintf(most, sizeof(most), "%u", connections + 16);
	if (own_net_enter(net, true))
		return -1;
	s->pid = child_start(argv, s->log);
	if (own_net_enter(net, false) || s->pid < 0)
		return -1;
	return await(s, "memcached", OWN_NET_FAR_IP, KV_PORT);
}

void tcp_server_stop(struct tcp_server *s)
{
	if (s->rig) {
		dp_rig_close(s->rig);
		free(s->rig);
	} else {
		child_stop(s->pid);
	}
	clear(s);
}
