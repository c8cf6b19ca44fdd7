// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What each strategy could give under D_MAX, and which one to take: secs. 7.2
 * (fast consumer: sleep, else busy) and 7.3 (fast producer: notify with a large
 * k_C, a shorter L where the queue alone takes too long) of Lettieri et al.
 */
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "advise/advise.h"
#include "model_args.h"

/* Distance from long sleeps: no system's sleeps are of one length (sec. 7.2). */
#define MARGIN_NS	500.0

static void settle(struct choice *c, enum met met, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void settle(struct choice *c, enum met met, const char *fmt, ...)
{
	va_list ap;

	c->met = met;
	va_start(ap, fmt);
	vsnprintf(c->why, sizeof(c->why), fmt, ap);
	va_end(ap);
}

/* ---- Prediction ---- */

static bool costs_known(const struct evidence *e, enum rp_strategy_id s)
{
	if (s == RP_NOTIFY)
		return is_known(e->np_ns) && is_known(e->nc_ns) && is_known(e->sp_ns) &&
		       is_known(e->sc_ns);
	return s == RP_BUSY || is_known(e->ye_ns);
}

/* False when these are no parameters of the model's. */
static bool ask(const struct evidence *e, const struct choice *c, double wp, double wc,
		struct rp_model *m)
{
	struct rp_model_in in = {
		.mode = c->strategy, .wp_ns = model_ns(wp), .wc_ns = model_ns(wc),
		.np_ns = model_ns(e->np_ns), .nc_ns = model_ns(e->nc_ns), .sp_ns = model_ns(e->sp_ns),
		.sc_ns = model_ns(e->sc_ns), .ye_ns = model_ns(e->ye_ns),
		.yp_ns = model_ns(c->y_ns) ?: 1, .yc_ns = model_ns(c->y_ns) ?: 1,
		.queue_len = c->queue_len, .kp = c->kp, .kc = c->kc,
	};

	if (rp_model_check(&in))
		return false;
	rp_model_solve(&in, m);
	return true;
}

/* What both ends of W_f's range agree on to 1 %. */
static double agreed(u64 a, u64 b)
{
	double x = (double)a / 1000, y = (double)b / 1000;

	if (a == RP_MODEL_NONE || b == RP_MODEL_NONE || fabs(x - y) > 0.01 * fmax(x, y))
		return UNKNOWN;
	return fmax(x, y);
}

/*
 * T and E where the costs and W allow it; D as the larger of both ends, since it
 * is an upper bound. Sleeping's and busy waiting's T and D need no cost.
 */
static void predict(const struct evidence *e, const struct finding *f, struct choice *c)
{
	bool known = costs_known(e, c->strategy);
	struct rp_model lo, hi;

	c->t_ns = c->e_ns = c->d_ns = UNKNOWN;
	c->regime = NULL;
	if (!ask(e, c, f->wp_low_ns, f->wc_low_ns, &lo) ||
	    !ask(e, c, f->wp_high_ns, f->wc_high_ns, &hi))
		return;
	if (lo.regime == hi.regime && (known || c->strategy != RP_NOTIFY))
		c->regime = rp_regime_names[lo.regime];
	if (known || c->strategy == RP_SLEEP)
		c->t_ns = agreed(lo.t_ps, hi.t_ps);
	if (known)
		c->e_ns = agreed(lo.e_ps, hi.e_ps);
	if (known || c->strategy == RP_SLEEP)
		c->d_ns = (double)(lo.d_ns > hi.d_ns ? lo.d_ns : hi.d_ns);
}

static void judge(struct choice *c, double dmax_ns)
{
	if (!is_known(c->d_ns))
		settle(c, MET_UNKNOWN, "D cannot be predicted: N and S are not all known "
		       "(--profile, or --np-ns, --nc-ns, --sp-ns, --sc-ns)");
	else if (c->d_ns > dmax_ns)
		settle(c, MET_NO, "D %.0f ns is more than D_MAX", c->d_ns);
	else
		c->met = MET_YES;
}

static u32 default_kc(u32 len)
{
	return rp_default_threshold(RP_PRODUCER, len);
}

static void set_len(struct choice *c, u32 len)
{
	c->queue_len = len;
	c->kp = 1;
	c->kc = default_kc(len);
}

/* ---- Sleeping ---- */

/* No sleep is shorter than this: its cost, or what the host can do at all. */
static double sleep_floor_ns(const struct evidence *e)
{
	double floor_ns = is_known(e->ye_ns) ? e->ye_ns : 0;

	if (e->profile && e->profile->sleeps)
		floor_ns = fmax(floor_ns, e->profile->y_ns[0]);
	return floor_ns;
}

/* The nominal length whose effective one is @y_ns; UNKNOWN without a profile's sleeps. */
static double nominal_sleep_ns(const struct evidence *e, double y_ns)
{
	double low = 0, high = y_ns, mid;
	u32 i;

	if (!e->profile || !e->profile->sleeps)
		return UNKNOWN;
	for (i = 0; i < 50; i++) {
		mid = (low + high) / 2;
		if (profile_sleep_ns(e->profile, mid) > y_ns)
			high = mid;
		else
			low = mid;
	}
	return fmax(1, floor(low));
}

/* The longest sleep that keeps the slower party awake, with some distance. */
static double longest_y_ns(const struct finding *f, u32 len)
{
	if (f->faster == RP_CONSUMER)
		return (len - 1) * f->wp_high_ns - f->wc_high_ns - MARGIN_NS;
	return (len - 1) * f->wc_high_ns - f->wp_high_ns - MARGIN_NS;
}

static void sleep_for(const struct evidence *e, struct advice *a, struct choice *c, double y_ns)
{
	c->y_ns = floor(y_ns);
	c->y_nominal_ns = nominal_sleep_ns(e, c->y_ns);
	predict(e, &a->f, c);
	judge(c, a->dmax_ns);
}

static void sleep_fast_consumer(const struct evidence *e, struct advice *a, struct choice *c)
{
	double floor_ns = fmax(1, sleep_floor_ns(e));
	u32 len = a->queue_len;

	if (a->y_max_ns < floor_ns) {
		settle(c, MET_NO, "Y_MAX = D_MAX/2 - W = %.0f ns is less than the shortest sleep, "
		       "%.0f ns (Y_E, or what the host can do)", a->y_max_ns, floor_ns);
		return;
	}
	while (longest_y_ns(&a->f, len) < floor_ns && 2 * len <= RP_MODEL_MAX_LEN)
		len *= 2;
	set_len(c, len);
	if (longest_y_ns(&a->f, len) < floor_ns) {
		settle(c, MET_NO, "no queue is long enough for sleeps of %.0f ns: they would be "
		       "long sleeps", floor_ns);
		return;
	}
	sleep_for(e, a, c, fmin(a->y_max_ns, longest_y_ns(&a->f, len)));
	if (len != a->queue_len && c->met == MET_YES)
		settle(c, MET_YES, "L %u is too short for sleeps of %.0f ns: lengthened",
		       a->queue_len, floor_ns);
}

static void shortened(const struct advice *a, struct choice *c)
{
	if (c->queue_len != a->queue_len && c->met == MET_YES)
		settle(c, MET_YES, "queueing delay L W_C = %.0f ns at L %u would be too long for "
		       "D_MAX: L shortened", a->queue_len * a->f.wc_high_ns, a->queue_len);
}

static void queue_too_slow(const struct advice *a, struct choice *c)
{
	set_len(c, 2);
	settle(c, MET_NO, "even two slots take (L+1) W_C = %.0f ns, more than D_MAX",
	       3 * a->f.wc_high_ns);
}

/* The longest queue in which some sleep holds D_MAX. */
static void sleep_fast_producer(const struct evidence *e, struct advice *a, struct choice *c)
{
	double floor_ns = fmax(1, sleep_floor_ns(e)), wc = a->f.wc_high_ns, y;
	u32 len;

	for (len = a->queue_len; len >= 2; len--) {
		if ((len + 1) * wc > a->dmax_ns)
			continue;
		y = fmin(a->y_max_ns, longest_y_ns(&a->f, len));
		/* D of a burst that finds C asleep: docs/model.md, sFP. */
		y = fmin(y, a->dmax_ns - (len + 1) * wc + (len - 2.0) * a->f.wp_low_ns);
		if (y < floor_ns)
			continue;
		set_len(c, len);
		sleep_for(e, a, c, y);
		if (c->met == MET_YES) {
			shortened(a, c);
			return;
		}
	}
	c->y_ns = c->y_nominal_ns = c->t_ns = c->e_ns = c->d_ns = UNKNOWN;
	c->regime = NULL;
	if (3 * wc > a->dmax_ns)
		queue_too_slow(a, c);
	else
		settle(c, MET_NO, "no sleep of %.0f ns or more, at any L up to %u, holds D_MAX",
		       floor_ns, a->queue_len);
}

/* ---- Notifying ---- */

static void notify_fast_consumer(const struct evidence *e, struct advice *a, struct choice *c)
{
	predict(e, &a->f, c);
	judge(c, a->dmax_ns);
}

/*
 * k_C: 3/4 L, or less where P, once called, would come too late:
 * S_P + W_P <= (L - k_C) W_C. 0: P comes too late however early it is called.
 */
static u32 timely_kc(const struct evidence *e, const struct finding *f, u32 len)
{
	double late, kc = default_kc(len);

	if (!is_known(e->sp_ns) || !(f->wc_high_ns > 0))
		return (u32)kc;
	late = ceil((e->sp_ns + f->wp_high_ns) / f->wc_high_ns);
	return late < len ? (u32)fmin(kc, len - late) : 0;
}

/* The longest queue that holds D_MAX; by its delay alone where D is not known. */
static void notify_fast_producer(const struct evidence *e, struct advice *a, struct choice *c)
{
	double wc = a->f.wc_high_ns;
	bool late = false;
	u32 len, kc;

	for (len = a->queue_len; len >= 2; len--) {
		if ((len + 1) * wc > a->dmax_ns)
			continue;
		kc = timely_kc(e, &a->f, len);
		late |= !kc;
		if (!kc)
			break;
		set_len(c, len);
		c->kc = kc;
		predict(e, &a->f, c);
		judge(c, a->dmax_ns);
		if (c->met != MET_NO) {
			shortened(a, c);
			return;
		}
	}
	if (3 * wc > a->dmax_ns)
		queue_too_slow(a, c);
	else if (late)
		settle(c, MET_NO, "a queue of %u slots that holds D_MAX is empty before P has started "
		       "(S_P %.0f ns)", len, e->sp_ns);
	else
		settle(c, MET_NO, "no L up to %u holds D_MAX", a->queue_len);
}

/* ---- Busy waiting ---- */

static void busy(const struct evidence *e, struct advice *a, struct choice *c)
{
	double wc = a->f.wc_high_ns;

	/* A fast consumer's queue is empty: its length does not matter. */
	if (a->f.faster == RP_PRODUCER && (c->queue_len + 1) * wc > a->dmax_ns) {
		if (3 * wc > a->dmax_ns) {
			queue_too_slow(a, c);
			predict(e, &a->f, c);
			return;
		}
		set_len(c, (u32)floor(a->dmax_ns / wc) - 1);
	}
	predict(e, &a->f, c);
	judge(c, a->dmax_ns);
	shortened(a, c);
}

/* ---- The rule ---- */

static const enum rp_strategy_id preference[2][RP_STATIC_STRATEGIES] = {
	[RP_PRODUCER] = { RP_NOTIFY, RP_SLEEP, RP_BUSY },
	[RP_CONSUMER] = { RP_SLEEP, RP_BUSY, RP_NOTIFY },
};

static void explain(struct advice *a)
{
	const struct choice *first = &a->choice[preference[a->f.faster][0]];
	const struct choice *c = &a->choice[a->recommended];

	if (c == first && c->why[0])
		snprintf(a->why, sizeof(a->why), "%s", c->why);
	else if (c == first)
		snprintf(a->why, sizeof(a->why), "%s", a->f.faster == RP_CONSUMER ?
			 "fast consumer: asleep, it needs no notifications, which P would pay for "
			 "(7.2)" : "fast producer: a large k_C makes notifications rare (7.3)");
	else
		snprintf(a->why, sizeof(a->why), "%s is not possible: %s",
			 rp_strategy_by_id(first->strategy)->name, first->why);
}

static void recommend(struct advice *a)
{
	const struct choice *n = &a->choice[RP_NOTIFY], *b = &a->choice[RP_BUSY];
	u32 i;

	for (i = 0; i < RP_STATIC_STRATEGIES && a->recommended < 0; i++) {
		enum rp_strategy_id s = preference[a->f.faster][i];

		if (a->choice[s].met == MET_YES ||
		    (a->choice[s].met == MET_UNKNOWN && a->f.faster == RP_PRODUCER))
			a->recommended = (int)s;
	}
	if (a->recommended < 0) {
		snprintf(a->why, sizeof(a->why), "D_MAX %.0f ns cannot be met: %s", a->dmax_ns,
			 b->why[0] ? b->why : "not even by busy waiting");
		return;
	}
	explain(a);
	if (a->recommended == RP_BUSY && n->met == MET_YES && n->e_ns < b->e_ns)
		advise_note(&a->f, "Notifying holds D_MAX, too, with E %.0f instead of %.0f ns and T "
			    "%.0f instead of %.0f ns.", n->e_ns, b->e_ns, n->t_ns, b->t_ns);
}

static void init_choices(struct advice *a)
{
	u32 i;

	for (i = 0; i < RP_STATIC_STRATEGIES; i++) {
		a->choice[i] = (struct choice){
			.strategy = (enum rp_strategy_id)i, .y_ns = UNKNOWN,
			.y_nominal_ns = UNKNOWN, .t_ns = UNKNOWN, .e_ns = UNKNOWN, .d_ns = UNKNOWN,
			.met = MET_UNKNOWN,
		};
		set_len(&a->choice[i], a->queue_len);
	}
}

void advise_choose(const struct evidence *e, double dmax_ns, struct advice *a)
{
	bool fast_c = a->f.faster == RP_CONSUMER;

	a->dmax_ns = dmax_ns;
	a->recommended = -1;
	a->queue_len = e->queue_len >= 2 ? e->queue_len : 512;
	a->y_max_ns = dmax_ns / 2 - a->f.w_ns;
	init_choices(a);
	if (a->f.faster == NOBODY || !is_known(a->f.w_ns) || model_ns(a->f.w_ns) == 0) {
		snprintf(a->why, sizeof(a->why), "it is not known which side is faster and how long "
			 "it takes; see the notes, or give --wp-ns and --wc-ns");
		return;
	}
	if (e->queue_len < 2)
		advise_note(&a->f, "L is not known: %u is assumed (--queue-len).", a->queue_len);
	if (!is_known(e->ye_ns))
		advise_note(&a->f, "Y_E is not known: how short a sleep may be, and what it costs, "
			    "cannot be said (--profile, or --ye-ns).");
	(fast_c ? sleep_fast_consumer : sleep_fast_producer)(e, a, &a->choice[RP_SLEEP]);
	(fast_c ? notify_fast_consumer : notify_fast_producer)(e, a, &a->choice[RP_NOTIFY]);
	busy(e, a, &a->choice[RP_BUSY]);
	recommend(a);
}
