/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fills in a domain template: @WORD@ becomes a value, escaped for XML. */
#ifndef TESTBED_VM_XML_H
#define TESTBED_VM_XML_H

#include "util.h"

struct xml_var {
	const char *word;	/* without the @ */
	const char *value;
};

/*
 * @vars ends with a NULL word. Returns what to free(), or NULL and the first
 * unknown word in @unknown (at least 32 bytes). An @ that begins no word
 * (upper-case letters, digits, _, closed by @) is copied.
 */
char *xml_fill(const char *text, const struct xml_var *vars, char *unknown);

/* "xxxxxxxx-xxxx-8xxx-8xxx-xxxxxxxxxxxx", the same for the same @name. */
void xml_uuid(const char *name, char out[37]);

#endif /* TESTBED_VM_XML_H */
