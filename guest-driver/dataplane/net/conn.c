// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Connections: between lwIP's functions and the application's. What the application
 * asks for is noted, and done when its function has returned, so that nothing goes
 * away under lwIP's hands or its own.
 */
#include "conn.h"

#include "conn_internal.h"
#include "mem.h"

struct conn {
	struct tcp_pcb *pcb;
	struct net_group *ng;
	const struct conn_app *app;
	void *state;
	struct pbuf *in;		/* has come, and is not taken yet */
	bool ended, told_end, closes, aborts, waits, ends, shut;
	u64 limit;			/* ticks of the wheel, 0: none */
	/* For the limit, or sooner as there was no memory, and nothing on its way. */
	struct dp_timer timer;
};

/* After conn_end(), for the peer to end, too, or to take more. */
#define LINGER_TICKS	1000u

void conn_set_state(struct conn *c, void *state)
{
	c->state = state;
}

void *conn_state(const struct conn *c)
{
	return c->state;
}

u32 conn_room(const struct conn *c)
{
	return c->closes || c->aborts || c->ends ||
	       tcp_sndqueuelen(c->pcb) >= TCP_SND_QUEUELEN - 4 ? 0 : tcp_sndbuf(c->pcb);
}

static u32 send_as(struct conn *c, const u8 *data, u32 bytes, u8 flags)
{
	u32 room = conn_room(c), n = bytes < room ? bytes : room;

	if (n && tcp_write(c->pcb, data, (u16)n, flags) != ERR_OK)
		n = 0;
	c->waits = n < bytes;
	return n;
}

u32 conn_send(struct conn *c, const u8 *data, u32 bytes)
{
	return send_as(c, data, bytes, TCP_WRITE_FLAG_COPY);
}

u32 conn_send_kept(struct conn *c, const u8 *data, u32 bytes)
{
	return send_as(c, data, bytes, 0);
}

void conn_limit(struct conn *c, u32 ms)
{
	c->limit = ms ? c->ng->g->wheel.tick + (u64)ms * 1000000 / DP_TICK_NS + 1 : 0;
}

void conn_close(struct conn *c)
{
	c->closes = true;
}

void conn_end(struct conn *c)
{
	c->ends = true;
}

void conn_abort(struct conn *c)
{
	c->aborts = true;
}

/* ---- Its end ---- */

/* lwIP has forgotten it, or does now. */
static void gone(struct conn *c)
{
	dp_timer_stop(&c->ng->g->wheel, &c->timer);
	if (c->in)
		pbuf_free(c->in);
	c->in = NULL;
	dp_count(&c->ng->counts.closed, 1);
	if (c->app->closed)
		c->app->closed(c);
	dp_mem_free(c);
}

static void detach(struct conn *c)
{
	tcp_arg(c->pcb, NULL);
	tcp_recv(c->pcb, NULL);
	tcp_sent(c->pcb, NULL);
	tcp_err(c->pcb, NULL);
}

/* The peer hears that no more comes; what it still sends has nobody who wants it. */
static void end_sending(struct conn *c)
{
	if (c->in) {
		tcp_recved(c->pcb, c->in->tot_len);
		pbuf_free(c->in);
		c->in = NULL;
	}
	if (c->ended) {
		c->closes = true;
	} else if (!c->shut) {
		c->shut = true;
		c->limit = c->ng->g->wheel.tick + LINGER_TICKS;
		tcp_shutdown(c->pcb, 0, 1);
	}
}

/* The timer fires at @tick, or before. */
static void wake_at(struct conn *c, u64 tick)
{
	struct dp_wheel *w = &c->ng->g->wheel;

	if (!dp_timer_runs(&c->timer) || c->timer.tick > tick)
		dp_timer_start(w, &c->timer, tick > w->tick ? tick - w->tick : 1);
}

/* After each call of the application: does what it has asked for. */
static err_t finish(struct conn *c)
{
	struct tcp_pcb *pcb = c->pcb;

	if (c->ends && !c->aborts)
		end_sending(c);
	if (c->aborts) {
		detach(c);
		gone(c);
		tcp_abort(pcb);
		return ERR_ABRT;
	}
	if (c->closes) {
		detach(c);
		gone(c);
		tcp_close(pcb);
		return ERR_OK;
	}
	if (c->waits && !tcp_sndqueuelen(pcb))
		wake_at(c, 0);
	else if (c->limit)
		wake_at(c, c->limit);
	return ERR_OK;
}

