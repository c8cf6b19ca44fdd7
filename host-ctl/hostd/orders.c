// SPDX-License-Identifier: GPL-2.0-or-later
/* Orders to the controller, in the envelope of docs/control.md. */
#include <unistd.h>

#include "ctl/command.h"
#include "daemon.h"
#include "now.h"

#define CLIENTS_MAX	16u

static json_t *run_hello(struct ctl_request *r)
{
	return json_pack("{s:s,s:i,s:i}", "program", "ringpace-hostd", "protocol", CTL_VERSION,
			 "pid", (int)getpid());
}

static json_t *run_status(struct ctl_request *r)
{
	return status_json(r->ctx);
}

static json_t *run_explain(struct ctl_request *r)
{
	const json_t *tenant = json_object_get(r->args, "tenant");
	json_t *v;

	if (tenant && !json_is_string(tenant))
		return ctl_fail(&r->err, "bad-value", "tenant: a name is needed");
	v = explain_json(r->ctx, json_string_value(tenant));
	return v ? v : ctl_fail(&r->err, "bad-value",
				"tenant: there is no latency tenant of that name");
}

static json_t *run_apply(struct ctl_request *r)
{
	const json_t *on = json_object_get(r->args, "on");
	struct world *w = ((struct daemon *)r->ctx)->world;

	if (!json_is_boolean(on))
		return ctl_fail(&r->err, "bad-value", "on: true or false is needed");
	if (w->acting != json_boolean_value(on))
		world_act(w, json_boolean_value(on), now_ns());
	return json_pack("{s:b}", "acting", w->acting);
}

static json_t *run_reload(struct ctl_request *r)
{
	struct daemon *d = r->ctx;
	const char *why = daemon_reload(d);

	return why ? ctl_fail(&r->err, "bad-value", "%s", why) :
		     json_pack("{s:i}", "tenants", (int)d->world->tenants);
}

static const struct ctl_command commands[] = {
	{ "hello", CTL_KEYS(), run_hello },
	{ "status", CTL_KEYS(), run_status },
	{ "explain", CTL_KEYS("tenant"), run_explain },
	{ "apply", CTL_KEYS("on"), run_apply },
	{ "reload", CTL_KEYS(), run_reload },
	{ 0 }
};

static char *answer(void *daemon, struct lines_peer *peer, const char *line, size_t bytes)
{
	return ctl_answer(commands, daemon, peer, line, bytes);
}

const struct lines_owner orders_owner = {
	.clients_max = CLIENTS_MAX, .answer = answer, .refuse = ctl_refuse,
};
