/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A NIC's options, and those of ports about it. */
#ifndef RINGPACED_NICOPT_H
#define RINGPACED_NICOPT_H

#include "net.h"

#define NIC_QUEUE_BYTES_DEFAULT	(256u << 10)

/* Is @key one of --port's about NICs? Then @why is NULL, or what is wrong with @value. */
bool nic_parse(const char *key, char *value, struct nic_options *o, const char **why);
/* NULL, or what is wrong with a port's; @kind of the port is known. */
const char *nic_check(const struct port_options *o);
/* The same of ports that meet in a switch, and whose. */
const char *nic_check_switches(const struct net_options *o, const char **who);

#endif /* RINGPACED_NICOPT_H */
