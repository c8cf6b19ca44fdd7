// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: the input is the host controller's file. Beside crashes it counts when
 * a file is refused without a line that says where and why, or accepted with tenants that
 * no host can have.
 */
#include <stdlib.h>
#include <string.h>

#include "../../host-ctl/hostd/conf.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

static struct conf conf;
static u32 told;

static void tell(void *ctx, const char *line)
{
	const char *end;

	if (strncmp(line, "f:", 2) || strtoul(line + 2, (char **)&end, 10) < 1 || *end != ':' ||
	    strlen(end) < 4)
		abort();
	told++;
}

static void check(const struct conf_tenant *t)
{
	if (!*t->name || t->ports > CONF_PORTS_MAX || t->class > CONF_BATCH ||
	    !*t->domain + !*t->pidfile + !*t->cgroup != 2)
		abort();
	if (t->class == CONF_LATENCY && (!t->bound_ns || (!t->ports && !*t->dataplane)))
		abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	u32 errors, i;

	told = 0;
	errors = conf_parse("f", (const char *)data, bytes, &conf, tell, NULL);
	if (errors != told || conf.tenants > CONF_TENANTS_MAX)
		abort();
	for (i = 0; !errors && i < conf.tenants; i++)
		check(&conf.tenant[i]);
	return 0;
}
