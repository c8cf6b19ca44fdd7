// SPDX-License-Identifier: GPL-2.0-or-later
#include "cpulist.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* A number below CPU_SETSIZE; false: there is none. */
static bool number(const char **at, u32 *n)
{
	char *end;
	unsigned long v;

	if (!isdigit((unsigned char)**at))
		return false;
	v = strtoul(*at, &end, 10);
	if (v >= CPU_SETSIZE)
		return false;
	*at = end;
	*n = (u32)v;
	return true;
}

bool cpulist_parse(const char *text, cpu_set_t *set)
{
	u32 first, last;

	CPU_ZERO(set);
	if (!*text || *text == '\n')
		return true;
	for (;;) {
		if (!number(&text, &first))
			return false;
		last = first;
		if (*text == '-') {
			text++;
			if (!number(&text, &last) || last < first)
				return false;
		}
		for (; first <= last; first++)
			CPU_SET(first, set);
		if (!*text || *text == '\n')
			return true;
		if (*text++ != ',')
			return false;
	}
}

void cpulist_print(const cpu_set_t *set, char text[CPULIST_TEXT])
{
	u32 cpu, first, n = 0;

	text[0] = '\0';
	for (cpu = 0; cpu < CPU_SETSIZE && n + 16 < CPULIST_TEXT; cpu++) {
		if (!CPU_ISSET(cpu, set))
			continue;
		for (first = cpu; cpu + 1 < CPU_SETSIZE && CPU_ISSET(cpu + 1, set);)
			cpu++;
		n += (u32)snprintf(text + n, CPULIST_TEXT - n, cpu > first ? "%s%u-%u" : "%s%u",
				   n ? "," : "", first, cpu);
	}
}
