// SPDX-License-Identifier: GPL-2.0-or-later
/* Takes what comes out of a chain. */
#include "chain/sink.h"

#include "chain/frame.h"
#include "util.h"

#define BATCH	64u

static void take(struct sink *s, const u8 *frame, u32 bytes)
{
	struct chain_worker *w = &s->worker;
	struct chain_head h;
	u64 now = rp_tsc();

	if (!chain_frame_read(frame, s->head_at, bytes, w->arrivals.flows, s->routers, &h) ||
	    !chain_frame_whole(frame, s->head_at, &h)) {
		rp_add(&w->counts.bad, 1);
		return;
	}
	worker_note(w, &h, now);
	if (now >= s->measure_tsc)
		rp_hist_add(&s->latency, now > h.due_tsc ? now - h.due_tsc : 0);
}

static void run(struct chain_worker *w)
{
	struct sink *s = w->ctx;
	const u8 *frame;
	u32 n, bytes;

	while (!worker_stopping(w)) {
		for (n = 0; n < BATCH && (frame = net_rx_take(w->in, 0, &bytes)); n++)
			take(s, frame, bytes);
		if (!n) {
			worker_wait(w, NET_RX);
			continue;
		}
		net_rx_publish(w->in, 0);
		/* Pairs with the acquire of who waits for the last: all else is counted by then. */
		rp_store_release(&w->counts.received, w->counts.received + n);
	}
}

int sink_start(struct sink *s)
{
	snprintf(s->worker.name, sizeof(s->worker.name), "sink");
	s->worker.run = run;
	s->worker.ctx = s;
	return worker_start(&s->worker);
}
