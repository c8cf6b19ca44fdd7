// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan.h"

#include <math.h>
#include <stdlib.h>

#define NUMBER_MAX	31u
#define DIGITS_MAX	15u	/* that a double holds whatever they are */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void spaces(struct scan *s)
{
	while (s->at < s->end && is_space(*s->at))
		s->at++;
}

static bool take(struct scan *s, char c)
{
	spaces(s);
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

/* From behind its first quote to behind its last one; what is between. */
static struct scan string(struct scan *s)
{
	struct scan text = { s->at, s->end };

	while (s->at < s->end && *s->at != '"')
		s->at += *s->at == '\\' && s->end - s->at > 1 ? 2 : 1;
	text.end = s->at;
	if (s->at < s->end)
		s->at++;
	return text;
}

static void scalar(struct scan *s)
{
	while (s->at < s->end && !is_space(*s->at) && *s->at != ',' && *s->at != ']' && *s->at != '}')
		s->at++;
}

/* From behind an opening bracket to behind the one that closes it. */
static void nest(struct scan *s)
{
	u32 depth = 1;

	while (s->at < s->end && depth) {
		char c = *s->at++;

		if (c == '"')
			string(s);
		else if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
	}
}

struct scan scan_skip(struct scan *s)
{
	struct scan value;

	spaces(s);
	value = (struct scan){ s->at, s->at };
	if (take(s, '"'))
		string(s);
	else if (take(s, '{') || take(s, '['))
		nest(s);
	else
		scalar(s);
	value.end = s->at;
	return value;
}

bool scan_enter(struct scan *s, char open)
{
	if (take(s, open))
		return true;
	scan_skip(s);
	return false;
}

bool scan_member(struct scan *s, struct scan *key)
{
	take(s, ',');
	if (take(s, '}') || !take(s, '"'))
		return false;
	*key = string(s);
	return take(s, ':');
}

bool scan_element(struct scan *s)
{
	take(s, ',');
	return !take(s, ']') && s->at < s->end && *s->at != '}';
}

/* What is no plain whole number. */
static double other(const struct scan *v)
{
	char text[NUMBER_MAX + 1], *end;
	size_t n = (size_t)(v->end - v->at);
	double d;

	if (!n || n > NUMBER_MAX || *v->at < '0' || *v->at > '9')
		return 0;
	memcpy(text, v->at, n);
	text[n] = '\0';
	d = strtod(text, &end);
	return end == text + n && isfinite(d) ? d : 0;
}

double scan_number(struct scan *s)
{
	const struct scan v = scan_skip(s);
	const char *at = v.at;
	u64 n = 0;

	while (at < v.end && *at >= '0' && *at <= '9' && at - v.at < DIGITS_MAX)
		n = n * 10 + (u64)(*at++ - '0');
	return at == v.end ? (double)n : other(&v);
}

bool scan_true(struct scan *s)
{
	const struct scan v = scan_skip(s);

	return scan_is(&v, "true");
}

bool scan_is(const struct scan *text, const char *what)
{
	size_t n = strlen(what);

	return (size_t)(text->end - text->at) == n && !memcmp(text->at, what, n);
}