/* ---- Data ---- */

/* false: the application takes no more. */
static bool show_one(struct conn *c)
{
	u16 n = (u16)c->app->data(c, c->in->payload, c->in->len);
	bool all = n == c->in->len;

	if (n) {
		c->in = pbuf_free_header(c->in, n);
		tcp_recved(c->pcb, n);
	}
	return all;
}

/* Headers leave empty pieces behind. */
static void drop_empty(struct conn *c)
{
	while (c->in && !c->in->len) {
		struct pbuf *next = c->in->next;

		c->in->next = NULL;
		pbuf_free(c->in);
		c->in = next;
	}
}

/* It has asked for no end of any kind. */
static bool goes_on(const struct conn *c)
{
	return !c->closes && !c->aborts && !c->ends;
}

static void show(struct conn *c)
{
	drop_empty(c);
	while (c->in && goes_on(c) && show_one(c))
		drop_empty(c);
	if (!c->in && c->ended && !c->told_end && goes_on(c)) {
		c->told_end = true;
		c->app->ended(c);
	}
}

/* There may be room, or memory, again. */
static void go_on(struct conn *c)
{
	c->waits = false;
	show(c);
	if (c->app->sent && goes_on(c))
		c->app->sent(c);
}

static err_t on_data(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	struct conn *c = arg;

	if (!p)
		c->ended = true;
	else if (c->in)
		pbuf_cat(c->in, p);
	else
		c->in = p;
	show(c);
	return finish(c);
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t bytes)
{
	struct conn *c = arg;

	if (c->shut)
		c->limit = c->ng->g->wheel.tick + LINGER_TICKS;
	go_on(c);
	return finish(c);
}

static void on_gone(void *arg, err_t err)
{
	gone(arg);
}

/* Outside of lwIP's functions: what finish() does, and out with what was written. */
static void finish_and_send(struct conn *c)
{
	struct tcp_pcb *pcb = c->pcb;
	bool stays;

	if (c->ends && !c->aborts)
		end_sending(c);
	stays = !c->closes && !c->aborts;
	finish(c);
	if (stays)
		tcp_output(pcb);
}

void conn_resume(struct dp_thread *t, struct conn *c)
{
	net_enter(t, c->ng);
	go_on(c);
	finish_and_send(c);
}

static void on_timer(struct dp_timer *tm, void *t)
{
	struct conn *c = (struct conn *)((char *)tm - offsetof(struct conn, timer));

	net_enter(t, c->ng);
	if (c->limit && c->ng->g->wheel.tick >= c->limit) {
		c->limit = 0;
		if (c->ends)
			c->aborts = true;
		else if (c->app->late)
			c->app->late(c);
	} else if (c->waits) {
		go_on(c);
	}
	finish_and_send(c);
}

/* ---- Its beginning ---- */

struct conn *conn_new(struct net_group *ng, const struct conn_app *app, struct tcp_pcb *pcb,
		      void *arg)
{
	struct conn *c = dp_mem_zeroed(1, sizeof(*c));

	if (!c) {
		dp_count(&ng->counts.no_memory, 1);
		return NULL;
	}
	c->pcb = pcb;
	c->ng = ng;
	c->app = app;
	c->state = arg;
	c->timer.fire = on_timer;
	tcp_arg(pcb, c);
	tcp_recv(pcb, on_data);
	tcp_sent(pcb, on_sent);
	tcp_err(pcb, on_gone);
	tcp_nagle_disable(pcb);
	ip_set_option(pcb, SOF_KEEPALIVE);
	dp_count(&ng->counts.opened, 1);
	return c;
}

err_t conn_opened(struct conn *c)
{
	if (c->app->opened && c->app->opened(c))
		c->aborts = true;
	return finish(c);
}

err_t conn_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct net_group *ng = arg;
	struct conn *c = NULL;

	if (err == ERR_OK && pcb)
		c = conn_new(ng, ng->net->cfg.app, pcb, ng->net->cfg.app_arg);
	return c ? conn_opened(c) : ERR_MEM;
}
