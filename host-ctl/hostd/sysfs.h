/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files of sysfs, cgroups and the like, below a root that tests replace. */
#ifndef HOSTD_SYSFS_H
#define HOSTD_SYSFS_H

#include <stdio.h>

#include "rp.h"

#define SYSFS_TEXT	512u
#define SYSFS_CPU	"devices/system/cpu"

/* Both return 0 or -errno; the text is without its end of line. */
int sysfs_read(const char *root, const char *file, char text[SYSFS_TEXT]);
int sysfs_write(const char *root, const char *file, const char *text);
/* A decimal number; -errno, or -EINVAL: it is none. */
int sysfs_u64(const char *root, const char *file, u64 *v);

#endif /* HOSTD_SYSFS_H */
