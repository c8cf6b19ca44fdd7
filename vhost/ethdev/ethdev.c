// SPDX-License-Identifier: GPL-2.0-or-later
/* A device of DPDK with one queue each way, for ringpaced. */
#include <errno.h>
#include <poll.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ethdev.h"

#define SLOTS		512u
/* In ringpaced's hands, beside those in the device's queues. */
#define SPARE		512u
/* An Ethernet header, two tags. */
#define FRONT_BYTES	22u
#define ARGS_MAX	256u

struct ethdev {
	struct ethdev *next;
	char name[ARGS_MAX];
	u16 id;
	bool used;
	bool level;			/* its interrupts' descriptor can be read when frames wait */
	bool follows_link;		/* it tells DPDK when the link changes */
	bool was_up;			/* when it was opened */
	bool removed;			/* read relaxed */
	u32 mtu_asked;
	u64 offloads;			/* RTE_ETH_TX_OFFLOAD_..., in use */
	struct ethdev_info info;
	struct rte_mempool *rx_pool, *tx_pool;
};

/* All that were ever opened; the main thread's. */
static struct ethdev *devices;

/* ---- Link ---- */

static bool look_at_link(const struct ethdev *d)
{
	struct rte_eth_link link;

	return !rte_eth_link_get_nowait(d->id, &link) && link.link_status == RTE_ETH_LINK_UP;
}

/* DPDK's interrupt thread. */
static int on_removed(u16 id, enum rte_eth_event_type event, void *arg, void *ret)
{
	rp_store(&((struct ethdev *)arg)->removed, true);
	return 0;
}

/* Where that thread keeps the state of the link; of others only the first is known. */
static bool link_up(const struct ethdev *d)
{
	if (rp_load(&d->removed))
		return false;
	return d->follows_link ? look_at_link(d) : d->was_up;
}

/* ---- Setting one up ---- */

static int fail(const struct ethdev *d, const char *what, int rc, char *why, size_t why_bytes)
{
	snprintf(why, why_bytes, "device %s: %s: %s%s%s", d->name, what, rte_strerror(-rc),
		 *eal_first_line() ? ": " : "", eal_first_line());
	return -1;
}

static struct rte_mempool *make_pool(const struct ethdev *d, const char *what, u32 frames)
{
	u32 room = RTE_PKTMBUF_HEADROOM + d->info.mtu + FRONT_BYTES;
	char name[RTE_MEMPOOL_NAMESIZE];

	snprintf(name, sizeof(name), "%s%u", what, d->id);
	if (room < RTE_MBUF_DEFAULT_BUF_SIZE)
		room = RTE_MBUF_DEFAULT_BUF_SIZE;
	/* No thread of ours is one that DPDK keeps caches for. */
	return rte_pktmbuf_pool_create(name, frames, 0, 0, (u16)RTE_ALIGN(room, 64u),
				       rte_eth_dev_socket_id(d->id));
}

static int make_queues(struct ethdev *d)
{
	u16 rx = SLOTS, tx = SLOTS;
	int rc = rte_eth_dev_adjust_nb_rx_tx_desc(d->id, &rx, &tx);

	if (rc)
		return rc;
	d->info.slots[0] = tx;
	d->info.slots[1] = rx;
	if (!d->rx_pool) {
		d->rx_pool = make_pool(d, "rx", rx + SPARE);
		d->tx_pool = make_pool(d, "tx", tx + SPARE);
	}
	if (!d->rx_pool || !d->tx_pool)
		return -rte_errno;
	rc = rte_eth_rx_queue_setup(d->id, 0, rx, rte_eth_dev_socket_id(d->id), NULL, d->rx_pool);
	return rc ? rc : rte_eth_tx_queue_setup(d->id, 0, tx, rte_eth_dev_socket_id(d->id), NULL);
}

/* @what: what failed. */
static int start(struct ethdev *d, const struct rte_eth_dev_info *has, bool interrupts,
		 const char **what)
{
	struct rte_eth_conf conf = {
		.rxmode.mtu = d->info.mtu,
		.txmode.offloads = has->tx_offload_capa & d->offloads,
		.intr_conf = { .lsc = !!(*has->dev_flags & RTE_ETH_DEV_INTR_LSC), .rxq = interrupts },
	};
	int rc = rte_eth_dev_configure(d->id, 1, 1, &conf);

	*what = "it does not start";
	if (!rc && d->mtu_asked) {
		*what = "it cannot have that MTU";
		rc = rte_eth_dev_set_mtu(d->id, (u16)d->mtu_asked);
	}
	if (rc)
		return rc;
	*what = "no queues of it";
	rc = make_queues(d);
	if (rc)
		return rc;
	*what = "it does not start";
	return rte_eth_dev_start(d->id);
}

static bool is_tap(const struct rte_eth_dev_info *has)
{
	return !strcmp(has->driver_name, "net_tap");
}

