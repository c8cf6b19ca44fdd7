// SPDX-License-Identifier: GPL-2.0-or-later
/* Several cards as one port. */
#include "port_cards.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Places in what was sent that are known, of each queue; a move asks for one. */
#define MARKS		16u
/* Packets that are sorted by their cards at once. */
#define BATCH		64u

/* At a time when so many packets had been sent, each card had so many. */
struct mark {
	u64 sent, by[DP_CARDS_MAX];
};

struct cards_queue {
	u32 first;			/* the card that is looked at first, next time */
	struct mark now;
	struct mark mark[MARKS];	/* the last ones */
	u32 marks;
	int epfd;			/* all cards' interrupts; -1: there are none */
} __attribute__((aligned(64)));

struct cards_port {
	struct dp_port port;
	struct dp_port_ops ops;
	struct dp_port *card[DP_CARDS_MAX];
	void (*close)(struct dp_port *card);
	struct cards_queue *queue;	/* each its thread's */
	u32 entries;
	u16 *table;			/* where each entry is, the control thread's */
};

static struct cards_port *cards_of(struct dp_port *port)
{
	return (struct cards_port *)((char *)port - offsetof(struct cards_port, port));
}

/* ---- Packets ---- */

static u32 cards_rx(struct dp_port *port, u32 queue, struct dp_pkt **p, u32 max)
{
	struct cards_port *c = cards_of(port);
	struct cards_queue *q = &c->queue[queue];
	u32 n = 0, i, k, got;

	for (i = 0; i < port->cards && n < max; i++) {
		struct dp_port *card;

		k = (q->first + i) % port->cards;
		card = c->card[k];
		got = card->ops->rx(card, queue, p + n, max - n);
		for (; got; got--)
			p[n++]->card = (u8)k;
	}
	/* One that always fills the batch must not keep the others waiting. */
	q->first = (q->first + 1) % port->cards;
	return n;
}

/* Those of @card, in their order: taken from @p to be sent; what is left goes to @rest. */
static u32 send_by(struct cards_port *c, u32 queue, u32 card, struct dp_pkt **p, u32 n,
		   struct dp_pkt **rest, u32 *rests)
{
	struct dp_pkt *out[BATCH];
	struct dp_port *to = c->card[card];
	u32 i, found = 0, sent;

	for (i = 0; i < n; i++)
		if (p[i]->card == card)
			out[found++] = p[i];
	sent = found ? to->ops->tx(to, queue, out, found) : 0;
	for (i = sent; i < found; i++)
		rest[(*rests)++] = out[i];
	c->queue[queue].now.by[card] += sent;
	return sent;
}

/* Of a part that has its place on the stack. One that is full does not hold up the others. */
static u32 send_part(struct cards_port *c, u32 queue, struct dp_pkt **p, u32 n)
{
	struct dp_pkt *rest[BATCH];
	u32 i, sent = 0, rests = 0;

	/* Of none that there is: by the first one. */
	for (i = 0; i < n; i++)
		if (unlikely(p[i]->card >= c->port.cards))
			p[i]->card = 0;
	for (i = 0; i < c->port.cards; i++)
		sent += send_by(c, queue, i, p, n, rest, &rests);
	/* The first ones are gone, whatever stands there; the others are the caller's. */
	memcpy(p + sent, rest, rests * sizeof(*rest));
	c->queue[queue].now.sent += sent;
	return sent;
}

static u32 cards_tx(struct dp_port *port, u32 queue, struct dp_pkt **p, u32 n)
{
	struct cards_port *c = cards_of(port);
	u32 sent = 0, part, took;

	while (sent < n) {
		part = n - sent < BATCH ? n - sent : BATCH;
		took = send_part(c, queue, p + sent, part);
		sent += took;
		if (took < part)
			break;
	}
	return sent;
}

static void cards_release(struct dp_port *port, u32 queue, struct dp_pkt *p)
{
	struct dp_port *card = cards_of(port)->card[0];

	card->ops->release(card, queue, p);
}

