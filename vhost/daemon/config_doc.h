/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration file as a document: what is where, and what is wrong there. */
#ifndef RINGPACED_CONFIG_DOC_H
#define RINGPACED_CONFIG_DOC_H

#include <yaml.h>

#include "rp.h"

/* Told a line for everything that is wrong. */
typedef void config_tell(void *ctx, const char *line);

struct config {
	const char *name;
	void *into;		/* what is taken from it goes there: its taker's affair */
	yaml_document_t doc;
	config_tell *tell;
	void *ctx;
	u32 errors;
};

/* Says NAME:LINE: and what; the first line is 0. */
void config_complain(struct config *c, size_t line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Of a key that is none of @list ("only a, b are known"). @what: what goes before it. */
void config_complain_unknown(struct config *c, size_t line, const char *what, const char *key,
			     const char *list);
/* The same of an entry that a parser has refused for one of its keys. */
void config_find_unknown(struct config *c, const char *what, const yaml_node_t *map,
			 const char *list);

yaml_node_t *config_node(struct config *c, int id);
/* Where the key is. */
size_t config_line(struct config *c, const yaml_node_pair_t *pair);
/* NULL: it is no text. */
const char *config_text(const yaml_node_t *n);
/* "": it is no text. */
const char *config_key(struct config *c, const yaml_node_pair_t *pair);
/* The value of @key, or NULL; and where the key is. */
yaml_node_t *config_value(struct config *c, const yaml_node_t *map, const char *key,
			  size_t *line);
/* Is every key there once only? Says so if not. */
bool config_keys_once(struct config *c, const char *what, const yaml_node_t *map);
/* The line of the key that a parser's words are about, else of the entry itself. */
size_t config_blame(struct config *c, const yaml_node_t *map, const char *why);
/* The entry of that name, wherever it is; else @root. */
const yaml_node_t *config_entry(struct config *c, const yaml_node_t *root, const char *name);

/* Has @take take the one document of @text; how many errors there were. */
u32 config_load(struct config *c, const char *text, size_t bytes, void (*take)(struct config *c));
/* The same of the file ->name, of @max_bytes at most. */
u32 config_load_file(struct config *c, size_t max_bytes, void (*take)(struct config *c));

#define FOR_PAIRS(pair, map)						\
	for (pair = (map)->data.mapping.pairs.start;			\
	     pair < (map)->data.mapping.pairs.top; pair++)

#define FOR_ITEMS(item, list)						\
	for (item = (list)->data.sequence.items.start;			\
	     item < (list)->data.sequence.items.top; item++)

#endif /* RINGPACED_CONFIG_DOC_H */
