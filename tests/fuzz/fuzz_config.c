// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: the input is a configuration file. Beside crashes it counts when a
 * file is refused without a line that says where and why, or accepted with options
 * that no command line could have.
 */
#include <stdlib.h>
#include <string.h>

#include "../../vhost/daemon/config.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

static u32 told;

static void tell(void *ctx, const char *line)
{
	const char *end;

	if (strncmp(line, "f:", 2) || strtoul(line + 2, (char **)&end, 10) < 1 || *end != ':' ||
	    strlen(end) < 4)
		abort();
	told++;
}

static void check(const struct options *o)
{
	const char *who;
	u32 i;

	if (options_check(o, &who) || o->dev_count > DEVICES_MAX ||
	    o->net.port_count > NET_PORTS_MAX || o->net.switch_count > NET_SWITCHES_MAX ||
	    !o->net.pacer_count || o->net.pacer_count > NET_PACERS_MAX)
		abort();
	for (i = 0; i < o->net.port_count; i++)
		if (!o->net.port[i].kind || !session_name_ok(o->net.port[i].name) ||
		    strchr(o->net.port[i].address, ',') || !o->net.port[i].pairs ||
		    o->net.port[i].pairs > NET_PAIRS_MAX)
			abort();
	for (i = 0; i < o->net.link_count; i++)
		if (o->net.link[i][0] >= o->net.port_count ||
		    o->net.link[i][1] >= o->net.port_count)
			abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	struct options *o = options_new();
	u32 errors;

	/* Names of users and groups are not looked up by a reload. */
	o->running = o;
	o->config = "f";
	told = 0;
	errors = config_parse("f", (const char *)data, bytes, o, tell, NULL);
	if (errors != told)
		abort();
	if (!errors)
		check(o);
	options_free(o);
	return 0;
}
