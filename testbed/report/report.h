/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The report: one HTML page that holds all it shows.
 *
 * Threat model. Files (runs, profiles, SVGs) may come from anywhere, and the
 * page is opened in a browser. So every text from them is escaped, SVGs are
 * embedded as images, which can neither run scripts nor load anything, and the
 * page's own policy forbids everything but inline style and such images.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <jansson.h>

#include "lane.h"
#include "profile.h"

struct report {
	const char *title;
	const struct profile *profile;	/* NULL: none */
	const char *profile_why;	/* then: why not */
	u32 files;
	char **file;			/* names of the runs' files */
	json_t **runs;			/* arrays, one a file; all are readable runs */
	const char *figures_dir;
	json_t *figures, *missing;	/* numbers; filled in by report_write() */
};

/* Escaped for text and for quoted attributes. */
void html_text(FILE *to, const char *text);

/*
 * A table; if it has many columns, its rows turn into lists on narrow screens.
 * The head of a column of numbers begins with #, which is not shown.
 */
struct html_table {
	FILE *to;
	const char *const *heads;
	u32 n, at;
};
void html_table_begin(struct html_table *t, FILE *to, const char *const *heads, u32 n);
void html_cell(struct html_table *t, const char *text);
/* "-" when unknown. */
void html_number(struct html_table *t, double v, int decimals);
void html_table_end(struct html_table *t);

/* The file as an <img> with its bytes in it. NULL, or why not (static). */
const char *html_svg(FILE *to, const char *path, const char *alt);

void html_page_begin(FILE *to, const char *title);
void html_page_end(FILE *to);

/* The whole page. */
void report_write(FILE *to, const struct report *r);

#endif /* REPORT_REPORT_H */
