// SPDX-License-Identifier: GPL-2.0-or-later
/* Options of `ringpace load`: their table, values, and what they need of each other. */
#include "load/args.h"

#include <argp.h>
#include <arpa/inet.h>

#include "bench/options.h"
#include "hostsim/hostsim.h"
#include "load/args_value.h"
#include "model_args.h"

#define BYTES_MAX	65536u
#define UDP_BYTES_MAX	1472u	/* a frame's */
/* Of the rate, when --noise-rps is not given; and the intervals of a run. */
#define NOISE_PART	20
#define INTERVALS	100u
#define INTERVAL_MIN_NS	10000000u

enum {
	OPT_PROTO = 256, OPT_BYTES, OPT_KEYS, OPT_GETS, OPT_PATH, OPT_RATE, OPT_SHAPE, OPT_SPACING,
	OPT_PERIOD, OPT_NOISE, OPT_SEED, OPT_DURATION, OPT_WARMUP, OPT_CONNECTIONS, OPT_PIPELINE,
	OPT_CONNECT_RATE, OPT_TIMEOUT, OPT_LATE, OPT_AGENT, OPT_THREADS, OPT_CPUS, OPT_SPIN,
	OPT_TRANSPORT, OPT_SOCKET, OPT_OWN_IP, OPT_MACS, OPT_SLO, OPT_REPEATS, OPT_CSV,
	OPT_INTERVAL, OPT_JSON,
};

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "The requests:", 1 },
	{ "proto", OPT_PROTO, "NAME", 0, "echo (default): what comes back is what was sent, over "
	  "TCP; udp-echo: the same in datagrams; memcached: its text protocol, Facebook's mix USR; "
	  "http: GETs of one page, HTTP/1.1", 0 },
	{ "bytes", OPT_BYTES, "BYTES", 0, "of an echo, 1..65536, of a datagram 8..1472 (64)", 0 },
	{ "keys", OPT_KEYS, "N", 0, "memcached: keys, set before the load, 1..10000000 (10000)", 0 },
	{ "get-percent", OPT_GETS, "PERCENT", 0, "memcached: share of GETs, the rest are SETs (99)", 0 },
	{ "path", OPT_PATH, "PATH", 0, "http: of the page (/)", 0 },
	{ NULL, 0, NULL, 0, "When they are due:", 2 },
	{ "rate-rps", OPT_RATE, "R", 0, "requests per second, at the shape's highest (1000)", 0 },
	{ "shape", OPT_SHAPE, "NAME", 0, "flat (default); slope: up and down; step: 12 stairs up "
	  "and down; sine: a sine and noise", 0 },
	{ "spacing", OPT_SPACING, "poisson|even", 0, "Poisson arrivals (default), or all at the same "
	  "distance while the rate is the same", 0 },
	{ "period-s", OPT_PERIOD, "S", 0, "of a shape, seconds (duration and warm-up)", 0 },
	{ "noise-rps", OPT_NOISE, "R", 0, "sine: noise of up to so much, 48 times a period (rate/20)", 0 },
	{ "seed", OPT_SEED, "N", 0, "of arrivals, noise and keys, 0..4294967295 (1)", 0 },
	{ "duration-s", OPT_DURATION, "S", 0, "measured time, seconds (10)", 0 },
	{ "warmup-s", OPT_WARMUP, "S", 0, "load before it that is not counted, seconds (0)", 0 },
	{ "late-ns", OPT_LATE, "NS", 0, "a request that is sent so much later than it was due counts as "
	  "missed, ns (1000000)", 0 },
	{ NULL, 0, NULL, 0, "The connections:", 3 },
	{ "connections", OPT_CONNECTIONS, "N", 0, "1..50000 (16)", 0 },
	{ "pipeline", OPT_PIPELINE, "N", 0, "requests on their way per connection, 1..4 (1)", 0 },
	{ "connect-rps", OPT_CONNECT_RATE, "R", 0, "connections opened per second (2000)", 0 },
	{ "timeout-ms", OPT_TIMEOUT, "MS", 0, "the most that a reply may take, ms, 1..60000 (1000)", 0 },
	{ "agent-rps", OPT_AGENT, "R", 0, "of the agent, which measures latency on a connection and "
	  "in a thread of its own, requests per second; 0: none (100)", 0 },
	{ NULL, 0, NULL, 0, "The generator:", 4 },
	{ "threads", OPT_THREADS, "N", 0, "1..64 (1)", 0 },
	{ "cpus", OPT_CPUS, "LIST", 0, "CPUs for the threads, in turns: 2,3", 0 },
	{ "spin", OPT_SPIN, NULL, 0, "threads never sleep: exact, and each takes a CPU", 0 },
	{ "transport", OPT_TRANSPORT, "NAME", 0, "sockets (default): the kernel's; port: a guest of its "
	  "own at a port of ringpaced, with a TCP of its own", 0 },
	{ "socket", OPT_SOCKET, "PATH", 0, "port: its vhost-user socket", 0 },
	{ "own-ip", OPT_OWN_IP, "ADDRESS", 0, "port: our IPv4 address (10.0.0.1)", 0 },
	{ "macs", OPT_MACS, "OURS,THEIRS", 0, "port: Ethernet addresses; of TCP only ours counts "
	  "(02:00:00:00:00:01,02:00:00:00:00:02)", 0 },
	{ NULL, 0, NULL, 0, "What is wanted:", 5 },
	{ "slo-p99-ns", OPT_SLO, "NS", 0, "find the highest rate up to --rate-rps with which the p99 of "
	  "all that is due is at most NS; each run lasts --duration-s", 0 },
	{ "slo-repeats", OPT_REPEATS, "N", 0, "runs of each rate, whose median counts, 1..9 (3)", 0 },
	{ "csv", OPT_CSV, "FILE", 0, "write what happened in each interval (`ringpace plot load`)", 0 },
	{ "interval-ms", OPT_INTERVAL, "MS", 0, "of the CSV, ms (a hundredth of the duration, at "
	  "least 10)", 0 },
	{ "json", OPT_JSON, NULL, 0, "one JSON object (docs/load.md)", 0 },
	{ 0 }
};

