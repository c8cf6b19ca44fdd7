// SPDX-License-Identifier: GPL-2.0-or-later
/* `ringpace ctl`: orders to the host's side of devices, in a daemon or in the kernel. */
#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "ctl_print.h"
#include "ctl_rss.h"
#include "json.h"
#include "model_args.h"
#include "orders.h"
#include "pacing/work.h"
#include "virtio_pc.h"

#define ANSWER_MS	30000

enum {
	OPT_SOCKET = 256, OPT_VHOST, OPT_DEVICE, OPT_SWITCH, OPT_QUEUE, OPT_JSON,
	OPT_SETTING,	/* the first of the options in settings[] */
};

struct args;

struct action {
	const char *name;
	enum { OF_ALL, OF_QUEUE, OF_SWITCH, OF_PORT } of;	/* what it takes */
	int (*run)(struct args *a);
};

struct args {
	const struct action *action;
	const char *socket, *device, *sw;
	bool kernel, json;
	u32 queue;
	json_t *settings;	/* arguments of the order */
	struct orders orders;
};

/* ---- Options that are arguments of an order ---- */

enum kind { NUMBER, CPU, STRATEGY, WORK, ON_OFF, TEXT, NAMES, TABLE, ENTRIES };

static const struct setting {
	const char *option, *arg, *key, *action;
	enum kind kind;
	u64 max;
	const char *doc;
} settings[] = {
	{ "strategy", "NAME", "strategy", "set", STRATEGY, 0, "what the host's party does when it cannot go on: notify, sleep, busy, ..." },
	{ "w-ns", "NS", "w_ns", "set", NUMBER, NSEC_PER_SEC, "work per item, ns" },
	{ "w-dist", "const|exp", "w_dist", "set", WORK, 0, "work of each item is W, or exponential around it" },
	{ "y-ns", "NS", "y_ns", "set", NUMBER, NSEC_PER_SEC, "length of a sleep, ns" },
	{ "dmax-ns", "NS", "dmax_ns", "set", NUMBER, NSEC_PER_SEC, "D_MAX, bound of the p98 latency, ns; 0: none" },
	{ "cpu-cap", "PERCENT", "cpu_cap_percent", "set", NUMBER, 100, "most CPU time of the party; 0: no limit" },
	{ "k", "ITEMS", "k", "set", NUMBER, VIRTIO_PC_QUEUE_MAX, "threshold of the notifications to the host; 0: the default" },
	{ "queue-len", "SLOTS", "queue_len", "set", NUMBER, VIRTIO_PC_QUEUE_MAX, "L, slots; 0: the ring's size" },
	{ "burst", "ITEMS", "burst", "set", NUMBER, VIRTIO_PC_QUEUE_MAX, "items published at once" },
	{ "item-bytes", "BYTES", "item_bytes", "set", NUMBER, VIRTIO_PC_ITEM_MAX_BYTES, "rev: size of an item, bytes" },
	{ "cpu", "N", "cpu", "set", CPU, 4095, "CPU of the queue's thread; -1: any" },
	{ "trace", "on|off", "trace", "set", ON_OFF, 0, "record events; off drops them" },
	{ "trace-items", "on|off", "trace_items", "set", ON_OFF, 0, "record every single item, too" },
	{ "rate-pps", "PACKETS", "rate_pps", "set", NUMBER, 1000000000, "most packets a second that the port may send; 0: no limit" },
	{ "rate-bps", "BITS", "rate_bps", "set", NUMBER, 1000000000000, "most bits a second that the port may send; 0: no limit" },
	{ "burst-packets", "PACKETS", "burst_packets", "set", NUMBER, 1000000, "of --rate-pps: so many at once; 0: 10 ms of it" },
	{ "burst-bytes", "BYTES", "burst_bytes", "set", NUMBER, 64 << 20, "of --rate-bps: so many at once; 0: 10 ms of it" },
	{ "max-items", "ITEMS", "max_items", "start", NUMBER, INT64_MAX, "start: end after so many" },
	{ "duration-ns", "NS", "duration_ns", "start", NUMBER, 3600 * NSEC_PER_SEC, "start: end after this time, 1000000 (1 ms) or more" },
	{ "vlan", "VLAN", "vlan", "flush", NUMBER, 4094, "flush: of this VLAN only, 1 to 4094" },
	{ "pair", "N", "pair", "move", NUMBER, 63, "move: what the port sends on this pair" },
	{ "pacer", "N", "pacer", "move", NUMBER, 63, "move: the pacer that is to serve it, as list numbers them" },
	{ "egress", "on|off", "egress", "move", ON_OFF, 0, "move: instead of a pair, what takes frames out of a NIC's queues" },
	{ "weight", "QUEUE=WEIGHT+...", "weight", "weight", ENTRIES, 0, "weight: the share of these queues of the NIC, 1 to 10000 each" },
	{ "link-bps", "BITS", "link_bps", "weight", NUMBER, 1000000000000, "weight: most bits a second that the NIC sends; 0: as its wire takes them" },
	{ "max", "EVENTS", "max", "trace", NUMBER, 65536, "trace: the newest so many (all)" },
	{ "steer", "on|off", "enabled", "rss", ON_OFF, 0, "rss: spread what the port receives over its pairs by hash and table" },
	{ "entries", "N", "entries", "rss", NUMBER, 512, "rss: a new table of so many entries, a power of two, over all pairs in turn" },
	{ "table", "PAIR+PAIR+...", "table", "rss", TABLE, 0, "rss: the pair that each entry of the table names" },
	{ "entry", "ENTRY=PAIR+...", "entry", "rss", ENTRIES, 0, "rss: these entries only; done when the last packet by the old ones is in its ring" },
	{ "key", "HEX", "key", "rss", TEXT, 0, "rss: the hash's key, 80 hexadecimal digits" },
	{ "types", "TYPE+...|none", "types", "rss", NAMES, 0, "rss: frames that have a hash: ipv4, tcpv4, udpv4, ipv6, tcpv6, udpv6" },
	{ "unclassified", "PAIR", "unclassified", "rss", NUMBER, 63, "rss: the pair for frames that have none" },
};

