// SPDX-License-Identifier: GPL-2.0-or-later
/* Steering as JSON: what is in force, and what is to be. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "eth/rss_page.h"
#include "net_control.h"
#include "net_rss.h"
#include "rss_control.h"

static const struct {
	const char *name;
	u32 type;
} type_names[] = {
	{ "ipv4", VIRTIO_NET_RSS_HASH_TYPE_IPv4 },
	{ "tcpv4", VIRTIO_NET_RSS_HASH_TYPE_TCPv4 },
	{ "udpv4", VIRTIO_NET_RSS_HASH_TYPE_UDPv4 },
	{ "ipv6", VIRTIO_NET_RSS_HASH_TYPE_IPv6 },
	{ "tcpv6", VIRTIO_NET_RSS_HASH_TYPE_TCPv6 },
	{ "udpv6", VIRTIO_NET_RSS_HASH_TYPE_UDPv6 },
};

#define TYPES	(sizeof(type_names) / sizeof(type_names[0]))

/* ---- Arguments ---- */

static u32 type_by_name(const char *name)
{
	u32 i;

	for (i = 0; name && i < TYPES; i++)
		if (!strcmp(type_names[i].name, name))
			return type_names[i].type;
	return 0;
}

static bool take_types(const json_t *args, struct rss_config *c, struct ctl_error *e)
{
	const json_t *list = json_object_get(args, "types"), *v;
	u32 types = 0, type;
	size_t i;

	if (!list)
		return true;
	if (!json_is_array(list)) {
		ctl_fail(e, "bad-value", "types: not an array of names");
		return false;
	}
	json_array_foreach(list, i, v) {
		type = type_by_name(json_string_value(v));
		if (!type) {
			ctl_fail(e, "bad-value", "types: \"%s\" is none of ipv4, tcpv4, udpv4, "
				 "ipv6, tcpv6, udpv6", json_string_value(v) ?: "?");
			return false;
		}
		types |= type;
	}
	c->types = types;
	return true;
}

static bool take_key(const json_t *args, struct rss_config *c, struct ctl_error *e)
{
	const char *text, *digits = "0123456789abcdefABCDEF";
	unsigned int byte;
	u32 i;

	if (!json_object_get(args, "key"))
		return true;
	text = args_string(args, "key", e);
	if (!text)
		return false;
	if (strlen(text) != 2 * RSS_KEY_BYTES || text[strspn(text, digits)]) {
		ctl_fail(e, "bad-value", "key: not 40 bytes as 80 hexadecimal digits");
		return false;
	}
	for (i = 0; i < RSS_KEY_BYTES; i++) {
		sscanf(text + 2 * i, "%2x", &byte);
		c->key[i] = (u8)byte;
	}
	return true;
}

static bool take_pair(const json_t *v, const char *key, u32 pairs, u16 *pair,
		      struct ctl_error *e)
{
	json_int_t n = json_integer_value(v);

	if (!json_is_integer(v) || n < 0 || n >= pairs) {
		ctl_fail(e, "bad-value", "%s: not a pair of the port, 0..%u", key, pairs - 1);
		return false;
	}
	*pair = (u16)n;
	return true;
}

static bool size_ok(u64 n, const char *key, struct ctl_error *e)
{
	if (n && n <= RSS_ENTRIES_MAX && !(n & (n - 1)))
		return true;
	ctl_fail(e, "bad-value", "%s: the table's entries are a power of two in 1..%u", key,
		 RSS_ENTRIES_MAX);
	return false;
}

/* Another size: all entries anew, over all pairs in turn. */
static bool take_entries(const json_t *args, u32 pairs, struct rss_config *c,
			 struct ctl_error *e)
{
	u64 n = 0;
	u32 i;

	if (!json_object_get(args, "entries"))
		return true;
	if (!args_u64(args, "entries", 1, RSS_ENTRIES_MAX, &n, e) || !size_ok(n, "entries", e))
		return false;
	c->entries = (u32)n;
	for (i = 0; i < c->entries; i++)
		c->pair[i] = (u16)(i % pairs);
	return true;
}

