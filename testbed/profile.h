/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host's profile: what `ringpace probe` measured, kept in a file, and taken
 * as defaults by model and simulator. docs/probe.md describes the file.
 */
#ifndef TESTBED_PROFILE_H
#define TESTBED_PROFILE_H

#include <jansson.h>

#include "util.h"

#define PROFILE_VERSION		1
#define PROFILE_SLEEPS_MAX	64

struct profile {
	char lane[16];
	char date[32];
	u64 np_ns, nc_ns, sp_ns, sc_ns, ye_ns;
	/* Effective length of sleeps by nominal length, ascending. */
	u32 sleeps;
	double y_nominal_ns[PROFILE_SLEEPS_MAX];
	double y_ns[PROFILE_SLEEPS_MAX];
};

/*
 * Path of a lane's profile, under $XDG_STATE_HOME or ~/.local/state; static
 * buffer. NULL when neither it nor $HOME is set.
 */
const char *profile_path(const char *lane);

/* Writes @v as the profile of @lane, all or nothing. 0, or -1 after fail(). */
int profile_save(const char *lane, const json_t *v);

/*
 * Reads the profile of a lane, or the file @name. NULL, or why not, in one
 * line that names the file; static buffer.
 */
const char *profile_load(const char *name, struct profile *p);

/* How long a sleep of @nominal_ns really lasts, by interpolation. */
double profile_sleep_ns(const struct profile *p, double nominal_ns);

#endif /* TESTBED_PROFILE_H */
