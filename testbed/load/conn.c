// SPDX-License-Identifier: GPL-2.0-or-later
/* The load generator's connections: opening, sending, replies, failing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "load/gen.h"

/* Before a connection that failed is tried again. */
#define RETRY_NS	100000000u
/* The pace may be caught up with by so much. */
#define CATCH_UP_NS	10000000u
/* Of one connection, before others have their turn. */
#define READS_MAX	16u

static u32 number_of(const struct load_gen *g, const struct load_conn *c)
{
	return (u32)(c - g->conn);
}

static void push(struct load_queue *q, u32 conn)
{
	q->conn[(q->first + q->n++) % q->size] = conn;
}

static u32 pop(struct load_queue *q)
{
	u32 conn = q->conn[q->first];

	q->first = (q->first + 1) % q->size;
	q->n--;
	return conn;
}

/* ---- Room ---- */

static bool has_room(const struct load_gen *g, const struct load_conn *c)
{
	return c->state == CONN_OPEN && c->pending < g->config.pipeline && !c->rest;
}

static void offer_room(struct load_gen *g, struct load_conn *c)
{
	if (c->ready || !has_room(g, c))
		return;
	c->ready = true;
	push(&g->ready, number_of(g, c));
}

struct load_conn *load_conn_with_room(struct load_gen *g)
{
	struct load_conn *c;

	while (g->ready.n) {
		c = &g->conn[pop(&g->ready)];
		c->ready = false;
		if (has_room(g, c))
			return c;
	}
	return NULL;
}

/* ---- Life ---- */

static enum load_outcome outcome_of(int err)
{
	switch (err) {
	case ECONNREFUSED:
		return LOAD_REFUSED;
	case ECONNRESET:
	case EPIPE:
		return LOAD_RESET;
	case ETIMEDOUT:
		return LOAD_TIMEOUT;
	default:
		return LOAD_FAULT;
	}
}

static void fail_errno(struct load_gen *g, struct load_conn *c, int err, u64 now_ns)
{
	load_conn_fail(g, c, outcome_of(err), err, now_ns);
}

static void now_open(struct load_gen *g, struct load_conn *c)
{
	c->state = CONN_OPEN;
	g->open++;
	g->stats.connects++;
	g->transport->ops->want_out(g->transport, number_of(g, c), false);
	offer_room(g, c);
}

static void open_one(struct load_gen *g, struct load_conn *c, u64 now_ns)
{
	int rc;

	c->state = CONN_OPENING;
	c->since_ns = now_ns;
	rc = g->transport->ops->connect(g->transport, number_of(g, c));
	if (rc)
		fail_errno(g, c, -rc, now_ns);
}

static bool before_load(const struct load_gen *g)
{
	return g->phase < LOAD_READY;
}

u64 load_conn_open_some(struct load_gen *g, u64 now_ns)
{
	struct load_conn *c;
	u64 when;

	while (g->closed.n) {
		c = &g->conn[g->closed.conn[g->closed.first]];
		when = c->since_ns > g->next_connect_ns ? c->since_ns : g->next_connect_ns;
		if (when > now_ns)
			return when;
		pop(&g->closed);
		if (now_ns - g->next_connect_ns > CATCH_UP_NS)
			g->next_connect_ns = now_ns;
		g->next_connect_ns += g->config.connect_gap_ns;
		open_one(g, c, now_ns);
		if (g->phase == LOAD_FAILED)
			break;
	}
	return LOAD_NEVER;
}

static void tell_failure(struct load_gen *g, const struct load_conn *c, enum load_outcome why,
			 int err)
{
	const char *reason = err ? strerror(err) : load_outcome_names[why];

	if (c->state == CONN_OPENING)
		snprintf(g->error, sizeof(g->error), "cannot connect to %s: %s (connection %u of %u); "
			 "does the server run there, and take so many?", g->config.target, reason,
			 number_of(g, c) + 1, g->config.connections);
	else
		snprintf(g->error, sizeof(g->error), "no good answer from %s before the load: %s; is "
			 "it a server for %s?", g->config.target, reason, g->proto.ops->name);
	rp_store_release(&g->phase, LOAD_FAILED);
}

