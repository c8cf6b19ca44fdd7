// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two guests of our own at two linked ports of ringpaced: frames of all sizes
 * arrive whole, once and in order, whatever the strategy, the shape of buffers,
 * the number of pairs; also when a flow moves, a guest comes late or stops, the
 * daemon is killed. Both guests are this thread: what is not lost by the daemon
 * is not lost at all, as a full receiver holds the sender up.
 */
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "net_bed.h"

/* ---- Sizes, shapes, strategies ---- */

static void both_ways(struct net_rig *r, const char *name, u64 n)
{
	if (ok(!net_rig_open(r), name, "set up")) {
		ok(stream(&r->a, &r->b, 0, n), name, "all arrive");
		ok(stream(&r->b, &r->a, 0, n), name, "and the other way");
		ok(clean(&r->a, 0) && clean(&r->b, 0), name, "whole, once, in order");
		ok(reclaimed(&r->a, 0) && reclaimed(&r->b, 0), name, "buffers come back");
		ok(net_rig_number(r, "a", 1, "packets") == (double)n &&
		   net_rig_number(r, "b", 0, "packets") == (double)n, name, "they are counted");
	}
	close_rig(r);
}

static void sizes(void)
{
	static const struct {
		u32 bytes, rx_bytes, pieces;
		u64 n;
	} of[] = {
		{ 60, 2048, 1, 10000 }, { 64, 128, 2, 5000 }, { 1514, 1536, 1, 5000 },
		{ 1514, 512, 3, 5000 }, { 9014, 2048, 4, 2000 }, { 65549, 2048, 2, 200 },
	};
	struct net_rig *r;
	char name[64];
	u32 i;

	for (i = 0; i < sizeof(of) / sizeof(*of); i++) {
		r = make_rig(2, of[i].bytes);
		r->end[0].rx_bytes = r->end[1].rx_bytes = of[i].rx_bytes;
		r->end[0].pieces = r->end[1].pieces = of[i].pieces;
		snprintf(name, sizeof(name), "%u bytes in %u pieces, buffers of %u", of[i].bytes,
			 of[i].pieces, of[i].rx_bytes);
		both_ways(r, name, of[i].n);
	}
}

static void strategies(void)
{
	static const char *const of[] = {
		"strategy=notify", "strategy=sleep,y-ns=50000", "strategy=busy",
		"strategy=adaptive,dmax-ns=1000000", "strategy=adaptive,cpu-cap=50",
		"strategy=notify,burst=1",
	};
	struct net_rig *r;
	u32 i;

	for (i = 0; i < sizeof(of) / sizeof(*of); i++) {
		r = make_rig(2, 64);
		r->pacing = of[i];
		both_ways(r, of[i], 5000);
	}
}

/* Single frames with pauses: each must wake who sleeps. */
static void one_by_one(void)
{
	struct net_rig *r = make_rig(2, 64);
	bool good = true;
	u32 i;

	if (ok(!net_rig_open(r), "single frames", "set up")) {
		for (i = 0; i < 50 && good; i++) {
			good = stream(&r->a, &r->b, 0, 1) && stream(&r->b, &r->a, 0, 1);
			nap_ms(i % 4);
		}
		ok(good, "single frames", "each arrives");
		ok(clean(&r->a, 0) && clean(&r->b, 0), "single frames", "whole, once, in order");
	}
	close_rig(r);
}

/* ---- Pairs and pacers ---- */

static void all_pairs(struct net_rig *r, const char *name, u64 n, bool moving)
{
	bool good = true;
	u64 round;
	u32 i;

	for (round = 0; round < 20 && good; round++)
		for (i = 0; i < r->pairs && good; i++) {
			json_t *v = moving ? net_rig_call(r, "move",
				json_pack("{s:s, s:i, s:i}", "device", "a", "pair", (int)i,
					  "pacer", (int)((i + round) % 3))) : json_null();

			good = v && stream(&r->a, &r->b, i, n / 20) &&
			       stream(&r->b, &r->a, i, n / 20);
			json_decref(v);
		}
	ok(good, name, "all arrive");
	for (i = 0, good = true; i < r->pairs; i++)
		good = good && clean(&r->a, i) && clean(&r->b, i);
	ok(good, name, "whole, once, in order");
}

static void pairs(void)
{
	struct net_rig *r = make_rig(2, 200);

	r->pairs = r->end[0].pairs = r->end[1].pairs = 8;
	r->pacers = "x3";
	if (ok(!net_rig_open(r), "8 pairs", "set up")) {
		all_pairs(r, "8 pairs on 3 pacers", 1000, false);
		all_pairs(r, "8 pairs that move", 1000, true);
	}
	close_rig(r);
}