static struct dp_pkt *cards_alloc(struct dp_port *port, u32 queue)
{
	struct dp_port *card = cards_of(port)->card[0];

	return card->ops->alloc(card, queue);
}

/* ---- The table ---- */

static int cards_steer(struct dp_port *port, const struct dp_steer *s, u32 n)
{
	struct cards_port *c = cards_of(port);
	struct dp_steer *back = calloc(n, sizeof(*back));
	int rc = back ? 0 : -ENOMEM;
	u32 i, done = 0;

	for (i = 0; back && i < n; i++)
		back[i] = (struct dp_steer){ s[i].group, c->table[s[i].group] };
	while (!rc && done < port->cards) {
		rc = c->card[done]->ops->steer(c->card[done], s, n);
		done += !rc;
	}
	/* All or none: a card that does not take its old entries sends packets to who hands them on. */
	while (rc && done--)
		c->card[done]->ops->steer(c->card[done], back, n);
	for (i = 0; !rc && i < n; i++)
		c->table[s[i].group] = s[i].queue;
	free(back);
	return rc;
}

static u32 cards_hash(struct dp_port *port, u32 src_ip, u32 dst_ip, u16 src_port, u16 dst_port)
{
	struct dp_port *card = cards_of(port)->card[0];

	return card->ops->hash(card, src_ip, dst_ip, src_port, dst_port);
}

static u32 cards_hash_ip(struct dp_port *port, u32 src_ip, u32 dst_ip)
{
	struct dp_port *card = cards_of(port)->card[0];

	return card->ops->hash_ip(card, src_ip, dst_ip);
}

/* ---- What waits, and what has left ---- */

/* The first place that is known from @sent packets on: all before that were sent before it. */
static const struct mark *mark_from(const struct cards_queue *q, u64 sent)
{
	const struct mark *found = &q->now;
	u32 i;

	for (i = 0; i < MARKS && i < q->marks; i++) {
		const struct mark *m = &q->mark[i];

		if (m->sent >= sent && m->sent < found->sent)
			found = m;
	}
	return found;
}

/*
 * Who waits for a place in what was sent asks first when it is there: it is then known how
 * many packets of each card that is. Later places only make the answer come later.
 */
static bool cards_left(struct dp_port *port, u32 queue, u32 since)
{
	struct cards_port *c = cards_of(port);
	struct cards_queue *q = &c->queue[queue];
	const struct mark *m;
	u64 behind;
	u32 i;

	if (!since && (!q->marks || q->mark[(q->marks - 1) % MARKS].sent != q->now.sent))
		q->mark[q->marks++ % MARKS] = q->now;
	m = mark_from(q, q->now.sent - since);
	for (i = 0; i < port->cards; i++) {
		behind = q->now.by[i] - m->by[i];
		if (!c->card[i]->ops->left(c->card[i], queue, behind > ~0u ? ~0u : (u32)behind))
			return false;
	}
	return true;
}

static u32 cards_depth(struct dp_port *port, u32 queue)
{
	struct cards_port *c = cards_of(port);
	u32 i, n = 0;

	for (i = 0; i < port->cards; i++)
		n += c->card[i]->ops->depth(c->card[i], queue);
	return n;
}

/* ---- Interrupts ---- */

static int cards_interrupt_fd(struct dp_port *port, u32 queue)
{
	return cards_of(port)->queue[queue].epfd;
}

static void cards_interrupt(struct dp_port *port, u32 queue, bool on)
{
	struct cards_port *c = cards_of(port);
	u32 i;

	for (i = 0; i < port->cards; i++)
		c->card[i]->ops->interrupt(c->card[i], queue, on);
}

static void cards_interrupt_take(struct dp_port *port, u32 queue)
{
	struct cards_port *c = cards_of(port);
	u32 i;

	for (i = 0; i < port->cards; i++)
		c->card[i]->ops->interrupt_take(c->card[i], queue);
}

