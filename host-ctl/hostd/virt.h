/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Domains of libvirt, without ever waiting for it.
 *
 * Theory of operation. libvirt's calls block, for as long as libvirtd likes, and cannot
 * be taken back. So there are two threads with a connection each: one brings domains to
 * what is wanted of them, the other asks for their statistics. The loop says what it
 * wants of a domain at last (what was wanted before and not begun is forgotten), and looks
 * later whether that is done. What fails is tried again after a while, and what takes
 * longer than the time-out is told as not enforced; both go on until it is done or
 * something else is wanted. A libvirtd that goes away is such a failure. All shared
 * state is under one lock, which no call of libvirt is made under.
 *
 * A vCPU goes when the guest lets it go, whose affair that is: its agent may be absent, silent,
 * or say what is not so, and a guest without a system that runs never gives a vCPU back. So each
 * domain whose number of vCPUs follows has a thread for that alone, which holds up nobody else. It
 * begins when all the rest is done, and looks again every five seconds, since a guest that
 * boots anew has all of its vCPUs on line, and one may let a vCPU go late. Pins do not depend
 * on it: where it fails, the domain is pinned only.
 *
 * While libvirt waits for a guest to let go of a vCPU that is unplugged it does nothing else
 * with that domain, for five seconds at most. Who calls for such a domain would wait as long; so what is
 * wanted of it waits, and others' turns come meanwhile.
 */
#ifndef HOSTD_VIRT_H
#define HOSTD_VIRT_H

#include <pthread.h>
#include <sched.h>

#include "../control.h"
#include "conf.h"
#include "undo.h"

struct virt_want {
	bool confine;		/* to .cpus, with so many .vcpus */
	cpu_set_t cpus;
	u32 vcpus;
	bool hold_vcpus;	/* none goes before virt_let_vcpus() */
	bool suspend, resume;
	u32 shares;		/* 0: as they are */
	u32 quota_percent;	/* of a CPU for each vCPU; 0: as it is */
	/* In place of a clock, as quota.h: of a CPU for all of the domain; 0: as it was before */
	bool limit;
	u32 limit_percent;
};

struct virt_stats {
	u64 taken_ns;		/* 0: never */
	bool running;
	int id;			/* of this run of it */
	u64 cpu_ns;		/* of all vCPUs, those that have gone, too */
	u64 steal_ns;		/* that they waited to run; 0 where it is not told */
	u32 vcpus;
};

struct virt;

/* What is known of the number of a guest's vCPUs, where that follows. */
struct virt_vcpus {
	u64 tried, done;	/* numbers of what was wanted, see below */
	u64 asked_ns;		/* since when an answer is due */
	u64 look_ns;		/* when to look again */
	u64 patient_ns;		/* before then a guest that kept a vCPU is not asked again */
	bool under_way;		/* a call that holds up all others for the domain */
	int limited;		/* the run of the domain in which its agent's answers have a time limit */
	u32 online;		/* vCPUs that it has, by what was told last; 0: nothing yet */
	char why[160];		/* what failed last; "": nothing */
};

/* What a vCPU has used and waited in this run of it. */
struct virt_vcpu_time {
	u64 cpu_ns, steal_ns;
};

#define VIRT_VCPUS_MAX	256

struct virt_domain {
	struct virt *virt;
	const struct conf_tenant *conf;
	struct virt_want want;
	u64 asked, done;	/* numbers of what was wanted */
	u64 asked_ns, retry_ns;
	int at;			/* its id when it was brought there; -1: it does not run */
	bool late;		/* told */
	char why[160];		/* what failed last; "": nothing */
	struct virt_stats stats;
	struct virt_vcpu_time time[VIRT_VCPUS_MAX];	/* as told last */
	const struct virt_vcpus_ops *by;	/* NULL: their number does not follow */
	struct virt_vcpus vcpus;
};

