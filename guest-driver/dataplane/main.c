// SPDX-License-Identifier: GPL-2.0-or-later
/* rp-dataplane: options, DPDK, threads; then the main thread is the control thread. */
#include <argp.h>
#include <errno.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_lcore.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "apps.h"
#include "aside.h"
#include "cards.h"
#include "net/mem.h"
#include "nf/functions.h"
#include "server.h"
#include "station.h"

/* Devices beside the control socket. */
#define SERIAL_MAX	2u
/* How often the control thread looks while groups are on their way. */
#define LOOK_NS		50000
/* Before that it looks all the time, so long after the last step of any. */
#define BRISK_NS	500000

/* Applications that have options, and something that they are of. */
struct app_kind {
	const struct dp_app *(*find)(const char *name);
	void *(*open)(struct dp_port *port, u32 threads, u32 groups);
	void (*close)(void *arg);
	bool has_tcp;
};

static const struct app_kind kinds[] = {
	{ station_find, station_open, station_close, true },
	{ functions_find, functions_open, functions_close, false },
};

static struct options {
	const char *control, *serial[SERIAL_MAX];
	u32 serial_count;
	const struct dp_app *app;
	const struct app_kind *kind;	/* NULL: the application has nothing of its own */
	u32 threads, groups, batch, queue_len, memory_mib;
	u64 sleep_ns, stall_ns, dmax_ns;
	enum rp_strategy_id idle;
	int cpus[DP_THREADS_MAX];
	u32 cpu_count;
} opt = {
	.idle = RP_SLEEP,
	.app = &dp_app_reflect, .threads = 1, .groups = 128, .batch = 32, .queue_len = 1024,
	.sleep_ns = 50000, .stall_ns = DP_STALL_NS,
};

static struct rp_clock clock_of_tsc;
static struct workers workers;

/* ---- Options ---- */

enum {
	OPT_QUEUE_LEN = 256, OPT_MEMORY, OPT_SLEEP, OPT_STALL, OPT_DMAX, OPT_CPUS, OPT_SERIAL,
};

static const struct argp_option option_table[] = {
	{ "control", 'c', "PATH", 0, "listen for orders on this socket", 0 },
	{ "app", 'a', "NAME", 0, "reflect (at first), udp-echo, or with TCP: echo, http, kv; "
	  "or without: forward, nat", 0 },
	{ "threads", 't', "N", 0, "threads, 1 to 64 (1)", 0 },
	{ "groups", 'g', "N", 0, "flow groups: 128 (at first), 256 or 512", 0 },
	{ "batch", 'b', "N", 0, "most packets of a turn, 1 to 64 (32)", 0 },
	{ "sleep-ns", OPT_SLEEP, "NS", 0, "an idle thread sleeps so long, up to 1 s; 0: it spins "
	  "(50000)", 0 },
	{ "dmax-ns", OPT_DMAX, "NS", 0, "instead of that an idle thread waits as lib/pacing's "
	  "adaptive strategy has it, within this latency, by interrupts where the port has them; up to 1 s",
	  0 },
	{ "cpus", OPT_CPUS, "LIST", 0, "a CPU for each thread, in their order: 2,4-6; the last one "
	  "parks first (not pinned)", 0 },
	{ "serial", OPT_SERIAL, "DEVICE", 0, "take orders from this device, too: a virtio-serial "
	  "port; twice: from two", 0 },
	{ "stall-ms", OPT_STALL, "MS", 0, "a thread that does not answer for so long in a move has "
	  "stalled, 1 to 60000 (100)", 0 },
	{ "queue-len", OPT_QUEUE_LEN, "SLOTS", 0, "of each ring, a power of two in 64..4096; a card "
	  "may have fewer (1024)", 0 },
	{ "memory-mib", OPT_MEMORY, "MIB", 0, "for packets, 64 to 4096 (120, and 8 for each "
	  "thread and card, or as rings need); a PCI card takes hugepages, as many as it needs", 0 },
	{ 0 }
};

static u64 number(struct argp_state *state, const char *what, const char *arg, u64 min, u64 max)
{
	char *end;
	unsigned long long v = strtoull(arg, &end, 10);

	if (*arg < '0' || *arg > '9' || *end || v < min || v > max)
		argp_error(state, "%s: %s is not in %llu..%llu", what, arg,
			   (unsigned long long)min, (unsigned long long)max);
	return v;
}

static void add_cpus(struct argp_state *state, const char *arg, u64 from, u64 to)
{
	for (; from <= to; from++) {
		if (from >= CPU_SETSIZE || opt.cpu_count == DP_THREADS_MAX)
			argp_error(state, "--cpus %s: a CPU that cannot be, or more than %u", arg,
				   DP_THREADS_MAX);
		opt.cpus[opt.cpu_count++] = (int)from;
	}
}

