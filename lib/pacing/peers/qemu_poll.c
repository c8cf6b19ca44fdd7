// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Adaptive polling of QEMU's I/O threads: as KVM's halt polling, of which it
 * is a relative, with other figures and other corners. Source: QEMU 7.2,
 * util/aio-posix.c, aio_poll(), run_poll_handlers(); defaults of iothread.c.
 */
#include "pacing/peers/peer.h"

#define POLL_MAX_NS	32768u
#define POLL_GROW	2u
#define POLL_START_NS	4000u

static struct rp_decision qemu_idle(struct rp_strategy *s, u64 now_ns)
{
	return peer_halt_wait(s, rp_strategy_priv(s, struct peer_halt), now_ns);
}

static void adjust(struct peer_halt *h, u64 block_ns)
{
	if (block_ns <= h->poll_ns)
		return;
	if (block_ns > POLL_MAX_NS) {
		/* poll-shrink is 0, which means this. */
		h->poll_ns = 0;
	} else if (h->poll_ns < POLL_MAX_NS && block_ns < POLL_MAX_NS) {
		h->poll_ns = h->poll_ns ? h->poll_ns * POLL_GROW : POLL_START_NS;
		if (h->poll_ns > POLL_MAX_NS)
			h->poll_ns = POLL_MAX_NS;
	}
}

static void qemu_batch_done(struct rp_strategy *s, u32 n, u64 now_ns)
{
	struct peer_halt *h = rp_strategy_priv(s, struct peer_halt);

	(void)n;
	(void)now_ns;
	adjust(h, peer_halt_moved(h));
}

static void qemu_woken(struct rp_strategy *s, enum rp_wake by, u32 ready, u64 now_ns)
{
	struct peer_halt *h = rp_strategy_priv(s, struct peer_halt);

	(void)ready;
	adjust(h, peer_halt_woken(h, by, now_ns));
}

const struct rp_strategy_ops rp_peer_qemu_poll = {
	.name = "qemu-poll",
	.batch_done = qemu_batch_done,
	.idle = qemu_idle,
	.woken = qemu_woken,
};