static bool has_all(const struct rte_eth_dev_info *has, u64 offloads)
{
	return (has->tx_offload_capa & offloads) == offloads;
}

/* Those that we use, where the device has what belongs together. */
static void choose_offloads(struct ethdev *d, const struct rte_eth_dev_info *has)
{
	const u64 sums = RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
	const u64 segments = RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	u16 most = has->tx_desc_lim.nb_seg_max;

	d->info.sums = has_all(has, sums);
	/* DPDK's tap refuses segments whose Ethernet header is beyond the MTU, time and again. */
	d->info.segments = d->info.sums && has_all(has, segments) && !is_tap(has) &&
			   (!most || most >= ETHDEV_PIECES);
	if (d->info.sums)
		d->offloads = sums;
	/* The header of IPv4 is another one for each segment; a device may do that unasked. */
	if (d->info.segments)
		d->offloads |= segments | (has->tx_offload_capa & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM);
}

/* Interrupts, where all that they need is there. */
static void find_interrupts(struct ethdev *d, const struct rte_eth_dev_info *has)
{
	d->info.interrupt_fd = -1;
	/*
	 * Its descriptor is the tap itself, which is never off. But it reads from that only
	 * after a signal, which another thread may not have taken yet when the descriptor wakes
	 * ours: see waiting().
	 */
	d->level = is_tap(has);
	if (!d->level && rte_eth_dev_rx_intr_enable(d->id, 0) < 0)
		return;
	rte_eth_dev_rx_intr_disable(d->id, 0);
	d->info.interrupt_fd = rte_eth_dev_rx_intr_ctl_q_get_fd(d->id, 0);
}

/* Frames for others than the device's own address, too. One without a filter has no such call. */
static int hear_all(const struct ethdev *d)
{
	int rc = rte_eth_promiscuous_enable(d->id);

	return rc == -ENOTSUP ? 0 : rc;
}

static int set_up(struct ethdev *d, char *why, size_t why_bytes)
{
	struct rte_eth_dev_info has;
	const char *what;
	u16 mtu;
	int rc = rte_eth_dev_info_get(d->id, &has);

	if (rc)
		return fail(d, "it tells nothing of itself", rc, why, why_bytes);
	if (rte_eth_dev_get_mtu(d->id, &mtu))
		mtu = RTE_ETHER_MTU;
	d->info.mtu = d->mtu_asked ? d->mtu_asked : mtu;
	choose_offloads(d, &has);
	rc = start(d, &has, true, &what);
	/* Some do not start with what they do not have. */
	if (rc)
		rc = start(d, &has, false, &what);
	if (rc)
		return fail(d, what, rc, why, why_bytes);
	find_interrupts(d, &has);
	rc = hear_all(d);
	if (rc)
		return fail(d, "it cannot be given frames for all addresses", rc, why, why_bytes);
	rte_eth_dev_callback_register(d->id, RTE_ETH_EVENT_INTR_RMV, on_removed, d);
	d->follows_link = *has.dev_flags & RTE_ETH_DEV_INTR_LSC;
	d->was_up = look_at_link(d);
	return 0;
}

/* ---- Opening and closing ---- */

static void give_up(struct ethdev *d)
{
	rte_eth_dev_stop(d->id);
	rte_eth_dev_close(d->id);
	rte_mempool_free(d->rx_pool);
	rte_mempool_free(d->tx_pool);
	free(d);
}

static struct ethdev *open_new(const char *name, char *args, u32 mtu, char *why, size_t why_bytes)
{
	struct ethdev *d = calloc(1, sizeof(*d));
	int rc;

	if (!d) {
		snprintf(why, why_bytes, "no memory");
		return NULL;
	}
	snprintf(d->name, sizeof(d->name), "%s", name);
	d->mtu_asked = mtu;
	eal_forget_lines();
	rc = rte_dev_probe(args);
	if (!rc)
		rc = rte_eth_dev_get_port_by_name(name, &d->id);
	if (rc) {
		fail(d, "DPDK cannot use it (is there such a driver, is the card bound to vfio-pci?)", rc,
		     why, why_bytes);
		free(d);
		return NULL;
	}
	if (set_up(d, why, why_bytes) < 0) {
		give_up(d);
		return NULL;
	}
	d->next = devices;
	devices = d;
	return d;
}

/* What came while nobody had it is old by now. */
static void drain(struct ethdev *d)
{
	struct rte_mbuf *m[64];
	u32 n, left = SLOTS / 64 + 1;

	do {
		n = rte_eth_rx_burst(d->id, 0, m, 64);
		rte_pktmbuf_free_bulk(m, n);
	} while (n && --left);
}

