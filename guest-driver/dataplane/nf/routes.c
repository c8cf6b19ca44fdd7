// SPDX-License-Identifier: GPL-2.0-or-later
/* Routes out of a file. */
#include "routes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <rte_errno.h>
#include <rte_ether.h>
#include <rte_lpm.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUTES_MAX	65536u
#define GROUPS_OF_8	1024u	/* of prefixes longer than 24 bits */

struct routes {
	struct rte_lpm *lpm;
	struct forward_hop *hop;	/* of each route */
	u32 count;
	u32 fallback;			/* of 0.0.0.0/0, which DPDK's table cannot have; ->count: none */
};

struct line {
	const char *path;
	u32 number;
	u32 cards;			/* there are */
	u32 ip, bits;			/* in host order */
	struct forward_hop hop;
};

static int wrong(const struct line *l, const char *form, ...) __attribute__((format(printf, 2, 3)));
static int wrong(const struct line *l, const char *form, ...)
{
	va_list args;

	fprintf(stderr, "rp-dataplane: %s:%u: ", l->path, l->number);
	va_start(args, form);
	vfprintf(stderr, form, args);
	va_end(args);
	fputc('\n', stderr);
	return -1;
}

/* What is behind a MAC: nothing, or a card's number. */
static bool parse_card(struct line *l, char *text)
{
	char *end = text + strspn(text, " \t");
	unsigned long card = 0;

	if (*end && (end == text || *end < '0' || *end > '9'))
		return false;
	if (*end)
		card = strtoul(end, &end, 10);
	l->hop.card = card < UINT8_MAX ? (u8)card : UINT8_MAX;
	return !end[strspn(end, " \t\r")];
}

/* 1: there is a route, 0: nothing, -1: it is wrong. */
static int parse(struct line *l, char *text)
{
	struct rte_ether_addr a;
	char ip[16], mac[18];
	struct in_addr in;
	int at = 0;

	text[strcspn(text, "#\n")] = '\0';
	if (!text[strspn(text, " \t")])
		return 0;
	if (sscanf(text, " %15[0-9.]/%2u %17[0-9a-fA-F:]%n", ip, &l->bits, mac, &at) != 3 ||
	    !parse_card(l, text + at) || l->bits > 32 || inet_pton(AF_INET, ip, &in) != 1 ||
	    rte_ether_unformat_addr(mac, &a))
		return wrong(l, "a prefix and a MAC are needed, as 10.1.0.0/16 02:00:00:00:00:01, "
			     "and the card if there are several");
	if (!rte_is_unicast_ether_addr(&a) || rte_is_zero_ether_addr(&a))
		return wrong(l, "%s is no station's MAC", mac);
	if (l->hop.card >= l->cards)
		return wrong(l, "card %u is none of the %u that there are, counted from 0",
			     l->hop.card, l->cards);
	memcpy(l->hop.mac, a.addr_bytes, sizeof(l->hop.mac));
	l->ip = ntohl(in.s_addr);
	if (l->bits < 32 && l->ip & ~0U >> l->bits)
		return wrong(l, "%s has bits behind its first %u", ip, l->bits);
	return 1;
}

static int add(struct routes *r, const struct line *l)
{
	u32 there;
	int rc = 0;

	if (r->count == ROUTES_MAX)
		return wrong(l, "there are more than %u routes", ROUTES_MAX);
	if (!l->bits ? r->fallback != ROUTES_MAX :
		       rte_lpm_is_rule_present(r->lpm, l->ip, (u8)l->bits, &there) > 0)
		return wrong(l, "this prefix has a route already");
	if (l->bits)
		rc = rte_lpm_add(r->lpm, l->ip, (u8)l->bits, r->count);
	else
		r->fallback = r->count;
	if (rc)
		return wrong(l, "DPDK's table does not take it: %s", strerror(-rc));
	r->hop[r->count++] = l->hop;
	return 0;
}

static int read_all(struct routes *r, FILE *file, const char *path, u32 cards)
{
	struct line l = { .path = path, .cards = cards };
	char *text = NULL;
	size_t room = 0;
	int rc = 0;

	while (rc >= 0 && getline(&text, &room, file) >= 0) {
		l.number++;
		rc = parse(&l, text);
		if (rc > 0)
			rc = add(r, &l);
	}
	free(text);
	if (rc >= 0 && !r->count)
		return wrong(&l, "there is no route");
	return rc < 0 ? rc : 0;
}

static int make_table(struct routes *r)
{
	const struct rte_lpm_config c = { .max_rules = ROUTES_MAX, .number_tbl8s = GROUPS_OF_8 };

	r->fallback = ROUTES_MAX;
	r->hop = calloc(ROUTES_MAX, sizeof(*r->hop));
	r->lpm = rte_lpm_create("routes", SOCKET_ID_ANY, &c);
	if (r->hop && r->lpm)
		return 0;
	fprintf(stderr, "rp-dataplane: no memory for a table of routes: %s\n",
		r->hop ? rte_strerror(rte_errno) : strerror(ENOMEM));
	return -1;
}

struct routes *routes_open(const char *path, u32 cards)
{
	struct routes *r = calloc(1, sizeof(*r));
	FILE *file = fopen(path, "re");
	int rc = -1;

	if (!file)
		fprintf(stderr, "rp-dataplane: --routes %s cannot be opened: %s\n", path,
			strerror(errno));
	else if (r && !make_table(r))
		rc = read_all(r, file, path, cards);
	if (file)
		fclose(file);
	if (!rc)
		return r;
	if (r)
		routes_close(r);
	return NULL;
}

void routes_close(struct routes *r)
{
	rte_lpm_free(r->lpm);
	free(r->hop);
	free(r);
}

bool routes_find(const void *routes, u32 ip, struct forward_hop *hop)
{
	const struct routes *r = routes;
	u32 i;

	if (rte_lpm_lookup(r->lpm, ntohl(ip), &i)) {
		if (r->fallback == ROUTES_MAX)
			return false;
		i = r->fallback;
	}
	*hop = r->hop[i];
	return true;
}
