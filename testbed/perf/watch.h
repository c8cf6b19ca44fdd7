/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Notification rates seen from outside, beside what the device counted itself.
 *
 * Theory of operation. A source counts one figure: an event of the kernel's,
 * through perf, or interrupts as the guest's kernel counts them. The party
 * that the figure belongs to counts it, too. Both counts must be of the same
 * time, but cannot be taken at one moment; so the party's counters are read
 * before and after perf is switched on, and before and after it is switched
 * off. What perf saw lies between the least and the most that the counters
 * allow, and only what lies outside is a difference. In a run of our own both
 * switches happen while nothing moves, so the least is the most.
 */
#ifndef PERF_WATCH_H
#define PERF_WATCH_H

#include <jansson.h>

#include "lane.h"
#include "perf/exits.h"

/* Differences up to this share of a count are not worth a word. */
#define PERF_AGREE	0.02

/* ---- Figures ---- */

enum figure {
	FIG_ITEMS,
	FIG_KICKS_SENT,		/* by the driver */
	FIG_KICKS_TAKEN,	/* by the device; several sent may be one taken */
	FIG_CALLS,		/* by the device */
	FIG_INTERRUPTS,		/* in the guest */
	FIG_WAKE_UPS,		/* of the device's thread: from blocks and sleeps */
	FIG_BLOCKS,
	FIG_SLEEPS,
	FIGURES
};

extern const char *const figure_names[FIGURES];
/* Which counter it is compared with: "device received". */
const char *figure_counter(enum figure f);

/* The parties' own counters at one moment; UNKNOWN: nobody tells. */
struct counters {
	double v[FIGURES];
};

void counters_read(struct counters *c, const json_t *device, const json_t *driver);

struct finding {
	enum figure figure;
	const char *source;	/* static */
	int may;		/* -1: the source may see fewer, 1: more, 0: neither */
	const char *note;	/* static: why that is; NULL */
	double count;		/* from outside */
	double least, most;	/* what the party's own counters allow */
	double extra;		/* events that the source sees and no counter counts, at most */
	double missing;		/* counted events that the source need not see, at most */
};

/* 0 where the count is within what the counters allow, else how much of them it is off. */
double finding_difference(const struct finding *f);

/* How many events the two counts may be apart without a difference. */
double finding_slack(const struct finding *f);

enum verdict {
	AGREES, DIFFERS,
	MAY_DIFFER,		/* it does, in the way that the note explains */
	UNDECIDED,		/* there is more room than PERF_AGREE: too few events to tell */
	UNCOUNTED,
};

enum verdict finding_verdict(const struct finding *f);

/* ---- Watching ---- */

#define FINDINGS_MAX	32
#define ABSENT_MAX	16

struct absent {
	const char *source;	/* static */
	char why[200];
};

struct perf_watch {
	struct run_watch watch;
	/* Results */
	struct finding finding[FINDINGS_MAX];
	u32 findings;
	struct absent absent[ABSENT_MAX];
	u32 absents;
	struct exits *exits;	/* NULL: not counted */
	json_t *clock;		/* NULL: no counter of KVM's to compare with */
	double window_ns;
	bool live;
	struct sources *sources;	/* of the watching */
};

/*
 * ->watch is for run_params.watch, or for who attaches to what runs already
 * (@live: something moves while perf is switched on and off). One at a time;
 * perf_watch_free() undoes what begin() did, and is done at exit at the latest.
 */
void perf_watch_init(struct perf_watch *w, bool live);
void perf_watch_free(struct perf_watch *w);

/* {"window_ns","figures":[...],"not_available":[...],"exits","clock","agrees"}. New reference. */
json_t *perf_watch_json(const struct perf_watch *w);
void perf_watch_print(const struct perf_watch *w, FILE *to);

#endif /* PERF_WATCH_H */
