// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rp-l2fwd, the forwarder in a VM of `ringpace chain --nf l2fwd`: its first virtio-net
 * card to its second and back. On its standard output, the VM's console, it says when it
 * is ready, and its counters for each line that comes in, and at the end.
 */
#include <argp.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "l2fwd.h"

/* `ringpace` looks for lines that begin so. */
#define SAYS		"chain: l2fwd "

#define PORT_IN		0
#define PORT_OUT	1
/* The most that QEMU's cards have. */
#define SLOTS		1024
#define NSEC_PER_SEC	1000000000u

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	stop = 1;
}

static void say_counters(const struct l2fwd *f)
{
	const struct l2fwd_port *p = f->port;
	const struct rp_stats *st = &f->party.stats;

	/* In one write: the kernel may say something, too. */
	printf(SAYS "counters: received %ju %ju sent %ju %ju batches %ju sleeps %ju\n",
	       (uintmax_t)rp_load(&p[0].received), (uintmax_t)rp_load(&p[1].received),
	       (uintmax_t)rp_load(&p[0].sent), (uintmax_t)rp_load(&p[1].sent),
	       (uintmax_t)rp_load(&st->batches), (uintmax_t)rp_load(&st->sleeps));
	fflush(stdout);
}

static void *answer(void *arg)
{
	char line[64];

	while (fgets(line, sizeof(line), stdin))
		say_counters(arg);
	return NULL;
}

/* ---- The thread ---- */

static bool stopping(struct rp_party *p)
{
	return stop;
}

static void nap(struct rp_party *p, u64 ns)
{
	const struct timespec t = {
		.tv_sec = (time_t)(ns / NSEC_PER_SEC), .tv_nsec = (long)(ns % NSEC_PER_SEC),
	};

	nanosleep(&t, NULL);
}

static const struct rp_thread_ops thread_ops = {
	.stopping = stopping,
	.sleep = nap,
};

/* ---- Options ---- */

enum { OPT_STRATEGY = 256, OPT_Y, OPT_BURST, OPT_MACS };

static const struct argp_option options[] = {
	{ "strategy", OPT_STRATEGY, "NAME", 0, "what it does when nothing came: ovs-sleep (default), "
	  "sleep or busy", 0 },
	{ "y-ns", OPT_Y, "NS", 0, "its sleeps, ns; of ovs-sleep the longest (1000000)", 0 },
	{ "burst", OPT_BURST, "FRAMES", 0, "at most so many at once, 1..64 (32)", 0 },
	{ "macs", OPT_MACS, NULL, 0, "rewrite addresses: to 02:00:00:00:00:PORT, from the port's", 0 },
	{ 0 }
};

static u64 number(struct argp_state *state, const char *name, const char *arg)
{
	char *end;
	u64 v;

	errno = 0;
	v = strtoull(arg, &end, 10);
	if (*arg < '0' || *arg > '9' || *end || errno)
		argp_error(state, "--%s %s: not a number", name, arg);
	return v;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct l2fwd_options *o = state->input;
	const char *why;
	u64 n;

	switch (key) {
	case OPT_STRATEGY:
		o->strategy = arg;
		break;
	case OPT_Y:
		o->y_ns = number(state, "y-ns", arg);
		break;
	case OPT_BURST:
		n = number(state, "burst", arg);
		o->burst = n > L2FWD_BURST_MAX ? 0 : (u32)n;
		break;
	case OPT_MACS:
		o->macs = true;
		break;
	case ARGP_KEY_END:
		why = l2fwd_options_check(o);
		if (why)
			argp_error(state, "%s", why);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Forwards frames between the two network cards that are bound to uio_pci_generic."
	"\vNeeds hugepages (32 MB). A line on standard input asks for the counters.\n\nExample:\n\n"
	"  rp-l2fwd --strategy sleep --y-ns 50000",
};

/* ---- Life ---- */

static int failed(const char *what)
{
	fprintf(stderr, "rp-l2fwd: %s: %s\n", what, rte_strerror(rte_errno));
	return 1;
}

static int start_eal(const char *self)
{
	char *argv[] = {
		(char *)self, "-l", "0", "--in-memory", "--no-telemetry", "--log-level=error",
	};

	return rte_eal_init(sizeof(argv) / sizeof(*argv), argv);
}

static void wait_carrier(void)
{
	while (!stop && !l2fwd_ports_up(PORT_IN, PORT_OUT))
		nap(NULL, NSEC_PER_SEC / 10);
}

static int forward(const struct l2fwd_options *o)
{
	static struct l2fwd f;
	struct timespec up;
	pthread_t asker;

	l2fwd_init(&f, PORT_IN, PORT_OUT, o, &thread_ops);
	wait_carrier();
	rte_errno = pthread_create(&asker, NULL, answer, &f);
	if (rte_errno)
		return failed("cannot start a thread for what is asked");
	pthread_detach(asker);
	clock_gettime(CLOCK_BOOTTIME, &up);
	printf(SAYS "is up, %jd.%02ld s\n", (intmax_t)up.tv_sec, up.tv_nsec / 10000000);
	fflush(stdout);
	rp_party_run(&f.party);
	say_counters(&f);
	l2fwd_free(&f);
	return 0;
}

int main(int argc, char **argv)
{
	struct l2fwd_options o = { .strategy = "ovs-sleep", .y_ns = 1000000, .burst = 32 };
	struct sigaction sa = { .sa_handler = on_signal };
	const char *why;
	int rc;

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	if (start_eal(argv[0]) < 0)
		return failed("DPDK does not start; are there hugepages?");
	if (rte_eth_dev_count_avail() != L2FWD_PORTS) {
		fprintf(stderr, "rp-l2fwd: %u network cards are bound to uio_pci_generic, not %u\n",
			rte_eth_dev_count_avail(), L2FWD_PORTS);
		return 1;
	}
	why = l2fwd_ports_start(PORT_IN, PORT_OUT, SLOTS);
	rc = why ? failed(why) : forward(&o);
	l2fwd_ports_stop(PORT_IN, PORT_OUT);
	rte_eal_cleanup();
	return rc;
}
