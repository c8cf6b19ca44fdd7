/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of `ringpace ctl rss`, as the order takes them (docs/packets.md). */
#ifndef CTL_RSS_H
#define CTL_RSS_H

#include <jansson.h>

/* "a+b+c" as an array of names; "none": an empty one. */
json_t *ctl_rss_names(const char *text);
/* "0+1+0+1" as an array of numbers; NULL: it is none. */
json_t *ctl_rss_table(const char *text);
/* "5=2+7=0" as {"5":2,"7":0}; NULL: it is none. */
json_t *ctl_rss_entries(const char *text);
/* The answer, for people. */
void ctl_rss_print(const json_t *v);

#endif /* CTL_RSS_H */
