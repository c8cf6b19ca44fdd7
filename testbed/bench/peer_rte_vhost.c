// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DPDK's way over the same kind of ring, for bench ring to compare with: the
 * driver sends packets through virtio_user, the device takes them out with
 * rte_vhost; both poll. Two processes of this program, as with ours:
 *
 *	peer_rte_vhost device SOCKET CPU BYTES BURST WARMUP_S DURATION_S
 *	peer_rte_vhost driver SOCKET CPU BYTES BURST SLOTS
 *
 * The device prints {"items":N,"ns":T} and ends; the driver runs until SIGTERM.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_vhost.h>

#define BURST_MAX	256
#define MBUFS		8191
#define CACHE		256

static volatile sig_atomic_t stop;
static volatile int ready_vid = -1;

static void on_signal(int sig)
{
	stop = 1;
}

static int die(const char *what)
{
	fprintf(stderr, "peer_rte_vhost: %s: %s\n", what, rte_strerror(rte_errno));
	return 1;
}

/* No hugepages and no files outside memory: it must run anywhere. */
static int start_eal(const char *role, const char *cpu, const char *vdev)
{
	char prefix[64];
	char *argv[16] = {
		(char *)"peer_rte_vhost", (char *)"-l", (char *)cpu, (char *)"--no-huge",
		(char *)"-m", (char *)"256", (char *)"--no-pci", (char *)"--no-telemetry",
		(char *)"--log-level=4", (char *)"--file-prefix", prefix,
	};
	int argc = 11;

	snprintf(prefix, sizeof(prefix), "ringpace-%s-%d", role, getpid());
	if (vdev) {
		argv[argc++] = (char *)"--vdev";
		argv[argc++] = (char *)vdev;
	}
	return rte_eal_init(argc, argv);
}

static struct rte_mempool *make_pool(void)
{
	return rte_pktmbuf_pool_create("mbufs", MBUFS, CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
}

/* ---- Device ---- */

static int new_device(int vid)
{
	/* Polled: the driver need not kick. */
	rte_vhost_enable_guest_notification(vid, 1, 0);
	ready_vid = vid;
	return 0;
}

static void destroy_device(int vid)
{
	ready_vid = -1;
	stop = 1;
}

static const struct rte_vhost_device_ops ops = {
	.new_device = new_device,
	.destroy_device = destroy_device,
};

static uint64_t take(struct rte_mempool *pool, uint16_t burst)
{
	struct rte_mbuf *m[BURST_MAX];
	/* Queue 1 is what the driver sends (virtio 1.2, sec. 5.1.2). */
	uint16_t n = rte_vhost_dequeue_burst(ready_vid, 1, pool, m, burst);

	if (n)
		rte_pktmbuf_free_bulk(m, n);
	return n;
}

static void measure(struct rte_mempool *pool, uint16_t burst, double warmup_s, double duration_s)
{
	const double hz = (double)rte_get_tsc_hz();
	uint64_t begin, end, items = 0, now;

	end = rte_rdtsc() + (uint64_t)(warmup_s * hz);
	while (!stop && rte_rdtsc() < end)
		take(pool, burst);
	begin = rte_rdtsc();
	end = begin + (uint64_t)(duration_s * hz);
	do {
		items += take(pool, burst);
		now = rte_rdtsc();
	} while (!stop && now < end);
	printf("{\"items\":%lu,\"ns\":%.0f}\n", items, (double)(now - begin) / hz * 1e9);
	fflush(stdout);
}

static int device(char **arg)
{
	struct rte_mempool *pool;

	if (start_eal("device", arg[1], NULL) < 0)
		return die("cannot start the EAL");
	pool = make_pool();
	if (!pool)
		return die("cannot make a mempool");
	if (rte_vhost_driver_register(arg[0], 0) ||
	    rte_vhost_driver_callback_register(arg[0], &ops) ||
	    rte_vhost_driver_start(arg[0]))
		return die("cannot start rte_vhost");
	while (!stop && ready_vid < 0)
		rte_delay_us_sleep(1000);
	/* The warm-up begins with the first packet. */
	while (!stop && !take(pool, 1))
		;
	if (!stop)
		measure(pool, (uint16_t)atoi(arg[3]), atof(arg[4]), atof(arg[5]));
	rte_vhost_driver_unregister(arg[0]);
	rte_eal_cleanup();
	return 0;
}

/* ---- Driver ---- */

static int start_port(struct rte_mempool *pool, uint16_t slots)
{
	const struct rte_eth_conf conf = { 0 };

	if (rte_eth_dev_configure(0, 1, 1, &conf) ||
	    rte_eth_rx_queue_setup(0, 0, slots, 0, NULL, pool) ||
	    rte_eth_tx_queue_setup(0, 0, slots, 0, NULL))
		return -1;
	return rte_eth_dev_start(0);
}

static void send_all(struct rte_mempool *pool, uint16_t bytes, uint16_t burst)
{
	struct rte_mbuf *m[BURST_MAX];
	uint16_t i, sent, have = 0;

	while (!stop) {
		if (have < burst) {
			if (rte_pktmbuf_alloc_bulk(pool, m + have, burst - have))
				continue;
			for (i = have; i < burst; i++) {
				m[i]->data_len = bytes;
				m[i]->pkt_len = bytes;
			}
			have = burst;
		}
		sent = rte_eth_tx_burst(0, 0, m, have);
		/* What did not fit goes first next time. */
		memmove(m, m + sent, (have - sent) * sizeof(m[0]));
		have -= sent;
	}
	rte_pktmbuf_free_bulk(m, have);
}

static int driver(char **arg)
{
	struct rte_mempool *pool;
	char vdev[256];

	snprintf(vdev, sizeof(vdev), "net_virtio_user0,path=%s,queue_size=%s", arg[0], arg[4]);
	if (start_eal("driver", arg[1], vdev) < 0)
		return die("cannot start the EAL");
	pool = make_pool();
	if (!pool)
		return die("cannot make a mempool");
	if (start_port(pool, (uint16_t)atoi(arg[4])))
		return die("cannot start virtio_user");
	send_all(pool, (uint16_t)atoi(arg[2]), (uint16_t)atoi(arg[3]));
	rte_eth_dev_stop(0);
	rte_eth_dev_close(0);
	rte_eal_cleanup();
	return 0;
}

int main(int argc, char **argv)
{
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	signal(SIGPIPE, SIG_IGN);
	if (argc == 8 && !strcmp(argv[1], "device") && atoi(argv[5]) <= BURST_MAX)
		return device(argv + 2);
	if (argc == 7 && !strcmp(argv[1], "driver") && atoi(argv[5]) <= BURST_MAX)
		return driver(argv + 2);
	fprintf(stderr, "Usage: peer_rte_vhost device SOCKET CPU BYTES BURST WARMUP_S DURATION_S\n"
		"       peer_rte_vhost driver SOCKET CPU BYTES BURST SLOTS\n");
	return 2;
}
