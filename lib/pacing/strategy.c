// SPDX-License-Identifier: GPL-2.0-or-later
/* The list of strategies, and the check of their parameters. */
#include "pacing/pacing.h"

static const struct rp_strategy_ops *const strategies[RP_STRATEGIES] = {
	[RP_NOTIFY] = &rp_strategy_notify,
	[RP_SLEEP] = &rp_strategy_sleep,
	[RP_BUSY] = &rp_strategy_busy,
	[RP_ADAPTIVE] = &rp_strategy_adaptive,
	[RP_VHOST_BUSYLOOP] = &rp_peer_vhost_busyloop,
	[RP_KVM_HALT_POLL] = &rp_peer_kvm_halt_poll,
	[RP_OVS_SLEEP] = &rp_peer_ovs_sleep,
	[RP_QEMU_POLL] = &rp_peer_qemu_poll,
	[RP_NAPI] = &rp_peer_napi,
	[RP_METRONOME] = &rp_peer_metronome,
};

const struct rp_strategy_ops *rp_strategy_by_id(u32 id)
{
	return id < RP_STRATEGIES ? strategies[id] : NULL;
}

int rp_strategy_id_by_name(const char *name)
{
	u32 i;

	for (i = 0; i < RP_STRATEGIES; i++)
		if (strategies[i] && !strcmp(strategies[i]->name, name))
			return (int)i;
	return -1;
}

const char *rp_params_check(const struct rp_params *p)
{
	if (!rp_strategy_by_id(p->strategy))
		return "strategy: not one of notify, sleep, busy, adaptive, vhost-busyloop, kvm-halt-poll, ovs-sleep, qemu-poll, napi, metronome";
	if (p->queue_len < 1 || p->queue_len > 32768)
		return "queue_len: not in 1..32768 slots";
	if (p->threshold < 1 || p->threshold > p->queue_len)
		return "threshold k: not in 1..queue_len";
	if (p->y_ns > 1000000000ULL)
		return "y_ns: more than 1000000000 (1 s)";
	if (p->dmax_ns > 1000000000ULL)
		return "dmax_ns: more than 1000000000 (1 s)";
	if (p->strategy == RP_ADAPTIVE && !p->dmax_ns)
		return "dmax_ns: 0; the adaptive strategy needs the bound of the latency";
	if (p->cpu_cap_percent > 100)
		return "cpu_cap_percent: more than 100";
	return NULL;
}

void rp_strategy_init(struct rp_strategy *s, const struct rp_params *p,
		      const struct rp_env_ops *env)
{
	memset(s, 0, sizeof(*s));
	s->params = *p;
	s->env = env;
	s->window = p->queue_len;
	s->pulse = RP_PULSE_BATCHES;
	s->ops = strategies[p->strategy];
	if (s->ops->init)
		s->ops->init(s);
}
