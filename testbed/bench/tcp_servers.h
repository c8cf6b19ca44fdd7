/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench dataplane's part over TCP: echo of rp-dataplane, and its key-value server beside
 * Debian's memcached, each with the server's side on one CPU and the load generator on
 * another: over the kernel's sockets, or, ours only, as a guest with a TCP of its own at a
 * port of ringpaced (load/transport_tcp.c), which keeps the server busy. Rounds alternate.
 *
 * Theory of operation. `peak`: more is offered than anybody can answer, so that every
 * connection always has a request out; what is answered is the highest rate that is held,
 * and CPU time by requests what each costs. `half`: half of the slower one's peak (median of the
 * rounds) is offered evenly in the mean (Poisson); latency counts from when a request was
 * due. CPU time is read at two moments of the measured time, with the requests done by
 * then, so that neither start-up nor set-up is in it.
 */
#ifndef BENCH_TCP_SERVERS_H
#define BENCH_TCP_SERVERS_H

#include "bench/options.h"
#include "dataplane/tcp_server.h"
#include "json.h"

struct tcp_bench_args {
	u32 rounds;
	double seconds;		/* of each measurement */
	u32 connections;
	/* How rp-dataplane waits: where latency is measured; in peaks. */
	struct tcp_server_pacing pacing, peak_pacing;
};

enum tcp_load {
	TCP_ECHO_PORT, TCP_KV_PORT, TCP_ECHO_PEAK, TCP_KV_PEAK, TCP_KV_HALF,
	TCP_KV_PORT_HALF,	/* the same rate, from a port */
	TCP_LOADS
};
enum tcp_who { TCP_DATAPLANE, TCP_MEMCACHED, TCP_WHO };

/* Of one measurement. */
struct tcp_sample {
	double done_rps;
	double cpu_ns;		/* of the server's process per request, user and system */
	double turn_ns;		/* of rp-dataplane's turns, by the clock, per packet; UNKNOWN */
	double port_cpu_ns;	/* of ringpaced's; UNKNOWN of memcached */
	double softirq_ns;	/* of the whole machine, by clock ticks; UNKNOWN: not counted */
	double cpu;		/* CPUs of the server's side: both of the former */
	double generator_cpu;	/* of the generator's thread, set-up included, 0..1 */
	double p50_ns, p99_ns;	/* of all that was offered; may be infinite */
	double failed, unsent;	/* unsent: due, and no connection was free by the end */
};

struct tcp_bench {
	const struct tcp_bench_args *args;
	struct own_net net;
	char memcached[512];
	char why_no_net[256], why_no_memcached[256];	/* "": there is one */
	double half_rps;	/* UNKNOWN */
	double idle_bytes;	/* of rp-dataplane's memory, a connection at rest; UNKNOWN */
	struct tcp_sample sample[TCP_LOADS][TCP_WHO][BENCH_ROUNDS_MAX];
};

/* What is not possible here is told in ->why_...; 0, or -1 after fail(). */
int tcp_bench_run(struct tcp_bench *b, const struct tcp_bench_args *args);
/* Does @who take part in @load here? */
bool tcp_bench_measures(const struct tcp_bench *b, u32 load, u32 who);
/* The median over the rounds of the double at @field; UNKNOWN where it was not measured. */
double tcp_bench_median(const struct tcp_bench *b, u32 load, u32 who, size_t field);

/* tcp_idle.c: 0, or -1 after fail(). */
int tcp_idle_measure(const struct tcp_server_pacing *pacing, double *bytes);

/* Its keys into @v, and why others are null into @not_measured. */
void tcp_bench_result(const struct tcp_bench *b, json_t *v, json_t *not_measured);
void tcp_bench_print(const json_t *v);

#endif /* BENCH_TCP_SERVERS_H */
