// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What `ethtool -L`, `ethtool -X` and `ethtool -K` do, for a guest of busybox:
 *
 *	rp-guest-rss IFNAME channels N		so many pairs of queues
 *	rp-guest-rss IFNAME table QUEUE...	these in turn, over the whole table
 *	rp-guest-rss IFNAME tso on|off		large segments of TCP, sent whole
 *
 * Prints the number of the table's entries; exit status 1 with a reason.
 */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ENTRIES_MAX	512u

static struct ifreq ifr;
static int sock;

static int order(void *data)
{
	ifr.ifr_data = data;
	return ioctl(sock, SIOCETHTOOL, &ifr);
}

static int set_channels(unsigned int n)
{
	struct ethtool_channels c = { .cmd = ETHTOOL_GCHANNELS };

	if (order(&c))
		return -1;
	c.cmd = ETHTOOL_SCHANNELS;
	c.combined_count = n;
	return order(&c);
}

static int set_table(char **queues, unsigned int n)
{
	static union {
		struct ethtool_rxfh_indir t;
		__u32 room[3 + ENTRIES_MAX];
	} u = { .t.cmd = ETHTOOL_GRXFHINDIR };
	unsigned int i;

	if (order(&u.t) || u.t.size > ENTRIES_MAX)
		return -1;
	u.t.cmd = ETHTOOL_SRXFHINDIR;
	for (i = 0; i < u.t.size; i++)
		u.t.ring_index[i] = (__u32)atoi(queues[i % n]);
	printf("%u entries\n", u.t.size);
	return order(&u.t);
}

static int set_tso(const char *to)
{
	const __u32 on = !strcmp(to, "on");
	struct ethtool_value v = { .cmd = ETHTOOL_STSO, .data = on };

	if (order(&v))
		return -1;
	v.cmd = ETHTOOL_GTSO;
	if (order(&v))
		return -1;
	errno = EOPNOTSUPP;
	return v.data == on ? 0 : -1;
}

int main(int argc, char **argv)
{
	int rc = -1;

	if (argc < 4) {
		fputs("rp-guest-rss IFNAME channels N | IFNAME table QUEUE... | "
		      "IFNAME tso on|off\n", stderr);
		return 2;
	}
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", argv[1]);
	sock = socket(AF_INET, SOCK_DGRAM, 0);
	if (!strcmp(argv[2], "channels"))
		rc = set_channels((unsigned int)atoi(argv[3]));
	else if (!strcmp(argv[2], "table"))
		rc = set_table(argv + 3, (unsigned int)argc - 3);
	else if (!strcmp(argv[2], "tso"))
		rc = set_tso(argv[3]);
	if (rc)
		fprintf(stderr, "rp-guest-rss: %s %s: %s\n", argv[1], argv[2], strerror(errno));
	return rc ? 1 : 0;
}
