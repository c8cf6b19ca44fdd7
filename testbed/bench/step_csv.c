// SPDX-License-Identifier: GPL-2.0-or-later
/* Samples of a step experiment as CSV. */
#include <stdio.h>

#include "bench/step.h"

static void field(FILE *to, double v, int decimals)
{
	if (is_known(v))
		fprintf(to, ",%.*f", decimals, v);
	else
		fputc(',', to);
}

void step_write(FILE *to, const char *strategy, u32 round, const char *phase, u64 begin_ns,
		const struct step_sample *s, u32 n)
{
	double timed;
	u32 i;

	for (i = 0; i + 1 < n; i++) {
		timed = s[i + 1].timed - s[i].timed;
		fprintf(to, "%s,%u,%s,%llu", strategy, round + 1, phase,
			(unsigned long long)(s[i + 1].t_ns - begin_ns));
		field(to, (s[i + 1].items - s[i].items) * 1e9 /
			  (double)(s[i + 1].t_ns - s[i].t_ns), 0);
		field(to, timed > 0 ? (s[i + 1].late - s[i].late) / timed : UNKNOWN, 4);
		field(to, s[i + 1].p.y_ns, 0);
		field(to, s[i + 1].c.y_ns, 0);
		field(to, s[i + 1].window, 0);
		fprintf(to, ",%s,%s", s[i + 1].p.mode ?: "", s[i + 1].c.mode ?: "");
		field(to, s[i + 1].p.mode_changes, 0);
		field(to, s[i + 1].c.mode_changes, 0);
		fputc('\n', to);
	}
}
