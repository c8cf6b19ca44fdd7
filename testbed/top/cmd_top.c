// SPDX-License-Identifier: GPL-2.0-or-later
/* `ringpace top`: live queues of daemons and of the kernel. */
#include <argp.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "model_args.h"
#include "top/top.h"

enum { OPT_SOCKET = 256, OPT_INTERVAL, OPT_SORT, OPT_ONCE, OPT_JSON };

static const struct argp_option options[] = {
	{ "socket", OPT_SOCKET, "PATH", 0, "a ringpaced's control socket; may be repeated. Without it, of all daemons that run here, and the devices of vhost_pc.ko", 0 },
	{ "interval-ms", OPT_INTERVAL, "MS", 0, "between samples, 50..3600000 ms (1000)", 0 },
	{ "sort", OPT_SORT, "COLUMN", 0, "queue (default), strategy, regime, mode, wait, window, items_per_s, kicks_per_s, calls_per_s, batch, p98_ns, dmax_ns, late, cpu, t_ns, predicted_t_ns", 0 },
	{ "once", OPT_ONCE, NULL, 0, "one table, of one interval, and end", 0 },
	{ "json", OPT_JSON, NULL, 0, "one object a line, every interval; what is not known is null", 0 },
	{ 0 }
};

struct args {
	struct top top;
	u64 interval_ns;
	u32 sort;
	bool once, json;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;
	int column;

	switch (key) {
	case OPT_SOCKET:
		if (top_add(&a->top, arg))
			return EINVAL;
		break;
	case OPT_INTERVAL:
		a->interval_ns = opt_number(state, "interval-ms", arg, 3600000) * 1000000;
		if (a->interval_ns < 50000000)
			argp_error(state, "--interval-ms %s: less than 50 ms", arg);
		break;
	case OPT_SORT:
		column = top_column_by_key(arg);
		if (column < 0)
			argp_error(state, "--sort %s: there is no such column", arg);
		a->sort = (u32)column;
		break;
	case OPT_ONCE:
		a->once = true;
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

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Shows what the queues of running virtio-pc devices do, on the host's side: on a "
	"terminal a screen with keys, else a table every interval.\v"
	"Columns: QUEUE device:queue, > fwd, < rev; REG regime and MODE of the strategy; Y|k length of "
	"its sleeps, or threshold of its blocks; WIN window, items; ITEMS, KICK, CALL items, kicks "
	"and calls per second; b items per kick, call or sleep of the host; P98 latency since the "
	"statistics' reset, DMAX its bound, LATE% items above it in this interval; CPU% of the "
	"host's thread/of the driver; T time per item, MODEL as the strategy predicts it. Times end in n, "
	"u, m: ns, us, ms.\n\n"
	"Keys: q quit, p pause, < and > sort by another column, r reverse, arrows and pages scroll.\n\n"
	"Example:\n\n"
	"  ringpace top --interval-ms 500 --sort items_per_s",
};

static void print(const struct args *a)
{
	static bool again;

	if (a->json) {
		top_print_json(&a->top, a->interval_ns, stdout);
		return;
	}
	if (again)
		putchar('\n');
	again = true;
	top_print(&a->top, stdout);
}

/* Says once what is wrong, and again when it is something else. */
static void complain(const struct args *a)
{
	static char said[256];
	const char *error = top_error(&a->top) ?: "";

	if (error[0] && strcmp(error, said))
		fail("%s", error);
	snprintf(said, sizeof(said), "%s", error);
}

/* With --once nothing to show is a failure. */
static int nothing(const struct args *a)
{
	if (a->top.n)
		return 0;
	if (!top_error(&a->top))
		fail("no queue is in use: no ringpaced with --control that serves a driver, nor a "
		     "device of vhost_pc.ko, can be seen by this user");
	return 1;
}

static int stream(struct args *a)
{
	u64 next = now_ns();

	top_sample(&a->top);
	complain(a);
	do {
		next += a->interval_ns;
		while (now_ns() < next && !stopped())
			nap_ms((u32)((next - now_ns()) / 1000000) + 1);
		if (stopped())
			return EXIT_STOPPED;
		top_sample(&a->top);
		top_sort(&a->top, a->sort, false);
		complain(a);
		if (a->once && nothing(a))
			return 1;
		print(a);
		if (ferror(stdout))
			return 1;	/* whoever read it has gone */
	} while (!a->once);
	return 0;
}

static int run(int argc, char **argv)
{
	struct args a = { .interval_ns = NSEC_PER_SEC };
	int rc = EXIT_USAGE;

	top_init(&a.top);
	if (!argp_parse(&argp, argc, argv, 0, NULL, &a)) {
		catch_signals();
		if (!a.once && !a.json && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
			rc = top_screen(&a.top, a.interval_ns, a.sort);
		else
			rc = stream(&a);
	}
	top_free(&a.top);
	return rc;
}

const struct cmd cmd_top = {
	.name = "top",
	.summary = "live queues: pace, rates, latency, CPU",
	.run = run,
};
