// SPDX-License-Identifier: GPL-2.0-or-later
/* A guest's table, which is checked before it is anybody's. */
#include "rss_guest.h"

_Static_assert(VHOST_USER_NET_RSS_KEY_BYTES == RSS_KEY_BYTES, "a key is a key");
_Static_assert(VHOST_USER_NET_RSS_ENTRIES_MAX <= RSS_ENTRIES_MAX, "every entry has its place");

const char *rss_guest_read(const struct vhost_user_net_rss *m, u32 pairs, struct rss_config *c,
			   bool *on)
{
	u32 i;

	*on = m->entries;
	if (!*on)
		return NULL;
	if (m->entries > VHOST_USER_NET_RSS_ENTRIES_MAX)
		return "the table has more than 128 entries";
	*c = (struct rss_config){
		.types = m->hash_types, .entries = m->entries, .unclassified = m->unclassified,
	};
	memcpy(c->key, m->key, sizeof(c->key));
	for (i = 0; i < m->entries; i++)
		c->pair[i] = m->pair[i];
	return rss_check(c, pairs);
}
