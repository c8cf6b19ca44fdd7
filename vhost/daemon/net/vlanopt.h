/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VLANs of a port as text: 10+20-29. */
#ifndef RINGPACED_VLANOPT_H
#define RINGPACED_VLANOPT_H

#include "vlan.h"

/* Adds a list to the tagged ones; parsed in place. NULL, or what is wrong. */
const char *vlan_parse_list(char *list, struct vlan_port *p);
/* The tagged ones; cut to @bytes. */
void vlan_print_list(const struct vlan_port *p, char *list, size_t bytes);

#endif /* RINGPACED_VLANOPT_H */
