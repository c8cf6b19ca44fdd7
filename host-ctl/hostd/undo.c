// SPDX-License-Identifier: GPL-2.0-or-later
/* Notes of what was changed, and the state file. */
#include "undo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "log/log.h"

#define STATE_VERSION	1

void undo_init(struct undo *u, const char *path, const struct undo_kind *const *kinds,
	       const struct undo_where *where)
{
	*u = (struct undo){ .path = path, .kinds = kinds, .where = *where,
			    .tenants = json_object() };
	pthread_mutex_init(&u->lock, NULL);
}

void undo_fini(struct undo *u)
{
	json_decref(u->tenants);
	free(u->note);
	pthread_mutex_destroy(&u->lock);
}

/* ---- The file ---- */

static json_t *to_json(const struct undo *u)
{
	json_t *changed = json_array();
	u32 i;

	for (i = 0; i < u->count; i++)
		json_array_append_new(changed, json_pack("{s:s,s:s,s:s,s:s}",
			"kind", u->note[i].kind->name, "owner", u->note[i].owner,
			"target", u->note[i].target, "value", u->note[i].value));
	return json_pack("{s:i,s:O,s:o}", "version", STATE_VERSION, "tenants", u->tenants,
			 "changed", changed);
}

static bool write_file(struct undo *u)
{
	char temp[160];
	json_t *v = to_json(u);
	int fd, rc = -1;

	snprintf(temp, sizeof(temp), "%s.new", u->path);
	fd = v ? open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
	if (fd >= 0) {
		rc = json_dumpfd(v, fd, JSON_INDENT(1));
		rc = close(fd) || rc ? -1 : rename(temp, u->path);
	}
	json_decref(v);
	if (rc && !u->broken)
		log_error("%s: cannot be written: %s: nothing new will be changed until it can",
			  u->path, strerror(errno));
	u->broken = rc != 0;
	return !rc;
}

static bool save(struct undo *u)
{
	return !u->path || write_file(u);
}

static const struct undo_kind *kind_of(const struct undo *u, const char *name)
{
	u32 i;

	for (i = 0; u->kinds[i]; i++)
		if (name && !strcmp(u->kinds[i]->name, name))
			return u->kinds[i];
	return NULL;
}

/* ---- Notes ---- */

static struct undo_note *find(struct undo *u, const struct undo_kind *kind, const char *target)
{
	u32 i;

	for (i = 0; i < u->count; i++)
		if (u->note[i].kind == kind && !strcmp(u->note[i].target, target))
			return &u->note[i];
	return NULL;
}

static bool add(struct undo *u, const struct undo_kind *kind, const char *owner,
		const char *target, const char *value)
{
	struct undo_note *n;

	if (strlen(target) >= UNDO_TARGET_MAX || strlen(value) >= UNDO_VALUE_MAX)
		return false;
	if (u->count == u->size) {
		u32 size = u->size ? 2 * u->size : 64;

		n = realloc(u->note, size * sizeof(*n));
		if (!n)
			return false;
		u->note = n;
		u->size = size;
	}
	n = &u->note[u->count++];
	n->kind = kind;
	snprintf(n->owner, sizeof(n->owner), "%s", owner);
	strcpy(n->target, target);
	strcpy(n->value, value);
	return true;
}

static const char *load_notes(struct undo *u, const json_t *v)
{
	const json_t *list = json_object_get(v, "changed"), *o;
	size_t i;

	if (json_integer_value(json_object_get(v, "version")) != STATE_VERSION ||
	    !json_is_array(list) || !json_is_object(json_object_get(v, "tenants")))
		return "not a state of this version";
	json_array_foreach(list, i, o) {
		const char *owner = json_string_value(json_object_get(o, "owner"));
		const char *target = json_string_value(json_object_get(o, "target"));
		const char *value = json_string_value(json_object_get(o, "value"));
		const struct undo_kind *k;

		k = kind_of(u, json_string_value(json_object_get(o, "kind")));
		if (!k || !owner || !target || !value || !add(u, k, owner, target, value))
			return "an entry is not whole";
	}
	json_decref(u->tenants);
	u->tenants = json_incref(json_object_get(v, "tenants"));
	return NULL;
}

