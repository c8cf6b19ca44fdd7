// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two guests at two linked ports of a ringpaced that somebody else runs: a sends so
 * many frames to b, and b half as many back. One JSON object says what came of it.
 */
#include <stdlib.h>
#include <unistd.h>

#include "net_bed.h"

static void tell(const char *name, const struct net_end *to, u64 took_ns)
{
	const struct net_rx *rx = &to->rx[0];

	printf("\"%s\":{\"packets\":%llu,\"bytes\":%llu,\"lost\":%llu,\"bad\":%llu,"
	       "\"reordered\":%llu,\"took_ns\":%llu}", name, (unsigned long long)rx->packets,
	       (unsigned long long)rx->bytes, (unsigned long long)rx->lost,
	       (unsigned long long)rx->bad, (unsigned long long)rx->reordered,
	       (unsigned long long)took_ns);
}

/* Turns of ROUND frames there and half as many back, until so many are through and, if
 * a stop file is named, it exists. */
enum { ROUND = 1000 };

static int run(struct net_end *a, struct net_end *b, u64 frames, const char *stop)
{
	u64 ab = 0, ba = 0, start;

	while (a->tx[0].sent < frames || (stop && access(stop, F_OK))) {
		u64 n = !stop || frames < ROUND ? frames : ROUND;

		start = now_ns();
		if (!stream(a, b, 0, n))
			return fail("not all frames arrived at b: %llu of %llu",
				    (unsigned long long)b->rx[0].packets,
				    (unsigned long long)a->tx[0].sent);
		ab += now_ns() - start;
		start = now_ns();
		if (n / 2 && !stream(b, a, 0, n / 2))
			return fail("not all frames arrived at a");
		ba += now_ns() - start;
	}
	printf("{");
	tell("ab", b, ab);
	printf(",");
	tell("ba", a, ba);
	printf("}\n");
	return 0;
}

int main(int argc, char **argv)
{
	struct net_end_options o = {
		.pairs = 1, .slots = SLOTS, .rx_bytes = 2048, .pieces = 1, .check_all = true,
		.timeout_ms = 60000,
	};
	static struct net_end a, b;
	int rc;

	if (argc != 5 && argc != 6) {
		fprintf(stderr, "Usage: test-ports SOCKET-A SOCKET-B FRAMES FRAME-BYTES [STOP]\n");
		return 2;
	}
	o.frame_bytes = (u32)strtoul(argv[4], NULL, 10);
	/* First the one that receives: nobody has to wait for it then. */
	o.socket = argv[2];
	o.station = 2;
	rc = net_end_open(&b, &o);
	o.socket = argv[1];
	o.station = 1;
	rc = rc ? rc : net_end_open(&a, &o);
	a.to = 2;
	b.to = 1;
	rc = rc ? rc : run(&a, &b, strtoull(argv[3], NULL, 10), argv[5]);
	net_end_close(&b);
	net_end_close(&a);
	return rc ? 1 : 0;
}
