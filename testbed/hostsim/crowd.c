// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A ringpace-hostd with many tenants on a host of files.
 *
 *	ringpace-hostd ══ a socket each ══ stand-ins for rp-dataplane, or one for ringpaced
 *	      └── a sysfs of 64 cores with cpufreq: files of the run directory
 *
 * The stand-ins are this thread's: it answers while the time goes by, and asks the
 * controller for its own figures at both ends of it.
 */
#include "crowd.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"
#include "hostsim/filehost.h"
#include "hostsim/standin.h"
#include "sock/sock.h"

#define CORES		64u
#define START_S		2.0	/* until it has tried to reach everybody */
#define ANSWER_MS	10000u
#define LINE_MAX_BYTES	8192u

const char *const crowd_names[CROWD_KINDS] = { "dataplanes", "ports", "orders" };

/* A daemon's socket, and the controller's connection to it. */
struct line {
	int listener, fd;		/* -1: none */
	size_t bytes;
	char in[LINE_MAX_BYTES];
};

struct crowd {
	enum crowd_kind kind;
	u32 tenants, lines;
	char dir[160], config[192], control[192], log[192];
	struct standin standin[CROWD_TENANTS_MAX];
	struct line line[CROWD_TENANTS_MAX];
	pid_t hostd;
	u64 orders, answer_bytes;
	u64 tick_ns;			/* of pages, the next one */
	/* A process's threads, for a tenant that has no dataplane. */
	u32 threads;
	pthread_t thread[STANDIN_THREADS];
	int hold[2];
};

/* ---- What it is told ---- */

static int write_config(const struct crowd *c)
{
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);
	u32 i;
	int rc;

	if (!f)
		return fail("no memory");
	fprintf(f, "run-dir: %s/run\ncpus: 0-%u\nsysfs: %s/sys\nrapl: no\n", c->dir, CORES - 1, c->dir);
	if (c->kind == CROWD_PORTS)
		fprintf(f, "ringpaced: %s/s0\n", c->dir);
	fputs("tenants:\n", f);
	for (i = 0; i < c->tenants; i++) {
		fprintf(f, "  - {name: t%u, class: latency, pidfile: %s/pid%u, bound-ns: 300000, "
			"policy: consolidate, threads-per-core: 1, priority: %u, max-cores: %u, ", i, c->dir, i, i % 3, STANDIN_THREADS);
		if (c->kind == CROWD_PORTS)
			fprintf(f, "ports: [p%u]}\n", i);
		else
			fprintf(f, "dataplane: %s/s%u}\n", c->dir, i);
	}
	fclose(f);
	rc = filehost_write(c->dir, "hostd.yaml", text);
	free(text);
	return rc;
}

/* ---- The daemons that are played ---- */

static int open_lines(struct crowd *c)
{
	char path[192], why[256];
	u32 i;

	c->lines = c->kind == CROWD_PORTS ? 1 : c->tenants;
	for (i = 0; i < c->lines; i++) {
		snprintf(path, sizeof(path), "%s/s%u", c->dir, i);
		c->line[i].listener = sock_listen(path, (gid_t)-1, why, sizeof(why));
		if (c->line[i].listener < 0)
			return fail("%s", why);
	}
	return 0;
}

static void hang_up(struct line *l)
{
	close(l->fd);
	l->fd = -1;
	l->bytes = 0;
}

/* False: the line is broken. */
static bool answer(struct crowd *c, u32 i, const char *order, size_t bytes)
{
	static char out[STANDIN_ANSWER_MAX];
	struct iovec part = { out, 0 };
	u64 now = now_ns();
	int fd = -1;
	u32 n = c->kind == CROWD_PORTS ?
		standin_ringpaced(c->standin, c->tenants, order, bytes, now, out) :
		standin_dataplane(&c->standin[i], order, bytes, now, out, &fd);

	c->orders++;
	c->answer_bytes += n;
	part.iov_len = n;
	return n && sock_send(c->line[i].fd, &part, 1, fd) == (ssize_t)n;
}

static void serve(struct crowd *c, u32 i)
{
	struct line *l = &c->line[i];
	ssize_t n = recv(l->fd, l->in + l->bytes, sizeof(l->in) - l->bytes, MSG_DONTWAIT);
	char *at = l->in, *end;

	if (n <= 0) {
		hang_up(l);
		return;
	}
	l->bytes += (size_t)n;
	while ((end = memchr(at, '\n', l->bytes - (size_t)(at - l->in)))) {
		if (!answer(c, i, at, (size_t)(end - at))) {
			hang_up(l);
			return;
		}
		at = end + 1;
	}
	l->bytes -= (size_t)(at - l->in);
	memmove(l->in, at, l->bytes);
}

