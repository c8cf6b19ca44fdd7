// SPDX-License-Identifier: GPL-2.0-or-later
/* `ringpace dataplane`: the guest's dataplane, started, asked, ordered and stopped. */
#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "dataplane/service.h"
#include "json.h"
#include "model_args.h"

#define SETTLE_NS	(60 * NSEC_PER_SEC)

enum {
	OPT_LANE = 256, OPT_DIR, OPT_JSON, OPT_THREADS, OPT_GROUPS, OPT_TAP, OPT_TO,
	OPT_PASSED,	/* the first of those that are rp-dataplane's */
};

/* Of `start`, as rp-dataplane has them. */
static const char *const passed[] = {
	"app", "batch", "sleep-ns", "dmax-ns", "cpus", "stall-ms", "serial", "address", "gateway",
	"inside", "listen", "http-root", "routes", "queue-len",
};

#define PASSED	(sizeof(passed) / sizeof(passed[0]))

struct args;

struct action {
	const char *name;
	int (*run)(struct args *a);
};

struct args {
	const struct action *action;
	const char *lane, *dir, *groups_text, *tap;
	bool json;
	u32 threads, groups;
	s32 to;
	const char *number;	/* `threads N` */
	char *more[2 * PASSED + 1];
	u32 more_count;
	char option[PASSED][16];
	struct service service;
	struct ctl ctl;
};

/* ---- Orders ---- */

static json_t *order(struct args *a, const char *cmd, json_t *args)
{
	return ctl_call(&a->ctl, cmd, args, SERVICE_TIMEOUT_MS);
}

static int open_control(struct args *a)
{
	if (!service_runs(&a->service))
		return fail("dataplane: none runs in %s: `ringpace dataplane start`",
			    a->service.dir);
	if (ctl_open(&a->ctl, service_path(&a->service, "dataplane.ctl"), SERVICE_TIMEOUT_MS))
		return -1;
	/* By virtio-serial a reply to who was there before us may come first: other numbers. */
	a->ctl.next_id = (u32)getpid() % 1000000 * 1000;
	return 0;
}

/* `moves` once no group is on its way; NULL after fail(). */
static json_t *settled(struct args *a)
{
	u64 end = now_ns() + SETTLE_NS;

	for (;;) {
		json_t *v = order(a, "status", NULL);
		json_t *moves = json_incref(json_object_get(v, "moves"));

		json_decref(v);
		if (!moves || !json_number_at(moves, "under_way"))
			return moves;
		json_decref(moves);
		if (now_ns() > end) {
			fail("dataplane: flow groups are still on their way; `ringpace dataplane "
			     "status` shows them");
			return NULL;
		}
		if (!nap_ms(1))
			return NULL;
	}
}

/* Orders moves and awaits their end. */
static int move(struct args *a, const char *cmd, json_t *args)
{
	json_t *v = order(a, cmd, args), *moves;
	double ordered = json_number_at(v, "ordered");

	json_decref(v);
	moves = v ? settled(a) : NULL;
	if (!moves)
		return -1;
	if (a->json)
		json_print(json_pack("{s:o, s:O}", "ordered", json_number_or_null(ordered, 0),
				     "moves", moves), stdout);
	else
		printf("%.0f flow groups have moved\n", ordered);
	json_decref(moves);
	return 0;
}

/* ---- Actions ---- */

static int do_start(struct args *a)
{
	const struct service_options o = {
		.vm = !strcmp(a->lane, "vm"), .threads = a->threads, .groups = a->groups,
		.tap = a->tap, .more = a->more,
	};
	const char *end;

	if (service_start(&a->service, &o))
		return -1;
	end = a->tap ? : service_path(&a->service, "a.sock");
	if (a->json)
		json_print(json_pack("{s:b, s:s, s:s, s:s, s:s, s:i, s:i}", "running", 1, "lane",
				     a->lane, "dir", a->service.dir,
				     a->tap ? "tap" : "socket", end,
				     "control", service_path(&a->service, "dataplane.ctl"),
				     "threads", (int)a->threads, "groups", (int)a->groups), stdout);
	else
		printf("the dataplane runs; its other end is the %s %s\n",
		       a->tap ? "tap" : "vhost-user port", end);
	return 0;
}

