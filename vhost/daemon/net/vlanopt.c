// SPDX-License-Identifier: GPL-2.0-or-later
/* Lists of VLANs. */
#include <stdio.h>

#include "optval.h"
#include "vlanopt.h"

static const char *parse_range(char *range, struct vlan_port *p)
{
	static const char *const why = "trunk: not VLANs in 1..4094 as 10+20-29";
	char *dash = strchr(range, '-');
	u32 from, to;

	if (dash)
		*dash++ = '\0';
	if (!opt_u32(range, 1, VLAN_MAX, &from) ||
	    !opt_u32(dash ? dash : range, from, VLAN_MAX, &to))
		return why;
	for (; from <= to; from++)
		vlan_allow(p, from);
	return NULL;
}

const char *vlan_parse_list(char *list, struct vlan_port *p)
{
	const char *why = NULL;
	char *plus;

	for (; list && !why; list = plus) {
		plus = strchr(list, '+');
		if (plus)
			*plus++ = '\0';
		why = parse_range(list, p);
	}
	return why;
}

void vlan_print_list(const struct vlan_port *p, char *list, size_t bytes)
{
	u32 from, to;
	size_t n = 0;

	*list = '\0';
	for (from = 1; from <= VLAN_MAX && n < bytes; from = to + 1) {
		to = from;
		if (!vlan_allowed(p, from))
			continue;
		while (to < VLAN_MAX && vlan_allowed(p, to + 1))
			to++;
		n += (size_t)snprintf(list + n, bytes - n, from == to ? "%s%u" : "%s%u-%u",
				      n ? "+" : "", from, to);
	}
}
