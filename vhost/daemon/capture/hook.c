// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets into a capture's ring. */
#include "capture/hook.h"
#include "clock.h"
#include "net/frame.h"

void capture_batch(struct capture_writer *w, const struct batch *b, u32 from, u32 end)
{
	u64 now = clock_ns(CLOCK_MONOTONIC);
	struct capture_record *rec;
	u32 i, had;

	for (i = from; i < end; i++) {
		const struct packet *p = &b->pkt[i];

		rec = capture_add(w, now, p->bytes);
		if (!rec)
			continue;
		rec->reason = p->drop;
		had = frame_peek(p, rec->data, rec->caught);
		memset(rec->data + had, 0, rec->caught - had);
	}
	if (from < end)
		capture_publish(w);
}
