// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench packets: what forwarding between two virtual machines' network cards
 * can do. Two guests of our own, which one thread plays, at two vhost-user
 * ports; between them one thread of ringpaced, or of DPDK's testpmd (io forward,
 * vhost ports), on a CPU of its own, polling. Rounds of both alternate, so that
 * what the machine does meanwhile meets both.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "native/net_rig.h"

#define PEER		"dpdk-testpmd"
#define SLOTS		256u
#define RX_BYTES	2048u
#define WARMUP_NS	(NSEC_PER_SEC * 3 / 10)
#define START_NS	(30 * NSEC_PER_SEC)
#define ROUNDS_MAX	99

struct load {
	const char *key;	/* of the result */
	const char *part;	/* of that, or NULL */
	u32 frame_bytes, burst;
};

static const struct load loads[] = {
	{ "fwd64_vs_testpmd", "b1", 64, 1 },
	{ "fwd64_vs_testpmd", "b8", 64, 8 },
	{ "fwd64_vs_testpmd", "b32", 64, 32 },
	{ "fwd1500_vs_testpmd", NULL, 1500, 32 },
	{ "gso64k_vs_testpmd", NULL, 65000, 32 },
};

#define LOADS	(sizeof(loads) / sizeof(loads[0]))

static struct net_end_options end_options(const struct load *l)
{
	return (struct net_end_options){
		.pairs = 1, .slots = SLOTS, .frame_bytes = l->frame_bytes,
		.rx_bytes = RX_BYTES, .pieces = 1, .timeout_ms = NET_RIG_TIMEOUT_MS,
	};
}

/* Frames for @ns; those that arrived. */
static u64 run_for(struct net_end *a, struct net_end *b, u32 burst, u64 ns)
{
	u64 end = now_ns() + ns, before = b->rx[0].packets;

	while (now_ns() < end && !stopped()) {
		u32 i;

		/* The clock is read seldom: it is no part of what is measured. */
		for (i = 0; i < 64; i++) {
			net_send(a, 0, burst);
			net_receive(b, 0, burst);
		}
	}
	return b->rx[0].packets - before;
}

struct job {
	struct net_end *a, *b;
	const struct load *load;
	double seconds;
	u64 packets, ns;
	bool pinned;
};

static void *play_guests(void *arg)
{
	struct job *j = arg;
	u64 begin;

	j->pinned = !pin_to_cpu(nth_cpu(0));
	run_for(j->a, j->b, j->load->burst, WARMUP_NS);
	begin = now_ns();
	j->packets = run_for(j->a, j->b, j->load->burst, (u64)(j->seconds * 1e9));
	j->ns = now_ns() - begin;
	return NULL;
}

/* Packets a second from @a to @b; UNKNOWN after fail(). */
static double rate(struct net_end *a, struct net_end *b, const struct load *l, double seconds)
{
	struct job j = { .a = a, .b = b, .load = l, .seconds = seconds };
	pthread_t thread;
	u64 n;

	/* A thread of its own: what this one starts must not inherit its CPU. */
	if (pthread_create(&thread, NULL, play_guests, &j)) {
		fail("bench packets: no thread can be started");
		return UNKNOWN;
	}
	pthread_join(thread, NULL);
	n = j.packets;
	if (stopped() || !j.pinned)
		return UNKNOWN;
	if (!n || b->rx[0].bad || b->rx[0].reordered) {
		fail("bench packets: %u bytes: %llu frames arrived, %llu of them bad, %llu "
		     "reordered: the figure is worth nothing", l->frame_bytes,
		     (unsigned long long)n, (unsigned long long)b->rx[0].bad,
		     (unsigned long long)b->rx[0].reordered);
		return UNKNOWN;
	}
	return (double)n * 1e9 / (double)j.ns;
}

/* ---- Ours ---- */

static double our_round(const struct load *l, double seconds)
{
	struct net_rig *r = calloc(1, sizeof(*r));
	char pacing[48], cpu[16];
	double v = UNKNOWN;

	if (!r)
		abort();
	snprintf(pacing, sizeof(pacing), "strategy=busy,burst=%u", l->burst);
	snprintf(cpu, sizeof(cpu), "%d", nth_cpu(1));
	r->pairs = 1;
	r->full_ms = 100;
	r->pacing = pacing;
	r->pacers = cpu;
	r->end[0] = r->end[1] = end_options(l);
	if (!net_rig_open(r))
		v = rate(&r->a, &r->b, l, seconds);
	net_rig_close(r);
	free(r);
	return v;
}

/* ---- testpmd ---- */

struct peer {
	pid_t pid;
	char socket[2][160], log[160];
	struct net_end end[2];
};

static int start_peer(struct peer *p, const struct load *l)
{
	char cpus[32], vdev[2][256], burst[32], prefix[64];
	char *argv[] = {
		(char *)PEER, "-l", cpus, "--no-huge", "-m", "1024", "--no-pci",
		"--no-telemetry", "--log-level=4", "--file-prefix", prefix,
		"--vdev", vdev[0], "--vdev", vdev[1], "--", "--forward-mode=io",
		"--auto-start", "--nb-cores=1", burst, "--total-num-mbufs=65536",
		"--stats-period=86400", NULL
	};
	u64 end = now_ns() + START_NS;
	u32 i;

	/* Its first core only waits; the second one forwards. */
	snprintf(cpus, sizeof(cpus), "%d,%d", nth_cpu(0), nth_cpu(1));
	snprintf(burst, sizeof(burst), "--burst=%u", l->burst);
	snprintf(prefix, sizeof(prefix), "ringpace-%d", getpid());
	for (i = 0; i < 2; i++)
		snprintf(vdev[i], sizeof(vdev[i]), "net_vhost%u,iface=%s,queues=1,tso=1", i,
			 p->socket[i]);
	p->pid = child_start(argv, p->log);
	while (p->pid > 0 && (access(p->socket[0], F_OK) || access(p->socket[1], F_OK))) {
		if (!child_alive(p->pid) || now_ns() > end)
			return fail("bench packets: %s does not start: %s", PEER,
				    log_tail(p->log));
		if (!nap_ms(10))
			return -1;
	}
	return p->pid > 0 ? 0 : -1;
}

