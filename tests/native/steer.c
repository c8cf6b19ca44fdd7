// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest that sends many flows from two pairs of queues, and one with four pairs
 * whose port steers them:
 *
 *	a ══ ringpaced ══ b (rss=16), linked, or both in a switch
 *
 * Flows keep to the pair that their entry names. Entries are moved while frames
 * come, as a guest does it that moves its flows between threads: the order, or the entry in
 * the page of the table, then what is in the old queue, then the new one. Nothing is lost,
 * nothing reordered.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "eth/rss_page.h"
#include "net_bed.h"
#include "sock/sock.h"

#define FLOWS		64u
#define ENTRIES		16u
#define RX_PAIRS	4u
#define TX_PAIRS	2u
#define FRAME_BYTES	100u

struct frame {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
	u64 seq;
	u32 flow;
} __attribute__((packed));

static struct sender {
	struct net_end *from;
	pthread_t thread;
	u64 limit;			/* so many in all, read relaxed */
	u64 sent;			/* read relaxed */
	u32 stop;			/* read relaxed */
	u32 turn[TX_PAIRS];
	u64 seq[FLOWS];
} sender;

static struct rss_page *page;		/* of b's table */

static struct receiver {
	struct net_end *at;
	u64 next[FLOWS];
	u64 packets, bad, gaps;		/* not the next one of its flow */
	u32 pairs_of[FLOWS];		/* a bit for each pair that it came to */
	u64 per_pair[RX_PAIRS];
} rx;

/* ---- Sending ---- */

static void write_frame(u8 *at, u32 flow, u64 seq)
{
	struct frame f = {
		.eth = { .h_dest = { 2, 0, 0, 0, 0, 2 }, .h_source = { 2, 0, 0, 0, 0, 1 },
			 .h_proto = htons(ETH_P_IP) },
		.ip = { .version = 4, .ihl = 5, .tot_len = htons(FRAME_BYTES - ETH_HLEN), .ttl = 64,
			.protocol = IPPROTO_UDP, .saddr = htonl(0x0a000001),
			.daddr = htonl(0x0a000002) },
		.udp = { .source = htons((u16)(40000 + flow)), .dest = htons(9),
			 .len = htons(FRAME_BYTES - ETH_HLEN - sizeof(struct iphdr)) },
		.seq = seq, .flow = flow,
	};

	memset(at, 0, FRAME_BYTES);
	memcpy(at, &f, sizeof(f));
}

/* Up to 16 frames from @pair, of flows that are always its; how many. */
static u32 send_some(struct sender *s, u32 pair)
{
	u64 sent = rp_load(&s->sent), limit = rp_load(&s->limit);
	u32 n = 0;
	u8 *at;

	net_reclaim(s->from, pair);
	while (n < 16 && sent + n < limit && (at = net_tx_next(s->from, pair))) {
		u32 flow = s->turn[pair]++ * 7 % (FLOWS / TX_PAIRS) * TX_PAIRS + pair;

		write_frame(at, flow, s->seq[flow]++);
		net_tx_add(s->from, pair, FRAME_BYTES);
		n++;
	}
	if (n)
		net_tx_publish(s->from, pair);
	rp_add(&s->sent, n);
	return n;
}

static void *send_all(void *arg)
{
	struct sender *s = arg;
	u32 i, n;

	while (!rp_load(&s->stop)) {
		for (n = 0, i = 0; i < TX_PAIRS; i++)
			n += send_some(s, i);
		if (!n)
			nap_ms(1);
	}
	return NULL;
}

/* ---- Receiving ---- */

static void check_frame(const u8 *at, u32 bytes, u32 pair)
{
	struct frame f;

	if (bytes != FRAME_BYTES) {
		rx.bad++;
		return;
	}
	memcpy(&f, at, sizeof(f));
	if (f.eth.h_proto != htons(ETH_P_IP) || f.flow >= FLOWS) {
		rx.bad++;
		return;
	}
	rx.gaps += f.seq != rx.next[f.flow];
	rx.next[f.flow] = f.seq + 1;
	rx.pairs_of[f.flow] |= 1u << pair;
	rx.per_pair[pair]++;
	rx.packets++;
}

static u32 receive(u32 pair, u32 max)
{
	const u8 *at;
	u32 bytes, n = 0;

	while (n < max && (at = net_rx_take(rx.at, pair, &bytes))) {
		check_frame(at, bytes, pair);
		n++;
	}
	if (n)
		net_rx_publish(rx.at, pair);
	return n;
}

static u32 receive_all(void)
{
	u32 i, n = 0;

	for (i = 0; i < RX_PAIRS; i++)
		n += receive(i, 32);
	return n;
}

