// SPDX-License-Identifier: GPL-2.0-or-later
/* HTML: escaping, tables, embedded images, the frame of the page. */
#include "report/report.h"

#include <errno.h>
#include <string.h>

#define SVG_BYTES_MAX	(4u << 20)	/* a figure has some 30 KB */

/* Bytes of the UTF-8 sequence at @s, 0 if it is none. What is cut off may end in half of one. */
static size_t sequence(const char *s)
{
	unsigned char c = (unsigned char)*s;
	size_t i, n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 :
		      c >= 0xf0 && c < 0xf5 ? 4 : 0;

	for (i = 1; i < n; i++)
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

static const char *entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		/* Control characters are not allowed in HTML, however written. */
		return (unsigned char)c < ' ' || c == 0x7f ? "&#xFFFD;" : NULL;
	}
}

void html_text(FILE *to, const char *text)
{
	size_t n;

	for (; *text; text += n ?: 1) {
		n = sequence(text);
		if (n == 1 && entity(*text))
			fputs(entity(*text), to);
		else if (n)
			fwrite(text, 1, n, to);
		else
			fputs("&#xFFFD;", to);
	}
}

/* ---- Tables ---- */

/* What fits on a phone without turning rows into lists. */
#define NARROW_COLUMNS	3

static const char *head_text(const char *head)
{
	return head + (head[0] == '#');
}

void html_table_begin(struct html_table *t, FILE *to, const char *const *heads, u32 n)
{
	u32 i;

	*t = (struct html_table){ .to = to, .heads = heads, .n = n };
	fprintf(to, "<table%s>\n<thead><tr>", n > NARROW_COLUMNS ? " class=\"wide\"" : "");
	for (i = 0; i < n; i++) {
		fprintf(to, "<th scope=\"col\"%s>", heads[i][0] == '#' ? " class=\"n\"" : "");
		html_text(to, head_text(heads[i]));
		fputs("</th>", to);
	}
	fputs("</tr></thead>\n<tbody>\n", to);
}

void html_cell(struct html_table *t, const char *text)
{
	const char *head = t->heads[t->at];

	fprintf(t->to, "%s<td%s data-label=\"", t->at ? "" : "<tr>",
		head[0] == '#' ? " class=\"n\"" : "");
	html_text(t->to, head_text(head));
	fputs("\"><span>", t->to);
	html_text(t->to, text);
	fputs("</span></td>", t->to);
	t->at = (t->at + 1) % t->n;
	if (!t->at)
		fputs("</tr>\n", t->to);
}

void html_number(struct html_table *t, double v, int decimals)
{
	char text[64] = "-";

	if (is_known(v))
		snprintf(text, sizeof(text), "%.*f", decimals, v);
	html_cell(t, text);
}

void html_table_end(struct html_table *t)
{
	fputs("</tbody>\n</table>\n", t->to);
}

/* ---- Images ---- */

static void base64(FILE *to, const unsigned char *p, size_t n)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t i;

	for (i = 0; i < n; i += 3) {
		u32 v = (u32)p[i] << 16 | (i + 1 < n ? (u32)p[i + 1] << 8 : 0) |
			(i + 2 < n ? p[i + 2] : 0);

		fputc(digits[v >> 18], to);
		fputc(digits[v >> 12 & 63], to);
		fputc(i + 1 < n ? digits[v >> 6 & 63] : '=', to);
		fputc(i + 2 < n ? digits[v & 63] : '=', to);
	}
}

const char *html_svg(FILE *to, const char *path, const char *alt)
{
	static unsigned char bytes[SVG_BYTES_MAX + 1];
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return strerror(errno);
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	if (n > SVG_BYTES_MAX)
		return "larger than 4 MiB";
	if (!memmem(bytes, n < 1024 ? n : 1024, "<svg", 4))
		return "not an SVG";
	fputs("<img alt=\"", to);
	html_text(to, alt);
	fputs("\" src=\"data:image/svg+xml;base64,", to);
	base64(to, bytes, n);
	fputs("\">", to);
	return NULL;
}

/* ---- The page ---- */

static const char style[] =
	":root{color-scheme:light dark;--fg:#1b1f24;--bg:#fff;--soft:#57606a;--line:#d0d7de;"
	"--head:#f3f5f7}\n"
	"@media(prefers-color-scheme:dark){:root{--fg:#e6e9ed;--bg:#14181d;--soft:#9aa4af;"
	"--line:#343b44;--head:#1f252c}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0 auto;max-width:80rem;padding:1rem;color:var(--fg);background:var(--bg);"
	"font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}\n"
	"h1{font-size:1.6rem;margin:.2em 0}h2{font-size:1.25rem;margin:1.8em 0 .5em;"
	"border-bottom:1px solid var(--line)}h3{font-size:1rem;margin:1.4em 0 .4em}\n"
	"p,figcaption{color:var(--soft);margin:.4em 0}code{font-size:.9em}\n"
	"table{border-collapse:collapse;width:100%;font-size:.85rem}\n"
	"th,td{padding:.3em .45em;border-bottom:1px solid var(--line);text-align:left;"
	"vertical-align:top}th{background:var(--head);vertical-align:bottom;overflow-wrap:normal}\n"
	".n{text-align:right;font-variant-numeric:tabular-nums;overflow-wrap:normal}\n"
	".figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,30rem),1fr));"
	"gap:1rem}figure{margin:0;border:1px solid var(--line);border-radius:.4rem;"
	"padding:.4rem;min-width:0}\n"
	"img{display:block;width:100%;height:auto;background:#fff;border-radius:.2rem}\n"
	"@media(max-width:64rem){.wide,.wide tbody,.wide tr,.wide td{display:block}"
	".wide thead{position:absolute;width:1px;height:1px;overflow:hidden;"
	"clip-path:inset(50%)}"
	".wide tr{border:1px solid var(--line);border-radius:.4rem;margin:.6rem 0;"
	"padding:.2rem .5rem}"
	".wide td{display:flex;justify-content:space-between;gap:1rem;text-align:right;"
	"padding:.25em 0}"
	".wide td::before{content:attr(data-label);color:var(--soft);text-align:left;"
	"flex:none;max-width:50%}"
	".wide td:last-child{border-bottom:0}table{font-size:.95rem}}\n";

void html_page_begin(FILE *to, const char *title)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	      "img-src data:; style-src 'unsafe-inline'\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>", to);
	html_text(to, title);
	fprintf(to, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<header>\n<h1>", style);
	html_text(to, title);
	fputs("</h1>\n", to);
}

void html_page_end(FILE *to)
{
	fputs("</body>\n</html>\n", to);
}
