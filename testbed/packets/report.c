// SPDX-License-Identifier: GPL-2.0-or-later
/* bench packets' result: ratios, medians, raw figures; tables. */
#include <string.h>

#include "packets/packets.h"

/* A figure of struct sample, as it is told. */
struct field {
	const char *key;
	size_t at;
	int decimals;
};

static const struct field fields[] = {
	{ "pps", offsetof(struct sample, pps), 0 },
	{ "cpu", offsetof(struct sample, cpu), 4 },
	{ "cpu_ns_per_packet", offsetof(struct sample, cpu_ns_per_packet), 1 },
	{ "kicks_per_packet", offsetof(struct sample, kicks_per_packet), 6 },
	{ "full_share", offsetof(struct sample, full_share), 4 },
	{ "latency_p50_ns", offsetof(struct sample, p50_ns), 0 },
	{ "latency_p98_ns", offsetof(struct sample, p98_ns), 0 },
	{ "latency_p99_ns", offsetof(struct sample, p99_ns), 0 },
	{ "latency_max_ns", offsetof(struct sample, max_ns), 0 },
	{ "behind_p99_ns", offsetof(struct sample, behind_p99_ns), 0 },
	{ "line_before_ns", offsetof(struct sample, line_before_ns), 0 },
	{ "line_after_ns", offsetof(struct sample, line_after_ns), 0 },
	{ "sent", offsetof(struct sample, sent), 0 },
	{ "unsent", offsetof(struct sample, unsent), 0 },
	{ "lost", offsetof(struct sample, lost), 0 },
	{ "reordered", offsetof(struct sample, reordered), 0 },
	{ "bad", offsetof(struct sample, bad), 0 },
};

#define FIELDS	(sizeof(fields) / sizeof(*fields))

static double field_of(const struct sample *s, const struct field *f)
{
	return *(const double *)((const char *)s + f->at);
}

/* ---- Ratios ---- */

enum figure { FIGURE_PPS, FIGURE_CPU };

/* The keys of the result: by load, of one contender by another. */
static const struct ratio {
	const char *key;
	const char *part;	/* of that, or NULL */
	u32 load;
	enum packets_who of, by;
	enum figure figure;
} ratios[] = {
	{ "fwd64_vs_testpmd", "b1", 0, WHO_RINGPACED, WHO_TESTPMD, FIGURE_PPS },
	{ "fwd64_vs_testpmd", "b8", 1, WHO_RINGPACED, WHO_TESTPMD, FIGURE_PPS },
	{ "fwd64_vs_testpmd", "b32", 2, WHO_RINGPACED, WHO_TESTPMD, FIGURE_PPS },
	{ "fwd64_vs_ovs", "b1", 0, WHO_RINGPACED32, WHO_OVS, FIGURE_PPS },
	{ "fwd64_vs_ovs", "b8", 1, WHO_RINGPACED32, WHO_OVS, FIGURE_PPS },
	{ "fwd64_vs_ovs", "b32", 2, WHO_RINGPACED, WHO_OVS, FIGURE_PPS },
	{ "fwd1500_vs_testpmd", NULL, 3, WHO_RINGPACED, WHO_TESTPMD, FIGURE_PPS },
	{ "fwd1500_vs_ovs", NULL, 3, WHO_RINGPACED, WHO_OVS, FIGURE_PPS },
	{ "gso64k_vs_testpmd", NULL, 4, WHO_RINGPACED, WHO_TESTPMD, FIGURE_PPS },
	{ "cpu_per_packet_vs_ovs_sleep", "load1", 5, WHO_RINGPACED, WHO_OVS, FIGURE_CPU },
	{ "cpu_per_packet_vs_ovs_sleep", "load10", 6, WHO_RINGPACED, WHO_OVS, FIGURE_CPU },
	{ "cpu_per_packet_vs_ovs_sleep", "load30", 7, WHO_RINGPACED, WHO_OVS, FIGURE_CPU },
	{ "cpu_per_packet_vs_testpmd", "load1", 5, WHO_RINGPACED, WHO_TESTPMD, FIGURE_CPU },
	{ "cpu_per_packet_vs_testpmd", "load10", 6, WHO_RINGPACED, WHO_TESTPMD, FIGURE_CPU },
	{ "cpu_per_packet_vs_testpmd", "load30", 7, WHO_RINGPACED, WHO_TESTPMD, FIGURE_CPU },
};

static double figure(const struct packets_run *r, u32 load, u32 who, enum figure f)
{
	return f == FIGURE_PPS ? packets_median_of(r, load, who, pps) :
		packets_median_of(r, load, who, cpu_ns_per_packet);
}

static void set_part(json_t *result, const char *key, const char *part, json_t *v)
{
	json_t *parts = json_object_get(result, key);

	if (!part) {
		json_object_set_new(result, key, v);
		return;
	}
	if (!parts) {
		parts = json_object();
		json_object_set_new(result, key, parts);
	}
	json_object_set_new(parts, part, v);
}

