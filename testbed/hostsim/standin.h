/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tenants of a few numbers, whose daemons answer as rp-dataplane and ringpaced do. */
#ifndef HOSTSIM_STANDIN_H
#define HOSTSIM_STANDIN_H

#include "../../guest-driver/dataplane/page.h"
#include "util.h"

#define STANDIN_THREADS		4u
#define STANDIN_ANSWER_MAX	16384u

struct standin {
	u32 number;
	u32 active;			/* threads */
	double items, iterations, busy_ns, rate;
	double waiting;			/* of the fullest thread */
	u64 at_ns;			/* until when that was played */
	struct dp_page_file page;	/* of a dataplane that offers one */
};

void standin_init(struct standin *s, u32 number, u64 now);
/* Offers a telemetry page from now on, which standin_tick() goes on with. 0, or -errno. */
int standin_open_page(struct standin *s);
void standin_close_page(struct standin *s);
void standin_tick(struct standin *s, u64 now);
/* Answers, with the end of the line; their bytes, 0: it does not fit. *@fd: what is passed with it, or -1. */
u32 standin_dataplane(struct standin *s, const char *line, size_t bytes, u64 now,
		      char out[STANDIN_ANSWER_MAX], int *fd);
/* A ringpaced with a port "pN" for each. */
u32 standin_ringpaced(struct standin *s, u32 n, const char *line, size_t bytes, u64 now,
		      char out[STANDIN_ANSWER_MAX]);

#endif /* HOSTSIM_STANDIN_H */
