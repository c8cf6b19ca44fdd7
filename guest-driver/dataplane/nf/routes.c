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

struct hop {
	u8 mac[6];
};

struct routes {
	struct rte_lpm *lpm;
	struct hop *hop;		/* of each route */
	u32 count;
	u32 fallback;			/* of 0.0.0.0/0, which DPDK's table cannot have; ->count: none */
};

struct line {
	const char *path;
	u32 number;
	u32 ip, bits;			/* in host order */
	struct hop hop;
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

/* 1: there is a route, 0: nothing, -1: it is wrong. */
static int parse(struct line *l, char *text)
{
	char ip[16], mac[18], end;
	struct rte_ether_addr a;
	struct in_addr in;
	int n;

	text[strcspn(text, "#\n")] = '\0';
	if (!text[strspn(text, " \t")])
		return 0;
	n = sscanf(text, " %15[0-9.]/%2u %17[0-9a-fA-F:] %c", ip, &l->bits, mac, &end);
	if (n != 3 || l->bits > 32 || inet_pton(AF_INET, ip, &in) != 1 ||
	    rte_ether_unformat_addr(mac, &a))
		return wrong(l, "a prefix and a MAC are needed, as 10.1.0.0/16 02:00:00:00:00:01");
	if (!rte_is_unicast_ether_addr(&a) || rte_is_zero_ether_addr(&a))
		return wrong(l, "%s is no station's MAC", mac);
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

static int read_all(struct routes *r, FILE *file, const char *path)
{
	struct line l = { .path = path };
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

struct routes *routes_open(const char *path)
{
	struct routes *r = calloc(1, sizeof(*r));
	FILE *file = fopen(path, "re");
	int rc = -1;

	if (!file)
		fprintf(stderr, "rp-dataplane: --routes %s cannot be opened: %s\n", path,
			strerror(errno));
	else if (r && !make_table(r))
		rc = read_all(r, file, path);
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

bool routes_find(const void *routes, u32 ip, u8 mac[6])
{
	const struct routes *r = routes;
	u32 hop;

	if (rte_lpm_lookup(r->lpm, ntohl(ip), &hop)) {
		if (r->fallback == ROUTES_MAX)
			return false;
		hop = r->fallback;
	}
	memcpy(mac, r->hop[hop].mac, 6);
	return true;
}
