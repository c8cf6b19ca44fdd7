/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of CPUs as the kernel writes them: 0-3,8. */
#ifndef HOSTD_CPULIST_H
#define HOSTD_CPULIST_H

#include <sched.h>

#include "rp.h"

#define CPULIST_TEXT	512u

/* False: it is no such list, or has a CPU beyond CPU_SETSIZE. An empty text is an empty set. */
bool cpulist_parse(const char *text, cpu_set_t *set);
/* Cut at the last whole part that fits. */
void cpulist_print(const cpu_set_t *set, char text[CPULIST_TEXT]);

#endif /* HOSTD_CPULIST_H */