/* Frames that come before its ports are up are dropped: waits for the first one. */
static int await_link(struct peer *p)
{
	u64 end = now_ns() + START_NS;

	while (!p->end[1].rx[0].packets) {
		if (!child_alive(p->pid) || now_ns() > end)
			return fail("bench packets: nothing comes through %s: %s", PEER,
				    log_tail(p->log));
		net_send(&p->end[0], 0, 1);
		if (!nap_ms(1))
			return -1;
		net_receive(&p->end[1], 0, SLOTS);
	}
	return 0;
}

static double peer_round(const struct load *l, double seconds)
{
	struct net_end_options o = end_options(l);
	struct peer *p = calloc(1, sizeof(*p));
	double v = UNKNOWN;
	u32 i;

	if (!p)
		abort();
	for (i = 0; i < 2; i++)
		snprintf(p->socket[i], sizeof(p->socket[i]), "%s/pmd%u.sock", run_dir(), i);
	snprintf(p->log, sizeof(p->log), "%s/testpmd.log", run_dir());
	if (!start_peer(p, l)) {
		for (i = 0; i < 2; i++) {
			o.socket = p->socket[i];
			if (net_end_open(&p->end[i], &o))
				break;
		}
		if (i == 2 && !await_link(p))
			v = rate(&p->end[0], &p->end[1], l, seconds);
	}
	for (i = 0; i < 2; i++)
		net_end_close(&p->end[i]);
	child_stop(p->pid);
	for (i = 0; i < 2; i++)
		unlink(p->socket[i]);
	free(p);
	return v;
}

static bool has_peer(void)
{
	return !system("command -v " PEER " >/dev/null 2>&1");
}

/* ---- Both ---- */

static void progress(const struct load *l, u32 round, u32 rounds, const char *who)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[Kbench packets: %u bytes, burst %u, round %u/%u, %s",
			l->frame_bytes, l->burst, round + 1, rounds, who);
}

/* NULL after fail(): {"pps","testpmd_pps","ratio"}, medians. */
static json_t *measure(const struct load *l, const struct bench_options *o, bool peer)
{
	double ours[ROUNDS_MAX], theirs[ROUNDS_MAX], a, b = UNKNOWN;
	u32 i;

	for (i = 0; i < o->rounds; i++) {
		progress(l, i, o->rounds, "ringpaced");
		ours[i] = our_round(l, o->seconds);
		if (peer && is_known(ours[i])) {
			progress(l, i, o->rounds, PEER);
			theirs[i] = peer_round(l, o->seconds);
		}
		if (!is_known(ours[i]) || (peer && !is_known(theirs[i])))
			return NULL;
	}
	a = median(ours, o->rounds);
	b = peer ? median(theirs, o->rounds) : UNKNOWN;
	return json_pack("{s:o, s:o, s:o}", "pps", json_number_or_null(a, 0),
			 "testpmd_pps", json_number_or_null(b, 0),
			 "ratio", json_number_or_null(a / b, 3));
}

static void store(json_t *result, json_t *figures, const struct load *l, json_t *v)
{
	json_t *ratio = json_incref(json_object_get(v, "ratio")), *parts;
	char name[32];

	snprintf(name, sizeof(name), "%u/b%u", l->frame_bytes, l->burst);
	json_object_set_new(figures, name, v);
	if (!l->part) {
		json_object_set_new(result, l->key, ratio);
		return;
	}
	parts = json_object_get(result, l->key);
	if (!parts) {
		parts = json_object();
		json_object_set_new(result, l->key, parts);
	}
	json_object_set_new(parts, l->part, ratio);
}

static json_t *run(const struct bench_options *o)
{
	json_t *result = json_object(), *figures = json_object(), *v;
	bool peer = has_peer();
	size_t i;

	if (!run_dir())
		return NULL;
	for (i = 0; i < LOADS; i++) {
		v = measure(&loads[i], o, peer);
		if (!v)
			break;
		store(result, figures, &loads[i], v);
	}
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
	json_object_set_new(result, "figures", figures);
	if (i == LOADS)
		return result;
	json_decref(result);
	return NULL;
}

static void print(const json_t *result)
{
	const json_t *figures = json_object_get(result, "figures");
	struct table *t = table_new(4);
	char name[32];
	size_t i;

	table_cell(t, "bytes/burst");
	table_cell(t, "ringpaced Mpps");
	table_cell(t, "testpmd Mpps");
	table_cell(t, "ratio");
	for (i = 0; i < LOADS; i++) {
		const json_t *v;

		snprintf(name, sizeof(name), "%u/b%u", loads[i].frame_bytes, loads[i].burst);
		v = json_object_get(figures, name);
		table_cell(t, "%s", name);
		table_number(t, json_number_at(v, "pps") / 1e6, 3);
		table_number(t, json_number_at(v, "testpmd_pps") / 1e6, 3);
		table_number(t, json_number_at(v, "ratio"), 2);
	}
	table_print(t, stdout);
	table_free(t);
	if (!has_peer())
		printf(PEER " was not measured: apt install dpdk-dev\n");
	printf("%s\n", json_string_value(json_object_get(result, "machine")));
}

const struct bench bench_packets = {
	.name = "packets",
	.summary = "forwarding between two network cards, beside testpmd",
	.run = run,
	.print = print,
};