#define SETTINGS	(sizeof(settings) / sizeof(settings[0]))

static json_t *is_value(struct argp_state *state, const struct setting *s, const char *arg,
			json_t *v)
{
	if (!v)
		argp_error(state, "--%s %s: not %s", s->option, arg, s->arg);
	return v;
}

static json_t *value_of(struct argp_state *state, const struct setting *s, const char *arg)
{
	switch (s->kind) {
	case STRATEGY:
		if (rp_strategy_id_by_name(arg) < 0)
			argp_error(state, "--strategy %s: there is no such strategy", arg);
		return json_string(arg);
	case WORK:
		if (rp_work_dist_by_name(arg) < 0)
			argp_error(state, "--w-dist %s: not one of const, exp", arg);
		return json_string(arg);
	case ON_OFF:
		if (strcmp(arg, "on") && strcmp(arg, "off"))
			argp_error(state, "--%s %s: neither on nor off", s->option, arg);
		return json_boolean(!strcmp(arg, "on"));
	case TEXT:
		return json_string(arg);
	case NAMES:
		return ctl_rss_names(arg);
	case TABLE:
		return is_value(state, s, arg, ctl_rss_table(arg));
	case ENTRIES:
		return is_value(state, s, arg, ctl_rss_entries(arg));
	case CPU:
		if (!strcmp(arg, "-1"))
			return json_integer(-1);
		break;
	default:
		break;
	}
	return json_integer((json_int_t)opt_number(state, s->option, arg, s->max));
}

/* ---- Orders ---- */

/* Takes the reference; @print is for people. */
static int output(const struct args *a, json_t *v, void (*print)(const json_t *v))
{
	if (!v)
		return -1;
	if (a->json) {
		json_print(v, stdout);
		return 0;
	}
	if (print)
		print(v);
	json_decref(v);
	return 0;
}

