// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guests of our own at a switch:
 *
 *	a (station 1) ─┐           ┌─ c (station 3)
 *	               ├─ switch s ┤
 *	b (station 2) ─┘           └─ d (station 4)
 *
 * Frames come to whom they are for, and to nobody else; they stay in order, also when
 * several pacers have the switch and flows move between them; and a guest that is full, killed, or
 * sends nonsense is no matter to the others.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net_bed.h"

enum { A, B, C, D };

static bool open_rig(struct net_rig *r, const char *name)
{
	if (!r->switched)
		r->switched = r->ports == 3 ? "s,ports=a+b+c" : "s,ports=a+b+c+d";
	return ok(!net_rig_open(r), name, "set up");
}

/* Receives whatever there is at all ports. */
static void drain(struct net_rig *r)
{
	u32 i, k;

	for (i = 0; i < r->ports; i++)
		for (k = 0; r->at[i].open && k < r->end[i].pairs; k++)
			while (net_receive(&r->at[i], k, SLOTS))
				;
}

/* All that @from has sent is delivered or dropped: so what has not come will not come. */
static bool settled(struct net_rig *r, u32 from)
{
	bool good = reclaimed(&r->at[from], 0);

	drain(r);
	return good;
}

/* A frame from @from to @to (NET_ALL: all): is what came by it at a, b, c, d? */
static bool reaches(struct net_rig *r, u32 from, u8 to, u16 vlan, const u32 *expected)
{
	u64 before[NET_RIG_PORTS];
	bool good;
	u32 i;

	drain(r);
	for (i = 0; i < r->ports; i++)
		before[i] = r->at[i].rx[0].packets;
	r->at[from].to = to;
	r->at[from].vlan = vlan;
	good = net_send(&r->at[from], 0, 1) == 1 && settled(r, from);
	for (i = 0; i < r->ports; i++)
		good = good && r->at[i].rx[0].packets - before[i] == expected[i];
	return good;
}

#define COMES_TO(...) ((const u32[NET_RIG_PORTS]){ __VA_ARGS__ })

/* @from has sent to others, too: that is nothing that @to has lost. */
static void forget_gap(const struct net_end *from, struct net_end *to, u32 pair)
{
	to->rx[pair].next_seq[net_source(from->opt.station, 0)] = from->tx[0].sent;
}

/* @n broadcasts, a few at a time: no port is ever full. */
static bool broadcast(struct net_rig *r, u32 from, u32 n)
{
	bool good = true;

	r->at[from].to = NET_ALL;
	for (; n && good; n -= 4)
		good = net_send(&r->at[from], 0, 4) == 4 && settled(r, from);
	return good;
}

/* Every guest says where it is. */
static void introduce(struct net_rig *r, u16 vlan)
{
	u32 i;

	for (i = 0; i < r->ports; i++) {
		r->at[i].to = NET_ALL;
		r->at[i].vlan = vlan;
		net_send(&r->at[i], 0, 1);
		settled(r, i);
	}
}

static u64 flush(struct net_rig *r, const char *port)
{
	json_t *v = net_rig_call(r, "flush", json_pack("{s:s, s:s*}", "switch", "s", "device",
						       port));
	u64 n = (u64)json_number_at(v, "flushed");

	json_decref(v);
	return n;
}

/* How many addresses the switch has at @port. */
static u32 macs(struct net_rig *r, const char *port)
{
	json_t *v = net_rig_call(r, "macs", json_pack("{s:s}", "switch", "s"));
	const json_t *mac;
	u32 n = 0;
	size_t i;

	json_array_foreach(json_object_get(v, "macs"), i, mac)
		n += !strcmp(json_string_value(json_object_get(mac, "port")), port);
	json_decref(v);
	return n;
}

/* ---- Who gets what ---- */

static void learning(void)
{
	const char *name = "three ports";
	struct net_rig *r = make_rig(3, 200);

	if (open_rig(r, name)) {
		ok(reaches(r, A, 2, 0, COMES_TO(0, 1, 1)), name, "to all while b is unknown");
		ok(reaches(r, B, 1, 0, COMES_TO(1, 0, 0)), name, "to a alone, that has sent");
		ok(reaches(r, A, 2, 0, COMES_TO(0, 1, 0)), name, "to b alone, now");
		ok(reaches(r, A, NET_ALL, 0, COMES_TO(0, 1, 1)), name, "a broadcast to all others");
		ok(reaches(r, A, 1, 0, COMES_TO(0, 0, 0)), name, "nothing comes back");
		ok(net_rig_number(r, "a", 1, "dropped.local") == 1, name, "which is counted");
		ok(macs(r, "a") == 1 && macs(r, "b") == 1 && !macs(r, "c"), name,
		   "addresses are listed");
		ok(flush(r, "b") == 1 && !macs(r, "b") && macs(r, "a") == 1, name,
		   "those of a port are forgotten");
		ok(reaches(r, A, 2, 0, COMES_TO(0, 1, 1)), name, "so b is unknown");
		r->at[C].opt.station = 1;
		ok(reaches(r, C, NET_ALL, 0, COMES_TO(1, 1, 0)) &&
		   reaches(r, B, 1, 0, COMES_TO(0, 0, 1)), name, "a's station moves to c");
		ok(flush(r, NULL) == 2 && flush(r, NULL) == 0, name, "all are forgotten");
	}
	close_rig(r);
}

