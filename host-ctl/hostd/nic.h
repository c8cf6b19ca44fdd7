/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Weights of a NIC's transmit queues, by which tenants share its line.
 *
 * Theory of operation. A tenant has a share of a NIC and queues of it (`nic`, `nic-share`,
 * `nic-queues` of its entry). Its share is split over its queues by the flows that live in
 * each, so that a flow gets as much in one queue as in another (003, sec. 3.2), evenly where
 * nobody counts flows. Every round a backend is asked what is in force; what differs from
 * what is asked is noted (undo.h) and set, also when somebody else has changed it. Queues
 * that no tenant lists are left alone. All of it is the loop's, but for nic_kernel.c, which
 * talks to the kernel in a thread of its own, by nic_tc.c or nic_devlink.c.
 */
#ifndef HOSTD_NIC_H
#define HOSTD_NIC_H

#include <pthread.h>

#include "../control.h"
#include "conf.h"
#include "link.h"
#include "undo.h"

#define NIC_QUEUES_MAX		64u
#define NICS_MAX		8u
#define NIC_FLOWS_UNKNOWN	UINT32_MAX
/* What a share of 1 is in weights: shares are split to 1 % of that. */
#define NIC_SHARE_WEIGHT	100u
#define NIC_WHY			160u
#define NIC_COUNT_UNKNOWN	UINT64_MAX	/* of packets, bytes */

struct nic;

/* What a backend has found, and how that went. */
struct nic_answer {
	char why[NIC_WHY];		/* "": it was done */
	u32 least;			/* of .asked: what a weight of 1 becomes at least; 0: 1 */
	struct {
		bool there;		/* is there such a queue, with a weight? */
		u32 has;		/* weight, quantum in bytes, or guarantee in Mbit/s */
		u64 packets, bytes;	/* sent */
	} queue[NIC_QUEUES_MAX];	/* as nic.queue */
};

struct nic_ops {
	const char *name;
	const struct undo_kind *kind;
	/*
	 * Begins to set .asked of the queues where @set, which goes to .setting, and to look;
	 * nic_take() is the end. Must not block. False: not now.
	 */
	bool (*begin)(struct nic *n, bool set);
	/* Of what has ended since; NULL: nic_take() is called when it has. */
	void (*poll)(struct nic *n);
	/* Where the weight is, for restore(). */
	void (*target)(const struct nic *n, u32 queue, char target[UNDO_TARGET_MAX]);
};

extern const struct nic_ops nic_ringpaced_ops, nic_tc_ops, nic_devlink_ops;
extern const struct undo_kind nic_ringpaced_kind, nic_tc_kind, nic_devlink_kind;

struct nic_queue {
	u32 id;				/* its number; of a kernel device its virtual function's, or its
					 * class, major:minor */
	u32 tenant;			/* of nic.of[] */
	u32 flows;			/* that live; NIC_FLOWS_UNKNOWN */
	u32 weight;			/* by shares and flows */
	u32 asked;			/* that, in the unit of .has */
	bool there;
	u32 has;
	u64 packets, bytes;
};

struct nic_kernel;

struct nic {
	const struct nic_ops *ops;
	const char *name;
	struct undo *undo;
	u32 tenants, queues;
	const struct conf_tenant *of[CONF_TENANTS_MAX];
	struct nic_queue queue[NIC_QUEUES_MAX];
	u32 least;
	bool acting, setting;		/* setting: the answer that comes is of an order to set */
	u64 looked_ns, sets;		/* looked: 0: never */
	enum hc_enforced state;
	char why[NIC_WHY];
	/* Of nic_ringpaced.c */
	struct link *link;
	u32 weight_slot, flows_slot;
	u64 flows_at;
	u32 groups;
	u64 *group;			/* what had come by each flow group */
	/* Of nic_kernel.c, under its lock */
	struct nic_kernel *kernel;
	bool wanted, answered;
	u32 wish[NIC_QUEUES_MAX];	/* .asked, as of begin() */
	struct nic_answer answer;
};

/* The thread that talks to the kernel, and what it is asked about. */
struct nic_kernel {
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_t thread;
	bool started, stop;
	struct nics *nics;
};

struct nics {
	u32 count;
	struct nic nic[NICS_MAX];
	struct nic_kernel kernel;
	u64 due_ns, period_ns;
};

/* Of all tenants of @c. NULL, or why not. */
const char *nics_init(struct nics *all, const struct conf *c, struct undo *undo,
		      struct link *ringpaced);
