/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of options that have several: NAME,key=value,... */
#ifndef RINGPACED_OPTVAL_H
#define RINGPACED_OPTVAL_H

#include "rp.h"

/* False if @s is no decimal number in @min..@max; *@out is then as it was. */
bool opt_u32(const char *s, u32 min, u32 max, u32 *out);

#define OPT_WORD_MAX	32

/*
 * The word of @list ("only a, b, c are known") that is nearest to @word, if it is near
 * enough to be what was meant. *@exact: it is @word itself.
 */
bool opt_nearest(const char *list, const char *word, char nearest[OPT_WORD_MAX], bool *exact);

#endif /* RINGPACED_OPTVAL_H */
