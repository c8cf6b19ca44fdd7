// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A core runs at one clock when both limits of its policy are that clock, whichever
 * driver is there; the governor "performance" and that energy preference keep it from
 * being lower within them. How all of it was is noted first, per file.
 */
#include "cpufreq.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "log/log.h"
#include "sysfs.h"

static void name_of(u32 cpu, const char *what, char file[96])
{
	snprintf(file, 96, SYSFS_CPU "/cpu%u/cpufreq/%s", cpu, what);
}

/* -ENOENT: there is no such file. */
static int change(struct clock *c, const char *file, const char *to)
{
	char now[SYSFS_TEXT];
	int rc = sysfs_read(c->sysfs, file, now);

	if (rc || !strcmp(now, to))
		return rc;
	if (!undo_note(c->undo, &clock_kind, "host", file, now))
		return -EIO;
	return sysfs_write(c->sysfs, file, to);
}

static int change_limit(struct clock *c, u32 cpu, const char *what, u32 khz)
{
	char file[96], to[16];

	name_of(cpu, what, file);
	snprintf(to, sizeof(to), "%u", khz);
	return change(c, file, to);
}

/* Neither limit may pass the other on the way. */
static int set_limits(struct clock *c, u32 cpu, u32 khz)
{
	char file[96];
	u64 max;
	int rc;

	name_of(cpu, "scaling_max_freq", file);
	rc = sysfs_u64(c->sysfs, file, &max);
	if (rc)
		return rc;
	if (khz > max) {
		rc = change_limit(c, cpu, "scaling_max_freq", khz);
		return rc ? rc : change_limit(c, cpu, "scaling_min_freq", khz);
	}
	rc = change_limit(c, cpu, "scaling_min_freq", khz);
	return rc ? rc : change_limit(c, cpu, "scaling_max_freq", khz);
}

/* Whether it can be, and whether it is wanted at all, is the driver's matter. */
static void prefer(struct clock *c, u32 cpu, const char *what, const char *list)
{
	char file[96], text[SYSFS_TEXT];

	name_of(cpu, list, file);
	if (sysfs_read(c->sysfs, file, text) || !strstr(text, "performance"))
		return;
	name_of(cpu, what, file);
	change(c, file, "performance");
}

static int check_limit(struct clock *c, u32 cpu, const char *what, u32 khz)
{
	char file[96];
	u64 now;
	int rc;

	name_of(cpu, what, file);
	rc = sysfs_u64(c->sysfs, file, &now);
	return rc ? rc : now == khz ? 0 : -EBUSY;
}

static int set_cpu(struct clock *c, u32 cpu, u32 khz)
{
	int rc;

	/* The governor first: the preference is refused of some while it is another. */
	prefer(c, cpu, "energy_performance_preference",
	       "energy_performance_available_preferences");
	prefer(c, cpu, "scaling_governor", "scaling_available_governors");
	rc = set_limits(c, cpu, khz);
	return rc ? rc : check_limit(c, cpu, "scaling_max_freq", khz);
}

/* It was set so before, and nobody has changed it. */
static bool is_set(struct clock *c, u32 core, u32 freq)
{
	const struct topo_core *t = &c->topo->core[core];
	u32 khz = c->topo->khz[freq], i;
	bool is = c->set[core] == freq + 1;

	for (i = 0; is && i < t->threads; i++)
		is = !check_limit(c, t->cpu[i], "scaling_max_freq", khz) &&
		     !check_limit(c, t->cpu[i], "scaling_min_freq", khz);
	return is;
}

int clock_set(struct clock *c, u32 core, u32 freq)
{
	const struct topo_core *t = &c->topo->core[core];
	u32 i;
	int rc = 0;

	if (is_set(c, core, freq))
		return 0;
	c->set[core] = 0;
	for (i = 0; i < t->threads && !rc; i++) {
		rc = set_cpu(c, t->cpu[i], c->topo->khz[freq]);
		if (rc)
			log_warn("CPU %u: the clock cannot be set to %u kHz: %s", t->cpu[i],
				 c->topo->khz[freq], strerror(-rc));
	}
	if (!rc)
		c->set[core] = (u16)(freq + 1);
	return rc;
}

/* ---- Back ---- */

static bool is_of(void *arg, const struct undo_note *n)
{
	char prefix[64];

	snprintf(prefix, sizeof(prefix), SYSFS_CPU "/cpu%u/", *(const u32 *)arg);
	return n->kind == &clock_kind && !strncmp(n->target, prefix, strlen(prefix));
}

void clock_give_back(struct clock *c, u32 core)
{
	u32 i;

	c->set[core] = 0;
	for (i = 0; i < c->topo->core[core].threads; i++)
		undo_some(c->undo, is_of, (void *)&c->topo->core[core].cpu[i], false);
}

/* Only what clock_set() and clock_turbo() change, whatever the state file says. */
static bool is_ours(const char *file)
{
	static const char *const names[] = {
		"/cpufreq/scaling_min_freq", "/cpufreq/scaling_max_freq",
		"/cpufreq/scaling_governor", "/cpufreq/energy_performance_preference",
		SYSFS_CPU "/cpufreq/boost", SYSFS_CPU "/intel_pstate/no_turbo",
	};
	size_t i, n = strlen(file);

	if (strncmp(file, SYSFS_CPU "/", strlen(SYSFS_CPU "/")) || strstr(file, ".."))
		return false;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (n >= strlen(names[i]) && !strcmp(file + n - strlen(names[i]), names[i]))
			return true;
	return false;
}

/*
 * A limit that would pass the other one is refused by the kernel: then the other is set
 * to it first; its own note gives that back.
 */
static int write_limit(const char *sysfs, const char *file, const char *value)
{
	static const char min[] = "scaling_min_freq", max[] = "scaling_max_freq";
	char other[UNDO_TARGET_MAX];
	size_t dir = strlen(file) - strlen(min);
	int rc = sysfs_write(sysfs, file, value);

	if (rc != -EINVAL || strlen(file) < strlen(min))
		return rc;
	if (strcmp(file + dir, min) && strcmp(file + dir, max))
		return rc;
	snprintf(other, sizeof(other), "%.*s%s", (int)dir, file,
		 strcmp(file + dir, min) ? min : max);
	rc = sysfs_write(sysfs, other, value);
	return rc ? rc : sysfs_write(sysfs, file, value);
}

static enum undo_done restore(const struct undo_where *w, const char *target,
				       const char *value)
{
	int rc;

	if (!is_ours(target))
		return UNDO_GONE;
	rc = write_limit(w->sysfs, target, value);
	return rc == -ENOENT ? UNDO_GONE : rc ? UNDO_FAILED : UNDO_DONE;
}

const struct undo_kind clock_kind = { .name = "clock", .restore = restore };

/* ---- Turbo ---- */

static const struct {
	const char *file, *on;
} switches[] = {
	{ SYSFS_CPU "/intel_pstate/no_turbo", "0" },
	{ SYSFS_CPU "/cpufreq/boost", "1" },
};

int clock_turbo(struct clock *c, bool on)
{
	u32 i;
	int rc;

	for (i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		if (!on) {
			undo_one(c->undo, &clock_kind, switches[i].file);
			continue;
		}
		rc = change(c, switches[i].file, switches[i].on);
		if (rc && rc != -ENOENT)
			return rc;
	}
	return 0;
}
