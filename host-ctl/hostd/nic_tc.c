// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Classes of the kernel's queueing disciplines over rtnetlink: their quantum is a weight.
 *
 * htb, drr and ets are known. A change of an htb class has to say all of it again, which
 * is what the kernel told of it.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>

#include "nic.h"

/*
 * htb lets a class send while its deficit is not negative and then adds the quantum once,
 * so a quantum below the longest packet (with segmentation offload 64 KiB) would have all
 * send packet by packet. drr and ets add it until a packet fits.
 */
#define HTB_LEAST	65536u
#define DRR_LEAST	1514u

u32 tc_least(const char *kind)
{
	return strcmp(kind, "htb") ? DRR_LEAST : HTB_LEAST;
}

/* ---- Messages ---- */

/* The attribute of @type within @in, of at least @bytes; NULL: there is none. */
static const struct nlattr *inner(const struct nlattr *in, u16 type, size_t bytes)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, in)
		if (mnl_attr_get_type(a) == type && mnl_attr_get_payload_len(a) >= bytes)
			return a;
	return NULL;
}

static u32 quantum_of(const char *kind, const struct nlattr *options)
{
	const struct nlattr *a;

	if (!strcmp(kind, "htb")) {
		struct tc_htb_opt opt;

		a = inner(options, TCA_HTB_PARMS, sizeof(opt));
		if (!a)
			return 0;
		memcpy(&opt, mnl_attr_get_payload(a), sizeof(opt));
		/* Only a leaf shares by it. */
		return opt.level ? 0 : opt.quantum;
	}
	a = inner(options, !strcmp(kind, "drr") ? TCA_DRR_QUANTUM : TCA_ETS_QUANTA_BAND,
		  sizeof(u32));
	return a ? mnl_attr_get_u32(a) : 0;
}

static bool is_kind(const char *kind)
{
	return !strcmp(kind, "htb") || !strcmp(kind, "drr") || !strcmp(kind, "ets");
}

static void take_counters(struct tc_class *c, const struct nlattr *stats)
{
	struct gnet_stats_basic { u64 bytes; u32 packets; } basic;
	const struct nlattr *a = inner(stats, TCA_STATS_BASIC, sizeof(u64) + sizeof(u32));

	if (!a)
		return;
	memcpy(&basic, mnl_attr_get_payload(a), sizeof(u64) + sizeof(u32));
	c->bytes = basic.bytes;
	c->packets = basic.packets;
	a = inner(stats, TCA_STATS_PKT64, sizeof(u64));
	if (a)
		c->packets = mnl_attr_get_u64(a);
}

bool tc_parse(const struct nlmsghdr *nlh, int ifindex, struct tc_class *c)
{
	const struct nlattr *a, *options = NULL, *kind = NULL, *stats = NULL;
	const struct tcmsg *tcm = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_type != RTM_NEWTCLASS || mnl_nlmsg_get_payload_len(nlh) < sizeof(*tcm) ||
	    tcm->tcm_ifindex != ifindex)
		return false;
	mnl_attr_for_each(a, nlh, sizeof(*tcm)) {
		if (mnl_attr_get_type(a) == TCA_KIND)
			kind = a;
		else if (mnl_attr_get_type(a) == TCA_OPTIONS)
			options = a;
		else if (mnl_attr_get_type(a) == TCA_STATS2)
			stats = a;
	}
	if (!kind || !options || mnl_attr_validate(kind, MNL_TYPE_NUL_STRING) < 0 ||
	    !is_kind(mnl_attr_get_str(kind)) ||
	    mnl_attr_get_payload_len(options) > sizeof(c->options))
		return false;
	*c = (struct tc_class){ .id = tcm->tcm_handle, .parent = tcm->tcm_parent };
	strcpy(c->kind, mnl_attr_get_str(kind));
	c->quantum = quantum_of(c->kind, options);
	c->options_bytes = mnl_attr_get_payload_len(options);
	memcpy(c->options, mnl_attr_get_payload(options), c->options_bytes);
	if (stats)
		take_counters(c, stats);
	return true;
}

/* All that was told of it, but for the quantum. */
static void put_htb(struct nlmsghdr *nlh, const struct tc_class *c, u32 quantum)
{
	const struct nlattr *attr;
	struct tc_htb_opt opt;

	mnl_attr_for_each_payload((const void *)c->options, c->options_bytes) {
		u16 type = mnl_attr_get_type(attr);

		if (type == TCA_HTB_PARMS && mnl_attr_get_payload_len(attr) >= sizeof(opt)) {
			memcpy(&opt, mnl_attr_get_payload(attr), sizeof(opt));
			opt.quantum = quantum;
			mnl_attr_put(nlh, TCA_HTB_PARMS, sizeof(opt), &opt);
		} else if ((type == TCA_HTB_RATE64 || type == TCA_HTB_CEIL64) &&
			   mnl_attr_get_payload_len(attr) == sizeof(u64)) {
			mnl_attr_put_u64(nlh, type, mnl_attr_get_u64(attr));
		}
	}
}

struct nlmsghdr *tc_change(void *buf, int ifindex, const struct tc_class *c, u32 quantum)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct tcmsg *tcm = mnl_nlmsg_put_extra_header(nlh, sizeof(*tcm));
	struct nlattr *options;

	nlh->nlmsg_type = RTM_NEWTCLASS;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;	/* not CREATE: one that is there */
	tcm->tcm_family = AF_UNSPEC;
	tcm->tcm_ifindex = ifindex;
	tcm->tcm_handle = c->id;
	tcm->tcm_parent = c->parent;
	mnl_attr_put_strz(nlh, TCA_KIND, c->kind);
	options = mnl_attr_nest_start(nlh, TCA_OPTIONS);
	if (!strcmp(c->kind, "htb"))
		put_htb(nlh, c, quantum);
	else
		mnl_attr_put_u32(nlh, !strcmp(c->kind, "drr") ? TCA_DRR_QUANTUM :
				 TCA_ETS_QUANTA_BAND, quantum);
	mnl_attr_nest_end(nlh, options);
	return nlh;
}

