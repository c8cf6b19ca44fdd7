// SPDX-License-Identifier: GPL-2.0-or-later
/* From a YAML file to a struct conf; each key is a line of a table. */
#include "conf.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "config_doc.h"
#include "cpulist.h"
#include "topo.h"

enum shape { TEXT, NUMBER, NUMBER64, SWITCH, WORD, CPUS, TEXTS, QUEUES };

struct key {
	const char *name;
	enum shape shape;
	size_t at, bytes;		/* bytes: of a text */
	u64 min, max;
	const char *words;		/* of WORD, in the order of the values */
};

#define AT(s, f)	offsetof(struct s, f), sizeof(((struct s *)0)->f)
#define TEXT_KEY(s, n, f)		{ n, TEXT, AT(s, f), 0, 0, NULL }
#define NUMBER_KEY(s, n, f, lo, hi)	{ n, NUMBER, AT(s, f), lo, hi, NULL }
#define NS_KEY(n, f, lo, hi)		{ n, NUMBER64, AT(conf, f), lo, hi, NULL }

#define MS	1000000ULL
#define MINUTE	(60000 * MS)

static const struct key host_keys[] = {
	TEXT_KEY(conf, "run-dir", run_dir),
	TEXT_KEY(conf, "learned", learned),
	TEXT_KEY(conf, "control", control),
	TEXT_KEY(conf, "metrics", metrics),
	TEXT_KEY(conf, "sysfs", sysfs),
	TEXT_KEY(conf, "libvirt", libvirt),
	TEXT_KEY(conf, "ringpaced", ringpaced),
	{ "cpus", CPUS, AT(conf, cpus), 0, 0, NULL },
	{ "clocks", WORD, AT(conf, clocks), 0, 0, "no, yes, quota" },
	{ "rapl", SWITCH, AT(conf, rapl), 0, 0, NULL },
	NS_KEY("fast-ns", fast_ns, MS, 1000 * MS),
	NS_KEY("metric-ns", metric_ns, MS, 1000 * MS),
	NS_KEY("decide-ns", decide_ns, MS, 10000 * MS),
	NS_KEY("stale-ns", stale_ns, MS, MINUTE),
	NS_KEY("blind-ns", blind_ns, MS, MINUTE),
	NS_KEY("hold-ns", hold_ns, MS, MINUTE),
	NS_KEY("libvirt-ns", libvirt_ns, 10 * MS, MINUTE),
	NS_KEY("timeout-ns", timeout_ns, 10 * MS, MINUTE),
};

static const struct key tenant_keys[] = {
	TEXT_KEY(conf_tenant, "name", name),
	{ "class", WORD, AT(conf_tenant, class), 0, 0, "latency, batch" },
	TEXT_KEY(conf_tenant, "domain", domain),
	TEXT_KEY(conf_tenant, "pidfile", pidfile),
	TEXT_KEY(conf_tenant, "cgroup", cgroup),
	TEXT_KEY(conf_tenant, "dataplane", dataplane),
	{ "ports", TEXTS, AT(conf_tenant, port), 0, 0, NULL },
	{ "bound-ns", NUMBER64, AT(conf_tenant, bound_ns), 1000, 10000 * MS, NULL },
	{ "policy", WORD, AT(conf_tenant, policy), 0, 0, "energy, consolidate" },
	NUMBER_KEY(conf_tenant, "priority", priority, 0, 1000),
	NUMBER_KEY(conf_tenant, "min-cores", min_cores, 1, 1024),
	NUMBER_KEY(conf_tenant, "max-cores", max_cores, 1, 1024),
	NUMBER_KEY(conf_tenant, "threads-per-core", threads_per_core, 1, 2),
	{ "polls", SWITCH, AT(conf_tenant, polls), 0, 0, NULL },
	{ "vcpus", WORD, AT(conf_tenant, vcpus), 0, 0, "park, hotplug, agent" },
	{ "emulator", SWITCH, AT(conf_tenant, emulator), 0, 0, NULL },
	NUMBER_KEY(conf_tenant, "cpu-shares", cpu_shares, 2, 262144),
	NUMBER_KEY(conf_tenant, "cpu-quota-percent", quota_percent, 1, 100),
	TEXT_KEY(conf_tenant, "nic", nic),
	NUMBER_KEY(conf_tenant, "nic-share", nic_share, 1, CONF_SHARE_MAX),
	{ "nic-queues", QUEUES, AT(conf_tenant, nic_queue), 0, 0, NULL },
};

#define COUNT(a)	((u32)(sizeof(a) / sizeof((a)[0])))

/* ---- Values ---- */

