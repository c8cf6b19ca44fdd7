// SPDX-License-Identifier: GPL-2.0-or-later
/* What is counted on both sides, and how two counts of one thing are compared. */
#include <math.h>

#include "json.h"
#include "perf/watch.h"

const char *const figure_names[FIGURES] = {
	[FIG_ITEMS] = "items",
	[FIG_KICKS_SENT] = "kicks_sent",
	[FIG_KICKS_TAKEN] = "kicks_taken",
	[FIG_CALLS] = "calls",
	[FIG_INTERRUPTS] = "interrupts",
	[FIG_WAKE_UPS] = "wake_ups",
	[FIG_BLOCKS] = "blocks",
	[FIG_SLEEPS] = "sleeps",
};

/* Keys of STATS; a wake-up ends a block or a sleep. */
static const struct {
	const char *name;
	const char *key, *plus;
	bool driver;
} counter_of[FIGURES] = {
	[FIG_ITEMS] = { "device items", "items" },
	[FIG_KICKS_SENT] = { "driver sent", "sent", .driver = true },
	[FIG_KICKS_TAKEN] = { "device received", "received" },
	[FIG_CALLS] = { "device sent", "sent" },
	[FIG_INTERRUPTS] = { "device sent", "sent" },
	[FIG_WAKE_UPS] = { "device received + sleeps", "received", "sleeps" },
	[FIG_BLOCKS] = { "device blocks", "blocks" },
	[FIG_SLEEPS] = { "device sleeps", "sleeps" },
};

const char *figure_counter(enum figure f)
{
	return counter_of[f].name;
}

void counters_read(struct counters *c, const json_t *device, const json_t *driver)
{
	const json_t *stats;
	u32 f;

	for (f = 0; f < FIGURES; f++) {
		stats = counter_of[f].driver ? driver : device;
		c->v[f] = json_number_at(stats, counter_of[f].key);
		if (counter_of[f].plus)
			c->v[f] += json_number_at(stats, counter_of[f].plus);
	}
}

double finding_difference(const struct finding *f)
{
	double least = f->least - f->missing, most = f->most + f->extra;
	double whole = (f->least + f->most) / 2;

	if (whole < 1)
		whole = 1;
	if (f->count < least)
		return (f->count - least) / whole;
	/* Unknown numbers come through. */
	return f->count <= most ? 0 : (f->count - most) / whole;
}

/*
 * Two counts that this leaves room for may be so far apart, and none of them shows
 * as a difference. Nobody sees more events of a kind than there are.
 */
double finding_slack(const struct finding *f)
{
	return f->most - f->least + fmin(f->extra, f->count) + fmin(f->missing, f->most);
}

enum verdict finding_verdict(const struct finding *f)
{
	double difference = finding_difference(f);

	if (!is_known(difference))
		return UNCOUNTED;
	if (fabs(difference) > PERF_AGREE)
		return f->may * difference > 0 ? MAY_DIFFER : DIFFERS;
	return finding_slack(f) > PERF_AGREE * f->most ? UNDECIDED : AGREES;
}