void load_conn_fail(struct load_gen *g, struct load_conn *c, enum load_outcome why, int err,
		    u64 now_ns)
{
	u32 i, pending = c->pending;

	g->stats.connection_errors[why]++;
	if (err && why == LOAD_FAULT)
		g->stats.last_errno = err;
	if (before_load(g))
		tell_failure(g, c, why, err);
	g->transport->ops->close(g->transport, number_of(g, c));
	g->open -= c->state == CONN_OPEN;
	c->state = CONN_CLOSED;
	c->since_ns = now_ns + RETRY_NS;
	c->pending = 0;
	free(c->rest);
	c->rest = NULL;
	c->parser = (struct load_parser){ 0 };
	for (i = 0; i < pending; i++)
		load_request_ended(g, &c->request[i], why, now_ns);
	push(&g->closed, number_of(g, c));
}

/* ---- Sending ---- */

/* The rest of a request, as far as it goes. */
static void send_rest(struct load_gen *g, struct load_conn *c, u64 now_ns)
{
	ssize_t n = g->transport->ops->send(g->transport, number_of(g, c), c->rest + c->rest_at,
					    c->rest_bytes - c->rest_at);

	if (n < 0 && n != -EAGAIN) {
		fail_errno(g, c, (int)-n, now_ns);
		return;
	}
	c->rest_at += n > 0 ? (u32)n : 0;
	if (c->rest_at < c->rest_bytes)
		return;
	free(c->rest);
	c->rest = NULL;
	g->transport->ops->want_out(g->transport, number_of(g, c), false);
	offer_room(g, c);
}

static void keep_rest(struct load_gen *g, struct load_conn *c, const u8 *data, u32 n)
{
	c->rest = malloc(n);
	if (!c->rest)
		abort();
	memcpy(c->rest, data, n);
	c->rest_at = 0;
	c->rest_bytes = n;
	g->transport->ops->want_out(g->transport, number_of(g, c), true);
}

void load_conn_send(struct load_gen *g, struct load_conn *c, const struct load_request *r)
{
	u32 bytes = g->proto.ops->write(&g->proto, r, g->buffer), taken;
	ssize_t n = g->transport->ops->send(g->transport, number_of(g, c), g->buffer, bytes);

	c->request[c->pending++] = *r;
	g->out++;
	if (n < 0 && n != -EAGAIN) {
		fail_errno(g, c, (int)-n, r->sent_ns);
		return;
	}
	taken = n > 0 ? (u32)n : 0;
	if (taken < bytes)
		keep_rest(g, c, g->buffer + taken, bytes - taken);
	offer_room(g, c);
}

/* ---- Replies ---- */

static void remove_request(struct load_gen *g, struct load_conn *c, u32 i,
			   enum load_outcome outcome, u64 now_ns)
{
	const struct load_request r = c->request[i];

	c->pending--;
	memmove(&c->request[i], &c->request[i + 1], (c->pending - i) * sizeof(r));
	load_request_ended(g, &r, outcome, now_ns);
	offer_room(g, c);
}

/* False: the connection has failed. */
static bool take_stream(struct load_gen *g, struct load_conn *c, const u8 *data, size_t n,
			u64 now_ns)
{
	enum load_outcome outcome;
	size_t at = 0;
	bool last;

	while (at < n) {
		if (!c->pending) {	/* nothing was asked */
			load_conn_fail(g, c, LOAD_GARBAGE, 0, now_ns);
			return false;
		}
		at += g->proto.ops->parse(&g->proto, &c->parser, &c->request[0], data + at, n - at,
					  &outcome);
		if (outcome == LOAD_MORE)
			break;
		if (outcome == LOAD_GARBAGE) {
			load_conn_fail(g, c, LOAD_GARBAGE, 0, now_ns);
			return false;
		}
		last = c->parser.last;
		c->parser = (struct load_parser){ 0 };
		remove_request(g, c, 0, outcome, now_ns);
		if (last) {
			load_conn_fail(g, c, LOAD_CLOSED, 0, now_ns);
			return false;
		}
	}
	return true;
}