static bool take_table(const json_t *args, u32 pairs, struct rss_config *c,
		       struct ctl_error *e)
{
	const json_t *list = json_object_get(args, "table"), *v;
	size_t i;

	if (!list)
		return true;
	if (json_object_get(args, "entries")) {
		ctl_fail(e, "bad-value", "entries: the table that comes along says how many");
		return false;
	}
	if (!size_ok(json_array_size(list), "table", e))
		return false;
	c->entries = (u32)json_array_size(list);
	json_array_foreach(list, i, v)
		if (!take_pair(v, "table", pairs, &c->pair[i], e))
			return false;
	return true;
}

/* {"5":2}: entry 5 goes to pair 2. */
static bool take_entry(const json_t *args, u32 pairs, struct rss_config *c,
		       struct ctl_error *e)
{
	json_t *map = json_object_get(args, "entry"), *v;
	const char *key;
	char *end;
	u64 n;

	if (map && !json_is_object(map)) {
		ctl_fail(e, "bad-value", "entry: not an object of entries and pairs");
		return false;
	}
	json_object_foreach(map, key, v) {
		n = strtoul(key, &end, 10);
		if (*key < '0' || *key > '9' || *end || n >= c->entries) {
			ctl_fail(e, "bad-value", "entry: \"%s\" is none of the table's, 0..%u",
				 key, c->entries - 1);
			return false;
		}
		if (!take_pair(v, "entry", pairs, &c->pair[n], e))
			return false;
	}
	return true;
}

/* The value of a hexadecimal digit, 16: it is none. */
static u32 digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (u32)(at - digits) : 16;
}

/* The entries of @text, four to a digit, the lowest in the lowest bit, to one pair. */
static bool take_mask(const char *text, u16 pair, struct rss_config *c, struct ctl_error *e)
{
	u32 i, bits;

	for (i = 0; text && (bits = digit(text[i])) < 16; i++)
		for (; bits; bits &= bits - 1) {
			u32 entry = 4 * i + (u32)__builtin_ctz(bits);

			if (entry >= c->entries) {
				ctl_fail(e, "bad-value", "entry_mask: %u is none of the table's "
					 "entries, 0..%u", entry, c->entries - 1);
				return false;
			}
			c->pair[entry] = pair;
		}
	if (text && !text[i])
		return true;
	ctl_fail(e, "bad-value", "entry_mask: not lower-case hexadecimal digits, entries 0..3 in "
		 "the first one");
	return false;
}

/* {"2":"08"}: entry 7 goes to pair 2. Of many entries it is the short form. */
static bool take_masks(const json_t *args, u32 pairs, struct rss_config *c,
		       struct ctl_error *e)
{
	json_t *map = json_object_get(args, "entry_mask"), *v;
	const char *key;
	char *end;
	u64 n;

	if (map && !json_is_object(map)) {
		ctl_fail(e, "bad-value", "entry_mask: not an object of pairs and masks");
		return false;
	}
	json_object_foreach(map, key, v) {
		n = strtoul(key, &end, 10);
		if (*key < '0' || *key > '9' || *end || n >= pairs) {
			ctl_fail(e, "bad-value", "entry_mask: \"%s\" is none of the port's pairs, "
				 "0..%u", key, pairs - 1);
			return false;
		}
		if (!take_mask(json_string_value(v), (u16)n, c, e))
			return false;
	}
	return true;
}

static bool take_unclassified(const json_t *args, u32 pairs, struct rss_config *c,
			      struct ctl_error *e)
{
	const json_t *v = json_object_get(args, "unclassified");

	return !v || take_pair(v, "unclassified", pairs, &c->unclassified, e);
}

static bool take_bool(const json_t *args, const char *key, bool *on, struct ctl_error *e)
{
	const json_t *v = json_object_get(args, key);

	if (v && !json_is_boolean(v)) {
		ctl_fail(e, "bad-value", "%s: not true or false", key);
		return false;
	}
	if (v)
		*on = json_boolean_value(v);
	return true;
}

