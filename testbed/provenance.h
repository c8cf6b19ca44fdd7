/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where and when figures were measured, for keeping beside them. */
#ifndef TESTBED_PROVENANCE_H
#define TESTBED_PROVENANCE_H

#include <jansson.h>

/* Adds "machine" (CPU, CPUs, kernel), "date" (UTC) and "load_1min" to @result. */
void provenance_add(json_t *result);

/* For people: says so on stdout if other work may show in the figures of @result. */
void provenance_note(const json_t *result);

#endif /* TESTBED_PROVENANCE_H */
