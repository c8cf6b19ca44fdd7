// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Processes: where their threads may run, whether they run, what they have used.
 *
 * A pid may be another process's by the time it is used, so a note of one holds when it
 * began, and a note whose process began at another time is of one that is gone.
 */
#include "native.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cpulist.h"
#include "log/log.h"
#include "sysfs.h"

#define LOOK_AGAIN_NS	1000000000ULL

struct tasks {
	u32 count;
	struct {
		pid_t pid, tid;
	} task[NATIVE_TASKS_MAX];
};

/* ---- Who there is ---- */

/* In clock ticks since boot; 0: it is gone. */
static u64 began(pid_t tid)
{
	char file[64], text[SYSFS_TEXT], *at;
	u32 field;

	snprintf(file, sizeof(file), "proc/%d/stat", tid);
	if (sysfs_read("/", file, text))
		return 0;
	/* The name may hold anything; what follows its last parenthesis does not. */
	at = strrchr(text, ')');
	for (field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at, NULL, 10) : 0;
}

static void add_threads(struct tasks *all, pid_t pid)
{
	char path[64];
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return;
	while ((e = readdir(dir)) && all->count < NATIVE_TASKS_MAX) {
		pid_t tid = atoi(e->d_name);

		if (tid <= 0)
			continue;
		all->task[all->count].pid = pid;
		all->task[all->count++].tid = tid;
	}
	closedir(dir);
}

/* What a process used before it came is not this tenant's: the counter then stands still once. */
static void take_clocks(struct native *n)
{
	u32 i;

	n->cpu_sum = 0;
	n->clocks = 0;
	for (i = 0; i < n->pids.count; i++)
		if (!clock_getcpuclockid(n->pids.pid[i], &n->clock[n->clocks]))
			n->clocks++;
}

static void look(struct native *n)
{
	bool others = pids_look(&n->pids, n->conf);

	n->others |= others;
	if (others || n->clocks != n->pids.count)
		take_clocks(n);
}

/* Of all of them, by one call each: a directory for each thread has as many links. */
static u64 count_threads(const struct native *n)
{
	char path[64];
	struct stat st;
	u64 sum = 0;
	u32 i;

	for (i = 0; i < n->pids.count; i++) {
		snprintf(path, sizeof(path), "/proc/%d/task", n->pids.pid[i]);
		if (!stat(path, &st))
			sum += st.st_nlink;
	}
	return sum;
}

static void find_tasks(struct native *n, struct tasks *all)
{
	u32 i;

	look(n);
	all->count = 0;
	for (i = 0; i < n->pids.count; i++)
		add_threads(all, n->pids.pid[i]);
}

/* ---- Where they run ---- */

/* False: it is gone. */
static bool target_of(pid_t tid, char target[UNDO_TARGET_MAX])
{
	u64 since = began(tid);

	snprintf(target, UNDO_TARGET_MAX, "%d/%llu", tid, (unsigned long long)since);
	return since;
}

/* The pid of a target; 0: it is gone, or another has it. */
static pid_t still(const char *target)
{
	char *end;
	pid_t tid = (pid_t)strtol(target, &end, 10);

	if (*end != '/' || !pids_may_touch(tid))
		return 0;
	return began(tid) == strtoull(end + 1, NULL, 10) ? tid : 0;
}

/* A thread that was made by a confined one had what that had before. */
static bool note_affinity(struct native *n, pid_t pid, pid_t tid, const cpu_set_t *now)
{
	char target[UNDO_TARGET_MAX], leader[UNDO_TARGET_MAX], value[UNDO_VALUE_MAX];

	target_of(tid, target);
	target_of(pid, leader);
	if (!n->confined || !CPU_EQUAL(now, &n->cpus) ||
	    !undo_value(n->undo, &native_affinity_kind, leader, value))
		cpulist_print(now, value);
	return undo_note(n->undo, &native_affinity_kind, n->conf->name, target, value);
}