/* Of those that have pages; when the next sample of theirs is due. */
static u64 tick_all(struct crowd *c, u64 now)
{
	u32 i;

	if (c->kind != CROWD_DATAPLANES)
		return UINT64_MAX;
	if (now >= c->tick_ns) {
		for (i = 0; i < c->tenants; i++)
			standin_tick(&c->standin[i], now);
		c->tick_ns = now + DP_TELEMETRY_NS;
	}
	return c->tick_ns;
}

/* False: stopped, or the controller has ended. */
static bool serve_all(struct crowd *c, double seconds)
{
	u64 end = now_ns() + (u64)(seconds * 1e9), now, until;
	struct pollfd p[CROWD_TENANTS_MAX];
	u32 i;

	while ((now = now_ns()) < end) {
		if (stopped() || !child_alive(c->hostd))
			return false;
		until = tick_all(c, now);
		until = until < end ? until : end;
		for (i = 0; i < c->lines; i++)
			p[i] = (struct pollfd){ .events = POLLIN, .fd = c->line[i].fd >= 0 ?
						c->line[i].fd : c->line[i].listener };
		if (poll(p, c->lines, (int)((until - now) / 1000000) + 1) < 0)
			continue;
		for (i = 0; i < c->lines; i++) {
			if (!p[i].revents)
				continue;
			if (c->line[i].fd >= 0)
				serve(c, i);
			else
				c->line[i].fd = sock_accept(c->line[i].listener);
		}
	}
	return true;
}

/* ---- Threads ---- */

static void *hold(void *arg)
{
	const struct crowd *c = arg;
	char byte;

	while (read(c->hold[0], &byte, 1) < 0 && errno == EINTR)
		;
	return NULL;
}

/* All tenants' process, whose CPU time is looked at: this one. Of dataplanes nobody is there. */
static int make_process(struct crowd *c)
{
	char text[16] = "\n", name[16];
	u32 i;

	if (c->kind == CROWD_PORTS) {
		if (pipe(c->hold))
			return fail("no pipe: %s", strerror(errno));
		while (c->threads < STANDIN_THREADS - 1 &&
		       !pthread_create(&c->thread[c->threads], NULL, hold, c))
			c->threads++;
		snprintf(text, sizeof(text), "%d\n", getpid());
	}
	for (i = 0; i < c->tenants; i++) {
		snprintf(name, sizeof(name), "pid%u", i);
		if (filehost_write(c->dir, name, text))
			return -1;
	}
	return 0;
}

static void end_process(struct crowd *c)
{
	u32 i;

	if (c->hold[1] <= 0)
		return;
	close(c->hold[1]);
	for (i = 0; i < c->threads; i++)
		pthread_join(c->thread[i], NULL);
	close(c->hold[0]);
}

/* ---- The controller ---- */

static int start_hostd(struct crowd *c)
{
	const char *program = own_program("ringpace-hostd");
	/* Without privileges: it cannot keep some, nor does it need them. */
	char *argv[] = { (char *)program, "--config", c->config, "--log-level", "warn",
			 c->kind == CROWD_PORTS ? "--dry-run" : NULL, NULL };

	if (!program)
		return -1;
	c->hostd = child_start(argv, c->log);
	return c->hostd > 0 ? 0 : -1;
}

static double cpu_ns_of(pid_t pid)
{
	struct timespec ts;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &ts))
		return UNKNOWN;
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* Its status; the stand-ins stand meanwhile. */
static json_t *ask(struct crowd *c)
{
	struct ctl ctl;
	json_t *v;

	if (ctl_open(&ctl, c->control, ANSWER_MS))
		return NULL;
	v = ctl_call(&ctl, "status", NULL, ANSWER_MS);
	ctl_close(&ctl);
	return v;
}

static double changes_of(const json_t *status)
{
	const json_t *tenants = json_object_get(status, "tenants"), *t;
	double sum = 0;
	size_t i;

	json_array_foreach(tenants, i, t)
		sum += json_number_at(t, "changes");
	return sum;
}