static int do_stop(struct args *a)
{
	bool ran = service_runs(&a->service);

	if (service_stop(&a->service))
		return -1;
	if (a->json)
		json_print(json_pack("{s:b, s:b}", "running", 0, "ran", (int)ran), stdout);
	else
		puts(ran ? "the dataplane has ended" : "no dataplane ran");
	return 0;
}

static void print_row(struct table *t, const json_t *thread, const json_t *load)
{
	const json_t *avg = json_object_get(load, "delay_ns_avg");

	table_number(t, json_number_at(thread, "thread"), 0);
	table_cell(t, "%s", json_is_true(json_object_get(thread, "ended")) ? "ended" :
		   json_is_true(json_object_get(thread, "parked")) ? "parked" :
		   json_is_true(json_object_get(load, "resting")) ? "rests" : "runs");
	table_number(t, json_number_at(thread, "groups"), 0);
	table_number(t, json_number_at(thread, "processed"), 0);
	table_number(t, json_number_at(load, "queue"), 0);
	table_number(t, json_number_at(load, "tau_ns"), 0);
	table_number(t, json_number_at(load, "idle_ppm") / 1e4, 1);
	table_number(t, (double)json_integer_value(json_array_get(avg, 1)), 0);
}

static void print_status(const json_t *status, const json_t *load)
{
	static const char *const head[] = {
		"thread", "state", "groups", "packets", "queue", "tau_ns", "idle_%", "delay_ns",
	};
	const json_t *moves = json_object_get(status, "moves"), *thread;
	struct table *t = table_new(8);
	size_t i;

	for (i = 0; i < 8; i++)
		table_cell(t, "%s", head[i]);
	json_array_foreach(json_object_get(status, "threads"), i, thread)
		print_row(t, thread, json_array_get(json_object_get(load, "threads"), i));
	table_print(t, stdout);
	table_free(t);
	printf("%s; wait: %s; flow groups: %.0f moved, %.0f on their way; "
	       "%.0f packets dropped by moves\n",
	       json_string_value(json_object_get(status, "app")),
	       json_string_value(json_object_get(status, "wait")), json_number_at(moves, "done"),
	       json_number_at(moves, "under_way"), json_number_at(moves, "dropped"));
}

static int do_status(struct args *a)
{
	json_t *status, *load;
	int rc = -1;

	if (!service_runs(&a->service)) {
		if (a->json)
			json_print(json_pack("{s:b}", "running", 0), stdout);
		else
			printf("no dataplane runs in %s\n", a->service.dir);
		return 0;
	}
	if (open_control(a))
		return -1;
	status = order(a, "status", NULL);
	load = order(a, "telemetry", json_pack("{s:b}", "groups", (int)a->json));
	if (status && load) {
		rc = 0;
		if (a->json)
			json_print(json_pack("{s:b, s:s, s:O, s:O}", "running", 1, "dir",
					     a->service.dir, "status", status, "telemetry", load),
				   stdout);
		else
			print_status(status, load);
	}
	json_decref(status);
	json_decref(load);
	return rc;
}

static int do_threads(struct args *a)
{
	return open_control(a) ? -1 : move(a, "threads", json_pack("{s:i}", "threads",
								  (int)a->threads));
}

/* "1,5-9" as a list; NULL: it is none. */
static json_t *list_of(const char *text)
{
	json_t *list = json_array();
	char *end;

	do {
		unsigned long from = strtoul(text, &end, 10), to = from;

		if (end == text || from > 65535)
			break;
		text = end;
		if (*text == '-')
			to = strtoul(text + 1, &end, 10);
		if (to < from || to > 65535)
			break;
		text = end;
		for (; from <= to; from++)
			json_array_append_new(list, json_integer((json_int_t)from));
	} while (*text == ',' && *++text);
	if (!*text && json_array_size(list))
		return list;
	json_decref(list);
	return NULL;
}

