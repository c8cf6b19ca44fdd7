/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dataplane: threads that receive, process to completion and send, and flow
 * groups that move between them.
 *
 * State is one thread's, one group's, or read-mostly. In steady state a thread
 * writes nothing that another thread reads in its own steady state, and takes no
 * lock; ->shared counts every write to what threads share, and stays.
 *
 * Contexts: dp_thread_*() by the thread itself; dp_move() to dp_owner() by one
 * control thread. An application's functions run in the group's thread.
 */
#ifndef DP_DATAPLANE_H
#define DP_DATAPLANE_H

#include "group.h"
#include "hist/hist.h"
#include "page.h"
#include "port.h"

#define DP_THREADS_MAX	64u
#define DP_GROUPS_MIN	128u
#define DP_GROUPS_MAX	512u
#define DP_BATCH_MAX	64u
/* A waits so long for B's first packet. */
#define DP_WAIT_NS	1000000ULL
#define DP_STALL_NS	100000000ULL
/* Groups that are held wait so long for those that the same thread is about to hold. */
#define DP_GATHER_NS	20000ULL

struct dp;
struct dp_thread;

struct dp_app {
	const char *name;
	/* 0 or -errno: once for each group, before the threads run. May be NULL. */
	int (*open)(struct dp *dp, struct dp_group *g);
	void (*close)(struct dp *dp, struct dp_group *g);
	/*
	 * Ends in dp_send() or dp_release() of @p, now or later. @g is NULL of a packet
	 * that is ->loose.
	 */
	void (*packet)(struct dp_thread *t, struct dp_group *g, struct dp_pkt *p);
	/*
	 * @n packets, of groups that the thread owns, are about to be processed: fetches into
	 * its caches what they need, and does nothing else. May be NULL.
	 */
	void (*ahead)(struct dp_group **g, struct dp_pkt **p, u32 n);
};

struct dp_config {
	u32 threads;		/* 1..DP_THREADS_MAX, and as many queues of the port */
	u32 groups;		/* a power of two, DP_GROUPS_MIN..DP_GROUPS_MAX */
	u32 batch;		/* B: most packets of a turn; 1..DP_BATCH_MAX */
	u64 stall_ns;		/* a thread that does not answer for so long stalls */
	struct dp_port *port;
	const struct dp_app *app;
	void *app_arg;		/* the application's */
	u64 (*now_ns)(void *arg);
	u64 tsc_hz;		/* ->now_ns is the time stamp counter's; 0: CLOCK_MONOTONIC's */
	/* Wakes a thread between dp_thread_rest() and its next turn; any thread calls it. */
	void (*wake)(void *arg, u32 thread);
	void *arg;
};

/* What a thread counts; written by it alone, relaxed. */
struct dp_counts {
	_Atomic u64 turns;
	_Atomic u64 received;		/* out of its own queue */
	_Atomic u64 processed;		/* given to the application */
	_Atomic u64 sent;
	_Atomic u64 unsent;		/* dropped, as the port took no more */
	_Atomic u64 late;		/* handed to the owner outside of a move */
	_Atomic u64 timers;		/* fired */
	_Atomic u64 shared;		/* writes to what threads share */
};

/* A group that leaves: A's side. */
struct dp_leaving {
	u16 group;
	u32 number;
	bool draining;
	bool sent;			/* said so, or nobody waits for it */
	u64 sent_mark;			/* ->sent when it was held */
	u64 since;			/* ->received when draining began */
};

/* A thread that sleeps for a moment, its queue as it is; one that has looked and found nothing. */
enum dp_resting { DP_NAPS = 1, DP_RESTS };

struct dp_thread {
	/* Others write these. */
	_Alignas(64) _Atomic u32 bell;	/* a word has changed */
	_Atomic u32 resting;		/* DP_NAPS, DP_RESTS, or 0 */
	/*
	 * It has stalled, and groups were taken from it, so often; its queue may still
	 * have packets of theirs that were overtaken. It has looked through its queue
	 * since the last of these times if both are the same; before that it gets none.
	 */
	_Atomic u32 stalls;
	_Atomic u32 caught_up;		/* the thread's */
	struct dp_queue strays;
	/* The thread's own. */
	_Alignas(64) struct dp *dp;
	u32 id;
	u32 coming_count, leaving_count, unsent;
	u64 now_ns;
	u64 slot, slot_end_ns;		/* of the timers: dp_slot_find() */
	struct dp_group *groups;	/* that it has */
	struct dp_list *local;		/* for each group: deferred */
	u16 *coming;			/* groups that are about to come */
	bool *is_coming;
	struct dp_leaving *leaving;
	u32 catching_up;		/* to this one of ->stalls */
	u64 catching_since;		/* ->received when that began */
	struct dp_pkt *tx[DP_BATCH_MAX];
	struct dp_counts counts;
	struct dp_meter meter;
};