static json_t *list(struct args *a)
{
	return orders_call(&a->orders, "list", NULL, ANSWER_MS);
}

/* Is it a network port that was named? Those are paced as a whole. */
static bool is_port(struct args *a)
{
	json_t *all = list(a);
	const json_t *port;
	bool found = false;
	size_t i;

	json_array_foreach(json_object_get(all, "ports"), i, port)
		found |= !strcmp(json_string_value(json_object_get(port, "device")), a->device);
	json_decref(all);
	return found;
}

/* To the queue that was named, with @args, whose reference is taken. */
static json_t *order(struct args *a, const char *cmd, json_t *args)
{
	json_object_set_new(args, "device", json_string(a->device));
	if (strcmp(cmd, "set") || !is_port(a))
		json_object_set_new(args, "queue", json_integer(a->queue));
	return orders_call(&a->orders, cmd, args, ANSWER_MS);
}

static int do_list(struct args *a)
{
	return output(a, list(a), ctl_print_list);
}

static int do_order(struct args *a)
{
	const char *cmd = a->action->name;

	return output(a, order(a, cmd, json_incref(a->settings)),
		      !strcmp(cmd, "set") ? ctl_print_object :
		      !strcmp(cmd, "stats") ? ctl_print_stats :
		      !strcmp(cmd, "trace") ? ctl_print_trace : NULL);
}

/* Of the switch's addresses: all of them, or those of a port, of a VLAN. */
static int do_switch(struct args *a)
{
	const char *cmd = a->action->name;
	json_t *args = json_incref(a->settings);

	json_object_set_new(args, "switch", json_string(a->sw));
	if (a->device)
		json_object_set_new(args, "device", json_string(a->device));
	return output(a, orders_call(&a->orders, cmd, args, ANSWER_MS),
		      !strcmp(cmd, "macs") ? ctl_print_macs : ctl_print_object);
}

static int do_rss(struct args *a)
{
	json_t *args = json_incref(a->settings);

	json_object_set_new(args, "device", json_string(a->device));
	return output(a, orders_call(&a->orders, "rss", args, ANSWER_MS), ctl_rss_print);
}

static int do_move(struct args *a)
{
	json_t *args = json_incref(a->settings);

	json_object_set_new(args, "device", json_string(a->device));
	return output(a, orders_call(&a->orders, "move", args, ANSWER_MS), ctl_print_object);
}

static int do_weight(struct args *a)
{
	json_t *args = json_incref(a->settings);

	json_object_set_new(args, "device", json_string(a->device));
	return output(a, orders_call(&a->orders, "weight", args, ANSWER_MS), ctl_print_weight);
}

/* Of the device and queue that were named: 1 producing, 0 not, -1 after fail(). */
static int producing(struct args *a)
{
	json_t *all = list(a);
	const json_t *dev;
	int on = 0;
	size_t i;

	json_array_foreach(json_object_get(all, "devices"), i, dev)
		if (!strcmp(json_string_value(json_object_get(dev, "device")), a->device))
			on = json_is_true(json_object_get(json_array_get(
				json_object_get(dev, "queues"), a->queue), "producing"));
	json_decref(all);
	return all ? on : -1;
}

/* The run ends with its client, as the daemon has it: by itself, or by Ctrl-C. */
static int do_start(struct args *a)
{
	json_t *v = order(a, "start", json_incref(a->settings));
	int on = 1;

	if (!v)
		return -1;
	while (on > 0 && nap_ms(20))
		on = producing(a);
	if (on > 0 || stopped())
		json_decref(order(a, "stop", json_object()));
	if (stopped() || on < 0) {
		json_decref(v);
		return -1;
	}
	return output(a, v, NULL);
}

/* The daemon reads its configuration again. */
static int do_reload(struct args *a)
{
	return output(a, orders_call(&a->orders, "reload", NULL, ANSWER_MS), ctl_print_object);
}

