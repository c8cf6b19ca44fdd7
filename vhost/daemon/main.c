// SPDX-License-Identifier: GPL-2.0-or-later
/* ringpaced: vhost-user devices whose queues are paced. */
#include <argp.h>
#include <errno.h>
#include <grp.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clients.h"
#include "device.h"
#include "log.h"
#include "net/net.h"
#include "optval.h"
#include "sigbus.h"
#include "state.h"
#include "tsc.h"
#include "worker.h"

#define DEVICES_MAX	64u
#define LOG_RATE_MAX	1000000u

const char *argp_program_version = "ringpaced 0.1";

static const char doc[] =
	"Serves virtio-pc devices and virtio-net ports over vhost-user.\v"
	"A device is NAME,socket=PATH[,pairs=N][,item-bytes=N]: a vhost-user "
	"socket to listen on, the number of queue pairs (1..64, default 1), and "
	"the size of an item in bytes (32..65536, default 64). Several devices "
	"may be given.\n\n"
	"A port is NAME,socket=PATH|tap=IFNAME[,pairs=N][,mtu=BYTES][,strategy=NAME]"
	"[,dmax-ns=NS][,y-ns=NS][,cpu-cap=PERCENT][,burst=N][,full-ms=MS]: a virtio-net "
	"device, or a tap of the host, with 1..64 pairs of queues (default 1); strategy "
	"adaptive with D_MAX "
	"100000 ns unless told otherwise. What one port of a link sends the other one "
	"receives; one whose buffers are full for more than full-ms (default 100) loses "
	"packets, before that it holds the sender up.\n\n"
	"A switch is NAME,ports=A+B[+...][,age-s=S][,pacer=N]: it learns which addresses "
	"are behind which port, forgets them after S seconds of silence (300), and is "
	"served by one pacer (the first). A port in a switch may also say vlan=N, the VLAN "
	"of its untagged frames (1 if there is no trunk), trunk=N+N-N, those that are "
	"tagged, and macs=N, how many addresses it may have (1024). There full-ms is 1 "
	"unless told otherwise, and once for every 64 frames at most.\n\n"
	"The control socket takes JSON, one object a line; times "
	"there are in nanoseconds.\n\n"
	"Example:\n"
	"  ringpaced --device pc0,socket=/run/pc0.sock,pairs=2 "
	"--control /run/ringpaced.ctl\n"
	"  ringpaced --port a,socket=/run/a.sock --port b,socket=/run/b.sock "
	"--link a,b --pacers 2,3\n"
	"  ringpaced --port a,socket=/run/a.sock,vlan=10 --port b,socket=/run/b.sock,vlan=10 "
	"--port up,tap=tap0,trunk=10+20 --switch s,ports=a+b+up\n\n"
	"SIGTERM and SIGINT end it and remove its sockets. Exit status: 0 done, "
	"1 failed, 2 wrong use.";

enum { OPT_LOG_RATE = 256 };

static const struct argp_option options[] = {
	{ "device", 'd', "NAME,socket=PATH[,...]", 0, "Serve this device", 0 },
	{ "port", 'p', "NAME,socket=PATH|tap=IFNAME[,...]", 0,
	  "Serve this virtio-net port, or this tap", 0 },
	{ "link", 'L', "A,B", 0, "Link these two ports, which were named before", 0 },
	{ "switch", 'S', "NAME,ports=A+B[+...][,...]", 0,
	  "Switch between these ports, which were named before", 0 },
	{ "pacers", 'w', "CPU[,CPU...]|xN", 0,
	  "Serve ports by a thread on each of these CPUs, or by N that are not pinned (x1)", 0 },
	{ "control", 'c', "PATH", 0, "Take orders on this Unix socket", 0 },
	{ "group", 'g', "GROUP", 0,
	  "Let this group use the sockets, too (mode 0660, else 0600)", 0 },
	{ "state", 's', "FILE", 0,
	  "Keep here what adaptive strategies have learned, for the next start", 0 },
	{ "log-level", 'l', "LEVEL", 0,
	  "error, warn, info (default) or debug; to stderr", 0 },
	{ "log-rate", OPT_LOG_RATE, "LINES", 0,
	  "Most lines a second of each device or port, after 100 at once (10); 0: no limit", 0 },
	{ 0 }
};

struct options {
	struct device_options dev[DEVICES_MAX];
	u32 dev_count;
	struct net_options net;
	const char *control;
	const char *state;
	gid_t gid;
};

