// SPDX-License-Identifier: GPL-2.0-or-later
/* Rings for who captures a port's packets. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture.h"
#include "capture/ring.h"
#include "net/net_control.h"
#include "sock/sealed.h"

/* Memory of all rings of a capture, about; of one at least, at most. */
#define TOTAL_BYTES	(16u << 20)
#define RING_BYTES_MIN	(256u << 10)
#define RING_BYTES_MAX	(4u << 20)
#define ALL_QUEUES	(~0ULL)

static u32 captures;

struct capture {
	struct net *net;
	char port[SESSION_NAME_MAX + 1];
	u32 first, count;		/* queues */
	u32 data_bytes;			/* of each one's ring */
	struct sealed mem;
	struct capture_writer *writer;	/* count */
};

static size_t stride(const struct capture *c)
{
	return CAPTURE_HEADER_BYTES + (size_t)c->data_bytes;
}

static u32 ring_bytes(u32 rings)
{
	u32 bytes = RING_BYTES_MAX;

	while (bytes > RING_BYTES_MIN && (u64)bytes * rings > TOTAL_BYTES)
		bytes /= 2;
	return bytes;
}

static void release(struct capture *c)
{
	sealed_unmake(&c->mem);
	free(c->writer);
	free(c);
}

/* NULL with *@err, -errno. */
static struct capture *make(struct port *p, u32 first, u32 count, u32 snaplen, int *err)
{
	struct capture *c = calloc(1, sizeof(*c));
	u32 i;

	*err = -ENOMEM;
	if (!c)
		return NULL;
	c->net = p->net;
	strcpy(c->port, p->opt.name);
	c->first = first;
	c->count = count;
	c->data_bytes = ring_bytes(count);
	c->writer = calloc(count, sizeof(*c->writer));
	/* Whoever has it must not take it away from under the pacers. */
	if (c->writer)
		*err = sealed_make(&c->mem, "ringpace-capture", stride(c) * count, false);
	if (*err) {
		release(c);
		return NULL;
	}
	for (i = 0; i < count; i++)
		capture_writer_init(&c->writer[i], (u8 *)c->mem.mem + i * stride(c), c->data_bytes,
				    snaplen);
	return c;
}

static json_t *describe(const struct capture *c, const struct port *p, u32 snaplen)
{
	json_t *rings = json_array(), *reasons = json_array();
	u32 i;

	for (i = 0; i < c->count; i++)
		json_array_append_new(rings, json_pack("{s:i, s:s, s:I}", "queue",
			(int)(c->first + i), "dir",
			port_queue_is_rx(p->queue[c->first + i]) ? "rx" : "tx",
			"at_bytes", (json_int_t)(i * stride(c))));
	for (i = 0; i < DROPS; i++)
		json_array_append_new(reasons, i ? json_string(drop_names[i]) : json_null());
	return json_pack("{s:s, s:s, s:i, s:I, s:o, s:o}", "device", p->opt.name, "backend",
			 p->opt.kind->name, "snaplen_bytes", (int)snaplen, "ring_bytes",
			 (json_int_t)stride(c), "rings", rings, "reasons", reasons);
}

/* Nobody captures one of these queues yet? */
static bool is_free(const struct port *p, u32 first, u32 count, struct ctl_error *e)
{
	u32 i;

	for (i = first; i < first + count; i++) {
		if (!rp_load(&p->queue[i]->capture))
			continue;
		ctl_fail(e, "busy", "queue %u is being captured by another client", i);
		return false;
	}
	if (captures < CAPTURES_MAX)
		return true;
	ctl_fail(e, "busy", "there are %u captures, which is the most", captures);
	return false;
}

json_t *capture_begin(struct net *n, const json_t *args, struct lines_peer *peer,
		      struct ctl_error *e)
{
	struct port *p = net_control_port(n, args);
	u64 queue = ALL_QUEUES, snaplen = PACKET_MAX_BYTES;
	u32 first, count, i;
	struct capture *c;
	int err;

	if (!p)
		ctl_fail(e, "no-device", "device: there is no such port");
	else if (!peer || peer->of)
		ctl_fail(e, "busy", "a connection has one capture");
	if (!p || !peer || peer->of ||
	    !args_u64(args, "queue", 0, 2 * p->opt.pairs - 1, &queue, e) ||
	    !args_u64(args, "snaplen_bytes", 1, PACKET_MAX_BYTES, &snaplen, e))
		return NULL;
	first = queue == ALL_QUEUES ? 0 : (u32)queue;
	count = queue == ALL_QUEUES ? 2 * p->opt.pairs : 1;
	if (!is_free(p, first, count, e))
		return NULL;
	c = make(p, first, count, (u32)snaplen, &err);
	if (!c) {
		ctl_fail(e, "failed", "no memory to capture into: %s", strerror(-err));
		return NULL;
	}
	peer->of = c;
	peer->fd = c->mem.fd;
	captures++;
	/* Pairs with the acquire in capture_hook(). */
	for (i = 0; i < count; i++)
		rp_store_release(&p->queue[first + i]->capture, &c->writer[i]);
	return describe(c, p, (u32)snaplen);
}

void capture_end(struct lines_peer *peer)
{
	struct capture *c = peer->of;
	struct port *p;
	u32 i;

	if (!c)
		return;
	p = net_find(c->net, c->port);
	/* A port of that name may be another one by now. */
	for (i = 0; p && i < c->count && c->first + i < 2 * p->opt.pairs; i++)
		if (rp_load(&p->queue[c->first + i]->capture) == &c->writer[i])
			rp_store(&p->queue[c->first + i]->capture, NULL);
	for (i = 0; i < c->net->pacer_count; i++)
		pacer_pass(&c->net->pacer[i]);
	release(c);
	captures--;
}
