// SPDX-License-Identifier: GPL-2.0-or-later
/* Opens, reloads and ends the daemon; one controller a host. */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "learned.h"
#include "log/log.h"
#include "now.h"

#define GIVE_BACK_S	10
#define ANSWER_NS	1000000ULL
#define LEARNED_NS	60000000000ULL

const struct undo_kind *const daemon_kinds[] = {
	&clock_kind, &native_affinity_kind, &native_signal_kind, &native_freezer_kind, &quota_kind,
	&virt_kind, &virt_agent_kind, &virt_hotplug_kind,
	&nic_ringpaced_kind, &nic_tc_kind, &nic_devlink_share_kind, &nic_devlink_weight_kind,
	&nic_shaper_weight_kind, &nic_shaper_min_kind, NULL
};

/* ---- One controller ---- */

static int take_lock(struct daemon *d)
{
	char pid[16] = "";
	ssize_t n;

	d->lock_fd = open(d->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (d->lock_fd < 0) {
		log_error("%s: %s: run-dir: must be a directory of this user", d->lock_path,
			  strerror(errno));
		return -1;
	}
	if (flock(d->lock_fd, LOCK_EX | LOCK_NB)) {
		n = pread(d->lock_fd, pid, sizeof(pid) - 1, 0);
		pid[n > 0 ? n : 0] = '\0';
		log_error("%s: another controller, process %s, has this host: stop it first",
			  d->lock_path, *pid ? pid : "unknown");
		return -1;
	}
	n = snprintf(pid, sizeof(pid), "%d", getpid());
	if (ftruncate(d->lock_fd, 0) || pwrite(d->lock_fd, pid, (size_t)n, 0) != n)
		log_warn("%s: %s", d->lock_path, strerror(errno));
	return 0;
}

static int take_run_dir(struct daemon *d)
{
	const char *dir = d->conf.run_dir;

	if (mkdir(dir, 0700) && errno != EEXIST) {
		log_error("%s: %s: make it, or say another with run-dir:", dir, strerror(errno));
		return -1;
	}
	snprintf(d->lock_path, sizeof(d->lock_path), "%s/lock", dir);
	snprintf(d->state_path, sizeof(d->state_path), "%s/state", dir);
	if (*d->conf.control)
		snprintf(d->control_path, sizeof(d->control_path), "%s", d->conf.control);
	else
		snprintf(d->control_path, sizeof(d->control_path), "%s/control", dir);
	if (*d->conf.learned)
		snprintf(d->learned_path, sizeof(d->learned_path), "%s", d->conf.learned);
	else
		snprintf(d->learned_path, sizeof(d->learned_path), "%s/learned", dir);
	return take_lock(d);
}

static void load_state(struct daemon *d)
{
	const struct undo_where where = { .sysfs = d->conf.sysfs, .libvirt = d->conf.libvirt };
	const char *why;
	char aside[CONF_PATH_MAX + 8];

	undo_init(&d->undo, d->state_path, daemon_kinds, &where);
	why = undo_load(&d->undo);
	if (!why) {
		if (d->undo.count)
			log_info("%s: adopted %u changes of a controller before this one",
				 d->state_path, d->undo.count);
		return;
	}
	snprintf(aside, sizeof(aside), "%s.bad", d->state_path);
	log_error("%s: %s: kept as %s; what it told of cannot be given back by itself",
		  d->state_path, why, aside);
	rename(d->state_path, aside);
}

/* ---- Opening ---- */

static int open_metrics(struct daemon *d)
{
	const char *bad;
	char why[256];

	if (!*d->conf.metrics)
		return 0;
	strcpy(d->address_text, d->conf.metrics);
	bad = metrics_parse_address(d->address_text, &d->address);
	if (bad) {
		log_error("metrics: %s: %s", d->conf.metrics, bad);
		return -1;
	}
	if (metrics_http_start(&d->metrics, &d->address, &d->loop, host_metrics, d, (gid_t)-1, why,
			       sizeof(why)) < 0) {
		log_error("metrics: %s", why);
		return -1;
	}
	return 0;
}

int daemon_open(struct daemon *d)
{
	char why[256];

	if (take_run_dir(d) < 0)
		return -1;
	load_state(d);
	if (d->restore)
		return 0;
	d->world = world_new(&d->conf, &d->undo, &d->loop, why, sizeof(why));
	if (!d->world) {
		log_error("%s: %s", d->config, why);
		return -1;
	}
	learned_load(d->world, d->learned_path);
	if (lines_open(&d->control, d->control_path, (gid_t)-1, &d->loop, &orders_owner, d, why,
		       sizeof(why)) < 0) {
		log_error("control: %s", why);
		return -1;
	}
	if (open_metrics(d) < 0)
		return -1;
	world_act(d->world, !d->dry_run, now_ns());
	return 0;
}

/* ---- Turns ---- */

static int wake_at(struct daemon *d, u64 at_ns)
{
	const struct itimerspec at = {
		.it_value = { (time_t)(at_ns / 1000000000), (long)(at_ns % 1000000000) },
	};

	return timerfd_settime(d->turn.fd, TFD_TIMER_ABSTIME, &at, NULL) ? -errno : 0;
}

/* Answers take less than a tenth of a millisecond, where daemons have a CPU to run on. */
static u64 answer_ns(const struct daemon *d)
{
	u64 most = d->world->conf.fast_ns / 4;

	return most < ANSWER_NS ? most : ANSWER_NS;
}

static void ask(struct daemon *d, u64 now)
{
	u64 late = now > d->next_ns ? now - d->next_ns : 0;

	d->ticks++;
	d->missed += late / d->world->conf.fast_ns;
	rp_hist_add(&d->late, late);
	world_ask(d->world, now);
}

static void decide(struct daemon *d)
{
	u64 now;

	world_decide(d->world);
	now = now_ns();
	if (now < d->learned_at)
		return;
	d->learned_at = now + LEARNED_NS;
	learned_save(d->world, d->learned_path);
}

/* The timer goes off once; setting it anew is what makes it not readable, without a read. */
static void on_turn(struct loop_source *src, u32 events)
{
	struct daemon *d = container_of(src, struct daemon, turn);
	u64 now = now_ns(), at;

	d->asked = !d->asked;
	if (d->asked)
		ask(d, now);
	if (d->asked && world_awaits(d->world)) {
		at = now + answer_ns(d);
	} else {
		d->asked = false;
		decide(d);
		at = d->next_ns = world_next(d->world, now_ns());
	}
	if (wake_at(d, at) < 0) {
		log_error("its timer cannot be set: %s", strerror(errno));
		d->loop.stop = true;
	}
}

int daemon_start_turns(struct daemon *d)
{
	if (d->turn.fd < 0) {
		d->turn.ready = on_turn;
		d->turn.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
		if (d->turn.fd < 0 || loop_add(&d->loop, &d->turn, EPOLLIN) < 0)
			return -errno;
		d->learned_at = now_ns() + LEARNED_NS;
	}
	d->asked = false;
	d->next_ns = world_next(d->world, now_ns());
	return wake_at(d, d->next_ns);
}

u64 daemon_cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

/* ---- Reload ---- */

static void tell_first(void *ctx, const char *line)
{
	char *why = ctx;

	log_error("%s", line);
	if (!*why)
		snprintf(why, 512, "%s; nothing was changed", line);
}

/* What was opened by it is not opened anew. */
static const char *fixed_change(const struct conf *a, const struct conf *b)
{
	if (strcmp(a->run_dir, b->run_dir))
		return "run-dir";
	if (strcmp(a->learned, b->learned))
		return "learned";
	if (strcmp(a->control, b->control))
		return "control";
	if (strcmp(a->metrics, b->metrics))
		return "metrics";
	if (strcmp(a->sysfs, b->sysfs))
		return "sysfs";
	return strcmp(a->libvirt, b->libvirt) ? "libvirt" : NULL;
}

static const char *try_reload(struct daemon *d, struct conf *conf)
{
	static char why[512];
	const char *fixed;
	struct world *w;

	why[0] = '\0';
	if (conf_read(d->config, conf, tell_first, why))
		return why;
	fixed = fixed_change(&d->conf, conf);
	if (fixed) {
		snprintf(why, sizeof(why), "%s: %s: cannot be changed while it runs: restart it; "
			 "nothing was changed", d->config, fixed);
		return why;
	}
	w = world_new(conf, &d->undo, &d->loop, why, 400);
	if (!w) {
		strcat(why, "; nothing was changed");
		return why;
	}
	learned_load(w, d->learned_path);
	world_inherit(w, d->world);
	/* So that no order of the old one comes after one of the new. */
	virt_stop(&d->world->virt, 1000);
	world_act(w, d->world->acting, now_ns());
	world_free(d->world);
	d->world = w;
	daemon_start_turns(d);
	log_info("%s: in effect: %u tenants", d->config, w->tenants);
	return NULL;
}

const char *daemon_reload(struct daemon *d)
{
	struct conf *conf = malloc(sizeof(*conf));
	const char *why = conf ? try_reload(d, conf) : "no memory";

	free(conf);
	if (why) {
		d->refused++;
		log_error("%s", why);
	} else {
		d->reloads++;
	}
	return why;
}

/* ---- The end ---- */

static void *give_domains_back(void *arg)
{
	undo_some(arg, NULL, NULL, true);
	return NULL;
}

u32 daemon_restore(struct daemon *d)
{
	struct timespec end;
	pthread_t thread;

	undo_some(&d->undo, NULL, NULL, false);
	if (d->undo.count && !pthread_create(&thread, NULL, give_domains_back, &d->undo)) {
		clock_gettime(CLOCK_MONOTONIC, &end);
		end.tv_sec += GIVE_BACK_S;
		if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &end))
			log_error("libvirt does not answer: its domains stay as they are");
	}
	if (d->undo.count)
		log_error("%u changes could not be given back; they are in %s: try again with "
			  "ringpace-hostd --restore", d->undo.count, d->state_path);
	undo_clear(&d->undo);
	return d->undo.count;
}

void daemon_close(struct daemon *d)
{
	metrics_http_stop(&d->metrics);
	lines_close(&d->control);
	if (d->world)
		world_free(d->world);
	if (d->turn.fd >= 0)
		close(d->turn.fd);
	if (d->lock_fd >= 0)
		close(d->lock_fd);
}