static bool take_all(const json_t *args, u32 pairs, struct rss_config *c, bool *on,
		     struct ctl_error *e)
{
	return take_bool(args, "enabled", on, e) && take_types(args, c, e) && take_key(args, c, e) &&
	       take_entries(args, pairs, c, e) && take_table(args, pairs, c, e) &&
	       take_entry(args, pairs, c, e) && take_masks(args, pairs, c, e) &&
	       take_unclassified(args, pairs, c, e);
}

/* ---- What is in force ---- */

static json_t *describe_types(u32 types)
{
	json_t *list = json_array();
	u32 i;

	for (i = 0; i < TYPES; i++)
		if (types & type_names[i].type)
			json_array_append_new(list, json_string(type_names[i].name));
	return list;
}

static json_t *describe(const struct port *p)
{
	const struct rss_config *c = net_rss_config(p);
	json_t *table = json_array(), *packets = json_array();
	const struct rss *r = p->rss->made;
	char key[2 * RSS_KEY_BYTES + 1];
	u32 i;

	for (i = 0; i < RSS_KEY_BYTES; i++)
		sprintf(key + 2 * i, "%02x", c->key[i]);
	for (i = 0; i < c->entries; i++) {
		json_array_append_new(table, json_integer(c->pair[i]));
		json_array_append_new(packets, json_integer(
				      r ? (json_int_t)rp_load(&r->packets[i]) : 0));
	}
	return json_pack("{s:s, s:b, s:s, s:s, s:o, s:i, s:i, s:I, s:o, s:o}",
			 "device", p->opt.name, "enabled", p->rss->set.on,
			 "set_by", p->rss->set.by_guest ? "guest" : "host", "key", key,
			 "types", describe_types(c->types), "entries", (int)c->entries,
			 "unclassified", (int)c->unclassified, "unclassified_packets",
			 r ? (json_int_t)rp_load(&r->packets[RSS_ENTRIES_MAX]) : (json_int_t)0,
			 "table", table, "packets", packets);
}

static bool sets_something(const json_t *args)
{
	static const char *const others[] = { "v", "id", "cmd", "device", "brief", "page",
					      NULL };
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)args, key, value)
		if (!args_known(key, others))
			return true;
	return false;
}

/* All or nothing. */
static bool set(struct port *p, const json_t *args, struct ctl_error *e)
{
	struct rss_config c = *net_rss_config(p);
	bool on = p->rss->set.on;
	int rc;

	if (!take_all(args, p->opt.pairs, &c, &on, e))
		return false;
	rc = net_rss_set(p, &c, on);
	if (rc < 0)
		ctl_fail(e, "failed", "%s: cannot steer: %s", p->opt.name, strerror(-rc));
	return rc >= 0;
}

/* Has the table's page go with the reply; who asks can do without. */
static json_t *share(struct port *p, struct lines_peer *peer)
{
	int fd = net_rss_page(p);

	if (fd < 0)
		return json_null();
	peer->fd = fd;
	return json_integer(RSS_PAGE_VERSION);
}

json_t *rss_control(const struct net *n, const json_t *args, struct lines_peer *peer,
		    struct ctl_error *e)
{
	const char *name = args_string(args, "device", e);
	struct port *p = net_control_port(n, args);
	bool brief = false, page = false;
	json_t *result;

	if (!name || !take_bool(args, "brief", &brief, e) || !take_bool(args, "page", &page, e))
		return NULL;
	if (!p) {
		ctl_fail(e, "no-device", "device: there is no port \"%s\"; list shows them", name);
		return NULL;
	}
	if (page && (!peer || !peer->passes)) {
		ctl_fail(e, "no-descriptors", "page: memory cannot be passed through a device");
		return NULL;
	}
	net_rss_look(p);
	if (sets_something(args) && !set(p, args, e))
		return NULL;
	result = brief ? json_object() : describe(p);
	if (page)
		json_object_set_new(result, "page", share(p, peer));
	return result;
}