/* Pairs share a port's limit, on one pacer, wherever that is. */
static void limited_pairs(void)
{
	struct net_rig *r = make_rig(2, 200);

	r->pairs = r->end[0].pairs = r->end[1].pairs = 4;
	r->pacers = "x3";
	r->pacing = "rate-pps=10000,rate-bps=100000000";
	if (ok(!net_rig_open(r), "4 pairs with a limit", "set up"))
		all_pairs(r, "4 pairs with a limit that move", 400, true);
	close_rig(r);
}

/* Four queues into one: no order between them, but in each. */
static void fewer_pairs(void)
{
	const char *name = "4 pairs into 1";
	struct net_rig *r = make_rig(2, 200);
	u64 goal = 0, end = now_ns() + WAIT_NS;
	u32 i, round;

	r->pairs = r->end[0].pairs = 4;
	r->pacers = "x2";
	if (ok(!net_rig_open(r), name, "set up")) {
		for (round = 0; round < 500; round++)
			for (i = 0; i < 4; i++) {
				goal += net_send(&r->a, i, 8);
				net_receive(&r->b, 0, 64);
			}
		while (r->b.rx[0].packets < goal && now_ns() < end)
			if (!net_receive(&r->b, 0, 64))
				net_wait(&r->b, 0, 100);
		ok(goal && r->b.rx[0].packets == goal, name, "all arrive");
		ok(clean(&r->b, 0), name, "whole, once, those of a pair in order");
	}
	close_rig(r);
}

/* ---- Guests that come, stop and go ---- */

static void no_peer(void)
{
	const char *name = "a guest without a peer";
	struct net_rig *r = make_rig(2, 64);
	struct net_end_options o;

	if (ok(!net_rig_open(r), name, "set up")) {
		o = r->b.opt;
		net_end_close(&r->b);
		ok(await_link(r, 1, false), name, "loses its peer");
		ok(net_send(&r->a, 0, 50) == 50 && reclaimed(&r->a, 0), name, "can send");
		ok(net_rig_number(r, "a", 1, "dropped.no_peer") == 50, name, "its frames are dropped");
		ok(!net_end_open(&r->b, &o), name, "the peer comes back");
		r->b.rx[0].next_seq[net_source(1, 0)] = 50;
		ok(stream(&r->a, &r->b, 0, 5000) && clean(&r->b, 0), name, "and receives");
	}
	close_rig(r);
}

/* A receiver that posts nothing holds the sender up, but not for ever. */
static void stopped_receiver(void)
{
	const char *name = "a receiver that has stopped";
	struct net_rig *r = make_rig(2, 64);
	u64 end = now_ns() + WAIT_NS, lost;

	r->full_ms = 50;
	if (ok(!net_rig_open(r), name, "set up")) {
		while (!(net_rig_number(r, "a", 1, "dropped.full") > 0) && now_ns() < end)
			net_send(&r->a, 0, 16);
		ok(now_ns() < end && reclaimed(&r->a, 0), name, "costs frames in the end");
		lost = (u64)net_rig_number(r, "a", 1, "dropped.full");
		ok(await(&r->b, 0, r->a.tx[0].sent - lost), name, "gets those before");
		net_send(&r->a, 0, 1);
		ok(await(&r->b, 0, r->a.tx[0].sent - lost), name, "and the next one");
		ok(r->b.rx[0].lost == lost && !r->b.rx[0].bad && !r->b.rx[0].reordered, name,
		   "what was lost is what was dropped");
	}
	close_rig(r);
}

/*
 * To the brim, so that the next write blocks. The device may have counted a call
 * that nobody took, or do so meanwhile: a blocking write of ours would wait for ever.
 */
static bool fill(int fd)
{
	const u64 most = UINT64_MAX - 1;
	int flags = fcntl(fd, F_GETFL);
	bool full;
	u64 taken;

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	do
		full = write(fd, &most, sizeof(most)) == sizeof(most);
	while (!full && read(fd, &taken, sizeof(taken)) == sizeof(taken));
	return !fcntl(fd, F_SETFL, flags) && full;
}

/*
 * A guest whose call eventfd is full, and blocks, would hold up the pacer that
 * all share; it loses its queue instead.
 */
