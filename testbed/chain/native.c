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
	u64 w_tsc, kick_tsc;
};

/* One packet, its work included; false: it goes no further. */
static bool pass(struct forwarder *f, const u8 *frame, u32 bytes, u8 *to)
{
	struct chain_head h;
	u64 now = rp_tsc();

	rp_emulate(now, f->w_tsc);
	if (bytes > f->frame_bytes ||
	    !chain_frame_read(frame, CHAIN_AT_BARE, bytes, f->flows, 0, &h)) {
		rp_add(&f->worker.counts.bad, 1);
		return false;
	}
	worker_note(&f->worker, &h, now);
	memcpy(to, frame, bytes);
	chain_frame_stamp(to, CHAIN_AT_BARE, rp_tsc());
	net_tx_add(&f->out, 0, bytes);
	return true;
}

/* A kick is an exit of a real VM, which takes its time; ours is a write to an eventfd. */
static void publish(struct forwarder *f)
{
	u64 kicks = f->out.tx->kicks;

	net_tx_publish(&f->out, 0);
	if (f->out.tx->kicks != kicks)
		rp_emulate(rp_tsc(), f->kick_tsc);
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
		publish(f);
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
	f->kick_tsc = rp_ns_to_tsc(&clock, p->nf_kick_ns);
	snprintf(f->worker.name, sizeof(f->worker.name), "vm%u", vm);
	f->worker.run = run;
	f->worker.ctx = f;
	f->worker.in = &f->in;
	f->worker.out = &f->out;
	f->worker.cpu = chain_cpu(c, c->hops + 1 + vm);
	f->worker.measure_tsc = &c->sink.measure_tsc;
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

static int look(struct chain *c, u32 vm, struct worker_look *l)
{
	const struct forwarder *f = &((struct forwarder *)c->vms)[vm - 1];

	worker_look(&f->worker, l);
	return 0;
}

static bool available(const char **why)
{
	return true;
}

static const char *check(const struct chain_params *p)
{
	return NULL;
}

const struct chain_lane_ops chain_native = {
	.name = "native",
	.nf = { "thread" },
	.calm_ns = NSEC_PER_SEC * 3 / 10,
	.stamps = true,
	.available = available,
	.check = check,
	.start = start,
	.stop = stop,
	.look = look,
};
