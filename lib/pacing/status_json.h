/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a strategy says of itself, as the "pacing" object of STATS. For
 * programs that link jansson; the library itself does not.
 */
#ifndef RP_STATUS_JSON_H
#define RP_STATUS_JSON_H

#include <jansson.h>

#include "pacing/status_flat.h"

static inline json_t *rp_status_number(u64 v)
{
	return v ? json_integer((json_int_t)v) : json_null();
}

static inline json_t *rp_status_milli(u64 v)
{
	return v ? json_real((double)v / 1000) : json_null();
}

static inline json_t *rp_status_text(const char *s)
{
	return s ? json_string(s) : json_null();
}

/* New reference. */
static inline json_t *rp_status_json(const struct rp_status *st)
{
	json_t *o = json_object(), *times = json_object(), *sure = json_object();
	u32 i;

	json_object_set_new(o, "regime", rp_status_text(st->regime));
	json_object_set_new(o, "unmet", rp_status_text(st->unmet));
	json_object_set_new(o, "mode", rp_status_text(st->mode < RP_WAITS ?
						      rp_wait_names[st->mode] : NULL));
	json_object_set_new(o, "wait_ns", json_integer((json_int_t)st->wait_ns));
#define X(name) json_object_set_new(o, #name, rp_status_number(st->name));
	RP_STATUS_FIELDS(X)
#undef X
#define X(name) json_object_set_new(o, #name, rp_status_milli(st->name##_milli));
	RP_ARRIVAL_FIELDS(X)
#undef X
#define X(name) json_object_set_new(sure, #name, rp_status_number(st->conf_##name));
	RP_CONFIDENCE_FIELDS(X)
#undef X
	json_object_set_new(o, "confidence", sure);
	json_object_set_new(o, "mode_changes", json_integer((json_int_t)st->mode_changes));
	for (i = 0; i < RP_WAITS; i++)
		json_object_set_new(times, rp_wait_names[i],
				    json_integer((json_int_t)st->mode_ns[i]));
	json_object_set_new(o, "mode_ns", times);
	return o;
}

/* The same of one that crossed a system call. New reference. */
static inline json_t *rp_status_flat_json(const struct rp_status_flat *flat)
{
	struct rp_status st;

	return rp_status_unflatten(flat, &st) ? rp_status_json(&st) : json_null();
}

/* The same of a party: null when its strategy says nothing. New reference. */
static inline json_t *rp_party_status_json(const struct rp_party *p)
{
	struct rp_status st;

	return rp_party_status(p, &st) ? rp_status_json(&st) : json_null();
}

#endif /* RP_STATUS_JSON_H */
