// SPDX-License-Identifier: GPL-2.0-or-later
/* Values of `ringpace load`'s options. */
#include <ctype.h>
#include <netinet/ether.h>
#include <sched.h>
#include <stdlib.h>

#include "load/args_value.h"

#define RATE_MAX	1e8
#define PATH_MAX_BYTES	1024u

double load_arg_rate(struct argp_state *state, const char *opt, const char *arg, double min)
{
	char *end;
	double v = strtod(arg, &end);

	if (end == arg || *end || !(v >= min && v <= RATE_MAX))
		argp_error(state, "--%s %s: not a rate in %g..%.0f requests per second", opt, arg, min,
			   RATE_MAX);
	return v;
}

const struct shape *load_arg_shape(struct argp_state *state, const char *arg)
{
	static const struct shape *const shapes[] = {
		&shape_flat, &shape_slope, &shape_step, &shape_sine,
	};
	u32 i;

	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (!strcmp(arg, shapes[i]->name))
			return shapes[i];
	argp_error(state, "--shape %s: not one of flat, slope, step, sine", arg);
	return NULL;
}

bool load_arg_even(struct argp_state *state, const char *arg)
{
	if (strcmp(arg, "even") && strcmp(arg, "poisson"))
		argp_error(state, "--spacing %s: neither poisson nor even", arg);
	return !strcmp(arg, "even");
}

void load_arg_cpus(struct argp_state *state, struct load_params *p, const char *arg)
{
	const char *at = arg;
	cpu_set_t allowed;
	char *end;
	u64 cpu;

	CPU_ZERO(&allowed);
	sched_getaffinity(0, sizeof(allowed), &allowed);
	for (p->cpus = 0; p->cpus < LOAD_THREADS_MAX; at = end + 1) {
		cpu = strtoull(at, &end, 10);
		if (!isdigit((unsigned char)*at) || (*end && *end != ',') || cpu >= CPU_SETSIZE)
			argp_error(state, "--cpus %s: not a list of numbers, as 2,3", arg);
		if (!CPU_ISSET(cpu, &allowed))
			argp_error(state, "--cpus %s: this process may not run on CPU %llu", arg,
				   (unsigned long long)cpu);
		p->cpu[p->cpus++] = (int)cpu;
		if (!*end)
			return;
	}
	argp_error(state, "--cpus %s: more than %u", arg, LOAD_THREADS_MAX);
}

void load_arg_macs(struct argp_state *state, struct load_target *t, const char *arg)
{
	char text[64], *comma;
	u32 i;

	snprintf(text, sizeof(text), "%s", arg);
	comma = strchr(text, ',');
	if (comma)
		*comma = 0;
	for (i = 0; i < 2; i++)
		if (!comma || !ether_aton_r(i ? comma + 1 : text, (struct ether_addr *)t->mac[i]))
			argp_error(state, "--macs %s: not two Ethernet addresses, OURS,THEIRS", arg);
}

const struct load_transport_kind *load_arg_transport(struct argp_state *state, const char *arg)
{
	if (!strcmp(arg, load_transport_port.name))
		return &load_transport_port;
	if (strcmp(arg, load_transport_sockets.name))
		argp_error(state, "--transport %s: neither sockets nor port", arg);
	return &load_transport_sockets;
}

const char *load_arg_path(struct argp_state *state, const char *arg)
{
	const char *c;

	for (c = arg; *c > ' ' && *c < 127; c++)
		;
	if (*arg != '/' || *c || c - arg > (ptrdiff_t)PATH_MAX_BYTES)
		argp_error(state, "--path %s: not a path, /..., of printable characters", arg);
	return arg;
}

const struct load_proto_ops *load_arg_proto(struct argp_state *state, const char *arg)
{
	const struct load_proto_ops *ops = load_proto_by_name(arg);

	if (!ops)
		argp_error(state, "--proto %s: not one of echo, udp-echo, memcached, http", arg);
	return ops;
}