struct virt {
	const char *uri;
	u64 timeout_ns, retry_ns;
	struct undo *undo;
	pthread_mutex_t lock;
	pthread_cond_t work, look, vcpus;
	bool stop, want_stats;
	u64 stats_failed;	/* times */
	u32 threads;		/* that have not been joined */
	pthread_t thread[2 + CONF_TENANTS_MAX];
	u32 domains;
	struct virt_domain domain[CONF_TENANTS_MAX];
};

void virt_init(struct virt *v, const char *uri, u64 timeout_ns, struct undo *undo);
/* Before the start; its number. */
u32 virt_add(struct virt *v, const struct conf_tenant *t);
/* 0 or -errno. */
int virt_start(struct virt *v);
/* Waits for calls of libvirt for @ms at most; a thread that still hangs is left alone: false. */
bool virt_stop(struct virt *v, u32 ms);
void virt_fini(struct virt *v);

/* What is wanted from now on; none of it is done yet. */
enum hc_enforced virt_want(struct virt *v, u32 domain, const struct virt_want *want);
/* What has become of that: pending, enforced, nobody, or failed (and tried again). */
enum hc_enforced virt_state(struct virt *v, u32 domain, char why[160]);
/* The same of the number of its vCPUs; *@online: as struct virt_vcpus. */
enum hc_enforced virt_vcpus_state(struct virt *v, u32 domain, u32 *online, char why[160]);
/* vCPUs may go. */
void virt_let_vcpus(struct virt *v, u32 domain);
/* Domains that have begun to run since are brought to what is wanted of them. */
void virt_again(struct virt *v);
/* Asks for statistics, unless they are being asked for already. */
void virt_look(struct virt *v);
void virt_stats(struct virt *v, u32 domain, struct virt_stats *s);

extern const struct undo_kind virt_kind, virt_agent_kind, virt_hotplug_kind;
/* Is a note's target a limit in place of a clock? */
bool virt_is_limit(const char *target);

/* ---- Between the files ---- */
struct _virDomain;
struct _virConnect;

/* One try to bring a guest's vCPUs to the number wanted, from what was wanted when it began. */
struct virt_try {
	struct virt_domain *of;
	struct _virDomain *dom;
	u64 number;
	u32 want;		/* vCPUs */
	u32 has;		/* at last; 0: not known */
	bool added;		/* some, which have no pins yet */
};

struct virt_vcpus_ops {
	const char *name;
	/* NULL; or why not. Nothing has failed where nobody wants it any more: virt_is_wanted(). */
	const char *(*bring)(struct virt_try *t);
	bool exclusive;		/* libvirt does nothing else with the domain meanwhile */
	const char *late;	/* what is told when it takes too long */
};

extern const struct virt_vcpus_ops virt_agent_ops, virt_hotplug_ops;

/* A connection that works, @conn or another one; NULL: there is none. */
struct _virConnect *virt_connected(const struct virt *v, struct _virConnect *conn);
/* With the lock, which it gives up meanwhile. */
void virt_wait(struct virt *v, pthread_cond_t *c, u64 ns);
/* @what, and what libvirt says of why it failed; this thread's until the next. */
const char *virt_because(const char *what);
/* As undo_kind.restore, where @one gives back @what of a domain that runs: 0, or -1. */
enum undo_done virt_restore(const struct undo_where *w, const char *target, const char *value,
			    int (*one)(struct _virDomain *dom, const char *what, const char *value));
/* NULL; or why not. *@id: -1: there is no such domain, or it does not run. */
const char *virt_apply(struct _virConnect *conn, struct undo *undo, const struct conf_tenant *t,
		       const struct virt_want *want, int *id);
void virt_read_stats(struct virt *v, struct _virConnect *conn);
/* Notes how it was; false: it must not be changed. */
bool virt_note(struct undo *undo, const struct undo_kind *kind, const struct conf_tenant *t,
	       struct _virDomain *dom, const char *what, const char *value);
/* What is wanted of @d is brought about anew. With the lock. */
void virt_ask(struct virt_domain *d);
/* The thread of a domain's vCPUs, where .by is set. */
void *virt_serve_vcpus(void *domain);
/* Does nobody want anything else by now? */
bool virt_is_wanted(const struct virt_try *t);

#endif /* HOSTD_VIRT_H */
