/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of `ringpace load`. */
#ifndef LOAD_ARGS_H
#define LOAD_ARGS_H

#include "load/load.h"

struct load_args {
	struct load_params p;
	double rate, noise_rate;	/* noise UNKNOWN: a part of the rate */
	u64 duration_ns, period_ns, interval_ns;	/* the last two 0: by the duration */
	u64 connect_rate;
	u64 slo_p99_ns;		/* 0: one run */
	u32 slo_repeats;
	bool agent_given;
	const char *own_ip;
	const char *csv;
	char progress[64];
	bool json;
};

/* All of it, checked; what is wrong ends the program with exit code 2. */
void load_args_parse(int argc, char **argv, struct load_args *a);

#endif /* LOAD_ARGS_H */
