// SPDX-License-Identifier: GPL-2.0-or-later
/* Copies the counters of everything that has some. */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "metrics/labels.h"
#include "metrics/rows.h"
#include "net/net_describe.h"
#include "net/net_egress.h"
#include "net/net_switch.h"
#include "version.h"

static void label(struct row *r, const char *name, const char *value)
{
	labels_add(r->labels, sizeof(r->labels), name, value);
}

static void label_number(struct row *r, const char *name, int value)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", value);
	label(r, name, text);
}

/* The next row of a set that has room for it. */
static void *next_row(struct rows *rows, enum row_kind kind)
{
	struct row_set *s = &rows->set[kind];

	return (char *)s->row + s->count++ * s->bytes;
}

/* ---- Queues ---- */

static void take_pacing(struct row_queue *r, const struct rp_party *p, u64 dmax_ns)
{
	const char *regime;

	if (!p || !p->clock.tsc_hz)
		return;
	r->row.has |= HAS_PARTY | (dmax_ns ? HAS_BOUND : 0);
	r->dmax_ns = dmax_ns;
	rp_party_report(p, &r->report);
	if (r->report.lat_count)
		r->row.has |= HAS_LATENCY;
	rp_party_status_flat(p, &r->pacing);
	regime = r->pacing.known ? r->pacing.regime : "";
	labels_add(r->pacing_info, sizeof(r->pacing_info), "strategy", p->strategy.ops->name);
	labels_add(r->pacing_info, sizeof(r->pacing_info), "regime", regime);
	if (!r->pacing.known)
		return;
	r->row.has |= HAS_STATUS;
	if (r->pacing.mode < RP_WAITS)
		r->mode_is[r->pacing.mode] = 1;
}

static void label_queue(struct row_queue *r, const char *device, u32 queue, const char *dir,
			const char *backend)
{
	r->one = 1;
	label(&r->row, "device", device);
	label_number(&r->row, "queue", (int)queue);
	label(&r->row, "dir", dir);
	label(&r->row, "backend", backend);
}

static void take_pc_queue(struct rows *rows, const struct device *d, const struct queue *q)
{
	struct row_queue *r = next_row(rows, ROW_QUEUE);

	label_queue(r, d->opt.name, q->index, queue_is_rev(q) ? "rev" : "fwd", "pc");
	r->row.has = HAS_THREAD;
	r->broken = rp_load(&q->broken) != NULL;
	r->cpu_ns = queue_cpu_ns(q);
	take_pacing(r, &q->party, q->params.dmax_ns);
}

static void take_port_queue(struct rows *rows, const struct port *p, u32 i)
{
	struct row_queue *r = next_row(rows, ROW_QUEUE);
	const struct port_queue *q = p->queue[i];
	u32 k;

	label_queue(r, p->opt.name, i, port_queue_is_rx(q) ? "rx" : "tx", p->opt.kind->name);
	r->row.has = HAS_PACKETS | (port_queue_drops(p, i) ? HAS_DROPS : 0);
	r->broken = rp_load(&q->broken) != NULL;
	r->packets = rp_load(&q->packets);
	r->bytes = rp_load(&q->bytes);
	r->gso = rp_load(&q->gso);
	for (k = 0; k < DROPS; k++)
		r->dropped[k] = rp_load(&q->dropped[k]);
	take_pacing(r, port_queue_party(p, i), p->opt.pacing.dmax_ns);
}

static bool port_queue_used(const struct port_queue *q)
{
	return q->attached || rp_load(&q->packets) || rp_load(&q->broken);
}

static bool pc_queue_used(const struct queue *q)
{
	return q->attached || q->party.clock.tsc_hz;
}

/* ---- Devices, pacers, switches ---- */

static struct row_device *take_device(struct rows *rows, const char *name, const char *backend,
				      bool up)
{
	struct row_device *r = next_row(rows, ROW_DEVICE);

	label(&r->row, "device", name);
	label(&r->row, "backend", backend);
	r->up = up;
	return r;
}

static void take_port(struct rows *rows, const struct port *p)
{
	struct row_device *r = take_device(rows, p->opt.name, p->opt.kind->name, port_link_up(p));

	if (p->limit.on)
		r->row.has |= HAS_LIMIT;
	r->limit_waits = rp_load(&p->limit.waits);
}

static void take_pacer(struct rows *rows, const struct pacer *w)
{
	struct row_pacer *r = next_row(rows, ROW_PACER);

	label_number(&r->row, "pacer", (int)w->index);
	r->cpu_ns = pacer_cpu_ns(w);
	r->waits = rp_load(&w->waits);
	r->turns = rp_load(&w->turns);
	r->flows = w->flows;
}

static void take_member(struct rows *rows, const struct net_switch *s, u32 i)
{
	const struct fdb_pool *pool = &s->fwd.fdb.pool[i];
	struct row_member *r = next_row(rows, ROW_MEMBER);

	label(&r->row, "switch", s->name);
	label(&r->row, "device", s->port[i]->opt.name);
	r->used = rp_load(&pool->used);
	r->size = pool->size;
	r->learned = rp_load(&pool->learned);
	r->moved = rp_load(&pool->moved);
	r->replaced = rp_load(&pool->replaced);
}

static void take_switch(struct rows *rows, const struct net_switch *s)
{
	struct row_switch *r = next_row(rows, ROW_SWITCH);
	u32 i;

	label(&r->row, "switch", s->name);
	r->flooded = rp_load(&s->fwd.flooded);
	r->flood_copies = rp_load(&s->fwd.flood_copies);
	for (i = 0; i < s->port_count; i++)
		take_member(rows, s, i);
}

