// SPDX-License-Identifier: GPL-2.0-or-later
/* The table behind the hash of frames. */
#include "frame.h"
#include "rss.h"

struct rss_way rss_steer(const struct rss *r, const struct packet *p, u32 pairs)
{
	struct rss_way way = { r->unclassified, RSS_ENTRIES_MAX };
	u8 front[RSS_FRONT_BYTES];
	u32 hash;

	if (rss_hash_front(r, front, frame_peek(p, front, sizeof(front)), &hash)) {
		way.entry = (u16)(hash & (r->entries - 1));
		way.pair = rp_load(&rp_load(&r->table)[way.entry]);
	}
	/* Its guest does not receive on all of them, or who steers wrote nonsense. */
	if (unlikely(way.pair >= pairs))
		way.pair = (u16)(way.pair % pairs);
	return way;
}
