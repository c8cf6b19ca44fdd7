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
	bool ended, told_end, closes, aborts, waits;
	struct dp_timer retry;		/* there was no memory, and nothing on its way */
};

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
	return c->closes || c->aborts || tcp_sndqueuelen(c->pcb) >= TCP_SND_QUEUELEN - 4 ?
		0 : tcp_sndbuf(c->pcb);
}

u32 conn_send(struct conn *c, const u8 *data, u32 bytes)
{
	u32 room = conn_room(c), n = bytes < room ? bytes : room;

	if (n && tcp_write(c->pcb, data, (u16)n, TCP_WRITE_FLAG_COPY) != ERR_OK)
		n = 0;
	c->waits = n < bytes;
	return n;
}

void conn_close(struct conn *c)
{
	c->closes = true;
}

void conn_abort(struct conn *c)
{
	c->aborts = true;
}

/* ---- Its end ---- */

/* lwIP has forgotten it, or does now. */
static void gone(struct conn *c)
{
	dp_timer_stop(&c->ng->g->wheel, &c->retry);
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

/* After each call of the application: does what it has asked for. */
static err_t finish(struct conn *c)
{
	struct tcp_pcb *pcb = c->pcb;

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
	if (c->waits && !tcp_sndqueuelen(pcb) && !dp_timer_runs(&c->retry))
		dp_timer_start(&c->ng->g->wheel, &c->retry, 1);
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

static void show(struct conn *c)
{
	drop_empty(c);
	while (c->in && !c->closes && !c->aborts && show_one(c))
		drop_empty(c);
	if (!c->in && c->ended && !c->told_end && !c->closes && !c->aborts) {
		c->told_end = true;
		c->app->ended(c);
	}
}

/* There may be room, or memory, again. */
static void go_on(struct conn *c)
{
	c->waits = false;
	show(c);
	if (c->app->sent && !c->closes && !c->aborts)
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

	go_on(c);
	return finish(c);
}

static void on_gone(void *arg, err_t err)
{
	gone(arg);
}

void conn_resume(struct dp_thread *t, struct conn *c)
{
	struct tcp_pcb *pcb = c->pcb;
	bool stays;

	net_enter(t, c->ng);
	go_on(c);
	stays = !c->closes && !c->aborts;
	finish(c);
	if (stays)
		tcp_output(pcb);
}

static void on_retry(struct dp_timer *tm, void *t)
{
	conn_resume(t, (struct conn *)((char *)tm - offsetof(struct conn, retry)));
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
	c->retry.fire = on_retry;
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