static const struct action actions[] = {
	{ "list", OF_ALL, do_list },
	{ "set", OF_QUEUE, do_order },
	{ "stats", OF_QUEUE, do_order },
	{ "reset", OF_QUEUE, do_order },
	{ "start", OF_QUEUE, do_start },
	{ "stop", OF_QUEUE, do_order },
	{ "trace", OF_QUEUE, do_order },
	{ "macs", OF_SWITCH, do_switch },
	{ "flush", OF_SWITCH, do_switch },
	{ "reload", OF_ALL, do_reload },
	{ "rss", OF_PORT, do_rss },
	{ "move", OF_PORT, do_move },
	{ "weight", OF_PORT, do_weight },
};

/* Without --device: the only one there is. Static. */
static int choose_device(struct args *a)
{
	static char name[64];
	json_t *all, *devices;

	if (a->device)
		return 0;
	all = list(a);
	if (!all)
		return -1;
	devices = json_object_get(all, "devices");
	if (json_array_size(devices) == 1)
		snprintf(name, sizeof(name), "%s", json_string_value(
			 json_object_get(json_array_get(devices, 0), "device")));
	else
		fail("ctl: there are %zu devices: name one by --device; ctl list shows them",
		     json_array_size(devices));
	json_decref(all);
	a->device = name;
	return *name ? 0 : -1;
}

/* ---- The command line ---- */

static const struct action *find_action(struct argp_state *state, const char *name)
{
	u32 i;

	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (!strcmp(actions[i].name, name))
			return &actions[i];
	argp_error(state, "%s: not one of list, set, stats, reset, start, stop, trace, macs, flush, rss, move, weight, reload", name);
	return NULL;
}

