// SPDX-License-Identifier: GPL-2.0-or-later
/* Random numbers (xoshiro256++, seeded by splitmix64) and the distributions made of them. */
#include "dist.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define TRACE_MAX	10000000u
#define SAMPLE_MAX_PS	1e16		/* 10 000 s: a tail must not overflow the clock */

static u64 splitmix(u64 *x)
{
	u64 z = *x += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static u64 rotl(u64 x, u32 k)
{
	return x << k | x >> (64 - k);
}

static u64 next(u64 *s)
{
	u64 r = rotl(s[0] + s[3], 23) + s[0], t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return r;
}

/* In (0, 1], so that its logarithm is finite. */
static double uniform(struct dist *d)
{
	return (double)((next(d->rng) >> 11) + 1) * 0x1p-53;
}

/* Marsaglia's polar method; every second call is free. */
static double normal(struct dist *d)
{
	double u, v, s;

	d->have_spare = !d->have_spare;
	if (!d->have_spare)
		return d->spare;
	do {
		u = 2 * uniform(d) - 1;
		v = 2 * uniform(d) - 1;
		s = u * u + v * v;
	} while (s >= 1 || s == 0);
	s = sqrt(-2 * log(s) / s);
	d->spare = v * s;
	return u * s;
}

void dist_init(struct dist *d, const struct dist_spec *spec, u64 seed, u32 stream)
{
	u64 x = seed ^ (u64)(stream + 1) << 32;
	u32 i;

	memset(d, 0, sizeof(*d));
	d->spec = *spec;
	for (i = 0; i < 4; i++)
		d->rng[i] = splitmix(&x);
}

u64 dist_bits(struct dist *d)
{
	return next(d->rng);
}

u64 dist_sample(struct dist *d, u64 mean_ps)
{
	double x, mean = (double)mean_ps;

	switch (d->spec.kind) {
	case DIST_NORMAL:
		/* Drawn again rather than raised to 0, which would pile up there. */
		do {
			x = mean * (1 + d->spec.rel * normal(d));
		} while (x < 0);
		break;
	case DIST_EXP:
		x = -mean * log(uniform(d));
		break;
	case DIST_TRACE:
		d->pos = d->pos + 1 < d->spec.trace_len ? d->pos + 1 : 0;
		return d->spec.trace_ps[d->pos ? d->pos - 1 : d->spec.trace_len - 1];
	default:
		return mean_ps;
	}
	return (u64)fmin(x, SAMPLE_MAX_PS);
}

static const char *parse_normal(const char *text, struct dist_spec *spec)
{
	char *end;

	spec->kind = DIST_NORMAL;
	spec->rel = strtod(text, &end);
	if (end != text && *end == '%') {
		spec->rel /= 100;
		end++;
	}
	if (end == text || *end || !(spec->rel >= 0 && spec->rel <= 100))
		return "normal:REL needs a fraction in 0..100, or a percentage";
	return NULL;
}

/* False at a line that is neither a time nor empty nor a comment. */
static bool trace_line(char *line, u64 *ps, bool *have)
{
	char *end;
	double ns;

	line[strcspn(line, "#\r\n")] = 0;
	*have = line[strspn(line, " \t")] != 0;
	if (!*have)
		return true;
	ns = strtod(line, &end);
	if (end == line || end[strspn(end, " \t")] || !(ns >= 0 && ns <= 1e9))
		return false;
	*ps = (u64)(ns * 1000 + 0.5);
	return true;
}

static const char *read_trace(FILE *f, struct dist_spec *spec)
{
	const char *why = NULL;
	u64 *v = NULL, *bigger, ps;
	u32 n = 0, room = 0;
	char *line = NULL;
	size_t size = 0;
	bool have;

	while (!why && getline(&line, &size, f) >= 0) {
		if (!trace_line(line, &ps, &have)) {
			why = "trace:FILE: a line is not a time in 0..1000000000 ns";
		} else if (have && n == TRACE_MAX) {
			why = "trace:FILE: more than 10000000 lines";
		} else if (have) {
			if (n == room) {
				room = room ? 2 * room : 1024;
				bigger = realloc(v, room * sizeof(*v));
				if (!bigger)
					abort();
				v = bigger;
			}
			v[n++] = ps;
		}
	}
	free(line);
	if (!why && ferror(f))
		why = "trace:FILE: cannot be read to its end";
	if (!why && !n)
		why = "trace:FILE: no times in it";
	if (why)
		free(v);
	spec->trace_ps = why ? NULL : v;
	spec->trace_len = n;
	return why;
}

static const char *parse_trace(const char *path, struct dist_spec *spec)
{
	FILE *f = fopen(path, "re");
	const char *why;

	spec->kind = DIST_TRACE;
	if (!f)
		return strerror(errno);
	why = read_trace(f, spec);
	fclose(f);
	return why;
}

const char *dist_parse(const char *text, struct dist_spec *spec)
{
	memset(spec, 0, sizeof(*spec));
	if (!strcmp(text, "const"))
		return NULL;
	if (!strncmp(text, "normal:", 7))
		return parse_normal(text + 7, spec);
	if (!strncmp(text, "trace:", 6))
		return parse_trace(text + 6, spec);
	spec->kind = DIST_EXP;
	return strcmp(text, "exp") ? "not one of const, normal:REL, exp, trace:FILE" : NULL;
}

bool dist_all_zero(const struct dist_spec *spec, u64 mean_ps)
{
	u32 i;

	if (spec->kind != DIST_TRACE)
		return !mean_ps;
	for (i = 0; i < spec->trace_len; i++)
		if (spec->trace_ps[i])
			return false;
	return true;
}

void dist_spec_free(struct dist_spec *spec)
{
	free((void *)spec->trace_ps);
	memset(spec, 0, sizeof(*spec));
}