static void set_cpus(struct argp_state *state, const char *arg)
{
	const char *at = arg;
	char *end;

	do {
		u64 from = strtoull(at, &end, 10), to = from;

		if (*at < '0' || *at > '9')
			break;
		at = end;
		if (*at == '-' && at[1] >= '0' && at[1] <= '9') {
			to = strtoull(at + 1, &end, 10);
			at = end;
		}
		add_cpus(state, arg, from, to);
	} while (*at == ',' && *++at);
	if (*at)
		argp_error(state, "--cpus %s: a list such as 2,4-6 is needed", arg);
}

static void check(struct argp_state *state)
{
	const char *why = functions_fit(opt.app, cards_count());

	if (why)
		argp_error(state, "%s", why);
	if (opt.groups & (opt.groups - 1))
		argp_error(state, "--groups: 128, 256 or 512, not %u", opt.groups);
	if (!opt.control)
		argp_error(state, "--control is needed");
	if (opt.cpu_count && opt.cpu_count != opt.threads)
		argp_error(state, "--cpus: %u CPUs for %u threads", opt.cpu_count, opt.threads);
	if (!opt.memory_mib)
		opt.memory_mib = 120 +
			cards_count() * opt.threads * (2 + opt.queue_len * 6 / 1024);
	opt.idle = opt.dmax_ns ? RP_ADAPTIVE : opt.sleep_ns ? RP_SLEEP : RP_BUSY;
}

static void set_app(struct argp_state *state, const char *name)
{
	static const struct dp_app *const apps[] = { &dp_app_reflect, &dp_app_udp_echo };
	u32 i;

	opt.kind = NULL;
	for (i = 0; i < sizeof(apps) / sizeof(apps[0]); i++)
		if (!strcmp(name, apps[i]->name)) {
			opt.app = apps[i];
			return;
		}
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		opt.app = kinds[i].find(name);
		opt.kind = &kinds[i];
		if (opt.app)
			return;
	}
	argp_error(state, "--app: there is no %s; reflect, udp-echo, echo, http, kv, forward or nat",
		   name);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'c': opt.control = arg; break;
	case 'a': set_app(state, arg); break;
	case 't': opt.threads = (u32)number(state, "--threads", arg, 1, DP_THREADS_MAX); break;
	case 'g':
		opt.groups = (u32)number(state, "--groups", arg, DP_GROUPS_MIN, DP_GROUPS_MAX);
		break;
	case 'b': opt.batch = (u32)number(state, "--batch", arg, 1, DP_BATCH_MAX); break;
	case OPT_SLEEP: opt.sleep_ns = number(state, "--sleep-ns", arg, 0, 1000000000); break;
	case OPT_STALL:
		opt.stall_ns = number(state, "--stall-ms", arg, 1, 60000) * 1000000;
		break;
	case OPT_QUEUE_LEN:
		opt.queue_len = (u32)number(state, "--queue-len", arg, 64, 4096);
		if (opt.queue_len & (opt.queue_len - 1))
			argp_error(state, "--queue-len: %s is not a power of two", arg);
		break;
	case OPT_MEMORY:
		opt.memory_mib = (u32)number(state, "--memory-mib", arg, 64, 4096);
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: there are no arguments", arg);
		break;
	case OPT_DMAX: opt.dmax_ns = number(state, "--dmax-ns", arg, 1, 1000000000); break;
	case OPT_CPUS: set_cpus(state, arg); break;
	case OPT_SERIAL:
		if (opt.serial_count == SERIAL_MAX)
			argp_error(state, "--serial: %u devices at most", SERIAL_MAX);
		opt.serial[opt.serial_count++] = arg;
		break;
	case ARGP_KEY_END: check(state); break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_child children[] = {
	{ &cards_argp, 0, NULL, 0 }, { &station_argp, 0, NULL, 0 },
	{ &functions_argp, 0, NULL, 0 }, { 0 }
};

static const struct argp argp = {
	.children = children,
	.options = option_table, .parser = parse,
	.doc = "The guest's dataplane: threads that flow groups move between while packets come.\v"
	       "Example, at a port of ringpaced (--port b,socket=/run/b.sock,pairs=4,rss=128):\n\n"
	       "  rp-dataplane --socket /run/b.sock --steer /run/ringpaced.ctl,b --threads 4 "
	       "--control /run/dataplane.ctl\n\nOrders: docs/dataplane.md.",
};

/* ---- DPDK ---- */