/* Has each tenant's sensor answered? */
static bool is_seen(const json_t *status)
{
	const json_t *tenants = json_object_get(status, "tenants"), *t;
	size_t i;

	json_array_foreach(tenants, i, t)
		if (!json_is_string(json_object_get(t, "sensor")))
			return false;
	return json_array_size(tenants) > 0;
}

static void take(struct crowd_cost *cost, const json_t *before, const json_t *after)
{
	const json_t *was = json_object_get(before, "loop"), *is = json_object_get(after, "loop");

	cost->turns = json_number_at(is, "ticks") - json_number_at(was, "ticks");
	cost->missed = json_number_at(is, "missed") - json_number_at(was, "missed");
	cost->late_p50_ns = json_number_at(is, "late_p50_ns");
	cost->late_p99_ns = json_number_at(is, "late_p99_ns");
	cost->late_max_ns = json_number_at(is, "late_max_ns");
	cost->changes = changes_of(after) - changes_of(before);
}

/* False: it has ended, or we are stopped. */
static bool measure(struct crowd *c, double seconds, struct crowd_cost *cost)
{
	u64 began = now_ns(), orders = c->orders, bytes = c->answer_bytes;
	double cpu = cpu_ns_of(c->hostd);

	if (!serve_all(c, seconds))
		return false;
	cost->seconds = (double)(now_ns() - began) / 1e9;
	cost->cpu = (cpu_ns_of(c->hostd) - cpu) / 1e9 / cost->seconds;
	cost->orders = (double)(c->orders - orders);
	cost->answer_bytes = (double)(c->answer_bytes - bytes);
	return true;
}

static int watch(struct crowd *c, double seconds, struct crowd_cost *cost)
{
	json_t *before, *after;
	int rc = -1;

	before = serve_all(c, START_S) ? ask(c) : NULL;
	after = before && measure(c, seconds, cost) ? ask(c) : NULL;
	if (!after) {
		fail("the controller does not run: %s", log_tail(c->log));
	} else if (!is_seen(after)) {
		fail("the controller does not see its tenants: %s", log_tail(c->log));
	} else {
		take(cost, before, after);
		rc = 0;
	}
	json_decref(before);
	json_decref(after);
	return rc;
}

static int set_up(struct crowd *c)
{
	const char *dir;
	u32 i;

	/* A host's /run and /sys are memory, and so is what stands for them. */
	if (!access("/dev/shm", W_OK))
		setenv("XDG_RUNTIME_DIR", "/dev/shm", 0);
	dir = run_dir();
	if (!dir)
		return -1;
	snprintf(c->dir, sizeof(c->dir), "%s/%s", dir, crowd_names[c->kind]);
	snprintf(c->config, sizeof(c->config), "%s/hostd.yaml", c->dir);
	snprintf(c->control, sizeof(c->control), "%s/run/control", c->dir);
	snprintf(c->log, sizeof(c->log), "%s/log", c->dir);
	if (mkdir(c->dir, 0700) && errno != EEXIST)
		return fail("cannot make %s: %s", c->dir, strerror(errno));
	for (i = 0; i < CROWD_TENANTS_MAX; i++)
		c->line[i].listener = c->line[i].fd = -1;
	for (i = 0; i < c->tenants; i++) {
		standin_init(&c->standin[i], i, now_ns());
		if (c->kind == CROWD_DATAPLANES && standin_open_page(&c->standin[i]))
			return fail("no telemetry page can be made: %s", strerror(errno));
	}
	return filehost_make(c->dir, CORES) || open_lines(c) || make_process(c) || write_config(c) ? -1 : 0;
}

static void tear_down(struct crowd *c)
{
	u32 i;

	if (c->hostd > 0)
		child_stop(c->hostd);
	for (i = 0; i < c->lines; i++) {
		if (c->line[i].fd >= 0)
			close(c->line[i].fd);
		if (c->line[i].listener >= 0)
			close(c->line[i].listener);
	}
	for (i = 0; i < c->tenants; i++)
		standin_close_page(&c->standin[i]);
	end_process(c);
}

int crowd_measure(enum crowd_kind kind, u32 tenants, double seconds, struct crowd_cost *cost)
{
	struct crowd *c = calloc(1, sizeof(*c));
	int rc;

	*cost = (struct crowd_cost){ 0 };
	if (!c)
		return fail("no memory");
	c->kind = kind;
	c->tenants = tenants;
	rc = set_up(c) || start_hostd(c) ? -1 : watch(c, seconds, cost);
	tear_down(c);
	free(c);
	return rc;
}