static void streams(void)
{
	const char *name = "streams";
	struct net_rig *r = make_rig(3, 1514);
	u64 before;

	r->end[B].rx_bytes = 512;
	if (open_rig(r, name)) {
		introduce(r, 0);
		before = r->at[C].rx[0].packets;
		r->a.to = 2;
		r->b.to = 1;
		ok(stream(&r->a, &r->b, 0, 5000) && stream(&r->b, &r->a, 0, 5000), name,
		   "all arrive");
		ok(clean(&r->a, 0) && clean(&r->b, 0), name, "whole, once, in order");
		drain(r);
		ok(r->at[C].rx[0].packets == before, name, "not at c");
		ok(broadcast(r, A, 100) && clean(&r->b, 0), name, "broadcasts arrive");
		ok(r->at[C].rx[0].packets == before + 100, name, "at all");
	}
	close_rig(r);
}

static void vlans(void)
{
	const char *name = "VLANs";
	struct net_rig *r = make_rig(4, 300);

	r->more[A] = r->more[B] = "vlan=10";
	r->more[C] = "vlan=20";
	r->more[D] = "trunk=10+20";
	r->end[D].pieces = 3;
	if (open_rig(r, name)) {
		ok(reaches(r, A, NET_ALL, 0, COMES_TO(0, 1, 0, 1)), name, "10 to 10 and the trunk");
		ok(r->at[D].rx[0].vlan == 10 && r->at[D].rx[0].tagged == 1, name, "tagged there");
		ok(reaches(r, C, NET_ALL, 0, COMES_TO(0, 0, 0, 1)), name, "20 to the trunk only");
		ok(r->at[D].rx[0].vlan == 20, name, "with its tag");
		ok(reaches(r, D, NET_ALL, 10, COMES_TO(1, 1, 0, 0)), name, "the trunk to 10");
		ok(reaches(r, D, 3, 20, COMES_TO(0, 0, 1, 0)), name, "the trunk to 20");
		ok(reaches(r, D, 1, 20, COMES_TO(0, 0, 1, 0)), name, "where a is not known");
		ok(!r->at[A].rx[0].tagged && !r->at[B].rx[0].tagged && !r->at[C].rx[0].tagged, name,
		   "without tags");
		ok(reaches(r, A, 3, 20, COMES_TO(0, 0, 0, 0)) &&
		   reaches(r, D, 1, 30, COMES_TO(0, 0, 0, 0)) &&
		   reaches(r, D, 1, 0, COMES_TO(0, 0, 0, 0)), name, "others are not taken");
		ok(net_rig_number(r, "a", 1, "dropped.vlan") == 1 &&
		   net_rig_number(r, "d", 1, "dropped.vlan") == 2, name, "which is counted");
		r->a.to = 4;
		r->a.vlan = 0;
		r->at[D].to = 1;
		r->at[D].vlan = 10;
		forget_gap(&r->a, &r->at[D], 0);
		forget_gap(&r->at[D], &r->a, 0);
		r->a.rx[0].lost = 0;
		ok(stream(&r->a, &r->at[D], 0, 3000) && stream(&r->at[D], &r->a, 0, 3000), name,
		   "streams through a tag");
		ok(clean(&r->a, 0) && clean(&r->at[D], 0), name, "whole, once, in order");
	}
	close_rig(r);
}

/* ---- Many to one, and queues ---- */

/* The @n-th move of b, c or d; of @pacers each has some, and sometimes one has all. */
static bool move_one(struct net_rig *r, u32 n, u32 pacers)
{
	static const char *const names[] = { "b", "c", "d" };
	json_t *v = net_rig_call(r, "move", json_pack("{s:s, s:i, s:i}", "device", names[n % 3],
						      "pair", 0, "pacer", (int)(n / 2 % pacers)));
	bool good = v;

	json_decref(v);
	return good;
}

