/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of gains that a controller has refined, in a file that outlives it: a table is
 * a tenant's, and holds as long as its steps are the same.
 */
#ifndef HOSTD_LEARNED_H
#define HOSTD_LEARNED_H

#include "world.h"

/* What the file has of the tenants of @w; a file that is no good is told and left alone. */
void learned_load(struct world *w, const char *path);
/* Replaces it, if anything was refined since. */
void learned_save(struct world *w, const char *path);
/* The table of a tenant with a bound, weakest step first. New reference. */
json_t *learned_table(const struct world_tenant *t);

#endif /* HOSTD_LEARNED_H */
