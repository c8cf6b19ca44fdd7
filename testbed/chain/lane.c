// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of a chain's lanes. */
#include <string.h>

#include "chain/chain.h"

const struct chain_lane_ops *const chain_lanes[] = {
	&chain_native,
	&chain_vm,
	NULL
};

const struct chain_lane_ops *chain_lane_by_name(const char *name)
{
	u32 i;

	for (i = 0; chain_lanes[i]; i++)
		if (!strcmp(chain_lanes[i]->name, name))
			return chain_lanes[i];
	return NULL;
}