/* Until @packets have come in all. */
static bool await_all(u64 packets)
{
	u64 end = now_ns() + WAIT_NS;

	while (rx.packets < packets)
		if (!receive_all() && (now_ns() > end || !nap_ms(1)))
			return false;
	return true;
}

/* @n more are sent, and come. */
static bool pass(u64 n)
{
	u64 limit = rp_load(&sender.limit) + n;

	rp_store(&sender.limit, limit);
	return await_all(limit);
}

/* ---- Orders ---- */

static json_t *rss(struct net_rig *r, json_t *args)
{
	json_object_set_new(args, "device", json_string("b"));
	return net_rig_call(r, "rss", args);
}

static u32 pair_of_entry(struct net_rig *r, u32 entry)
{
	json_t *v = rss(r, json_object());
	u32 pair = (u32)json_integer_value(json_array_get(json_object_get(v, "table"), entry));

	json_decref(v);
	return pair;
}

/* Both forms of an order that names one entry. */
static json_t *entry_to(u32 entry, u32 pair, bool as_mask)
{
	char key[16], mask[8];

	snprintf(key, sizeof(key), "%u", as_mask ? pair : entry);
	snprintf(mask, sizeof(mask), "%.*s%x", (int)(entry / 4), "000", 1 << entry % 4);
	if (as_mask)
		return json_pack("{s:{s:s}, s:b}", "entry_mask", key, mask, "brief", 1);
	return json_pack("{s:{s:i}}", "entry", key, (int)pair);
}

/* The descriptor of the page of b's table, by a connection of its own; -1: there is none. */
static int page_fd(struct net_rig *r)
{
	static const char line[] =
		"{\"v\":1,\"id\":1,\"cmd\":\"rss\",\"device\":\"b\",\"brief\":true,\"page\":true}\n";
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd = -1;
	struct pollfd p = { .fd = sock, .events = POLLIN };
	char reply[256];

	strcpy(sa.sun_path, r->daemon.control);
	if (!connect(sock, (struct sockaddr *)&sa, sizeof(sa)) &&
	    write(sock, line, strlen(line)) == (ssize_t)strlen(line) &&
	    poll(&p, 1, NET_RIG_TIMEOUT_MS) == 1)
		sock_receive(sock, reply, sizeof(reply), &fd);
	close(sock);
	return fd;
}

static bool open_page(struct net_rig *r)
{
	int fd = page_fd(r);
	const char *why = fd < 0 ? "none was passed" : rss_page_open(&page, fd, ENTRIES);

	if (fd >= 0)
		close(fd);
	if (why)
		printf("# the page: %s\n", why);
	return !why;
}

static bool by_page(u32 entry, u32 pair)
{
	u64 end = now_ns() + WAIT_NS;
	struct rss_fence f;

	rp_store(&page->pair[entry], (u16)pair);
	rss_fence(page, &f);
	while (!rss_passed(page, &f) && now_ns() < end)
		sched_yield();
	return !f.left && !rss_page_ended(page);
}

static bool by_order(struct net_rig *r, u32 entry, u32 pair, bool as_mask)
{
	json_t *v = rss(r, entry_to(entry, pair, as_mask));

	json_decref(v);
	return v;
}

/* Moves an entry, in one of three ways, and empties the queue that its flows were in. */
static bool move_entry(struct net_rig *r, u32 entry, u32 pair, u32 way)
{
	u32 old = pair_of_entry(r, entry);

	if (!(way ? by_order(r, entry, pair, way == 1) : by_page(entry, pair)))
		return false;
	receive(old, SLOTS);
	return true;
}

static u64 counted(struct net_rig *r)
{
	json_t *v = rss(r, json_object()), *n;
	u64 sum = 0;
	size_t i;

	json_array_foreach(json_object_get(v, "packets"), i, n)
		sum += (u64)json_integer_value(n);
	json_decref(v);
	return sum;
}

static int backlog(struct net_rig *r, u32 pair, const char *key)
{
	json_t *v = net_rig_call(r, "stats", json_pack("{s:s, s:i}", "device", "b", "queue",
						       (int)(2 * pair)));
	json_t *b = json_object_get(json_object_get(v, "stats"), "backlog");
	int n = json_is_object(b) ? (int)json_integer_value(json_object_get(b, key)) : -1;

	json_decref(v);
	return n;
}

/* ---- Scenes ---- */

