// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `perf stat` as a child: started with its counters off, switched on and off
 * through a pair of FIFOs (perf's --control), which answer when it is done.
 */
#include "perf/stat.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Switching uprobes on and off waits for the kernel; hosts may be busy. */
#define ANSWER_MS	60000

/* ---- Can it count at all? ---- */

const char *perf_tracefs(void)
{
	static const char *const places[] = {
		"/sys/kernel/tracing", "/sys/kernel/debug/tracing",
	};
	char path[64];
	u32 i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, sizeof(path), "%s/events", places[i]);
		if (!access(path, R_OK | X_OK))
			return places[i];
	}
	return NULL;
}

static bool in_path(const char *program)
{
	char *path = strdup(getenv("PATH") ?: ""), *save = NULL, *dir;
	char file[512];
	bool found = false;

	for (dir = strtok_r(path, ":", &save); dir && !found; dir = strtok_r(NULL, ":", &save)) {
		snprintf(file, sizeof(file), "%s/%s", dir, program);
		found = !access(file, X_OK);
	}
	free(path);
	return found;
}

const char *perf_why_not(void)
{
	if (!in_path("perf"))
		return "perf is not installed; install the package linux-perf";
	if (geteuid())
		return "the kernel's events are root's; run this as root or with sudo";
	if (!perf_tracefs())
		return "tracefs is not mounted; `mount -t tracefs tracefs /sys/kernel/tracing` "
		       "mounts it";
	return NULL;
}

bool perf_has_tracepoint(const char *name)
{
	const char *root = perf_tracefs(), *colon = strchr(name, ':');
	char path[192];

	if (!root || !colon)
		return false;
	snprintf(path, sizeof(path), "%s/events/%.*s/%s/id", root, (int)(colon - name), name,
		 colon + 1);
	return !access(path, R_OK);
}

/* ---- The process ---- */

u32 perf_stat_add(struct perf_stat *s, const char *event, const char *filter)
{
	struct perf_event *e = &s->event[s->events];

	if (s->events == PERF_EVENTS_MAX)
		abort();
	snprintf(e->name, sizeof(e->name), "%s", event);
	snprintf(e->filter, sizeof(e->filter), "%s", filter ?: "");
	return s->events++;
}

/* For reading, too, so that neither end waits for a perf that is gone. */
static int make_fifo(const char *path, int *fd)
{
	unlink(path);
	if (mkfifo(path, 0600))
		return fail("cannot make the pipe %s: %m", path);
	*fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return *fd < 0 ? fail("cannot open the pipe %s: %m", path) : 0;
}

static u32 add_words(char **argv, u32 n, char *const *words)
{
	while (*words)
		argv[n++] = *words++;
	return n;
}

static pid_t launch(const struct perf_stat *s, char *control)
{
	char *counts[] = { "perf", "stat", "-x", ";", "-o", (char *)s->out, NULL };
	char *exits[] = { "perf", "kvm", "-o", (char *)s->out, "stat", "record", "-m", "256", NULL };
	char *switched[] = { "-D", "-1", "--control", control, NULL };
	char *argv[16 + 4 * PERF_EVENTS_MAX] = { NULL };
	char target[16];
	u32 n = add_words(argv, 0, s->exits ? exits : counts), i;

	n = add_words(argv, n, switched);
	snprintf(target, sizeof(target), "%d", s->target);
	if (s->target) {
		argv[n++] = "-p";
		argv[n++] = target;
	} else {
		argv[n++] = "-a";
	}
	for (i = 0; i < s->events; i++) {
		argv[n++] = "-e";
		argv[n++] = (char *)s->event[i].name;
		if (!s->event[i].filter[0])
			continue;
		argv[n++] = "--filter";
		argv[n++] = (char *)s->event[i].filter;
	}
	return child_start(argv, s->log);
}

int perf_stat_start(struct perf_stat *s, const char *name)
{
	char orders[160], answers[160], control[400];

	if (!run_dir())
		return -1;
	snprintf(s->name, sizeof(s->name), "%s", name);
	snprintf(s->out, sizeof(s->out), "%s/perf-%s.out", run_dir(), name);
	snprintf(s->log, sizeof(s->log), "%s/perf-%s.log", run_dir(), name);
	snprintf(orders, sizeof(orders), "%s/perf-%s.orders", run_dir(), name);
	snprintf(answers, sizeof(answers), "%s/perf-%s.answers", run_dir(), name);
	s->orders_fd = s->answers_fd = -1;
	if (make_fifo(orders, &s->orders_fd) || make_fifo(answers, &s->answers_fd))
		return -1;
	snprintf(control, sizeof(control), "fifo:%s,%s", orders, answers);
	s->pid = launch(s, control);
	return s->pid < 0 ? -1 : 0;
}

