// SPDX-License-Identifier: GPL-2.0-or-later
/* rp-dataplane, a ringpaced and a guest of our own. */
#include "dataplane/rig.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <unistd.h>

#define FRAME_BYTES	100u
#define SLOTS		128u
/* On a busy machine a receiver of ours may stop for long. */
#define NEVER_MS	3600000u

struct frame {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
	u32 flow, seq;
} __attribute__((packed));

/* ---- The guest ---- */

static void write_frame(u8 *at, u32 flow, u32 seq)
{
	struct frame f = {
		.eth = { .h_dest = { 2, 0, 0, 0, 0, 2 }, .h_source = { 2, 0, 0, 0, 0, 1 },
			 .h_proto = htons(ETH_P_IP) },
		.ip = { .version = 4, .ihl = 5, .tot_len = htons(FRAME_BYTES - ETH_HLEN), .ttl = 64,
			.protocol = IPPROTO_UDP, .saddr = htonl(0x0a000001),
			.daddr = htonl(0x0a000002) },
		.udp = { .source = htons((u16)(40000 + flow)), .dest = htons(9),
			 .len = htons(FRAME_BYTES - ETH_HLEN - sizeof(struct iphdr)) },
		.flow = flow, .seq = seq,
	};

	memset(at, 0, FRAME_BYTES);
	memcpy(at, &f, sizeof(f));
}

/* A reflector leaves the ports as they are, an echo exchanges them. */
static bool as_it_should_be(const struct dp_rig *r, const struct frame *f)
{
	u16 flow_port = htons((u16)(40000 + f->flow));

	return f->eth.h_dest[5] == 1 && f->eth.h_source[5] == 2 &&
	       f->ip.saddr == htonl(0x0a000002) && f->ip.daddr == htonl(0x0a000001) &&
	       (r->echo ? f->udp.dest : f->udp.source) == flow_port;
}

static void check_frame(struct dp_rig *r, const u8 *at, u32 bytes)
{
	struct frame f;
	u32 *next;

	r->back++;
	memcpy(&f, at, sizeof(f));
	if (bytes != FRAME_BYTES || f.flow >= DP_RIG_FLOWS || !as_it_should_be(r, &f)) {
		r->bad++;
		return;
	}
	r->twice += !r->out[f.flow][f.seq % DP_RIG_SEQS];
	r->out[f.flow][f.seq % DP_RIG_SEQS] = false;
	next = &r->next_back[f.flow];
	r->reordered += f.seq < *next;
	*next = f.seq < *next ? *next : f.seq + 1;
}

/* Some flows are busy, so that several of their datagrams are out at once. */
static u32 choose_flow(const struct dp_rig *r)
{
	return r->sent & 1 ? (u32)(r->sent / 2 % 4) : (u32)(r->sent / 2 * 7 % DP_RIG_FLOWS);
}

static void send_one(struct dp_rig *r)
{
	u8 *at = net_tx_next(&r->guest, 0);
	u32 flow = choose_flow(r);

	if (!at)
		return;
	r->out[flow][r->next_seq[flow] % DP_RIG_SEQS] = true;
	write_frame(at, flow, r->next_seq[flow]++);
	net_tx_add(&r->guest, 0, FRAME_BYTES);
	r->sent++;
}

void dp_rig_play(struct dp_rig *r, u64 goal)
{
	const u8 *at;
	u32 bytes;
	u64 was = r->sent;

	net_reclaim(&r->guest, 0);
	while (r->sent < goal && r->sent - r->back < DP_RIG_OUT && r->sent - was < 16)
		send_one(r);
	net_tx_publish(&r->guest, 0);
	while ((at = net_rx_take(&r->guest, 0, &bytes)))
		check_frame(r, at, bytes);
	net_rx_publish(&r->guest, 0);
}

bool dp_rig_pass(struct dp_rig *r, u64 n)
{
	u64 goal = r->sent + n, end = now_ns() + DP_RIG_WAIT_NS;

	while (r->back < goal) {
		u64 was = r->back;

		dp_rig_play(r, goal);
		if (r->back == was && (now_ns() > end || !nap_ms(1)))
			return false;
	}
	return true;
}

/* ---- Orders ---- */

json_t *dp_rig_order(struct dp_rig *r, const char *cmd, json_t *args)
{
	return ctl_call(&r->ctl, cmd, args, NET_DAEMON_TIMEOUT_MS);
}

u64 dp_rig_moves(struct dp_rig *r, const char *key)
{
	json_t *v = dp_rig_order(r, "status", NULL);
	u64 n = v ? (u64)json_integer_value(json_object_get(json_object_get(v, "moves"), key)) :
		~0ULL;

	json_decref(v);
	return n;
}

