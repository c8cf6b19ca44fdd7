// SPDX-License-Identifier: GPL-2.0-or-later
/* `ringpace host`: what the host controller sees, decides and does. */
#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "ctl.h"
#include "host/host.h"

#define ANSWER_MS	10000
#define SOCKET		"/run/ringpace-hostd/control"

enum { OPT_SOCKET = 256, OPT_JSON, OPT_OFF, OPT_INTERVAL, OPT_COUNT };

struct args;

struct action {
	const char *name;
	int (*run)(struct args *a);
	bool tenant;		/* it takes the name of one */
};

struct args {
	const struct action *action;
	const char *socket, *tenant;
	bool json, off;
	u32 interval_ms, count;
	struct ctl ctl;
};

static int show(struct args *a, const char *cmd, json_t *args,
		void (*print)(const json_t *, FILE *))
{
	json_t *v = ctl_call(&a->ctl, cmd, args, ANSWER_MS);

	if (!v)
		return EXIT_FAILURE;
	if (a->json)
		json_print(json_incref(v), stdout);
	else if (print)
		print(v, stdout);
	json_decref(v);
	return EXIT_SUCCESS;
}

static int run_status(struct args *a)
{
	return show(a, "status", NULL, host_print_status);
}

static json_t *of_tenant(const struct args *a)
{
	return a->tenant ? json_pack("{s:s}", "tenant", a->tenant) : NULL;
}

static int run_plan(struct args *a)
{
	return show(a, "explain", of_tenant(a), host_print_plan);
}

static int run_explain(struct args *a)
{
	return show(a, "explain", of_tenant(a), host_print_reasons);
}

static int run_apply(struct args *a)
{
	return show(a, "apply", json_pack("{s:b}", "on", !a->off), NULL);
}

static int run_reload(struct args *a)
{
	return show(a, "reload", NULL, NULL);
}

static int run_top(struct args *a)
{
	bool screen = isatty(STDOUT_FILENO) && !a->json;
	u32 i;

	for (i = 0; !a->count || i < a->count; i++) {
		if (i && !nap_ms(a->interval_ms))
			break;
		/* Home, and what is below goes: a table that is shorter than before. */
		if (screen)
			fputs("\033[H\033[J", stdout);
		if (run_status(a))
			return EXIT_FAILURE;
		fflush(stdout);
	}
	return EXIT_SUCCESS;
}

static const struct action actions[] = {
	{ "status", run_status, false }, { "top", run_top, false }, { "plan", run_plan, true },
	{ "apply", run_apply, false }, { "explain", run_explain, true },
	{ "reload", run_reload, false },
};

static const struct argp_option options[] = {
	{ "socket", OPT_SOCKET, "PATH", 0, "of the controller (" SOCKET ")", 0 },
	{ "json", OPT_JSON, NULL, 0, "the answer as JSON", 0 },
	{ "off", OPT_OFF, NULL, 0, "apply: a dry run from now on", 0 },
	{ "interval", OPT_INTERVAL, "MS", 0, "top: between two looks, 100..3600000 (1000)", 0 },
	{ "count", OPT_COUNT, "N", 0, "top: so many looks, 1..1000000 (until it is stopped)", 0 },
	{ 0 }
};

static u32 number(const char *name, const char *arg, u32 min, u32 max, struct argp_state *state)
{
	char *end;
	unsigned long v = strtoul(arg, &end, 10);

	if (!*arg || *end || *arg == '-' || v < min || v > max)
		argp_error(state, "--%s %s: not a number in %u..%u", name, arg, min, max);
	return (u32)v;
}

static void take_argument(struct args *a, const char *arg, struct argp_state *state)
{
	size_t i;

	if (a->action) {
		if (!a->action->tenant || a->tenant)
			argp_error(state, "%s: no such argument", arg);
		a->tenant = arg;
		return;
	}
	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (!strcmp(arg, actions[i].name))
			a->action = &actions[i];
	if (!a->action)
		argp_error(state, "%s: none of status, top, plan, apply, explain, reload", arg);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case OPT_SOCKET:
		a->socket = arg;
		break;
	case OPT_JSON:
		a->json = true;
		break;
	case OPT_OFF:
		a->off = true;
		break;
	case OPT_INTERVAL:
		a->interval_ms = number("interval", arg, 100, 3600000, state);
		break;
	case OPT_COUNT:
		a->count = number("count", arg, 1, 1000000, state);
		break;
	case ARGP_KEY_ARG:
		take_argument(a, arg, state);
		break;
	case ARGP_KEY_END:
		if (!a->action)
			argp_error(state, "status, top, plan, apply, explain or reload?");
		if (a->off && strcmp(a->action->name, "apply"))
			argp_error(state, "--off: only of apply");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "status|top|plan|apply|explain|reload [TENANT]",
	.doc = "Asks the host controller, ringpace-hostd (docs/host.md).\v"
	"status: tenants, what they have, and what is not as it should be. top: the same again "
	"and again. plan: what comes next. apply: a controller in a dry run acts from now on. "
	"explain: the latest decisions of each tenant, with their reasons, and its table of steps: "
	"what each carries by what was seen, and the idle time above which one less will do. "
	"reload: it reads its file again.\n\nExample:\n\n  ringpace host explain web",
};

static int run(int argc, char **argv)
{
	struct args a = { .socket = SOCKET, .interval_ms = 1000 };
	int rc;

	argp_parse(&argp, argc, argv, 0, NULL, &a);
	catch_signals();
	if (ctl_open(&a.ctl, a.socket, 0) < 0)
		return EXIT_FAILURE;
	rc = a.action->run(&a);
	ctl_close(&a.ctl);
	return stopped() ? EXIT_STOPPED : rc;
}

const struct cmd cmd_host = { "host", "ask the host controller, and have it act", run };
