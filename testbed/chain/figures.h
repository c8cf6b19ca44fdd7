/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a run of a chain was like, from the looks at it. */
#ifndef CHAIN_FIGURES_H
#define CHAIN_FIGURES_H

#include "chain/look.h"

struct chain_looks {
	struct chain_look begin, end;	/* of the measured time */
	struct chain_look last;		/* when the chain had drained */
	struct chain_fill fill;		/* in the measured time */
};

/* Is it known of every packet that was sent where it has gone? */
bool figures_accounted(const struct chain *c, const struct chain_look *l);

/* {"p50",...,"max"} in ns, null if nothing was measured; @h NULL: null itself. */
json_t *figures_quantiles(const struct rp_hist *h, const struct rp_clock *clock);

/* The result of a run (docs/chain.md). New reference. */
json_t *figures_json(const struct chain *c, const struct chain_looks *l);

#endif /* CHAIN_FIGURES_H */