bool dp_rig_settle(struct dp_rig *r)
{
	u64 end = now_ns() + DP_RIG_WAIT_NS;

	do {
		if (now_ns() > end || !dp_rig_pass(r, DP_RIG_OUT))
			return false;
	} while (dp_rig_moves(r, "under_way"));
	return true;
}

bool dp_rig_threads(struct dp_rig *r, u32 n)
{
	json_t *v = dp_rig_order(r, "threads", json_pack("{s:i}", "threads", (int)n));
	bool good = v;

	json_decref(v);
	return good && dp_rig_settle(r);
}

bool dp_rig_shift(struct dp_rig *r, u32 by, u32 threads)
{
	u32 to;

	for (to = 0; to < threads; to++) {
		json_t *list = json_array(), *v;
		u32 g;

		for (g = 0; g < DP_RIG_GROUPS; g++)
			if ((g + by) % threads == to)
				json_array_append_new(list, json_integer(g));
		v = dp_rig_order(r, "migrate", json_pack("{s:o, s:i}", "groups", list, "to",
							 (int)to));
		if (!v)
			return false;
		json_decref(v);
		dp_rig_play(r, r->sent + DP_RIG_OUT);
	}
	return dp_rig_settle(r);
}

/* ---- Setting up ---- */

static int start_dataplane(struct dp_rig *r, const struct dp_rig_options *o)
{
	char steer[200], threads[16], *argv[24] = {
		(char *)own_program("rp-dataplane"), "--socket", r->socket[1], "--steer", steer,
		"--control", r->control, "--threads", threads, "--app", (char *)o->app,
		/* A busy machine stops a thread for long. */
		"--stall-ms", "60000",
	};
	u32 n = 13, i;

	if (!argv[0])
		return -1;
	for (i = 0; i < 8 && o->more[i]; i++)
		argv[n++] = (char *)o->more[i];
	snprintf(steer, sizeof(steer), "%s,b", r->daemon.control);
	snprintf(threads, sizeof(threads), "%u", o->threads);
	r->pid = child_start(argv, r->log);
	if (r->pid < 0)
		return -1;
	r->has_ctl = !ctl_open(&r->ctl, r->control, NET_DAEMON_TIMEOUT_MS);
	return r->has_ctl ? 0 : fail("rp-dataplane does not start: %s", log_tail(r->log));
}

/* Ringpaced's --port of each end. */
static void say_ports(struct dp_rig *r, const struct dp_rig_options *o, char port[2][300])
{
	const char *dir = run_dir();
	char dmax[40] = "";
	u32 i;

	if (o->dmax_ns)
		snprintf(dmax, sizeof(dmax), ",dmax-ns=%llu", (unsigned long long)o->dmax_ns);
	for (i = 0; i < 2; i++) {
		snprintf(r->socket[i], sizeof(r->socket[i]), "%s/dp-%c.sock", dir, 'a' + i);
		snprintf(port[i], sizeof(port[i]), "%c,socket=%s,pairs=%u,full-ms=%u%s%s%s%s",
			 'a' + i, r->socket[i], i ? o->threads : 1, NEVER_MS, dmax,
			 i ? ",rss=128" : "",
			 i && o->pacing ? "," : "", i && o->pacing ? o->pacing : "");
	}
	if (o->tap)
		snprintf(port[0], sizeof(port[0]), "a,tap=%s%s", o->tap, dmax);
}

int dp_rig_open(struct dp_rig *r, const struct dp_rig_options *o)
{
	char port[2][300], *args[] = {
		"--pacers", (char *)(o->pacers ? o->pacers : "x1"), "--port", port[0],
		"--port", port[1], "--link", "a,b", NULL
	};
	const char *dir = run_dir();
	struct net_end_options end = {
		.pairs = 1, .slots = SLOTS, .station = 1, .frame_bytes = FRAME_BYTES,
		.rx_bytes = 2048, .pieces = 1, .timeout_ms = NET_DAEMON_TIMEOUT_MS,
	};

	r->pid = r->daemon.pid = -1;
	if (!dir)
		return -1;
	r->echo = !strcmp(o->app, "udp-echo");
	say_ports(r, o, port);
	snprintf(r->control, sizeof(r->control), "%s/dp-control.sock", dir);
	snprintf(r->log, sizeof(r->log), "%s/rp-dataplane.log", dir);
	if (net_daemon_start(&r->daemon, args))
		return -1;
	end.socket = r->socket[0];
	return start_dataplane(r, o) ? : o->tap || o->bare ? 0 : net_end_open(&r->guest, &end);
}

void dp_rig_close(struct dp_rig *r)
{
	u32 i;

	if (r->has_ctl)
		ctl_close(&r->ctl);
	child_stop(r->pid);
	net_end_close(&r->guest);
	net_daemon_stop(&r->daemon);
	for (i = 0; i < 2; i++)
		unlink(r->socket[i]);
	memset(r, 0, sizeof(*r));
	r->pid = r->daemon.pid = -1;
}
