// SPDX-License-Identifier: GPL-2.0-or-later
/* Orders to the controller, in the envelope of docs/control.md. */
#include <stdio.h>
#include <unistd.h>

#include "daemon.h"
#include "now.h"

#define PROTOCOL	1
#define CLIENTS_MAX	16u

struct order {
	struct daemon *d;
	const json_t *args;
	const char *code;
	char message[600];
};

static json_t *refuse(struct order *o, const char *code, const char *message)
{
	o->code = code;
	snprintf(o->message, sizeof(o->message), "%s", message);
	return NULL;
}

static json_t *run_hello(struct order *o)
{
	return json_pack("{s:s,s:i,s:i}", "program", "ringpace-hostd", "protocol", PROTOCOL,
			 "pid", (int)getpid());
}

static json_t *run_status(struct order *o)
{
	return status_json(o->d);
}

static json_t *run_explain(struct order *o)
{
	const json_t *tenant = json_object_get(o->args, "tenant");
	json_t *v;

	if (tenant && !json_is_string(tenant))
		return refuse(o, "bad-value", "tenant: a name is needed");
	v = explain_json(o->d, json_string_value(tenant));
	return v ? v : refuse(o, "bad-value", "tenant: there is no latency tenant of that name");
}

static json_t *run_apply(struct order *o)
{
	const json_t *on = json_object_get(o->args, "on");

	if (!json_is_boolean(on))
		return refuse(o, "bad-value", "on: true or false is needed");
	if (o->d->world->acting != json_boolean_value(on))
		world_act(o->d->world, json_boolean_value(on), now_ns());
	return json_pack("{s:b}", "acting", o->d->world->acting);
}

static json_t *run_reload(struct order *o)
{
	const char *why = daemon_reload(o->d);

	return why ? refuse(o, "bad-value", why) :
		     json_pack("{s:i}", "tenants", (int)o->d->world->tenants);
}

static const struct command {
	const char *name, *key;		/* key: beside v, id and cmd */
	json_t *(*run)(struct order *o);
} commands[] = {
	{ "hello", "", run_hello },
	{ "status", "", run_status },
	{ "explain", "tenant", run_explain },
	{ "apply", "on", run_apply },
	{ "reload", "", run_reload },
};

static json_t *dispatch(struct order *o)
{
	const char *name = json_string_value(json_object_get(o->args, "cmd")), *key;
	json_t *value;
	size_t i;

	if (!json_is_object(o->args))
		return refuse(o, "bad-json", "the line is not an object");
	if (json_integer_value(json_object_get(o->args, "v")) != PROTOCOL)
		return refuse(o, "bad-version", "v: only version 1 is spoken");
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (name && !strcmp(name, commands[i].name))
			break;
	if (i == sizeof(commands) / sizeof(commands[0]))
		return refuse(o, "unknown-command", "cmd: hello, status, explain, apply, reload");
	json_object_foreach((json_t *)o->args, key, value)
		if (strcmp(key, "v") && strcmp(key, "id") && strcmp(key, "cmd") &&
		    strcmp(key, commands[i].key))
			return refuse(o, "unknown-key", "an argument that the command has not");
	return commands[i].run(o);
}

static char *reply(const struct order *o, json_t *result)
{
	json_t *id = json_object_get(o->args, "id"), *v;
	char *text;

	v = json_pack("{s:i,s:O?,s:b}", "v", PROTOCOL, "id", id, "ok", result != NULL);
	if (result)
		json_object_set_new(v, "result", result);
	else
		json_object_set_new(v, "error", json_pack("{s:s,s:s}", "code", o->code,
							  "message", o->message));
	text = json_dumps(v, JSON_COMPACT);
	json_decref(v);
	return text;
}

static char *answer(void *daemon, struct lines_peer *peer, const char *line, size_t bytes)
{
	json_t *args = json_loadb(line, bytes, JSON_REJECT_DUPLICATES, NULL);
	struct order o = { .d = daemon, .args = args, .code = "failed", .message = "no memory" };
	char *text = reply(&o, dispatch(&o));

	json_decref(args);
	return text;
}

static char *refuse_client(enum lines_limit limit)
{
	struct order o = { .code = limit == LINES_TOO_LONG ? "bad-json" : "busy" };

	if (limit == LINES_TOO_LONG)
		snprintf(o.message, sizeof(o.message), "the line is longer than %u bytes",
			 LINES_BYTES_MAX);
	else
		snprintf(o.message, sizeof(o.message), "there are %u clients, which is the most",
			 CLIENTS_MAX);
	return reply(&o, NULL);
}

const struct lines_owner orders_owner = {
	.clients_max = CLIENTS_MAX, .answer = answer, .refuse = refuse_client,
};
