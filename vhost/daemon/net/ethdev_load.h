/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where devices of DPDK come from: addresses of ports, "dpdk:" and what DPDK calls DEVARGS
 * with ';' for its commas, and the plug-in (ethdev_api.h) that knows DPDK.
 *
 * DPDK is begun once in a process, in one of two ways: with huge pages and buses if any of
 * the ports that a start has wants a device on a bus, else without. It makes threads and
 * system calls that the sandbox does not let through, so all devices are opened
 * before ethdev_seal(). The main thread's.
 */
#ifndef RINGPACED_ETHDEV_LOAD_H
#define RINGPACED_ETHDEV_LOAD_H

#include "ethdev_api.h"

bool ethdev_is_address(const char *address);
/* NULL, or one line of what is wrong with such an address. */
const char *ethdev_check(const char *address);
/* A port has that address, and may be opened later. */
void ethdev_expect(const char *address);
/* From now on devices are opened that were opened before, and no others. */
void ethdev_seal(void);

/* The device of that address; @api is then the plug-in's. NULL with one line of why. */
struct ethdev *ethdev_open(const char *address, u32 mtu, const struct ethdev_api **api,
			   struct ethdev_info *info, char *why, size_t why_bytes);

#endif /* RINGPACED_ETHDEV_LOAD_H */
