// SPDX-License-Identifier: GPL-2.0-or-later
/* A packet socket on an interface. */
#include "wire.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ETHERTYPE	0x88b5

/* The kernel is to send nothing of its own; where it has no IPv6 it does not. */
static void silence(const char *ifname)
{
	char path[80];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", ifname);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, "1", 1) != 1)
		printf("# IPv6 stays on: %m\n");
	close(fd);
}

int wire_open(const char *ifname)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETHERTYPE),
		.sll_ifindex = (int)if_nametoindex(ifname),
	};
	struct ifreq ifr = { .ifr_flags = IFF_UP | IFF_NOARP };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	silence(ifname);
	if (fd >= 0 && at.sll_ifindex && !ioctl(fd, SIOCSIFFLAGS, &ifr) &&
	    !bind(fd, (struct sockaddr *)&at, sizeof(at)))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}
