/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes a few numbers out of a JSON text without building it: answers that come every
 * tick are long, and little of them is wanted.
 *
 * It never reads beyond the text's end, and never goes back, whatever the text is. It is no
 * judge of JSON: of what is none it makes something, or a value that is not there.
 */
#ifndef HOSTD_SCAN_H
#define HOSTD_SCAN_H

#include "rp.h"

struct scan {
	const char *at, *end;
};

static inline struct scan scan_of(const char *text, size_t bytes)
{
	return (struct scan){ text, text + bytes };
}

/* Into an object ('{') or a list ('['); false: the value is another one, and was skipped. */
bool scan_enter(struct scan *s, char open);
/* In an object: to the value of its next member; false: it ends here. @key: without quotes. */
bool scan_member(struct scan *s, struct scan *key);
/* In a list: to its next value; false: it ends here. */
bool scan_element(struct scan *s);
/* A value that is not wanted; what it spans. */
struct scan scan_skip(struct scan *s);
/* A number above 0; anything else is 0. */
double scan_number(struct scan *s);
bool scan_true(struct scan *s);
bool scan_is(const struct scan *text, const char *what);

#endif /* HOSTD_SCAN_H */