static void full_call(void)
{
	const char *name = "a call eventfd that blocks";
	struct net_rig *r = make_rig(2, 64);
	u64 end = now_ns() + WAIT_NS;

	if (ok(!net_rig_open(r), name, "set up")) {
		ok(stream(&r->a, &r->b, 0, 500) &&
		   fill(r->b.fe.queue[0].call_fd) &&
		   !rp_drv_arm(&r->b.rx[0].drv, 1), name, "is filled");
		net_send(&r->a, 0, 1);
		ok(stream(&r->b, &r->a, 0, 5000), name, "harms nobody else");
		ok(clean(&r->a, 0), name, "not at all");
		while (!(net_rig_number(r, "a", 1, "dropped.no_peer") > 0) && now_ns() < end)
			net_send(&r->a, 0, 1);
		ok(now_ns() < end, name, "costs its own queue");
	}
	close_rig(r);
}

/* What the daemon had in its hands when it was killed may come twice, and is not lost. */
static void killed(void)
{
	struct net_rig *r = make_rig(2, 300);
	u64 began, back;
	bool good = true;
	char name[64];
	u32 i;

	if (!ok(!net_rig_open(r), "a daemon that is killed", "set up")) {
		close_rig(r);
		return;
	}
	for (i = 0; i < 6 && good; i++) {
		snprintf(name, sizeof(name), "killed under traffic, number %u", i + 1);
		good = stream(&r->a, &r->b, 0, 500);
		/* On its way while the daemon dies. */
		net_send(&r->a, 0, 100);
		began = now_ns();
		good = ok(good && !net_rig_restart(r, i % 3 == 2 ? SIGTERM : SIGKILL) &&
			  !net_end_reconnect(&r->b) && !net_end_reconnect(&r->a), name,
			  "both guests come back");
		back = now_ns();
		good = good && ok(await(&r->b, 0, r->a.tx[0].sent), name, "all arrive");
		printf("# %.1f ms from the signal until both are back, %.1f until all have arrived\n",
		       (double)(back - began) / 1e6, (double)(now_ns() - began) / 1e6);
		/* Those that came twice are one too many for the next await(). */
		while (good && (net_wait(&r->b, 0, 1) || net_reclaim(&r->a, 0)))
			net_receive(&r->b, 0, SLOTS);
		ok(!r->b.rx[0].lost && !r->b.rx[0].bad, name, "none is lost, all are whole");
		r->b.rx[0].packets = r->a.tx[0].sent;
	}
	close_rig(r);
}

/*
 * What the consumer's strategy knows of both sides is known to the next daemon at
 * once. (The producer has nothing to say before it has met a full ring.)
 */
static void learned(void)
{
	const char *name = "a daemon with a state file";
	struct net_rig *r = make_rig(2, 64);
	const char *state = run_path("net-learned");
	double c_ns, p_ns, packets;
	u64 end = now_ns() + WAIT_NS;
	char kept[160];

	snprintf(kept, sizeof(kept), "%s", state);
	r->state = kept;
	r->pacing = "strategy=adaptive,dmax-ns=1000000";
	if (ok(!net_rig_open(r), name, "set up")) {
		while (!(net_rig_number(r, "a", 1, "pacing.w_own_ns") > 0 &&
			 net_rig_number(r, "a", 1, "pacing.w_peer_ns") > 0) && now_ns() < end)
			stream(&r->a, &r->b, 0, 1000);
		ok(now_ns() < end, name, "learns");
		ok(!net_rig_restart(r, SIGTERM) && !net_end_reconnect(&r->b) &&
		   !net_end_reconnect(&r->a) && await_link(r, 0, true), name, "comes back");
		while (!(net_rig_number(r, "a", 1, "pacing.w_own_ns") > 0) && now_ns() < end)
			nap_ms(1);
		c_ns = net_rig_number(r, "a", 1, "pacing.w_own_ns");
		p_ns = net_rig_number(r, "a", 1, "pacing.w_peer_ns");
		packets = net_rig_number(r, "a", 1, "packets");
		if (!ok(c_ns > 0 && p_ns > 0 && packets == 0, name, "knows it before any frame"))
			printf("# W_C %.0f ns, W_P %.0f ns, after %.0f frames\n", c_ns, p_ns, packets);
		ok(net_rig_number(r, "b", 1, "packets") == 0 &&
		   !(net_rig_number(r, "b", 1, "pacing.w_own_ns") > 0), name,
		   "and nothing of the queues that had none");
	}
	close_rig(r);
	unlink(kept);
}

int main(void)
{
	catch_signals();
	sizes();
	strategies();
	one_by_one();
	pairs();
	limited_pairs();
	fewer_pairs();
	no_peer();
	stopped_receiver();
	full_call();
	killed();
	learned();
	return tests_done();
}
