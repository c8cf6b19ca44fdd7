/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where metrics are served: the argument of --metrics. */
#ifndef RINGPACED_METRICS_ADDRESS_H
#define RINGPACED_METRICS_ADDRESS_H

#include <sys/socket.h>

#include "rp.h"

struct metrics_address {
	const char *unix_path;		/* NULL: it is ->addr */
	struct sockaddr_storage addr;
	socklen_t bytes;
	bool loopback;
};

/*
 * unix:PATH, or HOST:PORT where HOST is an IPv4 address, an IPv6 address in
 * brackets, or localhost; no name is looked up. Parsed in place. NULL, or one line of
 * what is wrong.
 */
const char *metrics_parse_address(char *arg, struct metrics_address *a);

#endif /* RINGPACED_METRICS_ADDRESS_H */
