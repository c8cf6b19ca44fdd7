/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was changed on the host, and how it was before.
 *
 * Theory of operation. Before anything is changed the first time, how it was is noted
 * here and written to the state file; only then it is changed. So a controller that is
 * killed at any moment leaves a file by which the next one, or `ringpace-hostd
 * --restore`, can give everything back. What is changed again later keeps its first
 * note. A note goes when it was given back, or when its target is gone. The file lies in
 * the run directory, which is emptied at boot, as are the settings that it is about.
 * Notes come from two threads, so there is a lock.
 */
#ifndef HOSTD_UNDO_H
#define HOSTD_UNDO_H

#include <jansson.h>
#include <pthread.h>

#include "undo_file.h"

#define UNDO_TARGET_MAX	256u
#define UNDO_VALUE_MAX	512u

/* Where restore() acts. */
struct undo_where {
	const char *sysfs;	/* root */
	const char *libvirt;	/* URI */
};

enum undo_done {
	UNDO_DONE,
	UNDO_GONE,		/* the target is not there any more: nothing to give back */
	UNDO_FAILED,		/* it is kept, to be tried again */
};

struct undo_kind {
	const char *name;
	enum undo_done (*restore)(const struct undo_where *w, const char *target, const char *value);
	bool slow;		/* may wait for others: not for the loop */
	bool last;		/* and for those who may never answer: after all others */
};

struct undo_note {
	const struct undo_kind *kind;
	char owner[32];		/* a tenant, or "host" */
	char target[UNDO_TARGET_MAX], value[UNDO_VALUE_MAX];
};

struct undo {
	pthread_mutex_t lock;
	struct undo_file file;
	const struct undo_kind *const *kinds;	/* ends with NULL */
	struct undo_where where;
	u32 count, size;
	struct undo_note *note;
	json_t *tenants;	/* what each has, for who adopts */
	bool broken;		/* the file cannot be written: told */
};

void undo_init(struct undo *u, const char *path, const struct undo_kind *const *kinds,
	       const struct undo_where *where);
void undo_fini(struct undo *u);
/* Reads the file. NULL, or why it is no good; without a file there is nothing to read. */
const char *undo_load(struct undo *u);
/*
 * To be called before the target is changed. False: the state could not be written, and
 * the target must not be changed.
 */
bool undo_note(struct undo *u, const struct undo_kind *kind, const char *owner,
	       const char *target, const char *value);
bool undo_has(struct undo *u, const struct undo_kind *kind, const char *target);
/* Copies its value; false: there is no such note. */
bool undo_value(struct undo *u, const struct undo_kind *kind, const char *target,
		char value[UNDO_VALUE_MAX]);
/* Gives one back. */
enum undo_done undo_one(struct undo *u, const struct undo_kind *kind, const char *target);
/*
 * Gives back what @which says yes to (NULL: all), the latest first, but what is .last at last;
 * how many could not be.
 * @slow: also kinds that may wait.
 */
u32 undo_some(struct undo *u, bool (*which)(void *arg, const struct undo_note *n), void *arg,
	      bool slow);
/* What @tenant has now (a reference that is taken; NULL: it is none any more). */
bool undo_tenant(struct undo *u, const char *tenant, json_t *has);
/* Removes the file, when nothing is left in it. */
void undo_clear(struct undo *u);

#endif /* HOSTD_UNDO_H */
