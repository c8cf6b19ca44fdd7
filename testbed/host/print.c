// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/host.h"

#include <string.h>

static const char *text_at(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key)) ?: "-";
}

/* Of a decision. */
static const char *emulated(const json_t *o)
{
	return json_is_true(json_object_get(o, "emulated")) ? ", clock emulated" : "";
}

static void row(struct table *t, const json_t *o)
{
	bool latency = !strcmp(text_at(o, "class"), "latency");
	bool paused = json_is_true(json_object_get(o, "paused"));
	const char *const none = latency ? "none" : "-";

	table_cell(t, "%s", text_at(o, "tenant"));
	table_cell(t, "%s", text_at(o, "class"));
	table_cell(t, "%s", paused ? "paused" : text_at(o, "cpus"));
	table_number(t, json_number_at(o, "khz") / 1e6, 2);
	table_number(t, json_number_at(o, "step"), 0);
	table_number(t, json_number_at(o, "delay_ns") / 1e3, 0);
	table_number(t, json_number_at(o, "worst_ns") / 1e3, 0);
	table_number(t, json_number_at(o, "bound_ns") / 1e3, 0);
	table_number(t, json_number_at(o, "load_pps"), 0);
	table_number(t, json_number_at(o, "capacity_pps"), 0);
	table_cell(t, "%s", json_string_value(json_object_get(o, "sensor")) ?: none);
	table_cell(t, "%s", latency ? text_at(o, "basis") : "-");
}

static void print_host(const json_t *status, FILE *to)
{
	const json_t *host = json_object_get(status, "host"), *loop = json_object_get(status, "loop");
	double watts = json_number_at(host, "watts");

	fprintf(to, "%s; %.0f cores (CPUs %s); %.0f settings changed; loop %.1f ms late at p99",
		json_is_true(json_object_get(status, "acting")) ? "acting" : "dry run",
		json_number_at(host, "cores"), text_at(host, "cpus"),
		json_number_at(status, "changed"), json_number_at(loop, "late_p99_ns") / 1e6);
	if (json_is_true(json_object_get(host, "emulated")))
		fputs("; clocks emulated by quotas", to);
	if (is_known(watts))
		fprintf(to, "; %.1f W", watts);
	fputc('\n', to);
}

/* Actions that are not enforced, vCPUs that are not as many as wanted, and sensors that are not there. */
static void print_troubles(const json_t *tenant, FILE *to)
{
	const json_t *sensors = json_object_get(tenant, "sensors"), *v;
	const char *name;
	size_t i;

	json_object_foreach(json_object_get(tenant, "actions"), name, v)
		if (strcmp(json_string_value(v), "enforced"))
			fprintf(to, "%s: %s: %s\n", text_at(tenant, "tenant"), name,
				json_string_value(v));
	v = json_object_get(tenant, "vcpus");
	if (json_is_object(v) && strcmp(text_at(v, "state"), "enforced"))
		fprintf(to, "%s: vCPUs by %s: %s: %s\n", text_at(tenant, "tenant"),
			text_at(v, "by"), text_at(v, "state"), text_at(v, "why"));
	json_array_foreach(sensors, i, v)
		if (strcmp(text_at(v, "state"), "fresh"))
			fprintf(to, "%s: sensor %s: %s: %s\n", text_at(tenant, "tenant"),
				text_at(v, "sensor"), text_at(v, "state"), text_at(v, "why"));
}

static void print_nics(const json_t *status, FILE *to)
{
	const json_t *nics = json_object_get(status, "nics"), *n, *q;
	size_t i, k;

	json_array_foreach(nics, i, n) {
		fprintf(to, "NIC %s by %s: %s", text_at(n, "nic"), text_at(n, "by"), text_at(n, "state"));
		if (*text_at(n, "why") != '-')
			fprintf(to, ": %s", text_at(n, "why"));
		json_array_foreach(json_object_get(n, "queues"), k, q)
			fprintf(to, "%s%s %s %.0f", k ? ", " : "; ", text_at(q, "tenant"),
				text_at(q, "queue"), json_number_at(q, "has"));
		fputc('\n', to);
	}
}

void host_print_status(const json_t *status, FILE *to)
{
	static const char *const heads[] = {
		"tenant", "class", "CPUs", "GHz", "step", "delay us", "worst us", "bound us",
		"load/s", "capacity/s", "sensor", "basis",
	};
	struct table *t = table_new(sizeof(heads) / sizeof(heads[0]));
	const json_t *tenants = json_object_get(status, "tenants"), *o;
	size_t i;

	print_host(status, to);
	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		table_cell(t, "%s", heads[i]);
	json_array_foreach(tenants, i, o)
		row(t, o);
	table_print(t, to);
	table_free(t);
	json_array_foreach(tenants, i, o)
		print_troubles(o, to);
	print_nics(status, to);
}

void host_print_plan(const json_t *explained, FILE *to)
{
	const json_t *tenants = json_object_get(explained, "tenants"), *o;
	size_t i;

	json_array_foreach(tenants, i, o) {
		const json_t *now = json_object_get(o, "now");

		if (!json_is_object(now))
			fprintf(to, "%s: nothing was decided yet\n", text_at(o, "tenant"));
		else if (json_number_at(now, "wanted") == json_number_at(now, "from"))
			fprintf(to, "%s: stays at step %.0f (%s%s)\n", text_at(o, "tenant"),
				json_number_at(now, "from"), text_at(now, "why"), emulated(now));
		else
			fprintf(to, "%s: from step %.0f to %.0f (%s%s)\n", text_at(o, "tenant"),
				json_number_at(now, "from"), json_number_at(now, "wanted"),
				text_at(now, "why"), emulated(now));
	}
}

static void print_table(const json_t *tenant, FILE *to)
{
	static const char *const heads[] = {
		"step", "cores", "threads", "GHz", "gain", "refined", "capacity/s", "threshold %",
	};
	struct table *t = table_new(sizeof(heads) / sizeof(heads[0]));
	const json_t *o;
	size_t i;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		table_cell(t, "%s", heads[i]);
	json_array_foreach(json_object_get(tenant, "table"), i, o) {
		table_number(t, json_number_at(o, "step"), 0);
		table_number(t, json_number_at(o, "cores"), 0);
		table_number(t, json_number_at(o, "threads_per_core"), 0);
		table_number(t, json_number_at(o, "khz") / 1e6, 2);
		table_number(t, json_number_at(o, "gain"), 3);
		table_number(t, json_number_at(o, "refined"), 0);
		table_number(t, json_number_at(o, "capacity_pps"), 0);
		table_number(t, json_number_at(o, "threshold") * 100, 1);
	}
	fprintf(to, "%s: its steps, as refined:\n", text_at(tenant, "tenant"));
	table_print(t, to);
	table_free(t);
}

void host_print_reasons(const json_t *explained, FILE *to)
{
	const json_t *tenants = json_object_get(explained, "tenants"), *o, *d;
	size_t i, k;

	json_array_foreach(tenants, i, o) {
		const json_t *list = json_object_get(o, "decisions");

		json_array_foreach(list, k, d)
			fprintf(to, "%.3f s  %s\n", json_number_at(d, "now_ns") / 1e9,
				text_at(d, "text"));
		print_table(o, to);
	}
}
