// SPDX-License-Identifier: GPL-2.0-or-later
/* Options of applications with TCP, and the station that they make. */
#include "station.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/http.h"
#include "kv/app.h"
#include "kv/store.h"

struct entry {
	const struct conn_app *app;
	u16 port;		/* that it listens to, where nothing is said */
	const struct udp_app *udp;	/* at that port, too; may be NULL */
	/* Its app_arg, for so many threads; NULL after a line on stderr. Both may be NULL. */
	void *(*open)(u32 threads);
	void (*close)(void *app_arg);
};

static struct {
	const char *root;
	u32 mib;
} http = { .mib = 256 };

static void *open_http(u32 threads)
{
	return http_open(http.root, (u64)http.mib << 20);
}

static void close_http(void *site)
{
	site_close(site);
}

static void *open_kv(u32 threads);
static void close_kv(void *store);

static const struct entry entries[] = {
	{ .app = &conn_echo, .port = 7, .udp = &udp_echo },
	{ .app = &conn_http, .port = HTTP_PORT, .open = open_http, .close = close_http },
	{ .app = &conn_kv, .port = 11211, .open = open_kv, .close = close_kv },
};

static const struct entry *entry;	/* that was chosen */
static struct net_config config;
static struct dp_app chosen;
static u16 listens;		/* 0: the application's own */
static u64 kv_memory_bytes = 64u << 20;

enum { OPT_ADDRESS = 512, OPT_GATEWAY, OPT_LISTEN, OPT_HTTP_ROOT, OPT_HTTP_MIB, OPT_KV_MEMORY };

static const struct argp_option option_table[] = {
	{ "address", OPT_ADDRESS, "A.B.C.D/BITS", 0, "of the station, for applications "
	  "with TCP, forward and nat", 1 },
	{ "gateway", OPT_GATEWAY, "A.B.C.D", 0, "to other networks (none)", 1 },
	{ "listen", OPT_LISTEN, "PORT", 0, "of TCP, and of UDP for echo, 1 to 65535 (echo: 7, http: 80, kv: 11211)", 1 },
	{ "http-root", OPT_HTTP_ROOT, "DIR", 0, "of --app http: what is below it is served, as it "
	  "is when the program starts", 1 },
	{ "http-mib", OPT_HTTP_MIB, "MIB", 0, "most that the files may have together, 1 to 65536 "
	  "(256)", 1 },
	{ "kv-memory-bytes", OPT_KV_MEMORY, "BYTES", 0, "of --app kv: for keys and values, at least 8 MiB; "
	  "beyond it those go that were not used lately (67108864)", 1 },
	{ 0 }
};

const struct net_config *station_config(void)
{
	return &config;
}

bool station_address(const char *arg, u32 *ip, u32 *mask)
{
	char text[INET_ADDRSTRLEN] = "", end;
	unsigned int bits;

	if (sscanf(arg, "%15[0-9.]/%u%c", text, &bits, &end) != 2 || bits < 1 || bits > 30 ||
	    inet_pton(AF_INET, text, ip) != 1)
		return false;
	*mask = htonl(~0U << (32 - bits));
	return true;
}

static u32 number(struct argp_state *state, const char *what, const char *arg, u32 max)
{
	char *end;
	unsigned long v = strtoul(arg, &end, 10);

	if (*arg < '0' || *arg > '9' || *end || !v || v > max)
		argp_error(state, "%s: %s is not in 1..%u", what, arg, max);
	return (u32)v;
}

static void check(struct argp_state *state)
{
	if (config.app && !config.ip)
		argp_error(state, "--app %s: --address is needed", config.app->name);
	if (config.app == &conn_http && !http.root)
		argp_error(state, "--app http: --http-root is needed");
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
	case OPT_ADDRESS:
		if (!station_address(arg, &config.ip, &config.mask))
			argp_error(state, "--address: %s is no A.B.C.D/BITS, as 10.0.0.2/24", arg);
		break;
	case OPT_GATEWAY:
		if (inet_pton(AF_INET, arg, &config.gateway) != 1)
			argp_error(state, "--gateway: %s is no address of IPv4", arg);
		break;
	case OPT_LISTEN: listens = (u16)number(state, "--listen", arg, 65535); break;
	case OPT_HTTP_ROOT: http.root = arg; break;
	case OPT_HTTP_MIB: http.mib = number(state, "--http-mib", arg, 65536); break;
	case OPT_KV_MEMORY: kv_memory_bytes = memory_of(state, arg); break;
	case ARGP_KEY_END: check(state); break;
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
			config.udp = entries[i].udp;
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