void nics_fini(struct nics *all);
/* @acting: not a dry run. */
void nics_tick(struct nics *all, bool acting, u64 now);

/* ---- Between the files ---- */

/* .weight and .asked of all queues. */
void nic_weigh(struct nic *n);
void nic_take(struct nic *n, const struct nic_answer *a);
/* "3", or "1:10". */
void nic_queue_name(u32 id, char text[16]);
/* Nothing could be asked: its state and why. */
void nic_say(struct nic *n, enum hc_enforced state, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void nic_ringpaced_init(struct nic *n);
const char *nic_kernel_start(struct nics *all);
void nic_kernel_stop(struct nics *all);

/* ---- Devices of the kernel (nic_kernel.c) ---- */

/* What is asked of a device, and what was found. */
struct nic_work {
	struct nic_answer answer;
	const char *name;
	int ifindex;
	bool set;
	u32 queues, id[NIC_QUEUES_MAX], asked[NIC_QUEUES_MAX];
};

/* .begin and .poll of struct nic_ops: nic_tc_work() or nic_devlink_work() in the thread. */
bool nic_kernel_begin(struct nic *n, bool set);
void nic_kernel_poll(struct nic *n);
/* Now, in the caller's thread; false: there is no such interface. */
bool nic_kernel_work(struct nic_work *w);
/* The same for restore() of struct undo_kind: @value of @queue as it was. */
enum undo_done nic_kernel_restore(const char *name, u32 queue, const char *value);
void nic_tc_work(struct nic_work *w);
void nic_devlink_work(struct nic_work *w);
/* By which of them: numbers are virtual functions. */
const struct nic_ops *nic_kernel_ops(u32 queue);

/* ---- Netlink ---- */

struct mnl_socket;
struct nlmsghdr;

#define NL_MESSAGE_MAX	1024u

/* Of protocol @bus; NULL, with errno. The caller's, mnl_socket_close(). */
struct mnl_socket *nl_open(int bus);
/* Sends @nlh and takes the answers until their end. 0 or -errno. */
int nl_talk(struct mnl_socket *s, struct nlmsghdr *nlh,
	    int (*each)(const struct nlmsghdr *nlh, void *ctx), void *ctx);
/* Number of a family of generic netlink; 0: there is none. */
u16 nl_family(struct mnl_socket *s, const char *name);

/* ---- Queueing disciplines of the kernel (nic_tc.c) ---- */

#define TC_KINDS	"htb, drr or ets"

struct tc_class {
	u32 id, parent;
	char kind[16];
	u32 quantum;		/* 0: it has none, such as a strict band */
	u64 packets, bytes;
	/* What a change of it has to repeat (htb) */
	u32 options_bytes;
	u8 options[512] __attribute__((aligned(8)));
};

/* A message of a dump of @ifindex's classes; false: it is none, or of another kind. */
bool tc_parse(const struct nlmsghdr *nlh, int ifindex, struct tc_class *c);
/* The message that gives it another quantum, into @buf of NL_MESSAGE_MAX bytes. */
struct nlmsghdr *tc_change(void *buf, int ifindex, const struct tc_class *c, u32 quantum);
/* Least quantum of a kind, in bytes: one that divides the line as asked. */
u32 tc_least(const char *kind);
/* 0 or -errno. */
int tc_dump(struct mnl_socket *s, int ifindex,
	    void (*each)(void *ctx, const struct tc_class *c), void *ctx);
int tc_set(struct mnl_socket *s, int ifindex, const struct tc_class *c, u32 quantum);

/* ---- Rates of devlink (nic_devlink.c) ---- */

/* A port of a device, or the rate of one. */
struct devlink_port {
	char bus[32], dev[64];	/* "pci", "0000:03:00.0" */
	u32 index;
	u32 ifindex;		/* 0: it has no interface */
	s32 vf;			/* number of the virtual function that it leads to; -1: to none */
	bool leaf;		/* the rate of a port, not of a group of them */
	u64 share_bytes_per_s;	/* its tx_share: what it has for certain */
};

/* A message of a dump; false: it is of nothing that has an index. */
bool devlink_parse(const struct nlmsghdr *nlh, struct devlink_port *p);
/* The message that gives @p another tx_share, into @buf of NL_MESSAGE_MAX bytes. */
struct nlmsghdr *devlink_change(void *buf, u16 family, const struct devlink_port *p,
				u64 share_bytes_per_s);

#endif /* HOSTD_NIC_H */
