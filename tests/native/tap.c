// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest of our own and a tap, in a network namespace that is the caller's to
 * make: what the guest sends comes out of the tap, is sent back to its sender, and
 * arrives at the guest whole, once and in order.
 *
 *	guest a ── ringpaced ── tap rptap0 ── a packet socket, which echoes
 */
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "net_bed.h"
#include "wire.h"

#define TAP		"rptap0"
#define FRAME_MAX	2048u
/* The station that the echo is. */
#define OTHER		9u

struct echo {
	int fd;
	u64 frames;
};

static bool open_echo(struct echo *e)
{
	e->frames = 0;
	e->fd = wire_open(TAP);
	return e->fd >= 0;
}

static void swap_addresses(u8 *frame)
{
	u8 to[6];

	memcpy(to, frame, sizeof(to));
	memcpy(frame, frame + sizeof(to), sizeof(to));
	memcpy(frame + sizeof(to), to, sizeof(to));
}

/* Sends back what is there; how many frames. */
static u32 echo(struct echo *e)
{
	struct pollfd out = { .fd = e->fd, .events = POLLOUT };
	u8 frame[FRAME_MAX];
	struct sockaddr_ll from;
	socklen_t len;
	ssize_t n;
	u32 count = 0;

	for (;;) {
		len = sizeof(from);
		n = recvfrom(e->fd, frame, sizeof(frame), 0, (struct sockaddr *)&from, &len);
		if (n < 0)
			return count;
		/* Our own come by, too. */
		if (from.sll_pkttype == PACKET_OUTGOING)
			continue;
		swap_addresses(frame);
		while (send(e->fd, frame, (size_t)n, 0) < 0)
			if (poll(&out, 1, 1000) != 1)
				return count;
		e->frames++;
		count++;
	}
}

/* @n frames of the guest there and back, some at a time: no queue of the kernel's is full. */
static bool round_trips(struct net_rig *r, struct echo *e, u32 pair, u64 n)
{
	u64 end = now_ns() + WAIT_NS, goal = r->a.rx[pair].packets + n, sent = 0;

	while (r->a.rx[pair].packets < goal && now_ns() < end) {
		if (sent < n && r->a.rx[pair].packets + n + 16 > goal + sent)
			sent += net_send(&r->a, pair, n - sent < 8 ? (u32)(n - sent) : 8);
		if (!echo(e) && !net_receive(&r->a, pair, SLOTS))
			net_wait(&r->a, pair, 1);
	}
	return r->a.rx[pair].packets == goal;
}

/* The last frame comes a moment before its turn is counted. */
static bool counted(struct net_rig *r, u32 queue, u64 n)
{
	u64 end = now_ns() + WAIT_NS;

	while (net_rig_number(r, "b", queue, "packets") < (double)n)
		if (now_ns() > end || !nap_ms(1))
			return false;
	return true;
}

static void there_and_back(struct net_rig *r, const char *name)
{
	struct echo e = { .fd = -1 };
	u64 end = now_ns() + WAIT_NS;
	bool good;

	r->tap[1] = TAP;
	if (ok(!net_rig_open(r) && open_echo(&e), name, "set up")) {
		r->a.to = OTHER;
		ok(round_trips(r, &e, 0, 5000), name, "all come back");
		ok(e.frames == 5000 && clean(&r->a, 0), name, "whole, once, in order");
		ok(counted(r, 0, 5000) && counted(r, 1, 5000) &&
		   net_rig_number(r, "b", 0, "packets") == 5000, name, "they are counted");
		/* A guest that has gone, and comes again. */
		net_end_close(&r->a);
		ok(await_link(r, 0, false), name, "the guest goes");
		r->end[0].socket = r->socket[0];
		r->end[0].timeout_ms = NET_RIG_TIMEOUT_MS;
		good = !net_end_open(&r->a, &r->end[0]);
		r->a.to = OTHER;
		ok(good && round_trips(r, &e, 0, 500), name,
		   "and comes back");
	}
	if (e.fd >= 0)
		close(e.fd);
	net_rig_close(r);
	while (if_nametoindex(TAP) && now_ns() < end && nap_ms(1))
		;
	ok(!if_nametoindex(TAP), name, "the tap that was made has gone");
}

