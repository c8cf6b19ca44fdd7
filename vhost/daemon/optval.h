/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of options that have several: NAME,key=value,... */
#ifndef RINGPACED_OPTVAL_H
#define RINGPACED_OPTVAL_H

#include "rp.h"

/* False if @s is no decimal number in @min..@max; *@out is then as it was. */
bool opt_u32(const char *s, u32 min, u32 max, u32 *out);

#endif /* RINGPACED_OPTVAL_H */