static int do_migrate(struct args *a)
{
	return open_control(a) ? -1 :
		move(a, "migrate", json_pack("{s:o, s:i}", "groups", list_of(a->groups_text), "to",
					     (int)a->to));
}

static const struct action actions[] = {
	{ "start", do_start },
	{ "stop", do_stop },
	{ "status", do_status },
	{ "threads", do_threads },
	{ "migrate", do_migrate },
};

/* ---- The command line ---- */

static const struct argp_option options[] = {
	{ "dir", OPT_DIR, "PATH", 0, "where sockets and logs are ($XDG_RUNTIME_DIR/"
	  "ringpace-dataplane, or /tmp/ringpace-dataplane-UID)", 0 },
	{ "json", OPT_JSON, NULL, 0, "one JSON object", 0 },
	{ NULL, 0, NULL, 0, "Of start:", 2 },
	{ "lane", OPT_LANE, "NAME", 0, "native (at first): rp-dataplane is a process; vm: it is in "
	  "a VM with a CPU for each thread", 0 },
	{ "threads", OPT_THREADS, "N", 0, "threads, 1 to 64 (2)", 0 },
	{ "groups", OPT_GROUPS, "N", 0, "flow groups: 128 (at first), 256 or 512; of migrate: "
	  "which ones, 1,5-9", 0 },
	{ "tap", OPT_TAP, "NAME", 0, "the other end is this tap of the host's, which is made, and "
	  "not a vhost-user socket", 0 },
	{ "app", OPT_PASSED, "NAME", 0, "reflect (at first), udp-echo, ...: see rp-dataplane "
	  "--help", 0 },
	{ "batch", OPT_PASSED + 1, "N", 0, "B, most packets of a turn, 1 to 64 (32)", 0 },
	{ "sleep-ns", OPT_PASSED + 2, "NS", 0, "an idle thread sleeps so long; 0: it spins (50000)",
	  0 },
	{ "dmax-ns", OPT_PASSED + 3, "NS", 0, "or it adapts, within this latency", 0 },
	{ "cpus", OPT_PASSED + 4, "LIST", 0, "a CPU for each thread: 2,4-6", 0 },
	{ "stall-ms", OPT_PASSED + 5, "MS", 0, "a thread that does not answer for so long in a "
	  "move has stalled (100)", 0 },
	{ "serial", OPT_PASSED + 6, "DEVICE", 0, "take orders from this device, too", 0 },
	{ "address", OPT_PASSED + 7, "A.B.C.D/BITS", 0, "its address, of applications that have one",
	  0 },
	{ "gateway", OPT_PASSED + 8, "A.B.C.D", 0, "to other networks", 0 },
	{ "inside", OPT_PASSED + 9, "A.B.C.D/BITS", 0, "of nat: its address there", 0 },
	{ "listen", OPT_PASSED + 10, "PORT", 0, "of TCP's servers: their port", 0 },
	{ "http-root", OPT_PASSED + 11, "DIR", 0, "of http: what is below it is served; a VM gets "
	  "a copy of the files, at most 64 MiB", 0 },
	{ "routes", OPT_PASSED + 12, "FILE", 0, "of forward: a prefix and the MAC of its next hop "
	  "in each line", 0 },
	{ "queue-len", OPT_PASSED + 13, "SLOTS", 0, "of each ring, a power of two in 64..4096 "
	  "(1024, and at most that in a VM)", 0 },
	{ NULL, 0, NULL, 0, "Of migrate:", 3 },
	{ "to", OPT_TO, "THREAD", 0, "whereto", 0 },
	{ 0 }
};

static void take_argument(struct args *a, struct argp_state *state, const char *arg)
{
	u32 i;

	if (a->action && !strcmp(a->action->name, "threads") && !a->number) {
		a->number = arg;
		return;
	}
	if (a->action)
		argp_error(state, "%s: one argument too many", arg);
	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (!strcmp(arg, actions[i].name))
			a->action = &actions[i];
	if (!a->action)
		argp_error(state, "%s: not one of start, stop, status, threads, migrate", arg);
}

static void check_migrate(struct args *a, struct argp_state *state)
{
	json_t *list = a->groups_text ? list_of(a->groups_text) : NULL;

	if (!list || a->to < 0)
		argp_error(state, "migrate: which groups, and whereto? --groups 1,5-9 --to 2");
	json_decref(list);
}