/* One that answers nothing, or what was given up, changes nothing. */
static void take_datagram(struct load_gen *g, struct load_conn *c, const u8 *data, size_t n,
			  u64 now_ns)
{
	struct load_parser s = { 0 };
	enum load_outcome outcome;
	u64 id;
	u32 i;

	if (!g->proto.ops->answers(data, n, &id))
		return;
	for (i = 0; i < c->pending && c->request[i].id != id; i++)
		;
	if (i == c->pending)
		return;
	g->proto.ops->parse(&g->proto, &s, &c->request[i], data, n, &outcome);
	remove_request(g, c, i, outcome, now_ns);
}

static void receive(struct load_gen *g, struct load_conn *c, u64 now_ns)
{
	const bool datagram = g->proto.ops->datagram;
	ssize_t n;
	u32 i;

	for (i = 0; i < READS_MAX && g->phase != LOAD_FAILED; i++) {
		n = g->transport->ops->receive(g->transport, number_of(g, c), g->buffer,
					       sizeof(g->buffer));
		if (n == -EAGAIN)
			return;
		if (n < 0)
			fail_errno(g, c, (int)-n, now_ns);
		else if (!n && !datagram)
			load_conn_fail(g, c, LOAD_CLOSED, 0, now_ns);
		if (c->state != CONN_OPEN)
			return;
		if (datagram)
			take_datagram(g, c, g->buffer, (size_t)n, now_ns);
		else if (!take_stream(g, c, g->buffer, (size_t)n, now_ns) ||
			 (size_t)n < sizeof(g->buffer))
			return;
	}
}

void load_gen_event(struct load_gen *g, const struct load_event *ev, u64 now_ns)
{
	struct load_conn *c = &g->conn[ev->conn];
	int rc;

	if (c->state == CONN_OPENING && ev->out) {
		rc = g->transport->ops->connected(g->transport, ev->conn);
		if (!rc)
			now_open(g, c);
		else if (rc != -EAGAIN)
			fail_errno(g, c, -rc, now_ns);
	}
	if (c->state == CONN_OPEN && ev->out && c->rest)
		send_rest(g, c, now_ns);
	if (c->state == CONN_OPEN && ev->in)
		receive(g, c, now_ns);
}

/* ---- What takes too long ---- */

/* Other datagrams do not wait for this one; what follows in a stream does. */
static void give_up(struct load_gen *g, struct load_conn *c, u32 i, u64 now_ns)
{
	if (g->proto.ops->datagram)
		remove_request(g, c, i, LOAD_TIMEOUT, now_ns);
	else
		load_conn_fail(g, c, LOAD_TIMEOUT, 0, now_ns);
}

static void scan_one(struct load_gen *g, struct load_conn *c, u64 now_ns)
{
	const u64 timeout_ns = g->config.timeout_ns;
	u32 i;

	if (c->state == CONN_OPENING && now_ns - c->since_ns >= g->config.connect_ns) {
		load_conn_fail(g, c, LOAD_TIMEOUT, ETIMEDOUT, now_ns);
		return;
	}
	for (i = 0; i < c->pending; ) {
		if (now_ns < c->request[i].sent_ns + timeout_ns)
			i++;
		else
			give_up(g, c, i, now_ns);
	}
}

void load_conn_scan(struct load_gen *g, u64 now_ns)
{
	u32 i;

	for (i = 0; i < g->config.connections && g->phase != LOAD_FAILED; i++)
		scan_one(g, &g->conn[i], now_ns);
}

void load_conn_give_up_all(struct load_gen *g, u64 now_ns)
{
	struct load_conn *c;

	for (c = g->conn; c < g->conn + g->config.connections; c++)
		while (c->pending)
			give_up(g, c, 0, now_ns);
}