static void add_device(struct options *o, char *arg, struct argp_state *state)
{
	const char *why;
	char spec[256];
	u32 i;

	snprintf(spec, sizeof(spec), "%s", arg);
	if (o->dev_count == DEVICES_MAX)
		argp_error(state, "--device: more than %u devices", DEVICES_MAX);
	why = device_parse(arg, &o->dev[o->dev_count]);
	if (why)
		argp_error(state, "--device %s: %s", spec, why);
	for (i = 0; i < o->dev_count; i++)
		if (!strcmp(o->dev[i].name, o->dev[o->dev_count].name))
			argp_error(state, "--device %s: the name is taken", spec);
	o->dev_count++;
}

/* One of net.h's parsers. */
static void add_net(const char *option, const char *(*parse)(char *, struct net_options *),
		    char *arg, struct options *o, struct argp_state *state)
{
	char spec[256];
	const char *why;

	snprintf(spec, sizeof(spec), "%s", arg);
	why = parse(arg, &o->net);
	if (why)
		argp_error(state, "--%s %s: %s", option, spec, why);
}

static void set_group(struct options *o, const char *name, struct argp_state *state)
{
	const struct group *g = getgrnam(name);

	if (!g)
		argp_error(state, "--group: there is no group \"%s\"", name);
	else
		o->gid = g->gr_gid;
}

static void set_level(const char *name, struct argp_state *state)
{
	u32 i;

	for (i = 0; i < LOG_LEVELS; i++) {
		if (!strcmp(log_level_names[i], name)) {
			log_set_level(i);
			return;
		}
	}
	argp_error(state, "--log-level: \"%s\" is none of error, warn, info, debug",
		   name);
}

static void set_rate(const char *arg, struct argp_state *state)
{
	u32 rate;

	if (opt_u32(arg, 0, LOG_RATE_MAX, &rate))
		log_set_rate(rate);
	else
		argp_error(state, "--log-rate: \"%s\" is no number of lines, 0..%u", arg,
			   LOG_RATE_MAX);
}

/* Devices and ports are named alike in the control protocol. */
static void check_names(const struct options *o, struct argp_state *state)
{
	u32 i, k;

	for (i = 0; i < o->dev_count; i++)
		for (k = 0; k < o->net.port_count; k++)
			if (!strcmp(o->dev[i].name, o->net.port[k].name))
				argp_error(state, "%s is the name of a device and of a port",
					   o->dev[i].name);
}

