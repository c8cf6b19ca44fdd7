// SPDX-License-Identifier: GPL-2.0-or-later
/* Options of network functions, and what they make. */
#include "functions.h"

#include <stdio.h>
#include <stdlib.h>

#include "forward.h"
#include "nat.h"
#include "routes.h"
#include "station.h"

#define FLOWS_MAX	(1u << 22)

static struct {
	const struct dp_app *app;
	const char *routes;
	struct net_config more[DP_CARDS_MAX - 1];	/* at the cards behind the first one */
	u32 more_count;
	u32 inside_ip, inside_mask;
	u32 flows;
} opt = { .flows = 1u << 16 };

enum { OPT_ROUTES = 768, OPT_INSIDE, OPT_FLOWS, OPT_ALSO };

static const struct argp_option option_table[] = {
	{ "routes", OPT_ROUTES, "FILE", 0, "of --app forward: a prefix and the MAC of its next hop "
	  "in each line, as 10.1.0.0/16 02:00:00:00:00:01, and which card that is at, from 0 (0)", 2 },
	{ "also", OPT_ALSO, "A.B.C.D/BITS", 0, "of --app forward: its address at the next card, as "
	  "--address is at the first one", 2 },
	{ "inside", OPT_INSIDE, "A.B.C.D/BITS", 0, "of --app nat: its address in the network that "
	  "it hides behind --address; with two cards this one is at the second", 2 },
	{ "flows", OPT_FLOWS, "N", 0, "of --app nat: most at a time, over all flow groups, a power of "
	  "two, 512 to 4194304 (65536)", 2 },
	{ 0 }
};

static void set_flows(struct argp_state *state, const char *arg)
{
	char *end;
	unsigned long v = strtoul(arg, &end, 10);

	if (*arg < '0' || *arg > '9' || *end || v < DP_GROUPS_MAX || v > FLOWS_MAX || v & (v - 1))
		argp_error(state, "--flows: %s is no power of two in %u..%u", arg, DP_GROUPS_MAX,
			   FLOWS_MAX);
	opt.flows = (u32)v;
}

static void add_address(struct argp_state *state, const char *arg)
{
	struct net_config *cfg = &opt.more[opt.more_count];

	if (opt.more_count == DP_CARDS_MAX - 1)
		argp_error(state, "--also: there are %u cards at most", DP_CARDS_MAX);
	if (!station_address(arg, &cfg->ip, &cfg->mask))
		argp_error(state, "--also: %s is no A.B.C.D/BITS, as 192.168.0.1/24", arg);
	opt.more_count++;
}

static void check(struct argp_state *state)
{
	if (!opt.app)
		return;
	if (!station_config()->ip)
		argp_error(state, "--app %s: --address is needed", opt.app->name);
	if (opt.app == &nf_forward && !opt.routes)
		argp_error(state, "--app forward: --routes is needed");
	if (opt.app == &nf_nat && !opt.inside_ip)
		argp_error(state, "--app nat: --inside is needed");
	if (opt.app == &nf_nat && !((station_config()->ip ^ opt.inside_ip) & opt.inside_mask))
		argp_error(state, "--app nat: --address is in the network of --inside");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case OPT_ROUTES: opt.routes = arg; break;
	case OPT_INSIDE:
		if (!station_address(arg, &opt.inside_ip, &opt.inside_mask))
			argp_error(state, "--inside: %s is no A.B.C.D/BITS, as 192.168.0.1/24", arg);
		break;
	case OPT_FLOWS: set_flows(state, arg); break;
	case OPT_ALSO: add_address(state, arg); break;
	case ARGP_KEY_END: check(state); break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

const struct argp functions_argp = { .options = option_table, .parser = parse };

const struct dp_app *functions_find(const char *name)
{
	opt.app = !strcmp(name, nf_forward.name) ? &nf_forward :
		  !strcmp(name, nf_nat.name) ? &nf_nat : NULL;
	return opt.app;
}

const char *functions_fit(const struct dp_app *app, u32 cards)
{
	if (app == &nf_nat)
		return cards > 2 ? "--app nat: at most two cards, the outside's and the inside's" : NULL;
	if (app == &nf_forward)
		return opt.more_count == cards - 1 ? NULL :
		       "--app forward: --also is needed once for each card behind the first one";
	return cards > 1 ? "several cards are for --app forward and nat" : NULL;
}

u32 functions_memory_mib(void)
{
	return opt.app == &nf_forward ? ROUTES_MIB : 0;
}

static void *open_forward(struct dp_port *port)
{
	struct net_config cfg[DP_CARDS_MAX] = { *station_config() };
	struct forward *fw = calloc(1, sizeof(*fw));

	if (!fw) {
		fprintf(stderr, "rp-dataplane: no memory for the forwarder\n");
		return NULL;
	}
	memcpy(cfg + 1, opt.more, sizeof(opt.more));
	forward_init(fw, cfg, port);
	fw->routes = routes_open(opt.routes, port->cards);
	fw->find = routes_find;
	if (fw->routes)
		return fw;
	free(fw);
	return NULL;
}

static void *open_nat(struct dp_port *port, u32 groups)
{
	const struct net_config inside = { .ip = opt.inside_ip, .mask = opt.inside_mask };
	struct nat *nat = calloc(1, sizeof(*nat));

	if (!nat)
		fprintf(stderr, "rp-dataplane: no memory for NAT\n");
	else
		nat_init(nat, &inside, station_config(), port, groups, opt.flows / groups);
	return nat;
}

void *functions_open(struct dp_port *port, u32 threads, u32 groups)
{
	return opt.app == &nf_forward ? open_forward(port) : open_nat(port, groups);
}

void functions_close(void *arg)
{
	struct forward *fw = arg;

	if (opt.app == &nf_forward)
		routes_close((struct routes *)fw->routes);
	free(arg);
}
