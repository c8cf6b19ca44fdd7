// SPDX-License-Identifier: GPL-2.0-or-later
/* Options from the command line. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "options.h"
#include "version.h"

const char *argp_program_version = "ringpaced " RINGPACED_VERSION;

static const char doc[] =
	"Serves virtio-pc devices and virtio-net ports over vhost-user.\v"
	"A device is NAME,socket=PATH[,pairs=N][,item-bytes=N]: a vhost-user "
	"socket to listen on, the number of queue pairs (1..64, default 1), and "
	"the size of an item in bytes (32..65536, default 64). Several devices "
	"may be given.\n\n"
	"A port is NAME,socket=PATH|tap=IFNAME|nic=WIRE[,pairs=N][,pacer=N+N...]"
	"[,mtu=BYTES][,rss=ENTRIES][,strategy=NAME]"
	"[,dmax-ns=NS][,y-ns=NS][,cpu-cap=PERCENT][,burst=N][,full-ms=MS][,rate-pps=N]"
	"[,rate-bps=N][,burst-packets=N][,burst-bytes=N]: a virtio-net "
	"device, or a tap of the host, with 1..64 pairs of queues (default 1); strategy "
	"adaptive with D_MAX "
	"100000 ns unless told otherwise. What one port of a link sends the other one "
	"receives; one whose buffers are full for more than full-ms (default 100) loses "
	"packets, before that it holds the sender up. With rss=ENTRIES, a power of two up to "
	"512, what a port receives is spread over its pairs by the Toeplitz hash and a table "
	"of so many entries, as `ringpace ctl rss` shows and sets it. pacer=N+N... says which pacers, as --pacers numbers them from 0, serve "
	"what the port sends, pair by pair in turn; without it pairs are spread over all. A port that has sent more than rate-pps "
	"packets or rate-bps bits a second is held up; it may save up burst-packets and "
	"burst-bytes (10 ms of the rate).\n\n"
	"With nic=IFNAME a port is a NIC in software, with that tap as its wire, and with "
	"nic=dpdk:DEVARGS one with that device of DPDK, a PCI address as 0000:03:00.0 or a virtual "
	"device and its arguments, with ';' between them: what it is sent "
	"waits in as many transmit queues as it has pairs, of queue-bytes=BYTES each (262144), and "
	"goes out in shares of weights=N+N... (1..10000 each, 1) and at link-bps=BITS a second (0: "
	"no limit). In a switch classes=source has each sending port use one queue, that of its "
	"nic-queue=N or the next; classes=flow spreads flows over all. `ringpace ctl weight` shows "
	"and sets weights and rate.\n\n"
	"A switch is NAME,ports=A+B[+...][,age-s=S][,pacer=N+N...]: it learns which addresses "
	"are behind which port, forgets them after S seconds of silence (300), and what its ports "
	"send is served by these pacers, pair by pair in turn (by the first, 0), but of ports that "
	"say pacer=N+N... themselves. A port in a switch may also say vlan=N, the VLAN "
	"of its untagged frames (1 if there is no trunk), trunk=N+N-N, those that are "
	"tagged, and macs=N, how many addresses it may have (1024). There full-ms is 1 "
	"unless told otherwise, and once for every 64 frames at most.\n\n"
	"The control socket takes JSON, one object a line; times "
	"there are in nanoseconds.\n\n"
	"A file (--config, docs/operations.md) says the same by the same names, and is read "
	"again on SIGHUP. What it can say is not said here, too.\n\n"
	"Example:\n"
	"  ringpaced --device pc0,socket=/run/pc0.sock,pairs=2 "
	"--control /run/ringpaced.ctl\n"
	"  ringpaced --port a,socket=/run/a.sock --port b,socket=/run/b.sock "
	"--link a,b --pacers 2,3\n"
	"  ringpaced --port a,socket=/run/a.sock,vlan=10 --port b,socket=/run/b.sock,vlan=10 "
	"--port up,tap=tap0,trunk=10+20 --switch s,ports=a+b+up\n"
	"  ringpaced --port a,socket=/run/a.sock --port up,nic=dpdk:0000:03:00.0 --link a,up\n"
	"  ringpaced --check --config /etc/ringpaced.yaml\n\n"
	"SIGTERM and SIGINT end it and remove its sockets. Exit status: 0 done, "
	"1 failed, 2 wrong use.";

static void tell_stderr(void *ctx, const char *line)
{
	fprintf(stderr, "ringpaced: %s\n", line);
}

static void say(struct options *o, u32 def, const char *arg, struct argp_state *state)
{
	const char *why = options_say(o, def, arg ? arg : "", SAID_ARGS);

	if (why)
		argp_error(state, "--%s %s: %s", option_defs[def].name, arg ? arg : "", why);
}

/* Ports and what is between them are said in one place. */
static void check(const struct options *o, struct argp_state *state)
{
	const char *who, *why;
	u32 i;

	for (i = 0; o->config && i < option_count; i++)
		if (o->from[i] && (option_defs[i].section || option_defs[i].shape == SHAPE_LIST))
			argp_error(state, "--%s: with --config it is for the file to say",
				   option_defs[i].name);
	why = o->config ? NULL : options_check(o, &who);
	if (why)
		argp_error(state, "%s%s%s", who ? who : "", who ? ": " : "", why);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	u32 i;

	if (key == ARGP_KEY_ARG)
		argp_error(state, "unexpected argument \"%s\"", arg);
	if (key == ARGP_KEY_END)
		check(o, state);
	for (i = 0; i < option_count && option_defs[i].key != key; i++)
		;
	if (i < option_count)
		say(o, i, arg, state);
	return i < option_count || key == ARGP_KEY_ARG || key == ARGP_KEY_END ? 0 :
		ARGP_ERR_UNKNOWN;
}

struct options *options_read(int argc, char **argv)
{
	struct argp_option list[OPTIONS_MAX + 1] = { 0 };
	const struct argp argp = { .options = list, .parser = parse, .doc = doc };
	struct options *o = options_new();
	u32 i;

	for (i = 0; i < option_count; i++)
		list[i] = (struct argp_option){ option_defs[i].name, option_defs[i].key,
						option_defs[i].arg, 0, option_defs[i].help, 0 };
	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, o);
	if (o->config && config_read(o->config, o, tell_stderr, NULL)) {
		options_free(o);
		exit(2);
	}
	return o;
}

struct options *options_reread(const struct options *running,
			       void (*tell)(void *ctx, const char *line), void *ctx)
{
	struct options *o = options_new();
	const char *why = NULL;
	u32 i;

	o->running = running;
	for (i = 0; i < option_count && !why; i++)
		if (running->from[i] == SAID_ARGS)
			why = options_say(o, i, running->text[i], SAID_ARGS);
	if (why)
		tell(ctx, why);
	if (!why && !config_read(running->config, o, tell, ctx))
		return o;
	options_free(o);
	return NULL;
}
