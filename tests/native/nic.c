// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guests of our own at a NIC in software, in a network namespace that is the caller's to
 * make: two tenants share its line by weights, and nothing is lost or reordered.
 *
 *	guest a ──┐
 *	          switch ── NIC: a queue each, DRR, a rate ── tap rptap0 ── a packet socket
 *	guest b ──┘
 *
 * "nic ADDRESS": with another wire, which makes that tap. "nic loop ADDRESS": with one that
 * gives back what it gets.
 */
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net_bed.h"
#include "wire.h"

#define TAP		"rptap0"
/* The station that is at the other end. */
#define OTHER		9u
#define FRAME_BYTES	1514u
#define LINK_BPS	24000000u
/* What shares are measured over: a batch more or less is no matter. */
#define ENOUGH_BYTES	3000000.0

static const char *address = TAP;

/* What came out at the wire, by station. */
struct wire {
	int fd;
	u64 frames[3], next_seq[3], reordered;
	u64 missed;			/* the socket had no room */
};

/* From the other station to all: it is known by that. */
static bool speak(const struct wire *w)
{
	u8 frame[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 0, 0, 0, OTHER, 0x88, 0xb5 };

	return send(w->fd, frame, sizeof(frame), 0) == sizeof(frame);
}

static void count_frame(struct wire *w, const u8 *frame)
{
	u32 from = frame[11];
	u64 seq;

	memcpy(&seq, frame + 14, sizeof(seq));
	if (from > 2)
		return;
	w->frames[from]++;
	w->reordered += seq < w->next_seq[from];
	w->next_seq[from] = seq + 1;
}

static void drain(struct wire *w)
{
	struct tpacket_stats lost = { 0 };
	socklen_t len = sizeof(lost);
	struct sockaddr_ll from;
	u8 frame[2048];
	socklen_t n = sizeof(from);

	while (recvfrom(w->fd, frame, sizeof(frame), 0, (struct sockaddr *)&from, &n) > 0) {
		if (from.sll_pkttype != PACKET_OUTGOING)
			count_frame(w, frame);
		n = sizeof(from);
	}
	if (!getsockopt(w->fd, SOL_PACKET, PACKET_STATISTICS, &lost, &len))
		w->missed += lost.tp_drops;
}

struct line {
	double bytes[2], packets[2], lost, waiting[2];
};

static struct line look(struct net_rig *r, const char *nic)
{
	json_t *v = net_rig_call(r, "weight", json_pack("{s:s}", "device", nic));
	const json_t *queues = json_object_get(v, "queues");
	struct line l = { 0 };
	u32 i;

	for (i = 0; i < 2; i++) {
		const json_t *q = json_array_get(queues, i);

		l.bytes[i] = json_number_at(q, "bytes");
		l.packets[i] = json_number_at(q, "packets");
		l.waiting[i] = json_number_at(q, "waiting_bytes");
		l.lost += json_number_at(q, "lost");
	}
	json_decref(v);
	return l;
}

static bool set_weight(struct net_rig *r, u32 queue, u32 weight)
{
	char number[12];
	json_t *v;

	snprintf(number, sizeof(number), "%u", queue);
	v = net_rig_call(r, "weight", json_pack("{s:s, s:{s:i}}", "device", "c", "weight", number,
						(int)weight));
	json_decref(v);
	return v;
}

/* Both send whatever there is room for; the first one does nothing else. */
static void offer(struct net_rig *r, struct wire *w)
{
	net_send(&r->a, 0, SLOTS);
	net_send(&r->b, 0, SLOTS);
	drain(w);
}

/*
 * The first one's share of what went out while both had something to send, as far as we
 * saw; whenever one has not, for want of a CPU, it begins anew.
 */
static double share(struct net_rig *r, struct wire *w)
{
	u64 end = now_ns() + WAIT_NS;
	struct line from = { 0 }, to;
	bool begun = false, both;
	double a, b;

	for (; now_ns() < end; offer(r, w)) {
		/* Before more is offered: what is there has been there all the time. */
		to = look(r, "c");
		both = to.waiting[0] >= 65536 && to.waiting[1] >= 65536;
		if (!begun || !both) {
			begun = both;
			from = to;
			continue;
		}
		a = to.bytes[0] - from.bytes[0];
		b = to.bytes[1] - from.bytes[1];
		if (a + b > ENOUGH_BYTES)
			return a / (a + b);
	}
	return 0;
}

/* Measured again where the machine kept a pacer from its work, which no counter tells. */
static bool has_share(struct net_rig *r, struct wire *w, double asked)
{
	double got;
	u32 i;

	for (i = 0; i < 5; i++) {
		got = share(r, w);
		printf("# share %.4f, asked %.4f\n", got, asked);
		if (got > 0.98 * asked && got < 1.02 * asked)
			return true;
	}
	return false;
}

/* All that was sent has gone out, once and in order. */
static bool all_out(struct net_rig *r, struct wire *w)
{
	u64 end = now_ns() + WAIT_NS, sent = r->a.tx[0].sent + r->b.tx[0].sent;
	struct line l;

	do {
		drain(w);
		l = look(r, "c");
	} while (l.packets[0] + l.packets[1] < (double)sent && now_ns() < end && nap_ms(1));
	drain(w);
	printf("# %llu sent, %llu at the wire, %llu had no room there\n", (unsigned long long)sent,
	       (unsigned long long)(w->frames[1] + w->frames[2]), (unsigned long long)w->missed);
	return l.packets[0] == (double)r->a.tx[0].sent && l.packets[1] == (double)r->b.tx[0].sent &&
	       !l.lost && w->frames[1] + w->frames[2] + w->missed == sent && !w->reordered;
}

