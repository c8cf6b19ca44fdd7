// SPDX-License-Identifier: GPL-2.0-or-later
/* bench dataplane over TCP: who is measured, when, and how. */
#include "bench/tcp_servers.h"

#include <arpa/inet.h>
#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "load/load.h"

/* More than kernel sockets and one thread that uses them can take. */
#define FLOOD_RPS	1e6
/* More than a thread with a TCP of its own can. */
#define PORT_FLOOD_RPS	5e6
/* Each twice as long as the one before. */
#define TRIES		4u
/* Before a measurement, and no longer than that. */
#define WARMUP_NS	(NSEC_PER_SEC * 3 / 10)
/* In rp-dataplane's network. */
#define GUEST_IP	0x0a630003u	/* 10.99.0.3 */
/* On a busy machine an answer may take long, and is one nevertheless. */
#define PATIENCE_NS	(60 * NSEC_PER_SEC)

/* ---- CPU time ---- */

/* At one moment. */
struct reading {
	u64 at_ns, done;
	double cpu_ns, port_cpu_ns, softirq_ns;
};

/*
 * The first and the last one from ->from_ns to ->to_ns of the load. There are a few, for a
 * machine that is so busy that some come late, and no more: each takes the server's CPU for as
 * long as several requests, which wait for that.
 */
struct meter {
	const struct tcp_server *server;
	u64 from_ns, to_ns;
	u32 readings;
	struct reading first, last;
};

static double process_cpu_ns(pid_t pid)
{
	struct timespec ts;
	clockid_t clock;

	if (pid < 0 || clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &ts))
		return UNKNOWN;
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* Of all CPUs since the boot; a kernel that does not count it says 0 for ever. */
static double softirq_ns(void)
{
	unsigned long long ticks = 0;
	FILE *f = fopen("/proc/stat", "re");

	if (!f)
		return UNKNOWN;
	if (fscanf(f, "cpu %*u %*u %*u %*u %*u %*u %llu", &ticks) != 1)
		ticks = 0;
	fclose(f);
	return ticks ? (double)ticks * 1e9 / (double)sysconf(_SC_CLK_TCK) : UNKNOWN;
}

static void look(void *ctx, u64 measured_ns, u64 done)
{
	/* Shares of the time, from which on there is a reading. */
	static const double due[] = { 0, 0.5, 0.9 };
	struct meter *m = ctx;
	double share = ((double)measured_ns - (double)m->from_ns) / (double)(m->to_ns - m->from_ns);

	if (measured_ns < m->from_ns || measured_ns >= m->to_ns ||
	    m->readings == sizeof(due) / sizeof(due[0]) || share < due[m->readings])
		return;
	m->readings++;
	m->last = (struct reading){
		.at_ns = now_ns(), .done = done, .cpu_ns = process_cpu_ns(m->server->pid),
		.port_cpu_ns = process_cpu_ns(m->server->port_pid), .softirq_ns = softirq_ns(),
	};
	if (!m->first.at_ns)
		m->first = m->last;
}

/* Whether it was running while it was looked at: a busy machine may leave it no time. */
static bool was_seen(const struct meter *m)
{
	return m->last.done > m->first.done && m->last.at_ns > m->first.at_ns &&
	       is_known(m->last.cpu_ns - m->first.cpu_ns);
}

static void take(const struct meter *m, struct tcp_sample *s)
{
	const struct reading *a = &m->first, *b = &m->last;
	double done = (double)(b->done - a->done), ns = (double)(b->at_ns - a->at_ns);
	double port_ns = b->port_cpu_ns - a->port_cpu_ns;

	s->done_rps = done / ns * 1e9;
	s->cpu_ns = (b->cpu_ns - a->cpu_ns) / done;
	s->port_cpu_ns = port_ns / done;
	s->softirq_ns = (b->softirq_ns - a->softirq_ns) / done;
	s->cpu = (b->cpu_ns - a->cpu_ns + (is_known(port_ns) ? port_ns : 0)) / ns;
}

/* ---- The dataplane's own clock ---- */

struct turns {
	double busy_ns, packets;
};

/* Of all turns that had something to do, so far; UNKNOWN of memcached. */
static struct turns turns_of(const struct tcp_server *s)
{
	json_t *v = s->rig ? dp_rig_order(s->rig, "telemetry", NULL) : NULL;
	const json_t *all = json_object_get(v, "all");
	struct turns t = { json_number_at(all, "busy_ns"), json_number_at(all, "items") };

