/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the user says, on the command line or in a file (config.h). Both go through
 * one table and its parsers, so one more option is one more line of it.
 */
#ifndef RINGPACED_OPTIONS_H
#define RINGPACED_OPTIONS_H

#include "devices.h"
#include "log/log.h"
#include "metrics/address.h"
#include "net/net.h"
#include "sandbox/sandbox.h"

#define OPTIONS_MAX	32u

/* How an option is written in a file. */
enum option_shape {
	SHAPE_TEXT,		/* control: PATH */
	SHAPE_LIST,		/* pacers: [2, 3], which is 2,3 */
	SHAPE_LISTS,		/* links: [[a, b]], each of them a,b */
	SHAPE_ENTRIES,		/* ports: [{name: a, pairs: 2}], each of them a,pairs=2 */
	SHAPE_NONE,		/* on the command line only */
};

struct options;

struct option_def {
	const char *name;	/* on the command line, and in a file unless ->section */
	int key;		/* argp's */
	const char *arg, *help;
	/* Parses in place; @arg stays as long as @o. NULL, or one line of what is wrong. */
	const char *(*set)(struct options *o, char *arg);
	enum option_shape shape;
	const char *section;	/* in a file, of what may be said several times */
	bool fixed;		/* a reload cannot change it; what it can, reload.c does */
};

enum option_origin { SAID_NOWHERE, SAID_ARGS, SAID_FILE };

struct options {
	struct device_options dev[DEVICES_MAX];
	u32 dev_count;
	struct net_options net;
	const char *control, *state, *group, *user, *config;
	gid_t gid;		/* of ->group, or -1 */
	enum log_level log_level;
	enum log_format log_format;
	u32 log_rate;
	struct metrics_address metrics;
	bool has_metrics, metrics_public;
	enum sandbox_mode seccomp;
	bool check;
	/* By number in option_defs[]: where it was said, and of what is said once, how. */
	enum option_origin from[OPTIONS_MAX];
	const char *text[OPTIONS_MAX];
	const struct options *running;	/* what is in effect: of a reload; else NULL */
	char **kept;			/* what parsers point into */
	u32 kept_count;
};

extern const struct option_def option_defs[];
extern const u32 option_count;

/* The defaults, on the heap; exits when there is no memory. options_free() takes NULL, too. */
struct options *options_new(void);
void options_free(struct options *o);
/* Says one. NULL, or one line of what is wrong. */
const char *options_say(struct options *o, u32 def, const char *text, enum option_origin from);
/* Do they go together? NULL, or what is wrong, and with whom (or NULL). */
const char *options_check(const struct options *o, const char **who);
/* Level and rate of the log. */
void options_apply_log(const struct options *o);
/* From the command line, and the file that it names; exits when they are wrong. */
struct options *options_read(int argc, char **argv);
/*
 * What @running says on the command line, and the file as it is now; or NULL: @tell
 * has heard why.
 */
struct options *options_reread(const struct options *running,
			       void (*tell)(void *ctx, const char *line), void *ctx);

#endif /* RINGPACED_OPTIONS_H */