static void frames(u32 bytes, u32 pieces, const char *pacing, const char *switched,
		   const char *name)
{
	struct net_rig *r = make_rig(2, bytes);

	r->end[0].pieces = pieces;
	r->pacing = pacing;
	r->switched = switched;
	there_and_back(r, name);
	close_rig(r);
}

#define BIT(n)		(1ULL << (n))
#define GUEST_TSO	(BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO6) | \
			 BIT(VIRTIO_NET_F_GUEST_ECN))

/* What the kernel leaves to the tap's other side: ETHTOOL_GTSO, ETHTOOL_GTXCSUM. */
static bool leaves(const struct echo *e, u32 what)
{
	struct ethtool_value v = { .cmd = what };
	struct ifreq ifr = { .ifr_name = TAP, .ifr_data = (char *)&v };

	return !ioctl(e->fd, SIOCETHTOOL, &ifr) && v.data;
}

/* A guest that does not have the features in @without comes instead of the present one. */
static bool change_guest(struct net_rig *r, u64 without)
{
	struct net_end_options o = r->end[0];

	net_end_close(&r->a);
	o.socket = r->socket[0];
	o.timeout_ms = NET_RIG_TIMEOUT_MS;
	o.without = without;
	return await_link(r, 0, false) && !net_end_open(&r->a, &o) && await_link(r, 0, true);
}

/* The kernel does for a guest what that cannot. */
static void offloads(void)
{
	const char *name = "offloads";
	struct net_rig *r = make_rig(2, 100);
	struct echo e = { .fd = -1 };

	r->tap[1] = TAP;
	if (ok(!net_rig_open(r) && open_echo(&e), name, "set up")) {
		ok(round_trips(r, &e, 0, 1) && leaves(&e, ETHTOOL_GTXCSUM) &&
		   leaves(&e, ETHTOOL_GTSO), name, "a guest that takes all");
		ok(change_guest(r, GUEST_TSO) && round_trips(r, &e, 0, 1) &&
		   leaves(&e, ETHTOOL_GTXCSUM) && !leaves(&e, ETHTOOL_GTSO), name,
		   "one without TSO");
		ok(change_guest(r, GUEST_TSO | BIT(VIRTIO_NET_F_GUEST_CSUM)) &&
		   round_trips(r, &e, 0, 1) && !leaves(&e, ETHTOOL_GTXCSUM), name,
		   "one without checksums");
		ok(change_guest(r, 0) && round_trips(r, &e, 0, 1) && leaves(&e, ETHTOOL_GTSO), name,
		   "and the first again");
	}
	if (e.fd >= 0)
		close(e.fd);
	close_rig(r);
}

/* An interface that is deleted costs its own port only. */
static void deleted(void)
{
	const char *name = "a tap that is deleted";
	char *argv[] = { "ip", "link", "delete", TAP, NULL };
	struct net_rig *r = make_rig(3, 100);
	struct echo e = { .fd = -1 };
	u64 end = now_ns() + WAIT_NS;
	pid_t pid;

	r->tap[1] = TAP;
	r->switched = "s,ports=a+b+c";
	if (ok(!net_rig_open(r) && open_echo(&e), name, "set up")) {
		r->a.to = NET_ALL;
		r->at[2].to = 1;
		net_send(&r->a, 0, 1);
		ok(await(&r->at[2], 0, 1), name, "frames go by it");
		pid = child_start(argv, r->daemon.log);
		while (child_alive(pid) && now_ns() < end && nap_ms(1))
			;
		child_stop(pid);
		ok(!if_nametoindex(TAP) && await_link(r, 1, false), name, "is noticed");
		ok(stream(&r->at[2], &r->a, 0, 500), name, "is no matter to others");
	}
	if (e.fd >= 0)
		close(e.fd);
	close_rig(r);
}

int main(void)
{
	catch_signals();
	frames(60, 1, NULL, NULL, "a link, 60 bytes");
	frames(1514, 4, "strategy=sleep,y-ns=50000", NULL, "a link, 1514 bytes in pieces, sleep");
	frames(300, 1, "strategy=notify,burst=1", NULL, "a link, notify");
	frames(600, 2, NULL, "s,ports=a+b", "a switch");
	offloads();
	deleted();
	return tests_done();
}