/* 0, or -errno; -ESRCH: it is gone. */
static int confine_task(struct native *n, pid_t pid, pid_t tid, const cpu_set_t *cpus)
{
	cpu_set_t now;

	if (sched_getaffinity(tid, sizeof(now), &now))
		return -errno;
	if (CPU_EQUAL(&now, cpus) && n->confined)
		return 0;
	if (!note_affinity(n, pid, tid, &now))
		return -EIO;
	return sched_setaffinity(tid, sizeof(*cpus), cpus) ? -errno : 0;
}

int native_confine_thread(struct undo *undo, const char *owner, pid_t tid, const cpu_set_t *cpus)
{
	char target[UNDO_TARGET_MAX], value[UNDO_VALUE_MAX];
	cpu_set_t now;

	if (sched_getaffinity(tid, sizeof(now), &now))
		return -errno;
	if (CPU_EQUAL(&now, cpus))
		return 0;
	target_of(tid, target);
	cpulist_print(&now, value);
	if (!undo_note(undo, &native_affinity_kind, owner, target, value))
		return -EIO;
	return sched_setaffinity(tid, sizeof(*cpus), cpus) ? -errno : 0;
}

static enum hc_enforced confine(struct native *n, const cpu_set_t *cpus)
{
	struct tasks all;
	u32 i, done = 0;
	int rc;

	find_tasks(n, &all);
	for (i = 0; i < all.count; i++) {
		rc = confine_task(n, all.task[i].pid, all.task[i].tid, cpus);
		if (rc && rc != -ESRCH) {
			log_warn("%s: thread %d cannot be moved: %s", n->conf->name,
				 all.task[i].tid, strerror(-rc));
			return HC_FAILED;
		}
		done += !rc;
	}
	n->cpus = *cpus;
	n->confined = true;
	return done ? HC_ENFORCED : HC_NOBODY;
}

enum hc_enforced native_confine(struct native *n, const cpu_set_t *cpus)
{
	n->again_ns = 0;
	return confine(n, cpus);
}

static bool is_gone(void *owner, const struct undo_note *note)
{
	return note->kind == &native_affinity_kind && !strcmp(note->owner, owner) &&
	       !still(note->target);
}

void native_forget_gone(struct undo *undo, const char *owner)
{
	undo_some(undo, is_gone, (void *)owner, false);
}

void native_again(struct native *n, u64 now)
{
	cpu_set_t cpus = n->cpus;
	u64 threads;

	if (!n->confined)
		return;
	look(n);
	threads = count_threads(n);
	if (!n->others && threads == n->threads && now < n->again_ns)
		return;
	n->others = false;
	n->threads = threads;
	n->again_ns = now + NATIVE_AGAIN_NS;
	native_forget_gone(n->undo, n->conf->name);
	confine(n, &cpus);
	if (n->stopped)
		native_stop(n, true);
}

static enum undo_done restore_affinity(const struct undo_where *w, const char *target,
				       const char *value)
{
	pid_t tid = still(target);
	cpu_set_t set;

	if (!tid)
		return UNDO_GONE;
	if (!cpulist_parse(value, &set) || sched_setaffinity(tid, sizeof(set), &set))
		return errno == ESRCH ? UNDO_GONE : UNDO_FAILED;
	return UNDO_DONE;
}

/* ---- Whether they run ---- */

/* The freezer's file, and what freezes and thaws; false: the tenant has none. */
static bool freezer_of(const char *cgroup, char path[CONF_PATH_MAX + 32], const char **freeze,
		       const char **thaw)
{
	snprintf(path, CONF_PATH_MAX + 32, "%s/cgroup.freeze", cgroup);
	*freeze = "1";
	*thaw = "0";
	if (!access(path, F_OK))
		return true;
	snprintf(path, CONF_PATH_MAX + 32, "%s/freezer.state", cgroup);
	*freeze = "FROZEN";
	*thaw = "THAWED";
	return !access(path, F_OK);
}

static enum hc_enforced freeze(struct native *n, bool stop)
{
	char path[CONF_PATH_MAX + 32];
	const char *on, *off;