	json_decref(v);
	return t;
}

/* ---- One measurement ---- */

static bool is_echo(u32 load)
{
	return load == TCP_ECHO_PORT || load == TCP_ECHO_PEAK;
}

static bool is_half(u32 load)
{
	return load == TCP_KV_HALF || load == TCP_KV_PORT_HALF;
}

static bool is_by_port(u32 load)
{
	return load == TCP_ECHO_PORT || load == TCP_KV_PORT || load == TCP_KV_PORT_HALF;
}

static void plan(const struct tcp_bench *b, u32 load, const struct tcp_server *s, u64 ns,
		 struct load_params *p, struct meter *m)
{
	u64 warmup_ns = ns < WARMUP_NS ? ns : WARMUP_NS;
	bool half = is_half(load);

	load_params_default(p);
	p->agent_rate = 0;
	p->target.name = p->gen.target = p->gen.opt.host = s->target;
	/* Exact, where the generator has a CPU to itself. */
	p->target.spin = nth_cpu(0) != nth_cpu(1);
	p->cpus = 1;
	p->cpu[0] = nth_cpu(0);
	p->gen.proto = is_echo(load) ? &load_echo : &load_memcached;
	if (s->socket) {
		p->transport = &load_transport_port_tcp;
		p->target.socket = s->socket;
		p->target.own_ip.s_addr = htonl(GUEST_IP);
	}
	p->gen.connections = b->args->connections;
	p->gen.connect_gap_ns = NSEC_PER_SEC / 2000;
	p->gen.connect_ns = p->gen.timeout_ns = PATIENCE_NS;
	p->gen.interval_ns = ns;
	/*
	 * In a flood what is sent was due long before, so that nothing that is sent after a
	 * warm-up was due after it: the meter alone leaves it out.
	 */
	p->gen.warmup_ns = half ? warmup_ns : 0;
	p->offer.duration_ns = ns + warmup_ns;
	p->offer.rate.period_s = (double)p->offer.duration_ns / 1e9;
	load_params_rate(p, half ? b->half_rps : s->socket ? PORT_FLOOD_RPS : FLOOD_RPS);
	*m = (struct meter){ .server = s, .from_ns = half ? 1 : warmup_ns,
			     .to_ns = half ? ns : ns + warmup_ns };
	p->look = look;
	p->look_ctx = m;
}

/* What was not answered well took longer than any. */
static double or_infinite(u64 ns)
{
	return ns == UINT64_MAX ? INFINITY : (double)ns;
}

/* 1: nothing was seen of it. */
static int measure_for(struct tcp_bench *b, u32 load, struct tcp_server *s, u64 ns,
		       struct tcp_sample *to)
{
	struct turns before = turns_of(s), after;
	struct load_params p;
	struct load_result r;
	struct meter m;
	const char *why;
	int rc;

	plan(b, load, s, ns, &p, &m);
	why = load_target_resolve(&p.target);
	if (why)
		return fail("%s: %s", s->target, why);
	rc = load_run(&p, &r) || r.stopped ? -1 : !was_seen(&m);
	after = turns_of(s);
	if (!rc) {
		take(&m, to);
		to->turn_ns = (after.busy_ns - before.busy_ns) / (after.packets - before.packets);
		to->generator_cpu = r.cpu_share_max;
		to->failed = (double)r.all.failed;
		to->unsent = (double)r.all.unsent;
		to->p50_ns = or_infinite(load_stats_quantile(&r.all, 500));
		to->p99_ns = or_infinite(load_stats_quantile(&r.all, 990));
	}
	load_result_free(&r);
	return rc;
}

/* Longer, where it was left no time. */
static int measure_server(struct tcp_bench *b, u32 load, struct tcp_server *s,
			  struct tcp_sample *to)
{
	u64 ns = (u64)(b->args->seconds * 1e9);
	u32 i;
	int rc = 1;

	for (i = 0; i < TRIES && rc > 0; i++)
		rc = measure_for(b, load, s, ns << i, to);
	if (rc > 0)
		return fail("bench dataplane: nothing was seen of %s in %.1f s: the machine is too "
			    "busy, try again on a quieter one", s->target, (double)(ns << (i - 1)) / 1e9);
	return rc;
}

static const char *const who_names[TCP_WHO] = { "rp-dataplane", "memcached" };
static const char *const load_names[TCP_LOADS] = {
	"TCP echo from a port", "key-value from a port", "TCP echo", "key-value",
	"key-value, half load", "key-value from a port, half load"
};

