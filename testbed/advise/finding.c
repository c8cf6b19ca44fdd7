// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which regime is this, and how long does an item take? Sec. 7.1 of Lettieri et
 * al.: who waits, says who is faster; the throughput, less what notifying costs,
 * says how long the slower one works.
 */
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "advise/advise.h"
#include "model_args.h"

/* Waits of the one side as a share of the other's that still make it a party that never waits. */
#define SELDOM_NOTIFIED	0.1
#define SELDOM_ASLEEP	0.02
/* With a short queue both sides are notified once a cycle: equally often. */
#define ALIKE		0.5
/* Waits per item below this are start, stop and disturbance. */
#define NEVER		1e-6

void advise_note(struct finding *f, const char *fmt, ...)
{
	char text[384];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_array_append_new(f->notes, json_string(text));
}

static double known_or(double v, double otherwise)
{
	return is_known(v) ? v : otherwise;
}

static void name_regime(struct finding *f, const char *name, const char *from, int faster)
{
	snprintf(f->regime, sizeof(f->regime), "%s", name);
	f->regime_from = from;
	f->faster = faster;
}

/* ---- From rates ---- */

/* How often each side waits, a second: notified or asleep. */
struct waits {
	double p, c;
	bool known, asleep;
};

static struct waits count_waits(const struct evidence *e)
{
	double heard_c = known_or(e->p_to_c_per_s, 0) - known_or(e->spurious_per_s, 0);
	struct waits w = {
		.p = known_or(e->c_to_p_per_s, 0) + known_or(e->sleeps_p_per_s, 0),
		.c = fmax(heard_c, 0) + known_or(e->sleeps_c_per_s, 0),
		.known = e->items_per_s > 0 &&
			 (is_known(e->p_to_c_per_s) || is_known(e->sleeps_c_per_s)) &&
			 (is_known(e->c_to_p_per_s) || is_known(e->sleeps_p_per_s)),
	};

	w.asleep = known_or(e->sleeps_p_per_s, 0) + known_or(e->sleeps_c_per_s, 0) >
		   known_or(e->c_to_p_per_s, 0) + known_or(e->p_to_c_per_s, 0);
	return w;
}

static void find_by_rates(const struct evidence *e, struct finding *f)
{
	static const char from[] = "rates of waits on both sides";
	struct waits w = count_waits(e);
	double least = fmin(w.p, w.c), most = fmax(w.p, w.c);
	int faster = w.c > w.p ? RP_CONSUMER : RP_PRODUCER;

	if (!w.known)
		return;
	if (most <= NEVER * e->items_per_s) {
		if (e->mode_p == RP_BUSY && e->mode_c == RP_BUSY)
			name_regime(f, "BW", "strategy", NOBODY);
		advise_note(f, "Neither side is notified or sleeps: rates do not tell which one is "
			    "faster. Run it with --strategy notify for a moment.");
		return;
	}
	if (w.asleep && least > SELDOM_ASLEEP * most) {
		name_regime(f, "sLS", from, NOBODY);
		advise_note(f, "Both sides sleep: too long for the queue. Throughput is lost; "
			    "shorten Y or lengthen L until only one side sleeps (from 200 us "
			    "downwards, sec. 7.1).");
	} else if (!w.asleep && least > ALIKE * most) {
		name_regime(f, "nSCS, nSPS or nSS", from, NOBODY);
		advise_note(f, "Both sides are notified about as often: the queue is too short for "
			    "the start-up costs. A longer L is the first thing to try.");
	} else {
		name_regime(f, w.asleep ? (faster == RP_CONSUMER ? "sFC" : "sFP") :
			    faster == RP_CONSUMER ? "nFC" : "nFP", from, faster);
		if (!w.asleep && least > SELDOM_NOTIFIED * most)
			advise_note(f, "The other side blocks now and then, too (%.0f against %.0f "
				    "a second): bursts that the queue does not hold.", least, most);
	}
}

/* ---- From W ---- */

