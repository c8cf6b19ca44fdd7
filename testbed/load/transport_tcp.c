// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The load generator's connections as TCP from a guest of our own at a port of ringpaced,
 * by the dataplane's station (lwIP) in the generator's thread: no kernel, no system call
 * while it spins. The server is asked for by ARP, and who asks for us is answered.
 */
#include <errno.h>
#include <stdlib.h>

#include "load/end_port.h"
#include "load/load.h"
#include "net/net.h"

#define GROUPS		DP_GROUPS_MIN
/* Requests and acknowledgements of a thousand connections, and more. */
#define SLOTS		4096u
#define OPEN_MS		5000u
#define STALL_NS	(3600 * NSEC_PER_SEC)
/* What has come and was not asked for by receive() yet: more waits in the window. */
#define IN_BYTES	8192u
/* So long the station's timers may wait. */
#define TICK_NS		10000000ULL
/* Connections that end say so. */
#define PARTING_NS	20000000ULL

enum state { CLOSED, OPENING, OPEN, GONE };

struct tcp;

struct tcp_conn {
	struct tcp *all;
	struct conn *c;		/* NULL: CLOSED or GONE */
	enum state state;
	bool want_out;
	bool listed;		/* in ->all->ready */
	bool held;		/* something waits in the window */
	bool ended;		/* the peer's side */
	int err;		/* GONE: why */
	/* While send() runs */
	const u8 *out;
	u32 out_bytes, out_taken;
	u32 in_first, in_bytes;
	u8 *in;			/* IN_BYTES */
};

struct tcp {
	struct load_transport t;
	const struct load_target *target;
	struct end_port ep;
	struct net *net;
	struct dp *dp;
	u32 conns;
	struct tcp_conn *conn;
	/* Connections with an event, first come first served. */
	u32 *ready;
	u32 ready_first, ready_count;
};

static struct tcp *of(struct load_transport *t)
{
	return (struct tcp *)t;
}

static struct dp_thread *thread(struct tcp *p)
{
	return &p->dp->threads[0];
}

static const struct sockaddr_in *server(const struct tcp *p)
{
	return (const struct sockaddr_in *)&p->target->addr;
}

static u64 station_now_ns(void *arg)
{
	return now_ns();
}

/* ---- What the station tells ---- */

static void list(struct tcp_conn *tc)
{
	struct tcp *p = tc->all;

	if (tc->listed)
		return;
	tc->listed = true;
	p->ready[(p->ready_first + p->ready_count++) % p->conns] = (u32)(tc - p->conn);
}

static int on_opened(struct conn *c)
{
	struct tcp_conn *tc = conn_state(c);

	tc->state = OPEN;
	list(tc);
	return 0;
}

static u32 on_data(struct conn *c, const u8 *data, u32 bytes)
{
	struct tcp_conn *tc = conn_state(c);
	u32 room;

	if (tc->in_first && tc->in_first + tc->in_bytes + bytes > IN_BYTES) {
		memmove(tc->in, tc->in + tc->in_first, tc->in_bytes);
		tc->in_first = 0;
	}
	room = IN_BYTES - tc->in_first - tc->in_bytes;
	tc->held = bytes > room;
	if (tc->held)
		bytes = room;
	memcpy(tc->in + tc->in_first + tc->in_bytes, data, bytes);
	tc->in_bytes += bytes;
	list(tc);
	return bytes;
}

/* There is room, and send() may be why it is called. */
static void on_sent(struct conn *c)
{
	struct tcp_conn *tc = conn_state(c);

	if (tc->out)
		tc->out_taken = conn_send(c, tc->out, tc->out_bytes);
	else if (tc->want_out)
		list(tc);
}

static void on_ended(struct conn *c)
{
	struct tcp_conn *tc = conn_state(c);

	tc->ended = true;
	list(tc);
}

static void on_closed(struct conn *c)
{
	struct tcp_conn *tc = conn_state(c);

	tc->c = NULL;
	if (tc->state == CLOSED)	/* by us */
		return;
	tc->err = tc->state == OPENING ? ECONNREFUSED : ECONNRESET;
	tc->state = GONE;
	list(tc);
}

static const struct conn_app app = {
	.name = "load", .opened = on_opened, .data = on_data, .sent = on_sent,
	.ended = on_ended, .closed = on_closed,
};

/* ---- What the generator asks for ---- */

static int connect_one(struct load_transport *t, u32 conn)
{
	struct tcp *p = of(t);
	struct tcp_conn *tc = &p->conn[conn];

	*tc = (struct tcp_conn){ .all = p, .in = tc->in, .state = OPENING, .listed = tc->listed };
	tc->c = conn_open(thread(p), &p->dp->groups[conn % GROUPS], server(p)->sin_addr.s_addr,
			  ntohs(server(p)->sin_port), &app, tc);
	if (tc->c)
		return 0;
	tc->state = CLOSED;
	return -EADDRNOTAVAIL;
}

static int connected(struct load_transport *t, u32 conn)
{
	const struct tcp_conn *tc = &of(t)->conn[conn];

	return tc->state == OPENING ? -EAGAIN : tc->state == GONE ? -tc->err : 0;
}

static ssize_t send_some(struct load_transport *t, u32 conn, const u8 *data, size_t n)
{
	struct tcp *p = of(t);
	struct tcp_conn *tc = &p->conn[conn];

	if (tc->state != OPEN)
		return tc->state == GONE ? -tc->err : -ENOTCONN;
	tc->out = data;
	tc->out_bytes = n < UINT16_MAX ? (u32)n : UINT16_MAX;
	tc->out_taken = 0;
	conn_resume(thread(p), tc->c);
	tc->out = NULL;
	return tc->out_taken ? (ssize_t)tc->out_taken : -EAGAIN;
}

