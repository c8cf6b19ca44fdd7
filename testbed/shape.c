// SPDX-License-Identifier: GPL-2.0-or-later
/* The load patterns of 000, sec. 5, of any height and length. */
#include "shape.h"

#include <math.h>

static double slope(const struct shape_spec *s, double t)
{
	double half = s->period_s / 2;

	return s->peak * (t < half ? t : s->period_s - t) / half;
}

static double step(const struct shape_spec *s, double t)
{
	double n = floor(t / (s->period_s / (2 * SHAPE_STEPS)));

	return s->step * (n < SHAPE_STEPS ? n + 1 : 2 * SHAPE_STEPS - n);
}

static double sine(const struct shape_spec *s, double t)
{
	double v = s->peak / 2 * (1 - cos(2 * M_PI * t / s->period_s)) +
		   s->noise[(u32)(t / (s->period_s / SHAPE_NOISES)) % SHAPE_NOISES];

	return fmin(fmax(v, 0), s->peak);
}

static double flat(const struct shape_spec *s, double t)
{
	return s->peak;
}

const struct shape shape_slope = { "slope", slope };
const struct shape shape_step = { "step", step };
const struct shape shape_sine = { "sine", sine };
const struct shape shape_flat = { "flat", flat };

void shape_noise(struct shape_spec *s, double rate, double (*uniform)(u64 *rng), u64 *rng)
{
	u32 i;

	for (i = 0; i < SHAPE_NOISES; i++)
		s->noise[i] = rate * (2 * uniform(rng) - 1);
}