static int ended_early(const struct perf_stat *s)
{
	return fail("perf stat (%s) ended early: %s", s->name, log_tail(s->log));
}

/* perf answers "ack\n", and a 0 after it in some versions. */
static int wait_answer(struct perf_stat *s, const char *order)
{
	struct pollfd pfd = { .fd = s->answers_fd, .events = POLLIN };
	u64 end = now_ns() + ANSWER_MS * 1000000ULL;
	char answer[16];

	while (!stopped()) {
		if (poll(&pfd, 1, 50) > 0 && read(s->answers_fd, answer, sizeof(answer)) > 0)
			return strncmp(answer, "ack", 3) ?
				fail("perf stat (%s) does not know the order %s", s->name, order) : 0;
		if (!child_alive(s->pid))
			return ended_early(s);
		if (now_ns() > end)
			return fail("perf stat (%s) does not answer to %s in %d s: %s", s->name,
				    order, ANSWER_MS / 1000, log_tail(s->log));
	}
	return -1;
}

int perf_stat_order(struct perf_stat *s, const char *order)
{
	if (dprintf(s->orders_fd, "%s\n", order) < 0)
		return fail("cannot give perf stat (%s) the order %s: %m", s->name, order);
	return wait_answer(s, order);
}

void perf_stat_stop(struct perf_stat *s)
{
	if (s->pid <= 0)
		return;
	child_stop(s->pid);
	s->pid = 0;
	if (s->orders_fd >= 0)
		close(s->orders_fd);
	if (s->answers_fd >= 0)
		close(s->answers_fd);
}

static int read_counts(struct perf_stat *s)
{
	FILE *f = fopen(s->out, "re");
	const char *why;

	if (!f)
		return ended_early(s);
	why = perf_stat_parse(s, f);
	fclose(f);
	return why ? fail("perf stat (%s): %s; it says: %s", s->name, why, log_tail(s->log)) : 0;
}

int perf_stat_end(struct perf_stat *s)
{
	u64 end = now_ns() + ANSWER_MS * 1000000ULL;

	if (!child_alive(s->pid))
		return ended_early(s);
	/* It then writes what it counted; a busy host takes its time. */
	kill(s->pid, SIGINT);
	while (child_alive(s->pid) && now_ns() < end && nap_ms(5))
		;
	perf_stat_stop(s);
	if (stopped())
		return -1;
	return s->exits ? 0 : read_counts(s);
}

int perf_run(char *const argv[], const char *log)
{
	u64 end = now_ns() + ANSWER_MS * 1000000ULL;
	pid_t pid;

	unlink(log);
	pid = child_start(argv, log);
	if (pid < 0)
		return -1;
	while (child_alive(pid)) {
		if (nap_ms(2) && now_ns() < end)
			continue;
		child_stop(pid);
		return stopped() ? -1 : fail("perf %s takes more than %d s", argv[3],
					     ANSWER_MS / 1000);
	}
	return 0;
}

/* ---- What it writes ---- */

/* "COUNT;UNIT;EVENT;RUN TIME;SHARE;;", COUNT also "<not counted>". */
static const char *parse_line(struct perf_stat *s, u32 i, char *line)
{
	char *unit = strchr(line, ';'), *event = unit ? strchr(unit + 1, ';') : NULL, *end;
	double count;

	if (!event)
		return because("a line that is no count: %.100s", line);
	*unit = 0;
	event++;
	event[strcspn(event, ";")] = 0;
	if (strcmp(event, s->event[i].name))
		return because("a count of %.80s in place of %s", event, s->event[i].name);
	if (!strcmp(line, "<not supported>"))
		return NULL;
	/* The process that is counted for did not run at all. */
	if (!strcmp(line, "<not counted>")) {
		s->count[i] = 0;
		return NULL;
	}
	count = strtod(line, &end);
	if (end == line || *end || !(count >= 0))
		return because("a count that is no number: %.100s", line);
	s->count[i] = count;
	return NULL;
}

const char *perf_stat_parse(struct perf_stat *s, FILE *from)
{
	const char *why = NULL;
	char line[512];
	u32 i = 0, k;

	for (k = 0; k < s->events; k++)
		s->count[k] = UNKNOWN;
	while (!why && i < s->events && fgets(line, sizeof(line), from)) {
		line[strcspn(line, "\n")] = 0;
		if (line[0] && line[0] != '#')
			why = parse_line(s, i++, line);
	}
	return why || i == s->events ? why :
		because("%u counts in place of %u", i, s->events);
}
