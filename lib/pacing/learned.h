/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a queue's strategy has learned, kept over the strategy's own end: new
 * parameters, another driver, a restart. Opaque to all but the strategy, whose
 * learn() trusts nothing in it. Context: whoever may set the party up.
 */
#ifndef RP_LEARNED_H
#define RP_LEARNED_H

#include "pacing/pacing.h"

struct rp_learned {
	u32 strategy;		/* enum rp_strategy_id */
	u32 bytes;		/* of data; 0: nothing */
	u8 data[RP_LEARNED_BYTES];
};

/* Takes what @s knows. One that has seen nothing, or never began, changes nothing. */
static inline void rp_learned_keep(struct rp_learned *l, const struct rp_strategy *s)
{
	u8 data[RP_LEARNED_BYTES];
	u32 bytes = s->ops && s->ops->learned ? s->ops->learned(s, data) : 0;

	if (!bytes || bytes > sizeof(data))
		return;
	l->strategy = s->params.strategy;
	l->bytes = bytes;
	memcpy(l->data, data, bytes);
}

/* Right after rp_party_init(). What another strategy has learned is not for this one. */
static inline void rp_learned_give(const struct rp_learned *l, struct rp_strategy *s)
{
	if (l->bytes && l->bytes <= sizeof(l->data) && l->strategy == s->params.strategy &&
	    s->ops->learn)
		s->ops->learn(s, l->data, l->bytes);
}

#endif /* RP_LEARNED_H */