static void find_by_work(const struct evidence *e, struct finding *f)
{
	u32 len = e->queue_len ?: 512;
	struct rp_model_in in = {
		.mode = e->mode_c >= 0 && e->mode_c == e->mode_p ?
			(enum rp_strategy_id)e->mode_c : RP_NOTIFY,
		.wp_ns = model_ns(e->wp_ns), .wc_ns = model_ns(e->wc_ns),
		.np_ns = model_ns(e->np_ns), .nc_ns = model_ns(e->nc_ns),
		.sp_ns = model_ns(e->sp_ns), .sc_ns = model_ns(e->sc_ns),
		.yp_ns = model_ns(e->yp_ns) ?: model_ns(e->yc_ns), .ye_ns = model_ns(e->ye_ns),
		.yc_ns = model_ns(e->yc_ns) ?: model_ns(e->yp_ns), .queue_len = len,
		.kp = e->kp ?: rp_default_threshold(RP_CONSUMER, len),
		.kc = e->kc ?: rp_default_threshold(RP_PRODUCER, len),
	};
	struct rp_model m;
	int faster;

	if (!is_known(e->wp_ns) || !is_known(e->wc_ns))
		return;
	faster = e->wc_ns <= e->wp_ns ? RP_CONSUMER : RP_PRODUCER;
	if (f->faster != NOBODY && f->faster != faster)
		advise_note(f, "By W_P and W_C, %c is the faster one, but the other side waits: "
			    "the load comes and goes, or a side is disturbed. What follows goes by "
			    "W.", faster == RP_CONSUMER ? 'C' : 'P');
	f->faster = faster;
	if ((f->regime[0] && !strchr(f->regime, ' ')) || rp_model_check(&in))
		return;
	rp_model_solve(&in, &m);
	name_regime(f, rp_regime_names[m.regime], "model, from W and the costs", faster);
}

/* ---- max(W_P, W_C) ---- */

/* Costs of notifying that the slower party bears, per item; UNKNOWN if not known. */
static double notify_share_ns(const struct evidence *e, int faster)
{
	double rate = faster == RP_CONSUMER ? e->p_to_c_per_s : e->c_to_p_per_s;
	double n = faster == RP_CONSUMER ? e->np_ns : e->nc_ns;

	return rate > 0 ? n * rate / e->items_per_s : 0;
}

static void bound_work(struct finding *f, double t_ns)
{
	f->w_ns = t_ns;
	f->w_is_bound = true;
	f->w_from = "throughput, an upper bound";
}

static void estimate_from_throughput(const struct evidence *e, struct finding *f)
{
	double t_ns = 1e9 / e->items_per_s, share;

	if (!(e->items_per_s > 0))
		return;
	if (f->faster == NOBODY && strcmp(f->regime, "BW")) {
		bound_work(f, t_ns);
		return;
	}
	share = f->faster == NOBODY ? 0 : notify_share_ns(e, f->faster);
	if (!is_known(share)) {
		bound_work(f, t_ns);
		advise_note(f, "What %s costs its sender is not known (--profile, or --%s-ns): W may "
			    "be less than the time per item.",
			    f->faster == RP_CONSUMER ? "N_P" : "N_C",
			    f->faster == RP_CONSUMER ? "np" : "nc");
	} else if (share >= t_ns) {
		bound_work(f, t_ns);
		advise_note(f, "Notifying would take more than the whole time per item: N, or a "
			    "rate, is wrong.");
	} else {
		f->w_ns = t_ns - share;
		f->w_from = share > 0 ? "throughput less notifications" : "throughput";
	}
}

static void estimate_slower(const struct evidence *e, struct finding *f)
{
	double own = f->faster == RP_CONSUMER ? e->wp_ns : e->wc_ns;

	if (is_known(e->wp_ns) && is_known(e->wc_ns)) {
		f->w_ns = fmax(e->wp_ns, e->wc_ns);
		f->w_from = "W_P and W_C";
	} else if (f->faster != NOBODY && is_known(own)) {
		f->w_ns = own;
		f->w_from = f->faster == RP_CONSUMER ? "W_P" : "W_C";
	} else {
		estimate_from_throughput(e, f);
	}
}

