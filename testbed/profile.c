// SPDX-License-Identifier: GPL-2.0-or-later
/* Stores and reads a host's profile. */
#include "profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json.h"
#include "lane.h"
#include "pacing/model.h"

/* ---- Where ---- */

const char *profile_path(const char *lane)
{
	static char path[512];
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	/* The base directory specification: a relative path is to be ignored. */
	if (state && state[0] == '/')
		snprintf(path, sizeof(path), "%s/ringpace/profile-%s.json", state, lane);
	else if (home && home[0] == '/')
		snprintf(path, sizeof(path), "%s/.local/state/ringpace/profile-%s.json", home,
			 lane);
	else
		return NULL;
	return path;
}

/* ---- Writing ---- */

static int make_parents(const char *path)
{
	char dir[512];
	char *slash;

	snprintf(dir, sizeof(dir), "%s", path);
	for (slash = strchr(dir + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		if (mkdir(dir, 0700) && errno != EEXIST)
			return fail("cannot make the directory %s for the profile: %m", dir);
		*slash = '/';
	}
	return 0;
}

static int write_synced(const json_t *v, int fd)
{
	FILE *f = fdopen(fd, "w");
	int rc;

	if (!f) {
		close(fd);
		return -1;
	}
	rc = json_dumpf(v, f, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) ||
	     fputc('\n', f) == EOF || fflush(f) || fsync(fd);
	return fclose(f) || rc ? -1 : 0;
}

int profile_save(const char *lane, const json_t *v)
{
	const char *path = profile_path(lane);
	char temp[600];
	int fd;

	if (!path)
		return fail("no place for the profile: set $XDG_STATE_HOME or $HOME");
	if (make_parents(path))
		return -1;
	/* In the same directory: rename() is atomic on one file system only. */
	snprintf(temp, sizeof(temp), "%s.XXXXXX", path);
	fd = mkstemp(temp);
	if (fd < 0)
		return fail("cannot write the profile %s: %m", path);
	if (write_synced(v, fd) || chmod(temp, 0644) || rename(temp, path)) {
		fail("cannot write the profile %s: %m", path);
		unlink(temp);
		return -1;
	}
	return 0;
}

/* ---- Reading ---- */

static const char *read_time(const json_t *v, const char *path, const char *key, u64 *ns)
{
	double x = json_number_at(json_object_get(v, "params"), key);

	if (!(x >= 0 && x <= RP_MODEL_MAX_NS))
		return because("the profile %s is damaged: params.%s is not a time in "
			       "0..1000000000 ns; measure anew with `ringpace probe`", path, key);
	*ns = (u64)(x + 0.5);
	return NULL;
}

static const char *read_sleeps(const json_t *v, const char *path, struct profile *p)
{
	const json_t *list = json_object_get(v, "sleep"), *point;
	double last = 0;
	size_t i;

	json_array_foreach(list, i, point) {
		double nominal = json_number_at(point, "nominal_ns");
		double y = json_number_at(point, "robust_ns");

		if (i == PROFILE_SLEEPS_MAX || !(nominal > last) || !(y > 0))
			return because("the profile %s is damaged: sleep[%zu] is not a measured "
				       "sleep; measure anew with `ringpace probe`", path, i);
		p->y_nominal_ns[i] = last = nominal;
		p->y_ns[i] = y;
		p->sleeps = (u32)i + 1;
	}
	return NULL;
}

static const char *read_profile(const json_t *v, const char *path, struct profile *p)
{
	const char *lane = json_string_value(json_object_get(v, "lane"));
	const char *date = json_string_value(json_object_get(v, "date"));
	double version = json_number_at(v, "v");
	const char *why = NULL;

	if (!json_is_object(v) || !is_known(version))
		return because("%s is no profile: it has no \"v\"; make one with `ringpace probe`",
			       path);
	if (version != PROFILE_VERSION)
		return because("the profile %s has version %.0f, not %d; measure anew with "
			       "`ringpace probe`", path, version, PROFILE_VERSION);
	snprintf(p->lane, sizeof(p->lane), "%s", lane ?: "");
	snprintf(p->date, sizeof(p->date), "%s", date ?: "");
	(void)((why = read_time(v, path, "np_ns", &p->np_ns)) ||
	       (why = read_time(v, path, "nc_ns", &p->nc_ns)) ||
	       (why = read_time(v, path, "sp_ns", &p->sp_ns)) ||
	       (why = read_time(v, path, "sc_ns", &p->sc_ns)) ||
	       (why = read_time(v, path, "ye_ns", &p->ye_ns)) ||
	       (why = read_sleeps(v, path, p)));
	return why;
}

const char *profile_load(const char *name, struct profile *p)
{
	const char *path = lane_by_name(name) ? profile_path(name) : name, *why;
	json_error_t error;
	json_t *v;

	memset(p, 0, sizeof(*p));
	if (!path)
		return "no place for profiles: set $XDG_STATE_HOME or $HOME";
	if (access(path, R_OK)) {
		if (path != name && errno == ENOENT)
			return because("lane %s has no profile (%s); make one with "
				       "`ringpace probe --lane %s`", name, path, name);
		return because("cannot read the profile %s: %m", path);
	}
	v = json_load_file(path, 0, &error);
	if (!v)
		return because("the profile %s is not JSON: line %d: %s", path, error.line,
			       error.text);
	why = read_profile(v, path, p);
	if (!why && path != name && strcmp(p->lane, name))
		why = because("the profile %s is of lane \"%s\", not %s; measure anew with "
			      "`ringpace probe --lane %s`", path, p->lane, name, name);
	json_decref(v);
	return why;
}

double profile_sleep_ns(const struct profile *p, double nominal_ns)
{
	const double *x = p->y_nominal_ns, *y = p->y_ns;
	u32 i = 1, n = p->sleeps;

	if (!n)
		return nominal_ns;
	if (n == 1 || nominal_ns <= x[0])
		return nominal_ns <= x[0] ? y[0] : nominal_ns + y[0] - x[0];
	/* Beyond the last, what a sleep lasts too long stays the same. */
	if (nominal_ns >= x[n - 1])
		return nominal_ns + y[n - 1] - x[n - 1];
	while (x[i] < nominal_ns)
		i++;
	return y[i - 1] + (y[i] - y[i - 1]) * (nominal_ns - x[i - 1]) / (x[i] - x[i - 1]);
}
