// SPDX-License-Identifier: GPL-2.0-or-later
/* From a YAML file to options. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "config_doc.h"

/* ---- One option's argument ---- */

/* Writes text, or a list of it with @sep between; false: it is neither. */
static bool write_value(struct config *c, FILE *out, const yaml_node_t *n, char sep)
{
	yaml_node_item_t *item;
	const char *text;

	if (n->type == YAML_SCALAR_NODE) {
		text = config_text(n);
		return text && fputs(text, out) >= 0;
	}
	if (n->type != YAML_SEQUENCE_NODE)
		return false;
	FOR_ITEMS(item, n) {
		text = config_text(config_node(c, *item));
		/* In an entry it would begin another key. */
		if (!text || strchr(text, ',') ||
		    fprintf(out, "%.*s%s", item > n->data.sequence.items.start, &sep, text) < 0)
			return false;
	}
	return true;
}

/* ---- Entries: NAME,key=value,... ---- */

static bool write_pair(struct config *c, FILE *out, const char *what,
		       const yaml_node_pair_t *pair)
{
	const yaml_node_t *value = config_node(c, pair->value);
	const char *key = config_key(c, pair), *text = config_text(value);

	if (!strcmp(key, "name"))
		return true;
	if (!strpbrk(key, ",=") && !(text && strchr(text, ',')) &&
	    fprintf(out, ",%s=", key) > 0 && write_value(c, out, value, '+'))
		return true;
	config_complain(c, config_line(c, pair),
			"%s%s: neither a text nor a list of texts, all without commas", what, key);
	return false;
}

static void say_entry(struct config *c, u32 def, const char *what, const yaml_node_t *map,
		      const char *text)
{
	static const char unknown[] = "unknown key: ";
	const char *why = options_say(c->into, def, text, SAID_FILE);

	if (why && !strncmp(why, unknown, strlen(unknown)))
		config_find_unknown(c, what, map, why + strlen(unknown));
	else if (why)
		config_complain(c, config_blame(c, map, why), "%s%s", what, why);
}

static void take_entry(struct config *c, u32 def, const yaml_node_t *map)
{
	const char *section = option_defs[def].section;
	yaml_node_pair_t *pair;
	const yaml_node_t *name;
	char *text = NULL, what[80];
	bool good = true;
	size_t line, n;
	FILE *out;

	name = map->type == YAML_MAPPING_NODE ? config_value(c, map, "name", &line) : NULL;
	if (!name || !config_text(name) || strchr(config_text(name), ',')) {
		config_complain(c, map->start_mark.line, "%s: not an entry with a name: expected "
				"\"- name: NAME\" and what it has below that", section);
		return;
	}
	snprintf(what, sizeof(what), "%s: %.40s: ", section, config_text(name));
	out = open_memstream(&text, &n);
	if (!out)
		return config_complain(c, map->start_mark.line, "%sno memory", what);
	fputs(config_text(name), out);
	FOR_PAIRS(pair, map)
		good &= write_pair(c, out, what, pair);
	if (fclose(out) || !text)
		config_complain(c, map->start_mark.line, "%sno memory", what);
	else if (good && config_keys_once(c, what, map))
		say_entry(c, def, what, map, text);
	free(text);
}

/* ---- Others ---- */

static void take_value(struct config *c, u32 def, const char *key, const yaml_node_t *node)
{
	bool list = option_defs[def].shape != SHAPE_TEXT, good = false;
	const char *why;
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	if (out)
		good = (list || node->type == YAML_SCALAR_NODE) && write_value(c, out, node, ',');
	if (!out || fclose(out) || !text)
		why = "no memory";
	else if (!good)
		why = list ? "not a list of texts without commas" : "not a text";
	else
		why = options_say(c->into, def, text, SAID_FILE);
	if (why)
		config_complain(c, node->start_mark.line, "%s: %s", key, why);
	free(text);
}

static void take_section(struct config *c, u32 def, const char *key, const yaml_node_t *node)
{
	const struct option_def *d = &option_defs[def];
	yaml_node_item_t *item;

	if (node->type != YAML_SEQUENCE_NODE)
		return config_complain(c, node->start_mark.line,
				       "%s: not a list: its entries begin with \"- \"", key);
	FOR_ITEMS(item, node) {
		if (d->shape == SHAPE_ENTRIES)
			take_entry(c, def, config_node(c, *item));
		else
			take_value(c, def, key, config_node(c, *item));
	}
}

static const char *key_of_def(const struct option_def *d)
{
	return d->section ? d->section : d->name;
}

static void take(struct config *c, u32 def, const yaml_node_t *root)
{
	const struct option_def *d = &option_defs[def];
	const struct options *o = c->into;
	const char *key = key_of_def(d);
	const yaml_node_t *node;
	size_t line;

	node = d->shape == SHAPE_NONE ? NULL : config_value(c, root, key, &line);
	if (!node)
		return;
	if (o->from[def] == SAID_ARGS)
		config_complain(c, line, "%s: it is said on the command line, too: say it once",
				key);
	else if (d->section)
		take_section(c, def, key, node);
	else
		take_value(c, def, key, node);
}

static bool is_known(const char *key)
{
	u32 i;

	for (i = 0; i < option_count; i++)
		if (option_defs[i].shape != SHAPE_NONE && !strcmp(key_of_def(&option_defs[i]), key))
			return true;
	return false;
}

static void check_keys(struct config *c, const yaml_node_t *root)
{
	char list[512] = "only ";
	yaml_node_pair_t *pair;
	size_t n = strlen(list);
	u32 i;

	for (i = 0; i < option_count; i++)
		if (option_defs[i].shape != SHAPE_NONE)
			n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s",
					      n > strlen("only ") ? ", " : "",
					      key_of_def(&option_defs[i]));
	snprintf(list + n, sizeof(list) - n, " are known");
	FOR_PAIRS(pair, root) {
		const char *key = config_key(c, pair);

		if (!is_known(key))
			config_complain_unknown(c, config_line(c, pair), "", key, list);
	}
}

static void check_all(struct config *c, const yaml_node_t *root)
{
	const char *who, *why = options_check(c->into, &who);
	const yaml_node_t *entry = who ? config_entry(c, root, who) : root;

	if (why)
		config_complain(c, config_blame(c, entry, why), "%s%s%s", who ? who : "",
				who ? ": " : "", why);
}

static void take_all(struct config *c)
{
	const yaml_node_t *root = yaml_document_get_root_node(&c->doc);
	u32 i, before;

	/* An empty file serves nothing yet. */
	if (!root)
		return;
	if (root->type != YAML_MAPPING_NODE)
		return config_complain(c, root->start_mark.line,
				       "not a configuration: expected \"ports:\" and the like");
	check_keys(c, root);
	config_keys_once(c, "", root);
	before = c->errors;
	for (i = 0; i < option_count; i++)
		/* Of a port that was refused others would only say that it is not there. */
		if (c->errors == before || !option_defs[i].section)
			take(c, i, root);
	if (!c->errors)
		check_all(c, root);
}

u32 config_parse(const char *name, const char *text, size_t bytes, struct options *o,
		 config_tell *tell, void *ctx)
{
	struct config c = { .name = name, .into = o, .tell = tell, .ctx = ctx };

	return config_load(&c, text, bytes, take_all);
}

u32 config_read(const char *path, struct options *o, config_tell *tell, void *ctx)
{
	struct config c = { .name = path, .into = o, .tell = tell, .ctx = ctx };

	return config_load_file(&c, CONFIG_MAX_BYTES, take_all);
}
