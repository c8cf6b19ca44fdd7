// SPDX-License-Identifier: GPL-2.0-or-later
/* bench packets' result as tables: for a terminal, or for a document. */
#include "packets/packets.h"
#include "provenance.h"

typedef void (*table_printer)(const struct table *t, FILE *to);

static struct table *begin(const char *const *heads, u32 n)
{
	struct table *t = table_new(n);
	u32 i;

	for (i = 0; i < n; i++)
		table_cell(t, "%s", heads[i]);
	return t;
}

static void end(struct table *t, table_printer print)
{
	print(t, stdout);
	table_free(t);
}

static const json_t *load_at(const json_t *result, u32 load)
{
	return json_object_get(json_object_get(result, "figures"), packets_loads[load].name);
}

static const json_t *contender_at(const json_t *load, u32 who)
{
	return json_object_get(json_object_get(load, "by_forwarder"), packets_who[who].name);
}

/* Is there a load of that kind? */
static bool has_loads(const json_t *result, bool saturated)
{
	u32 i;

	for (i = 0; i < PACKETS_LOADS; i++)
		if (load_at(result, i) && !packets_loads[i].percent == saturated)
			return true;
	return false;
}

static double mpps(const json_t *load, u32 who)
{
	return json_number_at(contender_at(load, who), "pps") / 1e6;
}

/* Saturated: how many frames. */
static void print_rates(const json_t *result, table_printer print)
{
	static const char *const heads[] = {
		"bytes/burst", "ringpaced Mpps", "testpmd Mpps", "ratio", "ringpaced 32 Mpps",
		"OVS Mpps", "ratio", "TX full %",
	};
	struct table *t = begin(heads, sizeof(heads) / sizeof(*heads));
	const json_t *l;
	double like_ovs;
	u32 i;

	for (i = 0; i < PACKETS_LOADS; i++) {
		l = load_at(result, i);
		if (!l || packets_loads[i].percent)
			continue;
		like_ovs = mpps(l, packets_loads[i].burst == 32 ? WHO_RINGPACED : WHO_RINGPACED32);
		table_cell(t, "%s", packets_loads[i].name);
		table_number(t, mpps(l, WHO_RINGPACED), 3);
		table_number(t, mpps(l, WHO_TESTPMD), 3);
		table_number(t, mpps(l, WHO_RINGPACED) / mpps(l, WHO_TESTPMD), 2);
		table_number(t, like_ovs, 3);
		table_number(t, mpps(l, WHO_OVS), 3);
		table_number(t, like_ovs / mpps(l, WHO_OVS), 2);
		table_number(t, json_number_at(contender_at(l, WHO_RINGPACED), "full_share") * 100, 0);
	}
	end(t, print);
}

static void cost_row(struct table *t, const json_t *l, u32 load, u32 who)
{
	const json_t *v = contender_at(l, who);
	double ours = json_number_at(contender_at(l, WHO_RINGPACED), "cpu_ns_per_packet");
	double its = json_number_at(v, "cpu_ns_per_packet");

	table_cell(t, "%s", packets_loads[load].name);
	table_number(t, json_number_at(l, "rate_pps") / 1e6, 3);
	table_cell(t, "%s", packets_who[who].name);
	table_number(t, json_number_at(v, "pps") / 1e6, 3);
	table_number(t, json_number_at(v, "cpu") * 100, 1);
	table_number(t, its, 1);
	table_number(t, ours / its, 2);
	table_number(t, json_number_at(v, "latency_p50_ns") / 1e3, 1);
	table_number(t, json_number_at(v, "latency_p98_ns") / 1e3, 1);
	table_number(t, json_number_at(v, "latency_p99_ns") / 1e3, 1);
	table_number(t, json_number_at(v, "behind_p99_ns") / 1e3, 1);
	table_number(t, json_number_at(v, "lost"), 0);
	table_number(t, json_number_at(v, "reordered"), 0);
}

/* Below saturation: what they cost, and how long frames take. */
static void print_costs(const json_t *result, table_printer print)
{
	static const char *const heads[] = {
		"load", "Mpps due", "forwarder", "Mpps", "CPU %", "CPU ns/p", "ringpaced's/its",
		"p50 us", "p98 us", "p99 us", "sent late p99 us", "lost", "reordered",
	};
	struct table *t = begin(heads, sizeof(heads) / sizeof(*heads));
	const json_t *l;
	u32 i, who;

	for (i = 0; i < PACKETS_LOADS; i++) {
		l = load_at(result, i);
		if (!l || !packets_loads[i].percent)
			continue;
		for (who = 0; who < PACKETS_WHO; who++)
			if (contender_at(l, who))
				cost_row(t, l, i, who);
	}
	end(t, print);
}

static void print_peers(const json_t *result)
{
	const char *name;
	json_t *v;

	json_object_foreach(json_object_get(result, "peers"), name, v)
		if (!json_is_true(json_object_get(v, "measured")))
			printf("%s was not measured: %s\n", name,
			       json_string_value(json_object_get(v, "why_not")));
}

static void print_both(const json_t *result, table_printer print)
{
	if (has_loads(result, true)) {
		print_rates(result, print);
		printf("\n");
	}
	if (has_loads(result, false)) {
		print_costs(result, print);
		printf("\n");
	}
	printf("medians of %.0f rounds of %g s; D_MAX %.0f us, pmd-maxsleep %.0f us; load %.2f; %s\n",
	       json_number_at(result, "rounds"), json_number_at(result, "seconds"),
	       json_number_at(result, "dmax_ns") / 1e3,
	       json_number_at(result, "ovs_sleep_ns") / 1e3, json_number_at(result, "load_1min"),
	       json_string_value(json_object_get(result, "machine")));
}

void packets_print(const json_t *result)
{
	print_both(result, table_print);
	print_peers(result);
	provenance_note(result);
}

void packets_print_markdown(const json_t *result)
{
	print_both(result, table_print_markdown);
	print_peers(result);
}
