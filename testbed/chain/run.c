// SPDX-License-Identifier: GPL-2.0-or-later
/* One run of a chain: set up, loaded, measured, drained. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chain/figures.h"

/* The load begins so long after its threads have been told to start. */
#define BEGIN_NS	5000000u
#define FILL_MS		2u
/* How long after its end the generator may be stuck with a full ring. */
#define STUCK_NS	100000000u
#define DRAIN_NS	(10 * NSEC_PER_SEC)

#define PORT_ARG_BYTES	384

/* ---- Setting up ---- */

static u32 cpus(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) ? 1 : (u32)CPU_COUNT(&set);
}

/* Pacers come first, then the generator, the VMs, the sink. */
int chain_cpu(const struct chain *c, u32 i)
{
	return c->pinned ? nth_cpu(i) : -1;
}

static void name_links(struct chain *c, const char *dir)
{
	u32 i;

	for (i = 0; i < c->hops; i++) {
		struct chain_link *l = &c->link[i];

		snprintf(l->tx_port, sizeof(l->tx_port), "tx%u", i + 1);
		snprintf(l->rx_port, sizeof(l->rx_port), "rx%u", i + 1);
		snprintf(l->tx_socket, sizeof(l->tx_socket), "%s/tx%u.sock", dir, i + 1);
		snprintf(l->rx_socket, sizeof(l->rx_socket), "%s/rx%u.sock", dir, i + 1);
	}
}

/* A port of hop @i. */
static void say_port(const struct chain *c, u32 i, bool tx, char *arg)
{
	const struct chain_strategy *s = chain_strategy_of(c, i);
	const struct chain_link *l = &c->link[i];

	snprintf(arg, PORT_ARG_BYTES,
		 "%s,socket=%s,full-ms=%u,strategy=%s,y-ns=%llu,dmax-ns=%llu,cpu-cap=%u,burst=%u",
		 tx ? l->tx_port : l->rx_port, tx ? l->tx_socket : l->rx_socket, c->p->full_ms,
		 rp_strategy_by_id(s->id)->name, (unsigned long long)s->y_ns,
		 (unsigned long long)s->dmax_ns, s->cpu_cap_percent, s->burst);
}

static void say_pacers(const struct chain *c, char *arg, size_t bytes)
{
	size_t len = 0;
	u32 i;

	if (!c->pinned)
		snprintf(arg, bytes, "x%u", c->hops);
	for (i = 0; c->pinned && i < c->hops; i++)
		len += (size_t)snprintf(arg + len, bytes - len, "%s%d", i ? "," : "",
					chain_cpu(c, i));
}

/* Senders' ports come first: flow k is then pacer k's. */
static int start_daemon(struct chain *c)
{
	char (*port)[PORT_ARG_BYTES] = calloc(2 * c->hops, sizeof(*port));
	char link[CHAIN_HOPS_MAX][36], pacers[CHAIN_HOPS_MAX * 6];
	char *args[6 * CHAIN_HOPS_MAX + 3] = { NULL };
	u32 i, n = 0;
	int rc;

	if (!port)
		abort();
	for (i = 0; i < 2 * c->hops; i++) {
		say_port(c, i % c->hops, i < c->hops, port[i]);
		args[n++] = "--port";
		args[n++] = port[i];
	}
	for (i = 0; i < c->hops; i++) {
		snprintf(link[i], sizeof(link[i]), "%s,%s", c->link[i].tx_port, c->link[i].rx_port);
		args[n++] = "--link";
		args[n++] = link[i];
	}
	say_pacers(c, pacers, sizeof(pacers));
	args[n++] = "--pacers";
	args[n++] = pacers;
	rc = net_daemon_start(&c->daemon, args);
	free(port);
	return rc;
}

int chain_open_end(struct chain *c, struct net_end *e, u32 hop, enum net_dir dir)
{
	struct chain_link *l = &c->link[hop];
	const struct net_end_options o = {
		.socket = dir == NET_TX ? l->tx_socket : l->rx_socket,
		.pairs = 1,
		.slots = c->p->queue_len,
		.frame_bytes = c->p->frame_bytes,
		.rx_bytes = 2048,
		.pieces = 1,
		.no_tx = dir == NET_RX,
		.timeout_ms = NET_DAEMON_TIMEOUT_MS,
	};

	if (net_end_open(e, &o))
		return -1;
	*(dir == NET_TX ? &l->tx_end : &l->rx_end) = e;
	return 0;
}

static void prepare_threads(struct chain *c)
{
	const struct chain_params *p = c->p;
	struct generator *g = &c->generator;
	struct sink *s = &c->sink;

	rp_clock_init(&g->clock, tsc_hz());
	g->schedule.rate_pps = p->rate_pps;
	g->schedule.duration_ns = p->warmup_ns + p->duration_ns;
	g->flows = p->flows;
	g->frame_bytes = p->frame_bytes;
	g->head_at = chain_head_at(p);
	g->spin = p->spin;
	g->worker.out = &c->generator_end;
	g->worker.cpu = chain_cpu(c, c->hops);
	s->head_at = chain_head_at(p);
	s->routers = p->vms;
	s->worker.in = &c->sink_end;
	s->worker.cpu = chain_cpu(c, 2 * c->hops);
	s->worker.measure_tsc = p->lane->stamps ? &s->measure_tsc : NULL;
	arrivals_init(&s->worker.arrivals, p->flows);
}

