// SPDX-License-Identifier: GPL-2.0-or-later
#include "rapl.h"

#include <dirent.h>

#include "sysfs.h"

#define POWERCAP	"class/powercap"

/* intel-rapl:0 is a package, intel-rapl:0:1 a part of one, and also an AMD's is called so. */
static bool is_package(const char *dir)
{
	const char *colon = strchr(dir, ':');

	return colon && !strncmp(dir, "intel-rapl:", strlen("intel-rapl:")) && !strchr(colon + 1, ':');
}

static bool read_u64(const struct rapl *r, const struct rapl_zone *z, const char *what, u64 *v)
{
	char file[128];

	snprintf(file, sizeof(file), POWERCAP "/%s/%s", z->dir, what);
	return !sysfs_u64(r->sysfs, file, v);
}

static void add_zone(struct rapl *r, const char *dir)
{
	struct rapl_zone *z = &r->zone[r->zones];
	char file[128], text[SYSFS_TEXT];
	u64 uj;

	snprintf(z->dir, sizeof(z->dir), "%.*s", (int)sizeof(z->dir) - 1, dir);
	snprintf(file, sizeof(file), POWERCAP "/%s/name", z->dir);
	if (sysfs_read(r->sysfs, file, text) || !read_u64(r, z, "max_energy_range_uj", &z->range_uj) ||
	    !read_u64(r, z, "energy_uj", &uj))
		return;
	snprintf(z->name, sizeof(z->name), "%.*s", (int)sizeof(z->name) - 1, text);
	r->zones++;
}

void rapl_init(struct rapl *r, const char *sysfs)
{
	char path[512];
	struct dirent *e;
	DIR *dir;

	*r = (struct rapl){ .sysfs = sysfs };
	snprintf(path, sizeof(path), "%s/" POWERCAP, sysfs);
	dir = opendir(path);
	if (!dir)
		return;
	while ((e = readdir(dir)) && r->zones < RAPL_ZONES_MAX)
		if (is_package(e->d_name))
			add_zone(r, e->d_name);
	closedir(dir);
}

void rapl_read(struct rapl *r, u64 now)
{
	double before = rapl_joules(r);
	bool known = r->zones > 0;
	u32 i;

	for (i = 0; i < r->zones; i++) {
		struct rapl_zone *z = &r->zone[i];
		u64 uj;

		if (!read_u64(r, z, "energy_uj", &uj)) {
			z->known = known = false;
			continue;
		}
		if (z->known)
			z->sum_uj += uj >= z->last_uj ? uj - z->last_uj :
				uj + z->range_uj - z->last_uj;
		known &= z->known;
		z->last_uj = uj;
		z->known = true;
	}
	r->watts = known && now > r->read_ns ?
		(rapl_joules(r) - before) * 1e9 / (double)(now - r->read_ns) : 0;
	r->read_ns = now;
}

double rapl_joules(const struct rapl *r)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < r->zones; i++)
		sum += r->zone[i].sum_uj;
	return (double)sum / 1e6;
}
