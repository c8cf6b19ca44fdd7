// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KVM's halt polling: poll before blocking, for a time that grows while halts
 * are short and is reset by a long one. Source: Linux 6.1,
 * virt/kvm/kvm_main.c, kvm_vcpu_halt(), grow_halt_poll_ns(),
 * shrink_halt_poll_ns(), with the defaults of x86.
 */
#include "pacing/peers/peer.h"

#define HALT_POLL_NS		200000u
#define HALT_POLL_NS_GROW	2u
#define HALT_POLL_NS_GROW_START	10000u

static struct rp_decision kvm_idle(struct rp_strategy *s, u64 now_ns)
{
	struct peer_halt *h = rp_strategy_priv(s, struct peer_halt);

	/* Growing is not bounded; a halt that begins is. */
	if (!h->on && h->poll_ns > HALT_POLL_NS)
		h->poll_ns = HALT_POLL_NS;
	return peer_halt_wait(s, h, now_ns);
}

static void adjust(struct peer_halt *h, u64 halt_ns)
{
	if (halt_ns <= h->poll_ns)
		return;
	if (h->poll_ns && halt_ns > HALT_POLL_NS) {
		/* halt_poll_ns_shrink is 0, which means this. */
		h->poll_ns = 0;
	} else if (h->poll_ns < HALT_POLL_NS && halt_ns < HALT_POLL_NS) {
		h->poll_ns *= HALT_POLL_NS_GROW;
		if (h->poll_ns < HALT_POLL_NS_GROW_START)
			h->poll_ns = HALT_POLL_NS_GROW_START;
	}
}

static void kvm_batch_done(struct rp_strategy *s, u32 n, u64 now_ns)
{
	struct peer_halt *h = rp_strategy_priv(s, struct peer_halt);

	(void)n;
	(void)now_ns;
	adjust(h, peer_halt_moved(h));
}

static void kvm_woken(struct rp_strategy *s, enum rp_wake by, u32 ready, u64 now_ns)
{
	struct peer_halt *h = rp_strategy_priv(s, struct peer_halt);

	(void)ready;
	adjust(h, peer_halt_woken(h, by, now_ns));
}

const struct rp_strategy_ops rp_peer_kvm_halt_poll = {
	.name = "kvm-halt-poll",
	.batch_done = kvm_batch_done,
	.idle = kvm_idle,
	.woken = kvm_woken,
};
