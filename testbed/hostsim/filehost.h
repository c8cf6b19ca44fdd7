/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host's sysfs with cpufreq, as files of a directory. */
#ifndef HOSTSIM_FILEHOST_H
#define HOSTSIM_FILEHOST_H

#include "util.h"

/* The file @name of @dir. 0, or -1 after fail(). */
int filehost_write(const char *dir, const char *name, const char *text);
/* Below @dir/sys, with so many cores. The same. */
int filehost_make(const char *dir, u32 cores);

#endif /* HOSTSIM_FILEHOST_H */
