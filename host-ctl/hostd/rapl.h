/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's energy by powercap: the packages' counters, which wrap. */
#ifndef HOSTD_RAPL_H
#define HOSTD_RAPL_H

#include "rp.h"

#define RAPL_ZONES_MAX	16u

struct rapl {
	const char *sysfs;
	u32 zones;
	struct rapl_zone {
		char dir[64], name[32];
		u64 last_uj, range_uj, sum_uj;
		bool known;		/* last_uj is */
	} zone[RAPL_ZONES_MAX];
	u64 read_ns;		/* when last; 0: never */
	double watts;		/* between the last two; 0: not known */
};

/* Finds the packages; none is no error. */
void rapl_init(struct rapl *r, const char *sysfs);
void rapl_read(struct rapl *r, u64 now);
/* Since the first reading. */
double rapl_joules(const struct rapl *r);

#endif /* HOSTD_RAPL_H */