/* ---- What they need of each other ---- */

static bool on_port(const struct load_params *p)
{
	return p->transport != &load_transport_sockets;
}

static void check_transport(struct argp_state *state, struct load_args *a)
{
	struct load_params *p = &a->p;

	if (p->transport == &load_transport_port && !p->gen.proto->datagram)
		p->transport = &load_transport_port_tcp;
	if (p->transport->threads_max == 1 && !a->agent_given)
		p->agent_rate = 0;
	if (p->threads + (p->agent_rate > 0) > p->transport->threads_max)
		argp_error(state, "--transport %s is not available for more than one thread, the agent's "
			   "included: answers may come by any pair of queues", p->transport->name);
	if (!p->target.socket != !on_port(p))
		argp_error(state, "--socket and --transport port: one needs the other");
	if (on_port(p) &&
	    inet_pton(AF_INET, a->own_ip, &p->target.own_ip) != 1)
		argp_error(state, "--own-ip %s: not an IPv4 address", a->own_ip);
}

static void check_target(struct argp_state *state, struct load_args *a)
{
	struct load_target *t = &a->p.target;
	const char *why;

	if (!t->name)
		argp_error(state, "to whom? HOST:PORT");
	t->datagram = a->p.gen.proto->datagram;
	why = load_target_resolve(t);
	if (why)
		argp_error(state, "%s: %s", t->name, why);
	if (on_port(&a->p) && t->addr.ss_family != AF_INET)
		argp_error(state, "%s: a port speaks IPv4 only", t->name);
	a->p.gen.target = t->name;
	a->p.gen.opt.host = t->name;
}

static void check_sizes(struct argp_state *state, const struct load_args *a)
{
	const struct load_gen_config *c = &a->p.gen;

	if (c->proto->datagram && (c->opt.bytes < sizeof(u64) || c->opt.bytes > UDP_BYTES_MAX))
		argp_error(state, "--bytes %u: a datagram has 8..%u", c->opt.bytes, UDP_BYTES_MAX);
	if (c->connections < a->p.threads)
		argp_error(state, "--connections %u: fewer than --threads %u", c->connections,
			   a->p.threads);
	if (!a->duration_ns)
		argp_error(state, "--duration-s 0: nothing would be measured");
	if (a->interval_ns && a->duration_ns / a->interval_ns >= LOAD_POINTS_MAX)
		argp_error(state, "--interval-ms: more than %u intervals", LOAD_POINTS_MAX);
	if (a->slo_p99_ns && a->csv)
		argp_error(state, "--slo-p99-ns and --csv: which of the runs?");
}

static void derive(struct load_args *a)
{
	struct load_params *p = &a->p;
	struct load_offer *o = &p->offer;
	u64 rng = o->seed;

	o->duration_ns = a->duration_ns + p->gen.warmup_ns;
	o->rate.period_s = (double)(a->period_ns ? a->period_ns : o->duration_ns) / 1e9;
	load_params_rate(p, a->rate);
	shape_noise(&o->rate, is_known(a->noise_rate) ? a->noise_rate : a->rate / NOISE_PART,
		    hs_uniform, &rng);
	p->gen.interval_ns = a->interval_ns ? a->interval_ns : a->duration_ns / INTERVALS;
	if (!a->interval_ns && p->gen.interval_ns < INTERVAL_MIN_NS)
		p->gen.interval_ns = INTERVAL_MIN_NS;
	p->gen.connect_gap_ns = NSEC_PER_SEC / a->connect_rate;
}

/* ---- Parsing ---- */

