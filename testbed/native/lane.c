// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The native lane: the driver's party is a pinned thread of this process, the
 * device is a ringpaced of our own; between them are shared memory and two
 * eventfds. fwd: P here, C there. rev: the other way round.
 */
#include "rig.h"

static bool available(const char **why)
{
	*why = NULL;
	return true;
}

static int run(const struct run_params *p, struct run_sides *out)
{
	struct rig r;
	int rc = rig_open(&r, p);

	if (!rc)
		rc = rig_measure(&r, out) || rig_traces(&r, out) || rig_drain(&r, out) ? -1 : 0;
	rig_close(&r);
	return rc;
}

const struct lane_ops lane_native = {
	.name = "native",
	.available = available,
	.run = run,
};
