/* SPDX-License-Identifier: GPL-2.0-or-later */
/* perf, as a process that counts on our orders, and the USDT probes that it can count. */
#ifndef PERF_STAT_H
#define PERF_STAT_H

#include "util.h"

/* ---- perf stat ---- */

#define PERF_EVENTS_MAX	16

struct perf_event {
	char name[80];		/* "kvm:kvm_mmio" */
	char filter[4200];	/* of its fields; "": every event */
};

/*
 * One `perf stat`, which counts for some processes or for the whole host; or,
 * with ->exits, one `perf kvm stat record` of ->target, which has no events of
 * ours: its data are in ->out.
 */
struct perf_stat {
	bool exits;
	struct perf_event event[PERF_EVENTS_MAX];
	double count[PERF_EVENTS_MAX];	/* after perf_stat_end(); UNKNOWN: not counted */
	u32 events;
	pid_t target;			/* 0: the whole host */
	/* Of the process */
	pid_t pid;
	int orders_fd, answers_fd;
	char name[16];
	char out[160], log[160];
};

/* NULL, or why perf cannot count here (static): which tool or right is missing. */
const char *perf_why_not(void);
/* Is there such a tracepoint? "kvm:kvm_mmio". */
bool perf_has_tracepoint(const char *name);
/* Directory of tracefs; NULL: not mounted, or not readable by us. */
const char *perf_tracefs(void);

/* The number that ->count[] will have it under. @filter: printf's, or NULL. */
u32 perf_stat_add(struct perf_stat *s, const char *event, const char *filter);
/* Starts perf, which does not count yet. 0, or -1 after fail(). */
int perf_stat_start(struct perf_stat *s, const char *name);
/* Returns once perf counts ("enable") or no longer does ("disable"). 0, or -1 after fail(). */
int perf_stat_order(struct perf_stat *s, const char *order);
/* Ends it and reads the counts, if there are any. 0, or -1 after fail(). */
int perf_stat_end(struct perf_stat *s);
/* Runs another perf to its end; its output, with its errors, into @log. 0, or -1 after fail(). */
int perf_run(char *const argv[], const char *log);
/* Ends it whatever its state is; harmless for one that was never started. */
void perf_stat_stop(struct perf_stat *s);
/* What `perf stat -x ;` wrote, in ->events lines. NULL, or why not (static). */
const char *perf_stat_parse(struct perf_stat *s, FILE *from);

/* ---- USDT probes of ringpaced ---- */

#define USDT_PLACES_MAX	4	/* of one probe, where the compiler made several */

struct usdt {
	char program[256];
	char group[24];		/* of our events: the kernel's names are for all */
	bool defined;
};

/*
 * Makes events of the probes of process @pid's program: after this,
 * usdt_events() names them. Undone by usdt_close(), at exit at the latest;
 * what a killed process left is removed here. 0, or -1 after fail().
 */
int usdt_open(struct usdt *u, pid_t pid, const char *const *probes);
/* Adds the events of @probe to @s, and their numbers to @at. Returns how many. */
u32 usdt_events(const struct usdt *u, const char *probe, struct perf_stat *s, u32 *at);
void usdt_close(struct usdt *u);
/* "p:sdt_x/NAME PROGRAM:OFFSET ..." of `perf probe -D`: "PROGRAM:OFFSET", or false. */
bool usdt_parse_place(const char *line, char *place, size_t size);

#endif /* PERF_STAT_H */
