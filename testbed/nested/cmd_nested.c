// SPDX-License-Identifier: GPL-2.0-or-later
/* `ringpace nested`: emulated KVM hosts that stay until the user ends them. */
#include <argp.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "json.h"
#include "nested/state.h"

enum { OPT_NAME = 256, OPT_COLD, OPT_TIMEOUT, OPT_JSON };

#define TIMEOUT_MAX_S	86400

static const struct argp_option options[] = {
	{ "name", OPT_NAME, "NAME", 0, "which one, of several (default)", 0 },
	{ "cold", OPT_COLD, NULL, 0, "up: boot it, whether there is a snapshot or not", 0 },
	{ "timeout", OPT_TIMEOUT, "SECONDS", 0,
	  "exec: end the command after so many seconds, with exit code 124 (no limit)", 0 },
	{ "json", OPT_JSON, NULL, 0, "up, status: JSON, times in ms", 0 },
	{ 0 }
};

struct args;

struct action {
	const char *name;
	int (*run)(struct args *a);	/* returns the exit code */
};

struct args {
	const struct action *action;
	struct nested_config up;
	u32 timeout_s;
	bool json;
	char **command;		/* of exec; ends with NULL */
};

static int exit_code(int rc)
{
	return !rc ? 0 : stopped() ? EXIT_STOPPED : 1;
}

static json_t *to_json(const struct nested *n)
{
	return json_pack("{s:s, s:s, s:i, s:i, s:i, s:b, s:s}", "name", n->name, "state",
			 n->pid ? "up" : nested_qemu(n) ? "starting" : "dead", "pid", n->pid, "port", n->port, "boot_ms",
			 n->boot_ms, "restored", n->restored, "dir", n->dir);
}

static int do_up(struct args *a)
{
	struct nested n;

	a->up.progress = isatty(STDERR_FILENO);
	if (nested_up(&n, &a->up))
		return exit_code(-1);
	if (a->json)
		json_print(to_json(&n), stdout);
	else
		printf("%s is up after %.1f s, %s; log %s/serial.log\n", n.name, n.boot_ms / 1e3,
		       n.restored ? "from the snapshot" : "booted", n.dir);
	return 0;
}

static int do_down(struct args *a)
{
	return exit_code(nested_down(a->up.name));
}

static int do_exec(struct args *a)
{
	char *line = nested_quote(a->command);
	struct nested n;
	int rc = NESTED_EXIT_OURS;

	if (line && !nested_find(&n, a->up.name))
		rc = nested_exec(&n, line, a->timeout_s);
	free(line);
	return rc;
}

static int do_shell(struct args *a)
{
	struct nested n;

	if (!nested_find(&n, a->up.name))
		nested_shell(&n);
	return 1;
}

static int do_hold(struct args *a)
{
	return exit_code(nested_hold());
}

/* All of them; names with a dot are not theirs. */
static json_t *all(void)
{
	const char *root = nested_root();
	DIR *d = root ? opendir(root) : NULL;
	json_t *list = json_array();
	struct dirent *e;
	struct nested n;

	while (d && (e = readdir(d)))
		if (!nested_name_check(e->d_name) && nested_load(&n, e->d_name))
			json_array_append_new(list, to_json(&n));
	if (d)
		closedir(d);
	return list;
}

static int do_status(struct args *a)
{
	static const char *const columns[] = { "name", "state", "pid", "port", "boot_ms", "dir" };
	const u32 n = sizeof(columns) / sizeof(columns[0]);
	json_t *list = all(), *one, *v;
	struct table *t = table_new(n);
	size_t at;
	u32 i;

	for (i = 0; i < n; i++)
		table_cell(t, "%s", columns[i]);
	json_array_foreach(list, at, one) {
		for (i = 0; i < n; i++) {
			v = json_object_get(one, columns[i]);
			if (json_is_integer(v))
				table_cell(t, "%lld", (long long)json_integer_value(v));
			else
				table_cell(t, "%s", json_string_value(v));
		}
	}
	if (a->json)
		json_print(list, stdout);
	else
		table_print(t, stdout);
	if (!a->json)
		json_decref(list);
	table_free(t);
	return 0;
}

static const struct action actions[] = {
	{ "up", do_up }, { "down", do_down }, { "exec", do_exec }, { "shell", do_shell },
	{ "status", do_status }, { "hold", do_hold },
};

static const struct action *find_action(struct argp_state *state, const char *name)
{
	u32 i;

	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (!strcmp(actions[i].name, name))
			return &actions[i];
	argp_error(state, "%s: not one of up, down, exec, shell, status", name);
	return NULL;
}

static u32 seconds(struct argp_state *state, const char *arg)
{
	char *end;
	unsigned long v = strtoul(arg, &end, 10);

	if (*arg < '0' || *arg > '9' || *end || !v || v > TIMEOUT_MAX_S)
		argp_error(state, "--timeout %s: not a number of seconds from 1 to %d", arg,
			   TIMEOUT_MAX_S);
	return (u32)v;
}

static const char *instance(struct argp_state *state, const char *arg)
{
	const char *why = nested_name_check(arg);

	if (why)
		argp_error(state, "--name %s: %s", arg, why);
	return arg;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case OPT_NAME: a->up.name = instance(state, arg); break;
	case OPT_COLD: a->up.cold = true; break;
	case OPT_TIMEOUT: a->timeout_s = seconds(state, arg); break;
	case OPT_JSON: a->json = true; break;
	case ARGP_KEY_ARG:
		if (a->action)
			argp_error(state, "%s: one argument too many; a command goes after --", arg);
		a->action = find_action(state, arg);
		break;
	case ARGP_KEY_END:
		if (!a->action)
			argp_error(state, "what to do? up, down, exec, shell or status");
		else if ((a->action->run == do_exec) != !!a->command)
			argp_error(state, "a command goes with exec, after --");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "up|down|shell|status\nexec -- COMMAND [ARGUMENT...]",
	.doc = "Emulated KVM hosts (L1): KVM, vhost with vhost_pc.ko, libvirt and perf, on any "
	"machine.\v"
	"up starts one: the first takes a snapshot of a booted one, which the next go on from "
	"until this machine boots again. exec runs a command there, with stdin, stdout, stderr "
	"and its exit code (125: Ringpace failed, 124: --timeout), shell is interactive, down "
	"ends it and removes its files. What was built here is in /opt/ringpace. hold is for up, "
	"in L1: it keeps a VM there that never runs (docs/nested.md).\n\n"
	"Example:\n\n"
	"  ringpace nested up\n"
	"  ringpace nested exec --timeout 60 -- perf stat -e 'kvm:*' sleep 1\n"
	"  ringpace nested exec -- sh -c 'lsmod | grep vhost'\n"
	"  ringpace nested down\n\n"
	"All of it is emulated: compare counts and ratios, never times.",
};

/* Cuts "-- COMMAND..." off, for argp would permute its words. */
static int cut_command(int argc, char **argv, struct args *a)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--"))
			continue;
		if (i + 1 < argc)
			a->command = argv + i + 1;
		return i;
	}
	return argc;
}

static int run(int argc, char **argv)
{
	struct args a = { .up.name = NESTED_NAME };

	argc = cut_command(argc, argv, &a);
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	catch_signals();
	return a.action->run(&a);
}

const struct cmd cmd_nested = {
	.name = "nested",
	.summary = "emulated KVM hosts: up, down, exec, shell, status",
	.run = run,
};