/* @pacers: their flows move between so many; 0: they stay. */
static bool all_to_a(struct net_rig *r, u32 rounds, u32 pacers)
{
	u64 goal = r->a.rx[0].packets, end = now_ns() + WAIT_NS;
	u32 i, round;

	for (round = 0; round < rounds; round++) {
		for (i = B; i <= D; i++) {
			r->at[i].to = 1;
			goal += net_send(&r->at[i], 0, 16);
			net_receive(&r->a, 0, 64);
		}
		if ((pacers && round % 10 == 0 && !move_one(r, round / 10, pacers)) ||
		    now_ns() > end)
			return false;
	}
	return await(&r->a, 0, goal);
}

static void many_to_one(void)
{
	const char *name = "three to one";
	struct net_rig *r = make_rig(4, 200);

	r->pacers = "x2";
	if (open_rig(r, name)) {
		introduce(r, 0);
		ok(all_to_a(r, 400, 0), name, "all arrive");
		ok(clean(&r->a, 0), name, "whole, once, in order");
		ok(all_to_a(r, 400, 2), name, "also when its flows move");
		ok(clean(&r->a, 0), name, "whole, once, in order then");
	}
	close_rig(r);
}

/* ---- Several pacers ---- */

static bool pacers_are(struct net_rig *r, const char *expected)
{
	json_t *v = net_rig_call(r, "list", NULL);
	char *got = json_dumps(json_object_get(json_array_get(json_object_get(v, "switches"), 0),
					       "pacers"), JSON_COMPACT);
	bool good = got && !strcmp(got, expected);

	if (!good)
		printf("# pacers: %s\n", got ? got : "?");
	free(got);
	json_decref(v);
	return good;
}

/* Everybody to everybody, while flows move. */
static bool all_to_all(struct net_rig *r, u32 rounds, u32 pacers)
{
	u64 before[NET_RIG_PORTS];
	u32 i, round;

	for (i = 0; i < r->ports; i++) {
		before[i] = r->at[i].rx[0].packets;
		r->at[i].to = NET_ALL;
	}
	for (round = 0; round < rounds; round++) {
		for (i = 0; i < r->ports; i++)
			if (net_send(&r->at[i], 0, 4) != 4)
				return false;
		if (round % 5 == 0 && !move_one(r, round / 5, pacers))
			return false;
		for (i = 0; i < r->ports; i++)
			if (!await(&r->at[i], 0, before[i] + 4 * (round + 1) * (r->ports - 1)) ||
			    !reclaimed(&r->at[i], 0))
				return false;
	}
	return true;
}

static bool all_clean(const struct net_rig *r)
{
	bool good = true;
	u32 i;

	for (i = 0; i < r->ports; i++)
		good = clean(&r->at[i], 0) && good;
	return good;
}

static void several_pacers(void)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	const char *name = "three pacers";
	struct net_rig *r = make_rig(4, 200);
	u32 i, k;

	r->pacers = "x3";
	r->switched = "s,ports=a+b+c+d,pacer=0+1+2";
	/* One port says where itself. */
	r->more[D] = "pacer=1";
	if (open_rig(r, name)) {
		ok(pacers_are(r, "[0,1,2]"), name, "have it");
		introduce(r, 0);
		ok(all_to_a(r, 1000, 0), name, "three to one: all arrive");
		ok(all_clean(r), name, "whole, once, in order");
		ok(all_to_a(r, 1000, 3), name, "also when flows move");
		ok(all_clean(r), name, "whole, once, in order then");
		for (i = A; i <= D; i++)
			for (k = A; k <= D; k++)
				forget_gap(&r->at[i], &r->at[k], 0);
		ok(all_to_all(r, 300, 3), name, "all to all, while flows move: all arrive");
		ok(all_clean(r), name, "whole, once, in order");
		for (i = A; i <= D; i++)
			json_decref(net_rig_call(r, "move", json_pack("{s:s, s:i, s:i}", "device",
				names[i], "pair", 0, "pacer", 2)));
		ok(pacers_are(r, "[2]"), name, "one has them all");
		ok(all_to_a(r, 200, 0) && all_clean(r), name, "all arrive by that");
		ok(net_rig_number(r, "b", 1, "dropped.full") == 0, name, "nothing was dropped");
	}
	close_rig(r);
}

static u64 received(const struct net_end *e, u32 *used)
{
	u64 n = 0;
	u32 i;

	for (i = 0, *used = 0; i < e->opt.pairs; i++) {
		n += e->rx[i].packets;
		*used += e->rx[i].packets > 1;
	}
	return n;
}