static struct ethdev *take_up(struct ethdev *d, u32 mtu, char *why, size_t why_bytes)
{
	if (d->used)
		snprintf(why, why_bytes, "device %s: another port has it", d->name);
	else if (d->mtu_asked != mtu)
		snprintf(why, why_bytes, "device %s: it is set up for another MTU: restart ringpaced",
			 d->name);
	else
		return d;
	return NULL;
}

static struct ethdev *open_device(const char *devargs, u32 mtu, bool fresh,
				  struct ethdev_info *info, char *why, size_t why_bytes)
{
	char args[ARGS_MAX], name[ARGS_MAX], *at;
	struct ethdev *d;

	snprintf(args, sizeof(args), "%s", devargs);
	for (at = args; (at = strchr(at, ';')); at++)
		*at = ',';
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(args, ","), args);
	for (d = devices; d && strcmp(d->name, name); d = d->next)
		;
	if (d) {
		d = take_up(d, mtu, why, why_bytes);
		if (d)
			drain(d);
	} else if (fresh) {
		d = open_new(name, args, mtu, why, why_bytes);
	} else {
		snprintf(why, why_bytes, "device %s: DPDK's devices are opened when ringpaced starts: "
			 "restart it", name);
	}
	if (d) {
		d->used = true;
		*info = d->info;
	}
	return d;
}

static void close_device(struct ethdev *d)
{
	d->used = false;
}

/* ---- Frames ---- */

static u32 rx(struct ethdev *d, void **frame, u32 max)
{
	return rte_eth_rx_burst(d->id, 0, (struct rte_mbuf **)frame, (u16)max);
}

static u32 pieces(const void *frame, struct rp_seg *seg, u32 max)
{
	const struct rte_mbuf *m;
	u32 n = 0;

	for (m = frame; m; m = m->next) {
		if (!m->data_len)
			continue;
		if (n == max)
			return 0;
		seg[n++] = (struct rp_seg){ rte_pktmbuf_mtod(m, u8 *), m->data_len };
	}
	return n;
}

static bool waiting(const struct ethdev *d)
{
	struct pollfd p = { .fd = d->info.interrupt_fd, .events = POLLIN };

	return d->level && poll(&p, 1, 0) == 1 && (p.revents & POLLIN);
}

static void interrupt(struct ethdev *d, bool on)
{
	if (on)
		rte_eth_dev_rx_intr_enable(d->id, 0);
	else
		rte_eth_dev_rx_intr_disable(d->id, 0);
}

static void *alloc(struct ethdev *d, u32 bytes, struct rp_seg *piece)
{
	struct rte_mbuf *first = NULL, *last = NULL, *m;
	u32 n = 0, left = bytes, room;

	do {
		m = n < ETHDEV_PIECES ? rte_pktmbuf_alloc(d->tx_pool) : NULL;
		if (!m) {
			rte_pktmbuf_free(first);
			return NULL;
		}
		room = rte_pktmbuf_tailroom(m);
		m->data_len = (u16)(left < room ? left : room);
		if (last)
			last->next = m;
		else
			first = m;
		last = m;
		piece[n++] = (struct rp_seg){ rte_pktmbuf_mtod(m, u8 *), m->data_len };
		left -= m->data_len;
	} while (left);
	first->nb_segs = (u16)n;
	first->pkt_len = bytes;
	return first;
}

static void offload(struct ethdev *d, void *frame, const struct ethdev_l4 *l)
{
	struct rte_mbuf *m = frame;

	m->l2_len = l->l2;
	m->l3_len = l->l3;
	m->l4_len = l->l4;
	m->tso_segsz = l->segment;
	m->ol_flags |= l->ip6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
	m->ol_flags |= l->l4 ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM;
	if (!l->segment)
		return;
	m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
	if (!l->ip6 && d->offloads & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM)
		m->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
}

static u32 tx(struct ethdev *d, void **frame, u32 n)
{
	struct rte_mbuf **m = (struct rte_mbuf **)frame;
	u32 good = d->offloads ? rte_eth_tx_prepare(d->id, 0, m, (u16)n) : n;
	u32 sent = good ? rte_eth_tx_burst(d->id, 0, m, (u16)good) : 0;

	if (sent < good || good == n)
		return sent;
	/* One that the driver will never take; it would hold up those behind it. */
	rte_pktmbuf_free(m[sent]);
	return sent + 1;
}

static void release(void **frame, u32 n)
{
	rte_pktmbuf_free_bulk((struct rte_mbuf **)frame, n);
}

__attribute__((visibility("default"))) extern const struct ethdev_api ringpaced_ethdev;
const struct ethdev_api ringpaced_ethdev = {
	.version = ETHDEV_API_VERSION,
	.begin = eal_begin,
	.open = open_device,
	.close = close_device,
	.link_up = link_up,
	.rx = rx,
	.pieces = pieces,
	.waiting = waiting,
	.interrupt = interrupt,
	.alloc = alloc,
	.offload = offload,
	.tx = tx,
	.release = release,
};