	if (!freezer_of(n->conf->cgroup, path, &on, &off))
		return HC_FAILED;
	if (!stop)
		return undo_one(n->undo, &native_freezer_kind, path) == UNDO_FAILED ?
			HC_FAILED : HC_ENFORCED;
	if (!undo_note(n->undo, &native_freezer_kind, n->conf->name, path, off))
		return HC_FAILED;
	return sysfs_write("", path, on) ? HC_FAILED : HC_ENFORCED;
}

static enum hc_enforced stop_all(struct native *n)
{
	char target[UNDO_TARGET_MAX];
	u32 i, done = 0;

	look(n);
	for (i = 0; i < n->pids.count; i++) {
		pid_t pid = n->pids.pid[i];

		if (!target_of(pid, target))
			continue;
		done++;
		if (undo_has(n->undo, &native_signal_kind, target))
			continue;
		if (!undo_note(n->undo, &native_signal_kind, n->conf->name, target, "run") ||
		    (kill(pid, SIGSTOP) && errno != ESRCH))
			return HC_FAILED;
	}
	return done ? HC_ENFORCED : HC_NOBODY;
}

static bool is_stopped(void *owner, const struct undo_note *note)
{
	return note->kind == &native_signal_kind && !strcmp(note->owner, owner);
}

/* Whom it has stopped, wherever they are now; mostly nobody, which costs nothing. */
static enum hc_enforced continue_all(struct native *n)
{
	return undo_some(n->undo, is_stopped, (void *)n->conf->name, false) ?
		HC_FAILED : HC_ENFORCED;
}

enum hc_enforced native_stop(struct native *n, bool stop)
{
	char path[CONF_PATH_MAX + 32];
	const char *on, *off;
	enum hc_enforced e;

	if (*n->conf->cgroup && freezer_of(n->conf->cgroup, path, &on, &off))
		e = freeze(n, stop);
	else
		e = stop ? stop_all(n) : continue_all(n);
	if (e != HC_FAILED)
		n->stopped = stop;
	return e;
}

static enum undo_done restore_signal(const struct undo_where *w, const char *target,
				       const char *value)
{
	pid_t pid = still(target);

	if (!pid)
		return UNDO_GONE;
	return kill(pid, SIGCONT) && errno != ESRCH ? UNDO_FAILED : UNDO_DONE;
}

/* Only what thaws, whatever the state file says. */
static bool thaws(const char *target, const char *value)
{
	const char *name = strrchr(target, '/');

	return name && ((!strcmp(name, "/cgroup.freeze") && !strcmp(value, "0")) ||
			(!strcmp(name, "/freezer.state") && !strcmp(value, "THAWED")));
}

static enum undo_done restore_freezer(const struct undo_where *w, const char *target,
				       const char *value)
{
	int rc;

	if (!thaws(target, value))
		return UNDO_GONE;
	rc = sysfs_write("", target, value);
	return rc == -ENOENT ? UNDO_GONE : rc ? UNDO_FAILED : UNDO_DONE;
}

const struct undo_kind native_affinity_kind = { .name = "affinity", .restore = restore_affinity };
const struct undo_kind native_signal_kind = { .name = "signal", .restore = restore_signal };
const struct undo_kind native_freezer_kind = { .name = "freezer", .restore = restore_freezer };

/* ---- What they have used ---- */

/* One call for each process, and no file: this is done for all tenants every tick. */
static u64 used_ns(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts))
		return 0;
	return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

bool native_cpu_ns(struct native *n, u64 now, u64 *ns)
{
	u64 sum = 0;
	u32 i;

	if (!n->looked_ns || now - n->looked_ns >= LOOK_AGAIN_NS) {
		n->looked_ns = now;
		look(n);
	}
	for (i = 0; i < n->clocks; i++)
		sum += used_ns(n->clock[i]);
	/* Less when processes have ended. */
	if (n->cpu_sum && sum > n->cpu_sum)
		n->cpu_ns += sum - n->cpu_sum;
	n->cpu_sum = sum;
	*ns = n->cpu_ns;
	return sum;
}