static void check_net(const struct options *o, struct argp_state *state)
{
	const char *why = net_check(&o->net);

	if (why)
		argp_error(state, "%s", why);
}

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'd':
		add_device(o, arg, state);
		return 0;
	case 'p':
		add_net("port", net_parse_port, arg, o, state);
		return 0;
	case 'L':
		add_net("link", net_parse_link, arg, o, state);
		return 0;
	case 'S':
		add_net("switch", net_parse_switch, arg, o, state);
		return 0;
	case 'w':
		add_net("pacers", net_parse_pacers, arg, o, state);
		return 0;
	case 'c':
		o->control = arg;
		return 0;
	case 'g':
		set_group(o, arg, state);
		return 0;
	case 's':
		o->state = arg;
		return 0;
	case 'l':
		set_level(arg, state);
		return 0;
	case OPT_LOG_RATE:
		set_rate(arg, state);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument \"%s\"", arg);
		return 0;
	case ARGP_KEY_END:
		if (!o->dev_count && !o->net.port_count)
			argp_error(state, "no --device and no --port: there is nothing to serve");
		check_names(o, state);
		check_net(o, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

struct daemon {
	struct loop loop;
	struct loop_source signals;
	struct loop_source memory;	/* see sigbus_setup() */
	struct devices devices;
	struct net net;
	struct clients clients;
	struct state state;
};

static void on_signal(struct loop_source *src, u32 events)
{
	struct daemon *dm = container_of(src, struct daemon, signals);
	struct signalfd_siginfo si;

	if (read(src->fd, &si, sizeof(si)) != sizeof(si))
		return;
	log_info("signal %u: stopping", si.ssi_signo);
	dm->loop.stop = true;
}

static void on_memory_lost(struct loop_source *src, u32 events)
{
	struct daemon *dm = container_of(src, struct daemon, memory);
	u64 count;
	u32 i;

	if (read(src->fd, &count, sizeof(count)) < 0)
		return;
	for (i = 0; i < dm->devices.count; i++)
		session_check_memory(&dm->devices.dev[i].session);
	net_check_memory(&dm->net);
}

/* Process-wide settings, before there is any thread. */
static int setup_process(struct daemon *dm)
{
	struct rlimit files;
	sigset_t set;
	int rc;

	/* One arena: workers allocate nothing, and arenas cost memory. */
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_TRIM_THRESHOLD, 128 * 1024);
	signal(SIGPIPE, SIG_IGN);
	/* Three descriptors a queue. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	dm->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	dm->signals.ready = on_signal;
	dm->memory.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	dm->memory.ready = on_memory_lost;
	if (dm->signals.fd < 0 || dm->memory.fd < 0)
		return -errno;
	rc = sigbus_setup(dm->memory.fd);
	if (rc == 0)
		rc = loop_init(&dm->loop);
	if (rc == 0)
		rc = loop_add(&dm->loop, &dm->signals, EPOLLIN);
	return rc == 0 ? loop_add(&dm->loop, &dm->memory, EPOLLIN) : rc;
}

static int setup_devices(struct daemon *dm, const struct options *o)
{
	char why[320];
	u32 i;
	int rc;

	dm->devices.dev = calloc(o->dev_count, sizeof(*dm->devices.dev));
	if (!dm->devices.dev) {
		log_error("no memory for %u devices", o->dev_count);
		return -1;
	}
	for (i = 0; i < o->dev_count; i++) {
		struct device *d = &dm->devices.dev[dm->devices.count++];

		rc = device_init(d, &o->dev[i]);
		if (rc < 0) {
			log_error("%s: cannot set up its queues: %s",
				  o->dev[i].name, strerror(-rc));
			return -1;
		}
		if (session_listen(&d->session, &dm->loop, o->gid, why, sizeof(why)) < 0) {
			log_error("%s: %s", o->dev[i].name, why);
			return -1;
		}
	}
	return 0;
}

static int setup_net(struct daemon *dm, const struct options *o)
{
	char why[320];
	int rc = net_init(&dm->net, &o->net, queue_tsc_hz);

	dm->devices.net = &dm->net;
	if (rc < 0) {
		log_error("cannot set up ports and pacers: %s", strerror(-rc));
		return -1;
	}
	if (net_open(&dm->net, &dm->loop, o->gid, why, sizeof(why)) == 0)
		return 0;
	log_error("port: %s", why);
	return -1;
}

static int setup_control(struct daemon *dm, const struct options *o)
{
	char why[320];

	if (!o->control)
		return 0;
	if (clients_listen(&dm->clients, o->control, &dm->loop, &dm->devices,
			   o->gid, why, sizeof(why)) < 0) {
		log_error("control: %s", why);
		return -1;
	}
	return 0;
}

static int serve(struct daemon *dm, const struct options *o)
{
	int rc;

	if (setup_devices(dm, o) < 0 || setup_net(dm, o) < 0 || setup_control(dm, o) < 0)
		return EXIT_FAILURE;
	/* No frontend is served before the loop. */
	state_load(&dm->state);
	rc = state_watch(&dm->state, &dm->loop);
	if (rc < 0) {
		log_error("state: no timer: %s", strerror(-rc));
		return EXIT_FAILURE;
	}
	log_info("serving %u device%s and %u port%s", dm->devices.count,
		 dm->devices.count == 1 ? "" : "s", dm->net.port_count,
		 dm->net.port_count == 1 ? "" : "s");
	rc = loop_run(&dm->loop);
	state_save(&dm->state);
	if (rc == 0)
		return EXIT_SUCCESS;
	log_error("cannot wait for events: %s", strerror(-rc));
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	const struct argp argp = {
		.options = options, .parser = parse_opt, .doc = doc,
	};
	struct options o = {
		.gid = (gid_t)-1, .net = { .cpu = { -1 }, .pacer_count = 1 },
	};
	struct daemon dm = { .clients.listener.fd = -1, .state.timer.fd = -1 };
	int rc;
	u32 i;

	/* Before the options: it learns which CPUs there are. */
	worker_setup();
	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	rc = setup_process(&dm);
	if (rc < 0) {
		log_error("cannot set up: %s", strerror(-rc));
		return EXIT_FAILURE;
	}
	queue_tsc_hz = tsc_measure_hz();
	dm.state.path = o.state;
	dm.state.devices = &dm.devices;
	rc = serve(&dm, &o);
	state_fini(&dm.state, &dm.loop);
	clients_fini(&dm.clients);
	for (i = 0; i < dm.devices.count; i++)
		device_fini(&dm.devices.dev[i]);
	net_fini(&dm.net);
	free(dm.devices.dev);
	loop_fini(&dm.loop);
	return rc;
}
