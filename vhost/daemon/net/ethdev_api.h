/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between ringpaced and its plug-in for devices of DPDK (vhost/ethdev), which is loaded when
 * a port asks for one: ringpaced itself is not linked with DPDK.
 *
 * The plug-in exports one symbol, ETHDEV_API_SYMBOL, a struct ethdev_api. Whoever changes
 * anything here gives it another version.
 *
 * A device has one RX and one TX queue. begin(), open() and close() are the main thread's;
 * rx(), pieces(), waiting(), interrupt() and release() of what was received are the thread's
 * that has the RX queue; alloc(), tx() and release() of what was allocated that of the
 * TX queue. A frame is the plug-in's, and opaque.
 */
#ifndef RINGPACED_ETHDEV_API_H
#define RINGPACED_ETHDEV_API_H

#include "vring/vring.h"

#define ETHDEV_API_VERSION	1u
#define ETHDEV_API_SYMBOL	"ringpaced_ethdev"
#define ETHDEV_PLUGIN		"ringpaced-ethdev.so"

struct ethdev;

struct ethdev_begin {
	bool bus;		/* there are devices on a bus: huge pages, IOMMU */
	u32 devices;		/* that will be opened: without huge pages memory is for so many */
	/* A line of DPDK's log, any thread's. */
	void (*log)(const char *line);
};

struct ethdev_info {
	u32 mtu;		/* bytes of a frame behind its Ethernet header and tags */
	bool sums, segments;	/* offload() may be asked for that */
	u32 slots[2];		/* descriptors of the TX and of the RX queue */
	int interrupt_fd;	/* readable edge: frames came while interrupt() was on; -1: never */
};

/* TCP or UDP in a frame, whose checksum the device is to complete: bytes of each header. */
struct ethdev_l4 {
	u16 l2, l3, l4;		/* Ethernet with tags; IP; TCP, or 0 of UDP */
	bool ip6;
	u16 segment;		/* bytes of payload of each; 0: it is one */
};

#define ETHDEV_PIECES	64u

struct ethdev_api {
	u32 version;
	/* Starts DPDK, once. 0, or -1 with one line of why. */
	int (*begin)(const struct ethdev_begin *b, char *why, size_t why_bytes);
	/*
	 * Opens and starts the device that DPDK names so, its arguments behind ';'; @mtu 0: that
	 * which it has. One that was closed is taken up again; one that was not opened before
	 * is only if @fresh. NULL with one line of why.
	 */
	struct ethdev *(*open)(const char *devargs, u32 mtu, bool fresh, struct ethdev_info *info,
			       char *why, size_t why_bytes);
	/* The device stays started, and what comes to it is lost. All frames were released. */
	void (*close)(struct ethdev *d);
	/* Any thread's. */
	bool (*link_up)(const struct ethdev *d);
	/* Up to @max received frames; 0: there are none. */
	u32 (*rx)(struct ethdev *d, void **frame, u32 max);
	/* Where a received frame lies until it is released; 0: in more than @max pieces. */
	u32 (*pieces)(const void *frame, struct rp_seg *seg, u32 max);
	/* rx() gave none: is there one all the same, in a moment? */
	bool (*waiting)(const struct ethdev *d);
	/* Of a device with an ->interrupt_fd. */
	void (*interrupt)(struct ethdev *d, bool on);
	/*
	 * A frame of @bytes, to be written to up to ETHDEV_PIECES pieces, one if it has at most
	 * mtu + 22; only devices with ->segments have others. NULL: there is no memory now.
	 */
	void *(*alloc)(struct ethdev *d, u32 bytes, struct rp_seg *piece);
	/* Of such a frame, which is written: what is left to the device. */
	void (*offload)(struct ethdev *d, void *frame, const struct ethdev_l4 *l);
	/* The first so many of @n are on their way and the device's; the others are not. */
	u32 (*tx)(struct ethdev *d, void **frame, u32 n);
	void (*release)(void **frame, u32 n);
};

#endif /* RINGPACED_ETHDEV_API_H */
