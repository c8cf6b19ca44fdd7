// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench guests: what two stock VMs have of who forwards between them, ringpaced as it
 * comes, or a peer. Under TCG the guests are the slower side by far, and what the
 * forwarder takes of the host's CPUs is not theirs.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "bench/options.h"
#include "json.h"
#include "model_args.h"
#include "packets/pair.h"
#include "provenance.h"

#define LOADS	2u

static const struct pair_load loads[LOADS] = {
	{ "tso", NULL, "large frames of TCP" },
	{ "frames", "gso=0", "frames of 1500 bytes" },
};

/* Anything below saturation: ringpaced adapts, Open vSwitch sleeps where it can. */
static const struct forward_load as_it_comes = {
	.name = "guests", .frame_bytes = 1500, .burst = 32, .percent = 100,
};

struct args {
	struct forwarder_params f;
	struct peers peers;
	u32 loads;		/* bits of loads[] */
	u32 rounds, files, pings;
	bool json;
};

struct run {
	const struct args *args;
	struct forwarder forwarder[FORWARDERS];
	struct stock_vms vms;
	struct pair_sample sample[LOADS][FORWARDERS][BENCH_ROUNDS_MAX];
};

/* A figure of a sample, as it is told. */
static const struct field {
	const char *key, *head;
	size_t at;
	int decimals;
	double unit;		/* of tables */
} fields[] = {
	{ "stream_bits_per_s", "Mbit/s", offsetof(struct pair_sample, stream_bits_per_s), 0, 1e6 },
	{ "rtt_ns", "rtt us", offsetof(struct pair_sample, rtt_ns), 0, 1e3 },
	{ "cpu", "CPU", offsetof(struct pair_sample, cpu), 4, 1 },
};

#define FIELDS	(sizeof(fields) / sizeof(*fields))
enum { STREAM, RTT, CPU };

static double value(const struct pair_sample *s, u32 field)
{
	return *(const double *)((const char *)s + fields[field].at);
}

static bool measures(const struct run *r, u32 load, u32 who)
{
	return r->args->loads & 1u << load && r->forwarder[who].there;
}

static double median_of(const struct run *r, u32 load, u32 who, u32 field)
{
	double v[BENCH_ROUNDS_MAX];
	u32 i;

	if (!measures(r, load, who))
		return UNKNOWN;
	for (i = 0; i < r->args->rounds; i++)
		v[i] = value(&r->sample[load][who][i], field);
	return median(v, r->args->rounds);
}

/* ---- Measuring ---- */

static int measure(struct run *r, u32 load, u32 who, u32 round)
{
	const struct pair_task t = {
		.load = &loads[load], .files = r->args->files, .pings = r->args->pings,
	};
	struct forwarder *f = &r->forwarder[who];
	int rc;

	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[Kbench guests: %s, round %u/%u, %s", loads[load].name,
			round + 1, r->args->rounds, f->ops->name);
	rc = f->ops->start(f, &as_it_comes, as_it_comes.burst) ||
		pair_run(&r->vms, f, &t, &r->sample[load][who][round]) ? -1 : 0;
	f->ops->stop(f);
	return rc;
}

static int measure_all(struct run *r)
{
	u32 round, load, i, who;

	for (round = 0; round < r->args->rounds; round++)
		for (load = 0; load < LOADS; load++)
			for (i = 0; i < FORWARDERS; i++) {
				/* Another one begins each round. */
				who = (i + round) % FORWARDERS;
				if (measures(r, load, who) && measure(r, load, who, round))
					return -1;
			}
	return 0;
}

/* ---- The result ---- */

