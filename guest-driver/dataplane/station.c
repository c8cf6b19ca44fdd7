// SPDX-License-Identifier: GPL-2.0-or-later
/* Options of applications with TCP, and the station that they make. */
#include "station.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/net.h"

struct entry {
	const struct conn_app *app;
	u16 port;		/* that it listens to, where nothing is said */
};

static const struct entry entries[] = {
	{ &conn_echo, 7 },
};

static struct net_config config;
static struct dp_app chosen;
static u16 listens;		/* 0: the application's own */

enum { OPT_ADDRESS = 512, OPT_GATEWAY, OPT_LISTEN };

static const struct argp_option option_table[] = {
	{ "address", OPT_ADDRESS, "A.B.C.D/BITS", 0, "of the station, for applications with TCP", 1 },
	{ "gateway", OPT_GATEWAY, "A.B.C.D", 0, "to other networks (none)", 1 },
	{ "listen", OPT_LISTEN, "PORT", 0, "of TCP, 1 to 65535 (echo: 7)", 1 },
	{ 0 }
};

static void set_address(struct argp_state *state, const char *arg)
{
	char ip[INET_ADDRSTRLEN] = "", end;
	unsigned int bits;

	if (sscanf(arg, "%15[0-9.]/%u%c", ip, &bits, &end) != 2 || bits < 1 || bits > 30 ||
	    inet_pton(AF_INET, ip, &config.ip) != 1)
		argp_error(state, "--address: %s is no A.B.C.D/BITS, as 10.0.0.2/24", arg);
	config.mask = htonl(~0U << (32 - bits));
}

static u16 port_of(struct argp_state *state, const char *arg)
{
	char *end;
	unsigned long v = strtoul(arg, &end, 10);

	if (*arg < '0' || *arg > '9' || *end || !v || v > 65535)
		argp_error(state, "--listen: %s is not in 1..65535", arg);
	return (u16)v;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case OPT_ADDRESS: set_address(state, arg); break;
	case OPT_GATEWAY:
		if (inet_pton(AF_INET, arg, &config.gateway) != 1)
			argp_error(state, "--gateway: %s is no address of IPv4", arg);
		break;
	case OPT_LISTEN: listens = port_of(state, arg); break;
	case ARGP_KEY_END:
		if (config.app && !config.ip)
			argp_error(state, "--app %s: --address is needed", config.app->name);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

const struct argp station_argp = { .options = option_table, .parser = parse };

const struct dp_app *station_find(const char *name)
{
	u32 i;

	for (i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		if (!strcmp(name, entries[i].app->name)) {
			config.app = entries[i].app;
			config.port = entries[i].port;
			chosen = net_app;
			chosen.name = name;
			return &chosen;
		}
	return NULL;
}

void *station_open(struct dp_port *port, u32 groups)
{
	struct net *net;

	if (listens)
		config.port = listens;
	net = net_new(&config, port, groups);
	if (!net)
		fprintf(stderr, "rp-dataplane: no memory for the station\n");
	return net;
}

void station_close(void *station)
{
	net_free(station);
}
