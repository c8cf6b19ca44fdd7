// SPDX-License-Identifier: GPL-2.0-or-later
/* A configuration file as a document: what is where, and what is wrong there. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_doc.h"
#include "optval.h"

/* ---- Errors ---- */

void config_complain(struct config *c, size_t line, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	n = snprintf(text, sizeof(text), "%.200s:%zu: ", c->name, line + 1);
	va_start(ap, fmt);
	vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
	va_end(ap);
	c->tell(c->ctx, text);
	c->errors++;
}

/* ---- The document ---- */

yaml_node_t *config_node(struct config *c, int id)
{
	return yaml_document_get_node(&c->doc, id);
}

const char *config_text(const yaml_node_t *n)
{
	const char *text;

	if (n->type != YAML_SCALAR_NODE)
		return NULL;
	text = (const char *)n->data.scalar.value;
	return strlen(text) == n->data.scalar.length ? text : NULL;
}

const char *config_key(struct config *c, const yaml_node_pair_t *pair)
{
	const char *key = config_text(config_node(c, pair->key));

	return key ? key : "";
}

size_t config_line(struct config *c, const yaml_node_pair_t *pair)
{
	return config_node(c, pair->key)->start_mark.line;
}

yaml_node_t *config_value(struct config *c, const yaml_node_t *map, const char *key,
			  size_t *line)
{
	yaml_node_pair_t *pair;

	FOR_PAIRS(pair, map) {
		if (strcmp(config_key(c, pair), key))
			continue;
		*line = config_line(c, pair);
		return config_node(c, pair->value);
	}
	return NULL;
}

bool config_keys_once(struct config *c, const char *what, const yaml_node_t *map)
{
	yaml_node_pair_t *pair, *other;

	FOR_PAIRS(pair, map) {
		for (other = map->data.mapping.pairs.start; other < pair; other++) {
			if (strcmp(config_key(c, other), config_key(c, pair)))
				continue;
			config_complain(c, config_line(c, pair),
					"%s%s: it was said before: say it once", what,
					config_key(c, pair));
			return false;
		}
	}
	return true;
}

/* How a key or value looks in messages of parsers: y_ns is the file's y-ns. */
static bool is_about(const char *why, const char *key)
{
	for (; *key; key++, why++)
		if (*why != *key && !(*why == '_' && *key == '-'))
			return false;
	return true;
}

size_t config_blame(struct config *c, const yaml_node_t *map, const char *why)
{
	size_t line = map->start_mark.line, longest = 0;
	yaml_node_pair_t *pair;

	FOR_PAIRS(pair, map) {
		const char *key = config_key(c, pair);

		if (strlen(key) <= longest || !is_about(why, key))
			continue;
		longest = strlen(key);
		line = config_line(c, pair);
	}
	return line;
}

void config_complain_unknown(struct config *c, size_t line, const char *what, const char *key,
			     const char *list)
{
	char nearest[OPT_WORD_MAX];
	bool exact;

	if (opt_nearest(list, key, nearest, &exact))
		config_complain(c, line, "%s\"%s\": unknown key: is it %s? %s", what, key,
				nearest, list);
	else
		config_complain(c, line, "%s\"%s\": unknown key: %s", what, key, list);
}

void config_find_unknown(struct config *c, const char *what, const yaml_node_t *map,
			 const char *list)
{
	char nearest[OPT_WORD_MAX];
	yaml_node_pair_t *pair;
	bool exact;

	FOR_PAIRS(pair, map) {
		const char *key = config_key(c, pair);

		opt_nearest(list, key, nearest, &exact);
		if (!exact && strcmp(key, "name")) {
			config_complain_unknown(c, config_line(c, pair), what, key, list);
			return;
		}
	}
	config_complain(c, map->start_mark.line, "%s%s", what, list);
}

const yaml_node_t *config_entry(struct config *c, const yaml_node_t *root, const char *name)
{
	yaml_node_pair_t *pair;
	yaml_node_item_t *item;
	size_t line;

	FOR_PAIRS(pair, root) {
		const yaml_node_t *list = config_node(c, pair->value);

		if (list->type != YAML_SEQUENCE_NODE)
			continue;
		FOR_ITEMS(item, list) {
			const yaml_node_t *map = config_node(c, *item), *is;

			is = map->type == YAML_MAPPING_NODE ? config_value(c, map, "name", &line) :
				NULL;
			if (is && config_text(is) && !strcmp(config_text(is), name))
				return map;
		}
	}
	return root;
}

/* ---- Loading ---- */

static void complain_yaml(struct config *c, const yaml_parser_t *p)
{
	config_complain(c, p->problem_mark.line, "not YAML: %s",
			p->problem ? p->problem : "no memory");
}

/* What follows the document must be nothing. */
static void check_end(struct config *c, yaml_parser_t *parser)
{
	yaml_document_t doc;

	if (!yaml_parser_load(parser, &doc)) {
		complain_yaml(c, parser);
		return;
	}
	if (yaml_document_get_root_node(&doc))
		config_complain(c, doc.start_mark.line,
				"a second document: one file has one configuration");
	yaml_document_delete(&doc);
}

u32 config_load(struct config *c, const char *text, size_t bytes, void (*take)(struct config *c))
{
	yaml_parser_t parser;

	if (!yaml_parser_initialize(&parser)) {
		config_complain(c, 0, "no memory");
		return c->errors;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, bytes);
	if (!yaml_parser_load(&parser, &c->doc)) {
		complain_yaml(c, &parser);
	} else {
		take(c);
		if (!c->errors)
			check_end(c, &parser);
		yaml_document_delete(&c->doc);
	}
	yaml_parser_delete(&parser);
	return c->errors;
}

static void complain_file(struct config *c, const char *what, const char *why)
{
	char line[512];

	snprintf(line, sizeof(line), "%s: %s%s", c->name, what, why);
	c->tell(c->ctx, line);
	c->errors++;
}

u32 config_load_file(struct config *c, size_t max_bytes, void (*take)(struct config *c))
{
	char *text = malloc(max_bytes + 1), number[64];
	FILE *f = text ? fopen(c->name, "re") : NULL;
	size_t bytes = f ? fread(text, 1, max_bytes + 1, f) : 0;

	snprintf(number, sizeof(number), "%zu bytes that it may have", max_bytes);
	if (!f || ferror(f))
		complain_file(c, "cannot be read: ", strerror(errno));
	else if (bytes > max_bytes)
		complain_file(c, "longer than the ", number);
	else
		config_load(c, text, bytes, take);
	if (f)
		fclose(f);
	free(text);
	return c->errors;
}
