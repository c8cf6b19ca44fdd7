// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Open vSwitch's PMD threads with pmd-sleep-max: each turn with little to do
 * sleeps 1 us longer than the one before; half a burst ends that. Source: Open
 * vSwitch, 4.0 to be (d6a632a9b1), lib/dpif-netdev.c, pmd_thread_main().
 */
#include "pacing/peers/peer.h"

/* Half of NETDEV_MAX_BURST. */
#define PMD_SLEEP_THRESH	16u
#define PMD_SLEEP_INC_US	1u
/* PMD_RCU_QUIESCE_INTERVAL: no larger pmd-sleep-max is taken. */
#define PMD_SLEEP_LIMIT_US	10000u

struct ovs_sleep {
	u64 sleep_us;
	u32 rx;			/* items of this turn, as far as they matter */
};

static void ovs_batch_done(struct rp_strategy *s, u32 n, u64 now_ns)
{
	struct ovs_sleep *o = rp_strategy_priv(s, struct ovs_sleep);

	(void)now_ns;
	o->rx += n < PMD_SLEEP_THRESH ? n : PMD_SLEEP_THRESH;
	if (o->rx > PMD_SLEEP_THRESH)
		o->rx = PMD_SLEEP_THRESH;
}

static struct rp_decision ovs_idle(struct rp_strategy *s, u64 now_ns)
{
	struct ovs_sleep *o = rp_strategy_priv(s, struct ovs_sleep);
	u64 max_us = s->params.y_ns / 1000;
	u64 sleep_us;

	(void)now_ns;
	if (max_us > PMD_SLEEP_LIMIT_US)
		max_us = PMD_SLEEP_LIMIT_US;
	if (!max_us)
		return peer_spin();
	if (o->rx >= PMD_SLEEP_THRESH)
		o->sleep_us = 0;
	o->rx = 0;
	sleep_us = o->sleep_us;
	o->sleep_us = sleep_us < max_us ? sleep_us + PMD_SLEEP_INC_US : max_us;
	return sleep_us ? peer_sleep(sleep_us * 1000) : peer_spin();
}

const struct rp_strategy_ops rp_peer_ovs_sleep = {
	.name = "ovs-sleep",
	.batch_done = ovs_batch_done,
	.idle = ovs_idle,
};