/* What depends on other options. */
static void check(struct args *a, struct argp_state *state)
{
	u32 i;

	if (!a->action)
		argp_error(state, "what to do? list, set, stats, reset, start, stop, trace, macs, flush, rss, move, weight or reload");
	if (!a->socket == !a->kernel)
		argp_error(state, "who is to do it? either --socket PATH or --vhost");
	for (i = 0; i < SETTINGS; i++)
		if (json_object_get(a->settings, settings[i].key) &&
		    strcmp(settings[i].action, a->action->name))
			argp_error(state, "--%s is for %s, not for %s", settings[i].option,
				   settings[i].action, a->action->name);
	if (a->action->of == OF_SWITCH && !a->sw)
		argp_error(state, "%s: of which switch? --switch NAME", a->action->name);
	if (a->action->of == OF_PORT && !a->device)
		argp_error(state, "%s: of which port? --device NAME", a->action->name);
	if (a->device && !strcmp(a->action->name, "macs"))
		argp_error(state, "--device is not for macs");
	if (a->kernel && (json_object_get(a->settings, "rate_pps") ||
			  json_object_get(a->settings, "rate_bps")))
		argp_error(state, "--rate-pps, --rate-bps: only ringpaced's ports have a limit");
	if (!strcmp(a->action->name, "move") && json_object_size(a->settings) != 2)
		argp_error(state, "move: which pair, and whereto? --pair N --pacer N");
	if (!strcmp(a->action->name, "set") && !json_object_size(a->settings))
		argp_error(state, "set: what? --strategy, --y-ns, ...");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	if (key >= OPT_SETTING && key < OPT_SETTING + (int)SETTINGS) {
		const struct setting *s = &settings[key - OPT_SETTING];

		json_object_set_new(a->settings, s->key, value_of(state, s, arg));
		return 0;
	}
	switch (key) {
	case OPT_SOCKET: a->socket = arg; break;
	case OPT_VHOST: a->kernel = true; break;
	case OPT_DEVICE: a->device = arg; break;
	case OPT_SWITCH: a->sw = arg; break;
	case OPT_QUEUE: a->queue = (u32)opt_number(state, "queue", arg, 127); break;
	case OPT_JSON: a->json = true; break;
	case ARGP_KEY_ARG:
		if (a->action)
			argp_error(state, "%s: one argument too many", arg);
		a->action = find_action(state, arg);
		break;
	case ARGP_KEY_END: check(a, state); break;
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_option fixed[] = {
	{ NULL, 0, NULL, 0, "Who:", 1 },
	{ "socket", OPT_SOCKET, "PATH", 0, "ringpaced, at its control socket", 0 },
	{ "vhost", OPT_VHOST, NULL, 0, "the kernel's vhost_pc; as root", 0 },
	{ "device", OPT_DEVICE, "NAME", 0, "the device; vhost_pc's are numbers (the only one)", 0 },
	{ "switch", OPT_SWITCH, "NAME", 0, "macs, flush: the switch; flush with --device: of this port only", 0 },
	{ "queue", OPT_QUEUE, "N", 0, "2i is fwd of pair i, 2i+1 its rev (0); set of a port is for all of them", 0 },
	{ "json", OPT_JSON, NULL, 0, "one JSON object, as in docs/control.md", 0 },
	{ NULL, 0, NULL, 0, "For set, start, trace, flush, rss, move and weight:", 2 },
};

#define FIXED	(sizeof(fixed) / sizeof(fixed[0]))

static int run(int argc, char **argv)
{
	struct argp_option options[FIXED + SETTINGS + 1] = { 0 };
	const struct argp argp = {
		.options = options, .parser = parse,
		.args_doc = "list|set|stats|reset|start|stop|trace|macs|flush|rss|move|weight|reload",
		.doc = "Gives orders to the host's side of virtio-pc devices: to ringpaced, or to "
		"the kernel's vhost_pc whatever VMM holds its devices.\v"
		"macs lists the addresses that a switch of ringpaced's ports has learned, flush has "
		"it forget them. rss shows, or sets, how a port of ringpaced steers what it receives "
		"(docs/packets.md). move has a pair of a port served by another pacer, without losing "
		"or reordering a frame. weight shows, or sets, how the transmit queues of a port with "
		"nic=NAME share its line, and how fast that is. reload has it read its configuration (--config) again.\n\n"
		"Times are nanoseconds. start makes the host produce on a rev queue, and returns "
		"when that has ended; Ctrl-C ends it.\n\n"
		"Examples:\n\n"
		"  ringpace ctl list --socket /tmp/rp.ctl\n"
		"  ringpace ctl set --vhost --queue 0 --strategy sleep --y-ns 50000\n"
		"  ringpace ctl macs --socket /tmp/rp.ctl --switch s\n"
		"  ringpace ctl rss --socket /tmp/rp.ctl --device a --entry 5=2+7=0\n"
		"  ringpace ctl move --socket /tmp/rp.ctl --device a --pair 0 --pacer 1\n"
		"  ringpace ctl weight --socket /tmp/rp.ctl --device up --weight 0=3+1=1 "
		"--link-bps 1000000000\n"
		"  ringpace ctl stats --vhost --queue 0 --json",
	};
	struct args a = { .settings = json_object() };
	u32 i;
	int rc;

	memcpy(options, fixed, sizeof(fixed));
	for (i = 0; i < SETTINGS; i++)
		options[FIXED + i] = (struct argp_option){
			settings[i].option, OPT_SETTING + (int)i, settings[i].arg, 0,
			settings[i].doc, 0 };
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	catch_signals();
	orders_init(&a.orders);
	rc = a.kernel ? orders_open_kernel(&a.orders) :
			orders_open_daemon(&a.orders, a.socket, 0);
	if (!rc && a.action->of == OF_QUEUE)
		rc = choose_device(&a);
	if (!rc)
		rc = a.action->run(&a);
	orders_close(&a.orders);
	json_decref(a.settings);
	return rc ? stopped() ? EXIT_STOPPED : 1 : 0;
}

const struct cmd cmd_ctl = {
	.name = "ctl",
	.summary = "give orders to a device's host side: ringpaced or vhost_pc",
	.run = run,
};
