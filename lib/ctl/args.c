// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/args.h"

#include <inttypes.h>

bool args_known(const char *key, const char *const *keys)
{
	for (; *keys; keys++)
		if (!strcmp(key, *keys))
			return true;
	return false;
}

const char *args_string(const json_t *args, const char *key, struct ctl_error *e)
{
	const json_t *v = json_object_get(args, key);

	if (!json_is_string(v))
		ctl_fail(e, "bad-value", "%s: %s", key,
			 v ? "not a string" : "missing");
	return json_string_value(v);
}

bool args_u64(const json_t *args, const char *key, u64 min, u64 max, u64 *out,
	      struct ctl_error *e)
{
	const json_t *v = json_object_get(args, key);
	json_int_t n = json_integer_value(v);

	if (!v)
		return true;
	if (!json_is_integer(v) || n < 0 || (u64)n < min || (u64)n > max) {
		ctl_fail(e, "bad-value", "%s: not an integer in %" PRIu64 "..%" PRIu64,
			 key, min, max);
		return false;
	}
	*out = (u64)n;
	return true;
}

bool args_required_u64(const json_t *args, const char *key, u64 min, u64 max,
		       u64 *out, struct ctl_error *e)
{
	if (json_object_get(args, key))
		return args_u64(args, key, min, max, out, e);
	ctl_fail(e, "bad-value", "%s: missing", key);
	return false;
}

bool args_u32(const json_t *args, const char *key, u32 min, u32 max, u32 *out,
	      struct ctl_error *e)
{
	u64 v = *out;

	if (!args_u64(args, key, min, max, &v, e))
		return false;
	*out = (u32)v;
	return true;
}

bool args_bool(const json_t *args, const char *key, bool *out, struct ctl_error *e)
{
	const json_t *v = json_object_get(args, key);

	if (!v)
		return true;
	if (!json_is_boolean(v)) {
		ctl_fail(e, "bad-value", "%s: not true or false", key);
		return false;
	}
	*out = json_boolean_value(v);
	return true;
}