static int start_eal(void)
{
	char lcore[16], *argv[6 + CARDS_ARGS_MAX] = {
		"rp-dataplane", "--no-telemetry", "--no-shconf", "--log-level=4", "-l", lcore,
	};
	u32 n = 6 + cards_arguments(argv + 6, opt.threads, opt.queue_len,
				    opt.memory_mib + functions_memory_mib());
	cpu_set_t set;
	int rc, cpu = sched_getcpu();

	snprintf(lcore, sizeof(lcore), "%d", cpu < 0 ? 0 : cpu);
	/* EAL pins its caller, and what that starts would inherit it. */
	sched_getaffinity(0, sizeof(set), &set);
	rc = rte_eal_init((int)n, argv);
	sched_setaffinity(0, sizeof(set), &set);
	if (rc >= 0)
		return 0;
	fprintf(stderr, "rp-dataplane: DPDK does not start with %s; the lines above say why\n",
		argv[n - 1]);
	return -1;
}

static u64 now_ns(void *arg)
{
	return rp_tsc_to_ns(&clock_of_tsc, rp_tsc());
}

/* ---- The control thread ---- */

static int block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/*
 * While moves make progress it does not rest, which would take longer than a step of them,
 * but whom it waits for may share its CPU. How many are on their way.
 */
static u32 see_to_moves(struct dp *dp)
{
	static struct rp_aside aside;
	u32 moving = dp_control_turn(dp);

	while (moving && now_ns(NULL) - dp->progress_ns < BRISK_NS && rp_step_aside(&aside))
		moving = dp_control_turn(dp);
	return moving;
}

static void control(struct dp *dp, struct server *s, int signals)
{
	const int also[2] = { signals, workers.event_fd };
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof(info)) != sizeof(info)) {
		u32 tended = workers_tend(&workers);
		u32 moving = tended ? dp_control_turn(dp) : see_to_moves(dp);
		u64 ended;

		server_wait(s, also, moving || tended ? LOOK_NS : -1);
		if (read(workers.event_fd, &ended, sizeof(ended)) < 0 && errno != EAGAIN)
			perror("rp-dataplane: an eventfd cannot be read");
	}
}

static int serve(struct dp *dp, int signals)
{
	struct server *s = server_open(opt.control, &workers);
	int rc = 0;
	u32 i;

	if (!s)
		return -1;
	for (i = 0; !rc && i < opt.serial_count; i++)
		rc = server_add_device(s, opt.serial[i]);
	rc = rc ? : workers_start(&workers);
	if (!rc) {
		printf("rp-dataplane: %s on ", opt.app->name);
		cards_print();
		printf(", %u threads, %u flow groups\n", opt.threads, opt.groups);
		fflush(stdout);
		/* Of this thread alone: moves wait for its looks, which the slack would double. */
		prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
		control(dp, s, signals);
	}
	workers_stop(&workers);
	server_close(s);
	return rc;
}

static int run(struct dp_port *port, void *app_arg, int signals)
{
	const char *why;
	int rc;

	workers.idle = opt.idle;
	workers.slots = port->slots;
	workers.sleep_ns = opt.sleep_ns;
	workers.dmax_ns = opt.dmax_ns;
	workers.cpus = opt.cpu_count ? opt.cpus : NULL;
	workers.begin = rte_thread_register;
	workers.end = dp_mem_thread_end;
	rc = workers_init(&workers, opt.threads, rte_get_tsc_hz());
	if (!rc) {
		workers.dp = dp_new(&(struct dp_config){
			.threads = opt.threads, .groups = opt.groups, .batch = opt.batch,
			.stall_ns = opt.stall_ns, .port = port, .app = opt.app, .app_arg = app_arg,
			.now_ns = now_ns, .tsc_hz = clock_of_tsc.tsc_hz,
			.wake = workers_wake, .arg = &workers,
		}, &why);
		rc = workers.dp ? serve(workers.dp, signals) : -1;
		if (workers.dp)
			dp_free(workers.dp);
		else
			fprintf(stderr, "rp-dataplane: %s\n", why);
	}
	workers_fini(&workers);
	return rc;
}

/* With what the application has of its own. */
static int run_app(struct dp_port *port, int signals)
{
	void *arg = opt.kind ? opt.kind->open(port, opt.threads, opt.groups) : NULL;
	int rc = -1;

	if (arg || !opt.kind)
		rc = run(port, arg, signals);
	if (arg)
		opt.kind->close(arg);
	return rc;
}

int main(int argc, char **argv)
{
	struct dp_port *port;
	int rc = -1, signals;

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	signals = block_signals();
	if (start_eal())
		return 1;
	rp_clock_init(&clock_of_tsc, rte_get_tsc_hz());
	port = cards_open(&(struct eth_options){
		.queues = opt.threads, .entries = opt.groups, .queue_len = opt.queue_len,
		.interrupts = opt.idle == RP_ADAPTIVE, .sums = opt.kind && opt.kind->has_tcp,
	});
	if (port) {
		rc = run_app(port, signals);
		cards_close(port);
	}
	rte_eal_cleanup();
	close(signals);
	return rc ? 1 : 0;
}
