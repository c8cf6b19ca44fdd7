// SPDX-License-Identifier: GPL-2.0-or-later
/* ringpace-hostd: keeps tenants within their bounds with the least of the host. */
#include <argp.h>
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "daemon.h"
#include "learned.h"
#include "log/log.h"
#include "log/log_format.h"
#include "privs.h"

enum { OPT_CONFIG = 256, OPT_DRY_RUN, OPT_CHECK, OPT_RESTORE, OPT_LOG_LEVEL,
       OPT_SECCOMP };

static const struct argp_option options[] = {
	{ "config", OPT_CONFIG, "FILE", 0, "tenants and settings (/etc/ringpace-hostd.yaml)", 0 },
	{ "dry-run", OPT_DRY_RUN, NULL, 0,
	  "decide and say so, but change nothing; \"ringpace host apply\" ends that", 0 },
	{ "check", OPT_CHECK, NULL, 0, "only look whether the file is good", 0 },
	{ "restore", OPT_RESTORE, NULL, 0,
	  "give back what a controller that was killed has changed, and end", 0 },
	{ "log-level", OPT_LOG_LEVEL, "LEVEL", 0,
	  "error, warn, info or debug (info); debug also logs decisions to hold", 0 },
	{ "seccomp", OPT_SECCOMP, "MODE", 0,
	  "on: system calls that are not needed fail; log: the kernel logs them; off (on)", 0 },
	{ 0 }
};

static int level_of(const char *name)
{
	int i;

	for (i = 0; i < LOG_LEVELS; i++)
		if (!strcmp(log_level_names[i], name))
			return i;
	return -1;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct daemon *d = state->input;

	switch (key) {
	case OPT_CONFIG:
		d->config = arg;
		break;
	case OPT_DRY_RUN:
		d->dry_run = true;
		break;
	case OPT_CHECK:
		d->check = true;
		break;
	case OPT_RESTORE:
		d->restore = true;
		break;
	case OPT_LOG_LEVEL:
		if (level_of(arg) < 0)
			argp_error(state, "--log-level %s: error, warn, info or debug", arg);
		log_set_level((enum log_level)level_of(arg));
		break;
	case OPT_SECCOMP:
		if (sandbox_mode_by_name(arg) < 0)
			argp_error(state, "--seccomp %s: on, off or log", arg);
		d->seccomp = (enum sandbox_mode)sandbox_mode_by_name(arg);
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
	.doc = "The host controller: gives latency-critical tenants the fewest cores and the "
	"lowest clock that keep their bounds, and the rest to batch tenants (docs/host.md).\v"
	"SIGHUP reads the file again. A clean end (SIGTERM) gives back what was changed; a "
	"controller that is started after a crash goes on where that one was.\n\n"
	"Example:\n\n  ringpace-hostd --config /etc/ringpace-hostd.yaml --dry-run",
};

static void on_signal(struct loop_source *src, u32 events)
{
	struct daemon *d = container_of(src, struct daemon, signals);
	struct signalfd_siginfo si;

	if (read(src->fd, &si, sizeof(si)) != sizeof(si))
		return;
	if (si.ssi_signo == SIGHUP) {
		daemon_reload(d);
		return;
	}
	log_info("signal %u: giving everything back", si.ssi_signo);
	d->loop.stop = true;
}

/* Before there are threads, which inherit the mask. */
static int setup(struct daemon *d)
{
	sigset_t set;
	int rc = loop_init(&d->loop);

	if (rc < 0)
		return rc;
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	d->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	d->signals.ready = on_signal;
	return d->signals.fd < 0 ? -errno : loop_add(&d->loop, &d->signals, EPOLLIN);
}

/* What it is for: threads' affinity, signals, others' sockets and pidfiles, classes of NICs. */
static const int capabilities[] = {
	CAP_SYS_NICE, CAP_KILL, CAP_DAC_OVERRIDE, CAP_NET_ADMIN,
};

/* Before there are threads and anything is opened, but for the configuration. */
static int confine(const struct daemon *d)
{
	char why[200];

	if (privs_keep(capabilities, sizeof(capabilities) / sizeof(*capabilities), why,
		       sizeof(why)) == 0 &&
	    hostd_sandbox(d->seccomp, why, sizeof(why)) == 0)
		return 0;
	log_error("%s", why);
	return -1;
}

static int serve(struct daemon *d)
{
	int rc = daemon_start_turns(d);

	if (rc == 0) {
		log_info("%u tenants on %u cores%s", d->world->tenants, d->world->topo.cores,
			 d->dry_run ? ", dry run" : "");
		rc = loop_run(&d->loop);
	}
	if (rc < 0)
		log_error("cannot wait for events: %s", strerror(-rc));
	learned_save(d->world, d->learned_path);
	/* First nothing new is ordered. */
	virt_stop(&d->world->virt, 1000);
	return daemon_restore(d) || rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void tell(void *ctx, const char *line)
{
	fprintf(stderr, "ringpace-hostd: %s\n", line);
}

int main(int argc, char **argv)
{
	static struct daemon d = {
		.config = "/etc/ringpace-hostd.yaml", .lock_fd = -1, .turn.fd = -1,
		.metrics.timer.fd = -1, .seccomp = SANDBOX_ON,
	};
	int rc = EXIT_FAILURE, err;

	log_program = "ringpace-hostd";
	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &d);
	if (conf_read(d.config, &d.conf, tell, NULL))
		return 2;
	if (d.check)
		return EXIT_SUCCESS;
	err = setup(&d);
	if (err < 0)
		log_error("cannot set up: %s", strerror(-err));
	else if (confine(&d) == 0 && daemon_open(&d) == 0)
		rc = d.restore ? (daemon_restore(&d) ? EXIT_FAILURE : EXIT_SUCCESS) : serve(&d);
	daemon_close(&d);
	return rc;
}
