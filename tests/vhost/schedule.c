// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A round: the driver gives the device N buffers in two parts, waits until all of
 * them are back, and until the device waits again. In every other round it asks for
 * a call, with the last buffer. The device's burst is 1: a batch is an item, also on
 * a machine that stands still in the middle of one.
 */
#include "schedule.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "virtio_pc.h"

#define N		8u	/* buffers of a round */
#define PART		3u	/* of these, the first part */
#define SPURIOUS_EACH	5u	/* rounds: then a kick for nothing */
#define PATIENCE_MS	60000
#define LONG_NS		1000000000u	/* the longest sleep there is */

const struct schedule schedules[SCHEDULES] = {
	{ "fwd notify", 0, VIRTIO_PC_NOTIFY, PART + 1, 0, 100 },
	{ "rev notify", 1, VIRTIO_PC_NOTIFY, PART + 1, 0, 100 },
	{ "fwd notify, a kick an item", 0, VIRTIO_PC_NOTIFY, 1, 0, 100 },
	{ "rev notify, a kick an item", 1, VIRTIO_PC_NOTIFY, 1, 0, 100 },
	{ "fwd busy", 0, VIRTIO_PC_BUSY, 0, 0, 100 },
	{ "rev busy", 1, VIRTIO_PC_BUSY, 0, 0, 100 },
	{ "fwd sleep", 0, VIRTIO_PC_SLEEP, 0, LONG_NS, 3 },
	{ "rev sleep", 1, VIRTIO_PC_SLEEP, 0, LONG_NS, 3 },
};

struct play {
	const struct schedule *s;
	struct schedule_device *d;
	u64 given;		/* buffers */
	u64 kicks, calls;	/* of the driver's, and seen by it */
	u64 spurious;
	u64 asked;		/* calls */
};

static bool complain(const struct play *p, const char *what)
{
	printf("# %s: after %llu buffers: %s\n", p->s->name, (unsigned long long)p->given, what);
	return false;
}

/* Where each buffer is kicked for, it is a round by itself, without a first part. */
static u32 round_buffers(const struct schedule *s)
{
	return s->k == 1 ? 1 : N;
}

static bool is_rev(const struct schedule *s)
{
	return s->queue & 1;
}

static bool kick(struct play *p)
{
	const u64 one = 1;

	p->kicks++;
	return write(p->d->kick_fd, &one, sizeof(one)) == sizeof(one) ||
	       complain(p, "cannot kick");
}

static bool give(struct play *p, u32 n)
{
	struct rp_drv *drv = p->d->drv;
	struct virtio_pc_item item = { .bytes = SCHEDULE_ITEM_BYTES };

	while (n--) {
		u8 *buf = p->d->bufs + rp_drv_next(drv) * SCHEDULE_ITEM_BYTES;

		item.seq = p->given;
		item.enq_tsc = rp_tsc();
		item.flags = p->given ? 0 : VIRTIO_PC_ITEM_FIRST;
		memcpy(buf, &item, sizeof(item));
		if (!rp_drv_add_one(drv, buf, SCHEDULE_ITEM_BYTES, is_rev(p->s), buf))
			return complain(p, "the ring is full");
		p->given++;
	}
	rp_drv_publish(drv);
	return true;
}

/* rp_drv_arm() counts what is published; this is for a round that still comes. */
static void ask_for_call(struct play *p)
{
	struct rp_drv *drv = p->d->drv;

	rp_store(rp_used_event(&drv->ring), (u16)(drv->last_used + round_buffers(p->s) - 1));
	p->asked++;
	/* Event before index: pairs with the device's barrier before it reads the event. */
	rp_mb();
}

static bool hear_call(struct play *p)
{
	struct pollfd pfd = { .fd = p->d->call_fd, .events = POLLIN };
	u64 n;

	if (poll(&pfd, 1, PATIENCE_MS) != 1 || read(p->d->call_fd, &n, sizeof(n)) != sizeof(n))
		return complain(p, "a call that was asked for has not come");
	p->calls += n;
	return true;
}

/* By the ring alone: to ask the kernel's device might cut its batch short. */
static bool take_back(struct play *p, u32 n)
{
	struct rp_drv *drv = p->d->drv;
	u32 i, written;

	for (i = 0; i < PATIENCE_MS && rp_drv_used_count(drv) < n; i++)
		usleep(1000);
	for (i = 0; i < n; i++)
		if (!rp_drv_get_used(drv, &written))
			return complain(p, "the device does not give the buffers back");
	return true;
}

/* What @c has of waits: one before the first round, and one after each round or kick. */
static u64 waits(const struct schedule_counts *c)
{
	return c->blocks + c->sleeps;
}

static u64 waits_due(const struct play *p, u64 rounds)
{
	return p->s->strategy == VIRTIO_PC_BUSY ? 0 : rounds + p->spurious + 1;
}

