// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Solves the model.
 *
 * P and C are symmetric: swapping them swaps items with free slots. So every
 * formula is written once, for a faster and a slower party, and the tables of
 * the paper become two questions: does each party, once called, get to work
 * before the other one has used up the queue?
 *
 * Bounds that keep 64 bits enough: W, N, S, Y <= 10^9 ns and L <= 2^15, hence
 * L * W < 2^45 and, in picoseconds, < 2^55. A product of two times is divided
 * before it is scaled, and a long cycle is written as its excess over the
 * slower party's own work.
 */
#include "pacing/model.h"

#define PS	1000ULL		/* picoseconds in a nanosecond */
#define MILLI	1000ULL

const char *const rp_regime_names[RP_REGIMES] = {
	[RP_BW] = "BW",
	[RP_SFC] = "sFC",
	[RP_SFP] = "sFP",
	[RP_SLS] = "sLS",
	[RP_NFC] = "nFC",
	[RP_NFP] = "nFP",
	[RP_NSCS] = "nSCS",
	[RP_NSPS] = "nSPS",
	[RP_NSS] = "nSS",
};

/* A party; k, s and y are about its own waiting: what wakes it, and how. */
struct side {
	u64 w, n, s, y;
	u32 k;
};

struct pair {
	struct side p, c;
	const struct side *fast, *slow;	/* C is the fast one when W_P = W_C */
	u64 len;
	u64 diff;			/* |W_P - W_C| */
	u64 ye;
};

static u64 max_u64(u64 a, u64 b)
{
	return a > b ? a : b;
}

static u64 min_u64(u64 a, u64 b)
{
	return a < b ? a : b;
}

/* a - b, or 0 if that is negative. */
static u64 excess(u64 a, u64 b)
{
	return a > b ? a - b : 0;
}

static u64 div_near(u64 a, u64 b)
{
	return (a + b / 2) / b;
}

static u64 div_up(u64 a, u64 b)
{
	return a / b + (a % b != 0);
}

static void pair_init(struct pair *q, const struct rp_model_in *in)
{
	/* Sec. 2, assumption (ii): no sleep is shorter than its cost. */
	q->p = (struct side){ in->wp_ns, in->np_ns, in->sp_ns,
			      max_u64(in->yp_ns, in->ye_ns), in->kc };
	q->c = (struct side){ in->wc_ns, in->nc_ns, in->sc_ns,
			      max_u64(in->yc_ns, in->ye_ns), in->kp };
	q->fast = in->wc_ns <= in->wp_ns ? &q->c : &q->p;
	q->slow = in->wc_ns <= in->wp_ns ? &q->p : &q->c;
	q->len = in->queue_len;
	q->diff = q->slow->w - q->fast->w;
	q->ye = in->ye_ns;
}

static void exactly(struct rp_model *m, enum rp_regime regime, u64 t_ps, u64 e_ps)
{
	m->regime = regime;
	m->t_ps = m->t_min_ps = m->t_max_ps = t_ps;
	m->e_ps = e_ps;
}

/* ---- Busy waiting, sec. 2.1 ---- */

static void solve_busy(const struct pair *q, struct rp_model *m)
{
	u64 wp = q->p.w, wc = q->c.w, t = q->slow->w;

	if (q->len == 1) {
		/* A single slot: nothing happens in parallel. */
		t = wp + wc;
		m->d_ns = 2 * t;
	} else if (wc <= wp) {
		m->d_ns = 2 * wp + wc;
	} else {
		m->d_ns = (q->len + 1) * wc;
	}
	exactly(m, RP_BW, t * PS, 2 * t * PS);
	m->batch_milli = RP_MODEL_NONE;
}

/* ---- Sleeping, sec. 2.2 ---- */

/*
 * Does @a, which sleeps, move its first item before @b, which works, has used
 * up the queue? Equality is in time: what is published at an instant is seen
 * by who looks at that instant.
 */
static bool sleeps_in_time(const struct pair *q, const struct side *a, const struct side *b)
{
	return a->y + a->w <= (q->len - 1) * b->w;
}

/* How much of a sleep of C, begun when the queue was empty, is left when P has filled it. */
static u64 late_sleep(const struct pair *q)
{
	return q->len >= 2 ? excess(q->c.y, (q->len - 2) * q->p.w) : q->c.y + q->p.w;
}

/*
 * Eq. (11) lets the sleep in which C misses the request begin with P's sleep.
 * It may begin later, up to the end of P's work, if C drains the queue so late
 * (or so early that it sleeps twice).
 */
static u64 late_item(const struct pair *q)
{
	u64 before = q->len - 1;

	if (before * q->c.w < q->p.w)
		return q->p.w;
	return min_u64(q->p.w, excess((q->len + 1) * q->c.w, before * q->p.w));
}

