// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vhost-net's busy polling: look for busyloop_timeout, then enable
 * notifications and block. Source: Linux 6.1, drivers/vhost/net.c,
 * vhost_net_busy_poll(), vhost_can_busy_poll(), handle_tx_copy().
 */
#include "pacing/peers/peer.h"

/* busy_clock() counts 1024 ns, and calls them microseconds. */
#define BUSY_CLOCK_SHIFT	10

struct vhost_busyloop {
	u64 end;		/* busy clock */
	bool polling;
};

static struct rp_decision vhost_idle(struct rp_strategy *s, u64 now_ns)
{
	struct vhost_busyloop *v = rp_strategy_priv(s, struct vhost_busyloop);
	u64 clock = now_ns >> BUSY_CLOCK_SHIFT;
	u64 timeout_us = s->params.y_ns / 1000;

	if (!timeout_us)
		return peer_block(s);
	if (!v->polling) {
		v->polling = true;
		v->end = clock + timeout_us;
	}
	return clock <= v->end ? peer_spin() : peer_block(s);
}

static void stop_polling(struct rp_strategy *s)
{
	rp_strategy_priv(s, struct vhost_busyloop)->polling = false;
}

static void vhost_batch_done(struct rp_strategy *s, u32 n, u64 now_ns)
{
	(void)n;
	(void)now_ns;
	stop_polling(s);
}

static void vhost_woken(struct rp_strategy *s, enum rp_wake by, u32 ready, u64 now_ns)
{
	(void)by;
	(void)ready;
	(void)now_ns;
	stop_polling(s);
}

const struct rp_strategy_ops rp_peer_vhost_busyloop = {
	.name = "vhost-busyloop",
	.batch_done = vhost_batch_done,
	.idle = vhost_idle,
	.woken = vhost_woken,
};
