// SPDX-License-Identifier: GPL-2.0-or-later
/* Looks at an eventfd's count without taking it: proc(5), /proc/PID/fdinfo. */
#include "kicks.h"

#include <stdio.h>

s64 kicks_of(int fd)
{
	unsigned long long count;
	char path[48], line[128];
	s64 found = -1;
	FILE *f;

	if (fd < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && found < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, "eventfd-count: %llx", &count) == 1)
			found = (s64)count;
	if (f)
		fclose(f);
	return found;
}
