// SPDX-License-Identifier: GPL-2.0-or-later
/* Cards: their options, what DPDK is told of them, and the port that they make. */
#include "cards.h"

#include <rte_pci.h>
#include <stdio.h>
#include <string.h>

#include "port_cards.h"

#define VDEV_BYTES	300u

struct card {
	const char *socket, *device;	/* one of them */
	/* ringpaced's control socket, and the port there; NULL: the device steers */
	const char *steer_socket, *steer_port;
	char name[64];			/* DPDK's */
};

static struct card cards[DP_CARDS_MAX];
static u32 count;

u32 cards_count(void)
{
	return count;
}

/* ---- Options ---- */

enum { OPT_DEVICE = 1024 };

static const struct argp_option option_table[] = {
	{ "socket", 's', "PATH", 0, "a vhost-user port of ringpaced, by virtio_user", 0 },
	{ "device", OPT_DEVICE, "NAME", 0, "or a network card by its PCI address, 0000:01:00.0, "
	  "which vfio-pci or uio_pci_generic has; or a virtual device of DPDK's, with its "
	  "arguments: net_tap0,iface=tap0. With --app forward and nat these options may be given "
	  "again, for more cards", 0 },
	{ "steer", 'S', "PATH,PORT", 0, "ringpaced's control socket, and the port there that "
	  "the card before it is at (rss=GROUPS); without it the device steers", 0 },
	{ 0 }
};

/* The next one. */
static struct card *add(struct argp_state *state)
{
	if (count == DP_CARDS_MAX)
		argp_error(state, "there are %u cards at most", DP_CARDS_MAX);
	return &cards[count++];
}

static void add_socket(struct argp_state *state, const char *path)
{
	struct card *c = add(state);

	c->socket = path;
	snprintf(c->name, sizeof(c->name), "net_virtio_user%u", (u32)(c - cards));
}

static void add_device(struct argp_state *state, const char *device)
{
	struct card *c = add(state);

	c->device = device;
	snprintf(c->name, sizeof(c->name), "%.*s", (int)strcspn(device, ","), device);
}

static void set_steer(struct argp_state *state, char *arg)
{
	char *comma = strrchr(arg, ',');
	struct card *c;

	if (!count)
		argp_error(state, "--steer: behind the --socket or --device that it is of");
	if (!comma || comma == arg || !comma[1])
		argp_error(state, "--steer: PATH,PORT is needed, not %s", arg);
	*comma = '\0';
	c = &cards[count - 1];
	c->steer_socket = arg;
	c->steer_port = comma + 1;
}

/* DDDD:BB:DD.F */
static bool is_pci(const struct card *c)
{
	struct rte_pci_addr addr;

	return c->device && !rte_pci_addr_parse(c->name, &addr);
}

static void check(struct argp_state *state)
{
	u32 i, pci = 0;

	if (!count)
		argp_error(state, "one of --socket and --device is needed");
	for (i = 0; i < count; i++)
		pci += is_pci(&cards[i]);
	/* They need memory of another kind. */
	if (pci && pci < count)
		argp_error(state, "cards by PCI addresses, and others: not together");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 's': add_socket(state, arg); break;
	case OPT_DEVICE: add_device(state, arg); break;
	case 'S': set_steer(state, arg); break;
	case ARGP_KEY_END: check(state); break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

const struct argp cards_argp = { .options = option_table, .parser = parse };

void cards_print(void)
{
	u32 i;

	for (i = 0; i < count; i++)
		printf("%s%s", i ? " and " : "",
		       cards[i].socket ? cards[i].socket : cards[i].device);
}

/* ---- DPDK ---- */

u32 cards_arguments(char **argv, u32 threads, u32 queue_len, u32 memory_mib)
{
	static char memory[16], vdev[DP_CARDS_MAX][VDEV_BYTES];
	bool pci = is_pci(&cards[0]);
	u32 n = 0, i;

	if (pci) {
		/*
		 * It writes to physical addresses, and virtio's goes past an IOMMU: hugepages,
		 * as many as are needed.
		 */
		argv[n++] = "--in-memory";
		argv[n++] = "--iova-mode=pa";
	} else {
		snprintf(memory, sizeof(memory), "%u", memory_mib);
		argv[n++] = "--no-huge";
		argv[n++] = "-m";
		argv[n++] = memory;
		argv[n++] = "--no-pci";
	}
	for (i = 0; i < count; i++) {
		const struct card *c = &cards[i];

		if (c->socket)
			snprintf(vdev[i], VDEV_BYTES, "%s,path=%s,queues=%u,queue_size=%u", c->name,
				 c->socket, threads, queue_len);
		else
			snprintf(vdev[i], VDEV_BYTES, "%s", c->device);
		argv[n++] = pci ? "--allow" : "--vdev";
		argv[n++] = vdev[i];
	}
	return n;
}

/* ---- The port ---- */

static struct dp_port *open_one(const struct card *c, const struct eth_options *of_all)
{
	struct eth_options o = *of_all;

	o.name = c->name;
	o.steer_socket = c->steer_socket;
	o.steer_port = c->steer_port;
	return eth_port_open(&o);
}

struct dp_port *cards_open(const struct eth_options *o)
{
	struct dp_port *card[DP_CARDS_MAX], *port;
	u32 n;

	for (n = 0; n < count; n++) {
		card[n] = open_one(&cards[n], o);
		if (card[n])
			continue;
		while (n--)
			eth_port_close(card[n]);
		return NULL;
	}
	if (count == 1)
		return card[0];
	port = cards_port_new(card, n, o->entries, eth_port_close);
	if (!port)
		fprintf(stderr, "rp-dataplane: no memory for %u cards\n", n);
	return port;
}

void cards_close(struct dp_port *port)
{
	if (count > 1)
		cards_port_close(port);
	else
		eth_port_close(port);
}
