// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `ringpace serve`: experiments for another ringpace, which asks for them on
 * stdin and gets on stdout what each side said (the nested lane). One process
 * for all of them, so that a VM is booted once.
 */
#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "ctl.h"
#include "ctl/envelope.h"
#include "json.h"
#include "run_args.h"

#define WAIT_MS		3600000u	/* then it looks whether there is anybody */

/* The request's "args" as argv of `ringpace run`; freed by the caller. NULL: no such thing. */
static char **to_argv(const json_t *args, int *argc)
{
	size_t n = json_array_size(args), i;
	char **argv = calloc(n + 2, sizeof(*argv));

	if (!argv)
		abort();
	argv[0] = "ringpace run";
	for (i = 0; i < n; i++) {
		argv[i + 1] = (char *)json_string_value(json_array_get(args, i));
		if (!argv[i + 1]) {
			free(argv);
			return NULL;
		}
	}
	*argc = (int)n + 1;
	return argv;
}

/* Wrong options end this process, as they would end `ringpace run`. */
static json_t *run_one(const json_t *args)
{
	struct run_sides s = { .lost_at_end = UNKNOWN };
	struct run_params p;
	char **argv;
	json_t *v = NULL;
	int argc, rc;

	argv = to_argv(args, &argc);
	if (!argv)
		return NULL;
	run_params_default(&p);
	argp_parse(&run_argp, argc, argv, 0, NULL, &p);
	p.progress = false;
	rc = run_args_check(&p) ? -1 : p.lane->run(&p, &s);
	if (!rc)
		v = run_sides_json(&s);
	run_sides_free(&s);
	free(argv);
	return v;
}

static void answer(const json_t *request)
{
	const json_t *args = json_object_get(request, "args");
	const char *cmd = json_string_value(json_object_get(request, "cmd"));
	const struct ctl_error e = { .code = "failed", .message = "its reason is above" };

	json_print(ctl_reply(json_object_get(request, "id"),
			     cmd && !strcmp(cmd, "run") ? run_one(args) : NULL, &e), stdout);
	fflush(stdout);
}

static const struct argp argp = {
	.doc = "Does experiments for another ringpace: one request a line on stdin, one answer a "
	"line on stdout, until stdin ends. What the lane nested runs inside its host.\v"
	"Example:\n\n"
	"  echo '{\"v\":1,\"id\":1,\"cmd\":\"run\",\"args\":[\"--duration-s\",\"0.1\"]}' | "
	"ringpace serve",
};

static int run(int argc, char **argv)
{
	json_t *request;
	struct ctl in;

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	catch_signals();
	ctl_attach(&in, dup(STDIN_FILENO), "stdin");
	while ((request = ctl_next(&in, WAIT_MS))) {
		answer(request);
		json_decref(request);
	}
	ctl_close(&in);
	return stopped() ? EXIT_STOPPED : 0;
}

const struct cmd cmd_serve = {
	.name = "serve",
	.summary = "do experiments for another ringpace (the nested lane)",
	.run = run,
};