/* ---- The kernel ---- */

struct dump {
	int ifindex;
	void (*each)(void *ctx, const struct tc_class *c);
	void *ctx;
};

static int on_class(const struct nlmsghdr *nlh, void *arg)
{
	const struct dump *d = arg;
	struct tc_class c;

	if (tc_parse(nlh, d->ifindex, &c))
		d->each(d->ctx, &c);
	return MNL_CB_OK;
}

int tc_dump(struct mnl_socket *s, int ifindex,
	    void (*each)(void *ctx, const struct tc_class *c), void *ctx)
{
	struct dump d = { .ifindex = ifindex, .each = each, .ctx = ctx };
	char buf[NL_MESSAGE_MAX];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct tcmsg *tcm = mnl_nlmsg_put_extra_header(nlh, sizeof(*tcm));

	nlh->nlmsg_type = RTM_GETTCLASS;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	tcm->tcm_family = AF_UNSPEC;
	tcm->tcm_ifindex = ifindex;
	return nl_talk(s, nlh, on_class, &d);
}

int tc_set(struct mnl_socket *s, int ifindex, const struct tc_class *c, u32 quantum)
{
	char buf[NL_MESSAGE_MAX];

	return nl_talk(s, tc_change(buf, ifindex, c, quantum), NULL, NULL);
}

/* ---- What is asked ---- */

struct work {
	struct nic_work *nic;
	struct tc_class class[NIC_QUEUES_MAX];	/* .id 0: not found */
};

static void on_listed(void *ctx, const struct tc_class *c)
{
	struct work *w = ctx;
	u32 i;

	for (i = 0; i < w->nic->queues; i++)
		if (w->nic->id[i] == c->id)
			w->class[i] = *c;
}

static int look(struct work *w, struct mnl_socket *s)
{
	struct nic_answer *a = &w->nic->answer;
	u32 i;
	int rc;

	for (i = 0; i < w->nic->queues; i++)
		w->class[i].id = 0;
	rc = tc_dump(s, w->nic->ifindex, on_listed, w);
	for (i = 0; i < w->nic->queues && !rc; i++) {
		const struct tc_class *c = &w->class[i];

		if (!c->id)
			continue;
		a->queue[i].there = c->quantum;
		a->queue[i].has = c->quantum;
		a->queue[i].packets = c->packets;
		a->queue[i].bytes = c->bytes;
		if (tc_least(c->kind) > a->least)
			a->least = tc_least(c->kind);
	}
	return rc;
}

static int change(const struct work *w, struct mnl_socket *s)
{
	int rc = 0;
	u32 i;

	for (i = 0; i < w->nic->queues && !rc; i++)
		if (w->class[i].id && w->class[i].quantum &&
		    w->class[i].quantum != w->nic->asked[i])
			rc = tc_set(s, w->nic->ifindex, &w->class[i], w->nic->asked[i]);
	return rc;
}

static void weigh(struct work *w, struct mnl_socket *s)
{
	struct nic_answer *a = &w->nic->answer;
	u32 i, found = 0;
	int rc = look(w, s);

	for (i = 0; i < w->nic->queues; i++)
		found += !!w->class[i].id;
	if (!rc && w->nic->set)
		rc = change(w, s);
	if (!rc && w->nic->set)
		rc = look(w, s);
	if (rc)
		snprintf(a->why, NIC_WHY, "its classes cannot be %s: %s%s",
			 w->nic->set ? "set" : "read", strerror(-rc),
			 rc == -EPERM ? ": CAP_NET_ADMIN is needed" : "");
	else if (!found)
		snprintf(a->why, NIC_WHY, "none of its classes is there: make them with tc: "
			 "a discipline " TC_KINDS ", and a class for each of nic-queues");
}

static const char *tc_work(struct nic_work *nic)
{
	struct mnl_socket *s = nl_open(NETLINK_ROUTE);
	struct work *w = calloc(1, sizeof(*w));

	if (s && w) {
		w->nic = nic;
		weigh(w, s);
	} else {
		snprintf(nic->answer.why, NIC_WHY, "no rtnetlink: %s", strerror(errno));
	}
	free(w);
	if (s)
		mnl_socket_close(s);
	return NULL;
}

/* ---- Back ---- */

/* "DEVICE MAJOR:MINOR" */
static void target(const struct nic *n, u32 queue, char text[UNDO_TARGET_MAX])
{
	snprintf(text, UNDO_TARGET_MAX, "%s %x:%x", n->name, queue >> 16, queue & 0xffff);
}

static enum undo_done restore(const struct undo_where *where, const char *text, const char *value)
{
	char name[IF_NAMESIZE];
	u32 major, minor;

	if (sscanf(text, "%15s %x:%x", name, &major, &minor) != 3 || !major || major > 0xffff ||
	    minor > 0xffff)
		return UNDO_GONE;
	return nic_kernel_restore(&nic_tc_ops, name, major << 16 | minor, value);
}

const struct undo_kind nic_tc_kind = { .name = "tc", .restore = restore, .slow = true };

const struct nic_ops nic_tc_ops = { .name = "tc", .kind = &nic_tc_kind,
				    .begin = nic_kernel_begin, .poll = nic_kernel_poll,
				    .target = target, .work = tc_work };
