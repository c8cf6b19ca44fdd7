// SPDX-License-Identifier: GPL-2.0-or-later
/* Describes samples: moments, percentiles, and a mean without outliers. */
#include "samples.h"

#include <math.h>
#include <stdlib.h>

#include "json.h"

void samples_add(struct samples *s, double v)
{
	if (s->n == s->room) {
		s->room = s->room ? 2 * s->room : 1024;
		s->v = realloc(s->v, s->room * sizeof(*s->v));
		if (!s->v)
			abort();
	}
	s->v[s->n++] = v;
}

void samples_free(struct samples *s)
{
	free(s->v);
	*s = (struct samples){ 0 };
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

#define SLICE_NS	1e6	/* what takes longer is, if most do not, a preemption */

/* The smallest of the first @n samples that @share of them do not exceed. */
static double quantile(const struct samples *s, u32 n, double share)
{
	u32 rank = (u32)ceil(share * n);

	return s->v[rank ? rank - 1 : 0];
}

static void moments(const struct samples *s, struct summary *out)
{
	double sum = 0, squares = 0;
	u32 i;

	for (i = 0; i < s->n; i++)
		sum += s->v[i];
	out->mean = sum / s->n;
	for (i = 0; i < s->n; i++)
		squares += (s->v[i] - out->mean) * (s->v[i] - out->mean);
	out->sd = s->n > 1 ? sqrt(squares / (s->n - 1)) : 0;
}

static void without_outliers(const struct samples *s, struct summary *out)
{
	double slice = fmax(SLICE_NS, 10 * out->p50), q1, q3, sum = 0;
	u32 i, n = s->n, kept = 0;

	while (s->v[n - 1] > slice)
		n--;
	q1 = quantile(s, n, 0.25);
	q3 = quantile(s, n, 0.75);
	for (i = 0; i < n; i++) {
		if (s->v[i] < q1 - 3 * (q3 - q1) || s->v[i] > q3 + 3 * (q3 - q1))
			continue;
		sum += s->v[i];
		kept++;
	}
	/* At least the median is below the slice, and the quartiles within. */
	out->robust = sum / kept;
	out->outliers = s->n - kept;
}

void samples_summarise(struct samples *s, struct summary *out)
{
	*out = (struct summary){
		.n = s->n, .mean = UNKNOWN, .sd = UNKNOWN, .min = UNKNOWN, .p50 = UNKNOWN,
		.p98 = UNKNOWN, .max = UNKNOWN, .robust = UNKNOWN,
	};
	if (!s->n)
		return;
	qsort(s->v, s->n, sizeof(*s->v), by_value);
	out->min = s->v[0];
	out->p50 = quantile(s, s->n, 0.5);
	out->p98 = quantile(s, s->n, 0.98);
	out->max = s->v[s->n - 1];
	moments(s, out);
	without_outliers(s, out);
}

json_t *summary_json(const struct summary *s)
{
	json_t *v = json_object();

#define NUMBER(field) json_object_set_new(v, #field "_ns", json_number_or_null(s->field, 1))
	NUMBER(robust);
	NUMBER(mean);
	NUMBER(sd);
	NUMBER(min);
	NUMBER(p50);
	NUMBER(p98);
	NUMBER(max);
#undef NUMBER
	json_object_set_new(v, "samples", json_integer(s->n));
	json_object_set_new(v, "outliers", json_integer(s->outliers));
	return v;
}