/* false: one has none. */
static bool open_interrupts(struct cards_port *c, u32 queue)
{
	struct epoll_event ev = { .events = EPOLLIN };
	u32 i;
	int fd;

	c->queue[queue].epfd = epoll_create1(EPOLL_CLOEXEC);
	for (i = 0; i < c->port.cards; i++) {
		fd = c->card[i]->ops->interrupt_fd(c->card[i], queue);
		if (fd < 0 || epoll_ctl(c->queue[queue].epfd, EPOLL_CTL_ADD, fd, &ev))
			return false;
	}
	return true;
}

/* ---- Life ---- */

static const struct dp_port_ops cards_ops = {
	.name = "cards",
	.rx = cards_rx,
	.tx = cards_tx,
	.release = cards_release,
	.steer = cards_steer,
	.alloc = cards_alloc,
	.hash = cards_hash,
	.hash_ip = cards_hash_ip,
};

/* What all of them can. */
static void add_ops(struct cards_port *c)
{
	bool left = true, depth = true, interrupts = true;
	u32 i;

	for (i = 0; i < c->port.cards; i++) {
		left = left && c->card[i]->ops->left;
		depth = depth && c->card[i]->ops->depth;
		interrupts = interrupts && c->card[i]->ops->interrupt_fd;
	}
	if (left)
		c->ops.left = cards_left;
	if (depth)
		c->ops.depth = cards_depth;
	for (i = 0; interrupts && i < c->port.queues; i++)
		interrupts = open_interrupts(c, i);
	if (!interrupts)
		return;
	c->ops.interrupt_fd = cards_interrupt_fd;
	c->ops.interrupt = cards_interrupt;
	c->ops.interrupt_take = cards_interrupt_take;
}

/* What it is, by those that it is made of. */
static void add_card(struct cards_port *c, struct dp_port *card)
{
	struct dp_port *p = &c->port;
	u32 i = p->cards++;

	c->card[i] = card;
	memcpy(p->mac[i], card->mac[0], sizeof(p->mac[i]));
	p->queues = i && p->queues < card->queues ? p->queues : card->queues;
	p->frame_bytes = i && p->frame_bytes < card->frame_bytes ? p->frame_bytes :
								   card->frame_bytes;
	p->fenced = (!i || p->fenced) && card->fenced;
	p->slots += card->slots;
	p->spare += card->spare;
}

struct dp_port *cards_port_new(struct dp_port *const *card, u32 n, u32 entries,
			       void (*close)(struct dp_port *card))
{
	struct cards_port *c = calloc(1, sizeof(*c));
	u32 i;

	if (!c) {
		for (i = 0; i < n; i++)
			close(card[i]);
		return NULL;
	}
	c->ops = cards_ops;
	c->port.ops = &c->ops;
	c->close = close;
	c->entries = entries;
	for (i = 0; i < n; i++)
		add_card(c, card[i]);
	c->table = calloc(entries, sizeof(*c->table));
	c->queue = aligned_alloc(64, c->port.queues * sizeof(*c->queue));
	if (!c->table || !c->queue) {
		free(c->queue);
		c->queue = NULL;
		cards_port_close(&c->port);
		return NULL;
	}
	memset(c->queue, 0, c->port.queues * sizeof(*c->queue));
	for (i = 0; i < c->port.queues; i++)
		c->queue[i].epfd = -1;
	add_ops(c);
	return &c->port;
}

void cards_port_close(struct dp_port *port)
{
	struct cards_port *c = cards_of(port);
	u32 i;

	for (i = 0; c->queue && i < port->queues; i++)
		if (c->queue[i].epfd >= 0)
			close(c->queue[i].epfd);
	for (i = 0; i < port->cards; i++)
		c->close(c->card[i]);
	free(c->table);
	free(c->queue);
	free(c);
}
