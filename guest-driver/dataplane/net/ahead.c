// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a batch of frames will need, fetched into the caches ahead: with many connections
 * most of a segment's time is waiting for lines of memory, one after the other. Here each
 * pass asks for one line of every frame's, and the next pass finds it.
 *
 * Nothing is believed of the frames, which are checked when they are processed: their
 * words only say where to look.
 */
#include "ctx.h"

#define LINE_BYTES	64u
#define ETH_BYTES	14u
#define IP_BYTES	20u

/* NULL: nothing comes of it. */
static void fetch(const void *at, u32 bytes)
{
	u32 i;

	for (i = 0; i < bytes; i += LINE_BYTES)
		__builtin_prefetch((const void *)((uintptr_t)at + i));
}

/* Where the frame's connection hangs, if it has one; options of IPv4 are not looked for. */
static struct tcp_pcb **bucket_of(const struct net_group *ng, const struct dp_pkt *p)
{
	ip_addr_t from;
	u16 port[2];

	if (p->bytes < ETH_BYTES + IP_BYTES + sizeof(port))
		return NULL;
	memcpy(&from.addr, p->data + ETH_BYTES + 12, sizeof(from.addr));
	memcpy(port, p->data + ETH_BYTES + IP_BYTES, sizeof(port));
	return tcp_bucket(&ng->lwip, &from, lwip_ntohs(port[0]), lwip_ntohs(port[1]));
}

/* Of a segment that waits for its ACK: struct pbuf and, behind it, the header. */
#define SEGMENT_BYTES	(2 * LINE_BYTES)

/*
 * What lies behind connections: the application's side, and what waits for its ACK. Inline
 * for sure: GCC takes a function that only fetches for one without an effect, and leaves
 * out its calls.
 */
static inline __attribute__((always_inline)) void fetch_behind(struct tcp_pcb *const *pcb, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (pcb[i]) {
			fetch(pcb[i]->callback_arg, 2 * LINE_BYTES);
			fetch(pcb[i]->unacked, sizeof(struct tcp_seg));
		}
	for (i = 0; i < n; i++)
		if (pcb[i] && pcb[i]->unacked)
			fetch(pcb[i]->unacked->p, SEGMENT_BYTES);
}

void net_ahead(struct dp_group **g, struct dp_pkt **p, u32 n)
{
	struct tcp_pcb **bucket[DP_BATCH_MAX], *pcb[DP_BATCH_MAX];
	u32 i;

	for (i = 0; i < n; i++)
		fetch(g[i]->state, sizeof(struct net_group));
	for (i = 0; i < n; i++) {
		bucket[i] = bucket_of(g[i]->state, p[i]);
		fetch(bucket[i], sizeof(*bucket[i]));
	}
	for (i = 0; i < n; i++) {
		pcb[i] = bucket[i] ? *bucket[i] : NULL;
		if (pcb[i])
			fetch(pcb[i], sizeof(*pcb[i]));
	}
	fetch_behind(pcb, n);
}
