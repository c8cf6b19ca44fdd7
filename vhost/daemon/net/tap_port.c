// SPDX-License-Identifier: GPL-2.0-or-later
/* A port whose other side is the host's own stack: a tap, by its name. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "loop/loop.h"
#include "net.h"
#include "tap_port.h"

struct tap_port {
	struct port port;
	struct tap_queue *queue;	/* 2 * pairs; both of a pair have one descriptor */
	unsigned int offloads;		/* TUN_F_... that the kernel was told */
};

static struct tap_port *of_port(const struct port *p)
{
	return container_of(p, struct tap_port, port);
}

bool tap_name_ok(const char *name)
{
	size_t n = strlen(name);

	return n && n < IFNAMSIZ && !strpbrk(name, "/% ");
}

static const char *check(const struct port_options *o)
{
	if (!tap_name_ok(o->address))
		return "tap: not the name of an interface, 1 to 15 characters";
	return o->mtu ? "mtu: a tap has its own, see ip link set NAME mtu BYTES" : NULL;
}

static void destroy(struct port *port)
{
	struct tap_port *p = of_port(port);
	u32 i;

	for (i = 0; p->queue && i < 2 * port->opt.pairs; i++)
		tap_queue_fini(&p->queue[i]);
	free(p->queue);
	port_fini(port);
	free(p);
}

static bool init_queues(struct tap_port *p, const struct port_options *o)
{
	u32 i;

	p->queue = calloc(2 * o->pairs, sizeof(*p->queue));
	if (!port_init(&p->port, o) || !p->queue)
		return false;
	for (i = 0; i < 2 * o->pairs; i++)
		tap_queue_set(&p->queue[i], -1);
	for (i = 0; i < 2 * o->pairs; i++) {
		if (tap_queue_init(&p->queue[i], p->port.opt.name, i) < 0)
			return false;
		p->port.queue[i] = &p->queue[i].q;
	}
	return true;
}

static struct port *create(const struct port_options *o)
{
	struct tap_port *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	if (!init_queues(p, o)) {
		destroy(&p->port);
		return NULL;
	}
	port_begin(&p->port);
	/* It segments and completes checksums itself. */
	p->port.rx_can = (struct offloads){
		.csum = true, .tso4 = true, .tso6 = true, .ecn = true, .mergeable = true,
	};
	return &p->port;
}

/* Attaches to the interface, or makes it: one that was made persistent stays. */
static int attach(int fd, const char *name, bool one)
{
	const short flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	struct ifreq ifr = { 0 };
	int bytes = PACKET_HDR_BYTES;

	strncpy(ifr.ifr_name, name, sizeof(ifr.ifr_name) - 1);
	ifr.ifr_flags = (short)(flags | IFF_MULTI_QUEUE);
	if (ioctl(fd, TUNSETIFF, &ifr) < 0) {
		if (!one || errno != EINVAL)
			return -errno;
		/* It may have been made for one queue. */
		ifr.ifr_flags = flags;
		if (ioctl(fd, TUNSETIFF, &ifr) < 0)
			return -errno;
	}
	return ioctl(fd, TUNSETVNETHDRSZ, &bytes) < 0 ? -errno : 0;
}

const char *tap_advice(int error)
{
	switch (error) {
	case EPERM:
	case EACCES:
		return "root can make it for a user: "
		       "ip tuntap add NAME mode tap multi_queue user USER";
	case EBUSY:
		return "somebody else has it, or one with fewer queues";
	case EINVAL:
		return "there is an interface of that name that is no tap, or was made without "
		       "multi_queue, which more than one pair needs";
	default:
		return "is the tun driver there?";
	}
}

int tap_open(const char *name, bool one)
{
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	rc = attach(fd, name, one);
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

static int open_pair(struct tap_port *p, u32 i)
{
	int fd = tap_open(p->port.opt.address, p->port.opt.pairs == 1);

	if (fd < 0)
		return fd;
	tap_queue_set(&p->queue[2 * i], fd);
	tap_queue_set(&p->queue[2 * i + 1], fd);
	return 0;
}

static int start(struct port *port, struct loop *loop, gid_t gid, char *why, size_t why_bytes)
{
	u32 i;
	int rc;

	for (i = 0; i < port->opt.pairs; i++) {
		rc = open_pair(of_port(port), i);
		if (rc < 0) {
			snprintf(why, why_bytes, "cannot use tap %s: %s: %s", port->opt.address,
				 strerror(-rc), tap_advice(-rc));
			return -1;
		}
	}
	return 0;
}

static void end(struct port *port)
{
	struct tap_port *p = of_port(port);
	u32 i;

	for (i = 0; i < port->opt.pairs; i++) {
		int fd = p->queue[2 * i].fd;

		if (fd < 0)
			continue;
		net_halt(port, 2 * i);
		net_halt(port, 2 * i + 1);
		tap_queue_set(&p->queue[2 * i], -1);
		tap_queue_set(&p->queue[2 * i + 1], -1);
		close(fd);
	}
}

static bool link_up(const struct port *port)
{
	const struct tap_queue *t = of_port(port)->queue;

	return t[0].q.attached && !rp_load(&t[0].q.broken) && !rp_load(&t[1].q.broken);
}

/* An interface that was deleted: the one of that name, if there is one again, or a new one. */
static int heal(struct port *port, char *why, size_t why_bytes)
{
	struct tap_port *p = of_port(port);
	u32 i, broken = 0;

	for (i = 0; i < 2 * port->opt.pairs; i++)
		broken += !!rp_load(&p->queue[i].q.broken);
	if (!broken)
		return 0;
	end(port);
	p->offloads = 0;
	if (start(port, NULL, 0, why, why_bytes) < 0) {
		end(port);
		return -1;
	}
	for (i = 0; i < 2 * port->opt.pairs; i++)
		rp_store(&p->queue[i].q.broken, NULL);
	return 1;
}

void tap_tell_offloads(const struct tap_queue *q, unsigned int *told, const struct offloads *can)
{
	unsigned int flags = 0;

	if (can->csum)
		flags = TUN_F_CSUM | (can->tso4 ? TUN_F_TSO4 : 0) | (can->tso6 ? TUN_F_TSO6 : 0) |
			(can->ecn && (can->tso4 || can->tso6) ? TUN_F_TSO_ECN : 0);
	if (flags == *told || !q->q.attached)
		return;
	/* Of the whole interface. One that is refused costs frames (offload), no more. */
	if (ioctl(q->fd, TUNSETOFFLOAD, (unsigned long)flags) == 0)
		*told = flags;
}

static void peers_can(struct port *port, const struct offloads *can)
{
	struct tap_port *p = of_port(port);

	tap_tell_offloads(p->queue, &p->offloads, can);
}

const struct port_kind tap_port_kind = {
	.name = "tap",
	.address = "tap",
	.check = check,
	.create = create,
	.destroy = destroy,
	.open = start,
	.close = end,
	.link_up = link_up,
	.heal = heal,
	.peers_can = peers_can,
};