enum dp_end {
	DP_DONE,		/* the new owner has it */
	DP_REFUSED,		/* the old owner did not answer, and keeps it */
	DP_TURNED_BACK,		/* the old owner has it again */
	DP_ENDS
};

/* Why a group moves: it was named, or threads were added or taken away. */
enum dp_cause { DP_NAMED, DP_ADDED, DP_REMOVED, DP_CAUSES };

struct dp_stat {
	struct rp_hist hist;
	u64 sum;
};

struct dp_moves {
	u64 ended[DP_ENDS];
	u64 forced;		/* DP_DONE without the old owner's word */
	u64 overtaken;		/* not known to have left before the new owner sent */
	u64 stalled;		/* found to stand still, whatever came of it then */
	u64 port_errors;
	/* Of those that are done. Nanoseconds, packets, timers. */
	struct dp_stat prepare, rpc, wait, deferred, total, packets, timers;
	struct dp_stat total_of[DP_CAUSES];
	u64 dropped;		/* handed over or deferred, and never processed */
};

/* A move, as the control thread follows it. */
struct dp_following {
	u16 group;
	dp_word word;		/* as it was ordered */
	enum dp_phase phase;	/* as it was last seen */
	bool told;		/* in ->stalled */
	bool forced, overtaken, refused;
	enum dp_cause cause;
	u64 since_ns;		/* in this phase */
};

struct dp {
	struct dp_config cfg;
	struct dp_group *groups;
	struct dp_thread *threads;
	struct dp_page_file page;	/* the threads' boards */
	/* The control thread's. */
	struct dp_following *following;
	u32 following_count;
	struct dp_steer *steer;
	u64 bells;		/* of these threads, yet to be rung */
	u64 progress_ns;	/* when a move was last ordered, or a step of one seen */
	u64 gathering_ns;	/* some groups are held, and others about to be, since; 0: not */
	struct dp_moves moves;
};

/* NULL, with *@why, one line, when it cannot be. */
struct dp *dp_new(const struct dp_config *cfg, const char **why);
/* No thread runs any more. Packets that are still held are released. */
void dp_free(struct dp *dp);

/* One turn: at most a batch received, processed, sent; timers. How much there was to do. */
u32 dp_thread_turn(struct dp *dp, u32 thread);
/*
 * About to sleep: true if nothing has come meanwhile, and whatever comes for this
 * thread but packets of its own queue calls ->wake. The next turn ends that.
 */
bool dp_thread_rest(struct dp *dp, u32 thread);
/* The same for a sleep that is none of the queue's being empty: its telemetry stands. */
bool dp_thread_nap(struct dp *dp, u32 thread);

/* Of an application: sends it from this thread's queue, or gives it back. */
void dp_send(struct dp_thread *t, struct dp_pkt *p);
void dp_release(struct dp_thread *t, struct dp_pkt *p);
/*
 * Gives a packet that came by a hash that is not its flow's to the group of @hash: whoever
 * has that processes it, perhaps within this call. If it is another thread, it counts as late.
 */
void dp_regroup(struct dp_thread *t, struct dp_pkt *p, u32 hash);

/* Orders a move. NULL, or one line of why not. To where it is already: nothing to do. */
const char *dp_move(struct dp *dp, u32 group, u32 to);
/*
 * Orders what spreads the groups evenly over the threads of @mask with the fewest
 * moves; how many. Groups that are on their way stay as they are.
 */
u32 dp_spread(struct dp *dp, u64 mask, enum dp_cause cause);
static inline u64 dp_first_threads(u32 n)
{
	return n < 64 ? (1ULL << n) - 1 : ~0ULL;
}

/* Sees moves through; call it while any is on its way. How many still are. */
u32 dp_control_turn(struct dp *dp);
/* What threads tell of their load: @each one's, and what it comes to. */
void dp_telemetry(struct dp *dp, struct dp_telemetry *each, struct dp_telemetry_all *all);
/* Packets of the group that were processed, a counter. */
u64 dp_group_packets(struct dp *dp, u32 group);
/* Who has the group, or will have it once its move ends well. */
u32 dp_owner(struct dp *dp, u32 group);
/*
 * Packets that were received less those processed: 0 when nothing is queued
 * within. For a dataplane whose threads stand.
 */
u64 dp_missing(struct dp *dp);

#endif /* DP_DATAPLANE_H */