static bool begin(struct net_rig *r, const char *name)
{
	r->pairs = RX_PAIRS;
	r->pacers = "x2";
	r->more[1] = "rss=16";
	r->end[0].pairs = TX_PAIRS;
	r->end[1].pairs = RX_PAIRS;
	if (!ok(!net_rig_open(r), name, "set up"))
		return false;
	memset(&sender, 0, sizeof(sender));
	memset(&rx, 0, sizeof(rx));
	sender.from = &r->a;
	rx.at = &r->b;
	/* A switch is to know where it is: copies to all wait for nobody. */
	r->b.to = NET_ALL;
	if (!ok(net_send(&r->b, 0, 1) == 1 && reclaimed(&r->b, 0), name, "b says where it is"))
		return false;
	return ok(!pthread_create(&sender.thread, NULL, send_all, &sender), name, "a sender");
}

static void finish(struct net_rig *r)
{
	rp_store(&sender.stop, 1);
	if (sender.thread)
		pthread_join(sender.thread, NULL);
	sender.thread = 0;
	rss_page_close(page);
	page = NULL;
	close_rig(r);
}

static u32 flows_in_one_pair(void)
{
	u32 i, n = 0;

	for (i = 0; i < FLOWS; i++)
		n += rx.pairs_of[i] && !(rx.pairs_of[i] & (rx.pairs_of[i] - 1));
	return n;
}

static bool all_pairs_used(void)
{
	u32 i;

	for (i = 0; i < RX_PAIRS && rx.per_pair[i]; i++)
		;
	return i == RX_PAIRS;
}

static bool in_order(void)
{
	if (!rx.gaps && !rx.bad)
		return true;
	printf("# %llu gaps, %llu bad of %llu\n", (unsigned long long)rx.gaps,
	       (unsigned long long)rx.bad, (unsigned long long)rx.packets);
	return false;
}

static bool keep_moving(struct net_rig *r, u32 moves)
{
	u64 end = now_ns() + WAIT_NS, next = rx.packets;
	u32 i = 0;

	/* More than can come meanwhile: the sender does not pause. */
	rp_store(&sender.limit, UINT64_MAX);
	while (i < moves && now_ns() < end) {
		receive_all();
		if (rx.packets < next)
			continue;
		next = rx.packets + 200;
		if (!move_entry(r, i * 5 % ENTRIES, i * 3 % RX_PAIRS, i % 3))
			return false;
		i++;
	}
	/* It may be about to send 16 more from each pair. */
	rp_store(&sender.limit, 0);
	rp_store(&sender.stop, 1);
	pthread_join(sender.thread, NULL);
	sender.thread = 0;
	return i == moves && await_all(rp_load(&sender.sent));
}

static bool is_table(struct net_rig *r, const char *table)
{
	u32 i;

	for (i = 0; i < ENTRIES && pair_of_entry(r, i) == (u32)(table[i] - '0'); i++)
		;
	return i == ENTRIES;
}

static void masks(struct net_rig *r, const char *name)
{
	/* Entries or pairs that are not there, and what is no mask. */
	static const char *const bad[][2] = {
		{ "0", "00001" }, { "4", "1" }, { "x", "1" }, { "0", "g" }, { "0", "F" },
		{ "", "1" }, { "0", "1 " }, { "-1", "1" },
	};
	static const char table[] = "0003" "0123" "0123" "3123";
	u32 i, refused = 0;
	json_t *v;

	json_decref(rss(r, json_pack("{s:i}", "entries", (int)ENTRIES)));
	v = rss(r, json_pack("{s:{s:s,s:s}, s:b}", "entry_mask", "0", "6", "3", "0081", "brief", 1));
	ok(v && !json_object_size(v), name, "masks, answered briefly");
	json_decref(v);
	ok(is_table(r, table), name, "which set those entries alone");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		v = rss(r, json_pack("{s:{s:s}}", "entry_mask", bad[i][0], bad[i][1]));
		refused += !v;
		json_decref(v);
	}
	v = rss(r, json_pack("{s:{s:i}}", "entry_mask", "0", 1));
	refused += !v;
	json_decref(v);
	v = rss(r, json_pack("{s:{s:s}, s:i}", "entry_mask", "0", "f", "brief", 1));
	refused += !v;
	json_decref(v);
	ok(refused == i + 2 && is_table(r, table), name, "bad ones are refused, and change nothing");
}

/* Of a's pairs; null: it has no such queue. */
static bool pacers_are(struct net_rig *r, const char *expected)
{
	json_t *v = net_rig_call(r, "list", NULL);
	char *got = json_dumps(json_object_get(json_array_get(json_object_get(v, "ports"), 0),
					       "pacers"), JSON_COMPACT);
	bool good = got && !strcmp(got, expected);

	free(got);
	json_decref(v);
	return good;
}

#define ONE_PACER	"[0,0,null,null]"
#define TWO_PACERS	"[0,1,null,null]"

