// SPDX-License-Identifier: GPL-2.0-or-later
#include "quota.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "log/log.h"
#include "sysfs.h"

#define PATH_BYTES	(CONF_PATH_MAX + 32)
/* Of cgroup v2 both in one; of v1 the period comes first, and is given back last. */
#define V2		"cpu.max"
#define V1_PERIOD	"cpu.cfs_period_us"
#define V1_QUOTA	"cpu.cfs_quota_us"

static bool has(const struct quota *q, const char *name, char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/%s", q->conf->cgroup, name);
	return !access(path, F_OK);
}

/* What is there is noted; 0 or -errno. */
static int change(struct quota *q, const char *path, const char *to)
{
	char now[SYSFS_TEXT];
	int rc = sysfs_read("", path, now);

	if (rc || !strcmp(now, to))
		return rc;
	if (!undo_note(q->undo, &quota_kind, q->conf->name, path, now))
		return -EIO;
	return sysfs_write("", path, to);
}

static int limit(struct quota *q, u64 us)
{
	char path[PATH_BYTES], text[48];
	int rc;

	if (has(q, V2, path)) {
		snprintf(text, sizeof(text), "%llu %u", (unsigned long long)us, QUOTA_PERIOD_US);
		return change(q, path, text);
	}
	if (!has(q, V1_PERIOD, path))
		return -ENOENT;
	snprintf(text, sizeof(text), "%u", QUOTA_PERIOD_US);
	rc = change(q, path, text);
	if (rc)
		return rc;
	has(q, V1_QUOTA, path);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)us);
	return change(q, path, text);
}

static enum hc_enforced lift(struct quota *q)
{
	static const char *const names[] = { V2, V1_QUOTA, V1_PERIOD };
	enum hc_enforced e = HC_ENFORCED;
	char path[PATH_BYTES];
	u32 i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		has(q, names[i], path);
		if (undo_one(q->undo, &quota_kind, path) == UNDO_FAILED)
			e = HC_FAILED;
	}
	return e;
}

static enum hc_enforced bring(struct quota *q)
{
	char path[PATH_BYTES];
	int rc;

	if (!has(q, "", path))
		return HC_NOBODY;
	if (!q->percent)
		return lift(q);
	rc = limit(q, (u64)QUOTA_PERIOD_US * q->percent / 100);
	if (!rc)
		return HC_ENFORCED;
	if (q->state != HC_FAILED)
		log_warn("%s: no quota can be set in place of a clock, in %s: %s%s", q->conf->name,
			 q->conf->cgroup, strerror(-rc), rc == -ENOENT ?
			 ": take a cgroup of the cpu controller" : "");
	return HC_FAILED;
}

enum hc_enforced quota_set(struct quota *q, u32 percent)
{
	q->percent = percent;
	q->state = bring(q);
	return q->state;
}

void quota_again(struct quota *q)
{
	if (q->percent)
		q->state = bring(q);
}

/* ---- Back ---- */

/* "max", -1, or a number; cpu.max has the period behind it. */
static bool is_number(const char *text, char end, const char **behind)
{
	size_t n = strspn(text, "0123456789");

	if (!strncmp(text, "max", 3))
		n = 3;
	else if (!strncmp(text, "-1", 2))
		n = 2;
	*behind = text + n + 1;
	return n && text[n] == end;
}

/* Only what limit() changes, whatever the state file says. */
static bool is_ours(const char *target, const char *value)
{
	const char *name = strrchr(target, '/');

	if (!name || strstr(target, ".."))
		return false;
	if (!strcmp(name, "/" V2))
		return is_number(value, ' ', &value) && is_number(value, '\0', &value);
	return (!strcmp(name, "/" V1_PERIOD) || !strcmp(name, "/" V1_QUOTA)) &&
	       is_number(value, '\0', &value);
}

static enum undo_done restore(const struct undo_where *w, const char *target, const char *value)
{
	int rc;

	if (!is_ours(target, value))
		return UNDO_GONE;
	rc = sysfs_write("", target, value);
	return rc == -ENOENT ? UNDO_GONE : rc ? UNDO_FAILED : UNDO_DONE;
}

const struct undo_kind quota_kind = { .name = "quota", .restore = restore };
