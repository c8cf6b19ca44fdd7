/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lwIP as the dataplane has it: TCP over IPv4, the raw API, nothing that blocks. Ethernet,
 * ARP, ICMP and the way in are the dataplane's own.
 */
#ifndef DP_LWIPOPTS_H
#define DP_LWIPOPTS_H

#include <stdint.h>
#include <stddef.h>

#define NO_SYS				1
#define SYS_LIGHTWEIGHT_PROT		0
#define LWIP_TIMERS			0
#define LWIP_NETCONN			0
#define LWIP_SOCKET			0
#define LWIP_STATS			0
#define LWIP_SINGLE_NETIF		1
#define LWIP_DONT_PROVIDE_BYTEORDER_FUNCTIONS	1

#define LWIP_IPV6			0
#define LWIP_ARP			0
#define LWIP_ETHERNET			0
#define LWIP_ICMP			0
#define LWIP_RAW			0
#define LWIP_UDP			0
#define LWIP_DNS			0
#define IP_FORWARD			0
#define IP_REASSEMBLY			0
#define IP_FRAG				0

/* All memory is of caches that threads have over shared pools. */
#define MEM_ALIGNMENT			8
#define MEM_LIBC_MALLOC			1
#define MEMP_MEM_MALLOC			1
void *dp_mem_alloc(size_t bytes);
void *dp_mem_zeroed(size_t n, size_t bytes);
void dp_mem_free(void *p);
#define mem_clib_malloc			dp_mem_alloc
#define mem_clib_calloc			dp_mem_zeroed
#define mem_clib_free			dp_mem_free

/* Frames are built in the port's buffers. */
#define PBUF_LINK_HLEN			0
#define LWIP_SUPPORT_CUSTOM_PBUF	1
#define PBUF_POOL_FREE_OOSEQ		0
#define MEMP_NUM_TCP_PCB		1

/* The port may compute what goes out; what comes in is checked before. */
#define LWIP_CHECKSUM_CTRL_PER_NETIF	1
#define CHECKSUM_CHECK_IP		0
#define CHECKSUM_CHECK_TCP		0
#define TCP_CHECKSUM_ON_COPY		0
/* Of IPv4's header, as it is written. */
#define LWIP_INLINE_IP_CHKSUM		1

#define LWIP_TCP			1
#define LWIP_CALLBACK_API		1
#define TCP_MSS				1460
#define TCP_WND				(44 * TCP_MSS)
#define TCP_SND_BUF			(44 * TCP_MSS)
#define TCP_SND_QUEUELEN		512
#define TCP_OVERSIZE			512
#define TCP_QUEUE_OOSEQ			1
#define LWIP_TCP_SACK_OUT		1
#define LWIP_TCP_KEEPALIVE		1
#define SO_REUSE			0
#define TCP_LISTEN_BACKLOG		0

/* Milliseconds: a tick of the wheel, and how long an ACK may wait. */
#define TCP_SLOW_INTERVAL		10
#define TCP_FAST_INTERVAL		40
/* RFC 9293 would have 2 minutes; Linux has 30 s of this. */
#define TCP_MSL				15000

#define LWIP_HOOK_FILENAME		"hooks.h"

#endif /* DP_LWIPOPTS_H */
