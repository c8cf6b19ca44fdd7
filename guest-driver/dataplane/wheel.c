// SPDX-License-Identifier: GPL-2.0-or-later
/* Timers of a flow group. */
#include "wheel.h"

void dp_wheel_init(struct dp_wheel *w, u64 tick)
{
	memset(w, 0, sizeof(*w));
	w->tick = tick;
}

static void hang(struct dp_timer **at, struct dp_timer *tm)
{
	tm->next = *at;
	tm->link = at;
	if (tm->next)
		tm->next->link = &tm->next;
	*at = tm;
}

static void unhang(struct dp_timer *tm)
{
	*tm->link = tm->next;
	if (tm->next)
		tm->next->link = tm->link;
	tm->link = NULL;
}

void dp_timer_start(struct dp_wheel *w, struct dp_timer *tm, u64 ticks)
{
	dp_timer_stop(w, tm);
	tm->tick = w->tick + (ticks ? ticks : 1);
	hang(&w->slot[tm->tick % DP_WHEEL_SLOTS], tm);
	w->timers++;
}

void dp_timer_stop(struct dp_wheel *w, struct dp_timer *tm)
{
	if (!tm->link)
		return;
	unhang(tm);
	w->timers--;
}

/* What hangs in one slot and is due. A timer may stop others that wait here. */
static u32 run_slot(struct dp_wheel *w, void *arg)
{
	struct dp_timer **slot = &w->slot[w->tick % DP_WHEEL_SLOTS];
	struct dp_timer *due = *slot, *tm;
	u32 n = 0;

	*slot = NULL;
	if (due)
		due->link = &due;
	while ((tm = due)) {
		unhang(tm);
		if (tm->tick > w->tick) {
			hang(slot, tm);
			continue;
		}
		w->timers--;
		tm->fire(tm, arg);
		n++;
	}
	return n;
}

u32 dp_wheel_advance(struct dp_wheel *w, u64 tick, void *arg)
{
	u32 n = 0;

	while (w->tick < tick && w->timers) {
		w->tick++;
		n += run_slot(w, arg);
	}
	if (w->tick < tick)
		w->tick = tick;
	return n;
}
