/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lwIP asks of the dataplane. */
#ifndef DP_LWIP_HOOKS_H
#define DP_LWIP_HOOKS_H

#include "lwip/ip_addr.h"

/* RFC 6528. Ports in host order. */
u32_t dp_tcp_isn(const ip_addr_t *local_ip, u16_t local_port, const ip_addr_t *remote_ip,
		 u16_t remote_port);

#define LWIP_HOOK_TCP_ISN	dp_tcp_isn

#endif /* DP_LWIP_HOOKS_H */
