// SPDX-License-Identifier: GPL-2.0-or-later
/* TAP, rigs and streams for tests of ports. */
#include "net_bed.h"

#include <stdlib.h>

static u32 tests, failures;

bool ok(bool good, const char *name, const char *what)
{
	printf("%sok %u - %s: %s\n", good ? "" : "not ", ++tests, name, what);
	fflush(stdout);
	failures += !good;
	return good;
}

int tests_done(void)
{
	printf("1..%u\n", tests);
	return failures ? 1 : 0;
}

struct net_rig *make_rig(u32 ports, u32 frame_bytes)
{
	struct net_rig *r = calloc(1, sizeof(*r));
	u32 i;

	if (!r)
		abort();
	r->pairs = 1;
	r->ports = ports;
	r->full_ms = NEVER_MS;
	for (i = 0; i < ports; i++)
		r->end[i] = (struct net_end_options){
			.pairs = 1, .slots = SLOTS, .frame_bytes = frame_bytes,
			.station = (u8)(i + 1), .rx_bytes = 2048, .pieces = 1, .check_all = true,
		};
	return r;
}

void close_rig(struct net_rig *r)
{
	net_rig_close(r);
	free(r);
}

bool await(struct net_end *e, u32 pair, u64 packets)
{
	u64 end = now_ns() + WAIT_NS;

	while (e->rx[pair].packets < packets) {
		if (now_ns() > end)
			return false;
		if (!net_receive(e, pair, SLOTS))
			net_wait(e, pair, 100);
	}
	return true;
}

bool stream(struct net_end *from, struct net_end *to, u32 pair, u64 n)
{
	u64 goal = from->tx[pair].sent + n, end = now_ns() + WAIT_NS;
	u64 arrive = to->rx[pair].packets + n;

	while (from->tx[pair].sent < goal) {
		u64 left = goal - from->tx[pair].sent;

		if (!net_send(from, pair, left < 32 ? (u32)left : 32) && now_ns() > end)
			return false;
		net_receive(to, pair, 32);
	}
	return await(to, pair, arrive);
}

bool clean(const struct net_end *e, u32 pair)
{
	const struct net_rx *rx = &e->rx[pair];

	if (!rx->lost && !rx->reordered && !rx->bad)
		return true;
	printf("# pair %u: %llu lost, %llu reordered, %llu bad of %llu\n", pair,
	       (unsigned long long)rx->lost, (unsigned long long)rx->reordered,
	       (unsigned long long)rx->bad, (unsigned long long)rx->packets);
	return false;
}

bool reclaimed(struct net_end *e, u32 pair)
{
	u64 end = now_ns() + WAIT_NS;

	while (net_reclaim(e, pair))
		if (now_ns() > end || !nap_ms(1))
			return false;
	return true;
}

bool await_link(struct net_rig *r, u32 i, bool up)
{
	u64 end = now_ns() + WAIT_NS;
	bool is = !up;
	json_t *v;

	while (is != up && now_ns() < end && nap_ms(1)) {
		v = net_rig_call(r, "list", NULL);
		is = json_is_true(json_object_get(json_array_get(json_object_get(v, "ports"), i),
						  "connected"));
		json_decref(v);
	}
	return is == up;
}
