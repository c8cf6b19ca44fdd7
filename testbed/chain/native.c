// SPDX-License-Identifier: GPL-2.0-or-later
/* The native lane of a chain: forwarding threads with our own ends in place of VMs. */
#include <stdlib.h>

#include "chain/chain.h"
#include "chain/frame.h"
#include "pacing/party.h"

struct forwarder {
	struct chain_worker worker;
	struct net_end in, out;
	u32 flows, frame_bytes, burst;
	u64 w_tsc;
};

/* One packet, its work included; false: it goes no further. */
static bool pass(struct forwarder *f, const u8 *frame, u32 bytes, u8 *to)
{
	struct chain_head h;

	rp_emulate(rp_tsc(), f->w_tsc);
	if (bytes > f->frame_bytes || !chain_frame_read(frame, bytes, f->flows, &h)) {
		rp_add(&f->worker.counts.bad, 1);
		return false;
	}
	arrivals_note(&f->worker.arrivals, h.flow, h.seq);
	memcpy(to, frame, bytes);
	net_tx_add(&f->out, 0, bytes);
	return true;
}

/* Up to a burst of packets; false: none could be passed, and what @missing is why. */
static bool forward(struct forwarder *f, enum net_dir *missing)
{
	u32 n = 0, sent = 0, bytes;
	const u8 *frame;
	u8 *to;

	while (n < f->burst) {
		to = net_tx_next(&f->out, 0);
		*missing = to ? NET_RX : NET_TX;
		frame = to ? net_rx_take(&f->in, 0, &bytes) : NULL;
		if (!frame)
			break;
		n++;
		sent += pass(f, frame, bytes, to);
	}
	if (!n)
		return false;
	/* Counted before published: when the sink has a packet, all before it have counted it. */
	rp_add(&f->worker.counts.received, n);
	rp_add(&f->worker.counts.sent, sent);
	if (sent)
		net_tx_publish(&f->out, 0);
	net_rx_publish(&f->in, 0);
	return true;
}

static void run(struct chain_worker *w)
{
	struct forwarder *f = w->ctx;
	enum net_dir missing = NET_RX;

	while (!worker_stopping(w))
		if (!forward(f, &missing))
			worker_wait(w, missing);
}

static int start_one(struct chain *c, struct forwarder *f, u32 vm)
{
	const struct chain_params *p = c->p;
	struct rp_clock clock;

	rp_clock_init(&clock, tsc_hz());
	f->flows = p->flows;
	f->frame_bytes = p->frame_bytes;
	f->burst = p->nf_burst;
	f->w_tsc = rp_ns_to_tsc(&clock, chain_work_ns(p, vm));
	snprintf(f->worker.name, sizeof(f->worker.name), "vm%u", vm);
	f->worker.run = run;
	f->worker.ctx = f;
	f->worker.in = &f->in;
	f->worker.out = &f->out;
	f->worker.cpu = chain_cpu(c, c->hops + 1 + vm);
	arrivals_init(&f->worker.arrivals, p->flows);
	if (chain_open_end(c, &f->in, vm - 1, NET_RX) || chain_open_end(c, &f->out, vm, NET_TX))
		return -1;
	return worker_start(&f->worker);
}

static int start(struct chain *c)
{
	struct forwarder *f = calloc(c->p->vms, sizeof(*f));
	u32 vm;

	if (!f)
		return fail("chain: no memory for %u forwarders", c->p->vms);
	c->vms = f;
	for (vm = 1; vm <= c->p->vms; vm++)
		if (start_one(c, &f[vm - 1], vm))
			return -1;
	return 0;
}

static void stop(struct chain *c)
{
	struct forwarder *f = c->vms;
	u32 i;

	for (i = 0; f && i < c->p->vms; i++)
		worker_stop(&f[i].worker);
	for (i = 0; f && i < c->p->vms; i++) {
		net_end_close(&f[i].in);
		net_end_close(&f[i].out);
		arrivals_free(&f[i].worker.arrivals);
	}
	free(f);
	c->vms = NULL;
}

static void look(const struct chain *c, u32 vm, struct worker_look *l)
{
	const struct forwarder *f = &((struct forwarder *)c->vms)[vm - 1];

	worker_look(&f->worker, l);
}

static bool available(const char **why)
{
	return true;
}

const struct chain_lane_ops chain_native = {
	.name = "native",
	.available = available,
	.start = start,
	.stop = stop,
	.look = look,
};