/* Receivers first: what has no peer would be dropped. */
static int open_chain(struct chain *c)
{
	const char *dir = run_dir();

	if (!dir)
		return -1;
	name_links(c, dir);
	prepare_threads(c);
	if (start_daemon(c) || chain_open_end(c, &c->sink_end, c->hops - 1, NET_RX) ||
	    c->p->lane->start(c) || chain_open_end(c, &c->generator_end, 0, NET_TX))
		return -1;
	c->generator.begin_tsc = rp_tsc() + rp_ns_to_tsc(&c->generator.clock, BEGIN_NS);
	c->generator.measure_tsc = c->generator.begin_tsc +
		rp_ns_to_tsc(&c->generator.clock, c->p->warmup_ns);
	/* Forwarders that run already look at it, when the first packet comes. */
	rp_store(&c->sink.measure_tsc, c->generator.measure_tsc);
	return sink_start(&c->sink) || generator_start(&c->generator) ? -1 : 0;
}

static void close_chain(struct chain *c)
{
	u32 i;

	worker_stop(&c->generator.worker);
	c->p->lane->stop(c);
	worker_stop(&c->sink.worker);
	net_end_close(&c->generator_end);
	net_end_close(&c->sink_end);
	net_daemon_stop(&c->daemon);
	for (i = 0; i < c->hops; i++) {
		unlink(c->link[i].tx_socket);
		unlink(c->link[i].rx_socket);
	}
	arrivals_free(&c->sink.worker.arrivals);
}

/* ---- Measuring ---- */

/* Until @ns after the load's begin; looks at the rings meanwhile, if @fill is not NULL. */
static int pass_time(struct chain *c, u64 ns, struct chain_fill *fill)
{
	const struct generator *g = &c->generator;
	u64 end = g->begin_tsc + rp_ns_to_tsc(&g->clock, ns);

	while (rp_tsc() < end) {
		if (!nap_ms(FILL_MS) || net_daemon_check(&c->daemon))
			return -1;
		if (fill)
			chain_fill_look(c, fill);
	}
	return 0;
}

/* What was due is sent, or not any more. */
static int end_load(struct chain *c)
{
	u64 end = now_ns() + STUCK_NS;

	/* Pairs with the generator's release. */
	while (!rp_load_acquire(&c->generator.done) && now_ns() < end)
		if (!nap_ms(1))
			return -1;
	worker_stop(&c->generator.worker);
	return 0;
}

static u64 moved(const struct chain_look *l, u32 hops)
{
	u64 n = 0;
	u32 i;

	for (i = 0; i <= hops; i++)
		n += l->party[i].counts.received + l->party[i].counts.sent;
	return n;
}

static int look_anew(struct chain *c, struct chain_look *l)
{
	chain_look_free(l);
	memset(l, 0, sizeof(*l));
	return chain_look(c, l);
}

/* Waits until all that was sent has come, or is known to be lost, or does not come. */
static int drain(struct chain *c, struct chain_look *l)
{
	u64 sent = rp_load(&c->generator.worker.counts.sent), last = 0, since = now_ns(), now;
	const struct chain_worker *sink = &c->sink.worker;
	u64 received;

	for (;;) {
		now = now_ns();
		/* Pairs with the sink's release. */
		received = rp_load_acquire(&sink->counts.received);
		if (received - rp_load(&sink->arrivals.duplicates) >= sent)
			return look_anew(c, l);
		if (!nap_ms(1) || net_daemon_check(&c->daemon))
			return -1;
		if (now - since < c->p->lane->calm_ns)
			continue;
		if (look_anew(c, l))
			return -1;
		if (moved(l, c->hops) != last) {
			last = moved(l, c->hops);
			since = now;
		} else if (figures_accounted(c, l) || now - since > DRAIN_NS) {
			return 0;
		}
	}
}

static json_t *measure(struct chain *c, struct chain_looks *l)
{
	const struct chain_params *p = c->p;

	if (pass_time(c, p->warmup_ns, NULL) || chain_look(c, &l->begin) ||
	    pass_time(c, p->warmup_ns + p->duration_ns, &l->fill) || chain_look(c, &l->end) ||
	    end_load(c) || drain(c, &l->last))
		return NULL;
	return figures_json(c, l);
}

json_t *chain_run(const struct chain_params *p, const struct chain_strategy *s)
{
	struct chain *c = calloc(1, sizeof(*c));
	struct chain_looks *l = calloc(1, sizeof(*l));
	json_t *v = NULL;

	if (!c || !l)
		abort();
	c->p = p;
	c->strategy = s;
	c->hops = p->vms + 1;
	c->pinned = cpus() >= 2 * c->hops + 1;
	c->daemon.pid = -1;
	if (!open_chain(c))
		v = measure(c, l);
	close_chain(c);
	chain_look_free(&l->begin);
	chain_look_free(&l->end);
	chain_look_free(&l->last);
	free(l);
	free(c);
	return v;
}
