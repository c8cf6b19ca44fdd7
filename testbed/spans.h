/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Durations read from the event traces of both sides.
 *
 * S is measured between the two traces: from the end of one side's
 * notification to the other's wake-up. Of the pairs, one wake-up is matched
 * with the last notification that began before it, each used once, if the
 * sleeper had blocked before the notification ended; a wake-up inside the
 * sender's system call counts as 0.
 */
#ifndef TESTBED_SPANS_H
#define TESTBED_SPANS_H

#include "lane.h"
#include "samples.h"

enum span_kind {
	SPAN_NP, SPAN_NC,	/* P, C sending a notification */
	SPAN_SP, SPAN_SC,	/* P's, C's start-up after one */
	SPAN_YP, SPAN_YC,	/* P's, C's sleeps */
	SPAN_WINDOW,		/* C, from asking for notifications to its second look */
	SPAN_KINDS
};

/*
 * Adds the spans of one kind, in ns and in the order of time, to @out. None
 * where there is no trace or the offset of the clocks is not known.
 */
void spans_collect(const struct run_params *p, const struct run_sides *s, enum span_kind kind,
		   struct samples *out);

#endif /* TESTBED_SPANS_H */
