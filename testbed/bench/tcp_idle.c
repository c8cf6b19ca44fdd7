// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench dataplane: what a connection at rest costs in memory. The process's resident memory
 * with N connections, then with 2 N, each of which has echoed something: what there is
 * anyway, and what the first ones bring along, is in both.
 */
#include <unistd.h>

#include "bench/tcp_servers.h"
#include "load/load.h"

#define CONNECTIONS	4000u
#define LOAD_NS		NSEC_PER_SEC
#define PATIENCE_NS	(60 * NSEC_PER_SEC)

struct idle_look {
	pid_t pid;
	double bytes;
};

static double resident_bytes(pid_t pid)
{
	unsigned long pages = 0;
	char path[40];
	FILE *f;
	int n;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return UNKNOWN;
	n = fscanf(f, "%*u %lu", &pages);
	fclose(f);
	return n == 1 ? (double)pages * (double)sysconf(_SC_PAGESIZE) : UNKNOWN;
}

/* The last look while the connections stand is the one that counts. */
static void look(void *ctx, u64 measured_ns, u64 done)
{
	struct idle_look *l = ctx;

	l->bytes = resident_bytes(l->pid);
}

static int with_connections(const struct tcp_server *s, u32 n, double *bytes)
{
	struct idle_look l = { .pid = s->pid, .bytes = UNKNOWN };
	struct load_params p;
	struct load_result r;
	const char *why;
	int rc;

	load_params_default(&p);
	p.agent_rate = 0;
	p.target.name = p.gen.target = p.gen.opt.host = s->target;
	p.gen.proto = &load_echo;
	p.gen.connections = n;
	p.gen.connect_gap_ns = NSEC_PER_SEC / 5000;
	p.gen.connect_ns = p.gen.timeout_ns = PATIENCE_NS;
	p.gen.interval_ns = p.offer.duration_ns = LOAD_NS;
	p.gen.warmup_ns = 0;
	p.offer.rate.period_s = (double)LOAD_NS / 1e9;
	/* Each connection once, where they take turns. */
	load_params_rate(&p, (double)n / p.offer.rate.period_s);
	p.look = look;
	p.look_ctx = &l;
	why = load_target_resolve(&p.target);
	if (why)
		return fail("%s: %s", s->target, why);
	rc = load_run(&p, &r) || r.stopped ? -1 : 0;
	if (!rc && (r.all.failed || !is_known(l.bytes)))
		rc = fail("bench dataplane: %u connections to %s: not all stand", n, s->target);
	load_result_free(&r);
	*bytes = l.bytes;
	return rc;
}

int tcp_idle_measure(const struct tcp_server_pacing *pacing, double *bytes)
{
	struct tcp_server s;
	double some = UNKNOWN, more = UNKNOWN;
	int rc;

	if (load_sockets_allow(2 * CONNECTIONS))
		return -1;
	rc = tcp_server_dataplane(&s, "echo", pacing, BY_TAP);
	if (!rc)
		rc = with_connections(&s, CONNECTIONS, &some) ? :
		     with_connections(&s, 2 * CONNECTIONS, &more);
	tcp_server_stop(&s);
	*bytes = (more - some) / CONNECTIONS;
	return rc;
}
