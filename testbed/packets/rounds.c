// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench packets' measurements of one load: all contenders are started once, each with two
 * guests of its own, and run in turns; who is not measured is stopped (SIGSTOP), so that the
 * one that is has the CPU.
 *
 * A virtual machine's CPUs change between being near each other and far (line.h) within
 * seconds, and stay so for minutes at times. A round, of all contenders, counts if all of
 * it was of one state, and what is told is of near ones if there is any.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "packets/packets.h"

/* Rounds in place of one until the CPUs were near each other in all of it. */
#define TRIES		5
/* Before a measurement, and no longer than that: caches are filled; a rate is learnt. */
#define WARM_NS		(NSEC_PER_SEC / 10)
#define LEARN_NS	(NSEC_PER_SEC * 3 / 10)

/* A contender while its load is measured. */
struct stage {
	struct forwarder f;
	struct guests g;
};

/* ---- States ---- */

static bool is_far(const struct packets_run *r, double line_ns)
{
	/* Half more: the two states that were seen differ by five times. */
	return line_ns > r->line_ns * 3 / 2;
}

bool packets_is_far(const struct packets_run *r, const struct sample *s)
{
	return is_far(r, s->line_before_ns) || is_far(r, s->line_after_ns);
}

static enum packets_state state_of_round(const struct packets_run *r, u32 load, u32 round)
{
	bool near = true, far = true;
	const struct sample *s;
	u32 who, n = 0;

	for (who = 0; who < PACKETS_WHO; who++) {
		if (!packets_measures(r, load, who))
			continue;
		n++;
		s = &r->sample[load][who][round];
		near = near && !packets_is_far(r, s);
		far = far && is_far(r, s->line_before_ns) && is_far(r, s->line_after_ns);
	}
	/* Of one alone nothing is compared. */
	return near || n < 2 ? PACKETS_NEAR : far ? PACKETS_FAR : PACKETS_MIXED;
}

enum packets_state packets_state(const struct packets_run *r, u32 load, u32 *rounds)
{
	u32 n[PACKETS_STATES] = { 0 }, i;
	enum packets_state s;

	for (i = 0; i < r->args->rounds; i++)
		n[state_of_round(r, load, i)]++;
	for (s = PACKETS_NEAR; s < PACKETS_MIXED && !n[s]; s++)
		;
	*rounds = s < PACKETS_MIXED ? n[s] : 0;
	return s;
}

double packets_median(const struct packets_run *r, u32 load, u32 who, size_t field)
{
	double v[BENCH_ROUNDS_MAX];
	enum packets_state state;
	u32 rounds, i, n = 0;

	if (!packets_measures(r, load, who))
		return UNKNOWN;
	state = packets_state(r, load, &rounds);
	if (state == PACKETS_MIXED)
		return UNKNOWN;
	for (i = 0; i < r->args->rounds; i++)
		if (state_of_round(r, load, i) == state)
			v[n++] = *(const double *)((const char *)&r->sample[load][who][i] + field);
	return median(v, n);
}

/* ---- Turns ---- */

static int pause_one(const struct forwarder *f)
{
	siginfo_t info;

	/* Its end, too, ends the wait, and is left to who looks after children. */
	if (kill(f->pid, SIGSTOP) ||
	    waitid(P_PID, (id_t)f->pid, &info, WSTOPPED | WEXITED | WNOWAIT))
		return fail("bench packets: %s cannot be stopped for another's turn: %m",
			    f->ops->name);
	return 0;
}

static void resume(const struct forwarder *f)
{
	if (f->pid > 0)
		kill(f->pid, SIGCONT);
}

static void close_one(struct stage *s)
{
	resume(&s->f);
	guests_close(&s->g);
	s->f.ops->stop(&s->f);
}

/* It forwards, and is stopped. 0, or -1 after fail(); close_one() undoes it in both cases. */
static int open_one(struct packets_run *r, u32 load, u32 who, struct stage *s)
{
	const struct forward_load *l = &packets_loads[load];
	u32 batch = packets_who[who].batch ? packets_who[who].batch : l->burst;

	memset(&s->g, 0, sizeof(s->g));
	s->f = r->forwarder[packets_who[who].id];
	s->f.name = packets_who[who].name;
	return s->f.ops->start(&s->f, l, batch) ||
		guests_open(&s->g, &s->f, l, r->args->queue_len) || pause_one(&s->f) ? -1 : 0;
}

/* A peer that did not start on a busy machine is no reason to lose what has been measured. */
static int open_again(struct packets_run *r, u32 load, u32 who, struct stage *s)
{
	if (!open_one(r, load, who, s))
		return 0;
	if (packets_who[who].id == RINGPACED || stopped())
		return -1;
	close_one(s);
	return open_one(r, load, who, s);
}

static void progress(const struct packets_run *r, u32 load, u32 round, u32 who)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[Kbench packets: %s, round %u/%u, %s",
			packets_loads[load].name, round + 1, r->args->rounds,
			packets_who[who].name);
}

/* Of what is known. */
static double least(double a, double b)
{
	return a <= b || !is_known(b) ? a : b;
}

static int take_turn(struct packets_run *r, struct stage *s, u32 load, struct sample *to)
{
	const struct forward_load *l = &packets_loads[load];
	const u64 ns = (u64)(r->args->seconds * 1e9), warmup_ns = l->percent ? LEARN_NS : WARM_NS;
	const struct guests_task t = {
		.load = l, .warmup_ns = ns < warmup_ns ? ns : warmup_ns, .ns = ns,
		.rate_pps = l->percent ? (u64)(r->peak_pps * l->percent / 100) + 1 : 0,
	};

	resume(&s->f);
	if (guests_run(&s->g, &t, to) || pause_one(&s->f))
		return -1;
	r->line_ns = least(r->line_ns, least(to->line_before_ns, to->line_after_ns));
	return 0;
}

static int measure_round(struct packets_run *r, struct stage *s, u32 load, u32 round)
{
	u32 i, who;

	for (i = 0; i < PACKETS_WHO; i++) {
		/* Another one begins each round. */
		who = (i + round) % PACKETS_WHO;
		if (!packets_measures(r, load, who))
			continue;
		progress(r, load, round, who);
		if (take_turn(r, &s[who], load, &r->sample[load][who][round]))
			return -1;
	}
	return 0;
}

static int measure_rounds(struct packets_run *r, struct stage *s, u32 load)
{
	u32 round, i;

	for (round = 0; round < r->args->rounds; round++)
		for (i = 0; i < TRIES; i++) {
			if (measure_round(r, s, load, round))
				return -1;
			if (state_of_round(r, load, round) == PACKETS_NEAR)
				break;
		}
	return 0;
}

int packets_measure(struct packets_run *r, u32 load)
{
	struct stage *s = calloc(PACKETS_WHO, sizeof(*s));
	u32 who, opened = 0;
	int rc = 0;

	if (!s)
		abort();
	for (who = 0; who < PACKETS_WHO && !rc; who++) {
		if (!packets_measures(r, load, who))
			continue;
		progress(r, load, 0, who);
		opened |= 1u << who;
		rc = open_again(r, load, who, &s[who]);
	}
	if (!rc)
		rc = measure_rounds(r, s, load);
	for (who = 0; who < PACKETS_WHO; who++)
		if (opened & 1u << who)
			close_one(&s[who]);
	free(s);
	return rc;
}
