// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: the input is the memory of two guests, rings included, and
 * what they have agreed to; ringpaced forwards what the one sends to the other.
 * Crashes, hangs and sanitizer reports count, and so does a turn without end.
 */
#include <stdlib.h>

#include "../unit/packet_fixture.h"
#include "../../vhost/daemon/log.h"

#define PART_BYTES	(2u * GUEST_PAGE)

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

static struct pair pair;

static struct offloads offloads_of(u8 bits)
{
	return (struct offloads){
		.csum = bits & 1, .tso4 = bits & 2, .tso6 = bits & 4, .ecn = bits & 8,
		.mergeable = bits & 16,
	};
}

static void set_up(void)
{
	const struct offloads none = { 0 };
	struct guest *g[] = { &pair.a, &pair.b };
	u32 i;

	log_set_level(LOG_LEVEL_ERROR);
	if (!pair_init(&pair, &none, &none))
		abort();
	for (i = 0; i < 2; i++) {
		/* Small guest addresses are easier to hit. */
		g[i]->mem.region[0].gpa = GUEST_PAGE;
		g[i]->mem.region[1].gpa = GUEST_PAGE + PAIR_BYTES;
	}
}

/* A guest's memory begins with @data; the rest is 0. */
static void fill(struct guest *g, const u8 *data, size_t bytes)
{
	memset(g->mem.region[0].va, 0, PART_BYTES);
	memcpy(g->mem.region[0].va, data, bytes < PART_BYTES ? bytes : PART_BYTES);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	struct offloads tx, rx;
	u32 turns;

	if (bytes < 2)
		return 0;
	if (!pair.a.bytes)
		set_up();
	tx = offloads_of(data[0]);
	rx = offloads_of(data[1]);
	data += 2;
	bytes -= 2;
	fill(&pair.a, data, bytes / 2);
	fill(&pair.b, data + bytes / 2, bytes - bytes / 2);
	if (!pair_attach(&pair, &tx, &rx))
		return 0;
	for (turns = 0; pair_turn(&pair); turns++)
		if (turns > PAIR_SLOTS)
			abort();
	vq_ops.arm(&pair.tx.q, 1);
	vq_ops.arm(&pair.rx.q, PAIR_SLOTS);
	return 0;
}
