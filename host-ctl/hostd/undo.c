// SPDX-License-Identifier: GPL-2.0-or-later
/* Notes of what was changed, and the state file. */
#include "undo.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "log/log.h"

#define STATE_VERSION	1

void undo_init(struct undo *u, const char *path, const struct undo_kind *const *kinds,
	       const struct undo_where *where)
{
	*u = (struct undo){ .file = { .path = path, .fd = -1 }, .kinds = kinds, .where = *where,
			    .tenants = json_object() };
	pthread_mutex_init(&u->lock, NULL);
}

void undo_fini(struct undo *u)
{
	undo_file_close(&u->file);
	json_decref(u->tenants);
	free(u->note);
	pthread_mutex_destroy(&u->lock);
}

/* ---- The file ---- */

static json_t *note_json(const struct undo_note *n)
{
	return json_pack("{s:s,s:s,s:s,s:s}", "kind", n->kind->name, "owner", n->owner,
			 "target", n->target, "value", n->value);
}

static json_t *whole(void *undo)
{
	const struct undo *u = undo;
	json_t *changed = json_array();
	u32 i;

	for (i = 0; i < u->count; i++)
		json_array_append_new(changed, note_json(&u->note[i]));
	return json_pack("{s:i,s:O,s:o}", "version", STATE_VERSION, "tenants", u->tenants,
			 "changed", changed);
}

/* Takes @line, which tells what is new. */
static bool save(struct undo *u, json_t *line)
{
	int rc = undo_file_add(&u->file, line, whole, u);

	if (rc && !u->broken)
		log_error("%s: cannot be written: %s: nothing new will be changed until it can",
			  u->file.path, strerror(-rc));
	u->broken = rc != 0;
	return !rc;
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

static void drop(struct undo *u, struct undo_note *n)
{
	u->count--;
	memmove(n, n + 1, (size_t)(&u->note[u->count] - n) * sizeof(*n));
}

/* ---- What the file holds ---- */

static const char *load_note(struct undo *u, const json_t *o)
{
	const char *owner = json_string_value(json_object_get(o, "owner"));
	const char *target = json_string_value(json_object_get(o, "target"));
	const char *value = json_string_value(json_object_get(o, "value"));
	const struct undo_kind *k = kind_of(u, json_string_value(json_object_get(o, "kind")));

	return k && owner && target && value && add(u, k, owner, target, value) ? NULL :
	       "an entry is not whole";
}

static const char *load_whole(struct undo *u, const json_t *v)
{
	const json_t *list = json_object_get(v, "changed"), *o;
	const char *why;
	size_t i;

	if (json_integer_value(json_object_get(v, "version")) != STATE_VERSION ||
	    !json_is_array(list) || !json_is_object(json_object_get(v, "tenants")))
		return "not a state of this version";
	json_array_foreach(list, i, o) {
		why = load_note(u, o);
		if (why)
			return why;
	}
	json_decref(u->tenants);
	u->tenants = json_copy(json_object_get(v, "tenants"));
	return NULL;
}

static void load_tenant(struct undo *u, const char *tenant, json_t *has)
{
	if (json_is_object(has))
		json_object_set(u->tenants, tenant, has);
	else
		json_object_del(u->tenants, tenant);
}

static const char *load_one(void *undo, const json_t *v, bool first)
{
	const json_t *note = json_object_get(v, "note"), *forget = json_object_get(v, "forget");
	const char *tenant = json_string_value(json_object_get(v, "tenant"));
	const char *target = json_string_value(json_object_get(forget, "target"));
	const struct undo_kind *k;
	struct undo *u = undo;
	struct undo_note *n;

	if (first)
		return load_whole(u, v);
	if (note)
		return load_note(u, note);
	if (tenant)
		load_tenant(u, tenant, json_object_get(v, "has"));
	k = kind_of(u, json_string_value(json_object_get(forget, "kind")));
	n = k && target ? find(u, k, target) : NULL;
	if (n)
		drop(u, n);
	return tenant || target ? NULL : "a line that tells nothing";
}

const char *undo_load(struct undo *u)
{
	const char *why = undo_file_read(&u->file, load_one, u);

	if (why)
		u->count = 0;
	return why;
}

/* ---- Keeping it ---- */

bool undo_note(struct undo *u, const struct undo_kind *kind, const char *owner,
	       const char *target, const char *value)
{
	bool good = true;

	pthread_mutex_lock(&u->lock);
	if (!find(u, kind, target)) {
		good = add(u, kind, owner, target, value);
		if (good && !save(u, json_pack("{s:o}", "note",
					       note_json(&u->note[u->count - 1])))) {
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
		drop(u, n);
		save(u, json_pack("{s:{s:s,s:s}}", "forget", "kind", kind->name, "target", target));
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

/* What is to be given back, in one of its two passes. */
struct pass {
	bool (*which)(void *arg, const struct undo_note *n);
	void *arg;
	bool slow, last;
};

static bool is_of(const struct pass *p, const struct undo_note *n)
{
	return (p->slow || !n->kind->slow) && p->last == n->kind->last &&
	       (!p->which || p->which(p->arg, n));
}

/* The last note before @*at that is wanted. */
static bool next(struct undo *u, u32 *at, const struct pass *p, struct undo_note *copy)
{
	bool found = false;

	pthread_mutex_lock(&u->lock);
	if (*at > u->count)
		*at = u->count;
	while (!found && *at) {
		const struct undo_note *n = &u->note[--*at];

		found = is_of(p, n);
		if (found)
			*copy = *n;
	}
	pthread_mutex_unlock(&u->lock);
	return found;
}

static u32 give_all_back(struct undo *u, const struct pass *p)
{
	struct undo_note copy;
	u32 at = UINT32_MAX, failed = 0;

	while (next(u, &at, p, &copy))
		failed += give_back(u, &copy) == UNDO_FAILED;
	return failed;
}

u32 undo_some(struct undo *u, bool (*which)(void *arg, const struct undo_note *n), void *arg,
	      bool slow)
{
	struct pass p = { .which = which, .arg = arg, .slow = slow };
	u32 failed = give_all_back(u, &p);

	p.last = true;
	return failed + give_all_back(u, &p);
}

bool undo_tenant(struct undo *u, const char *tenant, json_t *has)
{
	bool good;

	pthread_mutex_lock(&u->lock);
	load_tenant(u, tenant, has);
	good = save(u, json_pack("{s:s,s:o?}", "tenant", tenant, "has", has));
	pthread_mutex_unlock(&u->lock);
	return good;
}

void undo_clear(struct undo *u)
{
	pthread_mutex_lock(&u->lock);
	if (!u->count && u->file.path) {
		unlink(u->file.path);
		undo_file_close(&u->file);
	}
	pthread_mutex_unlock(&u->lock);
}