/* A sender whose queue is full keeps its frames: they are seen at its ring. */
static bool held_up(struct net_rig *r, struct wire *w)
{
	u64 end = now_ns() + WAIT_NS;

	while (net_rig_number(r, "a", 1, "backlog.waiting") < SLOTS / 2) {
		if (now_ns() > end)
			return false;
		offer(r, w);
	}
	return true;
}

static bool nothing_waits(struct net_rig *r)
{
	return net_rig_number(r, "a", 1, "backlog.waiting") == 0 &&
	       net_rig_number(r, "b", 1, "backlog.waiting") == 0 &&
	       net_rig_number(r, "c", 0, "backlog.most") == 0;
}

static bool known(struct net_rig *r, const char *port)
{
	u64 end = now_ns() + WAIT_NS;
	bool is = false;
	json_t *v;

	while (!is && now_ns() < end && nap_ms(1)) {
		v = net_rig_call(r, "macs", json_pack("{s:s}", "switch", "s"));
		is = json_array_size(json_object_get(v, "macs")) == 1 && !strcmp(port,
			json_string_value(json_object_get(json_array_get(
				json_object_get(v, "macs"), 0), "port")));
		json_decref(v);
	}
	return is;
}

static bool set_up(struct net_rig *r, struct wire *w)
{
	const int bytes = 32 << 20;

	if (net_rig_open(r))
		return false;
	w->fd = wire_open(TAP);
	if (w->fd < 0)
		return false;
	/* As far as the kernel lets us. */
	if (setsockopt(w->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		setsockopt(w->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	return true;
}

static void close_all(struct net_rig *r, struct wire *w)
{
	u64 end = now_ns() + WAIT_NS;

	if (w->fd >= 0)
		close(w->fd);
	close_rig(r);
	while (if_nametoindex(TAP) && now_ns() < end && nap_ms(1))
		;
}

static void tenants(void)
{
	const char *name = "two tenants";
	struct net_rig *r = make_rig(3, FRAME_BYTES);
	struct wire w = { .fd = -1 };
	u64 begun = now_ns();

	r->pairs = 2;
	r->pacers = "x2";
	r->switched = "s,ports=a+b+c";
	r->tap[2] = address;
	r->nic[2] = true;
	r->more[2] = "classes=source,weights=3+1,link-bps=24000000,pacer=1";
	if (ok(set_up(r, &w), name, "set up")) {
		r->a.to = r->b.to = OTHER;
		ok(speak(&w) && known(r, "c"), name, "what comes in by the wire is forwarded");
		ok(has_share(r, &w, 0.75), name, "share the line three to one");
		ok(held_up(r, &w), name, "are held up, which their rings tell");
		ok(set_weight(r, 1, 3) && has_share(r, &w, 0.5), name, "then one to one");
		ok(set_weight(r, 0, 1) && has_share(r, &w, 0.25), name, "then one to three");
		ok(all_out(r, &w), name, "and lose nothing by it, in order");
		ok(nothing_waits(r), name, "until nothing waits");
		/* No faster than the line, and what it saves up at the most. */
		ok((double)(r->a.tx[0].sent + r->b.tx[0].sent) * FRAME_BYTES * 8 <
		   (double)(now_ns() - begun) / 1e9 * LINK_BPS + 8 * 131072, name,
		   "no faster than the line is");
	}
	close_all(r, &w);
}

/* On a link each of the guest's queues is one of the NIC's. */
static void linked(void)
{
	const char *name = "a guest with two queues";
	struct net_rig *r = make_rig(2, 600);
	struct wire w = { .fd = -1 };
	u64 end = now_ns() + WAIT_NS;
	struct line l = { 0 };

	r->pairs = 2;
	r->end[0].pairs = 2;
	r->tap[1] = address;
	r->nic[1] = true;
	if (ok(set_up(r, &w), name, "set up")) {
		while (r->a.tx[0].sent + r->a.tx[1].sent < 2000 && now_ns() < end) {
			net_send(&r->a, 0, 1000 - (u32)r->a.tx[0].sent);
			net_send(&r->a, 1, 1000 - (u32)r->a.tx[1].sent);
			drain(&w);
		}
		while (l.packets[0] + l.packets[1] < 2000 && now_ns() < end && nap_ms(1))
			l = look(r, "b");
		ok(l.packets[0] == 1000 && l.packets[1] == 1000 && !l.lost, name, "one each");
		ok(speak(&w) && await(&r->a, 0, 1), name, "hears what comes by the wire");
	}
	close_all(r, &w);
}

static void looped(void)
{
	const char *name = "a wire that is a loop";
	struct net_rig *r = make_rig(2, FRAME_BYTES);

	r->pacers = "x2";
	r->tap[1] = address;
	r->nic[1] = true;
	r->more[1] = "pacer=1";
	if (ok(!net_rig_open(r), name, "set up")) {
		r->a.to = 1;
		ok(stream(&r->a, &r->a, 0, 20000) && clean(&r->a, 0), name,
		   "all comes back, whole and in order");
		ok(reclaimed(&r->a, 0), name, "and the sender has its buffers again");
		ok(net_rig_number(r, "b", 0, "packets") == 20000 &&
		   net_rig_number(r, "b", 1, "packets") == 20000, name, "it is counted both ways");
	}
	close_rig(r);
}

int main(int argc, char **argv)
{
	catch_signals();
	if (argc > 1)
		address = argv[argc - 1];
	if (argc > 2) {
		looped();
	} else {
		tenants();
		linked();
	}
	return tests_done();
}
