// SPDX-License-Identifier: GPL-2.0-or-later
/* The controller's metrics: OpenMetrics text, or Prometheus' older format. */
#include <stdio.h>

#include "daemon.h"
#include "now.h"

/* A number of a latency tenant. */
struct of_tenant {
	const char *name, *unit, *help;
	bool counter;
	double (*value)(const struct world_tenant *t);
};

static const struct hc_tenant *hc_of(const struct world_tenant *t)
{
	return &t->world->hc.tenant[t->place];
}

static double delay(const struct world_tenant *t)
{
	return hc_of(t)->delay_ns[1] / 1e9;
}

static double bound(const struct world_tenant *t)
{
	return (double)hc_of(t)->cfg.bound_ns / 1e9;
}

static double step(const struct world_tenant *t)
{
	return hc_of(t)->step;
}

static double cores(const struct world_tenant *t)
{
	return t->policy.step[hc_of(t)->step].cores;
}

static double clock_hz(const struct world_tenant *t)
{
	return t->world->topo.khz[t->policy.step[hc_of(t)->step].freq] * 1e3;
}

static double load(const struct world_tenant *t)
{
	return hc_of(t)->load[1];
}

static double fresh(const struct world_tenant *t)
{
	return hc_of(t)->basis == HC_FRESH;
}

static double changes(const struct world_tenant *t)
{
	return (double)t->changes;
}

static const struct of_tenant families[] = {
	{ "ringpace_host_tenant_delay_seconds", "seconds", "Mean queueing delay.", false, delay },
	{ "ringpace_host_tenant_bound_seconds", "seconds", "Its bound.", false, bound },
	{ "ringpace_host_tenant_step", NULL, "Step of the policy.", false, step },
	{ "ringpace_host_tenant_cores", NULL, "Cores that the tenant has.", false, cores },
	{ "ringpace_host_tenant_clock_hertz", "hertz", "Clock of its cores; 0: not set.",
	  false, clock_hz },
	{ "ringpace_host_tenant_load", NULL, "Items per second that come.", false, load },
	{ "ringpace_host_tenant_sensor_fresh", NULL, "1: what is decided rests on a fresh sample.",
	  false, fresh },
	{ "ringpace_host_tenant_decisions", NULL, "Decisions that were not just to go on.",
	  true, changes },
};

static void head(FILE *f, enum metrics_format format, const char *name, const char *unit,
		 const char *help, bool counter)
{
	const char *suffix = counter && format == METRICS_CLASSIC ? "_total" : "";

	fprintf(f, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix, help, name, suffix,
		counter ? "counter" : "gauge");
	if (unit && format == METRICS_OPEN)
		fprintf(f, "# UNIT %s %s\n", name, unit);
}

static void print_tenants(FILE *f, const struct world *w, const struct of_tenant *fam,
			  enum metrics_format format)
{
	u32 i;

	head(f, format, fam->name, fam->unit, fam->help, fam->counter);
	for (i = 0; i < w->tenants; i++)
		if (w->tenant[i].place >= 0)
			fprintf(f, "%s%s{tenant=\"%s\"} %.9g\n", fam->name,
				fam->counter ? "_total" : "", w->tenant[i].conf->name,
				fam->value(&w->tenant[i]));
}

static void print_one(FILE *f, enum metrics_format format, const char *name, const char *unit,
		      const char *help, bool counter, double value)
{
	head(f, format, name, unit, help, counter);
	fprintf(f, "%s%s %.9g\n", name, counter ? "_total" : "", value);
}

static void print_host(FILE *f, const struct daemon *d, enum metrics_format format)
{
	const struct world *w = d->world;

	print_one(f, format, "ringpace_host_acting", NULL, "0: a dry run.", false, w->acting);
	print_one(f, format, "ringpace_host_clocks_emulated", NULL,
		  "1: quotas of processor time stand in for clocks.", false, w->topo.emulated);
	print_one(f, format, "ringpace_host_changed", NULL,
		  "Settings of the host that are not as they were.", false, d->undo.count);
	print_one(f, format, "ringpace_host_ticks", NULL, "Turns of the loop.", true,
		  (double)d->ticks);
	print_one(f, format, "ringpace_host_ticks_missed", NULL, "Turns that were due and left out.",
		  true, (double)d->missed);
	print_one(f, format, "ringpace_host_late_seconds", "seconds",
		  "99th percentile of how late turns were.", false,
		  (double)rp_hist_quantile(&d->late, 990) / 1e9);
	print_one(f, format, "ringpace_host_cpu_seconds", "seconds", "Processor time used.", true,
		  (double)daemon_cpu_ns() / 1e9);
	if (w->rapl.zones)
		print_one(f, format, "ringpace_host_energy_joules", "joules",
			  "Energy of the packages.", true, rapl_joules(&w->rapl));
}

char *host_metrics(const void *daemon, enum metrics_format format, size_t *bytes)
{
	const struct daemon *d = daemon;
	char *text = NULL;
	FILE *f = open_memstream(&text, bytes);
	size_t i;

	if (!f)
		return NULL;
	print_host(f, d, format);
	for (i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		print_tenants(f, d->world, &families[i], format);
	if (format == METRICS_OPEN)
		fputs("# EOF\n", f);
	fclose(f);
	return text;
}
