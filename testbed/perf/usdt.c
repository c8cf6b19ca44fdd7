// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ringpaced's USDT probes as events of the kernel's.
 *
 * perf finds the probes of a program that is in its build-id cache; the cache
 * here is a directory of our own. The events that it would make have names
 * which all users of the host share, so it only says what they would be
 * (`perf probe -D`), and they are made under names with our process number.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perf/stat.h"

#define PREFIX		"rp_perf_"
#define PROVIDER	"sdt_ringpaced"
#define BUSY_NS		(5 * NSEC_PER_SEC)	/* until the kernel lets an event go */

/* ---- uprobe_events ---- */

static const char *events_file(void)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/uprobe_events", perf_tracefs() ?: "");
	return path;
}

/* 0 or an errno: one line, one change. */
static int change(const char *line)
{
	int fd = open(events_file(), O_WRONLY | O_APPEND | O_CLOEXEC), err = 0;

	if (fd < 0)
		return errno;
	if (write(fd, line, strlen(line)) < 0)
		err = errno;
	close(fd);
	return err;
}

static void remove_event(const char *group_and_name)
{
	u64 end = now_ns() + BUSY_NS;
	char line[128];

	snprintf(line, sizeof(line), "-:%s\n", group_and_name);
	/* Nothing counts any more, but the kernel may not have noticed. */
	while (change(line) == EBUSY && now_ns() < end)
		usleep(2000);
}

/* "p:GROUP/NAME ..." is an event of @group; its "GROUP/NAME" into @name. */
static bool event_of(const char *line, const char *group, char *name, size_t size)
{
	size_t len = strlen(group);

	if (strncmp(line, "p:", 2) || strncmp(line + 2, group, len))
		return false;
	snprintf(name, size, "%.*s", (int)strcspn(line + 2, " \n"), line + 2);
	return true;
}

/* All of @group, which may be a prefix; those of living processes stay. */
static void remove_events(const char *group, bool stale_only)
{
	FILE *f = fopen(events_file(), "re");
	char line[1024], name[96];
	pid_t pid;

	while (f && fgets(line, sizeof(line), f)) {
		if (!event_of(line, group, name, sizeof(name)))
			continue;
		pid = atoi(name + strlen(PREFIX));
		if (stale_only && (pid <= 0 || !kill(pid, 0) || errno != ESRCH))
			continue;
		remove_event(name);
	}
	if (f)
		fclose(f);
}

/* ---- perf ---- */

bool usdt_parse_place(const char *line, char *place, size_t size)
{
	const char *at = strchr(line, ' ');
	size_t n = at ? strcspn(at + 1, " \n") : 0;

	if (strncmp(line, "p:", 2) || !n || n >= size || at[1] != '/')
		return false;
	memcpy(place, at + 1, n);
	place[n] = 0;
	return true;
}

/* Event I of a probe is GROUP/PROBE_I. */
static int define_places(const struct usdt *u, const char *probe, const char *log)
{
	char line[1024], place[512], definition[640];
	FILE *f = fopen(log, "re");
	u32 n = 0;
	int err = 0;

	while (f && !err && n < USDT_PLACES_MAX && fgets(line, sizeof(line), f)) {
		if (!usdt_parse_place(line, place, sizeof(place)))
			continue;
		snprintf(definition, sizeof(definition), "p:%s/%s_%u %s\n", u->group, probe, n,
			 place);
		err = change(definition);
		n++;
	}
	if (f)
		fclose(f);
	if (err)
		return fail("cannot make an event of the probe %s of %s: %s: %s", probe, u->program,
			    events_file(), strerror(err));
	return n ? 0 : fail("%s has no probe %s that perf finds: %s; was it built with "
			    "systemtap-sdt-dev?", u->program, probe, log_tail(log));
}

static int define(const struct usdt *u, const char *probe, char *cache)
{
	char event[64], log[160];
	char *argv[] = { "perf", "--buildid-dir", cache, "probe", "-q", "-D", event, NULL };

	snprintf(event, sizeof(event), PROVIDER ":%s", probe);
	snprintf(log, sizeof(log), "%s/perf-probe.log", run_dir());
	return perf_run(argv, log) || define_places(u, probe, log) ? -1 : 0;
}

static int fill_cache(const struct usdt *u, char *cache)
{
	char log[160];
	char *argv[] = {
		"perf", "--buildid-dir", cache, "buildid-cache", "--add", (char *)u->program, NULL
	};

	snprintf(log, sizeof(log), "%s/perf-cache.log", run_dir());
	return perf_run(argv, log);
}

static int find_program(struct usdt *u, pid_t pid)
{
	char link[32];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	n = readlink(link, u->program, sizeof(u->program) - 1);
	if (n < 0)
		return fail("cannot tell the program of process %d: %m", pid);
	u->program[n] = 0;
	return 0;
}

int usdt_open(struct usdt *u, pid_t pid, const char *const *probes)
{
	char cache[160];
	u32 i;

	if (!run_dir() || find_program(u, pid))
		return -1;
	remove_events(PREFIX, true);
	snprintf(u->group, sizeof(u->group), PREFIX "%d", getpid());
	snprintf(cache, sizeof(cache), "%s/perf-cache", run_dir());
	if (fill_cache(u, cache))
		return -1;
	u->defined = true;
	for (i = 0; probes[i]; i++)
		if (define(u, probes[i], cache))
			return -1;
	return 0;
}

u32 usdt_events(const struct usdt *u, const char *probe, struct perf_stat *s, u32 *at)
{
	char event[80];
	u32 i;

	for (i = 0; i < USDT_PLACES_MAX; i++) {
		snprintf(event, sizeof(event), "%s:%s_%u", u->group, probe, i);
		if (!perf_has_tracepoint(event))
			break;
		at[i] = perf_stat_add(s, event, NULL);
	}
	return i;
}

void usdt_close(struct usdt *u)
{
	char group[32];

	if (!u->defined)
		return;
	u->defined = false;
	snprintf(group, sizeof(group), "%s/", u->group);
	remove_events(group, false);
}
