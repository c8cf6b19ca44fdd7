/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of the kernel's interface its headers of Linux 6.1 lack. The numbers are fixed
 * once a kernel was released with them; newer headers' own are taken.
 */
#ifndef HOSTD_NIC_UAPI_H
#define HOSTD_NIC_UAPI_H

#include <linux/devlink.h>
#include <linux/version.h>

/* linux/devlink.h since 6.2: u32, of a rate. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define DEVLINK_ATTR_RATE_TX_WEIGHT	178
#endif
_Static_assert(DEVLINK_ATTR_RATE_TX_WEIGHT == DEVLINK_ATTR_RATE_PARENT_NODE_NAME + 9,
	       "the number of tx_weight");

/* linux/net_shaper.h since 6.13; only what is used here. */
#if __has_include(<linux/net_shaper.h>)
#include <linux/net_shaper.h>
#else
#define NET_SHAPER_FAMILY_NAME		"net-shaper"
#define NET_SHAPER_FAMILY_VERSION	1

enum { NET_SHAPER_CMD_GET = 1, NET_SHAPER_CMD_SET = 2, NET_SHAPER_CMD_DELETE = 3,
       NET_SHAPER_CMD_CAP_GET = 5 };
/* Whose a shaper is: all of an interface's, a transmit queue's, a group's. */
enum { NET_SHAPER_SCOPE_NETDEV = 1, NET_SHAPER_SCOPE_QUEUE = 2, NET_SHAPER_SCOPE_NODE = 3 };
/* Bits, or packets, per second. */
enum { NET_SHAPER_METRIC_BPS = 0, NET_SHAPER_METRIC_PPS = 1 };
enum { NET_SHAPER_A_HANDLE_SCOPE = 1, NET_SHAPER_A_HANDLE_ID = 2 };
enum { NET_SHAPER_A_HANDLE = 1, NET_SHAPER_A_METRIC = 2, NET_SHAPER_A_BW_MIN = 3,
       NET_SHAPER_A_BW_MAX = 4, NET_SHAPER_A_BURST = 5, NET_SHAPER_A_PRIORITY = 6,
       NET_SHAPER_A_WEIGHT = 7, NET_SHAPER_A_IFINDEX = 8, NET_SHAPER_A_PARENT = 9 };
enum { NET_SHAPER_A_CAPS_IFINDEX = 1, NET_SHAPER_A_CAPS_SCOPE = 2,
       NET_SHAPER_A_CAPS_SUPPORT_METRIC_BPS = 3, NET_SHAPER_A_CAPS_SUPPORT_BW_MIN = 6,
       NET_SHAPER_A_CAPS_SUPPORT_WEIGHT = 10 };
#endif

#endif /* HOSTD_NIC_UAPI_H */
