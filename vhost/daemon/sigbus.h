/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory that goes away. A frontend can truncate the file that it shared
 * at any time; touching it is then a SIGBUS, which would end the daemon and all
 * devices with it. The handler puts zeros in the place of the region and tells
 * the main thread, which closes the device.
 */
#ifndef RINGPACED_SIGBUS_H
#define RINGPACED_SIGBUS_H

#include "rp.h"

/* 64 devices and 64 ports, each of 32 regions and a log; and one that replaces another. */
#define SIGBUS_REGIONS	((64u + 64u) * (32u + 1u) + 1u)

/* @event_fd becomes readable after a region was lost. 0 or -errno. */
int sigbus_setup(int event_fd);
/* A mapping that may fault; -1 when there is no room for it. */
int sigbus_watch(void *start, size_t bytes);
void sigbus_unwatch(int id);
/* Has the mapping been replaced? */
bool sigbus_lost(int id);

#endif /* RINGPACED_SIGBUS_H */