static void steered(struct net_rig *r, const char *name, const char *pacers)
{
	u64 before;

	if (begin(r, name)) {
		ok(pacers_are(r, pacers), name, "the pacers are as they should be");
		ok(pass(8000), name, "all arrive");
		ok(in_order(), name, "whole, once, in order");
		ok(flows_in_one_pair() == FLOWS, name, "each flow in one queue");
		ok(all_pairs_used(), name, "every queue has some");
		ok(counted(r) == rx.packets, name, "every packet is counted by its entry");
		memset(rx.pairs_of, 0, sizeof(rx.pairs_of));
		before = rx.per_pair[0];
		json_decref(rss(r, json_pack("{s:[i,i]}", "table", 1, 3)));
		ok(pass(2000) && in_order(), name, "another table");
		ok(rx.per_pair[0] == before && flows_in_one_pair() == FLOWS, name,
		   "which all flows follow");
		masks(r, name);
		json_decref(rss(r, json_pack("{s:i}", "entries", (int)ENTRIES)));
		ok(open_page(r), name, "its table is shared");
		ok(keep_moving(r, 300), name, "300 entries are moved under load, none is lost");
		ok(in_order(), name, "whole, once, in order");
	}
	finish(r);
}

static void link_scene(void)
{
	steered(make_rig(2, FRAME_BYTES), "a link", TWO_PACERS);
}

static void switch_scene(const char *name, const char *switched, const char *pacers)
{
	struct net_rig *r = make_rig(2, FRAME_BYTES);

	r->switched = switched;
	steered(r, name, pacers);
}

/* Of b in one answer: what waits, and what came by its flow groups. */
static bool backlog_of_all(struct net_rig *r, u32 waiting, u64 packets)
{
	json_t *v = net_rig_call(r, "backlog", json_pack("{s:[s], s:b}", "devices", "b", "groups", 1));
	json_t *b = json_array_get(json_object_get(v, "ports"), 0), *q;
	u64 came = 0, by_group = 0;
	u32 waits = 0;
	size_t i;

	json_array_foreach(json_object_get(b, "rx"), i, q) {
		waits += (u32)json_integer_value(json_array_get(q, 0));
		came += (u64)json_integer_value(json_array_get(q, 1));
	}
	json_array_foreach(json_object_get(b, "group_packets"), i, q)
		by_group += (u64)json_integer_value(q);
	json_decref(v);
	return waits == waiting && came == packets && by_group == packets;
}

/* What b has not taken is seen at its rings. */
static void backlog_scene(void)
{
	const char *name = "backlog";
	struct net_rig *r = make_rig(2, FRAME_BYTES);
	u64 end = now_ns() + WAIT_NS;
	u32 i, sum = 0;

	if (begin(r, name)) {
		/* A guest that waits has told how far it is. */
		for (i = 0; i < RX_PAIRS; i++)
			net_wait(&r->b, i, 1);
		ok(backlog(r, 0, "told") == 0, name, "none at first");
		rp_store(&sender.limit, 40);
		while (counted(r) < 40 && now_ns() < end)
			nap_ms(1);
		for (i = 0; i < RX_PAIRS; i++)
			sum += (u32)backlog(r, i, "told");
		ok(sum == 40, name, "is what the guest has not taken");
		ok(backlog(r, 1, "most") == backlog(r, 1, "told"), name,
		   "also by the buffers that are not there");
		ok(backlog_of_all(r, 40, 40), name, "in one answer, and which groups");
		ok(await_all(40), name, "is taken");
		for (sum = 0, i = 0; i < RX_PAIRS; i++) {
			net_wait(&r->b, i, 1);
			sum += (u32)backlog(r, i, "told") + (u32)backlog(r, i, "most");
		}
		ok(sum == 0, name, "none then");
	}
	finish(r);
}

/* On and off again, and to the other pacer, while frames come: the way changes, no more. */
static void toggled(void)
{
	const char *name = "on and off";
	struct net_rig *r = make_rig(2, FRAME_BYTES);
	bool good = true;
	u32 i;

	if (begin(r, name)) {
		for (i = 0; i < 40 && good; i++) {
			rp_store(&sender.limit, sender.limit + 500);
			json_decref(rss(r, json_pack("{s:b}", "enabled", i & 1)));
			json_decref(net_rig_call(r, "move", json_pack("{s:s, s:i, s:i}", "device",
				"a", "pair", (int)(i / 2 % 2), "pacer", (int)(i % 3 % 2))));
			good = await_all(rp_load(&sender.limit));
		}
		ok(good && rx.packets == 20000 && !rx.bad, name, "none is lost");
	}
	finish(r);
}

int main(void)
{
	catch_signals();
	link_scene();
	switch_scene("a switch", "s,ports=a+b", ONE_PACER);
	switch_scene("a switch on two pacers", "s,ports=a+b,pacer=0+1", TWO_PACERS);
	backlog_scene();
	toggled();
	return tests_done();
}
