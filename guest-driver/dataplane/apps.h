/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The applications that come with the dataplane. */
#ifndef DP_APPS_H
#define DP_APPS_H

#include "dataplane.h"

/* Sends every frame back to its sender: addresses swapped, of Ethernet and IPv4. */
extern const struct dp_app dp_app_reflect;
/* Answers UDP over IPv4 to any port with the same, and drops the rest. */
extern const struct dp_app dp_app_udp_echo;

#endif /* DP_APPS_H */
