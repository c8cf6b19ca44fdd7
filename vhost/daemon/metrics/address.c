// SPDX-License-Identifier: GPL-2.0-or-later
/* The argument of --metrics. */
#include <arpa/inet.h>
#include <string.h>

#include "metrics/address.h"
#include "optval.h"

static const char *expected(void)
{
	return "expected unix:PATH, or HOST:PORT with HOST an IPv4 address, an IPv6 address in "
	       "[], or localhost";
}

static bool set_ipv4(const char *host, u32 port, struct metrics_address *a)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&a->addr;

	in->sin_family = AF_INET;
	in->sin_port = htons((u16)port);
	a->bytes = sizeof(*in);
	if (inet_pton(AF_INET, !strcmp(host, "localhost") ? "127.0.0.1" : host, &in->sin_addr) != 1)
		return false;
	a->loopback = ntohl(in->sin_addr.s_addr) >> 24 == 127;
	return true;
}

/* @host: with its brackets. */
static bool set_ipv6(char *host, u32 port, struct metrics_address *a)
{
	struct sockaddr_in6 *in = (struct sockaddr_in6 *)&a->addr;
	size_t n = strlen(host);

	if (host[n - 1] != ']')
		return false;
	host[n - 1] = '\0';
	in->sin6_family = AF_INET6;
	in->sin6_port = htons((u16)port);
	a->bytes = sizeof(*in);
	if (inet_pton(AF_INET6, host + 1, &in->sin6_addr) != 1)
		return false;
	a->loopback = IN6_IS_ADDR_LOOPBACK(&in->sin6_addr);
	return true;
}

const char *metrics_parse_address(char *arg, struct metrics_address *a)
{
	char *colon = strrchr(arg, ':');
	u32 port;

	memset(a, 0, sizeof(*a));
	if (!strncmp(arg, "unix:", 5)) {
		a->unix_path = arg + 5;
		return *a->unix_path ? NULL : expected();
	}
	if (!colon || colon == arg)
		return expected();
	*colon = '\0';
	if (!opt_u32(colon + 1, 1, 65535, &port))
		return "the port is not in 1..65535";
	if (*arg == '[' ? set_ipv6(arg, port, a) : set_ipv4(arg, port, a))
		return NULL;
	return expected();
}