static void take_egress(struct rows *rows, const struct port *p, u32 i)
{
	const struct egress_queue *q = &p->egress->egress.queue[i];
	struct row_egress *r = next_row(rows, ROW_EGRESS);

	label(&r->row, "device", p->opt.name);
	label_number(&r->row, "queue", (int)(2 * i));
	r->weight = net_egress_weight(p, i);
	r->packets = rp_load(&q->packets);
	r->bytes = rp_load(&q->bytes);
	r->lost = rp_load(&q->lost);
	r->waiting = egress_waiting_bytes(q);
}

/* ---- All of it ---- */

/* Calls @pc or @port for each queue that is in use. */
static void each_queue(const struct devices *d, struct rows *rows,
		       void (*pc)(struct rows *, const struct device *, const struct queue *),
		       void (*port)(struct rows *, const struct port *, u32))
{
	u32 i, k;

	for (i = 0; i < d->count; i++)
		for (k = 0; k < d->dev[i]->queue_count; k++)
			if (pc_queue_used(&d->dev[i]->queues[k]))
				pc(rows, d->dev[i], &d->dev[i]->queues[k]);
	for (i = 0; d->net && i < d->net->port_count; i++)
		for (k = 0; k < 2 * d->net->port[i]->opt.pairs; k++)
			if (port_queue_used(d->net->port[i]->queue[k]))
				port(rows, d->net->port[i], k);
}

static void count_pc(struct rows *rows, const struct device *d, const struct queue *q)
{
	rows->set[ROW_QUEUE].count++;
}

static void count_port(struct rows *rows, const struct port *p, u32 i)
{
	rows->set[ROW_QUEUE].count++;
}

static bool room_left(const struct rows *rows)
{
	return rows->set[ROW_QUEUE].count < METRICS_QUEUES_MAX;
}

static void take_pc_if_room(struct rows *rows, const struct device *d, const struct queue *q)
{
	if (room_left(rows))
		take_pc_queue(rows, d, q);
}

static void take_port_if_room(struct rows *rows, const struct port *p, u32 i)
{
	if (room_left(rows))
		take_port_queue(rows, p, i);
}

static bool make_room(struct rows *rows, enum row_kind kind, u32 count, size_t bytes)
{
	struct row_set *s = &rows->set[kind];

	s->count = 0;
	s->bytes = bytes;
	s->row = calloc(count ? count : 1, bytes);
	return s->row;
}

static u32 members(const struct net *n)
{
	u32 i, count = 0;

	for (i = 0; i < n->switch_count; i++)
		count += n->sw[i]->port_count;
	return count;
}

static u32 egress_queues(const struct net *n)
{
	u32 i, count = 0;

	for (i = 0; i < n->port_count; i++)
		count += n->port[i]->egress ? n->port[i]->opt.pairs : 0;
	return count;
}

static bool make_all_room(struct rows *rows, const struct devices *d, u32 queues)
{
	static const struct net none;
	const struct net *n = d->net ? d->net : &none;

	return make_room(rows, ROW_DAEMON, 1, sizeof(struct row_daemon)) &&
	       make_room(rows, ROW_DEVICE, d->count + n->port_count, sizeof(struct row_device)) &&
	       make_room(rows, ROW_QUEUE, queues, sizeof(struct row_queue)) &&
	       make_room(rows, ROW_PACER, n->pacer_count, sizeof(struct row_pacer)) &&
	       make_room(rows, ROW_SWITCH, n->switch_count, sizeof(struct row_switch)) &&
	       make_room(rows, ROW_MEMBER, members(n), sizeof(struct row_member)) &&
	       make_room(rows, ROW_EGRESS, egress_queues(n), sizeof(struct row_egress));
}

static void take_daemon(struct rows *rows, u32 queues_omitted)
{
	struct row_daemon *r = next_row(rows, ROW_DAEMON);

	labels_add(r->build, sizeof(r->build), "version", RINGPACED_VERSION);
	r->one = 1;
	r->cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	r->queues_omitted = queues_omitted;
}

static void take_net(struct rows *rows, const struct net *n)
{
	u32 i, k;

	for (i = 0; i < n->port_count; i++) {
		take_port(rows, n->port[i]);
		for (k = 0; n->port[i]->egress && k < n->port[i]->opt.pairs; k++)
			take_egress(rows, n->port[i], k);
	}
	for (i = 0; i < n->pacer_count; i++)
		take_pacer(rows, &n->pacer[i]);
	for (i = 0; i < n->switch_count; i++)
		take_switch(rows, n->sw[i]);
}

bool rows_take(struct rows *r, const struct devices *d)
{
	u32 queues, i;

	memset(r, 0, sizeof(*r));
	each_queue(d, r, count_pc, count_port);
	queues = r->set[ROW_QUEUE].count;
	i = queues < METRICS_QUEUES_MAX ? queues : METRICS_QUEUES_MAX;
	if (!make_all_room(r, d, i))
		return false;
	take_daemon(r, queues - i);
	for (i = 0; i < d->count; i++)
		take_device(r, d->dev[i]->opt.name, "pc", session_connected(&d->dev[i]->session));
	each_queue(d, r, take_pc_if_room, take_port_if_room);
	if (d->net)
		take_net(r, d->net);
	return true;
}

void rows_free(struct rows *r)
{
	u32 i;

	for (i = 0; i < ROW_KINDS; i++)
		free(r->set[i].row);
}