const char *undo_load(struct undo *u)
{
	json_error_t e;
	const char *why;
	json_t *v;

	if (access(u->path, F_OK) && errno == ENOENT)
		return NULL;
	v = json_load_file(u->path, JSON_REJECT_DUPLICATES, &e);
	why = v ? load_notes(u, v) : "not JSON, or not to be read";
	json_decref(v);
	if (why)
		u->count = 0;
	return why;
}

bool undo_note(struct undo *u, const struct undo_kind *kind, const char *owner,
	       const char *target, const char *value)
{
	bool good = true;

	pthread_mutex_lock(&u->lock);
	if (!find(u, kind, target)) {
		good = add(u, kind, owner, target, value);
		if (good && !save(u)) {
			u->count--;
			good = false;
		}
	}
	pthread_mutex_unlock(&u->lock);
	return good;
}

bool undo_value(struct undo *u, const struct undo_kind *kind, const char *target,
		char value[UNDO_VALUE_MAX])
{
	struct undo_note *n;

	pthread_mutex_lock(&u->lock);
	n = find(u, kind, target);
	if (n)
		strcpy(value, n->value);
	pthread_mutex_unlock(&u->lock);
	return n;
}

bool undo_has(struct undo *u, const struct undo_kind *kind, const char *target)
{
	char value[UNDO_VALUE_MAX];

	return undo_value(u, kind, target, value);
}

/* Removes the note of what was given back or is gone. The order is that of time. */
static void forget(struct undo *u, const struct undo_kind *kind, const char *target)
{
	struct undo_note *n;

	pthread_mutex_lock(&u->lock);
	n = find(u, kind, target);
	if (n) {
		u->count--;
		memmove(n, n + 1, (size_t)(&u->note[u->count] - n) * sizeof(*n));
		save(u);
	}
	pthread_mutex_unlock(&u->lock);
}

/* Without the lock while it acts: that may take long. */
static enum undo_done give_back(struct undo *u, const struct undo_note *n)
{
	enum undo_done done = n->kind->restore(&u->where, n->target, n->value);

	if (done != UNDO_FAILED)
		forget(u, n->kind, n->target);
	else
		log_warn("%s of %s, %s: cannot be set back to \"%s\"", n->kind->name, n->owner,
			 n->target, n->value);
	return done;
}

enum undo_done undo_one(struct undo *u, const struct undo_kind *kind, const char *target)
{
	struct undo_note copy = { .kind = NULL }, *n;

	pthread_mutex_lock(&u->lock);
	n = find(u, kind, target);
	if (n)
		copy = *n;
	pthread_mutex_unlock(&u->lock);
	return copy.kind ? give_back(u, &copy) : UNDO_GONE;
}

/* The last note before @*at that is wanted. */
static bool next(struct undo *u, u32 *at, bool (*which)(void *, const struct undo_note *),
		 void *arg, bool slow, struct undo_note *copy)
{
	bool found = false;

	pthread_mutex_lock(&u->lock);
	if (*at > u->count)
		*at = u->count;
	while (!found && *at) {
		const struct undo_note *n = &u->note[--*at];

		found = (slow || !n->kind->slow) && (!which || which(arg, n));
		if (found)
			*copy = *n;
	}
	pthread_mutex_unlock(&u->lock);
	return found;
}

u32 undo_some(struct undo *u, bool (*which)(void *arg, const struct undo_note *n), void *arg,
	      bool slow)
{
	struct undo_note copy;
	u32 at = UINT32_MAX, failed = 0;

	while (next(u, &at, which, arg, slow, &copy))
		failed += give_back(u, &copy) == UNDO_FAILED;
	return failed;
}

bool undo_tenant(struct undo *u, const char *tenant, json_t *has)
{
	bool good;

	pthread_mutex_lock(&u->lock);
	if (has)
		json_object_set_new(u->tenants, tenant, has);
	else
		json_object_del(u->tenants, tenant);
	good = save(u);
	pthread_mutex_unlock(&u->lock);
	return good;
}

void undo_clear(struct undo *u)
{
	pthread_mutex_lock(&u->lock);
	if (!u->count && u->path)
		unlink(u->path);
	pthread_mutex_unlock(&u->lock);
}
