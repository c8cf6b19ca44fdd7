/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `ringpace top`: live queues of the host's side.
 *
 * Theory of operation. A source is a ringpaced (by its control socket) or
 * vhost_pc.ko (by its control file). Sources come and go: processes called
 * ringpaced are looked for anew with every sample, and their command lines
 * tell the sockets. A sample asks every source for its queues and their
 * statistics; a row is what changed since the sample before, over the time
 * that the queue's own side measured. One thread.
 *
 * Whoever answers may be anybody: texts are cleaned of what a terminal would
 * obey, numbers of the wrong type are unknown, and nobody is waited for long.
 */
#ifndef TOP_TOP_H
#define TOP_TOP_H

#include <jansson.h>

#include "orders.h"

#define TOP_SOURCES_MAX	64
#define TOP_ROWS_MAX	4096

/* What is counted since a reset; UNKNOWN where it is not told. */
struct top_counts {
	double duration_ns, cpu_ns, items, received, sent, sleeps, late, timed;
};

/* A queue. UNKNOWN, or "", where it is not known. Rates are per second. */
struct top_row {
	char backend[12];	/* "ringpaced", "vhost_pc" */
	char socket[108];
	int pid;		/* 0: not known */
	char device[48];
	u32 queue;
	bool rev;
	char strategy[16], regime[16], mode[8];
	char unmet[128], broken[96];
	double y_ns;		/* of a sleep */
	double k;		/* of a block */
	double window, queue_len;
	double burst;		/* variance of arrivals by their mean */
	double occupancy;	/* items in the ring when a sleep ends */
	double items_per_s, t_ns, predicted_t_ns;
	double kicks_per_s, calls_per_s, sleeps_per_s;
	double batch;		/* items per kick, call or sleep of the host */
	double p98_ns, dmax_ns;	/* p98 since the statistics' reset */
	double late;		/* 0..1, of this interval's items: above D_MAX */
	double cpu_host;	/* 0..1; of the host's thread */
	struct top_counts counts;
};

struct top_source {
	char socket[108];	/* "" for the kernel's */
	int pid;
	bool kernel, given, found;	/* given: by --socket; found: in this sample */
	bool open;
	u64 retry_ns;		/* not before that */
	struct orders orders;
	char error[256];
};

struct top {
	struct top_source source[TOP_SOURCES_MAX];
	u32 sources;
	bool search;		/* for daemons and for the kernel's devices */
	struct top_row *rows, *before;
	u32 n, n_before;
};

/* ---- find: which control sockets are there ---- */
typedef void (*top_found)(void *ctx, const char *socket, int pid);
void top_find(top_found found, void *ctx);

/* ---- watch ---- */
void top_init(struct top *t);
/* A socket to be watched, whether somebody is there now or not. -1 after fail(). */
int top_add(struct top *t, const char *socket);
void top_sample(struct top *t);
void top_free(struct top *t);
/* The error of the first source that has one, or NULL. */
const char *top_error(const struct top *t);

/* ---- rates: no input or output ---- */
/* Fills in the rates; @before NULL: there is no sample to compare with. */
void top_rates(struct top_row *r, const struct top_counts *before);

/* ---- columns ---- */
struct top_column {
	const char *key;	/* of JSON, and of --sort */
	const char *head;
	int width;		/* negative: left-aligned */
	int from_width;		/* of the screen, that it needs to be shown */
};

extern const struct top_column top_columns[];
extern const u32 top_columns_count;

/* -1 when there is none of that key. */
int top_column_by_key(const char *key);
/* A cell, at most as wide as its column, "-" when unknown. */
void top_cell(const struct top_row *r, u32 column, char *out, size_t bytes);
/* Is the latency's bound missed? */
bool top_is_late(const struct top_row *r);
/* By a column: numbers from the largest, unknown ones last; texts from A. */
void top_sort(struct top *t, u32 column, bool reverse);
/* The table that is not for a screen; full numbers. */
void top_print(const struct top *t, FILE *to);
/* One line. */
void top_print_json(const struct top *t, u64 interval_ns, FILE *to);

/* ---- screen ---- */
/* Takes the terminal until a key or a signal ends it. The exit code. */
int top_screen(struct top *t, u64 interval_ns, u32 sort);

#endif /* TOP_TOP_H */