static void check(struct args *a, struct argp_state *state)
{
	if (!a->action)
		argp_error(state, "what to do? start, stop, status, threads or migrate");
	if (strcmp(a->lane, "native") && strcmp(a->lane, "vm"))
		argp_error(state, "--lane %s: native or vm", a->lane);
	if (a->action->run == do_threads) {
		if (!a->number)
			argp_error(state, "threads: how many? `threads 2`");
		a->threads = (u32)opt_number(state, "threads", a->number, 64);
	}
	if (!a->threads || a->threads > 64)
		argp_error(state, "threads: 1 to 64, not %u", a->threads);
	if ((a->more_count || a->tap) && a->action->run != do_start)
		argp_error(state, "%s is for start, not for %s", a->more[0] ? : "--tap",
			   a->action->name);
	if (a->action->run == do_migrate) {
		check_migrate(a, state);
	} else if (a->groups_text) {
		a->groups = (u32)opt_number(state, "groups", a->groups_text, 512);
		if (a->groups < 128 || a->groups & (a->groups - 1))
			argp_error(state, "--groups: 128, 256 or 512, not %u", a->groups);
	}
}

static void pass(struct args *a, u32 i, char *arg)
{
	snprintf(a->option[i], sizeof(a->option[i]), "--%s", passed[i]);
	/* Given twice, the last one counts. */
	if (a->more_count + 2 > 2 * PASSED)
		return;
	a->more[a->more_count++] = a->option[i];
	a->more[a->more_count++] = arg;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	if (key >= OPT_PASSED && key < OPT_PASSED + (int)PASSED) {
		pass(a, (u32)(key - OPT_PASSED), arg);
		return 0;
	}
	switch (key) {
	case OPT_LANE: a->lane = arg; break;
	case OPT_DIR: a->dir = arg; break;
	case OPT_JSON: a->json = true; break;
	case OPT_THREADS: a->threads = (u32)opt_number(state, "threads", arg, 64); break;
	case OPT_GROUPS: a->groups_text = arg; break;
	case OPT_TAP: a->tap = arg; break;
	case OPT_TO: a->to = (s32)opt_number(state, "to", arg, 63); break;
	case ARGP_KEY_ARG: take_argument(a, state, arg); break;
	case ARGP_KEY_END: check(a, state); break;
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options, .parser = parse,
	.args_doc = "start|stop|status|threads N|migrate",
	.doc = "The guest's dataplane (docs/dataplane.md): a ringpaced with two linked ports, and "
	       "rp-dataplane at one of them, as a process or in a VM; a guest, or a frontend of any "
	       "kind, connects to the other one. Both run on until stop. threads and migrate return "
	       "when the flow groups have moved.\vExample:\n\n  ringpace dataplane start "
	       "--threads 4 --app udp-echo\n  ringpace dataplane threads 2\n  ringpace dataplane "
	       "migrate --groups 0-15 --to 1\n  ringpace dataplane status --json\n  ringpace "
	       "dataplane stop\n\nIn a VM, with the host at a tap:\n\n  ringpace dataplane start "
	       "--lane vm --tap tap0 --app echo \\\n      --address 10.0.0.2/24\n  ip addr add "
	       "10.0.0.1/24 dev tap0; ip link set tap0 up",
};

static int run(int argc, char **argv)
{
	struct args a = { .lane = "native", .threads = 2, .groups = 128, .to = -1, .ctl.fd = -1 };
	int rc;

	argp_parse(&argp, argc, argv, 0, NULL, &a);
	catch_signals();
	if (service_in(&a.service, a.dir))
		return 1;
	rc = a.action->run(&a);
	if (a.ctl.fd >= 0)
		ctl_close(&a.ctl);
	return !rc ? 0 : stopped() ? EXIT_STOPPED : 1;
}

const struct cmd cmd_dataplane = {
	.name = "dataplane",
	.summary = "the guest's dataplane: start, stop, threads, moves of flow groups",
	.run = run,
};
