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
 * talks to the kernel in a thread of its own, by nic_tc.c, nic_devlink.c or nic_shaper.c.
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
/* The greatest weight of a device that takes weights: what ice takes, and no other has less. */
#define NIC_WEIGHT_MOST		200u
#define NIC_COUNT_UNKNOWN	UINT64_MAX	/* of packets, bytes */

struct mnl_socket;
struct nlattr;
struct nlmsghdr;
struct nic;
struct nic_ops;
struct nic_work;

/* What a backend has found, and how that went. */
struct nic_answer {
	char why[NIC_WHY];		/* "": it was done */
	const struct nic_ops *by;	/* what it is weighed by from now on; NULL: as before */
	u32 least;			/* of .asked: what the least weight becomes; 0: any */
	u32 most;			/* of .asked, where .least is 0; 0: any */
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
	/* Of devices of the kernel, below: NULL, or why the device has nothing of the kind. */
	const char *(*work)(struct nic_work *w);
};

extern const struct nic_ops nic_ringpaced_ops, nic_tc_ops, nic_number_ops,
	nic_devlink_untried_ops, nic_devlink_weight_ops, nic_devlink_share_ops,
	nic_shaper_weight_ops, nic_shaper_min_ops;
extern const struct undo_kind nic_ringpaced_kind, nic_tc_kind,
	nic_devlink_weight_kind, nic_devlink_share_kind, nic_shaper_weight_kind,
	nic_shaper_min_kind;

struct nic_queue {
	u32 id;				/* its number; of a kernel device its virtual function's or
					 * its own, or its class, major:minor */
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
	u32 least, most;		/* of the last answer */
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
	const struct nic_ops *by;	/* whose .work it is */
	const char *name;
	int ifindex;
	bool set;
	u32 queues, id[NIC_QUEUES_MAX], asked[NIC_QUEUES_MAX];
};

/* .begin and .poll of struct nic_ops: .work is called in the thread. */
bool nic_kernel_begin(struct nic *n, bool set);
void nic_kernel_poll(struct nic *n);
/* Now, in the caller's thread; false: there is no such interface. */
bool nic_kernel_work(struct nic_work *w);
/* The same for restore() of struct undo_kind: @value of @queue as it was, by @by alone. */
enum undo_done nic_kernel_restore(const struct nic_ops *by, const char *name, u32 queue,
				  const char *value);
const char *nic_devlink_work(struct nic_work *w);
const char *nic_shaper_work(struct nic_work *w);
/* By generic netlink: @weigh with a socket, and with memory of @bytes for itself, all 0. */
const char *nic_generic_work(struct nic_work *w, size_t bytes,
			     const char *(*weigh)(struct nic_work *w, struct mnl_socket *socket,
						  void *memory));
/* By which of them: numbers are virtual functions or transmit queues, which is found out. */
const struct nic_ops *nic_kernel_ops(u32 queue);
/* .target, and what restore() of it does, of a number: "DEVICE NUMBER". */
void nic_number_target(const struct nic *n, u32 queue, char target[UNDO_TARGET_MAX]);
enum undo_done nic_number_restore(const struct nic_ops *by, const char *target,
				  const char *value);

/* ---- Netlink ---- */

#define NL_MESSAGE_MAX	1024u

/* Of protocol @bus; NULL, with errno. The caller's, mnl_socket_close(). */
struct mnl_socket *nl_open(int bus);
/* Sends @nlh and takes the answers until their end. 0 or -errno. */
int nl_talk(struct mnl_socket *s, struct nlmsghdr *nlh,
	    int (*each)(const struct nlmsghdr *nlh, void *ctx), void *ctx);
/* Number of a family of generic netlink; 0: there is none. */
u16 nl_family(struct mnl_socket *s, const char *name);
/* Begins a message of generic netlink in @buf of NL_MESSAGE_MAX bytes. */
struct nlmsghdr *nl_generic(void *buf, u16 family, u8 cmd, u8 version, u16 flags);
/*
 * The attributes of a message of generic netlink by their types, those below @count; false:
 * it is none. And those within one, which may be NULL.
 */
bool nl_attributes(const struct nlmsghdr *nlh, const struct nlattr **of, u32 count);
void nl_inner(const struct nlattr *in, const struct nlattr **of, u32 count);
/* A number of any width; @none: there is no such attribute, or it is none. */
u64 nl_number(const struct nlattr *a, u64 none);

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
	bool has_weight;	/* the kernel knows tx_weight */
	u32 weight;		/* 0: none was ever set */
};

/* A message of a dump; false: it is of nothing that has an index. */
bool devlink_parse(const struct nlmsghdr *nlh, struct devlink_port *p);
/* The messages that give @p another one, into @buf of NL_MESSAGE_MAX bytes. */
struct nlmsghdr *devlink_set_share(void *buf, u16 family, const struct devlink_port *p,
				   u64 share_bytes_per_s);
struct nlmsghdr *devlink_set_weight(void *buf, u16 family, const struct devlink_port *p,
				    u32 weight);

/* ---- Shapers of transmit queues (nic_shaper.c) ---- */

/* What an interface takes of a queue. */
struct shaper_caps {
	bool weight;
	bool min;		/* bw-min, in bits per second */
};

struct shaper {
	u32 queue;
	bool grouped;		/* it is in a group that somebody has made */
	bool more;		/* it has something else than the two below */
	bool packets;		/* what it has of rates is in packets per second */
	u64 min_bits_per_s;
	u32 weight;
};

/* What is told of @ifindex's queues; false: it is told of something else. */
bool shaper_parse_caps(const struct nlmsghdr *nlh, int ifindex, struct shaper_caps *c);
/* A message of a dump of @ifindex's shapers; false: it is none of a queue. */
bool shaper_parse(const struct nlmsghdr *nlh, int ifindex, struct shaper *s);
/* The messages that change the shaper of @queue, into @buf of NL_MESSAGE_MAX bytes. */
struct nlmsghdr *shaper_set_weight(void *buf, u16 family, int ifindex, u32 queue, u32 weight);
struct nlmsghdr *shaper_set_min(void *buf, u16 family, int ifindex, u32 queue, u64 bits_per_s);
struct nlmsghdr *shaper_remove(void *buf, u16 family, int ifindex, u32 queue);

#endif /* HOSTD_NIC_H */