static void set_ratios(json_t *result, const struct run *r)
{
	static const struct {
		const char *key;
		u32 field;
	} kinds[] = { { "stream", STREAM }, { "rtt", RTT }, { "cpu", CPU } };
	char key[64];
	json_t *v;
	u32 i, who, load;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		for (who = RINGPACED + 1; who < FORWARDERS; who++) {
			v = json_object();
			for (load = 0; load < LOADS; load++)
				json_object_set_new(v, loads[load].name, json_number_or_null(
					median_of(r, load, RINGPACED, kinds[i].field) /
					median_of(r, load, who, kinds[i].field), 3));
			snprintf(key, sizeof(key), "%s_vs_%s", kinds[i].key,
				 forwarders[who]->name);
			json_object_set_new(result, key, v);
		}
}

static json_t *figures_json(const struct run *r, u32 load)
{
	json_t *by = json_object(), *v;
	u32 who, i;

	for (who = 0; who < FORWARDERS; who++) {
		if (!measures(r, load, who))
			continue;
		v = json_object();
		for (i = 0; i < FIELDS; i++)
			json_object_set_new(v, fields[i].key, json_number_or_null(
				median_of(r, load, who, i), fields[i].decimals));
		json_object_set_new(by, forwarders[who]->name, v);
	}
	return json_pack("{s:s, s:o}", "frames", loads[load].frames, "by_forwarder", by);
}

static void add_samples(json_t *all, const struct run *r, u32 load, u32 who)
{
	json_t *v;
	u32 i, round;

	for (round = 0; round < r->args->rounds; round++) {
		v = json_pack("{s:s, s:s, s:i}", "load", loads[load].name, "forwarder",
			      forwarders[who]->name, "round", (int)round);
		for (i = 0; i < FIELDS; i++)
			json_object_set_new(v, fields[i].key, json_number_or_null(
				value(&r->sample[load][who][round], i), fields[i].decimals));
		json_array_append_new(all, v);
	}
}

static json_t *result(const struct run *r)
{
	json_t *v = json_object(), *figures = json_object(), *samples = json_array();
	const struct args *a = r->args;
	u32 load, who;

	set_ratios(v, r);
	for (load = 0; load < LOADS; load++) {
		if (!(a->loads & 1u << load))
			continue;
		json_object_set_new(figures, loads[load].name, figures_json(r, load));
		for (who = 0; who < FORWARDERS; who++)
			if (measures(r, load, who))
				add_samples(samples, r, load, who);
	}
	json_object_set_new(v, "accel", json_string(r->vms.kvm ? "kvm" : "tcg"));
	json_object_set_new(v, "dmax_ns", json_integer((json_int_t)a->f.dmax_ns));
	json_object_set_new(v, "ovs_sleep_ns", json_integer((json_int_t)a->f.ovs_sleep_us * 1000));
	json_object_set_new(v, "rounds", json_integer(a->rounds));
	json_object_set_new(v, "files", json_integer(a->files));
	json_object_set_new(v, "pings", json_integer(a->pings));
	json_object_set_new(v, "peers", forwarders_json(r->forwarder));
	json_object_set_new(v, "figures", figures);
	json_object_set_new(v, "samples", samples);
	return v;
}

static void print(const json_t *v)
{
	struct table *t = table_new(2 + FIELDS);
	const json_t *by, *figures;
	u32 load, who, i;

	table_cell(t, "frames");
	table_cell(t, "forwarder");
	for (i = 0; i < FIELDS; i++)
		table_cell(t, "%s", fields[i].head);
	for (load = 0; load < LOADS; load++) {
		by = json_object_get(json_object_get(json_object_get(v, "figures"),
						     loads[load].name), "by_forwarder");
		for (who = 0; who < FORWARDERS; who++) {
			figures = json_object_get(by, forwarders[who]->name);
			if (!figures)
				continue;
			table_cell(t, "%s", loads[load].name);
			table_cell(t, "%s", forwarders[who]->name);
			for (i = 0; i < FIELDS; i++)
				table_number(t, json_number_at(figures, fields[i].key) /
					     fields[i].unit, i == CPU ? 3 : 0);
		}
	}
	table_print(t, stdout);
	table_free(t);
	printf("Two stock guests, %s, medians of %.0f rounds.\n",
	       json_string_value(json_object_get(v, "accel")), json_number_at(v, "rounds"));
}