static const char *take_number(const char *text, const struct key *k, void *to)
{
	static char why[96];
	char *end;
	u64 v;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (!*text || *end || *text == '-' || errno || v < k->min || v > k->max) {
		snprintf(why, sizeof(why), "not a number in %" PRIu64 "..%" PRIu64, k->min, k->max);
		return why;
	}
	if (k->shape == NUMBER64)
		*(u64 *)to = v;
	else
		*(u32 *)to = (u32)v;
	return NULL;
}

/* Its place in a list "a, b"; -1: it is none of them. */
static int place_of(const char *words, const char *text)
{
	size_t n = strlen(text);
	int i = 0;

	if (!n || strpbrk(text, ", "))
		return -1;
	for (; words; i++) {
		if (!strncmp(words, text, n) && (words[n] == ',' || !words[n]))
			return i;
		words = strstr(words, ", ");
		words = words ? words + 2 : NULL;
	}
	return -1;
}

static const char *take_word(const char *text, const char *words, void *to)
{
	static char why[96];
	int i = place_of(words, text);

	snprintf(why, sizeof(why), "none of %s", words ? words : "");
	if (i < 0)
		return why;
	*(u32 *)to = (u32)i;
	return NULL;
}

static const char *take_scalar(const char *text, const struct key *k, void *to)
{
	switch (k->shape) {
	case TEXT:
		if (!*text)
			return "empty: leave it out, or say what it is";
		if (strlen(text) >= k->bytes)
			return "too long";
		strcpy(to, text);
		return NULL;
	case NUMBER:
	case NUMBER64:
		return take_number(text, k, to);
	case SWITCH:
		return take_word(text, "no, yes", to);
	case WORD:
		return take_word(text, k->words, to);
	case CPUS:
		return cpulist_parse(text, to) && CPU_COUNT((cpu_set_t *)to) ?
			NULL : "not a list of CPUs, such as \"2-5,8\"";
	case TEXTS:
	case QUEUES:
		break;
	}
	return "not a list: write [a, b]";
}

/* Of ports; the only list of texts. */
static const char *take_texts(struct config *doc, const yaml_node_t *list, struct conf_tenant *t)
{
	yaml_node_item_t *item;
	const char *text;

	FOR_ITEMS(item, list) {
		text = config_text(config_node(doc, *item));
		if (!text || !*text || strlen(text) >= CONF_NAME_MAX)
			return "not a list of names of at most 31 bytes";
		if (t->ports == CONF_PORTS_MAX)
			return "at most 8";
		strcpy(t->port[t->ports++], text);
	}
	return NULL;
}

/* "3", or "1:1f" as tc writes classes; false: it is neither. */
static bool take_queue(const char *text, u32 *queue)
{
	unsigned long major, minor;
	char *end;

	if (!strchr(text, ':')) {
		minor = strtoul(text, &end, 10);
		*queue = (u32)minor;
		return *text >= '0' && *text <= '9' && !*end && minor < CONF_QUEUES_MAX;
	}
	major = strtoul(text, &end, 16);
	if (!isxdigit((unsigned char)*text) || *end != ':' || !isxdigit((unsigned char)end[1]))
		return false;
	minor = strtoul(end + 1, &end, 16);
	*queue = (u32)(major << 16 | minor);
	return !*end && major && major < 0xffff && minor && minor < 0xffff;
}

static const char *take_queues(struct config *doc, const yaml_node_t *list, struct conf_tenant *t)
{
	yaml_node_item_t *item;
	const char *text;

	FOR_ITEMS(item, list) {
		text = config_text(config_node(doc, *item));
		if (t->nic_queues == CONF_QUEUES_MAX)
			return "at most 64";
		if (!text || !take_queue(text, &t->nic_queue[t->nic_queues++]))
			return "not a list of queues (0..63) or of classes (\"1:10\")";
	}
	return NULL;
}

static void take(struct config *doc, const char *what, const struct key *k,
		 const yaml_node_t *value, void *base)
{
	const char *text = config_text(value), *why;

	if (k->shape == TEXTS && value->type == YAML_SEQUENCE_NODE)
		why = take_texts(doc, value, base);
	else if (k->shape == QUEUES && value->type == YAML_SEQUENCE_NODE)
		why = take_queues(doc, value, base);
	else if (!text)
		why = "not a text";
	else
		why = take_scalar(text, k, (char *)base + k->at);
	if (why)
		config_complain(doc, value->start_mark.line, "%s%s: %s", what, k->name, why);
}

/* ---- Mappings ---- */

