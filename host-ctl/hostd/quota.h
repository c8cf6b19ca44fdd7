/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A quota of processor time of a tenant's cgroup, in place of a clock where there is no
 * cpufreq: who may use half of its CPUs does as much as at half the clock, in the mean. It
 * is a stand-in, since within a period the tenant runs at full speed and then stands.
 */
#ifndef HOSTD_QUOTA_H
#define HOSTD_QUOTA_H

#include "../control.h"
#include "conf.h"
#include "undo.h"

/* Short, as a tenant that has used its quota up stands for the rest of it. */
#define QUOTA_PERIOD_US	10000u

struct quota {
	const struct conf_tenant *conf;
	struct undo *undo;
	u32 percent;		/* that was last asked for; 0: none */
	enum hc_enforced state;
};

/* @percent of one CPU; 0: as it was before. By the cpu controller of cgroup v1 or v2. */
enum hc_enforced quota_set(struct quota *q, u32 percent);
/* Also of a cgroup that was made since. */
void quota_again(struct quota *q);

extern const struct undo_kind quota_kind;

#endif /* HOSTD_QUOTA_H */