/* ---- The faster party's W ---- */

/* From its sleeps: b = Y / (W_s - W_f); NaN when nobody knows. */
static double difference_by_sleeps(const struct evidence *e, int faster)
{
	double rate = faster == RP_CONSUMER ? e->sleeps_c_per_s : e->sleeps_p_per_s;
	double y = faster == RP_CONSUMER ? e->yc_ns : e->yp_ns;

	return rate > 0 ? y * rate / e->items_per_s : UNKNOWN;
}

/* From C's batch with k_P = 1: (b-1) d <= S_C < b d; b is a mean, so only roughly. */
static void range_by_batch(const struct evidence *e, double *low, double *high)
{
	double heard = e->p_to_c_per_s - known_or(e->spurious_per_s, 0);
	double b = e->items_per_s / heard;

	if (!(b >= 1) || !is_known(e->sc_ns) || (e->kp && e->kp != 1))
		return;
	*low = fmax(*low, b > 1.01 ? *high - e->sc_ns / (b - 1) : 0);
	*high = fmax(0, *high - e->sc_ns / b);
}

static void estimate_faster(const struct evidence *e, struct finding *f, double *low, double *high)
{
	double own = f->faster == RP_CONSUMER ? e->wc_ns : e->wp_ns;
	double d = difference_by_sleeps(e, f->faster);

	*low = 0;
	*high = f->w_ns;
	if (is_known(own))
		*low = *high = fmin(own, f->w_ns);
	else if (!f->w_is_bound && is_known(d) && !strncmp(f->regime, "sF", 2))
		*low = *high = fmax(0, f->w_ns - d);
	else if (!f->w_is_bound && !strcmp(f->regime, "nFC"))
		range_by_batch(e, low, high);
	*low = floor(*low);
	*high = ceil(*high);
	if (*low < *high && is_known(own))
		*low = *high;
	if (*low < *high)
		advise_note(f, "W_%c is only known to lie within %.0f .. %.0f ns: not all of T, E "
			    "and D can be predicted (--%s-ns).", f->faster == RP_CONSUMER ? 'C' : 'P',
			    *low, *high, f->faster == RP_CONSUMER ? "wc" : "wp");
}

/* ---- All of it ---- */

void advise_find(const struct evidence *e, struct finding *f)
{
	bool c;

	*f = (struct finding){
		.faster = NOBODY, .w_ns = UNKNOWN, .wp_low_ns = UNKNOWN, .wp_high_ns = UNKNOWN,
		.wc_low_ns = UNKNOWN, .wc_high_ns = UNKNOWN, .notes = json_array(),
	};
	find_by_rates(e, f);
	find_by_work(e, f);
	estimate_slower(e, f);
	if (f->w_ns > (double)RP_MODEL_MAX_NS) {
		f->w_ns = UNKNOWN;
		advise_note(f, "Less than an item a second: too slow for the model.");
	}
	if (is_known(e->cpu_p) && e->cpu_p < 0.9 && f->faster == RP_CONSUMER &&
	    e->mode_p != RP_BUSY)
		advise_note(f, "P used only %.0f %% of its CPU: it was short of requests, and then "
			    "rates tell of the demand and not of W, or others had its CPU.",
			    100 * e->cpu_p);
	if (f->faster == NOBODY || !is_known(f->w_ns))
		return;
	/* The model takes whole nanoseconds; a bound on D wants W rounded up. */
	f->w_ns = ceil(f->w_ns);
	c = f->faster == RP_CONSUMER;
	*(c ? &f->wp_low_ns : &f->wc_low_ns) = *(c ? &f->wp_high_ns : &f->wc_high_ns) = f->w_ns;
	estimate_faster(e, f, c ? &f->wc_low_ns : &f->wp_low_ns,
			c ? &f->wc_high_ns : &f->wp_high_ns);
}