static u64 sleep_latency(const struct pair *q, enum rp_regime regime)
{
	u64 wp = q->p.w, wc = q->c.w, yp = q->p.y, yc = q->c.y;
	u64 idle = yp + wp + yc + wc;	/* eq. (2) */

	if (regime == RP_SFC)
		return max_u64(idle, 2 * wp + yc + wc);
	if (regime == RP_SFP)
		return max_u64(idle, (q->len + 1) * wc + late_sleep(q));
	if (q->len == 1)
		return 2 * yc + yp + 2 * wp + 2 * wc;
	/* Eq. (11), if P finds a slot after its first sleep. */
	if (yp == yc && wc <= yp && wc <= (q->len - 1) * wp)
		return 2 * yc + wp + wc + late_item(q);
	/* Eq. (10); C may be at work rather than asleep, if its sleeps are that short. */
	return yc + yp + wp + 2 * wc + max_u64(yc, wp);
}

/*
 * The largest batch of the faster party is L + m: m items come while it drains
 * a full queue and the slower one starts at the first chance.
 */
static u64 catch_up(const struct pair *q)
{
	u64 lead = (q->len - 1) * q->fast->w;

	if (!q->diff)
		return RP_MODEL_NONE;
	return lead < q->slow->w ? 0 : (lead - q->slow->w) / q->diff + 1;
}

/*
 * How long @s, the slower party, sleeps at most for its L items or more: until
 * @f wakes, which fell asleep L - 1 items ago, and has done an item.
 */
static u64 slow_sleep(const struct pair *q, const struct side *f, const struct side *s)
{
	return div_up(excess(f->y + f->w, (q->len - 1) * s->w), s->y) * s->y;
}

static void solve_long_sleeps(const struct pair *q, struct rp_model *m)
{
	u64 wp = q->p.w, wc = q->c.w, len = q->len, ahead = catch_up(q);
	u64 low = q->fast->w * PS, high, cost = 0, wait = slow_sleep(q, q->fast, q->slow);

	if (ahead != RP_MODEL_NONE) {
		low += q->fast->y * PS / (len + ahead);
		cost = q->ye * PS / (len + ahead);
		/* Just beyond the border the slower party is not stopped every time. */
		if (q->fast->y + q->fast->w > len * q->slow->w)
			cost += q->ye * PS / (2 * len + ahead);
	}
	m->regime = RP_SLS;
	m->t_ps = RP_MODEL_NONE;
	m->t_min_ps = max_u64(low, (len == 1 ? wp + wc : q->slow->w) * PS);
	/* Eq. (7), which holds if both Y are long; else ours may be the larger. */
	high = max_u64(wp * PS + div_up(q->p.y * PS, len), wc * PS + div_up(q->c.y * PS, len));
	if (!q->diff)	/* either may be called the slower one */
		wait = min_u64(wait, slow_sleep(q, q->slow, q->fast));
	m->t_max_ps = max_u64(high, q->slow->w * PS + div_up(wait * PS, len));
	m->e_ps = (wp + wc) * PS + cost;
	m->batch_milli = RP_MODEL_NONE;
}

static void solve_sleep(const struct pair *q, struct rp_model *m)
{
	bool c_in_time = sleeps_in_time(q, &q->c, &q->p);
	bool p_in_time = sleeps_in_time(q, &q->p, &q->c);
	u64 y = q->fast->y, cost;

	if (q->fast == &q->c && c_in_time)
		m->regime = RP_SFC;
	else if ((q->fast == &q->p || !q->diff) && p_in_time)
		m->regime = RP_SFP;
	else
		solve_long_sleeps(q, m);
	m->d_ns = sleep_latency(q, m->regime);
	if (m->regime == RP_SLS)
		return;
	/* Y_E / b, b = Y / diff; Y >= Y_E, so that the quotient is <= diff. */
	cost = q->ye * q->diff / y * PS + q->ye * q->diff % y * PS / y;
	exactly(m, m->regime, q->slow->w * PS, (q->p.w + q->c.w) * PS + cost);
	m->batch_milli = q->diff ? div_near(y * MILLI, q->diff) : RP_MODEL_NONE;
}

/* ---- Notifications, sec. 2.3 ---- */

/* As sleeps_in_time(), for @a that was just notified. */
static bool starts_in_time(const struct pair *q, const struct side *a, const struct side *b)
{
	return a->s + a->w <= (q->len - a->k) * b->w;
}

/* nFC, nFP: the slower party never waits. */
static void solve_long_queue(const struct pair *q, struct rp_model *m)
{
	const struct side *f = q->fast, *s = q->slow;
	u64 w = q->p.w + q->c.w, b;

	if (!q->diff) {
		exactly(m, m->regime, s->w * PS, w * PS);
		m->batch_milli = RP_MODEL_NONE;
		return;
	}
	b = (f->s + (f->k - 1) * f->w) / q->diff + f->k;
	exactly(m, m->regime, s->w * PS + div_near(s->n * PS, b),
		w * PS + div_near((s->n + f->s) * PS, b));
	m->batch_milli = b * MILLI;
}

/*
 * nSCS, nSPS, nSS: both wait, once a cycle of L + m items, where the slower
 * party does m items beside the faster one's work.
 */
