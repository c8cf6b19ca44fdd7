// SPDX-License-Identifier: GPL-2.0-or-later
/* ringpaced: vhost-user devices whose queues are paced. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "control.h"
#include "log/log.h"
#include "metrics/http.h"
#include "metrics/metrics.h"
#include "net/net.h"
#include "notify.h"
#include "options.h"
#include "privs.h"
#include "syscalls.h"
#include "reload.h"
#include "sigbus.h"
#include "state.h"
#include "tsc.h"
#include "worker.h"

struct daemon {
	struct loop loop;
	struct loop_source signals;
	struct loop_source memory;	/* see sigbus_setup() */
	struct devices devices;
	struct net net;
	struct lines control;
	struct state state;
	struct reload reload;
	struct metrics_http metrics;
};

static void on_signal(struct loop_source *src, u32 events)
{
	struct daemon *dm = container_of(src, struct daemon, signals);
	struct signalfd_siginfo si;

	if (read(src->fd, &si, sizeof(si)) != sizeof(si))
		return;
	if (si.ssi_signo == SIGHUP && dm->devices.reload) {
		reload_run(dm->devices.reload);
		return;
	}
	notify_stopping();
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
		session_check_memory(&dm->devices.dev[i]->session);
	net_check_memory(&dm->net);
}

/* Process-wide settings, before there is any thread. */
static int setup_process(struct daemon *dm, const struct options *o)
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
	/* Without a file to read again it means what it always does. */
	if (o->config)
		sigaddset(&set, SIGHUP);
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

	for (i = 0; i < o->dev_count; i++) {
		if (devices_add(&dm->devices, &o->dev[i], &dm->loop, o->gid, why, sizeof(why)))
			continue;
		log_error("%s: %s", o->dev[i].name, why);
		return -1;
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
	/* No frontend is served before the loop, but a tap's flows begin at once. */
	state_load(&dm->state);
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
	if (lines_open(&dm->control, o->control, o->gid, &dm->loop, &control_owner,
		       &dm->devices, why, sizeof(why)) < 0) {
		log_error("control: %s", why);
		return -1;
	}
	return 0;
}

static char *make_metrics(const void *devices, enum metrics_format format, size_t *bytes)
{
	return metrics_text(devices, format, bytes);
}

static int setup_metrics(struct daemon *dm, const struct options *o)
{
	char why[320];

	if (!o->has_metrics)
		return 0;
	if (metrics_http_start(&dm->metrics, &o->metrics, &dm->loop, make_metrics, &dm->devices, o->gid,
			       why, sizeof(why)) < 0) {
		log_error("metrics: %s", why);
		return -1;
	}
	if (!o->metrics.unix_path && !o->metrics.loopback)
		log_warn("metrics: whoever can reach the address can read them; HTTP is neither "
			 "encrypted nor asks who it is");
	return 0;
}

/* All is open. From here on there are fewer rights. */
static int confine(struct daemon *dm, const struct options *o)
{
	char why[320];

	if (privs_drop(o->user, o->gid, why, sizeof(why)) < 0 ||
	    sandbox_main(why, sizeof(why)) < 0) {
		log_error("%s", why);
		return -1;
	}
	net_sandbox(&dm->net);
	return 0;
}

static int serve(struct daemon *dm, const struct options *o)
{
	int rc;

	if (setup_devices(dm, o) < 0 || setup_net(dm, o) < 0 || setup_control(dm, o) < 0 ||
	    setup_metrics(dm, o) < 0)
		return EXIT_FAILURE;
	rc = state_watch(&dm->state, &dm->loop);
	if (rc < 0) {
		log_error("state: no timer: %s", strerror(-rc));
		return EXIT_FAILURE;
	}
	rc = notify_init(&dm->loop);
	if (rc < 0)
		log_warn("notify: $NOTIFY_SOCKET cannot be used: %s", strerror(-rc));
	if (confine(dm, o) < 0)
		return EXIT_FAILURE;
	log_info("serving %u device%s and %u port%s", dm->devices.count,
		 dm->devices.count == 1 ? "" : "s", dm->net.port_count,
		 dm->net.port_count == 1 ? "" : "s");
	notify_ready(&dm->devices);
	rc = loop_run(&dm->loop);
	state_save(&dm->state);
	if (rc == 0)
		return EXIT_SUCCESS;
	log_error("cannot wait for events: %s", strerror(-rc));
	return EXIT_FAILURE;
}

/* What must be before there are threads. */
static int begin(struct daemon *dm, const struct options *o)
{
	char why[320];
	int rc;

	rc = setup_process(dm, o);
	if (rc < 0)
		snprintf(why, sizeof(why), "cannot set up: %s", strerror(-rc));
	if (rc == 0)
		rc = privs_begin(o->user, why, sizeof(why));
	if (rc == 0)
		rc = sandbox_init(o->seccomp, why, sizeof(why));
	if (rc < 0)
		log_error("%s", why);
	return rc;
}

int main(int argc, char **argv)
{
	struct daemon dm = {
		.state.timer.fd = -1, .metrics.timer.fd = -1,
		.net = { .timer.fd = -1, .watchdog.fd = -1 },
	};
	struct options *o;
	int rc;

	/* Before the options: it learns which CPUs there are. */
	worker_setup();
	o = options_read(argc, argv);
	options_apply_log(o);
	if (o->check) {
		options_free(o);
		return EXIT_SUCCESS;
	}
	if (begin(&dm, o) < 0) {
		options_free(o);
		return EXIT_FAILURE;
	}
	queue_tsc_hz = tsc_measure_hz();
	dm.state.path = o->state;
	dm.state.devices = &dm.devices;
	reload_init(&dm.reload, o, &dm.devices, &dm.loop);
	dm.devices.reload = o->config ? &dm.reload : NULL;
	rc = serve(&dm, o);
	state_fini(&dm.state, &dm.loop);
	metrics_http_stop(&dm.metrics);
	lines_close(&dm.control);
	devices_fini(&dm.devices);
	net_fini(&dm.net);
	notify_fini();
	loop_fini(&dm.loop);
	reload_fini(&dm.reload);
	options_free(o);
	return rc;
}
