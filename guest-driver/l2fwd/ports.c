// SPDX-License-Identifier: GPL-2.0-or-later
/* Two ports of DPDK's, from found to started. */
#include <rte_errno.h>
#include <rte_mbuf.h>

#include "l2fwd.h"

/* Of either port; the driver keeps what it has sent until it needs the slot. */
static u32 buffers(u16 slots)
{
	return L2FWD_PORTS * (2u * slots + L2FWD_BURST_MAX);
}

static int start(u16 port, u16 slots, struct rte_mempool *pool)
{
	const struct rte_eth_conf conf = { 0 };
	u16 rx = slots, tx = slots;
	int rc = rte_eth_dev_configure(port, 1, 1, &conf);

	if (!rc)
		rc = rte_eth_dev_adjust_nb_rx_tx_desc(port, &rx, &tx);
	if (!rc)
		rc = rte_eth_rx_queue_setup(port, 0, rx, SOCKET_ID_ANY, NULL, pool);
	if (!rc)
		rc = rte_eth_tx_queue_setup(port, 0, tx, SOCKET_ID_ANY, NULL);
	if (!rc)
		rc = rte_eth_dev_start(port);
	if (rc)
		return rc;
	rc = rte_eth_promiscuous_enable(port);
	return rc == -ENOTSUP ? 0 : rc;
}

const char *l2fwd_ports_start(u16 a, u16 b, u16 slots)
{
	struct rte_mempool *pool;
	int rc;

	pool = rte_pktmbuf_pool_create("l2fwd", buffers(slots), 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
				       SOCKET_ID_ANY);
	if (!pool)
		return "no memory for the frames' buffers";
	rc = start(a, slots, pool);
	if (!rc)
		rc = start(b, slots, pool);
	rte_errno = -rc;
	return rc ? "a port does not start" : NULL;
}

void l2fwd_ports_stop(u16 a, u16 b)
{
	rte_eth_dev_stop(a);
	rte_eth_dev_stop(b);
}

static bool is_up(u16 port)
{
	struct rte_eth_link link = { 0 };

	return !rte_eth_link_get_nowait(port, &link) && link.link_status == RTE_ETH_LINK_UP;
}

bool l2fwd_ports_up(u16 a, u16 b)
{
	return is_up(a) && is_up(b);
}