static void set_ratios(json_t *result, const struct packets_run *r)
{
	const struct ratio *q;
	double v;
	u32 i;

	for (q = ratios; q < ratios + sizeof(ratios) / sizeof(*ratios); q++) {
		v = figure(r, q->load, q->of, q->figure) / figure(r, q->load, q->by, q->figure);
		set_part(result, q->key, q->part, json_number_or_null(v, 3));
	}
	for (i = 0; i < PACKETS_LOADS; i++)
		if (packets_loads[i].percent)
			set_part(result, "p99_by_dmax", packets_loads[i].name, json_number_or_null(
				 packets_median_of(r, i, WHO_RINGPACED, p99_ns) /
				 (double)r->args->f.dmax_ns, 3));
}

/* ---- As JSON ---- */

static const char *const state_names[PACKETS_STATES] = {
	[PACKETS_NEAR] = "near", [PACKETS_FAR] = "far", [PACKETS_MIXED] = "mixed",
};

/* Medians; of what must not be, the sums of all rounds. */
static json_t *medians_json(const struct packets_run *r, u32 load, u32 who)
{
	json_t *v = json_object();
	double x;
	size_t i;
	u32 n;

	for (i = 0; i < FIELDS; i++) {
		x = packets_median(r, load, who, fields[i].at);
		if (fields[i].at >= offsetof(struct sample, sent))
			for (x = 0, n = 0; n < r->args->rounds; n++)
				x += field_of(&r->sample[load][who][n], &fields[i]);
		json_object_set_new(v, fields[i].key, json_number_or_null(x, fields[i].decimals));
	}
	return v;
}

static json_t *load_json(const struct packets_run *r, u32 load)
{
	const struct forward_load *l = &packets_loads[load];
	enum packets_state state;
	json_t *by = json_object();
	u32 who, rounds;

	state = packets_state(r, load, &rounds);
	for (who = 0; who < PACKETS_WHO; who++)
		if (packets_measures(r, load, who))
			json_object_set_new(by, packets_who[who].name, medians_json(r, load, who));
	return json_pack("{s:i, s:i, s:s, s:i, s:o, s:o}", "frame_bytes", (int)l->frame_bytes,
			 "burst", (int)l->burst, "state", state_names[state], "rounds", (int)rounds,
			 "rate_pps",
			 json_number_or_null(l->percent ? r->peak_pps * l->percent / 100 : UNKNOWN, 0),
			 "by_forwarder", by);
}

static void add_samples(json_t *all, const struct packets_run *r, u32 load, u32 who)
{
	json_t *v;
	size_t i;
	u32 n;

	for (n = 0; n < r->args->rounds; n++) {
		v = json_pack("{s:s, s:s, s:i}", "load", packets_loads[load].name,
			      "forwarder", packets_who[who].name, "round", (int)n);
		for (i = 0; i < FIELDS; i++)
			json_object_set_new(v, fields[i].key, json_number_or_null(
				field_of(&r->sample[load][who][n], &fields[i]),
				fields[i].decimals));
		json_array_append_new(all, v);
	}
}

/* Measurements in which the CPUs were farther apart than at other times of this run. */
static u32 count_far(const struct packets_run *r)
{
	u32 load, who, n, far = 0;

	for (load = 0; load < PACKETS_LOADS; load++)
		for (who = 0; who < PACKETS_WHO; who++)
			for (n = 0; packets_measures(r, load, who) && n < r->args->rounds; n++)
				far += packets_is_far(r, &r->sample[load][who][n]);
	return far;
}

json_t *packets_result(const struct packets_run *r)
{
	const struct packets_args *a = r->args;
	json_t *v = json_object(), *figures = json_object(), *samples = json_array();
	u32 i, who;

	set_ratios(v, r);
	for (i = 0; i < PACKETS_LOADS; i++) {
		if (!(a->loads & 1u << i))
			continue;
		json_object_set_new(figures, packets_loads[i].name, load_json(r, i));
		for (who = 0; who < PACKETS_WHO; who++)
			if (packets_measures(r, i, who))
				add_samples(samples, r, i, who);
	}
	json_object_set_new(v, "dmax_ns", json_integer((json_int_t)a->f.dmax_ns));
	json_object_set_new(v, "ovs_sleep_ns", json_integer((json_int_t)a->f.ovs_sleep_us * 1000));
	json_object_set_new(v, "queue_len", json_integer(a->queue_len));
	json_object_set_new(v, "peak_pps", json_number_or_null(r->peak_pps, 0));
	json_object_set_new(v, "rounds", json_integer(a->rounds));
	json_object_set_new(v, "seconds", json_real(a->seconds));
	json_object_set_new(v, "line_ns", json_number_or_null(r->line_ns, 0));
	json_object_set_new(v, "far", json_integer(count_far(r)));
	json_object_set_new(v, "peers", forwarders_json(r->forwarder));
	json_object_set_new(v, "figures", figures);
	json_object_set_new(v, "samples", samples);
	return v;
}
