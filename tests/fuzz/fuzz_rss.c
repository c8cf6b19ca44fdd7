// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: the input is what a guest says of RSS, and a frame that is
 * steered by it. Beside crashes it counts when something comes out that no port of
 * four pairs may have.
 */
#include <stdlib.h>

#include "net/rss_guest.h"

#define PAIRS	4u

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

/* In memory of its own size, so that a read beyond it is noticed. */
static void steer(const struct rss_config *c, const u8 *data, size_t bytes)
{
	struct rss *r = rss_new(c);
	u8 *frame = malloc(bytes ? bytes : 1);
	struct rp_seg seg[2] = { { frame, bytes > 9 ? 9 : (u32)bytes } };
	struct packet p = { .bytes = (u32)bytes, .n_seg = 1, .seg = seg };
	struct rss_way way;

	if (!r || !frame)
		abort();
	memcpy(frame, data, bytes);
	if (bytes > 9) {
		seg[1] = (struct rp_seg){ frame + 9, (u32)bytes - 9 };
		p.n_seg = 2;
	}
	way = rss_steer(r, &p, PAIRS);
	if (way.pair >= PAIRS || (way.entry >= c->entries && way.entry != RSS_ENTRIES_MAX))
		abort();
	free(frame);
	free(r);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	struct vhost_user_net_rss m;
	struct rss_config c;
	bool on;

	if (bytes < sizeof(m))
		return 0;
	memcpy(&m, data, sizeof(m));
	data += sizeof(m);
	bytes -= sizeof(m);
	/* Most that is made up is refused: something to steer by all the same. */
	if (rss_guest_read(&m, PAIRS, &c, &on) || !on) {
		rss_default(&c, 1u << m.entries % 10u, PAIRS);
		c.types = m.hash_types & RSS_TYPES;
	}
	if (rss_check(&c, PAIRS))
		abort();
	steer(&c, data, bytes);
	return 0;
}
