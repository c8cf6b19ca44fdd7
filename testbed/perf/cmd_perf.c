// SPDX-License-Identifier: GPL-2.0-or-later
/* `ringpace perf`: notification rates from outside, beside the device's own counters. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd.h"
#include "json.h"
#include "nested/nested.h"
#include "perf/attach.h"
#include "perf/stat.h"
#include "perf/watch.h"
#include "run_args.h"

enum { OPT_ATTACH = RUN_ARGS_KEYS, OPT_JSON };

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "What runs already:", 5 },
	{ "attach", OPT_ATTACH, "SOCKET|DOMAIN", 0,
	  "count on the ringpaced with this control socket, or on this libvirt domain, or on "
	  "both (given twice), for --duration-s seconds", 0 },
	{ NULL, 0, NULL, 0, "Output:", 6 },
	{ "json", OPT_JSON, NULL, 0, "one JSON object; what was not counted is null", 0 },
	{ 0 }
};

struct args {
	struct run_params run;
	const char *socket, *domain;
	bool json;
};

static bool is_socket(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISSOCK(st.st_mode);
}

static void attach_to(struct argp_state *state, struct args *a, const char *what)
{
	bool socket = is_socket(what);
	const char **to = socket ? &a->socket : &a->domain;

	if (!socket && strchr(what, '/'))
		argp_error(state, "--attach %s: no such socket", what);
	if (*to)
		argp_error(state, "--attach %s: one %s only", what, socket ? "socket" : "domain");
	*to = what;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->run;
		break;
	case OPT_ATTACH:
		attach_to(state, a, arg);
		break;
	case OPT_JSON:
		a->json = true;
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: no such argument", arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_child children[] = { { .argp = &run_argp }, { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.doc = "Runs an experiment as `ringpace run` does, counts its notifications by perf at the "
	"same time, and compares both with what the device counted itself. Needs root and "
	"linux-perf.\v"
	"Example, a fast consumer that is notified:\n\n"
	"  ringpace perf --strategy notify --wp-ns 6000 --wc-ns 1000\n\n"
	"and ten seconds of a daemon that serves a VM:\n\n"
	"  ringpace perf --attach /tmp/rp.ctl --attach ringpace-t1 --duration-s 10\n\n"
	"Counts are totals of one window, /s are events per second of it. A watched run has no "
	"warm-up. What differs by more than 2 % is named.",
};

static void print(const struct args *a, const struct perf_watch *w, const struct run_result *r)
{
	struct table *t;
	json_t *v;

	if (a->json) {
		v = perf_watch_json(w);
		json_object_set_new(v, "run", r ? run_result_json(r) : json_null());
		json_print(v, stdout);
		return;
	}
	if (r) {
		t = run_table();
		run_table_row(t, r);
		table_print_turned(t, stdout);
		table_free(t);
		printf("\n");
	}
	perf_watch_print(w, stdout);
}

static int attach(const struct args *a, struct perf_watch *w)
{
	struct attached at;
	int rc;

	rc = attached_open(&at, a->socket, a->domain) || w->watch.begin(&w->watch, &at.scene) ||
	     !nap_ms((u32)(a->run.duration_ns / 1000000)) ||
	     w->watch.end(&w->watch, &at.scene, NULL) ? -1 : 0;
	attached_close(&at);
	if (!rc)
		print(a, w, NULL);
	return rc;
}

static int experiment(struct args *a, struct perf_watch *w)
{
	struct run_result r;

	a->run.watch = &w->watch;
	if (run_experiment(&a->run, &r))
		return -1;
	print(a, w, &r);
	return 0;
}

/* What the nested host has is looked for there, and what it writes stays there. */
static const char *nested_why_not(const struct args *a)
{
	if (a->socket || a->domain)
		return "--attach: what runs in the nested host is seen there only; ringpace nested "
		       "exec -- ringpace perf --attach ...";
	if (a->run.keep_trace)
		return "--keep-trace: the file would be in the nested host; ringpace run --lane "
		       "nested brings it";
	return NULL;
}

/* The same command in the nested host, where the device, KVM and perf are. */
static int run_nested(const struct args *a, int argc, char **argv)
{
	char **there = calloc((size_t)argc + 4, sizeof(*there));
	int n = 0, i, rc;

	if (!there)
		return -fail("out of memory");
	there[n++] = "env";
	there[n++] = "RINGPACE_ACCEL=kvm";
	there[n++] = NESTED_BUILT "/ringpace";
	there[n++] = "perf";
	for (i = 1; i < argc; i++)
		there[n++] = argv[i];
	rc = lane_nested_exec(there, a->run.progress);
	free(there);
	return rc > 1 && rc != EXIT_STOPPED ? 1 : rc;
}

static int run(int argc, char **argv)
{
	struct args a = { 0 };
	struct perf_watch w;
	const char *why;
	bool live;
	int rc;

	run_params_default(&a.run);
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	live = a.socket || a.domain;
	rc = live ? 0 : run_args_check(&a.run);
	if (rc)
		return rc;
	if (a.run.lane == &lane_nested && !nested_inside()) {
		why = nested_why_not(&a);
		if (why) {
			fail("%s", why);
			return EXIT_USAGE;
		}
		catch_signals();
		return run_nested(&a, argc, argv);
	}
	why = perf_why_not();
	if (why)
		return -fail("%s", why);
	catch_signals();
	perf_watch_init(&w, live);
	rc = live ? attach(&a, &w) : experiment(&a, &w);
	perf_watch_free(&w);
	return !rc ? 0 : stopped() ? EXIT_STOPPED : 1;
}

const struct cmd cmd_perf = {
	.name = "perf",
	.summary = "notification rates from outside, beside the device's own",
	.run = run,
};
