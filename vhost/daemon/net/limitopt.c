// SPDX-License-Identifier: GPL-2.0-or-later
/* A port's limit as options and as JSON. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "limitopt.h"

static const struct item {
	const char *option, *key, *why;
	size_t at;
	u64 max;
} items[] = {
	{ "rate-pps", "rate_pps", "rate-pps: not in 0..1000000000 packets a second",
	  offsetof(struct limit_params, pps), LIMIT_PPS_MAX },
	{ "rate-bps", "rate_bps", "rate-bps: not in 0..1000000000000 bits a second",
	  offsetof(struct limit_params, bps), LIMIT_BPS_MAX },
	{ "burst-packets", "burst_packets", "burst-packets: not in 0..1000000",
	  offsetof(struct limit_params, burst_packets), LIMIT_BURST_PACKETS_MAX },
	{ "burst-bytes", "burst_bytes", "burst-bytes: not in 0..67108864",
	  offsetof(struct limit_params, burst_bytes), LIMIT_BURST_BYTES_MAX },
};

#define ITEMS	(sizeof(items) / sizeof(items[0]))

static u64 *value_of(struct limit_params *p, const struct item *item)
{
	return (u64 *)((char *)p + item->at);
}

static bool parse_u64(const char *s, u64 max, u64 *out)
{
	unsigned long long v;
	char *end;

	errno = 0;
	v = strtoull(s, &end, 10);
	if (!isdigit((unsigned char)*s) || *end || errno || v > max)
		return false;
	*out = v;
	return true;
}

bool limit_parse(const char *key, const char *value, struct limit_params *p, const char **why)
{
	u32 i;

	for (i = 0; i < ITEMS; i++) {
		if (strcmp(key, items[i].option))
			continue;
		*why = parse_u64(value, items[i].max, value_of(p, &items[i])) ? NULL : items[i].why;
		return true;
	}
	return false;
}

bool limit_is_arg(const char *key)
{
	u32 i;

	for (i = 0; i < ITEMS; i++)
		if (!strcmp(key, items[i].key))
			return true;
	return false;
}

bool limit_args(const json_t *args, struct limit_params *p, struct ctl_error *e)
{
	const char *why;
	u32 i;

	for (i = 0; i < ITEMS; i++)
		if (!args_u64(args, items[i].key, 0, items[i].max, value_of(p, &items[i]), e))
			return false;
	why = limit_check(p);
	if (why)
		ctl_fail(e, "bad-value", "%s", why);
	return !why;
}

bool limit_no_args(const json_t *args, struct ctl_error *e)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)args, key, value) {
		if (!limit_is_arg(key))
			continue;
		ctl_fail(e, "unknown-key", "set: only a port has \"%s\"", key);
		return false;
	}
	return true;
}

json_t *limit_describe(const struct limit_params *p, const struct limit *l)
{
	json_t *o = json_object();
	u32 i;

	for (i = 0; i < ITEMS; i++)
		json_object_set_new(o, items[i].key, json_integer((json_int_t)
				*value_of((struct limit_params *)p, &items[i])));
	json_object_set_new(o, "waits", json_integer((json_int_t)rp_load(&l->waits)));
	return o;
}
