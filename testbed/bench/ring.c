// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench ring: what the ring alone can do. No work per item, 64 bytes, 256
 * slots, bursts of 32, one polling thread on each side, two processes. Our
 * rounds alternate with rounds of rte_vhost and virtio_user, so that what the
 * machine does meanwhile meets both.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "lane.h"

#define ITEM_BYTES	64
#define SLOTS		256
#define BURST		32
#define WARMUP_S	0.3
#define PEER		"peer_rte_vhost"

/* ---- Ours ---- */

static double our_round(const struct bench_options *o)
{
	struct run_params p;
	struct run_result r;

	run_params_default(&p);
	p.strategy_p = p.strategy_c = RP_BUSY;
	p.queue_len = SLOTS;
	p.burst = BURST;
	p.item_bytes = ITEM_BYTES;
	p.duration_ns = (u64)(o->seconds * 1e9);
	p.warmup_ns = (u64)(WARMUP_S * 1e9);
	p.trace = false;
	p.progress = false;
	if (run_experiment(&p, &r))
		return UNKNOWN;
	if (r.lost > 0 || r.reordered > 0) {
		fail("bench ring: %.0f items lost, %.0f reordered: the figure is worth nothing",
		     r.lost, r.reordered);
		return UNKNOWN;
	}
	return r.items_per_s;
}

/* ---- rte_vhost ---- */

struct peer {
	char socket[160], out[160], log[160];
	pid_t device, driver;
};

static int start_device(struct peer *p, const char *program, double seconds)
{
	char cpu[16], bytes[16], burst[16], warmup[16], duration[16];
	char *argv[] = {
		(char *)program, "device", p->socket, cpu, bytes, burst, warmup, duration, NULL
	};
	u64 end = now_ns() + 10 * NSEC_PER_SEC;

	snprintf(cpu, sizeof(cpu), "%d", nth_cpu(1));
	snprintf(bytes, sizeof(bytes), "%d", ITEM_BYTES);
	snprintf(burst, sizeof(burst), "%d", BURST);
	snprintf(warmup, sizeof(warmup), "%g", WARMUP_S);
	snprintf(duration, sizeof(duration), "%g", seconds);
	p->device = child_start(argv, p->out);
	if (p->device < 0)
		return -1;
	while (access(p->socket, F_OK)) {
		if (!child_alive(p->device) || now_ns() > end)
			return fail("bench ring: rte_vhost does not start: %s", log_tail(p->out));
		if (!nap_ms(10))
			return -1;
	}
	return 0;
}

static int start_driver(struct peer *p, const char *program)
{
	char cpu[16], bytes[16], burst[16], slots[16];
	char *argv[] = {
		(char *)program, "driver", p->socket, cpu, bytes, burst, slots, NULL
	};

	snprintf(cpu, sizeof(cpu), "%d", nth_cpu(0));
	snprintf(bytes, sizeof(bytes), "%d", ITEM_BYTES);
	snprintf(burst, sizeof(burst), "%d", BURST);
	snprintf(slots, sizeof(slots), "%d", SLOTS);
	p->driver = child_start(argv, p->log);
	return p->driver < 0 ? -1 : 0;
}

/* The device's last line is its figure. */
static double figure(const struct peer *p)
{
	json_t *v = json_loads(log_tail(p->out), 0, NULL);
	double items = json_number_at(v, "items"), ns = json_number_at(v, "ns");

	json_decref(v);
	if (!is_known(items) || !(ns > 0)) {
		fail("bench ring: rte_vhost gives no figure: %s", log_tail(p->out));
		return UNKNOWN;
	}
	return items / ns * 1e9;
}

static double wait_figure(struct peer *p, double seconds)
{
	u64 end = now_ns() + (u64)((seconds + 15) * 1e9);

	while (child_alive(p->device)) {
		if (!child_alive(p->driver) || now_ns() > end) {
			fail("bench ring: virtio_user does not run: %s", log_tail(p->log));
			return UNKNOWN;
		}
		if (!nap_ms(20))
			return UNKNOWN;
	}
	return figure(p);
}

static double peer_round(const struct bench_options *o, const char *program)
{
	struct peer p = { .device = -1, .driver = -1 };
	double v = UNKNOWN;

	snprintf(p.socket, sizeof(p.socket), "%s/rte.sock", run_dir());
	snprintf(p.out, sizeof(p.out), "%s/rte-device.log", run_dir());
	snprintf(p.log, sizeof(p.log), "%s/rte-driver.log", run_dir());
	unlink(p.out);
	if (!start_device(&p, program, o->seconds) && !start_driver(&p, program))
		v = wait_figure(&p, o->seconds);
	child_stop(p.driver);
	child_stop(p.device);
	unlink(p.socket);
	return v;
}

/* ---- Both ---- */

/* Where the peer was not built the benchmark is still ours: its figures are null. */
static const char *peer_program(void)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", own_dir(), PEER);
	return access(path, X_OK) ? NULL : path;
}

static void progress(u32 round, u32 rounds, const char *who)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\rbench ring: round %u/%u, %-10s", round + 1, rounds, who);
}

static json_t *run(const struct bench_options *o)
{
	const char *peer = peer_program();
	double ours[99], theirs[99], a, b = UNKNOWN;
	json_t *rounds = json_array();
	u32 i;

	if (!run_dir() || setenv("RUNTIME_DIRECTORY", run_dir(), 1))
		return NULL;
	for (i = 0; i < o->rounds; i++) {
		progress(i, o->rounds, "ringpace");
		a = ours[i] = our_round(o);
		if (peer && is_known(a)) {
			progress(i, o->rounds, "rte_vhost");
			b = theirs[i] = peer_round(o, peer);
		}
		if (!is_known(a) || (peer && !is_known(b))) {
			json_decref(rounds);
			return NULL;
		}
		json_array_append_new(rounds, json_pack("{s:o, s:o}",
			"items_per_s", json_number_or_null(a, 0),
			"rte_vhost_items_per_s", json_number_or_null(b, 0)));
	}
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
	a = median(ours, o->rounds);
	b = peer ? median(theirs, o->rounds) : UNKNOWN;
	return json_pack("{s:o, s:o, s:o, s:o}",
			 "items_per_s", json_number_or_null(a, 0),
			 "rte_vhost_items_per_s", json_number_or_null(b, 0),
			 "ratio", json_number_or_null(a / b, 3), "rounds", rounds);
}

static void print(const json_t *v)
{
	struct table *t = table_new(2);

	table_cell(t, "%d B, %d slots, burst %d", ITEM_BYTES, SLOTS, BURST);
	table_cell(t, "Mitems/s");
	table_cell(t, "ringpace");
	table_number(t, json_number_at(v, "items_per_s") / 1e6, 2);
	table_cell(t, "rte_vhost + virtio_user");
	table_number(t, json_number_at(v, "rte_vhost_items_per_s") / 1e6, 2);
	table_cell(t, "ratio");
	table_number(t, json_number_at(v, "ratio"), 2);
	table_print(t, stdout);
	table_free(t);
	if (!is_known(json_number_at(v, "rte_vhost_items_per_s")))
		printf("rte_vhost was not measured: build with libdpdk-dev installed\n");
	printf("medians of %zu rounds; %s\n", json_array_size(json_object_get(v, "rounds")),
	       json_string_value(json_object_get(v, "machine")));
}

const struct bench bench_ring = {
	.name = "ring",
	.summary = "the ring alone, beside rte_vhost + virtio_user",
	.run = run,
	.print = print,
};