static const struct key *find(const struct key *keys, u32 n, const char *name)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (!strcmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

static void say_unknown(struct config *doc, size_t line, const char *what, const char *key,
			const struct key *keys, u32 n, const char *more)
{
	char list[512];
	size_t used;
	u32 i;

	used = (size_t)snprintf(list, sizeof(list), "only %s", more);
	for (i = 0; i < n && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
					 i || *more ? ", " : "", keys[i].name);
	if (used < sizeof(list))
		snprintf(list + used, sizeof(list) - used, " are known");
	config_complain_unknown(doc, line, what, key, list);
}

static void take_tenant(struct config *doc, struct conf *c, const yaml_node_t *map)
{
	struct conf_tenant *t = &c->tenant[c->tenants];
	yaml_node_pair_t *pair;
	const yaml_node_t *name;
	char what[64];
	size_t line;

	name = map->type == YAML_MAPPING_NODE ? config_value(doc, map, "name", &line) : NULL;
	if (!name || !config_text(name))
		return config_complain(doc, map->start_mark.line, "tenants: not an entry with a "
				       "name: expected \"- name: NAME\" and what it has below that");
	if (c->tenants == CONF_TENANTS_MAX)
		return config_complain(doc, map->start_mark.line, "tenants: more than %u: take "
				       "some out", CONF_TENANTS_MAX);
	snprintf(what, sizeof(what), "tenants: %.40s: ", config_text(name));
	if (!config_keys_once(doc, what, map))
		return;
	*t = (struct conf_tenant){ .line = (u32)map->start_mark.line, .class = UINT32_MAX,
				   .min_cores = 1 };
	FOR_PAIRS(pair, map) {
		const char *key = config_key(doc, pair);
		const struct key *k = find(tenant_keys, COUNT(tenant_keys), key);

		if (k)
			take(doc, what, k, config_node(doc, pair->value), t);
		else
			say_unknown(doc, config_line(doc, pair), what, key, tenant_keys,
				    COUNT(tenant_keys), "");
	}
	c->tenants++;
}

static void take_tenants(struct config *doc, struct conf *c, const yaml_node_t *list)
{
	yaml_node_item_t *item;

	if (list->type != YAML_SEQUENCE_NODE)
		return config_complain(doc, list->start_mark.line,
				       "tenants: not a list: its entries begin with \"- \"");
	FOR_ITEMS(item, list)
		take_tenant(doc, c, config_node(doc, *item));
}

static void take_root(struct config *doc)
{
	struct conf *c = doc->into;
	const yaml_node_t *root = yaml_document_get_root_node(&doc->doc);
	yaml_node_pair_t *pair;

	if (!root || root->type != YAML_MAPPING_NODE)
		return config_complain(doc, root ? root->start_mark.line : 0,
				       "not a configuration: expected \"cpus:\" and \"tenants:\"");
	if (!config_keys_once(doc, "", root))
		return;
	FOR_PAIRS(pair, root) {
		const char *key = config_key(doc, pair);
		const struct key *k = find(host_keys, COUNT(host_keys), key);
		const yaml_node_t *value = config_node(doc, pair->value);

		if (!strcmp(key, "tenants"))
			take_tenants(doc, c, value);
		else if (k)
			take(doc, "", k, value, c);
		else
			say_unknown(doc, config_line(doc, pair), "", key, host_keys,
				    COUNT(host_keys), "tenants");
	}
	c->has_cpus = CPU_COUNT(&c->cpus) > 0;
	if (!doc->errors)
		conf_check(doc, c);
}

/* ---- Files ---- */

static void defaults(struct conf *c)
{
	*c = (struct conf){
		.run_dir = "/run/ringpace-hostd", .sysfs = "/sys", .libvirt = "qemu:///system",
		.clocks = CLOCKS_SET, .rapl = true,
		.fast_ns = 10 * MS, .metric_ns = 10 * MS, .decide_ns = 100 * MS,
		.stale_ns = 100 * MS, .blind_ns = 1000 * MS, .hold_ns = 150 * MS,
		.libvirt_ns = 100 * MS, .timeout_ns = 2000 * MS,
	};
}

u32 conf_parse(const char *name, const char *text, size_t bytes, struct conf *c,
	       conf_tell *tell, void *ctx)
{
	struct config doc = { .name = name, .into = c, .tell = tell, .ctx = ctx };

	defaults(c);
	return config_load(&doc, text, bytes, take_root);
}

u32 conf_read(const char *path, struct conf *c, conf_tell *tell, void *ctx)
{
	struct config doc = { .name = path, .into = c, .tell = tell, .ctx = ctx };

	defaults(c);
	return config_load_file(&doc, CONF_BYTES_MAX, take_root);
}
