// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: the input is the memory of two guests, rings included, and
 * what they have agreed to; ringpaced forwards what the one sends to the other,
 * and logs the pages that it writes, in a log that may be too small.
 * Crashes, hangs and sanitizer reports count, and so does a turn without end.
 */
#include <stdlib.h>

#include "../unit/packet_fixture.h"
#include "log/log.h"

#define PART_BYTES	(2u * GUEST_PAGE)
/* A bit for each page of the small addresses below. */
#define LOG_BYTES	((1 + GUEST_REGIONS * PAIR_BYTES / GUEST_PAGE) / 8 + 1)

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

/* In a block of its own, so that what is written behind it is seen. */
static struct dirty_log log_of(u32 bytes)
{
	return (struct dirty_log){ .bits = calloc(1, bytes), .bytes = bytes };
}

static void use_log(const struct dirty_log *l)
{
	pair.tx.log = pair.rx.log = l;
	pair.tx.log_used = pair.rx.log_used = true;
	pair.tx.log_used_gpa = guest_gpa(&pair.a, pair.a.ring.used);
	pair.rx.log_used_gpa = guest_gpa(&pair.b, pair.b.ring.used);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	struct dirty_log log;
	struct offloads tx, rx;
	u32 turns;

	if (bytes < 2)
		return 0;
	if (!pair.a.bytes)
		set_up();
	tx = offloads_of(data[0]);
	rx = offloads_of(data[1]);
	log = log_of(1 + data[0] % LOG_BYTES);
	data += 2;
	bytes -= 2;
	fill(&pair.a, data, bytes / 2);
	fill(&pair.b, data + bytes / 2, bytes - bytes / 2);
	if (!pair_attach(&pair, &tx, &rx))
		abort();
	if (data[-1] & 32)
		use_log(&log);
	for (turns = 0; pair_turn(&pair); turns++)
		if (turns > PAIR_SLOTS)
			abort();
	vq_ops.arm(&pair.tx.q, 1);
	vq_ops.arm(&pair.rx.q, PAIR_SLOTS);
	free(log.bits);
	return 0;
}