static ssize_t receive(struct load_transport *t, u32 conn, u8 *data, size_t n)
{
	struct tcp *p = of(t);
	struct tcp_conn *tc = &p->conn[conn];

	if (!tc->in_bytes)
		return tc->ended ? 0 : tc->state == GONE ? -tc->err : -EAGAIN;
	n = n < tc->in_bytes ? n : tc->in_bytes;
	memcpy(data, tc->in + tc->in_first, n);
	tc->in_bytes -= (u32)n;
	tc->in_first = tc->in_bytes ? tc->in_first + (u32)n : 0;
	if (tc->held && tc->c) {
		tc->held = false;
		conn_resume(thread(p), tc->c);
	}
	return (ssize_t)n;
}

static void close_one(struct load_transport *t, u32 conn)
{
	struct tcp *p = of(t);
	struct tcp_conn *tc = &p->conn[conn];
	bool open = tc->state == OPEN;

	tc->state = CLOSED;
	if (!tc->c)
		return;
	if (open)
		conn_close(tc->c);
	else
		conn_abort(tc->c);
	conn_resume(thread(p), tc->c);
}

static void want_out(struct load_transport *t, u32 conn, bool on)
{
	of(t)->conn[conn].want_out = on;
}

/* ---- Waiting ---- */

static void turn(struct tcp *p)
{
	dp_thread_turn(p->dp, 0);
	end_port_publish(&p->ep);
}

static u32 take_events(struct tcp *p, struct load_event *ev, u32 max)
{
	struct tcp_conn *tc;
	u32 n = 0, conn;

	while (n < max && p->ready_count) {
		conn = p->ready[p->ready_first];
		p->ready_first = (p->ready_first + 1) % p->conns;
		p->ready_count--;
		tc = &p->conn[conn];
		tc->listed = false;
		if (tc->state != CLOSED)
			ev[n++] = (struct load_event){ .conn = conn, .in = true, .out = true };
	}
	return n;
}

static u32 wait_some(struct load_transport *t, struct load_event *ev, u32 max, u64 timeout_ns)
{
	struct tcp *p = of(t);
	u32 n;

	turn(p);
	n = take_events(p, ev, max);
	if (n || p->target->spin)
		return n;
	net_wait_ns(&p->ep.end, 0, timeout_ns < TICK_NS ? timeout_ns : TICK_NS);
	turn(p);
	return take_events(p, ev, max);
}

/* ---- Life ---- */

static void part(struct tcp *p)
{
	u64 end = now_ns() + PARTING_NS;
	u32 i;

	for (i = 0; i < p->conns; i++)
		close_one(&p->t, i);
	while (now_ns() < end)
		turn(p);
}

static void free_all(struct load_transport *t)
{
	struct tcp *p = of(t);
	u32 i;

	if (p->dp) {
		part(p);
		dp_free(p->dp);
	}
	if (p->net)
		net_free(p->net);
	end_port_close(&p->ep);
	for (i = 0; p->conn && i < p->conns; i++)
		free(p->conn[i].in);
	free(p->conn);
	free(p->ready);
	free(p);
}

static const struct load_transport_ops ops = {
	.connect = connect_one, .connected = connected, .send = send_some, .receive = receive,
	.close = close_one, .want_out = want_out, .wait = wait_some, .free = free_all,
};

/* A connection's first segment would not wait for the answer. */
static int find_server(struct tcp *p)
{
	u64 end = now_ns() + OPEN_MS * 1000000ULL;
	u8 mac[6];

	while (!net_neighbour(p->net, thread(p), server(p)->sin_addr.s_addr, mac)) {
		turn(p);
		if (now_ns() > end)
			return fail("%s: nobody answers ARP for it at the port %s; does the server run, "
				    "and is that its address?", p->target->name, p->target->socket);
		if (!nap_ms(1))
			return -1;
	}
	return 0;
}

static int open_station(struct tcp *p)
{
	const struct net_config nc = { .ip = p->target->own_ip.s_addr };	/* all are neighbours */
	struct dp_config dc = {
		.threads = 1, .groups = GROUPS, .batch = DP_BATCH_MAX, .stall_ns = STALL_NS,
		.port = &p->ep.port, .app = &net_app, .now_ns = station_now_ns,
	};
	const char *why = "no memory";

	p->net = net_new(&nc, &p->ep.port, GROUPS);
	dc.app_arg = p->net;
	p->dp = p->net ? dp_new(&dc, &why) : NULL;
	if (!p->dp)
		return fail("no TCP for the load generator: %s", why);
	return find_server(p);
}

static struct load_transport *make(const struct load_target *target, u32 conns)
{
	struct tcp *p = calloc(1, sizeof(*p));
	u32 i;

	if (!p)
		abort();
	p->t.ops = &ops;
	p->target = target;
	p->conns = conns;
	p->conn = calloc(conns, sizeof(*p->conn));
	p->ready = calloc(conns, sizeof(*p->ready));
	if (!p->conn || !p->ready)
		abort();
	for (i = 0; i < conns; i++) {
		p->conn[i].in = malloc(IN_BYTES);
		if (!p->conn[i].in)
			abort();
	}
	if (!end_port_open(&p->ep, target->socket, target->mac[0], SLOTS, OPEN_MS) &&
	    !open_station(p))
		return &p->t;
	free_all(&p->t);
	return NULL;
}

const struct load_transport_kind load_transport_port_tcp = {
	.name = "port", .threads_max = 1, .make = make,
};