/* Each pair of a is a flow of its own: they spread over b's, each in order. */
static void queues(const char *name, const char *switched)
{
	struct net_rig *r = make_rig(3, 200);
	u64 goal, end = now_ns() + WAIT_NS;
	u32 i, round, used = 0;

	r->pairs = 4;
	r->pacers = "x3";
	r->switched = switched;
	for (i = 0; i < 3; i++)
		r->end[i].pairs = 4;
	if (open_rig(r, name)) {
		introduce(r, 0);
		for (i = 0; i < 4; i++)
			forget_gap(&r->a, &r->b, i);
		r->a.to = 2;
		goal = received(&r->b, &used);
		for (round = 0; round < 300; round++)
			for (i = 0; i < 4; i++) {
				goal += net_send(&r->a, i, 8);
				net_receive(&r->b, i, 64);
			}
		while (received(&r->b, &used) < goal && now_ns() < end && nap_ms(1))
			drain(r);
		ok(received(&r->b, &used) == goal, name, "all arrive");
		ok(used > 1, name, "in several queues");
		ok(clean(&r->b, 0) && clean(&r->b, 1) && clean(&r->b, 2) && clean(&r->b, 3), name,
		   "whole, once, each flow in order");
	}
	close_rig(r);
}

/* ---- Guests that harm ---- */

static void full(void)
{
	const char *name = "a guest that takes nothing";
	struct net_rig *r = make_rig(3, 64);
	u64 end = now_ns() + WAIT_NS, before;
	bool good = true;
	u32 sent = 0;

	/* It may hold up others, for a moment. */
	r->more[C] = "full-ms=5";
	if (open_rig(r, name)) {
		introduce(r, 0);
		r->a.to = 3;
		while (!(net_rig_number(r, "c", 0, "dropped.full") > 0) && now_ns() < end)
			net_send(&r->a, 0, 16);
		ok(now_ns() < end && reclaimed(&r->a, 0), name, "loses frames");
		ok(net_rig_number(r, "a", 1, "dropped.full") > 0, name, "which its sender sees");
		forget_gap(&r->a, &r->b, 0);
		r->a.to = 2;
		ok(stream(&r->a, &r->b, 0, 5000), name, "is no matter to others");
		before = r->b.rx[0].packets;
		r->a.to = NET_ALL;
		for (; sent < 400 && good; sent += 4)
			good = net_send(&r->a, 0, 4) == 4 && reclaimed(&r->a, 0) &&
			       await(&r->b, 0, before + sent + 4);
		ok(good, name, "nor are broadcasts that it does not take");
		ok(clean(&r->b, 0), name, "whole, once, in order");
		r->a.to = 3;
		ok(net_receive(&r->at[C], 0, SLOTS) && stream(&r->a, &r->at[C], 0, 10), name,
		   "receives again");
	}
	close_rig(r);
}

/* A guest that sends to all without end, in a process of its own. */
static pid_t start_flooder(const struct net_rig *r, u32 i)
{
	struct net_end_options o = r->end[i];
	static struct net_end e;
	pid_t pid = fork();

	if (pid)
		return pid;
	o.socket = r->socket[i];
	o.timeout_ms = NET_RIG_TIMEOUT_MS;
	if (net_end_open(&e, &o))
		_exit(1);
	e.to = NET_ALL;
	for (;;)
		net_send(&e, 0, 16);
}

static void killed(const char *name, const char *pacers, const char *switched)
{
	struct net_rig *r = make_rig(4, 64);
	u64 end = now_ns() + WAIT_NS;
	bool good = true;
	pid_t pid;
	u32 i, k;

	r->pacers = pacers;
	r->switched = switched;
	if (open_rig(r, name)) {
		introduce(r, 0);
		net_end_close(&r->at[D]);
		ok(await_link(r, D, false) && !macs(r, "d"), name, "had gone, and is forgotten");
		for (i = 0; i < 5 && good; i++) {
			pid = start_flooder(r, D);
			while (!macs(r, "d") && now_ns() < end)
				drain(r);
			good = pid > 0 && macs(r, "d") == 1;
			r->a.to = 2;
			for (k = 0; k < 50; k++) {
				net_send(&r->a, 0, 8);
				drain(r);
			}
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
			good = good && await_link(r, D, false) && !macs(r, "d");
		}
		ok(good, name, "floods, is killed, is forgotten, five times");
		while (net_reclaim(&r->a, 0) && now_ns() < end)
			drain(r);
		ok(settled(r, A) && !r->b.rx[0].bad && !r->a.rx[0].bad, name, "frames are whole");
		r->b.rx[0].lost = 0;
		forget_gap(&r->a, &r->b, 0);
		ok(stream(&r->a, &r->b, 0, 5000) && !r->b.rx[0].lost, name,
		   "the others go on");
	}
	close_rig(r);
}

int main(void)
{
	catch_signals();
	learning();
	streams();
	vlans();
	many_to_one();
	several_pacers();
	queues("four pairs each", NULL);
	queues("four pairs each, three pacers", "s,ports=a+b+c,pacer=0+1+2");
	full();
	killed("a guest that is killed", NULL, NULL);
	killed("one of three pacers' guests that is killed", "x3", "s,ports=a+b+c+d,pacer=0+1+2");
	return tests_done();
}