static void solve_short_queue(const struct pair *q, struct rp_model *m)
{
	const struct side *f = q->fast, *s = q->slow;
	u64 calls = q->p.n + q->p.s + q->c.n + q->c.s;
	u64 cycle = calls + q->c.k * q->p.w + q->p.k * q->c.w;
	u64 w = q->p.w + q->c.w, b = q->len, t = 0;

	if (m->regime != RP_NSS) {
		b += ((q->len - s->k) * f->w - (s->s + s->w)) / q->diff + 1;
		/* The cycle is longer than L W: f starts after the queue is used up. */
		cycle -= q->len * s->w;
		t = s->w * PS;
	}
	exactly(m, m->regime, t + div_near(cycle * PS, b), w * PS + div_near(calls * PS, b));
	m->batch_milli = b * MILLI;
}

/*
 * nFP: eq. (14), and what it leaves out (docs/model.md): W_C > 2 W_P, and a
 * burst that finds C blocked, where the request waits for C's start-up too. It
 * is the one after the item that filled the queue, or that notified C.
 */
static u64 fast_producer_latency(const struct pair *q, u64 batch)
{
	const struct side *p = &q->p, *c = &q->c;
	u64 k_p = c->k, k_c = p->k, calls = 1 + (q->len - k_c) / batch;
	u64 d = max_u64(2 * p->w, c->w) + q->len * c->w;

	d = max_u64(d, c->s + (k_p + 1) * c->w + p->n + p->w);
	if (k_p < q->len)
		d = max_u64(d, excess(c->s + (q->len + 1) * c->w, (q->len - 1 - k_p) * p->w));
	return d + calls * c->n;
}

static u64 notify_latency(const struct pair *q, enum rp_regime regime, u64 batch)
{
	const struct side *p = &q->p, *c = &q->c;
	u64 k_p = c->k, k_c = p->k;

	if (regime == RP_NFC)
		return (k_p + 1) * p->w + 2 * p->n + c->s + c->w;
	if (regime == RP_NFP)
		return fast_producer_latency(q, batch);
	/* Eq. (17) for any k_P; with k_P = L the item before the request notifies too. */
	return (k_p + 1) * p->w + (k_c + 1) * c->w + 2 * c->s + p->s + c->n +
	       (k_p == q->len ? 2 : 1) * p->n;
}

static enum rp_regime notify_regime(const struct pair *q)
{
	bool c_in_time = starts_in_time(q, &q->c, &q->p);
	bool p_in_time = starts_in_time(q, &q->p, &q->c);

	if (!c_in_time && !p_in_time)
		return RP_NSS;
	if (!q->diff)
		return c_in_time ? RP_NFC : RP_NFP;
	if (q->fast == &q->c)
		return c_in_time ? RP_NFC : RP_NSCS;
	return p_in_time ? RP_NFP : RP_NSPS;
}

static void solve_notify(const struct pair *q, struct rp_model *m)
{
	u64 batch;

	m->regime = notify_regime(q);
	if (m->regime == RP_NFC || m->regime == RP_NFP)
		solve_long_queue(q, m);
	else
		solve_short_queue(q, m);
	batch = m->batch_milli == RP_MODEL_NONE ? m->batch_milli : m->batch_milli / MILLI;
	m->d_ns = notify_latency(q, m->regime, batch);
}

/* ---- The interface ---- */

const char *rp_model_check(const struct rp_model_in *in)
{
#define TIME(name)							\
	do {								\
		if (in->name > RP_MODEL_MAX_NS)				\
			return #name ": more than 1000000000 (1 s)";	\
	} while (0)
	TIME(wp_ns);
	TIME(wc_ns);
	TIME(np_ns);
	TIME(nc_ns);
	TIME(sp_ns);
	TIME(sc_ns);
	TIME(yp_ns);
	TIME(yc_ns);
	TIME(ye_ns);
#undef TIME
	if (!rp_strategy_by_id(in->mode) || in->mode > RP_BUSY)
		return "mode: not one of notify, sleep, busy";
	if (!in->wp_ns && !in->wc_ns)
		return "wp_ns: 0, and wc_ns too: then nothing takes time";
	if (in->queue_len < 1 || in->queue_len > RP_MODEL_MAX_LEN)
		return "queue_len: not in 1..32768 slots";
	if (in->kp < 1 || in->kp > in->queue_len)
		return "kp: not in 1..queue_len";
	if (in->kc < 1 || in->kc > in->queue_len)
		return "kc: not in 1..queue_len";
	if (in->mode == RP_SLEEP && !in->yp_ns && !in->ye_ns)
		return "yp_ns: a sleep of 0 ns that costs nothing is no sleep";
	if (in->mode == RP_SLEEP && !in->yc_ns && !in->ye_ns)
		return "yc_ns: a sleep of 0 ns that costs nothing is no sleep";
	return NULL;
}

void rp_model_solve(const struct rp_model_in *in, struct rp_model *out)
{
	struct pair q;

	pair_init(&q, in);
	if (in->mode == RP_BUSY)
		solve_busy(&q, out);
	else if (in->mode == RP_SLEEP)
		solve_sleep(&q, out);
	else
		solve_notify(&q, out);
}

u64 rp_model_y_opt_ns(const struct rp_model_in *in)
{
	struct pair q;

	pair_init(&q, in);
	return excess((q.len - 1) * q.slow->w, q.fast->w);
}