static error_t parse_requests(int key, char *arg, struct argp_state *state)
{
	struct load_args *a = state->input;
	struct load_gen_config *c = &a->p.gen;

	switch (key) {
	case OPT_PROTO: c->proto = load_arg_proto(state, arg); break;
	case OPT_BYTES: c->opt.bytes = (u32)opt_between(state, "bytes", arg, 1, BYTES_MAX); break;
	case OPT_KEYS: c->opt.keys = (u32)opt_between(state, "keys", arg, 1, LOAD_KEYS_MAX); break;
	case OPT_GETS: c->opt.get_percent = (u32)opt_number(state, "get-percent", arg, 100); break;
	case OPT_PATH: c->opt.path = load_arg_path(state, arg); break;
	case OPT_RATE: a->rate = load_arg_rate(state, "rate-rps", arg, 0.001); break;
	case OPT_SHAPE: a->p.offer.shape = load_arg_shape(state, arg); break;
	case OPT_SPACING: a->p.offer.even = load_arg_even(state, arg); break;
	case OPT_PERIOD: a->period_ns = opt_seconds(state, "period-s", arg); break;
	case OPT_NOISE: a->noise_rate = load_arg_rate(state, "noise-rps", arg, 0); break;
	case OPT_SEED: a->p.offer.seed = opt_number(state, "seed", arg, UINT32_MAX); break;
	case OPT_DURATION: a->duration_ns = opt_seconds(state, "duration-s", arg); break;
	case OPT_WARMUP: c->warmup_ns = opt_seconds(state, "warmup-s", arg); break;
	case OPT_LATE: c->late_ns = opt_number(state, "late-ns", arg, NSEC_PER_SEC); break;
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static error_t parse_generator(int key, char *arg, struct argp_state *state)
{
	struct load_args *a = state->input;
	struct load_params *p = &a->p;

	switch (key) {
	case OPT_CONNECTIONS:
		p->gen.connections = (u32)opt_between(state, "connections", arg, 1,
						      LOAD_CONNECTIONS_MAX);
		break;
	case OPT_PIPELINE:
		p->gen.pipeline = (u32)opt_between(state, "pipeline", arg, 1, LOAD_PIPELINE_MAX);
		break;
	case OPT_CONNECT_RATE:
		a->connect_rate = opt_between(state, "connect-rps", arg, 1, 1000000);
		break;
	case OPT_TIMEOUT:
		p->gen.timeout_ns = opt_between(state, "timeout-ms", arg, 1, 60000) * 1000000;
		break;
	case OPT_AGENT:
		p->agent_rate = load_arg_rate(state, "agent-rps", arg, 0);
		a->agent_given = true;
		break;
	case OPT_THREADS:
		p->threads = (u32)opt_between(state, "threads", arg, 1, LOAD_THREADS_MAX);
		break;
	case OPT_CPUS: load_arg_cpus(state, p, arg); break;
	case OPT_SPIN: p->target.spin = true; break;
	case OPT_TRANSPORT: p->transport = load_arg_transport(state, arg); break;
	case OPT_SOCKET: p->target.socket = arg; break;
	case OPT_OWN_IP: a->own_ip = arg; break;
	case OPT_MACS: load_arg_macs(state, &p->target, arg); break;
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct load_args *a = state->input;

	switch (key) {
	case OPT_SLO:
		a->slo_p99_ns = opt_between(state, "slo-p99-ns", arg, 1, 60 * NSEC_PER_SEC);
		break;
	case OPT_REPEATS:
		a->slo_repeats = (u32)opt_between(state, "slo-repeats", arg, 1, 9);
		break;
	case OPT_CSV: a->csv = arg; break;
	case OPT_INTERVAL:
		a->interval_ns = opt_between(state, "interval-ms", arg, 1, 3600000) * 1000000;
		break;
	case OPT_JSON: a->json = true; break;
	case ARGP_KEY_ARG:
		if (a->p.target.name)
			argp_error(state, "%s: one server at a time", arg);
		a->p.target.name = arg;
		break;
	case ARGP_KEY_END:
		check_transport(state, a);
		check_target(state, a);
		check_sizes(state, a);
		derive(a);
		break;
	default:
		return parse_requests(key, arg, state) && parse_generator(key, arg, state) ?
		       ARGP_ERR_UNKNOWN : 0;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.args_doc = "HOST:PORT",
	.parser = parse,
	.doc = "Offers a server requests when they are due, whatever becomes of those before them, and "
	"tells how long the answers took from then on, and how many were missed.\v"
	"Examples:\n\n"
	"  ringpace load --rate-rps 20000 --connections 1000 --pipeline 4 10.0.0.2:7\n"
	"  ringpace load --proto memcached --shape sine --duration-s 60 --csv load.csv localhost:11211\n"
	"  ringpace load --proto http --slo-p99-ns 500000 --rate-rps 100000 --duration-s 2 [::1]:80\n"
	"  ringpace load --proto udp-echo --transport port --socket /run/a.sock 10.0.0.2:7\n"
	"  ringpace load --proto echo --transport port --socket /run/a.sock 10.0.0.2:7\n\n"
	"Ctrl-C ends it early, with what was measured until then. Exit code 1 if the server cannot be "
	"reached or does not speak the protocol, or nothing was answered.",
};

void load_args_parse(int argc, char **argv, struct load_args *a)
{
	*a = (struct load_args){
		.rate = 1000, .noise_rate = UNKNOWN, .duration_ns = 10 * NSEC_PER_SEC,
		.connect_rate = 2000, .slo_repeats = 3, .own_ip = "10.0.0.1",
	};
	load_params_default(&a->p);
	argp_parse(&argp, argc, argv, 0, NULL, a);
}