static bool settled(const struct play *p, const struct schedule_counts *c, u64 rounds)
{
	return c->items >= p->given && c->sent + c->suppressed >= c->batches &&
	       waits(c) >= waits_due(p, rounds);
}

static bool settle(struct play *p, struct schedule_counts *c, u64 rounds)
{
	u32 i;

	for (i = 0; i < PATIENCE_MS; i++) {
		if (!p->d->counts(p->d->ctx, c))
			return complain(p, "the device does not tell its counters");
		if (settled(p, c, rounds))
			return true;
		usleep(1000);
	}
	return complain(p, "the device does not come to wait");
}

/* Is a kick wanted, and is that right? */
static bool kick_if(struct play *p, bool due)
{
	if (rp_drv_need_kick(p->d->drv) != due)
		return complain(p, due ? "no kick is wanted" : "a kick is wanted too early");
	return !due || kick(p);
}

static bool play_round(struct play *p, u64 number)
{
	const u32 all = round_buffers(p->s), first = all > PART ? PART : 0;
	const bool notify = p->s->strategy == VIRTIO_PC_NOTIFY, call = number & 1;

	if (first && (!give(p, first) || !kick_if(p, false)))
		return false;
	if (call)
		ask_for_call(p);
	if (!give(p, all - first) || !kick_if(p, notify) || !take_back(p, all) ||
	    (call && !hear_call(p)))
		return false;
	rp_drv_disarm(p->d->drv);
	return true;
}

static bool play_spurious(struct play *p, struct schedule_counts *c, u64 rounds)
{
	p->spurious++;
	return kick(p) && settle(p, c, rounds);
}

/* The device waits for the first time: fwd it is empty, rev full. */
static bool begin(struct play *p, struct schedule_counts *c)
{
	const u32 all = round_buffers(p->s);
	struct pollfd pfd = { .fd = p->d->call_fd, .events = POLLIN };
	u64 drop;

	if (is_rev(p->s) && (!give(p, all) || !p->d->start(p->d->ctx) || !take_back(p, all)))
		return false;
	if (!settle(p, c, 0))
		return false;
	/* A start may owe a call to whoever drove the ring before. */
	return poll(&pfd, 1, 0) != 1 || read(pfd.fd, &drop, sizeof(drop)) == sizeof(drop) ||
	       complain(p, "cannot read calls");
}

static bool play(struct play *p, struct schedule_counts *c)
{
	u64 i;

	if (!begin(p, c))
		return false;
	for (i = 1; i <= p->s->rounds; i++) {
		if (!play_round(p, i) || !settle(p, c, i))
			return false;
		if (p->s->strategy == VIRTIO_PC_NOTIFY && !(i % SPURIOUS_EACH) &&
		    !play_spurious(p, c, i))
			return false;
	}
	return true;
}

static struct schedule_counts right_counts(const struct play *p)
{
	const struct schedule *s = p->s;
	const u64 items = (u64)round_buffers(s) * (s->rounds + is_rev(s));
	const bool notify = s->strategy == VIRTIO_PC_NOTIFY;
	const u64 spurious = notify ? s->rounds / SPURIOUS_EACH : 0;

	return (struct schedule_counts){
		.items = items,
		.batches = items,
		.sent = (s->rounds + 1) / 2,
		.suppressed = items - (s->rounds + 1) / 2,
		.received = notify ? s->rounds + spurious : 0,
		.spurious = spurious,
		.blocks = notify ? s->rounds + spurious + 1 : 0,
		.sleeps = s->strategy == VIRTIO_PC_SLEEP ? s->rounds + 1 : 0,
	};
}

static bool right(const struct play *p, const char *what, u64 got, u64 want)
{
	if (got != want)
		printf("# %s: %s: %llu, not %llu\n", p->s->name, what, (unsigned long long)got,
		       (unsigned long long)want);
	return got == want;
}

bool schedule_play(const struct schedule *s, struct schedule_device *d)
{
	struct play p = { .s = s, .d = d };
	struct schedule_counts c = { 0 }, want = right_counts(&p);
	bool good = play(&p, &c);

	if (!good)
		return false;
	printf("# %s:", s->name);
#define X(name) printf(" " #name " %llu", (unsigned long long)c.name);
	SCHEDULE_COUNTERS(X)
#undef X
	printf(" kicks %llu calls %llu\n", (unsigned long long)p.kicks,
	       (unsigned long long)p.calls);
#define X(name) good &= right(&p, #name, c.name, want.name);
	SCHEDULE_COUNTERS(X)
#undef X
	good &= right(&p, "kicks of the driver", p.kicks, want.received);
	return right(&p, "calls to the driver", p.calls, want.sent) && good;
}