static int measure_one(struct tcp_bench *b, u32 load, u32 round, u32 who)
{
	const struct tcp_bench_args *a = b->args;
	struct tcp_server s;
	int rc;

	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[Kbench dataplane: %s, round %u/%u, %s", load_names[load],
			round + 1, a->rounds, who_names[who]);
	if (who == TCP_MEMCACHED)
		rc = tcp_server_memcached(&s, &b->net, b->memcached, a->connections);
	else
		rc = tcp_server_dataplane(&s, is_echo(load) ? "echo" : "kv",
					  is_half(load) ? &a->pacing : &a->peak_pacing,
					  is_by_port(load) ? BY_PORT : BY_TAP);
	if (!rc)
		rc = measure_server(b, load, &s, &b->sample[load][who][round]);
	tcp_server_stop(&s);
	return rc;
}

/* ---- All of them ---- */

bool tcp_bench_measures(const struct tcp_bench *b, u32 load, u32 who)
{
	if (load == TCP_ECHO_PORT || load == TCP_KV_PORT)
		return who == TCP_DATAPLANE;
	if (b->why_no_net[0] || (is_by_port(load) && who != TCP_DATAPLANE))
		return false;
	return load == TCP_ECHO_PEAK ? who == TCP_DATAPLANE : !b->why_no_memcached[0];
}

double tcp_bench_median(const struct tcp_bench *b, u32 load, u32 who, size_t field)
{
	double v[BENCH_ROUNDS_MAX];
	u32 i;

	if (!tcp_bench_measures(b, load, who))
		return UNKNOWN;
	for (i = 0; i < b->args->rounds; i++)
		v[i] = *(const double *)((const char *)&b->sample[load][who][i] + field);
	return median(v, b->args->rounds);
}

static int measure_load(struct tcp_bench *b, u32 load)
{
	u32 round, i, who;

	for (round = 0; round < b->args->rounds; round++)
		for (i = 0; i < TCP_WHO; i++) {
			/* Another one begins each round. */
			who = (i + round) % TCP_WHO;
			if (tcp_bench_measures(b, load, who) && measure_one(b, load, round, who))
				return -1;
		}
	return 0;
}

static int measure_over_sockets(struct tcp_bench *b)
{
	const size_t rps = offsetof(struct tcp_sample, done_rps);

	if (load_sockets_allow(b->args->connections) || measure_load(b, TCP_ECHO_PEAK) ||
	    tcp_idle_measure(&b->args->pacing, &b->idle_bytes) || measure_load(b, TCP_KV_PEAK))
		return -1;
	if (b->why_no_memcached[0])
		return 0;
	b->half_rps = fmin(tcp_bench_median(b, TCP_KV_PEAK, TCP_DATAPLANE, rps),
			   tcp_bench_median(b, TCP_KV_PEAK, TCP_MEMCACHED, rps)) / 2;
	return measure_load(b, TCP_KV_HALF) || measure_load(b, TCP_KV_PORT_HALF) ? -1 : 0;
}

/* Why something is not possible here is part of the result. */
static int find_out(struct tcp_bench *b)
{
	const char *program;
	int rc;

	fail_capture(b->why_no_net, sizeof(b->why_no_net));
	rc = own_net_open(&b->net);
	fail_capture(b->why_no_memcached, sizeof(b->why_no_memcached));
	program = tcp_server_find_memcached();
	fail_capture(NULL, 0);
	if (program)
		snprintf(b->memcached, sizeof(b->memcached), "%s", program);
	if (b->why_no_net[0])
		snprintf(b->why_no_memcached, sizeof(b->why_no_memcached), "%s", b->why_no_net);
	/* Without a reason it was stopped. */
	return rc && !b->why_no_net[0] ? -1 : 0;
}

int tcp_bench_run(struct tcp_bench *b, const struct tcp_bench_args *args)
{
	int rc;

	memset(b, 0, sizeof(*b));
	b->args = args;
	b->half_rps = b->idle_bytes = UNKNOWN;
	rc = find_out(b);
	if (!rc)
		rc = measure_load(b, TCP_ECHO_PORT) || measure_load(b, TCP_KV_PORT) ? -1 : 0;
	if (!rc && !b->why_no_net[0])
		rc = measure_over_sockets(b);
	own_net_close(&b->net);
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
	return rc;
}