/* ---- The command ---- */

enum { OPT_ROUNDS = 256, OPT_FILES, OPT_PINGS, OPT_DMAX, OPT_PEERS, OPT_LOADS, OPT_JSON };

static const struct argp_option options[] = {
	{ "rounds", OPT_ROUNDS, "N", 0, "measurements of each, of which medians are taken, 1..99 "
	  "(3)", 0 },
	{ "files", OPT_FILES, "N", 0, "how many of 8 MiB are fetched in one, 1..10000 (32)", 0 },
	{ "pings", OPT_PINGS, "N", 0, "how many are sent in one, 1..100000 (500)", 0 },
	{ "peers", OPT_PEERS, "LIST", 0, "of testpmd,ovs, or none (those that are installed)", 0 },
	{ "loads", OPT_LOADS, "LIST", 0, "of tso (large frames), frames (of 1500 bytes) (both)", 0 },
	{ "dmax-ns", OPT_DMAX, "NS", 0, "D_MAX of ringpaced's ports, ns (1000000); Open vSwitch may "
	  "sleep half of it", 0 },
	{ "json", OPT_JSON, NULL, 0, "one JSON object", 0 },
	{ 0 }
};

static const char *load_name(u32 i)
{
	return i < LOADS ? loads[i].name : NULL;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case OPT_ROUNDS:
		a->rounds = (u32)opt_between(state, "rounds", arg, 1, BENCH_ROUNDS_MAX);
		break;
	case OPT_FILES:
		a->files = (u32)opt_between(state, "files", arg, 1, 10000);
		break;
	case OPT_PINGS:
		a->pings = (u32)opt_between(state, "pings", arg, 1, 100000);
		break;
	case OPT_PEERS:
		opt_peers(state, arg, &a->peers);
		break;
	case OPT_LOADS:
		a->loads = opt_names(state, "loads", arg, load_name);
		break;
	case OPT_DMAX:
		a->f.dmax_ns = opt_between(state, "dmax-ns", arg, 1, NSEC_PER_SEC);
		break;
	case OPT_JSON:
		a->json = true;
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: no such argument", arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Boots two stock guests with a network card each, once for each measurement, and has "
	"one fetch files from the other by TCP and ping it; between them ringpaced (adaptive), "
	"DPDK's testpmd or Open vSwitch with DPDK, in turns. Bits per second, mean round-trip time, "
	"and CPU time of who forwards. With large frames (TSO) and without.\v"
	"Ratios are ringpaced's figure by the peer's: of streams more is better, of round-trip "
	"times and CPU less.\n\n"
	"Examples:\n\n  ringpace bench guests --json\n"
	"  ringpace bench guests --peers testpmd --rounds 5",
};

static int run(int argc, char **argv)
{
	struct args a = {
		.f = { .dmax_ns = 1000000 }, .peers = PEERS_ALL, .loads = (1u << LOADS) - 1, .rounds = 3,
		.files = 32, .pings = 500,
	};
	struct run *r = calloc(1, sizeof(*r));
	const char *why;
	int rc;

	if (!r)
		abort();
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	a.f.ovs_sleep_us = (u32)(a.f.dmax_ns / 2000 < 10000 ? a.f.dmax_ns / 2000 : 10000);
	catch_signals();
	r->args = &a;
	if (!pair_available(&why)) {
		free(r);
		return fail("bench guests: %s", why), 1;
	}
	rc = forwarders_open(r->forwarder, &a.peers, &a.f) ||
		stock_open(&r->vms, "guests") || measure_all(r) ? -1 : 0;
	stock_close(&r->vms);
	forwarders_close(r->forwarder);
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
	rc = rc ? stopped() ? EXIT_STOPPED : 1 : bench_finish(&bench_guests, result(r), a.json);
	free(r);
	return rc;
}

const struct bench bench_guests = {
	.name = "guests",
	.summary = "two stock VMs on ringpaced, beside testpmd and Open vSwitch",
	.print = print,
	.main = run,
};
