// SPDX-License-Identifier: GPL-2.0-or-later
/* Options of applications with TCP, and the station that they make. */
#include "station.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "kv/app.h"
#include "kv/store.h"
#include "net/net.h"

struct entry {
	const struct conn_app *app;
	u16 port;		/* that it listens to, where nothing is said */
	/* What it needs, for so many threads; NULL after a line on stderr. May be NULL. */
	void *(*open)(u32 threads);
	void (*close)(void *what);
};

static void *open_kv(u32 threads);
static void close_kv(void *store);

static const struct entry entries[] = {
	{ &conn_echo, 7, NULL, NULL },
	{ &conn_kv, 11211, open_kv, close_kv },
};

static const struct entry *entry;
static struct net_config config;
static struct dp_app chosen;
static u16 listens;		/* 0: the application's own */
static u64 kv_memory_bytes = 64u << 20;

enum { OPT_ADDRESS = 512, OPT_GATEWAY, OPT_LISTEN, OPT_KV_MEMORY };

static const struct argp_option option_table[] = {
	{ "address", OPT_ADDRESS, "A.B.C.D/BITS", 0, "of the station, for applications with TCP", 1 },
	{ "gateway", OPT_GATEWAY, "A.B.C.D", 0, "to other networks (none)", 1 },
	{ "listen", OPT_LISTEN, "PORT", 0, "of TCP, 1 to 65535 (echo: 7, kv: 11211)", 1 },
	{ "kv-memory-bytes", OPT_KV_MEMORY, "BYTES", 0, "of kv: for keys and values, at least 8 MiB; "
	  "beyond it those go that were not used lately (67108864)", 1 },
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

static u64 memory_of(struct argp_state *state, const char *arg)
{
	char *end;
	unsigned long long v = strtoull(arg, &end, 10);

	if (*arg < '0' || *arg > '9' || *end || v < KV_MEMORY_MIN || v > 1ULL << 44)
		argp_error(state, "--kv-memory-bytes: %s is not in %u..%llu", arg, KV_MEMORY_MIN,
			   1ULL << 44);
	return v;
}

static void *open_kv(u32 threads)
{
	struct kv_store *st = kv_store_new(kv_memory_bytes, threads);

	if (!st)
		fprintf(stderr, "rp-dataplane: --kv-memory-bytes %llu: no memory for its tables\n",
			(unsigned long long)kv_memory_bytes);
	return st;
}

static void close_kv(void *store)
{
	kv_store_free(store);
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
	case OPT_KV_MEMORY: kv_memory_bytes = memory_of(state, arg); break;
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
			entry = &entries[i];
			config.app = entries[i].app;
			config.port = entries[i].port;
			chosen = net_app;
			chosen.name = name;
			return &chosen;
		}
	return NULL;
}

void *station_open(struct dp_port *port, u32 threads, u32 groups)
{
	struct net *net;

	if (listens)
		config.port = listens;
	if (entry->open) {
		config.app_arg = entry->open(threads);
		if (!config.app_arg)
			return NULL;
	}
	net = net_new(&config, port, groups);
	if (net)
		return net;
	fprintf(stderr, "rp-dataplane: no memory for the station\n");
	if (entry->close)
		entry->close(config.app_arg);
	return NULL;
}

void station_close(void *station)
{
	net_free(station);
	if (entry->close)
		entry->close(config.app_arg);
}
